"""Files that take minutes hold none of the places of the calls for data: however slow, they only wait for each other."""

import asyncio

from providers.inpi_rne.telechargement import DOWNLOAD
from sandbox.personas import CLAIR_VALLON
from tests.conftest import Api, Providers
from tests.resilience.test_remote_downloads import link

RNE = "query($s: Siren!) { entreprise(siren: $s) { rne { etablissementsFermesTotal } } }"
MORE = 2


async def until(api: Api, *, busy: int, waiting: int) -> None:
    places = api.service.road.lanes["inpi_rne"].downloads[DOWNLOAD]
    async with asyncio.timeout(120):
        while (places.busy, places.waiting) != (busy, waiting):  # noqa: ASYNC110 - the simulator is in a thread
            await asyncio.sleep(0)


async def test_slow_downloads_do_not_keep_data_calls_waiting(api: Api, providers: Providers) -> None:
    path = await link(api)
    lane = api.service.road.lanes["inpi_rne"]
    asked = DOWNLOAD.max_concurrency + MORE
    assert asked > lane.provider.max_concurrency, "were the places shared, no data call would find one"
    providers.misbehave("inpi_rne", chemin="/download", panne="timeout")
    downloads = [asyncio.ensure_future(api.client.get(path)) for _ in range(asked)]
    try:
        await until(api, busy=DOWNLOAD.max_concurrency, waiting=MORE)
        while providers.calls("inpi_rne", "/download") < DOWNLOAD.max_concurrency:  # noqa: ASYNC110
            await asyncio.sleep(0)
        assert (lane.bulkhead.busy, lane.bulkhead.waiting) == (0, 0)
        answer = await api.ask(RNE, variables={"s": CLAIR_VALLON})
        assert answer.errors == []
        assert not any(download.done() for download in downloads)
        assert providers.calls("inpi_rne", "/download") == DOWNLOAD.max_concurrency
    finally:
        for download in downloads:
            download.cancel()
        await asyncio.gather(*downloads, return_exceptions=True)
    await until(api, busy=0, waiting=0)
