"""CPU of one provider call: ours against bare `httpx` and bare `aiohttp`, at 1, 10 and 100 at once. `python -m bench client`."""

import asyncio
import contextlib
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta

import aiohttp
import httpx
import orjson

from bench.figures import show
from bench.stage import API_CORE, OTHER_CORE, free_port
from providers.declaration import Call, Timeouts
from resolvers.http_client import AiohttpClient, shared_tls

COMMAND = "python -m bench client"
SOON = Timeouts(connect=timedelta(seconds=5), read=timedelta(seconds=5), total=timedelta(seconds=10))
AT_ONCE = (1, 10, 100)

Send = Callable[[], Awaitable[object]]


async def cpu_per_call(send: Send, at_once: int, calls: int) -> float:
    """Microseconds of CPU of this process per call, the JSON of its answer read."""

    async def several() -> None:
        for _ in range(calls // at_once):
            await send()

    started = time.process_time()
    await asyncio.gather(*(several() for _ in range(at_once)))
    return (time.process_time() - started) / (calls // at_once * at_once) * 1e6


async def measure(url: str, rounds: int, calls: int) -> list[dict]:
    async with contextlib.AsyncExitStack() as stack:
        ours = AiohttpClient(tls=shared_tls(), max_concurrency=100)
        stack.push_async_callback(ours.close)
        plain = await stack.enter_async_context(httpx.AsyncClient())
        bare = await stack.enter_async_context(aiohttp.ClientSession())
        call = Call(method="GET", url=url)

        async def by_ours() -> object:
            return orjson.loads((await ours.send(call, SOON, 1_000_000)).content)

        async def by_httpx() -> object:
            return orjson.loads((await plain.get(url)).content)

        async def by_aiohttp() -> object:
            async with bare.get(url) as answer:
                return orjson.loads(await answer.read())

        senders: dict[str, Send] = {
            "ours (aiohttp, limits, httpx's types)": by_ours, "bare httpx": by_httpx, "bare aiohttp": by_aiohttp,
        }  # fmt: skip
        found: dict[tuple[str, int], list[float]] = {(name, at_once): [] for name in senders for at_once in AT_ONCE}
        for at_once in AT_ONCE:
            for send in senders.values():
                await cpu_per_call(send, at_once, at_once)  # opens the connections
            for _ in range(rounds):
                for name, send in senders.items():
                    found[name, at_once].append(await cpu_per_call(send, at_once, calls))
    return [
        {"client": name, **{f"{at_once} at once, us": statistics.median(found[name, at_once]) for at_once in AT_ONCE}}
        for name in senders
    ]


def run(quick: bool) -> None:
    port = free_port(26_000)
    child = subprocess.Popen([sys.executable, "-m", "bench.bare", str(port)])
    os.sched_setaffinity(child.pid, {OTHER_CORE})
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {API_CORE})
    try:
        url = f"http://127.0.0.1:{port}/"
        for _ in range(200):
            with contextlib.suppress(httpx.HTTPError):
                httpx.get(url)
                break
            time.sleep(0.05)
        rows = asyncio.run(measure(url, 3 if quick else 9, 200 if quick else 500))
    finally:
        os.sched_setaffinity(0, before)
        child.terminate()
        child.wait(10)
    show("HTTP client: CPU per call, 3 kB of JSON", rows, command=COMMAND, note="Medians of interleaved rounds.")
