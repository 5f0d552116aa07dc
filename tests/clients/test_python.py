"""Clients of the Python world, in an environment of their own, against a started server."""

from pathlib import Path

from sandbox.personas import CLAIR_VALLON
from tests.clients.conftest import Run, lines
from tests.surface.server import Server

GQL = """
import asyncio, json, sys
from gql import Client, GraphQLRequest
from gql.transport.exceptions import TransportQueryError
from gql.transport.httpx import HTTPXTransport

url, token, siren = sys.argv[1:]
headers = {"Authorization": f"Bearer {token}", "X-Contexte": "Essai", "X-Objet": "Clients"}
client = Client(transport=HTTPXTransport(url=url, headers=headers), fetch_schema_from_transport=True)
with client as session:
    request = GraphQLRequest(
        "query($s: Siren!) { entreprise(siren: $s) { siren rcs { dateImmatriculation } sirene { siren } } }",
        variable_values={"s": siren},
    )
    try:
        print(json.dumps({"data": session.execute(request), "codes": []}))
    except TransportQueryError as error:
        codes = [one["extensions"]["code"] for one in error.errors]
        print(json.dumps({"data": error.data, "codes": codes}))
"""

TYPED = """
import asyncio, json, sys
from fiche import Client

url, token, siren = sys.argv[1:]
headers = {"Authorization": f"Bearer {token}", "X-Contexte": "Essai", "X-Objet": "Clients"}

async def main():
    async with Client(url, headers) as client:
        found = await client.fiche(siren=siren)
        print(json.dumps({"siren": found.entreprise.siren, "nom": found.entreprise.sirene.personne_morale_attributs.raison_sociale}))

asyncio.run(main())
"""


def test_gql_reads_the_schema_and_a_company(python: Run, server: Server) -> None:
    (answer,) = lines(python("python", "-c", GQL, f"{server.url}/graphql", server.token(), CLAIR_VALLON))
    assert answer["codes"] == []
    assert answer["data"]["entreprise"]["rcs"]["dateImmatriculation"]


def test_gql_keeps_the_rest_beside_a_refusal(python: Run, server: Server) -> None:
    token = server.token({"entreprises"})
    (answer,) = lines(python("python", "-c", GQL, f"{server.url}/graphql", token, CLAIR_VALLON))
    assert answer["codes"] == ["UNAUTHORIZED_FIELD_OR_TYPE"]
    assert answer["data"]["entreprise"] == {"siren": CLAIR_VALLON, "rcs": None, "sirene": {"siren": CLAIR_VALLON}}


def test_ariadne_codegen_writes_a_typed_client_that_works(
    python: Run, server: Server, schema_file: Path, tmp_path: Path
) -> None:
    (tmp_path / "fiche.graphql").write_text(
        "query Fiche($siren: Siren!) { entreprise(siren: $siren) {"
        " siren sirene { personneMoraleAttributs { raisonSociale } } } }",
        encoding="utf-8",
    )
    (tmp_path / "pyproject.toml").write_text(
        f"""[tool.ariadne-codegen]
schema_path = "{schema_file}"
queries_path = "{tmp_path / "fiche.graphql"}"
target_package_name = "fiche"
[tool.ariadne-codegen.scalars.Siren]
type = "str"
""",
        encoding="utf-8",
    )
    done = python("ariadne-codegen", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    (found,) = lines(python("python", "-c", TYPED, f"{server.url}/graphql", server.token(), CLAIR_VALLON, cwd=tmp_path))
    assert found == {"siren": CLAIR_VALLON, "nom": "ATELIERS DU CLAIR VALLON"}
