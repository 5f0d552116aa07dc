"""Clients of the npm world against a started server: data, refusals that keep the rest, code generators."""

import json
from pathlib import Path
from typing import Any

import pytest

from graph.documents import Documents
from graph.schema import REGISTRY, SCHEMA
from graph.trusted.manifests import read_manifest
from sandbox.personas import CLAIR_VALLON
from tests.clients.conftest import Run, lines
from tests.surface.server import ALL, Server

DOCUMENT = """
fragment Nom on UniteLegaleSirene { etatAdministratif personneMoraleAttributs { raisonSociale } }
query Fiche($siren: Siren!) {
  entreprise(siren: $siren) { id siren sirene { ...Nom } rcs { dateImmatriculation capital { montant devise } } }
}
"""


def asked(node: Run, script: str, server: Server, scopes: Any = ALL) -> dict[str, Any]:
    (answer,) = lines(node(script, f"{server.url}/graphql", server.token(scopes), CLAIR_VALLON))
    found: dict[str, Any] = answer
    return found


@pytest.mark.parametrize("client", ["apollo", "urql", "request"])
def test_a_client_reads_a_company(node: Run, server: Server, client: str) -> None:
    answer = asked(node, f"{client}.mjs", server)
    assert answer["codes"] == []
    assert (
        answer["data"]["entreprise"]["sirene"]["personneMoraleAttributs"]["raisonSociale"] == "ATELIERS DU CLAIR VALLON"
    )
    assert answer["data"]["entreprise"]["etablissements"]["totalCount"] == 2


@pytest.mark.parametrize("client", ["apollo", "urql", "request"])
def test_a_client_keeps_the_rest_beside_a_refusal(node: Run, server: Server, client: str) -> None:
    answer = asked(node, f"{client}.mjs", server, {"entreprises", "etablissements"})
    assert answer["codes"] == ["UNAUTHORIZED_FIELD_OR_TYPE"]
    assert answer["data"]["entreprise"]["rcs"] is None
    assert answer["data"]["entreprise"]["sirene"]["etatAdministratif"]


def test_apollo_persisted_queries_work_without_a_manifest(node: Run, server: Server) -> None:
    assert asked(node, "apollo-persisted.mjs", server)["data"]["entreprise"]["siren"] == CLAIR_VALLON


def test_the_schema_is_rebuilt_from_its_introspection(node: Run, server: Server) -> None:
    (found,) = lines(node("introspect.mjs", f"{server.url}/graphql", server.token(), CLAIR_VALLON))
    assert found["faults"] == []
    assert found["types"] > 80


def test_the_client_preset_generates_typed_documents_and_a_manifest_that_we_take(
    node: Run, tool: Run, schema_file: Path, tmp_path: Path
) -> None:
    document = tmp_path / "fiche.graphql"
    document.write_text(DOCUMENT, encoding="utf-8")
    out = tmp_path / "gql"
    done = node("codegen.mjs", schema_file, document, out)
    assert done.returncode == 0, done.stderr
    (out / "usage.ts").write_text(
        """import { FicheDocument, type FicheQuery } from "./graphql";
import type { TypedDocumentNode } from "@graphql-typed-document-node/core";
type Result<T> = T extends TypedDocumentNode<infer R, infer _V> ? R : never;
const taken: Result<typeof FicheDocument> = {} as FicheQuery;
export const montant: string | null | undefined = taken.entreprise.rcs?.capital?.montant;
""",
        encoding="utf-8",
    )
    (tmp_path / "node_modules").symlink_to(Path(__file__).parent / "node" / "node_modules")
    checked = tool(
        "tsc", "--noEmit", "--strict", "--skipLibCheck", "--target", "es2022", "--module", "esnext",
        "--moduleResolution", "bundler", out / "usage.ts", cwd=tmp_path,
    )  # fmt: skip
    assert checked.returncode == 0, checked.stdout
    (registered,) = read_manifest((out / "persisted-documents.json").read_bytes())
    assert Documents(SCHEMA, REGISTRY).prepare(registered.text).errors == ()


def test_relay_compiles_against_the_schema_and_writes_a_manifest_that_we_take(
    node: Run, tool: Run, schema_file: Path, tmp_path: Path
) -> None:
    source = tmp_path / "src"
    source.mkdir()
    (source / "Fiche.js").write_text(
        """import { graphql } from "relay-runtime";
graphql`
  fragment Fiche_etablissements on Entreprise
  @argumentDefinitions(count: { type: "Int", defaultValue: 10 }, cursor: { type: "String" })
  @refetchable(queryName: "FicheEtablissementsQuery") {
    etablissements(first: $count, after: $cursor) @connection(key: "Fiche_etablissements") {
      edges { node { id siret } }
    }
  }
`;
graphql`
  query FicheQuery($siren: Siren!) { entreprise(siren: $siren) { id siren ...Fiche_etablissements } }
`;
""",
        encoding="utf-8",
    )
    config = {
        "src": "src", "schema": "schema.graphql", "language": "javascript",
        "persistConfig": {"file": "persisted.json", "algorithm": "SHA256"},
        "schemaConfig": {"nodeInterfaceIdField": "id"},
    }  # fmt: skip
    (tmp_path / "persisted.json").write_text("{}", encoding="utf-8")
    (tmp_path / "relay.config.json").write_text(json.dumps(config), encoding="utf-8")
    (tmp_path / "package.json").write_text("{}", encoding="utf-8")
    done = tool("relay-compiler", "relay.config.json", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    registered = read_manifest((tmp_path / "persisted.json").read_bytes())
    documents = Documents(SCHEMA, REGISTRY)
    assert [documents.prepare(one.text).errors for one in registered] == [()] * len(registered)
    assert any("node(id:" in one.text for one in registered), (
        "a pagination refetches its object by its global identifier"
    )
