"""Who is measured, and how each is started."""

import json
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.peers.works import Work

NODE_FOLDER: Final = Path(__file__).parent / "node"
ROOT: Final = Path(__file__).parents[2]
_MODULES: Final = NODE_FOLDER / "node_modules"


@dataclass(frozen=True, slots=True)
class Contender:
    """One server. `package` names its npm package, or nothing for ours; `keeps` what its cache holds."""

    name: str
    command: tuple[str, ...]
    keeps: str
    package: str | None = None
    cached_option: str | None = None
    prepare: tuple[str, ...] = ()
    """Run once before it starts."""
    only: frozenset[str] | None = None
    """The works that it adds something to; all of them when `None`."""

    @property
    def folder(self) -> Path:
        return ROOT if self.package is None else NODE_FOLDER

    def does(self, work: Work) -> bool:
        return self.only is None or (work.name in self.only and not work.cached)

    def argv(self, *, cached: bool) -> tuple[str, ...]:
        return (*self.command, self.cached_option) if cached and self.cached_option else self.command

    def environment(self, *, upstream: str, port: int, folder: Path, cached: bool) -> Mapping[str, str]:
        return {
            "PORT": str(port),
            "HOST": "127.0.0.1",
            "UPSTREAM": upstream,
            "CACHED": "1" if cached else "0",
            "FOLDER": str(folder),
            "SUPERGRAPH": str(folder / "supergraph.graphql"),
            "NODE_ENV": "production",
        }


def _ours(name: str, *options: str, only: frozenset[str] | None = None) -> Contender:
    command = (sys.executable, "-m", "bench.peers.ours", *options)
    return Contender(name, command, "datasets", cached_option="--cached", only=only)


_SHARED: Final = frozenset({"posts_user", "posts_title"})
"""Works whose requests are all the same: the only ones where calls can be shared between requests."""

CONTENDERS: Final = (
    _ours("ours"),
    _ours("ours, bare", "--bare"),
    _ours("ours, single flight", "--single-flight", only=_SHARED),
    Contender("Mercurius", ("node", "mercurius.mjs"), "datasets", package="mercurius"),
    Contender("Yoga", ("node", "yoga.mjs"), "whole answers", package="graphql-yoga"),
    Contender("Apollo", ("node", "apollo.mjs"), "upstream answers", package="@apollo/server"),
    Contender(
        "Hive Gateway",
        (str(_MODULES / ".bin/hive-gateway"), "supergraph", "--config-path", "gateway.config.mjs"),
        "whole answers",
        package="@graphql-hive/gateway",
        prepare=(str(_MODULES / ".bin/mesh-compose"), "--config-path", "mesh.config.mjs", "--output"),
    ),
)


def prepare(contender: Contender, environment: Mapping[str, str]) -> None:
    """What must be done before it starts. Raises `RuntimeError`."""
    if not contender.prepare:
        return
    command = [*contender.prepare, environment["SUPERGRAPH"]]
    done = subprocess.run(command, env=dict(environment) | _path(), cwd=NODE_FOLDER, capture_output=True, check=False)
    if done.returncode or not Path(environment["SUPERGRAPH"]).exists():
        raise RuntimeError(f"{contender.name} can't be prepared: {(done.stderr or done.stdout).decode()[-500:]}")


def _path() -> dict[str, str]:
    return {"PATH": str(Path(shutil.which("node") or "node").parent)}


def install() -> str | None:
    """Install the peers' packages when they are not; says why they can't be."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        return "node and npm are absent"
    marker = _MODULES / ".package-lock.json"
    if marker.exists() and marker.stat().st_mtime >= (NODE_FOLDER / "package-lock.json").stat().st_mtime:
        return None
    done = subprocess.run(
        ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--silent"],
        cwd=NODE_FOLDER,
        capture_output=True,
        check=False,
    )
    return f"npm ci failed: {done.stderr.decode()[-300:]}" if done.returncode else None


def versions() -> dict[str, str]:
    """The exact version of every peer, as the lock has it."""
    wanted: dict[str, str] = json.loads((NODE_FOLDER / "package.json").read_text())["dependencies"]
    return wanted
