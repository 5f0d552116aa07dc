"""Data.Subvention, simulated: a login that ends the previous token, and grants whose every leaf is an object.

It knows the associations of API Association's simulator. A company that isn't one is told so.
"""

import random
import secrets
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from email.utils import format_datetime
from typing import Any, Final

import orjson
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.clock import CLOCK
from sandbox.ministere_interieur import Known, association
from sandbox.personas import RNA_SANS_SIREN, Company

ACCOUNT: Final = ("sandbox", "sandbox")
EXPIRES_IN: Final = timedelta(days=2)

_SYSTEMS: Final = ("Osiris", "Le Compte Asso", "Dauphin", "Subventia")
_UPDATED: Final = "2025-03-03T00:00:00.000Z"
_STATES: Final = ("Accordé", "Accordé", "Accordé", "En instruction", "Refusé", "Inéligible", "")

Json = dict[str, Any]


@dataclass
class Account:
    """The one account: its living token, and its calls of the minute; mutable on purpose.

    The quota is off unless `limit` is set (the real one is 20 a minute and address).
    """

    token: str = ""
    limit: int | None = None
    calls: Counter[int] = field(default_factory=Counter)

    def used_up(self) -> bool:
        minute = int(CLOCK().timestamp()) // 60
        self.calls[minute] += 1
        return self.limit is not None and self.calls[minute] > self.limit


STATE = Account()


async def login(request: Request) -> Response:
    """A token of two days. It takes the place of the one before."""
    try:
        asked: Any = orjson.loads(await request.body())
    except orjson.JSONDecodeError:
        asked = None
    if not isinstance(asked, dict) or (asked.get("email"), asked.get("password")) != ACCOUNT:
        return _refusal(401, "Email ou mot de passe incorrect", code=1)
    STATE.token = secrets.token_urlsafe(24)
    now = CLOCK()
    jwt = {
        "token": STATE.token,
        "expirateDate": (now + EXPIRES_IN).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
    }
    body = {"user": {"_id": "65f0", "email": "compte@exemple.invalid", "roles": ["user"], "jwt": jwt}}
    return JSONResponse(body, headers={"Date": format_datetime(now, usegmt=True)})


async def grants(request: Request) -> Response:
    """All the grants of an association."""
    if not STATE.token or request.headers.get("x-access-token") != STATE.token:
        return _refusal(401, "Vous devez être connecté")
    if STATE.used_up():
        return Response("Too many requests", 429, headers={"RateLimit": "limit=20, remaining=0, reset=42"})
    return _answer(str(request.path_params["identifier"]))


def _answer(identifier: str) -> Response:
    known = association(identifier)
    owner = known.company if isinstance(known, Known) else known
    match owner.fate("data_subvention") if owner is not None else "":
        case "panne":
            return Response("<html>Indisponible</html>", 503, media_type="text/html")
        case "hors_perimetre" | "interdite" | "refus":
            return _refusal(404, "Association introuvable")
    if known is None:
        return _refusal(404, "Association introuvable", code=3)
    if isinstance(known, Company):
        return _refusal(422, "Cet identifiant n'est pas celui d'une association")
    chance = known.draw("data_subvention")
    if known.company is None and known.rna != RNA_SANS_SIREN and chance.random() < 0.2:
        return _other(chance)
    items = _items(known, chance)
    return JSONResponse(
        {"subventions": items, "count": len(items)}, headers={"RateLimit": "limit=20, remaining=19, reset=60"}
    )


def _other(chance: random.Random) -> Response:
    match chance.choice(("vide", "vide", "vide", "inconnue", "partage", "interne")):
        case "vide":
            return JSONResponse({"subventions": [], "count": 0})
        case "inconnue":
            return _refusal(404, "Association introuvable")
        case "partage":
            return _refusal(400, "Plusieurs associations partagent cet identifiant", code=2)
    return _refusal(500, "Internal error")


def _refusal(status: int, message: str, *, code: int | None = None) -> Response:
    return JSONResponse({"message": message, **({} if code is None else {"code": code})}, status)


# --- Grants --------------------------------------------------------------------------------------


