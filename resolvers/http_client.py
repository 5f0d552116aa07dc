"""The one place that sends a request to a provider and that names what went wrong on the way.

One long-lived client per provider. The seam keeps httpx's `Response`, so that `parse` is written and
tested with a type that everybody knows; below it aiohttp carries the bytes, because httpx's own pool costs
ten to forty times more CPU in a fan-out (see docs/decisions/0003).
"""

import asyncio
import socket
import ssl
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import Protocol

import aiohttp
import httpx
import orjson
from yarl import URL

from providers.declaration import Call, Timeouts
from providers.errors import ProviderError, TimedOut, Unavailable, Unreadable

_CHUNK = 1 << 16
_PIECE = 1 << 20


class NotConnected(Unavailable):
    """No connection could be opened: nothing was sent, so that any call may be tried again."""


class Severed(Unavailable):
    """The connection broke before the first byte of an answer, as one kept for too long does: the call may have left."""


class Received(httpx.Response):
    """An answer whose body is here. httpx would take it through the streams and decoders of one still to be read: some 30 us."""

    def __init__(self, status: int, headers: list[tuple[bytes, bytes]], content: bytes) -> None:
        super().__init__(status, headers=headers, stream=_NOTHING_LEFT)
        self._received = content

    @property
    def content(self) -> bytes:
        return self._received

    def read(self) -> bytes:
        return self._received


_NOTHING_LEFT = httpx.ByteStream(b"")


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer whose body is still on its way: `head` has its status and headers, `chunks` reads the rest."""

    head: httpx.Response
    chunks: AsyncIterator[bytes]
    length: int | None
    """The size that the provider announces, of the bytes as they will be read."""
    drop: Callable[[], Awaitable[None]]
    """Leave the body unread."""


class Client(Protocol):
    """Sends one call; gives the whole answer or a typed transport error."""

    async def send(self, call: Call, timeouts: Timeouts, max_bytes: int) -> httpx.Response: ...

    def stream(self, call: Call, timeouts: Timeouts, max_bytes: int) -> AbstractAsyncContextManager[Answer]: ...

    async def close(self) -> None: ...


class AiohttpClient:
    """The client of one provider: its own pool, so that a slow provider never takes another's connections."""

    def __init__(self, *, tls: ssl.SSLContext, max_concurrency: int) -> None:
        connector = aiohttp.TCPConnector(ssl=tls, limit=max_concurrency, keepalive_timeout=30)
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"Accept-Encoding": "gzip, deflate", "User-Agent": "graphe-entreprise"},
            auto_decompress=False,
            trust_env=False,
        )
        # aiohttp makes a call whose connection broke once more, behind our back: the provider's budget must know of it.
        self._session._retry_connection = False

    async def send(self, call: Call, timeouts: Timeouts, max_bytes: int) -> httpx.Response:
        """Raises `Unavailable`, `TimedOut` (connect, read or total) or `Unreadable` (over `max_bytes`)."""
        begun = False
        try:
            async with self._request(call, timeouts) as answer:
                begun = True
                content = await _bounded(answer, max_bytes)
                return Received(answer.status, _headers_of(answer), content)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Severed() if not begun and _broke(error) else _named(error) from error

    @asynccontextmanager
    async def stream(self, call: Call, timeouts: Timeouts, max_bytes: int) -> AsyncIterator[Answer]:
        """The same, the body being read as it comes: `chunks` raises what `send` would have raised."""
        begun = False
        try:
            async with self._request(call, timeouts) as answer:
                begun = True
                yield Answer(
                    head=httpx.Response(answer.status, headers=_headers_of(answer)),
                    chunks=_relayed(answer, max_bytes),
                    length=None if "Content-Encoding" in answer.headers else answer.content_length,
                    drop=_closing(answer),
                )
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Severed() if not begun and _broke(error) else _named(error) from error

    def _request(self, call: Call, timeouts: Timeouts) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        body, headers = _body_of(call)
        return self._session.request(
            call.method, _url_of(call), data=body, headers=headers, timeout=_limits(timeouts), allow_redirects=False
        )

    async def close(self) -> None:
        await self._session.close()


@lru_cache(maxsize=1_024)
def _limits(timeouts: Timeouts) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(
        total=timeouts.total.total_seconds(),
        sock_connect=timeouts.connect.total_seconds(),
        connect=timeouts.total.total_seconds(),
        sock_read=timeouts.read.total_seconds(),
    )


def _headers_of(answer: aiohttp.ClientResponse) -> list[tuple[bytes, bytes]]:
    return [pair for pair in answer.raw_headers if pair[0].lower() not in _CONSUMED]


def _closing(answer: aiohttp.ClientResponse) -> Callable[[], Awaitable[None]]:
    async def close() -> None:
        answer.close()

    return close


_CONSUMED = frozenset({b"content-encoding", b"transfer-encoding", b"content-length"})
"""Headers that spoke of the bytes on the wire: the content handed over is already decoded."""


