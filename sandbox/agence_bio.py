"""The open API of Agence BIO, simulated: no key, but a client that names itself; unknown parameters are ignored.

Without a `siret` the head of the whole register comes back. Counts are texts, except the zero.
"""

from datetime import date
from typing import Any, Final

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from stdnum import luhn

from sandbox.personas import PERSONAS, Company, Site, company

OPERATORS: Final = frozenset({"gaec", "fournil"})
"""The personas that are in the register."""

_REGISTER: Final = 137_000
_STATES: Final = (
    "ENGAGEE",
    "ENGAGEE",
    "ENGAGEE",
    "ENGAGEE",
    "SUSPENDUE",
    "ARRETEE",
    "RETIREE",
    "NON ENGAGEE",
    "ENGAGEE FUTUR",
    None,
)
_PRODUCTS: Final = (("01.13.4", "Racines et tubercules"), ("01.41.2", "Lait de vache brut"), ("GP.12", "Céréales"),
                    ("10.71.1", "Pain frais"))  # fmt: skip


async def operateurs(request: Request) -> Response:
    """Operators of a SIRET, of a SIREN, or of everybody."""
    name = request.headers.get("user-agent", "").lower()
    if not name or name.startswith(("python-", "aiohttp", "curl")):
        return Response(b"Forbidden", 403, media_type="text/plain")
    asked = request.query_params.get("siret", "")
    start, size = _number(request, "debut", 0), _number(request, "nb", 12)
    if not asked:
        everybody = [item for known in PERSONAS.values() if known.slug in OPERATORS for item in _of_company(known, "")]
        return _answer(everybody[start : start + size], _REGISTER)
    known = company(asked[:9]) if len(asked) in (9, 14) and asked.isdigit() and luhn.is_valid(asked[:9]) else None
    if known is not None and known.fate("agence_bio") == "panne":
        return Response(b"Internal Server Error", 500, media_type="text/plain")
    found = _of_company(known, asked) if known is not None else []
    return _answer(found[start : start + size], len(found))


def _number(request: Request, name: str, default: int) -> int:
    text = request.query_params.get(name, "")
    return int(text) if text.isdigit() else default


def _answer(items: list[dict[str, Any]], total: int) -> Response:
    body = {"nbTotal": str(total) if total else 0, "items": items}
    return Response(orjson.dumps(body), media_type="application/json; charset=utf-8")


def _of_company(known: Company, asked: str) -> list[dict[str, Any]]:
    unknown = known.duplicate_of or known.fate("agence_bio") in ("refus", "hors_perimetre", "interdite")
    if unknown or (known.slug and known.slug not in OPERATORS):
        return []
    return [item for place in known.sites if place.siret.startswith(asked) for item in _items(known, place)]


def _items(known: Company, place: Site) -> list[dict[str, Any]]:
    """The operators of an establishment; a migration left two at some."""
    chance = known.draw(f"agence_bio/{place.siret}")
    if not known.slug and chance.random() < 0.25:
        return []
    first = _item(known, place, 0)
    if known.slug:
        first["certificats"][0]["etatCertification"] = "ENGAGEE"
    if chance.random() < 0.1 or known.slug == "fournil":
        return [first, {**first, "id": first["id"] + 1, "numeroBio": first["numeroBio"] + 1, "certificats": []}]
    return [first]


def _item(known: Company, place: Site, rank: int) -> dict[str, Any]:
    chance = known.draw(f"agence_bio/{place.siret}/{rank}")
    engaged = date(chance.randint(2005, 2023), chance.randint(1, 12), chance.randint(1, 28))
    number = chance.randint(1_000, 200_000)
    state = chance.choice(_STATES)
    exempt = not known.slug and chance.random() < 0.1
    stopped = state in ("ARRETEE", "RETIREE")
    certificate: dict[str, Any] = {
        "numeroControleEu": None if exempt else "FR-BIO-99",
        "organisme": None if exempt else "Exemple Certification",
        "etatCertification": "ENGAGEE" if exempt else state,
        "dateSuspension": "2024-05-01" if state in ("SUSPENDUE", "RETIREE") else None,
        "dateArret": "2024-06-01" if stopped else None,
        "dateEngagement": engaged.isoformat(),
        "dateNotification": f"{engaged.isoformat()}T00:00:00.000Z",
        "url": None if exempt or chance.random() < 0.1 else f"https://certificats.exemple.fr/{number}",
    }
    return {
        "id": 70_000 + rank,
        "raisonSociale": known.display_name,
        "denominationcourante": place.signs[0] if place.signs else None,
        "siret": place.siret,
        "numeroBio": number,
        "codeNAF": known.naf.replace(".", ""),
        "gerant": chance.choice((None, "0000")),
        "dateMaj": chance.choice(("2025-01-15", "2025-02-11")),
        "datePremierEngagement": chance.choice((engaged.isoformat(), "Invalid date")),
        "reseau": chance.choice(("", "", "Réseau d'exemple")),
        "mixite": chance.choice(("Oui", "Non", "")),
        "categories": [{"id": 1, "nom": "Vente aux consommateurs"}],
        "activites": [{"id": 1, "nom": chance.choice(("Production", "Préparation", "Distribution"))}],
        "annuaireActivites": [],
        "venteAnnuaire": chance.choice((None, {"venteParticuliers": True})),
        "siteWebs": [],
        "adressesOperateurs": [
            {
                "id": 880 + rank,
                "lieu": f"{place.address.number} {place.address.street_type} {place.address.street}",
                "codePostal": place.address.postcode,
                "ville": place.address.town,
                "lat": 48.11,
                "long": -1.67,
                "codeCommune": place.address.town_code,
                "active": True,
                "pays": "France",
                "departementId": 12,
                "typeAdresseOperateurs": ["Siège social", "Lieux d'activité"],
            }
        ],
        "productions": [
            {
                "id": 5_000,
                "code": code,
                "nom": name,
                "etatProductions": [{"id": 1, "etatProduction": "AB", "anneeReferenceControle": 2024}],
            }
            for code, name in chance.sample(_PRODUCTS, chance.randint(1, 3))
        ],
        "certificats": [certificate],
    }


ROUTES: list[Route] = [Route("/api/gouv/operateurs/", operateurs)]
