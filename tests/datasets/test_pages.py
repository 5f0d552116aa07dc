"""The committed pages are those that the declarations and the reviewed profiles give."""

import os
import re
from pathlib import Path

import orjson
from graphql import GraphQLObjectType

from graph.schema import SCHEMA
from tests.conftest import Api
from tests.datasets.pages import known_personas, providers_page

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "fournisseurs.md"
PERSONNAGES = ROOT / "graph" / "personnages.json"


def test_the_page_of_providers() -> None:
    if os.environ.get("GRAPHE_SNAPSHOTS") == "write":
        PAGE.write_text(providers_page(), encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == providers_page()


def test_the_personas_of_the_catalogue() -> None:
    known = known_personas()
    if os.environ.get("GRAPHE_SNAPSHOTS") == "write":
        PERSONNAGES.write_bytes(orjson.dumps(known, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    assert orjson.loads(PERSONNAGES.read_bytes()) == known


def test_every_field_says_what_it_is() -> None:
    """Beside its source and the rights that it wants, which are written for it."""
    written = re.compile(r"(?s)\n\n(Source|Habilitation) : .*")
    bare = [
        f"{type_.name}.{name}"
        for type_ in SCHEMA.type_map.values()
        if isinstance(type_, GraphQLObjectType) and not type_.name.startswith("__")
        for name, field in type_.fields.items()
        if len(written.sub("", field.description or "").strip()) < 3
    ]
    assert bare == []


async def test_the_catalogue_is_whole_and_its_examples_are_answered(api: Api) -> None:
    answer = await api.ask(
        "{ jeuxDeDonnees { id fournisseur titre producteur ouverture perimetre cle format fraicheur habilitations"
        " groupeDeQuota introuvable groupe champs exemple personnages { siren nom } questionsOuvertes } }"
    )
    assert answer.errors == []
    entries = answer.at("jeuxDeDonnees")
    for entry in entries:
        assert entry["champs"], entry["id"]
        assert entry["personnages"] or entry["id"] == "insee.recherche", entry["id"]
        assert all(entry[name] for name in ("titre", "producteur", "perimetre", "cle", "fraicheur", "introuvable"))
        example = await api.ask(entry["exemple"])
        assert example.errors == [], entry["id"]
        assert {origin["statut"] for origin in example.provenance(entry["id"])} == {"REPONDU"}, entry["id"]
    formats = {entry["id"]: entry["format"] for entry in entries}
    assert formats["insee.unite_legale"] == "DONNEES"
    assert formats["acoss.attestation_vigilance"] == "DONNEES_ET_DOCUMENTS"
    assert formats["inpi_rne.actes"] == "DONNEES_ET_DOCUMENTS"
