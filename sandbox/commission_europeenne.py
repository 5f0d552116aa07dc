"""VIES, simulated: HTTP 200 for everything, the outages of the French administration included."""

import random
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from stdnum import luhn

from sandbox.clock import CLOCK
from sandbox.personas import Company, company

"""The instant of every check: fixed, so that the same SIREN always gives the same answer."""
_WITHOUT: Final = frozenset({"kerdoncuf", "les-genets", "cessee"})
"""Personas without an active number: exempt, not subject, or struck off."""
_MATCHES: Final = ("Name", "Street", "PostalCode", "City", "CompanyType")
_PROXY_PAGE: Final = "<html><body>Access blocked. Please contact your network support team.</body></html>"


async def vat(request: Request) -> Response:
    """The check of one number, without its `FR`."""
    number = request.path_params["numero"]
    if len(number) != 11 or not number.isascii() or not number.isdigit():
        return _answer(number, "INVALID_INPUT")
    siren = number[2:]
    known = company(siren) if luhn.is_valid(siren) else None
    if known is None or int(number[:2]) != (12 + 3 * (int(siren) % 97)) % 97:
        return _answer(number, "INVALID")
    return _checked(number, known)


def _checked(number: str, known: Company) -> Response:
    match known.fate("commission_europeenne"):
        case "panne":
            return _answer(number, "MS_UNAVAILABLE")
        case "refus" | "hors_perimetre" | "interdite":
            return _answer(number, "INVALID")
    if known.duplicate_of or known.slug in _WITHOUT:
        return _answer(number, "INVALID")
    chance = known.draw("commission_europeenne")
    if known.slug or chance.random() < 0.78:
        return _answer(number, "VALID", known)
    return _other(number, known, chance)


def _other(number: str, known: Company, chance: random.Random) -> Response:
    word = chance.choice((
        *["INVALID"] * 8, "MS_UNAVAILABLE", "SERVICE_UNAVAILABLE", "TIMEOUT", "IP_BLOCKED", "MS_MAX_CONCURRENT_REQ",
        "MS_MAX_CONCURRENT_REQ_TIME", "GLOBAL_MAX_CONCURRENT_REQ", "GLOBAL_MAX_CONCURRENT_REQ_TIME", "VAT_BLOCKED",
        "enveloppe", "page",
    ))  # fmt: skip
    if word == "page":
        return Response(_PROXY_PAGE, media_type="text/html")
    if word == "enveloppe":
        error = {"error": "MS_MAX_CONCURRENT_REQ", "message": "Trop de demandes"}
        return JSONResponse({"actionSucceed": False, "errorWrappers": [error]})
    # Name and address may come even with this error.
    return _answer(number, word, known if word == "MS_MAX_CONCURRENT_REQ" else None)


def _answer(number: str, word: str, known: Company | None = None) -> Response:
    name, address = "", ""
    if known is not None:
        place = known.head_office.address
        name = known.display_name
        address = f"\n{place.number} {place.street_type} {place.street}\n{place.postcode} {place.town}"
    approximate: dict[str, Any] = dict.fromkeys(("name", "street", "postalCode", "city", "companyType"), "---")
    approximate.update({f"match{what}": 3 for what in _MATCHES})
    return JSONResponse(
        {
            "isValid": word == "VALID",
            "requestDate": CLOCK().isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "userError": word,
            "name": name,
            "address": address,
            "requestIdentifier": "",
            "originalVatNumber": number,
            "vatNumber": number,
            "viesApproximate": approximate,
        }
    )


async def status(_request: Request) -> Response:
    """What the service says of itself and of the administrations behind it."""
    states = {"DE": "Available", "EL": "Unavailable", "ES": "Monitoring Disabled", "FR": "Available"}
    countries = [{"countryCode": code, "availability": availability} for code, availability in states.items()]
    return JSONResponse({"vow": {"available": True}, "countries": countries})


ROUTES: list[Route] = [
    Route("/taxation_customs/vies/rest-api/ms/FR/vat/{numero}", vat),
    Route("/taxation_customs/vies/rest-api/check-status", status),
]
