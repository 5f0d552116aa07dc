"""Redis away for a while: no entry is lost and no access opened; what it costs is calls. (The limits: `test_budgets.py`.)"""

from redis.exceptions import RedisError

from auth.lifecycle import revoke
from resolvers.quotas import Shared
from sandbox.personas import CLAIR_VALLON
from tests.conftest import ALL, Answer, Api, Providers
from tests.resilience.conftest import RedisServer
from tests.resilience.test_shared import again
from tracing.archive import verify
from tracing.search import Filter, in_progress

BOTH = "query($s: Siren!) { entreprise(siren: $s) { rcs { siren } mandatairesSociaux { count } } }"
SIRENS = (CLAIR_VALLON, "384500195", "901102202")
Workers = tuple[Api, Api]


async def asked(api: Api, siren: str = CLAIR_VALLON) -> Answer:
    return await api.ask(BOTH, variables={"s": siren})


async def test_no_entry_is_lost_before_during_and_after(workers: Workers, redis_server: RedisServer) -> None:
    answers = [await asked(api, siren) for siren in SIRENS for api in workers]
    redis_server.stop()
    answers += [await asked(api, siren) for siren in SIRENS for api in workers]
    redis_server.start()
    for api in workers:
        while not api.service.shared.answers:
            await again(api)
    answers += [await asked(api, siren) for siren in SIRENS for api in workers]
    assert [answer.errors for answer in answers] == [[]] * 18
    first, _ = workers
    for answer in answers:
        told = {(entry["jeu_de_donnees"], entry["sujet"]) for entry in await first.journal_of(answer)}
        assert (
            told >= {(item["jeuDeDonnees"], item["sujet"]) for item in answer.body["extensions"]["provenance"]} != set()
        )
    assert await in_progress(first.service.journal.store, Filter()) == []
    assert (await verify(first.service.journal.store, public_keys=[])).problemes == ()


async def test_no_access_is_opened(workers: Workers, providers: Providers, redis_server: RedisServer) -> None:
    first, second = workers
    await asked(first)
    redis_server.stop()
    calls = providers.calls("infogreffe")
    for api in workers:
        api.service.road.memory.clear()
        refused = await api.ask(BOTH, scopes=["open_data"], variables={"s": CLAIR_VALLON})
        assert "UNAUTHORIZED_FIELD_OR_TYPE" in refused.codes
        assert refused.at("entreprise.mandatairesSociaux") is None
        unsaid = await api.ask(BOTH, variables={"s": CLAIR_VALLON}, reason={})
        assert "TRACEABILITY_REQUIRED" in unsaid.codes
        assert unsaid.at("entreprise.mandatairesSociaux") is None
    assert providers.calls("infogreffe") - calls <= 2, "for what is public of it"
    token = await first.token(ALL)
    known = await second.service.tokens.resolve(token, "127.0.0.1")
    async with first.service.engine.begin() as connection:
        await revoke(connection, known.jeton, first.clock(), first.clock())
    for api in workers:
        api.service.tokens.forget()  # as its watch does within half a second
        answer = await asked(api)
        assert (answer.response.status_code, answer.data) == (401, None)


async def test_the_quotas_leave_a_redis_that_is_away_alone() -> None:
    """One request in each moment looks whether it is back: the others do not wait for it."""
    counters = Shared("redis://127.0.0.1:1/0")
    looks = 0

    async def away(**_arguments: object) -> None:
        nonlocal looks
        looks += 1
        raise RedisError

    counters._take = away  # type: ignore[assignment]
    taken = [await counters.take("h:json:1", 1, 250) for _ in range(20)]
    assert taken[-1] == (1, 20), "counted here"
    assert looks == 1
    await counters.close()
