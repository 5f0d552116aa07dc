"""Every dataset under every fault: its typed error within the deadline, the other providers untouched, nothing left over.

Half of the providers fail while the other half answers, then the other way round: forty datasets at once.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio

from resolvers.budgets import Budget
from resolvers.circuits import Circuit, CircuitOpen
from sandbox import faults
from settings import Settings
from settings.surface import Limits
from tests.conftest import Answer, Api, Clock, Providers, started
from tests.resilience.matrix import (
    DATASETS,
    HALVES,
    OURS,
    Case,
    closed_port,
    full_port,
    pointed_elsewhere,
    query_of,
    untrusted_tls,
)

UNAVAILABLE = frozenset({"PROVIDER_UNAVAILABLE"})
TIMED_OUT = frozenset({"PROVIDER_TIMEOUT"})
LIMITED = frozenset({"PROVIDER_RATE_LIMITED"})
UNREADABLE = frozenset({"PROVIDER_INVALID_RESPONSE"})
NOT_FOUND = frozenset({"INTROUVABLE"})


def each(codes: frozenset[str], *names: str) -> dict[str, frozenset[str]]:
    return dict.fromkeys(names, codes)


FILED_AS_UNKNOWN_429 = each(
    UNREADABLE, "banque_de_france", "carif_oref", "cibtp", "cma_france", "cnetp", "commission_europeenne", "douanes",
    "fabrique_numerique", "fntp", "msa", "opqibi", "probtp", "qualibat", "qualifelec",
)  # fmt: skip
"""Providers whose error table files any status that it does not name, 429 included, under "unknown answer"."""
FILED_AS_UNKNOWN_500 = each(
    UNREADABLE, "acoss", "carif_oref", "cma_france", "cnetp", "commission_europeenne", "data_subvention", "dgfip",
    "douanes", "fabrique_numerique", "infogreffe", "opqibi", "qualifelec",
)  # fmt: skip
A_404_IS_NOT_FOUND = {
    **each(
        NOT_FOUND, "agence_bio", "carif_oref", "cibtp", "cma_france", "cnetp", "data_subvention", "dgfip",
        "fabrique_numerique", "fntp", "gip_mds", "inpi", "inpi_rne", "opqibi", "qualibat", "qualifelec",
        "ministere_interieur.associations",
    ),
    **each(UNAVAILABLE, "ademe", "ministere_interieur.documents"),
}  # fmt: skip
"""Providers whose 404 means "not found" by its status alone; two others answer an HTML page when they are down."""
A_PAGE_IS_AN_OUTAGE = each(UNAVAILABLE, "inpi_rne.extrait_rne", "inpi_rne.beneficiaires_effectifs")
"""The register's own fronts answer 200 with a page that is no JSON when they are in trouble."""

ON_THE_WIRE = [
    Case(name="read timeout", wish={"panne": "timeout"}, codes=TIMED_OUT),
    Case(name="slow drip", wish={"panne": "slow_drip"}, codes=TIMED_OUT),
    Case(name="reset", wish={"panne": "reset"}, codes=UNAVAILABLE),
    Case(name="reset mid-body", wish={"panne": "reset_mid_body"}, codes=UNAVAILABLE),
    Case(name="truncated gzip", wish={"panne": "truncated_gzip"}, codes=UNREADABLE),
    Case(
        name="429 with its delay",
        wish={"panne": "status", "statut": 429, "reessayer_dans": 7},
        codes=LIMITED,
        unless=FILED_AS_UNKNOWN_429,
        or_else=LIMITED,  # for a second dataset of a provider that has just asked to wait
    ),
    Case(name="429 alone", wish={"panne": "status", "statut": 429}, codes=LIMITED, unless=FILED_AS_UNKNOWN_429),
    Case(name="500", wish={"panne": "status", "statut": 500}, codes=UNAVAILABLE, unless=FILED_AS_UNKNOWN_500),
    Case(name="502", wish={"panne": "status", "statut": 502}, codes=UNAVAILABLE),
    Case(name="503", wish={"panne": "status", "statut": 503}, codes=UNAVAILABLE),
    Case(name="504", wish={"panne": "status", "statut": 504}, codes=TIMED_OUT),
    Case(name="404 in HTML", wish={"panne": "html_404"}, codes=UNREADABLE, unless=A_404_IS_NOT_FOUND),
    Case(
        name="200 with an error body",
        wish={"panne": "error_body"},
        codes=UNREADABLE,
        # It says "unknown" by an answer that counts no document, whatever else it holds.
        unless=each(NOT_FOUND, "ministere_interieur.documents"),
    ),
    Case(
        name="wrong type",
        wish={"panne": "wrong_type"},
        codes=UNREADABLE,
        unless={**A_PAGE_IS_AN_OUTAGE, **each(UNAVAILABLE, "ademe")},
    ),
    Case(name="malformed", wish={"panne": "malformed"}, codes=UNREADABLE, unless=A_PAGE_IS_AN_OUTAGE),
    Case(name="wrong charset", wish={"panne": "wrong_charset"}, codes=UNREADABLE, unless=A_PAGE_IS_AN_OUTAGE),
    Case(name="endless", wish={"panne": "endless"}, codes=UNREADABLE),
    Case(name="bomb", wish={"panne": "bomb"}, codes=UNREADABLE),
    Case(name="redirect", wish={"panne": "redirect"}, codes=UNAVAILABLE),
    Case(name="login down", wish={"panne": "status", "statut": 503}, codes=UNAVAILABLE, before_login=True),
]

