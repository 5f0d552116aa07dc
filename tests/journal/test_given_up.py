"""A caller that leaves before its call is made: nobody calls for it, and whoever waits for the same answer gets it."""

import asyncio
from typing import Any

import pytest

from auth.caller import Usage
from graph.schema import REGISTRY
from resolvers.road import Road
from resolvers.trace import Trace
from sandbox.personas import CLAIR_VALLON
from tests.conftest import Api, Providers
from tests.journal.generation import Generated
from tests.journal.test_exactness import leave
from tracing.entry import Issue

RIGHTS = (REGISTRY.all_scopes(), Usage.BACK_OFFICE, True)


def asked(name: str) -> Generated:
    return Generated(name, f'query {name} {{ entreprise(siren: "{CLAIR_VALLON}") {{ rcs {{ siren }} }} }}', {})


@pytest.fixture
def door(monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """As long as it is shut, the request named `Premiere` does not come to announce its call."""
    opened, announce = asyncio.Event(), Trace.announce

    async def held(self: Trace, *arguments: Any) -> None:
        if self.origin.operation == "Premiere":
            await opened.wait()
        await announce(self, *arguments)

    monkeypatch.setattr(Trace, "announce", held)
    return opened


async def test_no_provider_is_called_for_a_caller_that_has_left(
    api: Api, providers: Providers, door: asyncio.Event
) -> None:
    begun, gone = asyncio.Event(), asyncio.Event()
    await api.token("*all*")
    first = asyncio.create_task(leave(api, asked("Premiere"), RIGHTS, begun, gone))
    await begun.wait()
    gone.set()
    await first
    door.set()
    await api.service.road.settled()
    assert providers.calls("infogreffe") == 0
    (entry,) = await api.journal()
    assert (entry["issue"], entry["intention"], entry["statut_http"]) == (Issue.ABANDONNE, None, 499)


async def test_whoever_still_waits_makes_the_call_for_itself(
    api: Api, providers: Providers, door: asyncio.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    joined, obtain = asyncio.Semaphore(0), Road.obtain

    async def counted(self: Road, *arguments: Any) -> Any:
        joined.release()
        return await obtain(self, *arguments)

    monkeypatch.setattr(Road, "obtain", counted)
    begun, gone = asyncio.Event(), asyncio.Event()
    await api.token("*all*")
    first = asyncio.create_task(leave(api, asked("Premiere"), RIGHTS, begun, gone))
    await joined.acquire()
    second = asyncio.create_task(api.ask(asked("Seconde").document))
    await joined.acquire()
    await begun.wait()
    gone.set()
    await first
    door.set()
    answer = await second
    assert answer.errors == []
    assert answer.at("entreprise.rcs.siren") == CLAIR_VALLON
    assert providers.calls("infogreffe") == 1
    issues = {
        entry["origine"].operation: (entry["issue"], entry["intention"] is not None) for entry in await api.journal()
    }
    assert issues == {"Premiere": (Issue.ABANDONNE, False), "Seconde": (Issue.REPONDU, True)}
