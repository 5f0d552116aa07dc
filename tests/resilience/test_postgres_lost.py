"""PostgreSQL away for a while: nothing protected is answered, public data by setting, and its return needs nothing."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import asyncpg  # type: ignore[import-untyped]  # it ships no types
import pytest
from stdnum import luhn

import auth.tokens
import graph.service
import graph.status
import tracing.postgres
from sandbox.personas import CLAIR_VALLON
from settings import Settings
from tests.conftest import Answer, Api, Clock, Providers, started
from tests.postgres import SERVER, own_database
from tests.resilience.relay import Relay, relayed
from tracing.archive import verify
from tracing.entry import Issue, Nature
from tracing.search import Filter, in_progress

PUBLIC = "query($s: Siren!) { entreprise(siren: $s) { tva { tvaNumber } } }"
CERTIFICATE = "query($s: Siren!) { entreprise(siren: $s) { certifications { ingenierie { numeroCertificat } } } }"
SIRENE = "query($s: Siren!) { entreprise(siren: $s) { sirene { siren } } }"
PROTECTED = "query($s: Siren!) { entreprise(siren: $s) { attestations { vigilance { situation } } } }"
BOTH = "query($s: Siren!) { entreprise(siren: $s) { tva { tvaNumber } attestations { vigilance { situation } } } }"
STEADY = """query($s: Siren!) { entreprise(siren: $s) { subventions { count }
    certifications { ingenierie { numeroCertificat } } } }"""
"""Of simulators that answer for any company."""
SIRENS = [f"{stem}{luhn.calc_check_digit(str(stem))}" for stem in range(30_000_000, 30_002_000)]


class Start(Protocol):
    """Starts an API whose database is behind the relay; `public_anyway`: public data go out without a journal."""

    async def __call__(self, public_anyway: bool, **settings: Any) -> Api: ...


@pytest.fixture
async def database() -> AsyncIterator[str]:
    """The name of a database of this test alone, on the server that all share."""
    async with own_database() as name:
        yield name


@pytest.fixture
async def relay(database: str) -> AsyncIterator[Relay]:
    server = urlsplit(SERVER)
    async with relayed(server.hostname or "127.0.0.1", server.port or 5432) as relay:
        yield relay


@pytest.fixture
async def start(
    database: str, relay: Relay, tmp_path: Path, providers: Providers, clock: Clock
) -> AsyncIterator[Start]:
    user = urlsplit(SERVER).netloc.rpartition("@")[0]
    async with AsyncExitStack() as stack:

        async def begun(public_anyway: bool, **more: Any) -> Api:
            settings = Settings(
                data_dir=tmp_path / "var",
                sandbox_port=providers.first_port,
                database_url=f"postgresql://{user}@127.0.0.1:{relay.port}/{database}",
                public_data_without_journal=public_anyway,
                **more,
            )
            return await stack.enter_async_context(started(settings, clock))

        yield begun


async def asked(api: Api, query: str) -> Answer:
    return await api.ask(query, variables={"s": CLAIR_VALLON})


async def noticed(api: Api) -> None:
    """Until this process knows that its journal can't be written and its tokens can't be checked."""
    while api.service.journal.available or api.service.tokens.checked:  # noqa: ASYNC110 - its own tasks notice
        await asyncio.sleep(0.01)


async def back(api: Api) -> None:
    """Until it found the way back, by itself."""
    while not (api.service.journal.available and api.service.tokens.checked):  # noqa: ASYNC110 - its own tasks notice
        await asyncio.sleep(0.01)


def code_of(answer: Answer) -> tuple[int, list[str]]:
    return answer.response.status_code, answer.codes


async def accounted_for(api: Api, answers: list[Answer]) -> None:
    """Each answer with data has its entries, no intention is left open, and the chain holds."""
    for answer in answers:
        told = {item["jeuDeDonnees"] for item in answer.body["extensions"]["provenance"]}
        told |= {error["extensions"]["jeuDeDonnees"] for error in answer.errors}
        assert told
        entries = await api.journal_of(answer)
        assert told <= {entry["jeu_de_donnees"] for entry in entries if entry["nature"] is Nature.ACCES}
    async with asyncio.timeout(120):
        while await in_progress(api.service.journal.store, Filter()):  # noqa: ASYNC110 - the journal's own task tells it
            await asyncio.sleep(0.01)  # what was interrupted is told within a second of the return
    assert (await verify(api.service.journal.store, public_keys=[])).problemes == ()


async def test_nothing_is_answered_while_it_is_away_and_everything_when_it_is_back(
    start: Start, relay: Relay, providers: Providers
) -> None:
    api = await start(False)
    before = await asked(api, PROTECTED)
    assert before.errors == []
    calls = {name: providers.calls(name) for name in ("acoss", "commission_europeenne")}
    relay.cut()
    at_once = [await asked(api, query) for query in (PROTECTED, PUBLIC)]
    await noticed(api)
    later = [await asked(api, query) for query in (PROTECTED, PUBLIC)]
    for answer in [*at_once, *later]:
        assert answer.response.status_code == 503
        assert answer.data is None
        (error,) = answer.errors
        assert error["extensions"]["code"] in {"JOURNAL_UNAVAILABLE", "SERVICE_UNAVAILABLE"}
    assert {name: providers.calls(name) for name in calls} == calls, "no call that could not be traced"
    assert (await api.client.get("/pret")).status_code == 503
    assert (await api.client.get("/sante")).status_code == 200
    relay.mend()
    await back(api)
    after = [await asked(api, query) for query in (PROTECTED, PUBLIC)]
    assert [answer.errors for answer in after] == [[], []]
    assert (await api.client.get("/pret")).status_code == 200
    await accounted_for(api, [before, *after])


async def test_public_data_go_on_where_the_operator_says_so(start: Start, relay: Relay, providers: Providers) -> None:
    api = await start(True)
    assert (await asked(api, BOTH)).errors == []
    calls = providers.calls("acoss")
    relay.cut()
    await noticed(api)
    api.service.road.memory.clear()
    public = await asked(api, PUBLIC)
    assert code_of(public) == (200, [])
    assert public.at("entreprise.tva.tvaNumber").startswith("FR")
    for query in (PROTECTED, BOTH, SIRENE):
        refused = await asked(api, query)
        assert code_of(refused) == (503, ["JOURNAL_UNAVAILABLE"])
        assert refused.data is None
    assert providers.calls("acoss") == calls
    relay.mend()
    await back(api)
    await accounted_for(api, [await asked(api, query) for query in (PUBLIC, PROTECTED, BOTH, SIRENE)])


async def test_whoever_holds_public_rights_only_goes_on_too(start: Start, relay: Relay, providers: Providers) -> None:
    """Though INSEE must be asked, for the service's own use, whether the company is open to the public."""
    api = await start(True)
    await api.ask(CERTIFICATE, variables={"s": CLAIR_VALLON}, scopes=["open_data"])
    relay.cut()
    await noticed(api)
    api.service.road.memory.clear()
    calls = providers.calls("insee", "/siren/")
    answer = await api.ask(CERTIFICATE, variables={"s": CLAIR_VALLON}, scopes=["open_data"])
    assert code_of(answer) == (200, [])
    assert providers.calls("insee", "/siren/") == calls + 1


