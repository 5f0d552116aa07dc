"""The MSA, simulated: one letter in JSON. It knows its callers by their address, which is not simulated."""

from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.personas import Company, site

_FARMING: Final = ("01.", "02.", "03.")
"""Activities of the agricultural scheme, by the start of their NAF code."""
_LETTERS: Final = ("O", "N", "A", "S", "502", "504")
_WEIGHTS: Final = (70, 10, 8, 9, 2, 1)


async def cotisations(request: Request) -> Response:
    """The regularity of one establishment."""
    siret: str = request.path_params["siret"]
    found = site(siret) if len(siret) == 14 and siret.isdigit() else None
    if found is None:
        return _letter(siret, "S")
    known, _ = found
    match known.fate("msa"):
        case "panne":
            return Response("<html>Service Unavailable</html>", 503, media_type="text/html")
        case "refus":
            return _letter(siret, "N")
        case "hors_perimetre" | "interdite":
            return _letter(siret, "S")
    return _drawn(known, siret)


def _drawn(known: Company, siret: str) -> Response:
    if known.duplicate_of:
        return _letter(siret, "S")
    if known.slug:
        return _letter(siret, "O" if known.naf.startswith(_FARMING) else "S")
    outcome = known.draw("msa").choices(_LETTERS, _WEIGHTS)[0]
    match outcome:
        case "502":
            return _fault("502 Bad Gateway", 200)
        case "504":
            return _fault("504 Gateway Timeout", 400)
    return _letter(siret, outcome)


def _letter(siret: str, letter: str) -> Response:
    return JSONResponse({"TopRMPResponse": {"identifiantDebiteur": siret, "topRegMarchePublic": letter}})


def _fault(message: str, status: int) -> Response:
    return JSONResponse({"Erreur": {"Code": "soap:Server", "Message": message}}, status)


ROUTES: list[Route] = [Route("/cotisations/{siret}", cotisations)]