pytestmark = pytest.mark.asyncio(loop_scope="module")
SETTINGS = {"quotas": False, "graphiql": False, "limits": Limits(validation_ms=60_000), "address_calls_per_minute": 0}


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def api(tmp_path_factory: pytest.TempPathFactory, _simulators: Providers) -> AsyncIterator[Api]:
    """One API for the whole matrix: `forgotten` makes it as new."""
    folder = tmp_path_factory.mktemp("matrix")
    faults._bomb()
    async with api_of(folder, _simulators) as running:
        yield running


@asynccontextmanager
async def api_of(folder: Path, simulators: Providers) -> AsyncIterator[Api]:
    settings = Settings(data_dir=folder / "var", sandbox_port=simulators.first_port, **SETTINGS)
    async with started(settings, Clock()) as running:
        yield running


def forgotten(api: Api) -> None:
    """Nothing of what came before: no answer kept, no circuit open, no provider that asked to wait."""
    api.clock.advance(minutes=1)
    api.service.road.memory.clear()
    shared = api.service.shared
    for name, lane in api.service.road.lanes.items():
        lane.circuit = Circuit(name, shared, api.clock)
        lane.budget = Budget(name, (), {}, shared, api.clock)


async def asked(api: Api, half: Iterable[str]) -> dict[str, Answer]:
    """Every dataset of these providers, all at once."""
    names = [dataset for dataset in DATASETS if dataset.provider_id in half]
    answers = await asyncio.gather(*(api.ask(query_of(dataset)) for dataset in names))
    return {dataset.id: answer for dataset, answer in zip(names, answers, strict=True)}


def said(dataset: str, answer: Answer) -> frozenset[str]:
    """What the answer says of this dataset: the codes of its errors, `INTROUVABLE`, or nothing for data."""
    codes = {error["extensions"]["code"] for error in answer.errors}
    if not codes:
        codes = {item["statut"] for item in answer.provenance(dataset)} - {"REPONDU"}
    return frozenset(codes)


async def logged_in(api: Api, names: Iterable[str]) -> None:
    lanes = [api.service.road.lanes[name] for name in names]
    await asyncio.gather(*(lane.session.current() for lane in lanes if lane.session is not None))


def faults_of(case: Case, answers: dict[str, Answer]) -> list[str]:
    wrong = []
    for dataset, answer in answers.items():
        expected = case.unless.get(dataset, case.unless.get(dataset.partition(".")[0], case.codes))
        told = said(dataset, answer)
        if told not in (expected, case.or_else):
            wrong.append(f"{case.name}: {dataset} says {sorted(told)}, not {sorted(expected)}")
        for error in answer.errors:
            extensions = error["extensions"]
            if error["message"] == CircuitOpen.default_message:
                continue  # its sixth dataset: five have just failed
            if case.subcode and extensions.get("codeApiEntreprise", "")[2:] != case.subcode:
                wrong.append(f"{case.name}: {dataset} tells it as {extensions['codeApiEntreprise']}")
            if extensions["code"] in OURS or extensions.get("fournisseur") != dataset.partition(".")[0]:
                wrong.append(f"{case.name}: {dataset} blames {extensions}")
    return wrong