async def test_a_token_that_was_never_seen_waits(start: Start, relay: Relay) -> None:
    api = await start(True)
    await api.token(["open_data"])
    relay.cut()
    await noticed(api)
    answer = await api.ask(PUBLIC, variables={"s": CLAIR_VALLON}, scopes=["open_data"])
    assert code_of(answer) == (503, ["SERVICE_UNAVAILABLE"])


async def test_rights_that_cannot_be_checked_open_nothing_protected_though_the_journal_is_well(
    start: Start, relay: Relay, providers: Providers, tmp_path: Path
) -> None:
    """The journal stands elsewhere here: only the tokens are out of reach."""
    api = await start(True, journal_url=f"sqlite:///{tmp_path}/journal.db")
    await asked(api, BOTH)
    calls = providers.calls("acoss")
    relay.cut()
    while api.service.tokens.checked:  # noqa: ASYNC110 - its own task notices
        await asyncio.sleep(0.01)
    answer = await asked(api, BOTH)
    assert code_of(answer) == (200, ["SERVICE_UNAVAILABLE"])
    assert answer.at("entreprise.attestations.vigilance") is None
    assert answer.errors[0]["extensions"]["reessayable"] is True
    assert answer.at("entreprise.tva.tvaNumber").startswith("FR")
    assert providers.calls("acoss") == calls
    failed = [entry for entry in await api.journal_of(answer) if entry["issue"] is Issue.ECHEC]
    assert [entry["jeu_de_donnees"] for entry in failed] == ["acoss.attestation_vigilance"]


