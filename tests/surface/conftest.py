"""One started server per profile for the whole session; each test finds the simulators as new."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from settings.surface import Profile
from tests.conftest import Providers
from tests.surface.server import Server, started
from tests.surface.watched import Watched


def _server(tmp_path_factory: pytest.TempPathFactory, simulators: Providers, profile: Profile) -> Iterator[Server]:
    folder: Path = tmp_path_factory.mktemp(profile.value)
    with started(folder, simulators.first_port, profile) as server:
        yield server


@pytest.fixture(scope="session")
def _production(tmp_path_factory: pytest.TempPathFactory, _simulators: Providers) -> Iterator[Server]:
    yield from _server(tmp_path_factory, _simulators, Profile.PRODUCTION)


@pytest.fixture(scope="session")
def _ouvert(tmp_path_factory: pytest.TempPathFactory, _simulators: Providers) -> Iterator[Server]:
    yield from _server(tmp_path_factory, _simulators, Profile.OUVERT)


@pytest.fixture(scope="session")
def _verrouille(tmp_path_factory: pytest.TempPathFactory, _simulators: Providers) -> Iterator[Server]:
    yield from _server(tmp_path_factory, _simulators, Profile.VERROUILLE)


@pytest.fixture
def production(_production: Server, providers: Providers) -> Server:
    return _production


@pytest.fixture
def ouvert(_ouvert: Server, providers: Providers) -> Server:
    return _ouvert


@pytest.fixture
def verrouille(_verrouille: Server, providers: Providers) -> Server:
    return _verrouille


@pytest.fixture
def watched(production: Server, providers: Providers) -> Watched:
    return Watched(production, providers)
