"""Customs' EORI service, simulated: one object under an upper-case key, errors as texts under `erreur`.

The real reason phrases are French and may hold a raw Latin-1 byte, which an ASGI server doesn't let us write.
What the real service answers to a wrong `idClient` was never seen: 403 here.
"""

import random
import re
from typing import Any, Final

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from stdnum import luhn

from sandbox.personas import Company, Site, company, site

ID_CLIENT: Final = "sandbox"
_FORM: Final = re.compile(r"[A-Z]{2}.{1,15}\Z")
_COUNTRIES: Final = {
    "DE": ("ALLEMAGNE", "MUSTER SPEDITION GMBH", "HAFENSTR 4", "20457", "HAMBURG"),
    "ES": ("ESPAGNE", "EJEMPLO COMERCIO SL", "CALLE DE LA MUESTRA 2", "28001", "MADRID"),
    # Accents are lost on the way from abroad: a character is simply missing.
    "PT": ("PORTUGAL", "MODELO EXPORTAES LDA", "RUA DO EXEMPLO 9", "1000-001", "LISBOA"),
}
_OUT: Final = frozenset({"les-genets", "gaec", "fournil"})
"""Personas that don't trade outside the Union."""


async def eori(request: Request) -> Response:
    """The registration of one operator, by SIRET or by EORI number."""
    if request.query_params.get("idClient") != ID_CLIENT:
        return _error(403, "Forbidden", "TECH001", "Client inconnu")
    number = request.path_params["numero"]
    if not number.isascii() or not (luhn.is_valid(number) or _FORM.match(number)):
        return _malformed()
    if _FORM.match(number) and not number.startswith("FR"):
        return _foreign(number)
    inner = number.removeprefix("FR")
    if len(inner) not in (9, 14) or not inner.isdigit():
        return _malformed()
    found = _operator(inner)
    return _unknown(number) if found is None else _answer(number, *found)


def _operator(inner: str) -> tuple[Company, Site] | None:
    if len(inner) == 14:
        return site(inner)
    known = company(inner) if luhn.is_valid(inner) else None
    return (known, known.head_office) if known and known.sites else None


def _answer(number: str, known: Company, place: Site) -> Response:
    match known.fate("douanes"):
        case "panne":
            return Response("<html>Service indisponible</html>", 503, media_type="text/html")
        case "refus" | "hors_perimetre" | "interdite":
            return _unknown(number)
    chance = known.draw("douanes")
    drawn = chance.random()
    if known.duplicate_of or known.slug in _OUT or (not known.slug and drawn < 0.15):
        return _unknown(number)
    by_siren = known.slug == "filiale" or (not known.slug and drawn > 0.7)
    address = place.address
    return _registration(
        identifiant="FR" + (known.siren if by_siren else place.siret),
        actif=known.ceased is None and (bool(known.slug) or drawn < 0.9),
        libelle=known.display_name,
        rue=f"{address.number} {address.street_type} {address.street}",
        codePostal=address.postcode,
        ville=address.town,
        pays="FRANCE",
        codePays="FR",
    )


def _foreign(number: str) -> Response:
    country = number[:2]
    if country not in _COUNTRIES or random.Random(number).random() < 0.1:
        return _unknown(number)
    name, operator, street, postcode, town = _COUNTRIES[country]
    return _registration(
        identifiant=number,
        actif=True,
        libelle=operator,
        rue=street,
        codePostal=postcode,
        ville=town,
        pays=name,
        codePays=country,
    )


def _registration(**values: object) -> Response:
    return _json({"EORI": values})


def _unknown(number: str) -> Response:
    return _error(404, "Not found", "FONC001", f"Numero {number} absent du fichier")


def _malformed() -> Response:
    answer = _error(400, "Bad Request", "TECH002", "Format du numero invalide")
    answer.headers["Connection"] = "close"
    return answer


def _error(status: int, message: str, code: str, label: str) -> Response:
    return _json({"erreur": {"status": str(status), "message": message, "code": code, "libelle": label}}, status)


def _json(body: dict[str, Any], status: int = 200) -> Response:
    return Response(orjson.dumps(body), status, headers={"Content-Type": "application/json;charset=UTF-8"})


ROUTES: list[Route] = [Route("/eori/{numero}", eori)]
