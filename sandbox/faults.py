"""Latency and faults of one simulator, and the count of the calls that it received.

A pure ASGI layer around a simulator. Faults are set by the admin route of `sandbox.serve` or directly
by tests. They act on the wire: a reset is a real TCP reset, a drip really drips.
"""

import asyncio
import gzip
from collections import Counter
from dataclasses import dataclass, field
from email.utils import format_datetime
from enum import StrEnum
from functools import lru_cache

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sandbox.clock import CLOCK


class Fault(StrEnum):
    """What a simulator does instead of its ordinary answer."""

    NONE = "none"
    TIMEOUT = "timeout"
    RESET = "reset"
    RESET_MID_BODY = "reset_mid_body"
    SLOW_DRIP = "slow_drip"
    TRUNCATED_GZIP = "truncated_gzip"
    STATUS = "status"
    HTML_404 = "html_404"
    MALFORMED = "malformed"
    ERROR_BODY = "error_body"
    WRONG_TYPE = "wrong_type"
    WRONG_CHARSET = "wrong_charset"
    ENDLESS = "endless"
    BOMB = "bomb"
    REDIRECT = "redirect"
    ANSWER = "answer"


Reply = tuple[int, dict[str, str], bytes]
"""Status, headers, body."""


@dataclass
class Conduct:
    """How one simulator behaves now; mutable on purpose: the admin route changes it while it runs.

    `latency` is in seconds, before the answer. `fault` applies to paths that contain `only` (all
    when empty), `times` times (for ever when `None`). `status` and `retry_after` are used by `Fault.STATUS`.
    """

    latency: float = 0.0
    fault: Fault = Fault.NONE
    status: int = 503
    retry_after: int | None = None
    only: str = ""
    times: int | None = None
    answers: "tuple[Reply, ...]" = ()
    """What `Fault.ANSWER` sends, one call after the other; the last one for as long as it lasts."""
    calls: Counter[str] = field(default_factory=Counter)

    def take_fault(self, path: str) -> Fault:
        if self.fault is Fault.NONE or self.only not in path or self.times == 0:
            return Fault.NONE
        if self.times is not None:
            self.times -= 1
        return self.fault

    def take_answer(self) -> Reply:
        answer, *later = self.answers
        self.answers = tuple(later) or (answer,)
        return answer

    def reset(self) -> None:
        self.latency, self.fault, self.status, self.retry_after = 0.0, Fault.NONE, 503, None
        self.only, self.times, self.answers = "", None, ()
        self.calls.clear()


