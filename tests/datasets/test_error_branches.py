"""Every failing answer that a dossier documents, sent by the simulator on a real socket, and what the client is told.

Generated from the samples of the rooms, whatever their shape: one answer, several in a row, one answer for many keys. Each
is put in the place of the provider's own; calls are counted. A dataset without such a sample fails `test_every_dataset`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from sqlalchemy.schema import DropTable

from graph.examples import Step, query_for, ways
from graph.schema import REGISTRY, SCHEMA
from providers import PROVIDERS
from providers.agefiph.table import CONFORMITES
from providers.declaration import Access, Call, Dataset, Follow, Http, Provider, Table, subject_of
from providers.errors import NotFound, Overloaded, ProviderError, Unavailable
from sandbox.faults import Conduct, Fault, Reply
from sandbox.personas import named
from settings import Settings
from tests.conformance import checks
from tests.conftest import DINUM, START, Answer, Api, Clock, Providers, started

WAYS = ways(SCHEMA, REGISTRY)
DATASETS = [(provider, dataset) for provider in PROVIDERS for dataset in provider.datasets]
OVER_HTTP = [pair for pair in DATASETS if isinstance(pair[1].source.how, Http)]
IN_A_TABLE = [pair for pair in DATASETS if isinstance(pair[1].source.how, Table)]
LEAST = 3
"""Failing answers of one dataset: not found, unreadable, and at least one of its own."""

Samples = list[tuple[str, dict[str, Any]]]


def failing(dataset: Dataset[Any, Any, Any]) -> Samples:
    """Samples of one answer to one key."""
    found = checks.samples_of(dataset)
    return [(name, it) for name, it in found if "error" in it and "keys" not in it and "then" not in it]


def with_sample(wanted: str) -> Any:
    """One case for each sample that holds `wanted`."""
    cases = [
        pytest.param(provider, dataset, sample, id=f"{dataset.id}-{name}")
        for provider, dataset in OVER_HTTP
        for name, sample in checks.samples_of(dataset)
        if wanted in sample
    ]
    return pytest.mark.parametrize(("provider", "dataset", "sample"), cases)


def way_of(dataset: Dataset[Any, Any, Any], subject: str) -> tuple[Step, ...]:
    """The way that asks this provider alone: an establishment by its SIRET, not as a head office that INSEE names."""
    entrance = {14: ("etablissement", "immatriculationEori"), 10: ("association", "documentsAssociation")}
    wished = entrance.get(len(subject), ())
    found = WAYS[dataset.id]
    return next((way for way in found if way[0].name in wished), found[0])


def reply(sample: Mapping[str, Any]) -> Reply:
    return sample["status"], dict(sample.get("headers", {})), checks.response_of(sample).content


def how_of(dataset: Dataset[Any, Any, Any]) -> Http[Any, Any]:
    assert isinstance(dataset.source.how, Http)
    return dataset.source.how


def access(api: Api, provider: Provider) -> Access:
    """With the simulator's address, as the calls of this API have."""
    settings = api.service.road.lanes[provider.id].settings
    return Access(settings=settings, session="", recipient=DINUM, now=START)


def path_of(call: Call) -> str:
    return urlsplit(call.url).path


def data_path(api: Api, provider: Provider, dataset: Dataset[Any, Any, Any], key: Any) -> str:
    return path_of(how_of(dataset).call(key, access(api, provider)))


def asked(api: Api, provider: Provider, dataset: Dataset[Any, Any, Any], sample: Mapping[str, Any]) -> list[str]:
    """The paths that an exchange asks, one after the other: each answer of the sample tells the next call."""
    key = checks.key_of(dataset, sample["key"])
    paths = [data_path(api, provider, dataset, key)]
    parse: Any = lambda response: how_of(dataset).parse(response, key)  # noqa: E731
    for answer in [sample, *sample["then"]][:-1]:
        found = parse(checks.response_of(answer))
        assert isinstance(found, Follow), "an answer of the sample is never asked for"
        paths.append(path_of(found.call(access(api, provider))))
        parse = found.parse
    return paths


