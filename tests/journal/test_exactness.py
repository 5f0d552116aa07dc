"""The journal holds exactly what happened: for any operation, the entries are those worked out beforehand, no more, no less.

`GRAPHE_FUZZ=20000` runs so many operations, `GRAPHE_FUZZ_SEED` from another start.
"""

import asyncio
import json
import os
import random
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest

from auth.caller import Usage
from auth.scopes import OPEN_DATA
from cli.demo import agefiph_delivery, load_agefiph
from graph.schema import REGISTRY, SCHEMA
from providers import PROVIDERS
from resolvers.http_client import AiohttpClient
from sandbox.personas import PERSONAS, RNA_LES_GENETS, RNA_SANS_SIREN, UNKNOWN, siret_of, with_check_digit
from settings import Settings
from tests.conftest import REASON, Api, Clock, Providers, started
from tests.journal.expectation import Expected, Interpretation, Known, Rights, World
from tests.journal.generation import Generated, People, operation
from tracing.entry import Entry, Issue, Nature
from tracing.rows import ENTRY_COLUMNS, ORIGIN_COLUMNS, read_entry, read_origin
from tracing.search import Filter, in_progress

OPERATIONS = int(os.environ.get("GRAPHE_FUZZ", "1000"))
SEED = int(os.environ.get("GRAPHE_FUZZ_SEED", "1"))
GONE_TOGETHER, GONE_TIMES = 25, 2
TOGETHER = 8
STRANGERS = (with_check_digit("31415926"), with_check_digit("27182818"))
SIRENS = (*PERSONAS, UNKNOWN, *STRANGERS)
# One call per key, without a login: what these receive can be told beforehand.
COUNTED = frozenset({
    "infogreffe", "opqibi", "fntp", "cma_france", "douanes", "banque_de_france", "cnetp", "probtp", "msa",
})  # fmt: skip
TURNS = 50
"""Turns of the loop in which every field that waits for nothing has been resolved; no provider answers meanwhile."""
NO_TABLE = frozenset({
    "Attestations.emploiTravailleursHandicapes", "AttestationsEtablissement.emploiTravailleursHandicapes",
})  # fmt: skip

WORLD = """query($s: [Siren!]!) { entreprises(sirens: $s) {
    sirene { siren } siege { siret } etablissements(first: 2) { nodes { siret } } } }"""


@pytest.fixture
async def free_api(tmp_path: Path, providers: Providers, clock: Clock) -> AsyncIterator[Api]:
    """An API without quotas: what is refused here is refused for want of rights."""
    settings = Settings(
        data_dir=tmp_path / "var", sandbox_port=providers.first_port, quotas=False, address_calls_per_minute=0
    )
    await load_agefiph(settings, agefiph_delivery(tmp_path / "agefiph"))
    async with started(settings, clock) as running:
        yield running


async def world_of(api: Api) -> tuple[World, People]:
    """What INSEE knows, asked once with all rights."""
    found = await api.ask(
        """{ a: rechercherEntreprises(texte: "horizon", first: 2) { nodes { siren } }
             b: rechercherEntreprises(texte: "terrassement", first: 2) { nodes { siren } } }"""
    )
    searched = {node["siren"] for alias in "ab" for node in found.data[alias]["nodes"]}
    sirens = tuple(dict.fromkeys((*SIRENS, *sorted(searched))))
    answer = await api.ask(WORLD, variables={"s": list(sirens)})
    failed = {tuple(error["path"][1:]): error["extensions"]["code"] for error in answer.errors}
    offices: dict[str, Known] = {}
    units: dict[str, Known] = {}
    sirets: list[str] = [siret_of(UNKNOWN, 1)]
    for place, (siren, company) in enumerate(zip(sirens, answer.data["entreprises"], strict=True)):
        offices[siren] = known(company["siege"], failed.get((place, "siege")), (company["siege"] or {}).get("siret"))
        units[siren] = known(company["sirene"], failed.get((place, "sirene")))
        if company["etablissements"] is not None:
            sirets += [node["siret"] for node in company["etablissements"]["nodes"]]
    world = World(offices, units)
    return world, People(SIRENS, tuple(dict.fromkeys(sirets)), (RNA_LES_GENETS, RNA_SANS_SIREN))


