"""What a run starts, stops and kills: PostgreSQL, Redis, the simulated providers, the workers of the API."""

import contextlib
import math
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx

STARTS_WITHIN = 90.0
"""A worker imports for seconds, more on a busy machine."""


STOPS_WITHIN = 45.0
"""A worker drains, waits up to twenty seconds for its last answers, closes what it holds."""


class ToolMissing(Exception):
    """A program that the run needs is not installed here."""


def program(name: str) -> str:
    """The path of a program; PostgreSQL's stand beside its version. Raises `ToolMissing`."""
    found = shutil.which(name)
    if found is None:
        versions = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
        found = str(versions[-1]) if versions else None
    if found is None:
        raise ToolMissing(name)
    return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def listening(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def until(condition, what: str, seconds: float = STARTS_WITHIN) -> float:
    """Wait for a condition; gives the seconds that it took."""
    started = time.monotonic()
    while not condition():
        if time.monotonic() - started > seconds:
            raise RuntimeError(f"{what} did not come within {seconds:.0f} s")
        time.sleep(0.05)
    return time.monotonic() - started


class Child:
    """One process of the run. `spawn` starts it; it is stopped by its own id alone."""

    def __init__(self, name: str, command: list[str], log: Path, **options) -> None:
        self.name = name
        self.command = command
        self.log = log
        self.options = options
        self.process: subprocess.Popen | None = None

    def spawn(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command, stdout=log, stderr=log, start_new_session=True, **self.options
            )

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def send(self, number: int) -> None:
        if self.alive:
            self.process.send_signal(number)

    def kill(self) -> None:
        self.send(signal.SIGKILL)
        self.wait(10)

    def end(self, number: int = signal.SIGTERM, within: float = STOPS_WITHIN) -> bool:
        """Ask it to end, then wait; kill it, and say so, when it does not."""
        self.send(number)
        try:
            self.wait(within)
        except subprocess.TimeoutExpired:
            self.send(signal.SIGABRT)  # Python writes where it stands (PYTHONFAULTHANDLER)
            time.sleep(1)
            self.kill()
            return False
        return True

    def wait(self, seconds: float) -> int | None:
        return None if self.process is None else self.process.wait(seconds)


class Postgres:
    """A PostgreSQL of the run's own. It writes to the disk before it answers, as production's does."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._account = {"user": "postgres"} if os.geteuid() == 0 else {}
        place = folder / "postgres"
        place.mkdir()
        if self._account:
            shutil.chown(place, "postgres")
        data = place / "data"
        subprocess.run(
            [program("initdb"), "-D", str(data), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C"],
            check=True, stdout=subprocess.DEVNULL, cwd=place, **self._account,
        )  # fmt: skip
        command = [
            program("postgres"), "-D", str(data), "-p", str(self.port), "-c", "listen_addresses=127.0.0.1",
            "-c", "unix_socket_directories=", "-c", "max_connections=200", "-c", "shared_buffers=64MB",
        ]  # fmt: skip
        self.child = Child("postgresql", command, folder / "postgres.log", cwd=place, **self._account)

    @property
    def url(self) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        """Start, again and again until the remains of a killed one are gone."""

        def up() -> bool:
            if not self.child.alive:
                self.child.spawn()
                time.sleep(0.3)
            return self._ready()

        until(up, "PostgreSQL", 60)

    def stop(self) -> None:
        self.child.end(signal.SIGINT)

    def kill(self) -> None:
        self.child.kill()

    def _ready(self) -> bool:
        done = subprocess.run([program("pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)], check=False)
        return done.returncode == 0


class Redis:
    """A Redis of the run's own, without a file: stopped, it forgets everything."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        command = [
            program("redis-server"), "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no",
        ]  # fmt: skip
        self.child = Child("redis", command, folder / "redis.log")

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        def up() -> bool:
            if not self.child.alive:
                self.child.spawn()
            return listening(self.port)

        until(up, "Redis", 20)

    def stop(self) -> None:
        self.child.end()

    def kill(self) -> None:
        self.child.kill()


@dataclass(eq=False)
class Worker:
    """One process of `graphe serve`, and what the run did to it."""

    name: str
    port: int
    child: Child
    killed: bool = False
    """It was killed: the requests that it held are cut, and nobody's fault."""
    leaving: bool = False
    """It was told to stop: whatever it holds must be answered."""
    born: float = 0.0
    gone: float = math.inf
    """When it was there."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@dataclass
class Fleet:
    """The workers, those that left included."""

    environment: Mapping[str, str]
    folder: Path
    command: Sequence[str] = ("-m", "cli", "serve")
    all: list[Worker] = field(default_factory=list)
    serving: list[Worker] = field(default_factory=list)

    def start(self) -> Worker:
        """A new worker, on a port of its own; it serves once `ready`."""
        port, name = free_port(), f"worker-{len(self.all) + 1}"
        child = Child(
            name, [sys.executable, *self.command], self.folder / f"{name}.log",
            env={**self.environment, "GRAPHE_PORT": str(port)},
        )  # fmt: skip
        child.spawn()
        worker = Worker(name, port, child, born=time.time())
        self.all.append(worker)
        return worker

    def revive(self, worker: Worker) -> None:
        """What a supervisor does with a worker that could not start: it tries again."""
        if not worker.child.alive:
            worker.child.spawn()

    def readiness(self, worker: Worker) -> Mapping[str, object]:
        """What `/pret` says; empty when it does not answer 200."""
        with contextlib.suppress(httpx.HTTPError):
            answer = httpx.get(f"{worker.url}/pret", timeout=3)
            if answer.status_code == 200:
                return answer.json()
        return {}


@contextlib.contextmanager
def ended(children: list[Child]) -> Iterator[None]:
    """Whatever happens, nothing of the run is left behind."""
    try:
        yield
    finally:
        for child in children:
            child.kill()
