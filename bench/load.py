"""A load of identical HTTP requests over kept-alive connections, from a process of its own.

Raw sockets and prepared bytes: the client must cost far less than the server it measures.
"""

import asyncio
import json
import os
import sys
import time
from dataclasses import dataclass


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


async def _connection(
    load: Load,
    messages: list[bytes],
    index: int,
    until: float,
    budget: list[int],
    times: list[float],
    failures: list[str],
):
    reader, writer = await asyncio.open_connection(load.host, load.port)
    while time.perf_counter() < until and budget[0] > 0:
        budget[0] -= 1
        started = time.perf_counter()
        writer.write(messages[index % len(messages)])
        index += load.connections
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
        body = await reader.readexactly(length)
        times.append(time.perf_counter() - started)
        if not head.startswith(b"HTTP/1.1 200") or (not load.errors and b'"errors"' in body):
            failures.append(body[:300].decode(errors="replace"))
    writer.close()


async def run(load: Load) -> dict:
    messages = []
    for body in load.bodies:
        content = body.encode()
        head = "".join(f"{name}: {value}\r\n" for name, value in load.headers.items())
        messages.append(
            f"POST {load.path} HTTP/1.1\r\nHost: bench\r\n{head}Content-Length: {len(content)}\r\n\r\n".encode()
            + content
        )
    times: list[float] = []
    failures: list[str] = []
    budget = [load.requests]
    started = time.perf_counter()
    await asyncio.gather(
        *(_connection(load, messages, number, started + load.seconds, budget, times, failures) for number in range(load.connections))
    )  # fmt: skip
    span = time.perf_counter() - started
    times.sort()
    return {
        "requests": len(times),
        "failures": len(failures),
        "failure": failures[0] if failures else None,
        "seconds": span,
        "p50_ms": times[len(times) // 2] * 1000,
        "p99_ms": times[min(len(times) - 1, int(len(times) * 0.99))] * 1000,
    }


def main() -> None:
    load = Load(**json.load(sys.stdin))
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cores[-1]})
    json.dump(asyncio.run(run(load)), sys.stdout)


if __name__ == "__main__":
    main()
