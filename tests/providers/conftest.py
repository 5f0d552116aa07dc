"""Simulators whose time stands still: accounts, quotas and tokens don't depend on the day of the test."""

from collections.abc import Iterator

import pytest

from sandbox.clock import CLOCK
from tests.conftest import START


@pytest.fixture(autouse=True)
def _still() -> Iterator[None]:
    CLOCK.stop_at(START)
    yield
    CLOCK.run()
