"""The upstream of every peer: JSON over HTTP/1.1 from memory, after a settable delay, every call counted.

A protocol on raw bytes: it shares its core with the load, and must cost far less than whoever asks it.
`python -m bench.peers.upstream PORT`. `GET /_delay/20` sets the delay in milliseconds, `GET /_calls` tells how many
calls were answered since it was last asked.
"""

import asyncio
import sys
from typing import cast

import uvloop

from bench.peers.works import served

_END = b"\r\n\r\n"


class Upstream:
    """What all connections share."""

    def __init__(self) -> None:
        self.delay_ms = 0
        self.calls = 0
        self._answers: dict[bytes, bytes] = {}

    def answer(self, target: bytes) -> tuple[bytes, bool]:
        """The whole response, and whether it is one of the measured calls."""
        if target.startswith(b"/_delay/"):
            self.delay_ms = int(target[8:])
            return _response(b"200 OK", b"{}"), False
        if target == b"/_calls":
            calls, self.calls = self.calls, 0
            return _response(b"200 OK", b'{"calls":%d}' % calls), False
        self.calls += 1
        found = self._answers.get(target)
        if found is None:
            body = served(target.decode())
            found = _response(b"404 Not Found", b"{}") if body is None else _response(b"200 OK", body)
            self._answers[target] = found
        return found, True


def _response(status: bytes, body: bytes) -> bytes:
    head = b"HTTP/1.1 %s\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: %d\r\n\r\n"
    return head % (status, len(body)) + body


class Connection(asyncio.Protocol):
    """One client; requests have no body, and the client waits for each answer before its next request."""

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream
        self._transport: asyncio.Transport | None = None
        self._waiting = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's own is not a subclass of it

    def data_received(self, data: bytes) -> None:
        self._waiting += data
        while (end := self._waiting.find(_END)) >= 0:
            head, self._waiting = self._waiting[:end], self._waiting[end + len(_END) :]
            response, measured = self._upstream.answer(head.split(b" ", 2)[1])
            if measured and self._upstream.delay_ms:
                asyncio.get_running_loop().call_later(self._upstream.delay_ms / 1000, self._write, response)
            else:
                self._write(response)

    def _write(self, response: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(response)


async def serve(port: int) -> None:
    upstream = Upstream()
    server = await asyncio.get_running_loop().create_server(lambda: Connection(upstream), "127.0.0.1", port)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
