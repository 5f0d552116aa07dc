"""PRO BTP, simulated: status 200 for functional errors, the verdict in `entete.code`, a PDF as base64 in JSON.

Mutual TLS belongs to deployments: here the service speaks plain HTTP. Some answers are pretty-printed, and some carry
dozens of tracing headers, as the real ones do.
"""

import base64
import json
import random
from typing import Any, Final

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.clock import CLOCK
from sandbox.pdf import print_pdf
from sandbox.personas import Company, Site, site

_COVERED: Final = frozenset({"clair-vallon", "terrassement", "groupe", "en-defaut"})
"""Personas bound to PRO BTP; the others are of other trades."""
_OVERSEAS: Final = ("97", "98")
_OUTCOMES: Final = ("a_jour", "en_retard", "inconnu", "panne_technique", "autre_reponse", "reponse_nulle")
_WEIGHTS: Final = (76, 10, 10, 2, 1, 1)


async def statut(request: Request) -> Response:
    """Whether the account is up to date."""
    siret = _asked(await request.body())
    outcome, known = _outcome(siret)
    match outcome:
        case "a_jour":
            content: dict[str, Any] = {"entete": {"code": "0"}, "corps": "00 Le compte est à jour (bac à sable)."}
        case "en_retard":
            content = {"entete": {"code": "0"}, "corps": "01 Le compte n'est pas à jour (bac à sable)."}
        case "autre_reponse":
            content = {"entete": {"code": "0"}, "corps": "02 Réponse d'une autre forme (bac à sable)."}
        case "reponse_nulle":
            content = {"entete": {"code": "0"}, "corps": None}
        case _:
            return _without_answer(outcome, siret, known)
    return _json(content, known)


async def attestation(request: Request) -> Response:
    """The certificate of an account that is up to date."""
    siret = _asked(await request.body())
    outcome, known = _outcome(siret)
    match outcome:
        case "en_retard":
            message = "01 Le compte n'est pas à jour (bac à sable)."
            return _json({"entete": {"code": "8", "message": message}}, known)
        case "a_jour" | "autre_reponse" | "reponse_nulle":
            return _json({"entete": {"code": "0"}, "data": base64.b64encode(certificate(siret)).decode()}, known)
    return _without_answer(outcome, siret, known)


def _asked(body: bytes) -> str:
    """The bare SIRET of a well-formed request."""
    try:
        asked: Any = orjson.loads(body)
    except orjson.JSONDecodeError:
        return ""
    siret = asked.get("corps") if isinstance(asked, dict) else None
    return siret if isinstance(siret, str) and len(siret) == 14 and siret.isdigit() else ""


def _outcome(siret: str) -> tuple[str, Company | None]:
    if not siret:
        return "panne_technique", None
    found = site(siret)
    if found is None:
        return "inconnu", None
    known, place = found
    match known.fate("probtp"):
        case "panne":
            return "indisponible", known
        case "refus":
            return "en_retard", known
        case "hors_perimetre" | "interdite":
            return "inconnu", known
    return (_drawn(known) if _in_perimeter(known, place) else "inconnu"), known


def _in_perimeter(known: Company, place: Site) -> bool:
    """Metropolitan France, and no association."""
    overseas = place.address.postcode.startswith(_OVERSEAS)
    return not known.duplicate_of and not overseas and not known.legal_form.startswith("92")


def _drawn(known: Company) -> str:
    if known.slug:
        return "a_jour" if known.slug in _COVERED else "inconnu"
    return known.draw("probtp").choices(_OUTCOMES, _WEIGHTS)[0]


def _without_answer(outcome: str, siret: str, known: Company | None) -> Response:
    if outcome == "indisponible":
        return Response("<html>Service indisponible</html>", 503, media_type="text/html")
    if outcome == "inconnu":
        return _json({"entete": {"code": "8", "message": f"Le SIRET {siret} est inconnu (bac à sable)."}}, known)
    return _json({"entete": {"code": "4", "message": "Réessayez plus tard (bac à sable)."}}, known)


def _json(content: dict[str, Any], known: Company | None) -> Response:
    chance = known.draw("probtp/forme") if known is not None else random.Random(0)
    pretty = chance.random() < 0.3
    body = (
        json.dumps(content, ensure_ascii=False, indent=2, separators=(",", " : ")) if pretty else _compact(content)
    ).encode()
    response = Response(body)
    response.raw_headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    if chance.random() < 0.3:
        response.raw_headers += _tracing()
    return response


def _compact(content: dict[str, Any]) -> str:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))


def _tracing() -> list[tuple[bytes, bytes]]:
    """About six kilobytes of headers, with bytes that are not ASCII."""
    text = "PRE-MATCH   [ ---- / 12.34 ms |  ---- %] RequestFilter appliqué ".encode() + b"x" * 80
    return [(f"x-jersey-tracing-{rank:03d}".encode(), text) for rank in range(35)]


# --- The certificate -----------------------------------------------------------------------------


def certificate(siret: str) -> bytes:
    """The PDF of an establishment, always the same."""
    found = site(siret)
    if found is None:
        raise ValueError(siret)
    known, _ = found
    chance = known.draw("probtp/pdf")
    on = CLOCK.recent_day(chance)
    return print_pdf(
        "PRO BTP\n"
        "ATTESTATION DE COTISATIONS\n"
        f"Entreprise : {known.display_name}\n"
        f"SIRET : {siret}\n"
        "Contrats : retraite complémentaire, prévoyance\n"
        f"Les cotisations dues au {on:%d.%m.%Y} sont payées.\n"
        "Document d'exemple du bac à sable.\n"
    )


ROUTES: list[Route] = [
    Route("/ws_ext/rest/certauth/mpsservices/getStatutCotisation", statut, methods=["POST"]),
    Route("/ws_ext/rest/certauth/mpsservices/getAttestationCotisation", attestation, methods=["POST"]),
]
