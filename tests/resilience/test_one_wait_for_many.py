"""Several fields of one request that wait for one answer: the one that leaves does not take it away from the others."""

import asyncio
import math
from types import SimpleNamespace
from typing import Any

import pytest

from providers.identifiers import Siren
from providers.infogreffe.extrait_rcs import EXTRAIT_RCS
from resolvers.cache import Obtained
from resolvers.operation import Operation
from sandbox.personas import CLAIR_VALLON
from tests.conftest import START


def waiting(future: "asyncio.Future[Obtained]") -> Operation:
    """A request whose loader gives this future, as it does for every field that wants the same key."""
    operation: Any = Operation.__new__(Operation)
    operation._road = SimpleNamespace(memory={})
    operation._asked = {}
    operation._deadline = math.inf
    operation._fresh_after = None
    operation._loader = lambda _source: SimpleNamespace(load=lambda _key: future)
    found: Operation = operation
    return found


async def test_a_field_that_is_given_up_leaves_the_answer_to_the_others() -> None:
    future: asyncio.Future[Obtained] = asyncio.get_running_loop().create_future()
    operation = waiting(future)
    first, second = (asyncio.create_task(operation._obtained(EXTRAIT_RCS, Siren(CLAIR_VALLON))) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    future.set_result(Obtained("vu", None, START, START, 1.0))
    obtained, _ = await second
    assert obtained.value == "vu"
