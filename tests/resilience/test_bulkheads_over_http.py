"""So many calls at once at one provider, whatever is asked of the API: counted at the provider, not timed."""

import asyncio
from collections.abc import Iterator

import pytest
from starlette.types import ASGIApp, Receive, Scope, Send
from stdnum import luhn

from providers.opqibi import OPQIBI
from sandbox.personas import CLAIR_VALLON
from tests.conftest import ALL, Answer, Api, Providers

AT_ONCE = 50
SIRENS = [f"{stem}{luhn.calc_check_digit(str(stem))}" for stem in range(40_000_000, 40_000_000 + AT_ONCE)]
INGENIERIE = "query($s: Siren!) { entreprise(siren: $s) { certifications { ingenierie { numeroCertificat } } } }"
RCS = "query($s: Siren!) { entreprise(siren: $s) { rcs { siren } } }"
BOTH = (
    "query($s: Siren!) { entreprise(siren: $s) { certifications { ingenierie { numeroCertificat } } rcs { siren } } }"
)


class Counting:
    """In front of a simulator: how many calls are in flight there, and how many at the most were."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.now = 0
        self.most = 0
        self.all = 0
        self._released = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._loop = asyncio.get_running_loop()
        self.now += 1
        self.all += 1
        self.most = max(self.most, self.now)
        try:
            await self._released.wait()
            await self.app(scope, receive, send)
        finally:
            self.now -= 1

    def release(self) -> None:
        """From the test's thread: let every call go, those that wait and those to come."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._released.set)


@pytest.fixture
def slow(providers: Providers) -> Iterator[Counting]:
    """OPQIBI's simulator, which keeps every call until it is released."""
    faulty = providers.sandbox.apps[OPQIBI.id]
    ordinary = faulty.app
    counting = faulty.app = Counting(ordinary)
    yield counting
    counting.release()
    faulty.app = ordinary


async def held(api: Api, slow: Counting, number: int) -> None:
    """Until so many requests stand at the provider or before it."""
    bulkhead = api.service.road.lanes[OPQIBI.id].bulkhead
    while slow.now + bulkhead.waiting < number:  # noqa: ASYNC110 - the simulator is in another thread
        await asyncio.sleep(0.005)


async def asked(api: Api, query: str, siren: str) -> Answer:
    return await api.ask(query, variables={"s": siren})


async def test_fifty_requests_at_once_never_make_more_calls_at_once_than_declared(api: Api, slow: Counting) -> None:
    await api.token(ALL)
    requests = asyncio.gather(*(asked(api, INGENIERIE, siren) for siren in SIRENS))
    await held(api, slow, AT_ONCE)
    assert (slow.now, slow.most) == (OPQIBI.max_concurrency, OPQIBI.max_concurrency)
    slow.release()
    answers = await requests
    assert [answer.errors for answer in answers] == [[]] * AT_ONCE
    assert slow.all == AT_ONCE, "one call for each company"
    assert slow.most == OPQIBI.max_concurrency


async def test_another_provider_answers_meanwhile(api: Api, slow: Counting, providers: Providers) -> None:
    await api.token(ALL)
    requests = asyncio.gather(*(asked(api, INGENIERIE, siren) for siren in SIRENS))
    await held(api, slow, AT_ONCE)
    others = [await asked(api, RCS, siren) for siren in SIRENS[:5]]
    assert [answer.errors for answer in others] == [[]] * 5
    assert providers.calls("infogreffe") == 5
    assert not requests.done()
    assert slow.now == OPQIBI.max_concurrency, "those of the slow one still stand there"
    slow.release()
    await requests


async def test_a_query_over_both_loses_nothing_of_the_other(api: Api, slow: Counting, providers: Providers) -> None:
    """In one request, the call to the other provider leaves at once: it waits for no place of the slow one."""
    await api.token(ALL)
    requests = asyncio.gather(*(asked(api, INGENIERIE, siren) for siren in SIRENS))
    await held(api, slow, AT_ONCE)
    both = asyncio.ensure_future(asked(api, BOTH, CLAIR_VALLON))
    while not providers.calls("infogreffe"):  # noqa: ASYNC110 - the simulator is in another thread
        await asyncio.sleep(0.005)
    assert not both.done()
    slow.release()
    await requests
    assert (await both).errors == []
