"""A load of identical HTTP requests over kept-alive connections, from a process of its own.

Raw sockets and prepared bytes: the client must cost far less than the server it measures.
"""

import asyncio
import json
import os
import sys
import time
from dataclasses import dataclass
from functools import partial

import uvloop


@dataclass(frozen=True)
class Load:
    """`connections` clients send each body in turn, for `seconds` or `requests` in all, whichever ends first.

    With `errors`, an answer that holds typed errors is an answer like another.
    """

    host: str
    port: int
    path: str
    headers: dict[str, str]
    bodies: list[str]
    connections: int
    seconds: float
    requests: int
    errors: bool


class _Clients:
    """What the connections share: when to stop, and what came back."""

    def __init__(self, load: Load, messages: list[bytes]) -> None:
        self.load = load
        self.messages = messages
        self.left = load.requests
        self.until = time.perf_counter() + load.seconds
        self.times: list[float] = []
        self.failures: list[str] = []
        self.open = load.connections
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def wanted(self) -> bool:
        """Whether one more request is to be sent; takes it."""
        if self.left <= 0 or time.perf_counter() >= self.until:
            return False
        self.left -= 1
        return True

    def answered(self, answer: bytes, body_at: int, seconds: float) -> None:
        self.times.append(seconds)
        if not answer.startswith(b"HTTP/1.1 200") or (not self.load.errors and answer.find(b'"errors"', body_at) >= 0):
            self.failures.append(answer[body_at : body_at + 300].decode(errors="replace"))

    def closed(self, error: Exception | None) -> None:
        self.open -= 1
        if self.over.done():
            return
        if error is not None:
            self.over.set_exception(error)
        elif self.open == 0:
            self.over.set_result(None)


class _Connection(asyncio.Protocol):
    """One client: sends, reads the whole answer, sends the next."""

    def __init__(self, clients: _Clients, index: int) -> None:
        self._clients = clients
        self._index = index
        self._started = 0.0
        self._answer = b""
        self._body_at = self._ends = -1
        self._done = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._next()

    def _next(self) -> None:
        clients = self._clients
        if not clients.wanted():
            self._done = True
            self._transport.close()
            return
        message = clients.messages[self._index % len(clients.messages)]
        self._index += clients.load.connections
        self._answer, self._ends = b"", -1
        self._started = time.perf_counter()
        self._transport.write(message)  # type: ignore[attr-defined]  # uvloop's own is not a subclass of asyncio's

    def data_received(self, data: bytes) -> None:
        self._answer = self._answer + data if self._answer else data
        if self._ends < 0:
            end = self._answer.find(b"\r\n\r\n")
            if end < 0:
                return
            self._body_at = end + 4
            head = self._answer[:end].lower() + b"\r\n"
            self._ends = self._body_at + int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])
        if len(self._answer) >= self._ends:
            self._clients.answered(self._answer, self._body_at, time.perf_counter() - self._started)
            self._next()

    def connection_lost(self, error: Exception | None) -> None:
        self._clients.closed(None if self._done else error or ConnectionResetError("the server closed the connection"))


async def run(load: Load) -> dict:
    messages = []
    for body in load.bodies:
        content = body.encode()
        head = "".join(f"{name}: {value}\r\n" for name, value in load.headers.items())
        messages.append(
            f"POST {load.path} HTTP/1.1\r\nHost: bench\r\n{head}Content-Length: {len(content)}\r\n\r\n".encode()
            + content
        )
    loop = asyncio.get_running_loop()
    started = time.perf_counter()
    clients = _Clients(load, messages)
    for number in range(load.connections):
        await loop.create_connection(partial(_Connection, clients, number), load.host, load.port)
    await clients.over
    span = time.perf_counter() - started
    times = sorted(clients.times)
    return {
        "requests": len(times),
        "failures": len(clients.failures),
        "failure": clients.failures[0] if clients.failures else None,
        "seconds": span,
        "p50_ms": times[len(times) // 2] * 1000,
        "p99_ms": times[min(len(times) - 1, int(len(times) * 0.99))] * 1000,
    }


def main() -> None:
    load = Load(**json.load(sys.stdin))
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cores[-1]})
    json.dump(uvloop.run(run(load)), sys.stdout)


if __name__ == "__main__":
    main()
