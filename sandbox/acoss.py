"""URSSAF, simulated: a token service, and certificates as bare base64 under a JSON content type.

Outcomes other than a certificate are JSON arrays, with status 400. The PDF files are printed, so that what reads
them really reads; the same SIREN always gives the same file.
"""

import base64
import random
import secrets
import string
from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

import orjson
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from stdnum import luhn

from sandbox.clock import CLOCK
from sandbox.pdf import print_pdf
from sandbox.personas import Company, company

CLIENT: Final = ("sandbox", "sandbox")
ID_CLIENT: Final = "sandbox"
EXPIRES_IN: Final = 3600
_HEADERS: Final = (
    (b"content-type", b"application/json;charset=UTF-8"),
    (b"cache-control", b"no-cache, no-store, max-age=0"),
    (b"x-correlationid", b"5f0c2a"),
    (b"x-correlationid", b"5f0c2a-1"),
    (b"set-cookie", b"JSESSIONID=invente; Path=/; HttpOnly"),
)
_MESSAGES: Final = {
    "FUNC429": "Nombre maximal de demandes atteint",
    "FUNC501": "Siren inconnu",
    "FUNC502": "Délivrance impossible",
    "FUNC503": "Analyse manuelle nécessaire",
    "FUNC504": "Analyse manuelle en cours",
    "FUNC517": "Siren inconnu",
}


@dataclass
class DailyQuota:
    """Requests of the day by SIREN; mutable on purpose. Off unless `limit` is set (the real one is 10)."""

    limit: int | None = None
    calls: Counter[tuple[date, str]] = field(default_factory=Counter)

    def used_up(self, siren: str) -> bool:
        if self.limit is None:
            return False
        today = (CLOCK().date(), siren)
        self.calls[today] += 1
        return self.calls[today] > self.limit


QUOTA = DailyQuota()
TOKENS: set[str] = set()
"""Tokens given since the start; a test empties it to have one refused."""


async def token(request: Request) -> Response:
    """OAuth2 client credentials."""
    form = await request.form()
    if (form.get("client_id"), form.get("client_secret")) != CLIENT:
        return JSONResponse({"error": "invalid_client"}, 401)
    if form.get("grant_type") != "client_credentials" or form.get("scope") != "attn.api_entreprise":
        return JSONResponse({"error": "invalid_scope"}, 400)
    given = secrets.token_urlsafe(24)
    TOKENS.add(given)
    return JSONResponse(
        {"access_token": given, "token_type": "Bearer", "expires_in": EXPIRES_IN},
        headers={"X-Rate-Limit": '[{"window":0,"type":"throttle","remaining":1500}]'},
    )


async def demande(request: Request) -> Response:
    """A certificate, or the codes of an outcome."""
    if request.headers.get("authorization", "").removeprefix("Bearer ") not in TOKENS:
        return _raw(b'{"error":"invalid_token"}', 401)
    asked = _asked(await request.body())
    if asked is None:
        return _errors("FUNC500")
    known = company(asked)
    if known is None:
        return _errors("FUNC517")
    if QUOTA.used_up(asked):
        return _errors("FUNC429")
    return _answer(known)


def _asked(body: bytes) -> str | None:
    """The SIREN of a well-formed request; the order of its keys doesn't matter."""
    try:
        asked: Any = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(asked, dict) or asked.get("typeAttestation") != "AVG_UR" or asked.get("idClient") != ID_CLIENT:
        return None
    siren, siret = asked.get("siren"), asked.get("beneficiaire")
    if not isinstance(siren, str) or not isinstance(siret, str) or len(siren) != 9 or len(siret) != 14:
        return None
    return siren if luhn.is_valid(siren) and (luhn.is_valid(siret) or siret.startswith("356000000")) else None


def _answer(known: Company) -> Response:
    chance = known.draw("acoss")
    match known.fate("acoss"):
        case "panne":
            return _raw(b"<html>Service indisponible</html>", 503, b"text/html")
        case "refus":
            return _errors("FUNC502")
        case "hors_perimetre" | "interdite":
            return _errors("FUNC517")
    if known.duplicate_of:
        return _errors("FUNC517")
    if known.slug or chance.random() < 0.8:
        return _raw(base64.b64encode(certificate(known.siren)), 200)
    return _other(chance)


def _other(chance: random.Random) -> Response:
    """One of the outcomes that are not a certificate."""
    outcome = chance.choice((
        ("FUNC502",), ("FUNC502",), ("FUNC502",), ("FUNC517",), ("FUNC517",), ("FUNC501",), ("FUNC503",), ("FUNC504",),
        ("FUNC429",), (f"FUNC{chance.randint(510, 516)}",), ("FUNC511", "FUNC517"), (),
    ))  # fmt: skip
    if outcome:
        return _errors(*outcome)
    page = "<html><body><h1>Une erreur est survenue sur le serveur</h1></body></html>"
    return _raw(page.encode(), 404, b"text/html;charset=UTF-8")


def _errors(*codes: str) -> Response:
    errors = [
        {"code": code, "message": _MESSAGES.get(code, "Erreur interne"), "description": f"{code} (bac à sable)"}
        for code in codes
    ]
    return _raw(orjson.dumps(errors), 400)


def _raw(body: bytes, status: int, media_type: bytes = b"application/json;charset=UTF-8") -> Response:
    response = Response(body, status)
    response.raw_headers = [
        (b"content-length", str(len(body)).encode()),
        *((name, media_type if name == b"content-type" else value) for name, value in _HEADERS),
    ]
    return response


# --- The certificate -----------------------------------------------------------------------------


def certificate(siren: str) -> bytes:
    """The PDF of a company: two pages, sometimes more; now and then one that can't be read."""
    known = company(siren)
    if known is None:
        raise ValueError(siren)
    chance = known.draw("acoss/pdf")
    code = "".join(chance.choices(string.ascii_uppercase + string.digits, k=15))
    on = CLOCK.recent_day(chance, 60)
    readable = bool(known.slug) or chance.random() < 0.97
    pages = [_cover(known, code, on), _declaration(known, on)] if readable else [_cover(known, code, on)]
    if not known.slug and chance.random() < 0.1:
        pages.append("")
    return print_pdf(*pages)


def _cover(known: Company, code: str, on: date) -> str:
    return (
        "URSSAF\n"
        "ATTESTATION DE VIGILANCE\n"
        f"Entreprise : {known.display_name}\n"
        f"SIREN : {known.siren}\n"
        "Code de sécurité\n"
        f"{code}\n"
        f"Document d'exemple du bac à sable, fait le {on:%d/%m/%Y}.\n"
    )


def _declaration(known: Company, on: date) -> str:
    if known.is_person:
        return (
            "L'entreprise est à jour de ses obligations de déclaration et de paiement (cotisations, contribution à la "
            f"formation professionnelle - CFP) exigibles au {on:%d/%m/%Y}.\n"
        )
    return (
        "L'entreprise déclare un effectif moyen mensuel conforme à la période analysée. Elle est à jour de ses "
        f"obligations en matière de cotisations de sécurité sociale à la date du {on:%d/%m/%Y}.\n"
    )


ROUTES: list[Route] = [
    Route("/api/oauth/v1/token", token, methods=["POST"]),
    Route("/attn/entreprise/v1/demandes/api_entreprise", demande, methods=["POST"]),
]
