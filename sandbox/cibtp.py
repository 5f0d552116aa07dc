"""CIBTP, simulated: a token service in JSON, then certificates as bare PDF or a short JSON reason.

A certificate speaks of the whole company: all its establishments get the same answer.
"""

import random
import secrets
from functools import lru_cache
from typing import Any, Final

import orjson
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.pdf import print_pdf
from sandbox.personas import Company, site

CLIENT: Final = ("sandbox", "sandbox")
EXPIRES_IN: Final = 3599
TOKENS: set[str] = set()
"""Tokens given since the start; a test empties it to have one refused."""

_MEMBERS: Final = frozenset({"clair-vallon"})
"""The personas of the building trade. The public-works one belongs to the other fund."""
_MESSAGES: Final = {
    404: "Aucun adhérent ne correspond à ce SIRET",
    409: "L'attestation ne peut pas être produite : changement de caisse en cours",
    422: "L'adhérent n'est pas à jour, l'attestation n'est pas disponible",
}


async def token(request: Request) -> Response:
    """The body is JSON and has no `grant_type`; a form isn't understood."""
    try:
        asked: Any = orjson.loads(await request.body())
    except orjson.JSONDecodeError:
        return JSONResponse({"error": "invalid_request"}, 400)
    if not isinstance(asked, dict) or (asked.get("client_id"), asked.get("client_secret")) != CLIENT:
        return JSONResponse({"error": "invalid_client"}, 401)
    given = secrets.token_urlsafe(24)
    TOKENS.add(given)
    return JSONResponse(
        {
            "token_type": "Bearer",
            "expires_in": EXPIRES_IN,
            "ext_expires_in": EXPIRES_IN,
            "access_token": given,
        }
    )


async def attestation(request: Request) -> Response:
    """The certificate of the company that an establishment belongs to."""
    if request.headers.get("authorization", "").removeprefix("Bearer ") not in TOKENS:
        return Response(status_code=401, headers={"WWW-Authenticate": "Bearer"})
    found = site(request.query_params.get("siret", ""))
    if found is None:
        return _reason(404)
    return _answer(found[0])


def _answer(known: Company) -> Response:
    match known.fate("cibtp"):
        case "panne":
            return Response("<html>Service indisponible</html>", 503, media_type="text/html")
        case "refus":
            return _reason(422)
        case "hors_perimetre" | "interdite":
            return _reason(404)
    if known.duplicate_of or (known.slug and known.slug not in _MEMBERS):
        return _reason(404)
    chance = known.draw("cibtp")
    if known.slug or chance.random() < 0.75:
        return _certificate(certificate(known.siren), chance)
    return _other(chance)


def _other(chance: random.Random) -> Response:
    """One of the outcomes that are not a certificate."""
    outcome = chance.choice((404, 404, 404, 422, 422, 422, 409, 500, "vide", "page"))
    match outcome:
        case 500:
            return Response("<html>Erreur interne</html>", 500, media_type="text/html")
        case "vide":
            return _certificate(b"", chance)
        case "page":
            return _certificate(b"<html>Attestation</html>", chance)
    return _reason(int(outcome))


def _reason(status: int) -> Response:
    return JSONResponse({"type": "Fonctionnelle", "message": _MESSAGES[status]}, status)


def _certificate(content: bytes, chance: random.Random) -> Response:
    name = f"C{chance.randint(10, 99)}_{chance.randint(100000, 999999)}_ADC_ATT_MPUBLIC_20250304101112.pdf"
    disposition = f"attachment; filename={name}; filename*=UTF-8''{name}"
    return Response(content, media_type="application/pdf", headers={"Content-Disposition": disposition})


@lru_cache(maxsize=512)
def certificate(siren: str) -> bytes:
    """The printed certificate: always the same bytes for the same SIREN."""
    page = (
        f"CONGES INTEMPERIES BTP (BAC A SABLE)\nATTESTATION DE MARCHE PUBLIC\nSIREN {siren}\n"
        "L'entreprise est à jour de ses cotisations pour tous ses établissements."
    )
    return print_pdf(page)


ROUTES: list[Route] = [
    Route("/apientreprise/token", token, methods=["POST"]),
    Route("/apientreprise/attestationmarche", attestation),
]
