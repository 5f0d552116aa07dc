"""A connection that breaks before any answer: the call is made once more, where it only reads, and the budget knows of it."""

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest

from providers.declaration import Access, Call, Rate, Timeouts
from providers.errors import Overloaded, Unavailable
from providers.infogreffe import INFOGREFFE
from resolvers.budgets import Budget
from resolvers.circuits import Circuit
from resolvers.http_client import AiohttpClient, NotConnected, Severed, shared_tls
from resolvers.lane import Lane
from resolvers.sealing import Seal
from resolvers.shared import SharedState
from resolvers.traffic import Traffic
from sandbox.personas import CLAIR_VALLON
from tests.conftest import Api, Clock, Providers
from tests.resilience.test_lane import Failing
from tests.resilience.test_remote_downloads import link

SPAN = timedelta(seconds=5)
TIMEOUTS = Timeouts(connect=SPAN, read=SPAN, total=SPAN)
DAY = timedelta(days=1)


@asynccontextmanager
async def closing() -> AsyncIterator[tuple[str, list[bytes]]]:
    """A server that reads a request and closes without a word."""
    received: list[bytes] = []

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        received.append(await reader.readuntil(b"\r\n\r\n"))
        writer.close()

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/", received
    finally:
        server.close()
        await server.wait_closed()


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_the_client_itself_makes_a_call_once(method: str) -> None:
    client = AiohttpClient(tls=shared_tls(), max_concurrency=2)
    try:
        async with closing() as (url, received):
            with pytest.raises(Severed):
                await client.send(Call(method=method, url=url), TIMEOUTS, 1000)
            assert len(received) == 1
            with pytest.raises(Severed):
                async with client.stream(Call(method=method, url=url), TIMEOUTS, 1000):
                    pass
            assert len(received) == 2
    finally:
        await client.close()


async def exchange(clock: Clock, client: Failing, *, method: str, calls: int) -> Any:
    shared = SharedState(None, Seal("essai"))
    lane = Lane(
        provider=INFOGREFFE,
        settings={},
        client=client,
        circuit=Circuit("essai", shared, clock),
        budget=Budget("essai", (Rate(calls=calls, per=DAY),), {}, shared, clock),
        traffic=Traffic(),
        clock=clock,
        timing=lambda timeouts: timeouts,
        spans=None,
    )
    found = await lane.exchange(
        lambda _access: Call(method=method, url="http://x"),
        lambda response: response.text,
        label="infogreffe.essai",
        access=Access(settings={}, session="", recipient=""),
        timeouts=TIMEOUTS,
        max_bytes=1000,
        ends=math.inf,
    )
    return found, lane.budget.quotas()[0].left


async def test_a_call_that_only_reads_is_made_once_more_and_counted_twice(clock: Clock) -> None:
    client = Failing(Severed())
    assert await exchange(clock, client, method="GET", calls=5) == ("ok", 3)
    assert client.calls == 2


async def test_and_no_more(clock: Clock) -> None:
    client = Failing(Severed(), Severed(), Severed())
    with pytest.raises(Severed):
        await exchange(clock, client, method="GET", calls=5)
    assert client.calls == 2


async def test_a_call_that_may_change_something_is_not(clock: Clock) -> None:
    client = Failing(Severed())
    with pytest.raises(Severed):
        await exchange(clock, client, method="POST", calls=5)
    assert client.calls == 1


async def test_nor_is_one_that_the_budget_has_no_room_for(clock: Clock) -> None:
    """It is told as what it is, a provider that broke, and not as a quota used up."""
    client = Failing(Severed())
    with pytest.raises(Unavailable) as raised:
        await exchange(clock, client, method="GET", calls=1)
    assert not isinstance(raised.value, Overloaded)
    assert client.calls == 1


async def test_a_connection_that_did_not_open_cost_the_budget_nothing(clock: Clock) -> None:
    client = Failing(NotConnected(), NotConnected())
    assert await exchange(clock, client, method="GET", calls=5) == ("ok", 4)


async def test_a_download_is_asked_once_more(api: Api, providers: Providers) -> None:
    path = await link(api)
    providers.misbehave("inpi_rne", chemin="/download", panne="reset", fois=1)
    assert (await api.client.get(path)).status_code == 200
    assert providers.calls("inpi_rne", "/download") == 2


async def test_a_provider_that_resets_everything_is_called_twice_at_the_most(api: Api, providers: Providers) -> None:
    providers.misbehave("commission_europeenne", panne="reset")
    answer = await api.ask(f'{{ entreprise(siren: "{CLAIR_VALLON}") {{ tva {{ tvaNumber }} }} }}')
    assert answer.codes == ["PROVIDER_UNAVAILABLE"]
    assert providers.calls("commission_europeenne") == 2
