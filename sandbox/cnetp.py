"""CNETP, simulated: certificates as bare PDF; a "not found" comes labelled as a PDF too, in ISO-8859-1.

Wrong secrets are answered 401, which the real service also answers during its daily processing.
"""

from functools import lru_cache
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from stdnum import luhn

from sandbox.pdf import print_pdf
from sandbox.personas import Company, company

CREDENTIALS: Final = ("sandbox", "sandbox")
_PUBLIC_WORKS: Final = ("42.", "43.12", "43.99")


async def attestations(request: Request) -> Response:
    """The certificate of one company."""
    asked = request.query_params
    if (asked.get("id"), asked.get("jeton")) != CREDENTIALS:
        return Response("Accès refusé", 401, media_type="text/plain")
    siren = asked.get("siren", "")
    known = company(siren) if len(siren) == 9 and siren.isascii() and luhn.is_valid(siren) else None
    if known is None:
        return _not_found()
    return _answer(known)


def _answer(known: Company) -> Response:
    match known.fate("cnetp"):
        case "panne":
            return Response("<html>Service indisponible</html>", 503, media_type="text/html")
        case "refus" | "hors_perimetre" | "interdite":
            return _not_found()
    if known.duplicate_of or (known.slug and not known.naf.startswith(_PUBLIC_WORKS)):
        return _not_found()
    chance = known.draw("cnetp")
    if known.slug or chance.random() < 0.75:
        return _certificate(certificate(known.siren))
    return chance.choice(
        (
            _not_found(),
            _not_found(),
            _not_found(),
            Response("Traitement quotidien en cours", 401, media_type="text/plain"),
            Response("<html>Erreur</html>", 500, media_type="text/html"),
            _certificate(b""),
            _certificate(b"<html>Attestation</html>"),
        )
    )


def _certificate(content: bytes) -> Response:
    return Response(
        content,
        media_type="application/pdf",
        headers={
            "Content-Disposition": 'form-data; name="attestation.pdf"; filename="attestation.pdf"',
            "Cache-Control": "no-cache, no-store, max-age=0, must-revalidate",
        },
    )


def _not_found() -> Response:
    sentence = "Aucune attestation n'a été trouvée pour cette société".encode("latin-1")
    return Response(sentence, 404, headers={"Content-Type": "application/pdf;charset=ISO-8859-1"})


@lru_cache(maxsize=512)
def certificate(siren: str) -> bytes:
    """The printed certificate: always the same bytes for the same SIREN."""
    page = (
        f"CNETP (BAC A SABLE)\nATTESTATION CONGES PAYES ET CHOMAGE INTEMPERIES\nSIREN {siren}\n"
        "L'entreprise est à jour de ses cotisations."
    )
    return print_pdf(page)


ROUTES: list[Route] = [Route("/webservice/doc/attestations/entreprises", attestations)]