def known(value: Any, code: str | None, siret: str | None = None) -> Known:
    issue = "ECHEC" if code else "INTROUVABLE" if value is None else "REPONDU"
    return Known(issue, code or "", siret)


async def all_entries(api: Api) -> list[Entry]:
    """Every entry of the journal, intentions included, in the order of the chain."""
    store = api.service.journal.store
    columns = ", ".join([*(f"e.{name}" for name in ENTRY_COLUMNS), *(f"o.{name}" for name in ORIGIN_COLUMNS)])
    width = len(ENTRY_COLUMNS)
    found = []
    for month in await store.months():
        rows = await store.fetch(
            f"SELECT {columns} FROM entrees_{month.suffix} e JOIN origines_{month.suffix} o ON o.rang = e.origine ORDER BY e.rang"
        )
        found += [read_entry(row[:width], read_origin(row[width:])) for row in rows]
    return found


def as_expected(entry: Entry) -> Expected:
    return Expected(
        entry.sujet, entry.jeu_de_donnees, entry.champs, entry.issue.value, entry.code or "", entry.portees_manquantes
    )


def difference(expected: Counter[Expected], found: Counter[Expected]) -> str:
    lines = [f"expected, not found: {one} x{number}" for one, number in (expected - found).items()]
    return "\n".join([*lines, *(f"found, not expected: {one} x{number}" for one, number in (found - expected).items())])


