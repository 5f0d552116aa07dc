"""The stage of every measure: simulators on one core, the API on another, tokens, and the load beside them."""

import asyncio
import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx

from cli.demo import agefiph_delivery, load_agefiph, make_tokens
from settings import Settings

CORES = sorted(os.sched_getaffinity(0))
API_CORE, OTHER_CORE = CORES[0], CORES[-1]
UNLIMITED = {"GRAPHE_ADDRESS_CALLS_PER_MINUTE": "0"}
"""The ceiling by address protects the service from one caller: a load test is one caller."""
REASON = {"X-Contexte": "bench", "X-Objet": "bench"}
ALL = "tous les droits"


@dataclass
class Stage:
    """A running API with its simulators."""

    settings: Settings
    tokens: dict[str, str]
    api: subprocess.Popen
    url: str
    admin: str

    def cpu(self) -> float:
        """Seconds of CPU of the API, all its workers, since their start."""
        return process_cpu(self.api.pid)

    def workers(self) -> list[int]:
        """The processes that serve: the children of the one that was started, or itself when it has none."""
        return _children(self.api.pid) or [self.api.pid]

    def memory(self, peak: bool = True) -> float:
        """Peak (or present) resident memory of the API, in MB."""
        name = "VmHWM" if peak else "VmRSS"
        line = next(
            line for line in Path(f"/proc/{self.api.pid}/status").read_text().splitlines() if line.startswith(name)
        )
        return int(line.split()[1]) / 1024

    def ask(self, query: str, variables: dict | None = None, token: str = ALL) -> dict:
        headers = {"Authorization": f"Bearer {self.tokens[token]}", **REASON}
        response = httpx.post(
            f"{self.url}/graphql", json={"query": query, "variables": variables or {}}, headers=headers, timeout=60
        )
        return response.json()

    def conduct(self, **wish) -> None:
        httpx.post(f"{self.admin}/conduite", json=wish).raise_for_status()

    def calls(self) -> dict:
        return httpx.get(f"{self.admin}/compteurs").json()

    def load(
        self,
        bodies: list[dict],
        *,
        connections: int,
        seconds: float = 5.0,
        requests: int = 10**9,
        token: str = ALL,
        headers: dict | None = None,
        errors: bool = False,
    ) -> dict:
        """Measure a load; adds requests/s, CPU per request and requests/s per core of the API.

        A failed request stops the measure; with `errors`, answers that hold a typed error count as answers.
        """
        before = self.cpu()
        found = self.send(
            bodies, connections=connections, seconds=seconds, requests=requests, token=token, headers=headers, errors=errors
        )  # fmt: skip
        spent = self.cpu() - before
        found["cpu_us"] = spent / found["requests"] * 1e6
        found["per_core"] = found["requests"] / spent if spent else float("inf")
        return found

    def send(
        self,
        bodies: list[dict],
        *,
        connections: int,
        seconds: float,
        requests: int = 10**9,
        token: str = ALL,
        headers: dict | None = None,
        errors: bool = False,
        port: int = 0,
    ) -> dict:
        """The same load, on any port of this machine; adds requests/s."""
        sent = {
            "Authorization": f"Bearer {self.tokens[token]}",
            "Content-Type": "application/json",
            **REASON,
            **(headers or {}),
        }
        wish = {
            "host": self.settings.host, "port": port or self.settings.port, "path": "/graphql", "headers": sent,
            "bodies": [json.dumps(body) for body in bodies], "connections": connections, "seconds": seconds, "requests": requests, "errors": errors,
        }  # fmt: skip
        done = subprocess.run(
            [sys.executable, "-m", "bench.load"], input=json.dumps(wish).encode(), stdout=subprocess.PIPE, check=True
        )
        found = json.loads(done.stdout)
        if found["failures"]:
            raise RuntimeError(f"{found['failures']} requests failed: {found['failure']}")
        found["rate"] = found["requests"] / found["seconds"]
        return found


def process_cpu(pid: int) -> float:
    """Seconds of CPU of a process and of its children, since their start."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    own = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return own + sum(map(process_cpu, _children(pid)))


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def free_port(start: int, count: int = 1) -> int:
    for first in range(start, 60000, 101):
        held = []
        try:
            for port in range(first, first + count):
                probe = socket.socket()
                held.append(probe)
                probe.bind(("127.0.0.1", port))
        except OSError:
            continue
        else:
            return first
        finally:
            for probe in held:
                probe.close()
    raise RuntimeError("no free port")


@contextlib.contextmanager
def stage(cores: set[int] | None = None, **overrides: str) -> Iterator[Stage]:
    """Start everything on free ports, in a folder of its own; stop everything at the end.

    The API runs on `cores`, by default one of its own.
    """
    with tempfile.TemporaryDirectory() as folder:
        environment = {
            **os.environ,
            "GRAPHE_DATA_DIR": folder, **UNLIMITED, "GRAPHE_PORT": str(free_port(20000)), "GRAPHE_SANDBOX_PORT": str(free_port(31000, 60)), **overrides,
        }  # fmt: skip
        before = dict(os.environ)
        os.environ.update(environment)
        try:
            settings = Settings()
            tokens = asyncio.run(make_tokens(settings))
            asyncio.run(load_agefiph(settings, agefiph_delivery(Path(folder) / "agefiph")))
        finally:
            os.environ.clear()
            os.environ.update(before)
        children = []
        try:
            for command, allowed in (("sandbox", {OTHER_CORE}), ("serve", cores or {API_CORE})):
                child = subprocess.Popen(
                    [sys.executable, "-m", "cli", command],
                    env=environment,
                    stdout=subprocess.DEVNULL,
                    start_new_session=True,
                )
                os.sched_setaffinity(child.pid, allowed)
                children.append(child)
            found = Stage(settings, tokens, children[1], settings.base_url, f"http://127.0.0.1:{settings.sandbox_port}")
            _wait(f"{found.url}/sante")
            _wait(f"{found.admin}/")
            yield found
        finally:
            for child in reversed(children):
                child.terminate()
                try:
                    child.wait(20)
                except subprocess.TimeoutExpired:
                    child.kill()


def _wait(url: str) -> None:
    for _ in range(600):
        with contextlib.suppress(httpx.HTTPError):
            if httpx.get(url).status_code == 200:
                return
        time.sleep(0.05)
    raise RuntimeError(f"{url} does not answer")
