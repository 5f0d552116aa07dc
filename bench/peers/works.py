"""The works: what the upstream serves, what is asked of the peers, and what the right answer is.

Everything here is a pure function of the path or of the document, so that a peer's answer can be compared whole.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from graphql import FieldNode, OperationDefinitionNode, SelectionSetNode, parse, print_ast

Json = Any

SDL: Final = (Path(__file__).parent / "schema.graphql").read_text()
SUBJECTS: Final = tuple(f"{910_000_000 + 7 * number}" for number in range(64))
"""Companies asked about in turn, so that requests in flight together are not the same one."""
EXTRACTS: Final = ("rcs", "fiscale", "vigilance", "effectifs", "qualiopi")
SITES, SUBSIDIARIES, POSTS, USERS = 50, 20, 100, 10
GREETING: Final = "Hello World!"


# --- What the upstream serves ---------------------------------------------------------------------


@lru_cache(maxsize=8_192)
def served(target: str) -> bytes | None:
    """The JSON of a request target; `None` for one that the upstream does not know."""
    found = _resource(target)
    return None if found is None else json.dumps(found, ensure_ascii=False, separators=(",", ":")).encode()


def _resource(target: str) -> Json:
    url = urlsplit(target)
    match url.path.strip("/").split("/"):
        case ["entreprise", siren]:
            return _company(siren)
        case [kind, key] if kind in {*EXTRACTS, "extrait"}:
            return _extract(kind, key)
        case ["etablissements", siren]:
            return [_site(siren, number) for number in range(SITES)]
        case ["posts"]:
            return [_post(number) for number in range(1, POSTS + 1)]
        case ["users"]:
            return [_user(int(number)) for number in parse_qs(url.query).get("id", [])]
    return None


def _company(siren: str) -> Json:
    return {
        "siren": siren,
        "siege": f"{siren}00014",
        "denomination": f"SOCIÉTÉ INVENTÉE {siren}",
        "categorie": "PME",
        "creation": "2009-04-17",
        "active": True,
        "effectif": 42,
        "activite": {"code": "62.01Z", "libelle": "Programmation informatique", "annee": 2008},
        "forme": {"code": "5710", "libelle": "SAS, société par actions simplifiée", "annee": 2022},
        "filiales": [{"siren": f"{int(siren) + 1 + number}"} for number in range(SUBSIDIARIES)],
        "objet": "Conception, édition et exploitation de logiciels imaginaires. " * 12,
    }


def _extract(kind: str, key: str) -> Json:
    return {
        "numero": key,
        "situation": "DELIVREE",
        "periode": "2026-03",
        "emission": "2026-04-02",
        "echeance": "2026-10-01",
        "montant": 150_000 + len(kind),
        "reguliere": True,
        "service": f"Service des extraits ({kind})",
        "signataire": {"nom": "Camille IMAGINAIRE", "qualite": "Cheffe de service"},
        "mentions": [f"Mention {number} de l'extrait, que personne ne demande ici." for number in range(14)],
    }


def _site(siren: str, number: int) -> Json:
    return {
        "siret": f"{siren}{number:05}",
        "nic": f"{number:05}",
        "denomination": f"ÉTABLISSEMENT {number}",
        "enseigne": "L'ATELIER",
        "sigle": None if number % 3 else "SI",
        "etat": "A",
        "categorie": "PME",
        "creation": "2011-06-01",
        "fermeture": None,
        "modification": "2025-12-24",
        "siege": number == 0,
        "employeur": number % 2 == 0,
        "diffusible": True,
        "effectif": 3 * number,
        "saisonnalite": "P",
        "origine": "Création",
        "rang": number,
        "caractere": "Productif",
        "statut": "Secondaire",
        "appellation": "Atelier inventé",
        "region": "Bretagne",
        "departement": "29",
        "adresse": {
            "numero": str(number),
            "repetition": None,
            "voie": "DES GENÊTS",
            "type": "RUE",
            "complement": "BÂTIMENT B",
            "codepostal": "29000",
            "commune": "QUIMPER",
            "insee": "29232",
            "cedex": None,
            "pays": "FRANCE",
            "distribution": None,
            "canton": "2911",
        },
        "activite": {"code": "62.01Z", "libelle": "Programmation informatique", "annee": 2008},
        "tranche": {"code": "11", "libelle": "10 à 19 salariés", "annee": 2024},
    }


def _post(number: int) -> Json:
    return {
        "userId": (number - 1) // (POSTS // USERS) + 1,
        "id": number,
        "title": f"sunt aut facere repellat provident occaecati {number}",
        "body": "quia et suscipit suscipit recusandae consequuntur expedita et cum reprehenderit molestiae. " * 2,
    }


def _user(number: int) -> Json:
    return {
        "id": number,
        "name": f"Leanne Graham {number}",
        "username": f"user{number}",
        "email": f"user{number}@example.org",
        "address": {"street": "Kulas Light", "suite": "Apt. 556", "city": "Gwenborough", "zipcode": "92998-3874"},
        "phone": "1-770-736-8031 x56442",
        "website": "example.org",
    }


# --- What is asked --------------------------------------------------------------------------------

_EXTRACT = "numero situation periode emission echeance montant reguliere service signataire { nom qualite }"
_COMPANY = "siren denomination categorie creation active effectif activite { code libelle } forme { code libelle }"
_SITE = """siret nic denomination enseigne sigle etat categorie creation fermeture modification siege employeur
  diffusible effectif saisonnalite origine rang caractere statut appellation region departement
  adresse { numero repetition voie type complement codepostal commune insee cedex pays distribution canton }
  activite { code libelle annee } tranche { code libelle annee }"""


@dataclass(frozen=True, slots=True)
class Work:
    """One query, and how many calls to the upstream it takes without a cache."""

    name: str
    query: str
    calls: int
    about_companies: bool
    cached: bool = False
    """The peers run with their cache on."""
    delay_ms: int = 0
    """How long the upstream waits before each answer."""

    @property
    def waiting_ms(self) -> int:
        """What the upstream alone makes one request wait: its calls go out in two steps at the most."""
        return self.delay_ms * min(self.calls, 2)

    @property
    def label(self) -> str:
        return self.name + (", cached" if self.cached else "") + (f", {self.delay_ms} ms" if self.delay_ms else "")

    def variables(self) -> list[dict[str, str]]:
        return [{"siren": siren} for siren in SUBJECTS] if self.about_companies else [{}]

    def bodies(self) -> list[str]:
        return [json.dumps({"query": self.query, "variables": variables}) for variables in self.variables()]


def _company_work(name: str, selection: str, calls: int, **more: Any) -> Work:
    query = f"query Travail($siren: String!) {{ entreprise(siren: $siren) {{ {selection} }} }}"
    return Work(name, print_ast(parse(query)), calls, about_companies=True, **more)


_PROFILE = _COMPANY + "".join(f" {name} {{ {_EXTRACT} }}" for name in EXTRACTS)

WORKS: Final = (
    _company_work("profile", _PROFILE, 1 + len(EXTRACTS)),
    _company_work("list", f"etablissements {{ {_SITE} }}", 2),
    _company_work("many", f"siren filiales {{ siren extrait {{ {_EXTRACT} }} }}", 1 + SUBSIDIARIES),
    Work("posts_user", "{ posts { id userId title user { id name email } } }", 2, about_companies=False),
    Work("posts_title", "{ posts { title } }", 1, about_companies=False),
    Work("greet", "{ greet }", 0, about_companies=False),
    _company_work("profile", _PROFILE, 0, cached=True),
    _company_work("profile", _PROFILE, 1 + len(EXTRACTS), delay_ms=20),
)


# --- What is right --------------------------------------------------------------------------------


def expected(query: str, variables: Mapping[str, str]) -> Json:
    """The `data` of the right answer, made without any executor from what the upstream serves."""
    operation = parse(query).definitions[0]
    assert isinstance(operation, OperationDefinitionNode)
    root = {"greet": GREETING, "posts": _resource("/posts")}
    if "siren" in variables:
        root["entreprise"] = _resource(f"/entreprise/{variables['siren']}")
    return _selected(root, operation.selection_set)


def _selected(source: Json, selections: SelectionSetNode | None) -> Json:
    if selections is None or source is None:
        return source
    if isinstance(source, list):
        return [_selected(item, selections) for item in source]
    fields = [node for node in selections.selections if isinstance(node, FieldNode)]
    return {node.name.value: _selected(_followed(source, node.name.value), node.selection_set) for node in fields}


def _followed(source: Json, name: str) -> Json:
    """The value of a field: in the object itself, or behind another call."""
    if name in EXTRACTS:
        return _resource(f"/{name}/{source['siege']}")
    if name == "etablissements":
        return _resource(f"/etablissements/{source['siren']}")
    if name == "extrait":
        return _resource(f"/extrait/{source['siren']}")
    if name == "user":
        return _user(source["userId"])
    return source[name]


def leaves(value: Json) -> int:
    """How many leaves an answer holds."""
    if isinstance(value, dict):
        return sum(map(leaves, value.values()))
    return sum(map(leaves, value)) if isinstance(value, list) else 1
