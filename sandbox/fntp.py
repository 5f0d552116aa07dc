"""FNTP, simulated: cards as bare PDF sent in chunks, without length nor file name; an empty 404 otherwise."""

from collections.abc import AsyncIterator
from functools import lru_cache
from typing import Final

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from stdnum import luhn

from sandbox.pdf import print_pdf
from sandbox.personas import Company, company

TOKEN: Final = "sandbox"
_PUBLIC_WORKS: Final = ("42.", "43.12", "43.99")
_CHUNK: Final = 512


async def carte(request: Request) -> Response:
    """The card of one company. What the real service answers to a wrong token was never seen: 403 here."""
    if request.query_params.get("token") != TOKEN:
        return Response(status_code=403)
    siren = request.path_params["siren"]
    known = company(siren) if len(siren) == 9 and siren.isascii() and luhn.is_valid(siren) else None
    return _not_found() if known is None else _answer(known)


def _answer(known: Company) -> Response:
    match known.fate("fntp"):
        case "panne":
            return Response("<html>Service indisponible</html>", 503, media_type="text/html")
        case "refus" | "hors_perimetre" | "interdite":
            return _not_found()
    if known.duplicate_of or (known.slug and not known.naf.startswith(_PUBLIC_WORKS)):
        return _not_found()
    chance = known.draw("fntp")
    if known.slug or chance.random() < 0.8:
        return _card(card(known.siren))
    outcome = chance.choice(("introuvable", "introuvable", "introuvable", "panne", "vide", "page"))
    match outcome:
        case "panne":
            return Response("<html>Erreur interne</html>", 500, media_type="text/html")
        case "vide":
            return _card(b"")
        case "page":
            return _card(b"<html>Carte</html>")
    return _not_found()


def _card(content: bytes) -> Response:
    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(content), _CHUNK):
            yield content[start : start + _CHUNK]

    return StreamingResponse(
        chunks(),
        media_type="application/pdf",
        headers={
            "Content-Language": "fr-FR",
            "Expires": "Thu, 01 Jan 1970 00:00:00 GMT",
            "Cache-Control": "no-cache, no-store, max-age=0",
        },
    )


def _not_found() -> Response:
    return Response(status_code=404, headers={"Content-Type": "text/plain"})


@lru_cache(maxsize=512)
def card(siren: str) -> bytes:
    """The printed card: always the same bytes for the same SIREN."""
    page = (
        f"FNTP (BAC A SABLE)\nCARTE PROFESSIONNELLE D'ENTREPRENEUR DE TRAVAUX PUBLICS\nSIREN {siren}\n"
        "Validité : année 2025. Métiers : terrassement, voirie et réseaux divers."
    )
    return print_pdf(page)


ROUTES: list[Route] = [Route("/rip/sgmap/{siren}/cartepro", carte)]