def _items(known: Known, chance: random.Random) -> list[Json]:
    """An application alone, payments alone, both joined, a FONJEP payment; all of them for a persona."""
    whole = known.company is not None or known.rna == RNA_SANS_SIREN
    kinds = ["jointe", "demande", "paiement", "fonjep"] if whole else chance.choices(
        ("jointe", "demande", "paiement", "fonjep"), k=chance.randint(1, 6)
    )  # fmt: skip
    return [_item(known, kind, 2024 - rank, chance) for rank, kind in enumerate(kinds)]


def _item(known: Known, kind: str, year: int, chance: random.Random) -> Json:
    system = chance.choice(_SYSTEMS)
    reference = f"{year % 100}/{chance.randint(1, 9_999_999):07d}"
    amount = chance.randint(5, 400) * 100
    application = _application(known, system, year, reference, amount, chance)
    match kind:
        case "demande":
            return {"application": application, "payments": None}
        case "jointe":
            return {"application": application, "payments": [_chorus(year, reference, amount + 0.5)]}
        case "paiement":
            return {"application": None, "payments": [_chorus(year, str(2_300_000_000 + amount), amount + 0.5)]}
    return {"application": None, "payments": [_fonjep(year, amount)]}


def _leaf(value: Any, provider: str, kind: str = "string") -> Json:
    return {"value": value, "provider": provider, "last_update": _UPDATED, "type": kind}


def _application(known: Known, system: str, year: int, reference: str, amount: int, chance: random.Random) -> Json:
    siret = known.company.head_office.siret if known.company else "00000000000000"
    state = chance.choice(_STATES)
    # Now and then the day of the commission makes no sense.
    day = "1970-01-01T00:00:45.000Z" if chance.random() < 0.1 else f"{year}-06-14T22:00:00.000Z"
    application: Json = {
        "siret": _leaf(siret, system),
        "annee_demande": _leaf(year, system, "number"),
        "dispositif": _leaf("FDVA 2", system),
        "sous_dispositif": _leaf("Fonctionnement", system),
        "versementKey": _leaf(reference, system),
        "service_instructeur": _leaf("SDJES d'exemple", system),
        "date_commision": _leaf(day, system, "object"),
        "statut_label": _leaf(state, system),
        "status": _leaf("closed", system),
        "contact": {
            "email": _leaf("contact@association.invalid", system),
            "telephone": _leaf("0200000001", system),
        },
        "montants": {
            "demande": _leaf(amount, system, "number"),
            "total": _leaf(amount * 3, system, "number"),
            **({"accorde": _leaf(amount, system, "number")} if state == "Accordé" else {}),
        },
    }
    if chance.random() < 0.7:
        application["actions_proposee"] = [
            {
                "rang": _leaf(1, system, "number"),
                "intitule": _leaf("Accueil du public", system),
                "objectifs": _leaf("Ouvrir le lieu chaque semaine", system),
                "modalite_aide": _leaf("Aide annuelle", system),
                "nature_aide": _leaf("Aide en numéraire", system),
                "cofinanceurs": {"noms": _leaf("Commune d'exemple;Département d'exemple", system)},
            }
        ]
    return application


def _chorus(year: int, reference: str, amount: float) -> Json:
    return {
        "ej": _leaf(f"{year}000001", "Chorus"),
        "versementKey": _leaf(reference, "Chorus"),
        "siret": _leaf("00000000000000", "Chorus"),
        "amount": _leaf(amount, "Chorus", "number"),
        "dateOperation": _leaf(f"{year}-09-08T00:00:00.000Z", "Chorus", "object"),
        "centreFinancier": _leaf("0163-CDJE-DR35", "Chorus"),
        "domaineFonctionnel": _leaf("0163-01-08", "Chorus"),
        "activitee": _leaf("016350010804", "Chorus"),
        "bop": _leaf("0163", "Chorus"),
        "programme": _leaf(163, "Chorus", "number"),
        "libelleProgramme": _leaf("Jeunesse et vie associative", "Chorus"),
    }


def _fonjep(year: int, amount: int) -> Json:
    """No engagement: it isn't paid through Chorus."""
    return {
        "versementKey": _leaf(f"J{year}", "Fonjep"),
        "codePoste": _leaf(f"J{year}", "Fonjep"),
        "amount": _leaf(amount, "Fonjep", "number"),
        "dateOperation": _leaf(f"{year}-03-31T00:00:00.000Z", "Fonjep", "object"),
    }


ROUTES: list[Route] = [
    Route("/auth/login", login, methods=["POST"]),
    Route("/association/{identifier}/grants", grants, methods=["GET"]),
]
