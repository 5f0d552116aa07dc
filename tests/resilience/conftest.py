"""A Redis of our own to each test that wants one, which it may stop and start again; two APIs that share it."""

import shutil
import socket
import subprocess
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from pydantic import SecretStr

from cli.demo import agefiph_delivery, load_agefiph
from settings import Settings
from tests.conftest import Api, Clock, Providers, started


@dataclass
class RedisServer:
    """A Redis on a port of its own, without a file: stopped, it forgets everything."""

    port: int
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        command = ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(12_000):
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                threading.Event().wait(0.005)
            else:
                return
        raise RuntimeError("redis-server did not start")

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait(60)
            self.process = None


@pytest.fixture
def redis_server() -> Iterator[RedisServer]:
    if shutil.which("redis-server") is None:
        pytest.skip("redis-server is not installed")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = RedisServer(port)
    server.start()
    yield server
    server.stop()


@pytest.fixture
async def workers(
    tmp_path: Path, providers: Providers, clock: Clock, redis_server: RedisServer
) -> AsyncIterator[tuple[Api, Api]]:
    """Two processes' worth of the service, which share a database and a Redis and nothing else."""
    settings = Settings(
        data_dir=tmp_path / "var",
        sandbox_port=providers.first_port,
        redis_url=SecretStr(redis_server.url),
        workers=2,
        provider_rates=True,
    )
    await load_agefiph(settings, agefiph_delivery(tmp_path / "agefiph"))
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(started(settings, clock))
        second = await stack.enter_async_context(started(settings, clock))
        second.tokens = first.tokens
        yield first, second
