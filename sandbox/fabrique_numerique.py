"""siret2idcc, simulated: one item for each SIRET of the path, in the order asked, unknown and malformed ones included.

One departure: a company that is "down" is left out of an answer about several, so that it doesn't take the others
with it; asked alone it gets the 503.
"""

import hashlib
from typing import Any, Final

import orjson
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.personas import Company, Site, site

_LEGIFRANCE: Final = "https://www.legifrance.gouv.fr/affichIDCC.do?idConvention="
_TRADES: Final = {
    "31": (9412, "l'ameublement artisanal", "Ameublement artisanal"),
    "10": (16, "la boulangerie d'exemple", "Boulangerie d'exemple"),
    "43": (9597, "le bâtiment d'exemple", "Bâtiment d'exemple"),
    "49": (9016, "les transports d'exemple", "Transports d'exemple"),
    "70": (9086, "les sociétés de conseil d'exemple", "Conseil d'exemple"),
}
_OTHER: Final = (9044, "les activités diverses d'exemple", "Activités diverses")
_WITHOUT: Final = frozenset({"kerdoncuf", "non-diffusible", "gaec"})
"""Personas without employees declared, or outside the ministry's list."""


async def conventions(request: Request) -> Response:
    """The agreements of one or several establishments."""
    asked = request.path_params["sirets"].split(",")
    items = [_item(siret) for siret in asked]
    known = [item for item in items if item is not None]
    if not known:
        return Response("<html>Service indisponible</html>", 503, media_type="text/html")
    body = orjson.dumps(known)
    return Response(
        body,
        headers={
            "Content-Type": "application/json; charset=utf-8",
            "Access-Control-Allow-Origin": "*",
            "ETag": f'W/"{hashlib.sha256(body).hexdigest()[:27]}"',
        },
    )


async def health(_request: Request) -> Response:
    return JSONResponse({"success": True})


def _item(siret: str) -> dict[str, Any] | None:
    """The item of one SIRET; none for a company for which this service is down."""
    found = site(siret) if siret.isascii() and siret.isdigit() and len(siret) == 14 else None
    if found is None:
        return {"conventions": [], "siret": siret}
    owner, place = found
    if owner.fate("fabrique_numerique") == "panne":
        return None
    return {"conventions": _agreements(owner, place), "siret": siret}


def _agreements(owner: Company, place: Site) -> list[dict[str, Any]]:
    if owner.duplicate_of or owner.slug in _WITHOUT or owner.fate("fabrique_numerique"):
        return []
    if owner.slug:
        return [_whole(owner)] if place.head_office or owner.slug != "clair-vallon" else [_sparse(owner)]
    chance = owner.draw("fabrique_numerique").random()
    if owner.staff in ("NN", None) or chance < 0.1:
        return []
    if chance < 0.3:
        return [_whole(owner), _sparse(owner)]
    return [_sparse(owner)] if chance < 0.4 else [_whole(owner)]


def _whole(owner: Company) -> dict[str, Any]:
    number, name, short = _TRADES.get(owner.naf[:2], _OTHER)
    container = f"KALICONT{number:012d}"
    return {
        "active": True,
        "date_publi": "1994-06-14T00:00:00.000Z",
        "effectif": 51234,
        "etat": "VIGUEUR_ETEN" if number % 2 == 0 else "VIGUEUR",
        "id": container,
        "mtime": 1600000123,
        "nature": "IDCC",
        "num": number,
        "shortTitle": f"{short} ",
        "texte_de_base": f"KALITEXT{number:012d}",
        "title": f"Convention collective nationale de {name} du 14 juin 1994. \nMise à jour par avenant. ",
        "synonymes": [short.lower()],
        "url": _LEGIFRANCE + container,
    }


def _sparse(owner: Company) -> dict[str, Any]:
    """An agreement known only by its number, attached to another one."""
    number, name, short = _TRADES.get(owner.naf[:2], _OTHER)
    container = f"KALICONT{number:012d}-877"
    return {
        "active": True,
        "id": container,
        "nature": "IDCC",
        "num": 877,
        "shortTitle": f"{short}, accord local",
        "title": f"Convention collective locale de {name}",
        "url": _LEGIFRANCE + container,
    }


ROUTES: list[Route] = [
    Route("/api/v2/{sirets}", conventions),
    Route("/healthz", health),
]
