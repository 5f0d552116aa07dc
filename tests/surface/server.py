"""Started servers: real uvicorn processes, asked over real sockets, whose processor time is read from the kernel."""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy.ext.asyncio import create_async_engine

from auth.caller import Usage
from auth.issuing import grant, issue
from auth.tokens import Tokens, key_of
from cli.demo import agefiph_delivery, load_agefiph
from graph.schema import REGISTRY
from settings import Settings
from settings.surface import Profile
from tests.surface.app import NOW

DINUM = "13002526500013"
REASON = {"X-Contexte": "Marche public 2026-17", "X-Objet": "Analyse des candidatures"}
MODERN = "application/graphql-response+json"
ALL = "*all*"
TIMEOUT_S = 120
"""How long we wait before we say that it hangs."""
_TICKS = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100


@dataclass
class Server:
    """One started server. Tokens are written straight into its database."""

    process: "subprocess.Popen[bytes]"
    url: str
    settings: Settings
    log: Path
    _tokens: dict[frozenset[str], "tuple[str, str, str]"] = field(default_factory=dict)

    def token(self, scopes: Iterable[str] | str = ALL) -> str:
        return self.issued(scopes)[0]

    def issued(self, scopes: Iterable[str] | str = ALL) -> tuple[str, str, str]:
        """A token with these scopes: its text, its id, and its habilitation."""
        held = REGISTRY.all_scopes() if scopes == ALL else frozenset(scopes)
        if held not in self._tokens:
            self._tokens[held] = asyncio.run(issued(self.settings, held))
        return self._tokens[held]

    def post(
        self,
        body: Any = None,
        *,
        content: bytes | None = None,
        scopes: Iterable[str] | str = ALL,
        headers: Mapping[str, str] | None = None,
        path: str = "/graphql",
    ) -> httpx.Response:
        sent = {"Authorization": f"Bearer {self.token(scopes)}", **REASON, **(headers or {})}
        if content is not None:
            sent.setdefault("Content-Type", "application/json")
            return httpx.post(self.url + path, content=content, headers=sent, timeout=TIMEOUT_S)
        return httpx.post(self.url + path, json=body, headers=sent, timeout=TIMEOUT_S)

    def ask(self, query: str, variables: Mapping[str, Any] | None = None, **more: Any) -> httpx.Response:
        return self.post({"query": query, "variables": variables}, **more)

    def cpu(self) -> float:
        """Seconds of processor time that the process has used, in user and kernel mode."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def logged(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")


async def issued(settings: Settings, scopes: frozenset[str]) -> tuple[str, str, str]:
    """A token with these scopes, written into the database: its text, its id, and its habilitation."""
    engine = create_async_engine(settings.database)
    tokens = Tokens(
        engine,
        algorithm=settings.jwt_algorithm,
        key=key_of(settings.jwt_algorithm, settings.jwt_key.get_secret_value()),
        environment=settings.environment.value,
        known_scopes=REGISTRY.all_scopes(),
        clock=lambda: NOW,
    )
    async with engine.begin() as connection:
        habilitation = await grant(
            connection, siret=DINUM, intitule="Essai", usage=Usage.BACK_OFFICE, scopes=scopes, now=NOW
        )
        token = await issue(connection, tokens, habilitation=habilitation, intitule="Essai", scopes=scopes, now=NOW)
    await engine.dispose()
    return token.text, token.jeton, habilitation


def until(condition: Callable[[], Any]) -> Any:
    """The first true value: what changes in the database reaches each worker within half a second."""
    for _ in range(6_000):
        found = condition()
        if found:
            return found
        threading.Event().wait(0.02)
    raise AssertionError("it never came")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def started(folder: Path, sandbox_port: int, profile: Profile, **more: str) -> Iterator[Server]:
    """A server of this profile, stopped when the block ends. `more` is set in its environment."""
    port = free_port()
    settings = Settings(data_dir=folder / "var", sandbox_port=sandbox_port, port=port, profil=profile)
    asyncio.run(prepared(settings, folder))
    environment = {
        **os.environ,
        "GRAPHE_DATA_DIR": str(settings.data_dir),
        "GRAPHE_SANDBOX_PORT": str(sandbox_port),
        "GRAPHE_PORT": str(port),
        "GRAPHE_PROFIL": profile.value,
        "GRAPHE_OPERATION_SECONDS": "300",
        **more,
    }
    log = folder / "server.log"
    command = [
        sys.executable, "-m", "uvicorn", "tests.surface.app:create", "--factory", "--port", str(port),
        "--log-level", "warning", "--no-access-log", "--no-server-header", "--no-date-header", "--ws", "none",
    ]  # fmt: skip
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=environment, stdout=output, stderr=subprocess.STDOUT)
    try:
        url = f"http://127.0.0.1:{port}"
        _wait(process, url, log)
        yield Server(process, url, settings, log)
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


async def prepared(settings: Settings, folder: Path) -> None:
    """A database with its tables, and the file that AGEFIPH hands over."""
    await load_agefiph(settings, agefiph_delivery(folder / "agefiph"))


def _wait(process: "subprocess.Popen[bytes]", url: str, log: Path) -> None:
    for _ in range(6_000):
        if process.poll() is not None:
            raise RuntimeError(f"the server did not start: {log.read_text(encoding='utf-8')}")
        with contextlib.suppress(httpx.HTTPError):
            if httpx.get(f"{url}/sante", timeout=10).status_code == 200:
                return
        threading.Event().wait(0.02)
    raise RuntimeError("the server did not answer")
