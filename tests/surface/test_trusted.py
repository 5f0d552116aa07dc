"""Trusted documents: the three formats, the CLI, the lock of a token, and the ready-made documents."""

import hashlib
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from typer.testing import CliRunner

from cli.commands import app
from cli.documents import scopes_needed
from graph.trusted.manifests import ManifestRefused, read_manifest
from graph.trusted.ready import USE_CASES, UseCase
from sandbox.personas import CLAIR_VALLON, PERSONAS
from tests.conftest import Api, Providers
from tests.surface.server import TIMEOUT_S, Server, until

TEXT = "query Raison($siren: Siren!) { entreprise(siren: $siren) { sirene { siren } } }"
DIGEST = hashlib.sha256(TEXT.encode()).hexdigest()
VARIABLES = {"siren": CLAIR_VALLON}
APOLLO = {
    "format": "apollo-persisted-query-manifest",
    "version": 1,
    "operations": [{"id": DIGEST, "body": TEXT, "name": "Raison", "type": "query"}],
}
RELAY = {"8b0c2f": TEXT}
CODEGEN = {f"sha256:{DIGEST}": TEXT}


def run(server: Server, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> Any:
    monkeypatch.setenv("GRAPHE_DATA_DIR", str(server.settings.data_dir))
    return CliRunner().invoke(app, ["documents", *arguments])


def registered(
    server: Server, monkeypatch: pytest.MonkeyPatch, folder: Path, manifest: object, scopes: set[str]
) -> tuple[str, str, Any]:
    _, token, habilitation = server.issued(scopes)
    path = folder / "manifeste.json"
    path.write_bytes(orjson.dumps(manifest))
    return token, habilitation, run(server, monkeypatch, "enregistrer", str(path), "--habilitation", habilitation)


@pytest.mark.parametrize(
    ("manifest", "asked"),
    [
        (APOLLO, {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": DIGEST}}}),
        (RELAY, {"doc_id": "8b0c2f"}),
        (CODEGEN, {"documentId": f"sha256:{DIGEST}"}),
    ],
    ids=["apollo", "relay", "codegen"],
)
def test_a_registered_document_is_asked_by_its_identifier(
    production: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, manifest: object, asked: dict[str, Any]
) -> None:
    scopes = {"open_data", "entreprises"}
    _, _, result = registered(production, monkeypatch, tmp_path, manifest, scopes)
    assert result.exit_code == 0, result.output
    assert "entreprises ou open_data" in result.output

    def answered() -> httpx.Response | None:
        response = production.post({**asked, "variables": VARIABLES}, scopes=scopes)
        return response if "data" in response.json() else None

    assert until(answered).json()["data"]["entreprise"]["sirene"]["siren"] == CLAIR_VALLON
    other = production.post({**asked, "variables": VARIABLES}, scopes={"open_data"})
    assert other.json()["errors"][0]["extensions"]["code"] == "PERSISTED_QUERY_NOT_FOUND"


def test_a_locked_token_runs_nothing_else(
    production: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, providers: Providers
) -> None:
    scopes = {"open_data", "etablissements"}
    token, _, _ = registered(production, monkeypatch, tmp_path, RELAY, scopes)
    assert run(production, monkeypatch, "verrouiller", token).exit_code == 0

    def locked() -> Any:
        answer = production.ask("{ moi { siret } }", scopes=scopes).json()
        return answer.get("errors")

    (error,) = until(locked)
    assert error["extensions"]["code"] == "QUERY_NOT_IN_SAFELIST"
    introspection = production.ask("{ __schema { types { name } } }", scopes=scopes).json()
    assert introspection["errors"][0]["extensions"]["code"] == "QUERY_NOT_IN_SAFELIST"
    assert "data" in production.post({"doc_id": "8b0c2f", "variables": VARIABLES}, scopes=scopes).json()
    assert "data" in production.ask(TEXT, VARIABLES, scopes=scopes).json()
    assert "errors" in production.ask(TEXT + " ", VARIABLES, scopes=scopes).json()
    assert "data" in production.ask("{ moi { siret } }", scopes={"open_data"}).json()
    assert run(production, monkeypatch, "verrouiller", token, "--liberer").exit_code == 0
    until(lambda: not locked())


def test_the_locked_profile_runs_registered_documents_only(verrouille: Server) -> None:
    refused = verrouille.ask("{ moi { siret } }").json()
    assert refused["errors"][0]["extensions"]["code"] == "QUERY_NOT_IN_SAFELIST"
    ready = verrouille.post({"documentId": "graphe:pre-remplissage", "variables": VARIABLES}).json()
    assert ready["data"]["entreprise"]["siren"] == CLAIR_VALLON


def test_one_bad_document_and_nothing_is_registered(
    production: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    manifest = {"bon": TEXT, "mauvais": "{ inconnu }", "gros": "{ " + "moi { siret } " * 30 + " }"}
    _, _, result = registered(production, monkeypatch, tmp_path, manifest, {"open_data", "extraits_rcs"})
    assert result.exit_code == 1
    assert "mauvais : " in result.output
    assert "root_fields" in result.output
    assert "bon : " not in result.output


def test_an_unknown_habilitation_or_token_is_refused(
    production: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "manifeste.json"
    path.write_bytes(orjson.dumps(RELAY))
    assert run(production, monkeypatch, "enregistrer", str(path), "--habilitation", "inconnue").exit_code == 1
    assert run(production, monkeypatch, "verrouiller", "inconnu").exit_code == 1


@pytest.mark.parametrize(
    "content",
    [
        b"", b"[]", b"{}", b"null", b'{"a": 1}', b'{"format": "autre", "version": 1}',
        b'{"format": "apollo-persisted-query-manifest", "version": 2, "operations": []}',
        b'{"format": "apollo-persisted-query-manifest", "version": 1, "operations": [{"id": "a"}]}',
        b'{"format": "apollo-persisted-query-manifest", "version": 1}',
        b'{"a b": "{ moi { siret } }"}', b'{"\\n": "{ moi { siret } }"}',
        b'{"format": "apollo-persisted-query-manifest", "version": 1, '
        b'"operations": [{"id": "a", "body": "b"}, {"id": "a", "body": "c"}]}',
    ],
)  # fmt: skip
def test_a_file_that_is_no_manifest_is_refused(content: bytes) -> None:
    with pytest.raises(ManifestRefused):
        read_manifest(content)


def test_apollo_automatic_persisted_queries_fall_back_to_the_text(production: Server) -> None:
    hashed = {"persistedQuery": {"version": 1, "sha256Hash": hashlib.sha256(b"{ moi { siret } }").hexdigest()}}
    first = production.post({"extensions": hashed}).json()
    assert first["errors"][0]["message"] == "PersistedQueryNotFound"
    assert "data" in production.post({"query": "{ moi { siret } }", "extensions": hashed}).json()
    assert production.post({"query": "{ moi { usage } }", "extensions": hashed}).status_code == 400


# --- Ready-made documents ---------------------------------------------------------------------------


@pytest.mark.parametrize("case", USE_CASES, ids=lambda case: case.slug)
async def test_a_ready_document_answers_with_its_scopes_and_names_those_that_lack(api: Api, case: UseCase) -> None:
    scopes = {line.split(" ou ")[0] for line in scopes_needed(case.text)}
    answer = await api.ask(case.text, variables=VARIABLES, scopes=scopes)
    assert answer.errors == []
    assert answer.at("entreprise.siren") == CLAIR_VALLON
    bare = await api.ask(case.text, variables=VARIABLES, scopes={"aucun"})
    assert set(bare.codes) == {"UNAUTHORIZED_FIELD_OR_TYPE"}
    # The number of value-added tax is open to any token, whatever its scopes.
    assert set(bare.body["extensions"]["cout"]["parFournisseur"]) <= {"commission_europeenne"}


@pytest.mark.parametrize("case", USE_CASES, ids=lambda case: case.slug)
async def test_a_ready_document_meets_every_persona(api: Api, case: UseCase) -> None:
    for siren in PERSONAS:
        answer = await api.ask(case.text, variables={"siren": siren})
        assert answer.response.status_code == 200
        assert "INTERNAL_SERVER_ERROR" not in answer.codes


async def test_pre_filling_needs_public_data_only(api: Api) -> None:
    case = next(case for case in USE_CASES if case.slug == "pre-remplissage")
    answer = await api.ask(case.text, variables=VARIABLES, scopes={"open_data"}, reason={})
    assert answer.errors == []


def test_graphiql_opens_one_tab_per_use_case_and_each_is_answered(production: Server) -> None:
    tabs = httpx.get(production.url + "/graphiql/config.json").json()["onglets"]
    assert [tab["titre"] for tab in tabs][1:] == [case.title for case in USE_CASES]
    for tab in tabs:
        headers = {name: value.encode("latin-1") for name, value in tab["entetes"].items()}
        body = {"query": tab["requete"], "variables": tab["variables"]}
        sent = {"Authorization": f"Bearer {production.token()}".encode(), **headers}
        answer = httpx.post(production.url + "/graphql", json=body, headers=sent, timeout=TIMEOUT_S).json()
        assert answer["data"]["entreprise"]["siren"] == CLAIR_VALLON
        codes = {error["extensions"]["code"] for error in answer.get("errors", [])}
        assert not codes & {"INTERNAL_SERVER_ERROR", "BAD_USER_INPUT", "TRACEABILITY_REQUIRED"}
