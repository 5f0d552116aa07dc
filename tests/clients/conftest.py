"""A started server for real clients, and the tools that run them; what is absent is skipped with its reason."""

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from graph.schema import sdl
from settings.surface import Profile
from tests.conftest import Providers
from tests.surface.server import Server, started

FOLDER = Path(__file__).parent
NODE = FOLDER / "node"
PYTHON = FOLDER / "python" / ".venv" / "bin"
NODE_PRESENT = shutil.which("node") is not None and (NODE / "node_modules").is_dir()
PYTHON_PRESENT = (PYTHON / "python").exists()

Run = Callable[..., "subprocess.CompletedProcess[str]"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    no_node = pytest.mark.skip(reason="Node or its packages are absent: run `make clients`")
    no_python = pytest.mark.skip(reason="the environment of the Python clients is absent: run `make clients`")
    for item in items:
        if not NODE_PRESENT and "node" in getattr(item, "fixturenames", ()):
            item.add_marker(no_node)
        if not PYTHON_PRESENT and "python" in getattr(item, "fixturenames", ()):
            item.add_marker(no_python)


def _run(command: list[str], **more: Any) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(command, capture_output=True, text=True, timeout=180, check=False, **more)


@pytest.fixture
def node() -> Run:
    """Runs a script of `tests/clients/node`."""
    return lambda *arguments, **more: _run(["node", *map(str, arguments)], cwd=NODE, **more)


@pytest.fixture
def tool() -> Run:
    """Runs an executable of the npm packages, from any folder."""
    return lambda name, *arguments, **more: _run(
        [str(NODE / "node_modules" / ".bin" / name), *map(str, arguments)], **{"cwd": NODE, **more}
    )


@pytest.fixture
def python() -> Run:
    """Runs an executable of the Python clients' own environment."""
    return lambda name, *arguments, **more: _run([str(PYTHON / name), *map(str, arguments)], **more)


@pytest.fixture
def schema_file(tmp_path: Path) -> Path:
    """The schema of this very code, as `graphe schema` prints it."""
    path = tmp_path / "schema.graphql"
    path.write_text(sdl(), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def _server(tmp_path_factory: pytest.TempPathFactory, _simulators: Providers) -> Iterator[Server]:
    with started(tmp_path_factory.mktemp("clients"), _simulators.first_port, Profile.PRODUCTION) as server:
        yield server


@pytest.fixture
def server(_server: Server, providers: Providers) -> Server:
    return _server


def lines(done: "subprocess.CompletedProcess[str]") -> list[Any]:
    """The JSON lines that a script printed; its own words when it failed."""
    assert done.returncode == 0, done.stderr + done.stdout
    return [json.loads(line) for line in done.stdout.splitlines()]