class Faulty:
    """A simulator with its conduct in front of it."""

    def __init__(self, app: ASGIApp, conduct: Conduct) -> None:
        self.app = app
        self.conduct = conduct

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        path = scope["path"]
        self.conduct.calls[f"{scope['method']} {path}"] += 1
        fault = self.conduct.take_fault(path)
        if self.conduct.latency:
            await asyncio.sleep(self.conduct.latency)
        if fault is Fault.NONE:
            await self.app(scope, receive, _dated(send))
        else:
            await self._misbehave(fault, scope, receive, send)

    async def _misbehave(self, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
        match fault:
            case Fault.TIMEOUT:
                # The client gives up first; the bound only protects the simulator itself.
                await _until_disconnected(receive, 120)
            case Fault.RESET:
                _transport_of(send).abort()
            case Fault.RESET_MID_BODY:
                await _start(send, 200, b"application/json", {b"content-length": b"10000"})
                await send({"type": "http.response.body", "body": b'{"header":', "more_body": True})
                await asyncio.sleep(0.01)
                _transport_of(send).abort()
            case Fault.SLOW_DRIP:
                await _start(send, 200, b"application/json", {})
                for _ in range(1200):
                    await send({"type": "http.response.body", "body": b" ", "more_body": True})
                    await asyncio.sleep(0.1)
                await send({"type": "http.response.body", "body": b"", "more_body": False})
            case Fault.TRUNCATED_GZIP:
                await _whole(send, 200, b"application/json", gzip.compress(b'{"a":1}' * 500)[:-20], gzipped=True)
            case Fault.STATUS:
                headers = {}
                if self.conduct.retry_after is not None:
                    headers[b"retry-after"] = str(self.conduct.retry_after).encode()
                await _whole(send, self.conduct.status, b"text/html", b"<html>erreur</html>", headers)
            case Fault.HTML_404:
                await _whole(send, 404, b"text/html", b"<html><body>Not found</body></html>")
            case Fault.MALFORMED:
                await _whole(send, 200, b"application/json", b'{"header":{"statut":200},"unite')
            case Fault.ERROR_BODY:
                body = b'{"erreur":true,"status":"error","message":"Une erreur interne est survenue"}'
                await _whole(send, 200, b"application/json", body)
            case Fault.WRONG_TYPE:
                await _whole(send, 200, b"text/html; charset=utf-8", b"<html>Connectez-vous</html>")
            case Fault.WRONG_CHARSET:
                await _whole(send, 200, b"application/json;charset=utf-8", '{"é":"à"}'.encode("utf-16"))
            case Fault.ENDLESS:
                await _start(send, 200, b"application/json", {})
                for _ in range(4096):
                    await send({"type": "http.response.body", "body": b" " * 65536, "more_body": True})
            case Fault.BOMB:
                await _whole(send, 200, b"application/json", _bomb(), gzipped=True)
            case Fault.REDIRECT:
                await _whole(send, 302, b"text/html", b"", {b"location": b"http://127.0.0.1:9/ailleurs"})
            case Fault.ANSWER:
                await _answer(_dated(send), *self.conduct.take_answer())
            case Fault.NONE:  # pragma: no cover - the caller never asks
                await self.app(scope, receive, send)


def _dated(send: Send) -> Send:
    """A `send` that adds the header `Date` of the simulators' own time, where the answer has none."""

    async def dated(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = list(message["headers"])
            if all(name.lower() != b"date" for name, _ in headers):
                headers.append((b"date", format_datetime(CLOCK(), usegmt=True).encode()))
            message = {**message, "headers": headers}
        await send(message)

    return dated


@lru_cache(maxsize=1)
def _bomb() -> bytes:
    """Two hundred megabytes in two hundred kilobytes: made once, it takes a second."""
    return gzip.compress(b" " * 200_000_000, 9)


def _transport_of(send: Send) -> asyncio.Transport:
    """The socket below uvicorn's `send`: the only way to cut a connection as a broken peer does."""
    transport: asyncio.Transport = send.__self__.transport  # type: ignore[attr-defined]
    return transport


async def _until_disconnected(receive: Receive, seconds: float) -> None:
    async def disconnected() -> None:
        while True:
            message: Message = await receive()
            if message["type"] == "http.disconnect":
                return

    try:
        await asyncio.wait_for(disconnected(), seconds)
    except TimeoutError:
        return


async def _start(send: Send, status: int, media_type: bytes, headers: dict[bytes, bytes]) -> None:
    raw = [(b"content-type", media_type), *headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})


async def _answer(send: Send, status: int, headers: dict[str, str], body: bytes) -> None:
    kept = {name.lower(): value for name, value in headers.items() if name.lower() != "content-encoding"}
    kept["content-length"] = str(len(body))
    raw = [(name.encode(), value.encode()) for name, value in kept.items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": body, "more_body": False})


async def _whole(
    send: Send,
    status: int,
    media_type: bytes,
    body: bytes,
    headers: dict[bytes, bytes] | None = None,
    *,
    gzipped: bool = False,
) -> None:
    more = dict(headers or {})
    if gzipped:
        more[b"content-encoding"] = b"gzip"
    more[b"content-length"] = str(len(body)).encode()
    await _start(send, status, media_type, more)
    await send({"type": "http.response.body", "body": body, "more_body": False})