def received(conduct: Conduct, *paths: str) -> int:
    """How many calls a simulator received at these paths."""
    return sum(number for called, number in conduct.calls.items() if called.partition(" ")[2] in paths)


def told(errors: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What a client may branch on, of each error."""
    names = ("code", "codeApiEntreprise", "fournisseur", "jeuDeDonnees", "reessayable", "reessayerDans")
    return [{name: error["extensions"].get(name) for name in names} for error in errors]


def telling(error: ProviderError, provider: Provider, dataset: Dataset[Any, Any, Any]) -> dict[str, Any]:
    return {
        "code": error.code,
        "codeApiEntreprise": error.code_api or provider.code + error.subcode,
        "fournisseur": provider.id,
        "jeuDeDonnees": dataset.id,
        "reessayable": error.retryable,
        "reessayerDans": None if error.retry_in is None else round(error.retry_in.total_seconds()),
    }


def assert_told(answer: Answer, error: ProviderError, provider: Provider, dataset: Dataset[Any, Any, Any]) -> None:
    """The client is told this failure and no other; "not found" is an answer."""
    if isinstance(error, NotFound):
        assert answer.errors == []
        assert {origin["statut"] for origin in answer.provenance(dataset.id)} == {"INTROUVABLE"}
    else:
        assert told(answer.errors) == [telling(error, provider, dataset)]
        assert [found["message"] for found in answer.errors] == [error.message]


def test_every_dataset_has_its_failing_answers() -> None:
    assert {dataset.id for _, dataset in IN_A_TABLE} == {"agefiph.emploi_travailleurs_handicapes"}
    bare = [dataset.id for _, dataset in OVER_HTTP if len(failing(dataset)) < LEAST]
    assert bare == []
    grouped = [dataset for _, dataset in OVER_HTTP if how_of(dataset).bulk is not None]
    assert [dataset.id for dataset in grouped if not any("keys" in it for _, it in checks.samples_of(dataset))] == []
    chained = [dataset for _, dataset in OVER_HTTP if how_of(dataset).steps > 1]
    assert [dataset.id for dataset in chained if not any("then" in it for _, it in checks.samples_of(dataset))] == []


# --- One answer --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("provider", "dataset"), OVER_HTTP, ids=[dataset.id for _, dataset in OVER_HTTP])
async def test_what_a_client_is_told(
    api: Api, providers: Providers, provider: Provider, dataset: Dataset[Any, Any, Any]
) -> None:
    conduct = providers.sandbox.conducts[provider.id]
    # A quota that is used up closes the provider for as long as it says: those come last.
    in_order = sorted(failing(dataset), key=lambda item: item[1]["error"]["type"] == "Overloaded")
    for week, (name, sample) in enumerate(in_order):
        key = checks.key_of(dataset, sample["key"])
        query = query_for(REGISTRY, way_of(dataset, subject_of(key)), replace(dataset, example=key))
        path = data_path(api, provider, dataset, key)
        conduct.fault, conduct.only, conduct.answers = Fault.ANSWER, path, (reply(sample),)
        conduct.calls.clear()
        api.service.road.memory.clear()
        api.clock.instant = START + timedelta(weeks=week)
        answer = await api.ask(query)
        expected = checks.parsed(provider, dataset, sample)
        assert {"type": type(expected).__name__, "subcode": expected.subcode} == sample["error"], name
        renewed = api.service.road.lanes[provider.id].session is not None and provider.session.refused(  # type: ignore[union-attr]
            checks.response_of(sample)
        )
        if renewed:
            expected = provider.session.still_refused()  # type: ignore[union-attr]
        assert_told(answer, expected, provider, dataset)
        assert received(conduct, path) == (2 if renewed else 1), name
        if isinstance(expected, Overloaded):
            break


# --- Several answers ---------------------------------------------------------------------------------


@with_sample("then")
async def test_an_exchange_of_several_calls(
    api: Api, providers: Providers, provider: Provider, dataset: Dataset[Any, Any, Any], sample: dict[str, Any]
) -> None:
    key = checks.key_of(dataset, sample["key"])
    way = way_of(dataset, subject_of(key))
    assert (await api.ask(query_for(REGISTRY, way, dataset))).errors == []  # logged in, labels known
    api.service.road.memory.clear()
    conduct, paths = providers.sandbox.conducts[provider.id], asked(api, provider, dataset, sample)
    before = received(conduct, *paths)
    conduct.answers = tuple(reply(answer) for answer in (sample, *sample["then"]))
    conduct.fault, conduct.only = Fault.ANSWER, _common(paths)
    answer = await api.ask(query_for(REGISTRY, way, replace(dataset, example=key)))
    if "error" in sample:
        assert_told(answer, checks.parsed(provider, dataset, sample), provider, dataset)
    else:
        assert answer.errors == []
        assert {origin["statut"] for origin in answer.provenance(dataset.id)} == {"REPONDU"}
    assert received(conduct, *paths) - before == len(paths)


def _common(paths: list[str]) -> str:
    """How all the paths of an exchange begin."""
    first, last = min(paths), max(paths)
    return first[: next((rank for rank, letter in enumerate(first) if letter != last[rank]), len(first))]


# --- One answer for many keys ------------------------------------------------------------------------


@with_sample("keys")
async def test_a_call_for_many_keys(
    api: Api, providers: Providers, provider: Provider, dataset: Dataset[Any, Any, Any], sample: dict[str, Any]
) -> None:
    bulk = how_of(dataset).bulk
    assert bulk is not None
    keys = [checks.key_of(dataset, key) for key in sample["keys"]]
    if len(keys) == 1:  # a company that is asked alone is not asked in bulk
        keys.append(next(key for key in (dataset.example, *PAIRS) if len(key) == len(keys[0]) and key != keys[0]))
    query, variables = _for_many(dataset, keys)
    conduct = providers.sandbox.conducts[provider.id]
    path = path_of(bulk.call(keys, access(api, provider)))
    conduct.answers, conduct.fault, conduct.only, conduct.times = (reply(sample),), Fault.ANSWER, path, 1
    answer = await api.ask(query, variables=variables)
    try:
        found = bulk.parse(checks.response_of(sample), keys)
    except ProviderError as error:
        found = dict.fromkeys(keys, error)
    outcomes = {key: _read(dataset, key, found[key]) for key in keys if key in found}
    if dataset.id in LAST_WORD:
        outcomes.update({key: NotFound() for key in keys if key not in found})
    by_rank: dict[int, list[Mapping[str, Any]]] = {}
    for error in answer.errors:
        by_rank.setdefault(error["path"][1], []).append(error)
    status = {origin["chemin"][1]: origin["statut"] for origin in answer.provenance(dataset.id)}
    for rank, key in enumerate(keys):
        match outcomes.get(key):
            case NotFound():
                assert (status[rank], by_rank.get(rank, [])) == ("INTROUVABLE", []), key
            case ProviderError() as error:
                assert told(by_rank[rank]) == [telling(error, provider, dataset)], key
            case None:  # the answer says nothing of it: it is asked alone, and the simulator answers as it does
                assert dataset.id not in LAST_WORD
            case _:
                assert (status[rank], by_rank.get(rank, [])) == ("REPONDU", []), key
    asked_alone = [data_path(api, provider, dataset, key) for key in keys if key not in outcomes]
    assert received(conduct, path, *asked_alone) == 1 + len(asked_alone)


LAST_WORD = {"insee.siege"}
"""Datasets whose answer for many is final: what it leaves out has no answer, and nobody asks for it alone."""
PAIRS = ("384500195", "38450019500014")


def _for_many(dataset: Dataset[Any, Any, Any], keys: list[Any]) -> tuple[str, dict[str, Any]]:
    """The query that asks a dataset of many companies, or establishments, at once."""
    root, argument, scalar = (
        ("entreprises", "sirens", "Siren") if len(keys[0]) == 9 else ("etablissements", "sirets", "Siret")
    )
    way = next(way for way in WAYS[dataset.id] if way[0].name == root[:-1])
    below = query_for(REGISTRY, way, dataset).partition(way[0].name)[2].partition("{")[2].rpartition("}")[0]
    return f"query($k: [{scalar}!]!) {{ {root}({argument}: $k) {{ {below} }}", {"k": keys}


def _read(dataset: Dataset[Any, Any, Any], key: Any, value: Any) -> Any:
    if isinstance(value, ProviderError):
        return value
    try:
        return dataset.read(value, key)
    except ProviderError as error:
        return error


# --- Files that stay at their provider ---------------------------------------------------------------

ACTES = (
    named("clair-vallon").siren,
    "{ entreprise(siren: %s) { actes { actes { document { url } } } } }",
    "actes.actes.0.document.url",
)
EXTRAIT = (named("clair-vallon").siren, "{ entreprise(siren: %s) { rne { document { url } } } }", "rne.document.url")
STATUTS = (
    named("les-genets").siren,
    "{ documentsAssociation(identifiant: %s) { documents { document { url } } } }",
    "documents.0.document.url",
)
FILES = {
    "actes": ("inpi_rne", "/download", *ACTES),
    "extrait": ("inpi_rne", "/export/", *EXTRAIT),
    "statuts": ("ministere_interieur", "/documents/", *STATUTS),
}
REGISTER = {
    404: "404 INTROUVABLE 34003", 403: "502 PROVIDER_UNAVAILABLE 34001", 429: "503 PROVIDER_RATE_LIMITED 34008",
    500: "502 PROVIDER_UNAVAILABLE 34999", 502: "502 PROVIDER_UNAVAILABLE 34001", 503: "502 PROVIDER_UNAVAILABLE 34001",
    504: "504 PROVIDER_TIMEOUT 34052", 302: "502 PROVIDER_UNAVAILABLE 34000", 418: "502 PROVIDER_INVALID_RESPONSE 34999",
    401: "502 PROVIDER_UNAVAILABLE 34999",
}  # fmt: skip
REFUSED_FILES = {
    "actes": REGISTER,
    "extrait": REGISTER,
    "statuts": {
        404: "404 INTROUVABLE 29003", 403: "502 PROVIDER_INVALID_RESPONSE 00601", 405: "502 PROVIDER_UNAVAILABLE 29011",
        429: "503 PROVIDER_RATE_LIMITED 00602", 500: "502 PROVIDER_UNAVAILABLE 00603", 502: "502 PROVIDER_UNAVAILABLE 00604",
        503: "502 PROVIDER_UNAVAILABLE 00605", 504: "504 PROVIDER_TIMEOUT 00606", 302: "502 PROVIDER_UNAVAILABLE 29000",
        418: "502 PROVIDER_INVALID_RESPONSE 29999",
    },
}  # fmt: skip
"""By status of the provider: our own, the code of the error, and that of the ecosystem."""


@pytest.mark.parametrize(
    ("file", "status", "expected"),
    [(file, status, expected) for file, refused in REFUSED_FILES.items() for status, expected in refused.items()],
)
async def test_a_file_that_is_refused(api: Api, providers: Providers, file: str, status: int, expected: str) -> None:
    provider, path, subject, query, at = FILES[file]
    answer = await api.ask(query % f'"{subject}"')
    url = httpx.URL(answer.at(f"{next(iter(answer.data))}.{at}")).raw_path.decode()
    conduct = providers.sandbox.conducts[provider]
    conduct.calls.clear()
    conduct.answers, conduct.fault, conduct.only = ((status, {}, b"refus"),), Fault.ANSWER, path
    response = await api.client.get(url)
    (error,) = response.json()["errors"]
    found = f"{response.status_code} {error['extensions']['code']} {error['extensions']['codeApiEntreprise']}"
    assert found == expected
    downloads = sum(number for called, number in conduct.calls.items() if path in called)
    assert downloads == (2 if status == 401 else 1)


@pytest.mark.parametrize(("body", "code"), [(b"", "34056"), (b"<html>", "34055")])
async def test_a_file_that_is_none(api: Api, providers: Providers, body: bytes, code: str) -> None:
    answer = await api.ask(ACTES[1] % f'"{ACTES[0]}"')
    url = httpx.URL(answer.at("entreprise.actes.actes.0.document.url")).raw_path.decode()
    conduct = providers.sandbox.conducts["inpi_rne"]
    conduct.answers, conduct.fault, conduct.only = ((200, {}, body),), Fault.ANSWER, "/download"
    response = await api.client.get(url)
    (error,) = response.json()["errors"]
    assert (response.status_code, error["extensions"]["codeApiEntreprise"]) == (502, code)


def test_every_source_of_files_is_in_the_table() -> None:
    sources = {dataset.source.id for _, dataset in OVER_HTTP if dataset.source.download is not None}
    assert sources == {"inpi_rne.pieces", "inpi_rne.fiche", "ministere_interieur.api_association"}


# --- A table -----------------------------------------------------------------------------------------

AGEFIPH = next(pair for pair in IN_A_TABLE if pair[0].id == "agefiph")
OBLIGATION = "query($s: [Siret!]!) { etablissements(sirets: $s) { attestations { emploiTravailleursHandicapes { derniereAnneeDeConformiteConnue } } } }"
KNOWN, WITHOUT_YEAR, ELSEWHERE = (named(slug).head_office.siret for slug in ("clair-vallon", "en-defaut", "fournil"))


async def test_a_line_without_a_year_and_no_line_at_all_are_not_found(api: Api) -> None:
    answer = await api.ask(OBLIGATION, variables={"s": [KNOWN, WITHOUT_YEAR, ELSEWHERE]})
    assert answer.errors == []
    assert [origin["statut"] for origin in answer.provenance(AGEFIPH[1].id)] == [
        "REPONDU",
        "INTROUVABLE",
        "INTROUVABLE",
    ]


async def test_without_a_delivery_nobody_is_unknown(tmp_path: Path, providers: Providers, clock: Clock) -> None:
    settings = Settings(data_dir=tmp_path / "var", sandbox_port=providers.first_port)
    async with started(settings, clock) as api:
        answer = await api.ask(OBLIGATION, variables={"s": [KNOWN]})
        error = Unavailable("Aucune livraison de ce fournisseur n'a encore été chargée.")
        assert_told(answer, error, *AGEFIPH)


async def test_a_table_that_is_gone_is_the_provider_being_down(api: Api) -> None:
    async with api.service.engine.begin() as connection:
        await connection.execute(DropTable(CONFORMITES))
    assert_told(await api.ask(OBLIGATION, variables={"s": [KNOWN]}), Unavailable(), *AGEFIPH)


# --- Logins ------------------------------------------------------------------------------------------

LOGINS: Mapping[str, Reply] = {
    "400": (400, {"content-type": "application/json"}, b'{"error":"invalid_request"}'),
    "401": (401, {"content-type": "application/json"}, b'{"error":"invalid_client"}'),
    "403": (403, {"content-type": "application/json"}, b"{}"),
    "429": (429, {"content-type": "application/json"}, b"{}"),
    "500": (500, {"content-type": "text/html"}, b"<html>erreur</html>"),
    "502": (502, {"content-type": "text/html"}, b"<html>erreur</html>"),
    "504": (504, {"content-type": "text/html"}, b"<html>erreur</html>"),
    "302": (302, {"location": "/ailleurs"}, b""),
    "page": (200, {"content-type": "text/html"}, b"<html>Connectez-vous</html>"),
    "no token": (200, {"content-type": "application/json"}, b"{}"),
}
TOLD = {
    #                   400    401    403    429    500    502    504    302    page   no token
    "insee":           "U006   U006   I999x5 L008   U000   U001   T002   U000   I999x5 U999",
    "dgfip":           "U999   U006   U006   L008   I999x5 U001   T002   U000   I999x5 U999",
    "acoss":           "U999   U006   U006   L008   I999x5 U001   T002   U000   I999x5 U999",
    "inpi_rne":        "U006   U020   U006   L008   U000   U001   T002   U000   I999x5 U006",
    "inpi":            "U006   U006   U006   L008   U000   U001   T002   U000   U006   U006",
    "qualibat":        "U999   U006   U006   U999   I999x5 U001   T002   U000   I999x5 U999",
    "gip_mds":         "U999   U502   U502   L503   U000   U001   T002   U000   I999x5 U999",
    "qualifelec":      "I999   U006   I999   I999   I999   U001   T002   U000   I999   I999",
    "cibtp":           "U999   U006   U999   U999   I999x5 U001   T002   U000   I999x5 U999",
    "data_subvention": "I999   U006   I999   L008   I999   U001   T002   U000   I999   I999",
}  # fmt: skip
"""What each of these means at each provider that wants a login: its class, its subcode, and how many times it is asked."""
CLASSES = {
    "U": "PROVIDER_UNAVAILABLE", "T": "PROVIDER_TIMEOUT", "L": "PROVIDER_RATE_LIMITED", "I": "PROVIDER_INVALID_RESPONSE",
}  # fmt: skip
LOGGED_IN = [provider for provider in PROVIDERS if provider.session is not None]
in_turn = pytest.mark.parametrize("provider", LOGGED_IN, ids=[provider.id for provider in LOGGED_IN])


async def at_once(_seconds: float) -> None:
    """The pause between two logins, in no time."""


def login_path(api: Api, provider: Provider) -> str:
    """Where the secret goes: the last call of a login."""
    assert provider.session is not None
    call = provider.session.call(access(api, provider))
    after = provider.session.parse(httpx.Response(401)) if provider.id == "inpi" else None
    return path_of(after.call(access(api, provider)) if isinstance(after, Follow) else call)


def test_every_login_is_in_the_table() -> None:
    assert set(TOLD) == {provider.id for provider in LOGGED_IN}


@in_turn
async def test_a_login_that_fails(
    api: Api, providers: Providers, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    lane, conduct = api.service.road.lanes[provider.id], providers.sandbox.conducts[provider.id]
    monkeypatch.setattr(lane.session, "_sleep", at_once)
    dataset = provider.datasets[0]
    path = login_path(api, provider)
    query = query_for(REGISTRY, way_of(dataset, subject_of(dataset.example)), dataset)
    for week, ((name, answer), expected) in enumerate(zip(LOGINS.items(), TOLD[provider.id].split(), strict=True)):
        conduct.fault, conduct.only, conduct.answers = Fault.ANSWER, path, (answer,)
        conduct.calls.clear()
        api.clock.instant = START + timedelta(weeks=week)
        (error,) = told((await api.ask(query)).errors)
        subcode, _, times = expected[1:].partition("x")
        assert (error["code"], error["codeApiEntreprise"]) == (CLASSES[expected[0]], provider.code + subcode), name
        assert (error["fournisseur"], error["jeuDeDonnees"], error["reessayable"]) == (provider.id, dataset.id, True)
        assert received(conduct, path) == int(times or 1), name


@in_turn
async def test_a_session_that_is_over_is_renewed_and_the_call_replayed(
    api: Api, providers: Providers, provider: Provider
) -> None:
    dataset, conduct = provider.datasets[0], providers.sandbox.conducts[provider.id]
    path = data_path(api, provider, dataset, dataset.example)
    conduct.answers, conduct.fault, conduct.only = ((401, {}, b'{"message":"Token expired"}'),), Fault.ANSWER, path
    conduct.times = 1
    answer = await api.ask(query_for(REGISTRY, way_of(dataset, subject_of(dataset.example)), dataset))
    assert answer.errors == []
    assert received(conduct, path) == 2
    assert received(conduct, login_path(api, provider)) == 2
