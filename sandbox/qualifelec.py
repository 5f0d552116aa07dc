"""Qualifelec, simulated: a login whose token tells its own end, then an array of certificates.

Dates are epochs of midnight in Paris; a missing class is an empty list.
"""

import base64
import secrets
from datetime import date, datetime, timedelta
from datetime import time as hour
from typing import Any, Final
from zoneinfo import ZoneInfo

import orjson
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.clock import CLOCK
from sandbox.personas import Company, Site, site

CERTIFIED: Final = frozenset({"clair-vallon", "terrassement"})
"""The personas that hold certificates."""
CREDENTIALS: Final = {"username": "sandbox", "password": "sandbox"}
TOKENS: set[str] = set()
"""Tokens given since the start; a test empties it to have one refused."""

_PARIS: Final = ZoneInfo("Europe/Paris")
_QUALIFICATIONS: Final = (
    "Électricien logement commerce petit bâtiment (LCPB)",
    "Installations électriques (MGTI)",
    "Solaire photovoltaïque (SPV)",
    "Infrastructure de recharge pour véhicule électrique (IRVE)",
)
_ELEMENTS: Final = (
    {"label": "ESS1", "code": "ESS1"},
    {"label": "Mention d'exemple", "code": "ME2"},
    {"label": "Domaine d'exemple", "code": "DE1"},
)


async def login(request: Request) -> Response:
    """A token that lives an hour, for the right credentials."""
    try:
        given = orjson.loads(await request.body())
    except orjson.JSONDecodeError:
        given = None
    if given != CREDENTIALS:
        return JSONResponse({"code": 401, "message": "Invalid credentials."}, 401)
    now = int(CLOCK().timestamp())
    claims = {"iat": now, "exp": now + 3600, "roles": ["ROLE_API"], "username": "sandbox"}
    token = ".".join((_part({"typ": "JWT", "alg": "RS256"}), _part(claims), secrets.token_urlsafe(16)))
    TOKENS.add(token)
    return JSONResponse({"token": token})


def _part(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(value)).decode().rstrip("=")


async def certificats(request: Request) -> Response:
    """The certificates of one establishment."""
    if request.headers.get("authorization", "").removeprefix("Bearer ") not in TOKENS:
        return JSONResponse({"code": 401, "message": "Expired JWT Token"}, 401)
    siret = request.path_params["siret"]
    found = site(siret) if len(siret) == 14 and siret.isascii() and siret.isdigit() else None
    if found is None or found[0].duplicate_of:
        return _unknown()
    known, place = found
    fate, chance = known.fate("qualifelec"), known.draw(f"qualifelec/{siret}")
    if fate == "panne":
        return Response(b"<html>Service indisponible</html>", 503, media_type="text/html")
    certified = known.slug in CERTIFIED if known.slug else known.ceased is None and chance.random() < 0.75
    if fate in ("refus", "hors_perimetre", "interdite") or not certified or place.closed:
        # Known without certificate, or unknown.
        return JSONResponse([]) if chance.random() < 0.4 else _unknown()
    return JSONResponse([_certificat(known, place, rank) for rank in range(chance.randint(1, 3))])


def _unknown() -> Response:
    return JSONResponse({"code": 404, "message": "Aucune entreprise pour ce Siret"}, 404)


def _certificat(known: Company, place: Site, rank: int) -> dict[str, Any]:
    chance = known.draw(f"qualifelec/{place.siret}/{rank}")
    start = CLOCK.recent_day(chance)
    number = chance.randint(10_000, 99_999)
    classes: tuple[Any, ...] = ({"label": "Classe 2 : de 6 à 20 exécutants", "code": 2}, [])
    insured = chance.random() < 0.8
    return {
        "url": f"https://certificats.exemple.fr/{number}",
        "label": chance.choice(_QUALIFICATIONS),
        "num": number,
        "rge": chance.random() < 0.5,
        "start_date": _midnight(start),
        "end_date": _midnight(start + timedelta(days=364)),
        "qualification_start_date": _midnight(start),
        "qualification_end_date": _midnight(start + timedelta(days=4 * 365)),
        "classification": chance.choice(classes),
        "indexes": chance.choices(_ELEMENTS[:1], k=chance.randint(0, 1)),
        "mentions": chance.choices(_ELEMENTS[1:2], k=chance.randint(0, 1)),
        "domains": list(_ELEMENTS[2:]),
        "decennial_insurance": "ASSUREUR UN",
        "decennial_insurance_start_date": _midnight(date(2025, 1, 1)),
        "decennial_insurance_end_date": _midnight(date(2025, 12, 31)),
        "liability_insurance": "ASSUREUR DEUX",
        "liability_insurance_start_date": _midnight(date(2025, 1, 1)) if insured else None,
        "liability_insurance_end_date": _midnight(date(2025, 12, 31)) if insured else None,
    }


def _midnight(day: date) -> int:
    return int(datetime.combine(day, hour(), _PARIS).timestamp())


ROUTES: list[Route] = [
    Route("/login_check", login, methods=["POST"]),
    Route("/certificats/{siret}", certificats),
]