async def test_a_revocation_made_meanwhile_bites_at_the_return(start: Start, relay: Relay, database: str) -> None:
    api = await start(True)
    assert (await asked(api, PUBLIC)).errors == []
    relay.cut()
    await noticed(api)
    assert (await asked(api, PUBLIC)).errors == []
    server = await asyncpg.connect(f"{SERVER}/{database}")
    await server.execute("UPDATE jetons SET revoque_le = now() - interval '10 years'")
    await server.close()
    relay.mend()
    await back(api)
    assert code_of(await asked(api, PUBLIC)) == (401, ["UNAUTHENTICATED"])


@pytest.mark.parametrize("public_anyway", [False, True])
async def test_a_network_that_swallows_everything_is_found_out(
    start: Start, relay: Relay, monkeypatch: pytest.MonkeyPatch, public_anyway: bool
) -> None:
    """No connection breaks: only the patience with each exchange ends."""
    for module in (tracing.postgres, auth.tokens, graph.service, graph.status):
        for name in ("TIMEOUT_S", "READ_TIMEOUT_S", "PATIENCE", "_PATIENCE"):
            if hasattr(module, name):
                monkeypatch.setattr(module, name, 1.0)
    api = await start(public_anyway)
    assert (await asked(api, BOTH)).errors == []
    relay.hang()
    protected, public = await asyncio.gather(asked(api, PROTECTED), asked(api, PUBLIC))
    assert protected.response.status_code == 503
    assert public.response.status_code == (200 if public_anyway else 503)
    await noticed(api)
    assert (await asked(api, PROTECTED)).response.status_code == 503
    assert (await asked(api, PUBLIC)).response.status_code == (200 if public_anyway else 503)
    assert (await api.client.get("/pret")).json()["base"] is False
    relay.mend()
    await back(api)
    await accounted_for(api, [await asked(api, query) for query in (PUBLIC, PROTECTED)])


async def test_under_a_load_that_goes_on_no_entry_is_lost(start: Start, relay: Relay, providers: Providers) -> None:
    """Cut in the middle of whatever is going on, three times; only what was answered with data counts."""
    api = await start(False)
    numbers = iter(SIRENS)
    answered: list[Answer] = []
    refused: list[Answer] = []
    going = True

    async def caller() -> None:
        while going:
            answer = await api.ask(STEADY, variables={"s": next(numbers)})
            if answer.data is not None:
                answered.append(answer)
            else:
                refused.append(answer)
                await back(api)

    assert (await asked(api, STEADY)).errors == []
    callers = [asyncio.create_task(caller()) for _ in range(6)]
    for turn in range(1, 4):
        while len(answered) < 12 * turn:  # noqa: ASYNC110 - the callers go on meanwhile
            await asyncio.sleep(0.01)
        relay.cut()
        await noticed(api)
        relay.mend()
        await back(api)
    going = False
    await asyncio.gather(*callers)
    assert {answer.response.status_code for answer in refused} == {503}
    assert {code for answer in refused for code in answer.codes} <= {"JOURNAL_UNAVAILABLE", "SERVICE_UNAVAILABLE"}
    codes = {code for answer in answered for code in answer.codes}
    assert codes <= {"JOURNAL_UNAVAILABLE"}, "a failure of ours is never told as a provider's"
    await accounted_for(api, answered)