def untouched(answers: dict[str, Answer]) -> list[str]:
    return [f"{dataset} is touched: {answer.errors}" for dataset, answer in answers.items() if answer.errors]


async def back_to(tasks: int) -> None:
    """No task is left of what was asked; the service's own watches come and go beside."""
    for _ in range(3_000):
        if len(asyncio.all_tasks()) <= tasks:
            return
        await asyncio.sleep(0.01)
    assert len(asyncio.all_tasks()) <= tasks


def open_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


@pytest.mark.parametrize("case", ON_THE_WIRE, ids=lambda case: case.name)
async def test_a_fault_on_the_wire(api: Api, providers: Providers, case: Case) -> None:
    wrong: list[str] = []
    for failing_half, healthy_half in (HALVES, HALVES[::-1]):
        forgotten(api)
        if case.before_login:
            api.clock.advance(days=3)
        await logged_in(api, HALVES[0] | HALVES[1] if not case.before_login else healthy_half)
        tasks = len(asyncio.all_tasks())
        api.haste.of = failing_half if case.waits else frozenset()
        for provider in failing_half:
            providers.misbehave(provider, **case.wish)
        failing, healthy = await asyncio.gather(asked(api, failing_half), asked(api, healthy_half))
        wrong += faults_of(case, failing) + untouched(healthy)
        await api.service.road.settled()
        await back_to(tasks)
        providers.sandbox.reset()
    assert wrong == []


async def elsewhere(
    monkeypatch: pytest.MonkeyPatch, folder: Path, providers: Providers, base: str, case: Case
) -> list[str]:
    wrong: list[str] = []
    for number, half in enumerate(HALVES):
        with pointed_elsewhere(monkeypatch, half, base):
            async with api_of(folder / str(number), providers) as api:
                api.haste.of = half if case.waits else frozenset()
                failing, healthy = await asyncio.gather(asked(api, half), asked(api, HALVES[1 - number]))
                wrong += faults_of(case, failing) + untouched(healthy)
    return wrong


async def test_a_refused_connection(tmp_path: Path, providers: Providers, monkeypatch: pytest.MonkeyPatch) -> None:
    case = Case(name="refused", codes=UNAVAILABLE)
    base = f"http://127.0.0.1:{closed_port()}"
    assert await elsewhere(monkeypatch, tmp_path, providers, base, case) == []


async def test_a_connection_that_never_opens(
    tmp_path: Path, providers: Providers, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = Case(name="connect timeout", codes=TIMED_OUT, or_else=UNAVAILABLE)
    with full_port() as port:
        base = f"http://127.0.0.1:{port}"
        assert await elsewhere(monkeypatch, tmp_path, providers, base, case) == []


@pytest.mark.parametrize("cut", [False, True], ids=["invalid certificate", "cut in the handshake"])
async def test_tls_that_is_not_what_it_should_be(
    tmp_path: Path, providers: Providers, monkeypatch: pytest.MonkeyPatch, cut: bool
) -> None:
    case = Case(name="certificate", codes=UNAVAILABLE, subcode="001" if cut else "009")
    async with untrusted_tls(tmp_path, cut=cut) as port:
        base = f"https://127.0.0.1:{port}"
        assert await elsewhere(monkeypatch, tmp_path, providers, base, case) == []


async def test_a_token_that_is_over_is_renewed_and_nobody_notices(api: Api, providers: Providers) -> None:
    forgotten(api)
    held = {name for name, lane in api.service.road.lanes.items() if lane.session is not None} - NOT_BY_401
    await logged_in(api, held)
    for name in held:
        providers.misbehave(name, panne="status", statut=401, fois=1)
    assert untouched(await asked(api, held)) == []


NOT_BY_401: frozenset[str] = frozenset()
"""Providers that say otherwise that a session is over."""


async def test_nothing_is_left_over(api: Api, providers: Providers) -> None:
    """The open files and the tasks after failures of every kind are those of the start."""
    forgotten(api)
    await asked(api, HALVES[0] | HALVES[1])
    tasks, files = len(asyncio.all_tasks()), open_files()
    for _ in range(3):
        for fault in ("reset", "reset_mid_body", "endless", "truncated_gzip"):
            forgotten(api)
            for provider in HALVES[0]:
                providers.misbehave(provider, panne=fault)
            await asked(api, HALVES[0])
    await api.service.road.settled()
    await back_to(tasks)
    assert open_files() <= files
