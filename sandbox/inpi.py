"""The PI gateway of the INPI, simulated: login, rotating XSRF token, searches in three collections.

The token of the cookie and that of the header must be the same; each answer gives a new one. Nothing found is a 204
or an empty list. Titles are escaped as for HTML, a value comes alone or in a list, and some answers are XML.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from html import escape
from random import Random
from typing import Any, Final

import orjson
from lxml import etree
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from stdnum import luhn

from sandbox.personas import Company, company

Json = dict[str, Any]

ACCOUNT: Final = ("sandbox", "sandbox")
EXPIRES_IN: Final = 1800
_HOLDERS: Final = {"brevets": "TISI", "marques": "ApplicantIdentifier", "modeles": "ApplicantIdentifier"}
_OFFICES: Final = {
    "brevets": {"FR", "EP", "WO", "CCP"},
    "marques": {"FR", "EU", "WO"},
    "modeles": {"FR", "WO"},
}
_ROOTS: Final = {"brevets": "patentSearch", "marques": "trademarkSearch", "modeles": "designSearch"}
_WORDS: Final = ("Charnière", 'Machine "givre"', "Dispositif d'essai", "Appareil", "Siège & table")


@dataclass
class Conduite:
    """Sessions given since the start; a test empties it. `nodes` is how many calls meet a node without the service."""

    sessions: set[str] = field(default_factory=set)
    nodes: int = 0
    strict: bool = False
    """Whether only the newest XSRF token is taken."""
    newest: str = ""


CONDUITE = Conduite()


async def authenticate(_request: Request) -> Response:
    """Answers 401 on purpose: only its cookie matters."""
    return _answer(401, b'{"title":"Unauthorized","status":401}')


async def login(request: Request) -> Response:
    if not _xsrf(request):
        return _answer(403, b"Invalid CSRF Token", "text/plain")
    asked = _read(await request.body())
    if (asked.get("username"), asked.get("password")) != ACCOUNT:
        return _answer(401, b'{"title":"Unauthorized"}')
    access, refresh = secrets.token_urlsafe(24), secrets.token_urlsafe(24)
    CONDUITE.sessions.add(f"{access} {refresh}")
    response = _answer(200, orjson.dumps({"expires_in": EXPIRES_IN}))
    response.headers.append("set-cookie", f"access_token={access}; Path=/; HttpOnly; Secure")
    response.headers.append("set-cookie", f"refresh_token={refresh}; Path=/; HttpOnly; Secure")
    return response


def _xsrf(request: Request) -> bool:
    shown, sent = request.cookies.get("XSRF-TOKEN"), request.headers.get("x-xsrf-token")
    return bool(shown) and shown == sent and (not CONDUITE.strict or shown == CONDUITE.newest)


def _answer(status: int, body: bytes, media_type: str = "application/json") -> Response:
    response = Response(body, status, media_type=media_type)
    CONDUITE.newest = secrets.token_hex(16)
    response.headers.append("set-cookie", f"XSRF-TOKEN={CONDUITE.newest}; Path=/; Secure")
    response.headers["x-rate-limit-remaining"] = "9000"
    response.headers["x-size-limit-remaining"] = "9000000000"
    return response


def _read(body: bytes) -> Json:
    try:
        asked = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return asked if isinstance(asked, dict) else {}


async def search(request: Request) -> Response:
    kind = request.path_params["kind"]
    session = f"{request.cookies.get('access_token')} {request.cookies.get('session_token')}"
    if CONDUITE.nodes:
        CONDUITE.nodes -= 1
        response = _answer(405, b"")
        response.headers["allow"] = "GET"
        return response
    if session not in CONDUITE.sessions:
        return _answer(401, b'{"title":"Unauthorized"}')
    if not _xsrf(request):
        return _answer(403, b"Invalid CSRF Token", "text/plain")
    if kind not in _HOLDERS:
        return _answer(404, b"")
    asked = _read(await request.body())
    offices, query = asked.get("collections"), str(asked.get("query", ""))
    prefix = f"[{_HOLDERS[kind]}="
    siren = query.removeprefix(prefix).removesuffix("]")
    if not isinstance(offices, list) or not set(offices) <= _OFFICES[kind] or query != f"{prefix}{siren}]":
        return _answer(500, b'{"title":"Internal Server Error"}')
    return _found(kind, siren, asked)


def _found(kind: str, siren: str, asked: Json) -> Response:
    known = company(siren) if len(siren) == 9 and luhn.is_valid(siren) else None
    if known is None or known.duplicate_of or known.fate("inpi") in ("hors_perimetre", "interdite"):
        return _answer(204, b"")
    chance = known.draw(f"inpi/{kind}")
    if known.fate("inpi") == "panne" or (not known.slug and chance.random() < 0.01):
        return _answer(503, b"<html>Service Unavailable</html>", "text/html")
    titles = _titles(known, kind, chance)
    if not titles:
        return (
            _answer(204, b"") if chance.random() < 0.7 else _answer(200, b'{"metadata": {"count": 0}, "results": []}')
        )
    start, size = int(asked.get("position", 0)), int(asked.get("size", 20))
    wanted = set(asked.get("fields") or ())
    results = [_result(kind, known, rank, chance, wanted) for rank in titles[start : start + size]]
    if not known.slug and chance.random() < 0.1:
        return _answer(200, _xml(kind, len(titles), results), "application/xml")
    return _answer(200, orjson.dumps({"metadata": {"count": len(titles)}, "results": results}))


def _titles(known: Company, kind: str, chance: Random) -> range:
    """How many titles: personas that make things hold some; of anyone else, one in three does."""
    if known.slug:
        counts = {"clair-vallon": 2, "groupe": 31, "fournil": 1 if kind == "marques" else 0}
        return range(counts.get(known.slug, 0))
    return range(chance.choice((0, 0, 0, 1, 2, 25)))


def _result(kind: str, known: Company, rank: int, chance: Random, wanted: set[str]) -> Json:
    number = f"99{known.siren[:4]}{rank:03d}"
    fields = [_field(name, value, chance) for name, value in _FIELDS[kind](known, number, chance) if name in wanted]
    href = f"https://exemple.invalid/{kind}/notice/FR{number}"
    return {"documentId": f"FR{number}", "fields": fields, "xml": {"href": href}}


def _field(name: str, value: str, chance: Random) -> Json:
    return {"name": name, "value": value} if chance.random() < 0.7 else {"name": name, "values": [value]}


def _brevet(known: Company, number: str, chance: Random) -> list[tuple[str, str]]:
    year = max(known.created.year, 2000)
    return [
        ("TIT", escape(chance.choice(_WORDS))),
        ("PUBD", f"{year + 2}0214"),
        ("DEPD", f"{year}0811"),
        ("PUBN", f"<country>FR</country><doc-number>{number}</doc-number><kind>A1</kind>"),
    ]


def _marque(known: Company, number: str, chance: Random) -> list[tuple[str, str]]:
    said = [
        ("ApplicationNumber", number),
        ("MarkCurrentStatusCode", chance.choice(("Marque enregistrée", "MARQUE_ENREGISTRÉE", "Demande publiée"))),
        ("DEPOSANT", escape(known.display_name)),
        ("ukey", f"FMARK|{number}"),
    ]
    figurative = not known.slug and chance.random() < 0.2
    return said if figurative else [*said, ("Mark", escape(known.display_name))]


def _modele(known: Company, number: str, chance: Random) -> list[tuple[str, str]]:
    year = max(known.created.year, 2000)
    return [
        ("DesignTitle", escape(chance.choice(_WORDS))),
        ("PublicationDate", f"{year}1105"),
        ("DesignApplicationDate", f"{year}0811"),
        ("DesignApplicationNumber", f"{year}{number[:4]}"),
        ("TotalRepresentationSheet", str(chance.randint(1, 12))),
        ("DEPOSANT", escape(known.display_name)),
        ("ClassNumber", "06-01"),
        ("DesignReference", f"{number}-001"),
    ]


_FIELDS: Final[dict[str, Callable[[Company, str, Random], list[tuple[str, str]]]]] = {
    "brevets": _brevet,
    "marques": _marque,
    "modeles": _modele,
}


def _xml(kind: str, count: int, results: list[Json]) -> bytes:
    root = etree.Element(_ROOTS[kind])
    etree.SubElement(etree.SubElement(root, "metadata"), "count").text = str(count)
    shown = etree.SubElement(root, "results")
    for result in results:
        node = etree.SubElement(shown, "result", {"documentId": result["documentId"]})
        fields = etree.SubElement(node, "fields")
        for said in result["fields"]:
            field_ = etree.SubElement(fields, "field", {"name": said["name"]})
            holder = field_ if "value" in said else etree.SubElement(field_, "values")
            etree.SubElement(holder, "value").text = said.get("value") or said["values"][0]
    return etree.tostring(root, encoding="utf-8", xml_declaration=True)


ROUTES: list[Route] = [
    Route("/services/uaa/api/authenticate", authenticate, methods=["GET"]),
    Route("/auth/login", login, methods=["POST"]),
    Route("/services/apidiffusion/api/{kind}/search", search, methods=["POST"]),
]