def _url_of(call: Call) -> URL:
    url = URL(call.url, encoded=True)
    return url.update_query(call.params) if call.params else url


def _body_of(call: Call) -> tuple[bytes | None, list[tuple[str, str]]]:
    headers = list(call.headers)
    names = {name.lower() for name, _ in headers}
    if call.form is not None:
        body = str(httpx.QueryParams(call.form)).encode()
        media_type = "application/x-www-form-urlencoded"
    elif call.json is not None:
        body, media_type = orjson.dumps(call.json), "application/json"
    else:
        return call.content, headers
    if "content-type" not in names:
        headers.append(("Content-Type", media_type))
    return body, headers


async def _bounded(answer: aiohttp.ClientResponse, max_bytes: int) -> bytes:
    """The decoded body; a body over the cap (endless, or a decompression bomb) is dropped unread."""
    announced = answer.content_length
    if announced is not None and announced <= max_bytes and "Content-Encoding" not in answer.headers:
        return await answer.read()  # no longer than announced, whatever comes
    chunks: list[bytes] = []
    size = 0
    async for chunk in _decoded(answer):
        size += len(chunk)
        if size > max_bytes:
            raise Unreadable("Le fournisseur a envoyé une réponse plus grosse que toute réponse documentée.")
        chunks.append(chunk)
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


async def _decoded(answer: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    """The body without its compression, piece by piece. Raises `Unreadable` for one that is damaged or cut short.

    Done here because aiohttp takes a gzip body that lacks its end for a whole one: half of an answer would be read.
    """
    encoding = answer.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding in ("identity", ""):
        while chunk := await answer.content.read(_CHUNK):
            yield chunk
        return
    if encoding not in ("gzip", "x-gzip", "deflate"):
        raise Unreadable("Le fournisseur a envoyé une réponse mal compressée.")
    inflater = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)
    received = False
    try:
        while packed := await answer.content.read(_CHUNK):
            received = True
            while packed:
                yield inflater.decompress(packed, _PIECE)
                packed = inflater.unconsumed_tail
                await asyncio.sleep(0)  # a bomb inflates without a wait: the others go on in between
        if received and not inflater.eof:
            raise Unreadable("Le fournisseur a envoyé une réponse mal compressée.")
    except zlib.error:
        raise Unreadable("Le fournisseur a envoyé une réponse mal compressée.") from None


async def _relayed(answer: aiohttp.ClientResponse, max_bytes: int) -> AsyncIterator[bytes]:
    """The decoded body as it comes, cut with an error at the cap."""
    size = 0
    try:
        async for chunk in _decoded(answer):
            size += len(chunk)
            if size > max_bytes:
                raise Unreadable("Le fournisseur a envoyé un document plus gros que tout document documenté.")
            yield chunk
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise _named(error) from error


def _named(error: Exception) -> ProviderError:
    """The typed error of a transport failure. Source: the common subcodes of the bouquet."""
    match error:
        case ProviderError():
            return error
        case TimeoutError():
            return TimedOut()
        case aiohttp.ClientConnectorError():
            return _not_connected(error)
        case aiohttp.InvalidURL():
            return Unavailable("L'adresse de ce fournisseur n'est pas configurée : voir « graphe config ».")
        case _:
            return Unavailable()


def _broke(error: Exception) -> bool:
    """Whether an open connection was closed or reset."""
    if isinstance(error, (aiohttp.ClientConnectorError, TimeoutError)):
        return False
    return isinstance(error, (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError))


def _not_connected(error: aiohttp.ClientConnectorError) -> ProviderError:
    cause = error.os_error
    match error:
        case aiohttp.ClientConnectorCertificateError():
            return Unavailable("Le certificat du fournisseur n'est pas valide.", "009")
        case aiohttp.ClientConnectorSSLError() if not isinstance(cause, ssl.SSLEOFError):
            return Unavailable("Le certificat du fournisseur n'est pas valide.", "009")
        case _ if isinstance(error, aiohttp.ClientConnectorDNSError) or isinstance(cause, socket.gaierror):
            return Unavailable("Le nom du fournisseur n'existe pas dans l'annuaire du réseau (DNS).", "004")
        case _ if cause.errno in _OUR_NETWORK:
            return Unavailable(
                "Notre propre réseau n'atteint pas le fournisseur.", "501", timedelta(seconds=10), code_api="00501"
            )
        case _:
            return NotConnected()  # refused, reset, or closed before the end of the handshake


_OUR_NETWORK = frozenset({101, 51})
"""ENETUNREACH on Linux and on BSD."""


def shared_tls() -> ssl.SSLContext:
    """One context for all providers: building one costs 40 ms."""
    return ssl.create_default_context()


def client_tls(certificate: str, key: str, authority: str) -> ssl.SSLContext:
    """The context of a provider that wants our certificate (mutual TLS); paths of PEM files."""
    context = ssl.create_default_context(cafile=authority or None)
    if certificate:
        context.load_cert_chain(certificate, key or None)
    return context