def some_rights(source: random.Random) -> tuple[frozenset[str], Usage, bool]:
    everything = REGISTRY.all_scopes()
    draw = source.random()
    if draw < 0.35:
        scopes = everything
    elif draw < 0.55:
        scopes = frozenset({OPEN_DATA})
    else:
        scopes = frozenset(random.Random(source.randrange(12)).sample(sorted(everything), len(everything) // 3))
    usage = Usage.PRE_REMPLISSAGE if source.random() < 0.12 else Usage.BACK_OFFICE
    return scopes, usage, source.random() < 0.85


def checked_account(entries: Sequence[Entry]) -> None:
    """Each intention is closed by one outcome of its own request, written after it."""
    closed = Counter(entry.intention for entry in entries if entry.nature is not Nature.INTENTION and entry.intention)
    intentions = {entry.id: entry for entry in entries if entry.nature is Nature.INTENTION}
    assert closed == Counter(dict.fromkeys(intentions, 1))
    seen: set[str] = set()
    for entry in entries:
        if entry.nature is Nature.INTENTION:
            seen.add(entry.id)
        elif entry.intention is not None:
            assert entry.intention in seen
            opened = intentions[entry.intention]
            assert (opened.origine.requete, opened.sujet, opened.jeu_de_donnees) == (
                entry.origine.requete, entry.sujet, entry.jeu_de_donnees,
            )  # fmt: skip


def expectation(
    asked: Generated, answer: Any, world: World, rights: tuple[frozenset[str], Usage, bool], insee_fails: str = ""
) -> Counter[Expected]:
    scopes, usage, declared = rights
    return Interpretation(
        SCHEMA, REGISTRY.rules, world, Rights(scopes, usage is Usage.PRE_REMPLISSAGE, declared),
        document=asked.document, name=asked.name, variables=asked.variables,
        data=None if answer is None else answer.data, errors=[] if answer is None else answer.errors,
        insee_fails=insee_fails,
    ).entries()  # fmt: skip


async def ask(api: Api, asked: Generated, rights: tuple[frozenset[str], Usage, bool]) -> Any:
    scopes, usage, declared = rights
    return await api.ask(
        asked.document,
        variables=asked.variables,
        operationName=asked.name,
        scopes=scopes,
        usage=usage,
        reason=REASON if declared else {},
    )


def calls_expected(entries: Iterable[Entry]) -> Counter[str]:
    """Of the providers that make one call of one key: as many as there are intentions."""
    return Counter(
        entry.fournisseur for entry in entries if entry.nature is Nature.INTENTION and entry.fournisseur in COUNTED
    )


async def test_one_operation_after_the_other(free_api: Api, providers: Providers) -> None:
    """Some with a warm cache, some with none, some while providers fail."""
    api, source = free_api, random.Random(SEED)
    world, people = await world_of(api)
    before = len(await all_entries(api))
    expected: dict[str, Counter[Expected]] = {}
    received: dict[str, Counter[str]] = {}
    refused = 0
    asked = operation(SCHEMA, people, source, "Essai")
    for _ in range(OPERATIONS):
        rights = some_rights(source)
        # Half of them are a document seen before, by somebody else: what is kept of it must not mislead.
        asked = again(source, asked) if source.random() < 0.5 else operation(SCHEMA, people, source, "Essai")
        cold = source.random() < 0.15
        failing: list[str] = []
        if source.random() < 0.08:
            cold = True
            failing = source.sample([provider.id for provider in PROVIDERS if provider.id != "agefiph"], 4)
        if cold:
            api.service.road.memory.clear()
        for provider in failing:
            providers.misbehave(provider, panne=source.choice(("status", "reset")), statut=503)
        counted = {provider: providers.calls(provider) for provider in COUNTED}
        answer = await ask(api, asked, rights)
        await api.service.road.settled()
        for provider in failing:
            providers.misbehave(provider, panne="none")
        request = answer.response.headers["x-request-id"]
        if not failing:
            received[request] = Counter({one: providers.calls(one) - number for one, number in counted.items()})
        if answer.data is None:
            # Over a limit of one request: nothing was resolved.
            refused += 1
            expected[request] = Counter()
            continue
        insee_fails = "PROVIDER_UNAVAILABLE" if "insee" in failing else ""
        expected[request] = expectation(asked, answer, world, rights, insee_fails)
    entries = (await all_entries(api))[before:]
    found: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        found[entry.origine.requete].append(entry)
    for request, wanted in expected.items():
        had = Counter(as_expected(entry) for entry in found[request] if entry.nature is not Nature.INTENTION)
        assert had == wanted, difference(wanted, had)
        if request in received:
            assert calls_expected(found[request]) == received[request]
    assert found.keys() <= expected.keys()
    assert len(expected) == OPERATIONS
    checked_account(entries)
    assert refused < OPERATIONS / 20
    issues = Counter(one.issue for wanted in expected.values() for one in wanted.elements())
    assert min(issues[word] for word in ("REPONDU", "INTROUVABLE", "ECHEC", "REFUSE")) > OPERATIONS / 50


def again(source: random.Random, asked: Generated) -> Generated:
    """The same document with other conditions."""
    changed = {
        name: source.random() < 0.6 if isinstance(value, bool) else value for name, value in asked.variables.items()
    }
    return Generated(asked.name, asked.document, changed)


async def test_operations_side_by_side(free_api: Api, providers: Providers) -> None:
    """They share calls: each has its own entries all the same, and a call one intention."""
    api, source = free_api, random.Random(SEED + 1)
    world, people = await world_of(api)
    before = len(await all_entries(api))
    expected: dict[str, Counter[Expected]] = {}
    for group in range(max(1, OPERATIONS // 200)):
        api.service.road.memory.clear()
        crowd = [
            (operation(SCHEMA, people, source, f"S{group}x{place}"), some_rights(source)) for place in range(TOGETHER)
        ]
        answers = await asyncio.gather(*(ask(api, asked, rights) for asked, rights in crowd))
        for (asked, rights), answer in zip(crowd, answers, strict=True):
            expected[asked.name] = Counter() if answer.data is None else expectation(asked, answer, world, rights)
    await api.service.road.settled()
    entries = (await all_entries(api))[before:]
    found: dict[str, Counter[Expected]] = defaultdict(Counter)
    for entry in entries:
        if entry.nature is not Nature.INTENTION:
            found[entry.origine.operation or ""][as_expected(entry)] += 1
    for name, wanted in expected.items():
        assert found[name] == wanted, f"{name}: {difference(wanted, found[name])}"
    checked_account(entries)


async def leave(
    api: Api, asked: Generated, rights: tuple[frozenset[str], Usage, bool], begun: asyncio.Event, gone: asyncio.Event
) -> list[Any]:
    """Send a request over ASGI and close the connection when told; what was sent back meanwhile.

    `begun` is set when the service has begun to execute it, or has answered.
    """
    scopes, usage, declared = rights
    token = await api.token(scopes, usage=usage)
    body = json.dumps({"query": asked.document, "variables": asked.variables, "operationName": asked.name}).encode()
    headers = {"authorization": f"Bearer {token}", "content-type": "application/json"} | (REASON if declared else {})
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "http",
        "path": "/graphql", "raw_path": b"/graphql", "query_string": b"", "root_path": "",
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", 40000), "server": ("api.test", 80),
    }  # fmt: skip
    waiting = [{"type": "http.request", "body": body, "more_body": False}]
    sent: list[Any] = []

    async def receive() -> Any:
        if waiting:
            return waiting.pop()
        begun.set()
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    await api.client._transport.app(scope, receive, send)  # type: ignore[attr-defined]
    begun.set()
    return sent


async def test_callers_that_leave_before_any_provider_answers(free_api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """What they asked is kept as given up; no intention is left without an outcome, whoever made the call."""
    api, source = free_api, random.Random(SEED + 2)
    world, people = await world_of(api)
    before = len(await all_entries(api))
    expected: dict[str, Counter[Expected]] = {}
    door, send = asyncio.Event(), AiohttpClient.send

    async def held(*arguments: Any, **named: Any) -> Any:
        """No provider answers as long as the door is shut."""
        await door.wait()
        return await send(*arguments, **named)

    monkeypatch.setattr(AiohttpClient, "send", held)
    for group in range(GONE_TIMES):
        api.service.road.memory.clear()
        door.clear()
        crowd = [
            (operation(SCHEMA, people, source, f"G{group}x{place}", NO_TABLE), some_rights(source))
            for place in range(GONE_TOGETHER)
        ]
        for _, (scopes, usage, _) in crowd:
            await api.token(scopes, usage=usage)
        gone = asyncio.Event()
        begun = [asyncio.Event() for _ in crowd]
        leaving = [
            asyncio.create_task(leave(api, asked, rights, event, gone))
            for (asked, rights), event in zip(crowd, begun, strict=True)
        ]
        await asyncio.gather(*(event.wait() for event in begun))
        for _ in range(TURNS):
            await asyncio.sleep(0)
        gone.set()
        answers = await asyncio.gather(*leaving)
        door.set()
        for (asked, rights), sent in zip(crowd, answers, strict=True):
            answered = [message for message in sent if message["type"] == "http.response.body" and message.get("body")]
            # Whoever asked nothing of a provider was answered at once.
            expected[asked.name] = Counter() if answered else expectation(asked, None, world, rights)
        await api.service.road.settled()
    entries = (await all_entries(api))[before:]
    found: dict[str, Counter[Expected]] = defaultdict(Counter)
    for entry in entries:
        if entry.nature is not Nature.INTENTION:
            assert entry.statut_http == (499 if entry.issue is Issue.ABANDONNE else entry.statut_http)
            found[entry.origine.operation or ""][as_expected(entry)] += 1
    for name, wanted in expected.items():
        if wanted:
            assert found[name] == wanted, f"{name}: {difference(wanted, found[name])}"
    assert sum(map(bool, expected.values())) > GONE_TOGETHER * GONE_TIMES / 2
    checked_account(entries)
    assert await in_progress(api.service.journal.store, Filter()) == []
