"""What workers share through Redis, and what they do while it is away."""

import asyncio
from typing import Any

from redis.asyncio import Redis

from sandbox.personas import CLAIR_VALLON
from tests.conftest import Api, Providers
from tests.resilience.conftest import RedisServer

RCS = "query($s: Siren!) { entreprise(siren: $s) { rcs { siren } } }"
SIRENE = "query($s: Siren!) { entreprise(siren: $s) { sirene { siren formeJuridique { libelle } } } }"
VIGILANCE = "query($s: Siren!) { entreprise(siren: $s) { attestations { vigilance { situation document { url } } } } }"
BROKEN = {"panne": "status", "statut": 503}
Workers = tuple[Api, Api]


async def ask(api: Api, query: str, siren: str = CLAIR_VALLON) -> Any:
    return await api.ask(query, variables={"s": siren})


async def test_what_one_worker_obtained_serves_the_others(workers: Workers, providers: Providers) -> None:
    first, second = workers
    one = await ask(first, VIGILANCE)
    other = await ask(second, VIGILANCE)
    assert other.errors == []
    assert one.at("entreprise.attestations.vigilance.situation") == "DELIVREE"
    assert other.at("entreprise.attestations.vigilance.situation") == "DELIVREE"
    assert providers.calls("acoss") == 2, "one login and one call"
    (provenance,) = other.provenance("acoss.attestation_vigilance")
    assert (provenance["cache"], provenance["perimee"]) == (True, False)
    assert other.body["extensions"]["cout"]["reel"] == 0


async def test_labels_are_shared_too(workers: Workers, providers: Providers) -> None:
    first, second = workers
    await ask(first, SIRENE)
    calls = providers.calls("insee")
    assert (await ask(second, SIRENE)).errors == []
    assert providers.calls("insee") == calls


async def test_nothing_readable_is_left_in_redis(workers: Workers, redis_server: RedisServer) -> None:
    await ask(workers[0], VIGILANCE)
    await ask(workers[0], SIRENE)
    redis = Redis.from_url(redis_server.url)
    keys = await redis.keys("graphe:{*")
    values = [await redis.get(key) for key in keys if await redis.type(key) == b"string"]
    await redis.aclose()
    assert len(keys) >= 3
    everything = b"\n".join([*keys, *(value for value in values if value is not None)])
    for secret in (CLAIR_VALLON.encode(), b"CLAIR", b"DELIVREE", b"Bearer"):
        assert secret not in everything


async def test_one_call_for_all_workers_and_its_failure_is_everybodys(workers: Workers, providers: Providers) -> None:
    first, second = workers
    await ask(first, "{ moi { siret } }")
    providers.misbehave("infogreffe", latence=0.3)
    answers = await asyncio.gather(*(ask(api, RCS) for api in (first, second, first, second)))
    assert [answer.errors for answer in answers] == [[], [], [], []]
    assert providers.calls("infogreffe") == 1
    providers.misbehave("infogreffe", **BROKEN)
    answers = await asyncio.gather(*(ask(api, RCS, "384500195") for api in (first, second)))
    assert [answer.codes for answer in answers] == [["PROVIDER_UNAVAILABLE"]] * 2
    assert providers.calls("infogreffe") == 2


async def test_one_login_for_all_workers(workers: Workers, providers: Providers) -> None:
    first, second = workers
    await ask(first, "{ moi { siret } }")
    await asyncio.gather(ask(first, VIGILANCE, "384500195"), ask(second, VIGILANCE, "901102202"))
    assert providers.calls("acoss", "/oauth/") == 1
    assert providers.calls("acoss", "/attn/") == 2


async def test_a_login_that_ended_between_the_look_and_the_turn_is_enough(
    workers: Workers, providers: Providers
) -> None:
    first, second = workers
    keepers = [api.service.road.lanes["acoss"].session for api in (first, second)]
    assert keepers[0] is not None
    assert keepers[1] is not None
    session = await keepers[0].current()
    # The second worker looked before the first had ended, and takes the turn after it.
    assert await keepers[1]._log_in_for_all("") == session
    assert providers.calls("acoss", "/oauth/") == 1


async def test_a_refused_login_is_known_to_all(workers: Workers, providers: Providers) -> None:
    providers.misbehave("acoss", chemin="/oauth/", panne="status", statut=401)
    for api in workers:
        (error,) = (await ask(api, VIGILANCE)).errors
        assert error["extensions"]["codeApiEntreprise"] == "04006"
    assert providers.calls("acoss", "/oauth/") == 1


async def test_an_open_circuit_is_open_for_all_and_one_trial_closes_it(workers: Workers, providers: Providers) -> None:
    first, second = workers
    providers.misbehave("infogreffe", **BROKEN)
    for _ in range(5):
        await ask(first, RCS)
    assert (await ask(second, RCS)).codes == ["PROVIDER_UNAVAILABLE"]
    assert providers.calls("infogreffe") == 5
    first.clock.advance(seconds=10)
    providers.misbehave("infogreffe", panne="none")
    assert (await ask(second, RCS)).errors == []
    assert (await ask(first, RCS, "384500195")).errors == []


async def test_a_provider_that_asks_one_worker_to_wait_is_left_alone_by_all(
    workers: Workers, providers: Providers
) -> None:
    first, second = workers
    providers.misbehave("infogreffe", panne="status", statut=429, reessayer_dans=30, fois=1)
    await ask(first, RCS)
    assert (await ask(second, RCS)).codes == ["PROVIDER_RATE_LIMITED"]
    assert providers.calls("infogreffe") == 1


async def test_without_redis_everything_is_answered_and_its_return_needs_nothing(
    workers: Workers, providers: Providers, redis_server: RedisServer
) -> None:
    first, second = workers
    assert (await ask(first, RCS)).errors == []
    redis_server.stop()
    for api in workers:
        assert (await ask(api, RCS, "384500195")).errors == []
        assert (await ask(api, VIGILANCE)).errors == []
    redis_server.start()
    for api in workers:
        while not api.service.shared.answers:
            await again(api)
    calls = providers.calls("infogreffe")
    await ask(first, RCS, "901102202")
    await ask(second, RCS, "901102202")
    assert providers.calls("infogreffe") == calls + 1


async def again(api: Api) -> None:
    """One more look at Redis, at the pace of the event loop."""
    await api.service.shared.get("x")
    await asyncio.sleep(0.01)
