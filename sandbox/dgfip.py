"""DGFIP's Adélie service, simulated: a token service and five operations behind it.

Its oddities are kept: an array of one comes as the object itself, "nothing" is written in several ways, faults come as a
JSON error under status 500 or as an ISO-8859-15 page under status 200, and a refused certificate is a PDF like a
granted one. A company's turnover is the same number in all operations.
"""

import random
import re
import secrets
from collections.abc import Callable, Iterable
from datetime import date
from functools import lru_cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Final

import orjson
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from stdnum import luhn

from sandbox.accounts import FIRST_YEAR, Taxpayer, holders, officer_share, taxpayer
from sandbox.pdf import print_pdf
from sandbox.personas import FILIALE, Company, company, site

CLIENT: Final = ("sandbox", "sandbox")
EXPIRES_IN: Final = 3600
TOKENS: set[str] = set()
"""Tokens given since the start; a test empties it to have one refused."""

_UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
_JSON_TYPE: Final = "application/json;charset=UTF-8"
_PAGE: Final = (
    '<html><head><meta http-equiv="Content-Type" content="text/html; charset=ISO-8859-15">'
    "<title>Erreur applicative à ADELIE</title></head><body><p>Une erreur applicative s'est produite sur le serveur "
    "ADELIE.</p><p>Réessayez ultérieurement, 1 € de patience.</p></body></html>"
).encode("iso-8859-15")

Json = dict[str, Any]


# --- The token, and what all operations check -----------------------------------------------------


async def token(request: Request) -> Response:
    """OAuth2 client credentials, in the body only."""
    form = await request.form()
    if (form.get("client_id"), form.get("client_secret")) != CLIENT:
        return JSONResponse({"error": "invalid_client"}, 401)
    if form.get("grant_type") != "client_credentials" or "scope" in form:
        return JSONResponse({"error": "unsupported_grant_type"}, 400)
    given = secrets.token_urlsafe(24)
    TOKENS.add(given)
    return JSONResponse({"access_token": given, "token_type": "Bearer", "expires_in": EXPIRES_IN})


async def health(request: Request) -> Response:
    return _refused(request) or _raw(b"", 200)


def _refused(request: Request) -> Response | None:
    """What the gateway answers to a request without a living token or without the two UUIDs of the request."""
    if request.headers.get("authorization", "").removeprefix("Bearer ") not in TOKENS:
        return _raw(b'{"code":"900901","message":"Invalid Credentials"}', 401)
    names = ("x-correlation-id", "x-request-id")
    if not all(_UUID.fullmatch(request.headers.get(name, "")) for name in names):
        return _error(400)
    return None


def _refused_for_user(request: Request) -> Response | None:
    refused = _refused(request)
    if refused is None and not _UUID.fullmatch(request.query_params.get("userId", "")):
        return _error(400)
    return refused


def _raw(body: bytes, status: int, media_type: str = _JSON_TYPE) -> Response:
    return Response(body, status, headers={"content-type": media_type})


def _json(value: Any) -> Response:
    return _raw(orjson.dumps(value), 200)


def _error(status: int) -> Response:
    error = {"code": 303001, "message": "Erreur d'execution", "horodatage": "2025-03-14T10:22:31.104+01:00"}
    return _raw(orjson.dumps({"erreur": error}), status)


def _page() -> Response:
    return _raw(_PAGE, 200, "text/html;charset=ISO-8859-15")


def _known(siren: str) -> Company | None:
    """The company of that SIREN, as far as DGFIP knows it."""
    found = company(siren) if len(siren) == 9 and luhn.is_valid(siren) else None
    if found is None or found.duplicate_of or found.fate("dgfip") in ("hors_perimetre", "interdite"):
        return None
    return found


def _down() -> Response:
    return _raw(b"<html>Service indisponible</html>", 503, "text/html")


# --- Turnover ------------------------------------------------------------------------------------


async def chiffre_affaires(request: Request) -> Response:
    refused = _refused_for_user(request)
    if refused is not None:
        return refused
    siret = request.query_params.get("siret", "")
    found = site(siret) if len(siret) == 14 and luhn.is_valid(siret) else None
    known = _known(siret[:9]) if found else None
    if known is None:
        return _raw(b"", 404)
    if known.fate("dgfip") == "panne":
        return _down()
    chance = known.draw("dgfip/chiffre_affaires")
    if not known.slug and chance.random() > 0.85:
        return _no_turnover(chance)
    payer = taxpayer(known)
    years = payer.years()[:3] if payer.tax in ("IS", "BIC") else []
    return _json({"liste_ca": _lone([_year(payer, year) for year in years])})


def _year(payer: Taxpayer, year: int) -> Json:
    month, day = payer.closing
    offset = "+02:00" if 3 < month < 10 or (month, day) == (3, 31) else "+01:00"
    return {
        "ca": str(payer.turnover(year)),
        "dateFinExercice": f"{date(year, month, day).isoformat()}T00:00:00{offset}",
    }


def _no_turnover(chance: random.Random) -> Response:
    answers: tuple[Callable[[], Response], ...] = (
        lambda: _raw(b"", 404),
        lambda: Response(status_code=204),
        lambda: _raw(b"", 200),
        lambda: _raw(b"null", 200),
        lambda: _json({"liste_ca": []}),
        lambda: _error(500),
        _page,
        lambda: _raw(b"<html>Bad Request</html>", 400, "text/html"),
    )
    return chance.choice(answers)()


def _lone(items: list[Json]) -> Any:
    """An array of one, as this provider writes it."""
    return items[0] if len(items) == 1 else items


# --- Tax return ----------------------------------------------------------------------------------


async def liasse_fiscale(request: Request) -> Response:
    refused = _refused_for_user(request)
    if refused is not None:
        return refused
    year = request.query_params.get("annee", "")
    if not (len(year) == 4 and year.isascii() and year.isdigit()):
        return _error(400)
    known = _known(request.query_params.get("siren", ""))
    if known is None:
        return _raw(b"", 404)
    if known.fate("dgfip") == "panne":
        return _down()
    chance = known.draw("dgfip/liasse")
    if not known.slug and chance.random() > 0.88:
        return _no_return(chance, known)
    return _json(tax_return(known, int(year)))


def _no_return(chance: random.Random, known: Company) -> Response:
    answers: tuple[Callable[[], Response], ...] = (
        lambda: _raw(b"", 404),
        lambda: _json({"entreprise": _identity(taxpayer(known), known.draw("dgfip/itip"))}),
        lambda: _error(500),
        lambda: _error(400),
        _page,
    )
    return chance.choice(answers)()


def tax_return(known: Company, year: int) -> Json:
    """The return of one year; without `declarations` when nothing was filed."""
    payer = taxpayer(known)
    answer: Json = {"entreprise": _identity(payer, known.draw("dgfip/itip"))}
    if payer.tax and year in payer.years():
        answer["declarations"] = _declarations(payer, year)
    return answer


def _identity(payer: Taxpayer, chance: random.Random) -> Json:
    known = payer.known
    identity: Json = {
        "siren": known.siren,
        "denomination": known.display_name,
        "itip": f"{chance.randrange(10**12):012d}",
    }
    obligations = []
    if payer.tax:
        obligations.append(_obligation(payer, payer.tax, "ROF" if chance.random() < 0.8 else "rof", chance))
    if known.slug == "groupe":
        obligations.append(_obligation(payer, "ISGROUPE", "ROF", chance))
    if obligations:
        identity["setOcfis"] = _lone(obligations)
    return identity


def _obligation(payer: Taxpayer, code: str, reference: str, chance: random.Random) -> Json:
    since = f"{payer.known.created.isoformat()}T00:00:00+01:00"
    return {
        "numOcfi": f"{chance.randrange(10**12):012d}",
        "codeObf": code,
        "libelleObf": f"Obligation {code}",
        reference: f"{code}1",
        "regime": payer.regime,
        "codeNace": payer.known.naf.replace(".", ""),
        "dateDebut": since,
        "dateDebutPourAttestationRegularite": since,
        "nbRof": chance.choice(("0", 0)),
        "texteExploitation": "EXPLOITATION D'EXEMPLE",
    }


Cells = list[Json]


def _cell(nref: str, value: object) -> Json:
    return {"code_nref": nref, "valeur": str(value)}


def _amounts(values: Iterable[tuple[str, int]]) -> Cells:
    return [_cell(nref, value) for nref, value in values]


def _repeated(nref: str, *values: str | None) -> Cells:
    """One object for each repetition that has a value."""
    return [
        {"code_nref": nref, "valeurs": {"indiceRepetition": str(rank), "valeur": value}}
        for rank, value in enumerate(values, 1)
        if value is not None
    ]


def _declarations(payer: Taxpayer, year: int) -> list[Json]:
    forms = _forms(payer, year)
    if payer.known.slug == "filiale":
        # Once as a company of its own, once as a member of its group: only the regime tells them apart.
        own = [_filed(payer, year, number, cells, regime="RN") for number, cells in forms]
        return own + [_filed(payer, year, number, cells, regime="RNMEMBRE") for number, cells in forms[:4]]
    regime = "RNGROUPE" if payer.known.slug == "groupe" else payer.regime
    return [_filed(payer, year, number, cells, regime=regime) for number, cells in forms]


def _filed(payer: Taxpayer, year: int, number: str, cells: Cells, *, regime: str) -> Json:
    version = millesime(number, year)
    return {
        "numero_imprime": number,
        "code_regime": regime,
        "date_declaration": date(year + 1, 5, 6).isoformat(),
        "fin_exercice": date(year, *payer.closing).isoformat(),
        "duree_exercice": "365 jours",
        "millesime": version if len(number) == 5 else str(version),
        "imprime": {"donnees": _lone(cells)},
    }


def _forms(payer: Taxpayer, year: int) -> list[tuple[str, Cells]]:
    match payer.tax, payer.regime:
        case "BNC", _:
            return [("2035A", _bnc(payer.turnover(year)))]
        case "BA", _:
            return [("2153", _gaec(payer.known)), ("2154", [_cell("305888", "X")])]
        case _, "RN":
            return _normal(payer, year)
    return _simplified(payer, year)


def _bnc(turnover: int) -> Cells:
    spent = turnover // 3
    amounts = _amounts((("301564", turnover), ("301567", turnover), ("301570", turnover), ("301600", spent)))
    # A quantity holds two implied decimals: one employee.
    return [*amounts, _cell("301561", "100")]


def _normal(payer: Taxpayer, year: int) -> list[tuple[str, Cells]]:
    known, turnover = payer.known, payer.turnover(year)
    result, capital = payer.result(year), int(float(known.capital or "10000"))
    gross, written_off, cash = turnover // 2, turnover // 8, turnover // 10
    total, equity = gross - written_off + cash, capital + result
    return [
        ("2050", _amounts((
            ("300337", gross), ("300338", written_off), ("300339", gross - written_off), ("300382", cash),
            ("300384", cash), ("300403", gross + cash), ("300404", written_off), ("300405", total)))),
        ("2051", _amounts((("300414", capital), ("300432", result), ("300438", equity), ("300472", total - equity),
                           ("300476", total)))),
        ("2052", _amounts((("300506", turnover), ("300518", turnover), ("300530", turnover // 4),
                           ("300532", turnover // 10), ("300544", turnover - result), ("300546", result)))),
        ("2053", _amounts((("300596", -written_off // 100), ("300606", result)))),
        ("2057", [_cell("305726", "X")]),
        ("2058C", [_cell("305744", "X")]),
        ("2059F", _shareholders_2059f(known, capital)),
        ("2059G", _subsidiaries_2059g(known)),
    ]  # fmt: skip


def _simplified(payer: Taxpayer, year: int) -> list[tuple[str, Cells]]:
    known, turnover = payer.known, payer.turnover(year)
    result, capital = payer.result(year), int(float(known.capital or "0"))
    goods, made = turnover // 2, turnover // 4
    forms: list[tuple[str, Cells]] = [
        ("2033A", _amounts((("304342", turnover), ("304357", turnover // 5), ("304372", turnover - turnover // 5),
                            ("304391", capital), ("304397", result), ("304399", capital + result),
                            ("304407", turnover - turnover // 5)))),
        ("2033B", _amounts((("304449", goods), ("304450", made), ("304451", turnover - goods - made),
                            ("304456", turnover), ("304468", turnover - result), ("304469", result),
                            ("304475", result)))),
        ("2033D", [_cell("305674", "X")]),
    ]  # fmt: skip
    if not known.is_person:
        forms += [("2033F", _shareholders_2033f(known, capital)), ("2033G", [_cell("305683", "X")])]
    return forms


def _hundredths(number: int) -> str:
    """A quantity or a percentage on the wire: two implied decimals."""
    return str(number * 100)


def _shareholders_2059f(known: Company, capital: int) -> Cells:
    """Companies first, then people; a foreign company has no SIREN, and its cells alone lack the rank."""
    shares = capital // 10
    companies = holders(known)
    people = list(known.officers) if not known.parent else []
    portions = [officer_share(known) for _ in people]
    cells = [
        _cell("309323", _hundredths(len(companies))),
        _cell("309324", _hundredths(sum(shares * holder.share // 100 for holder in companies))),
        _cell("309325", _hundredths(len(people))),
        _cell("309326", _hundredths(sum(shares * percent // 100 for percent in portions))),
    ]
    cells += _repeated("304857", *(holder.name for holder in companies))
    cells += _repeated("304859", *(holder.siren for holder in companies))
    cells += _repeated("304860", *(_hundredths(shares * holder.share // 100) for holder in companies))
    cells += _repeated("304861", *(_hundredths(holder.share) for holder in companies))
    cells += _repeated("304866", *("VILLE-EXEMPLE" for _ in companies))
    cells += _repeated("304867", *(holder.country for holder in companies))
    cells += _repeated("306875", *("NS" for _ in companies))
    cells += _repeated("306874", *("MME" if person.sex == "F" else "M" for person in people))
    cells += _repeated("304868", *(f"{person.last_name} {person.first_names[0].capitalize()}" for person in people))
    cells += _repeated("304869", *(person.usage_name or "NS" for person in people))
    cells += _repeated("304870", *(_hundredths(shares * percent // 100) for percent in portions))
    cells += _repeated("304871", *(_hundredths(percent) for percent in portions))
    cells += _repeated("304878", *(person.born.strftime("%Y%m%d") for person in people))
    cells += _repeated("304872", *("0003 RUE DES EXEMPLES" for _ in people))
    cells += _repeated("304875", *("49400" for _ in people))
    cells += _repeated("304876", *("SAUMUR" for _ in people))
    cells += _repeated("905900", *(person.birth_place for person in people))
    return cells


def _subsidiaries_2059g(known: Company) -> Cells:
    if known.slug != "groupe":
        return [_cell("305768", "X")]
    return [
        _cell("309327", _hundredths(1)),
        *_repeated("304958", "HORIZON LOGISTIQUE"),
        *_repeated("304960", FILIALE),
        *_repeated("306876", "SAS"),
        *_repeated("304964", "59000"),
        *_repeated("304965", "LILLE"),
        *_repeated("304967", _hundredths(100)),
    ]


def _shareholders_2033f(known: Company, capital: int) -> Cells:
    people, shares = known.officers, capital // 10
    if not people:
        return [_cell("305682", "X")]
    return [
        _cell("309336", _hundredths(len(people))),
        _cell("309337", _hundredths(shares)),
        *_repeated("304814", *(f"{person.last_name} {person.first_names[0].capitalize()}" for person in people)),
        *_repeated("304816", *(_hundredths(shares // len(people)) for _ in people)),
        *_repeated("304817", *(_hundredths(100 // len(people)) for _ in people)),
        *_repeated("304824", *(person.born.strftime("%Y%m%d") for person in people)),
        *_repeated("304818", *("3 RUE DES EXEMPLES" for _ in people)),
        *_repeated("304822", *("VILLE-EXEMPLE" for _ in people)),
    ]


def _gaec(known: Company) -> Cells:
    people = known.officers
    return [
        _cell("309390", _hundredths(len(people))),
        *_repeated("304922", *(f"{person.last_name} {person.first_names[0].capitalize()}" for person in people)),
        *_repeated("304925", *(_hundredths(100 // max(1, len(people))) for _ in people)),
        *_repeated("304932", *(person.born.strftime("%Y%m%d") for person in people)),
    ]


# --- Dictionary ----------------------------------------------------------------------------------

FORMS: Final = (
    "2050", "2051", "2052", "2053", "2054", "2055", "2056", "2057", "2058C", "2059F", "2059G", "2033A", "2033B",
    "2033C", "2033D", "2033F", "2033G", "2058AB", "2058BB", "2058RG", "2144", "2145", "2146", "2146BIS", "2147",
    "2147BIS", "2148", "2149", "2150", "2151TER", "2153", "2154", "2139A", "2139B", "2139BIS", "2139C", "2139D",
    "2139E", "2035A", "2035F", "2035G",
)  # fmt: skip
_STABLE: Final = frozenset({"2059F", "2059G", "2033F", "2033G", "2153", "2154"})
"""Forms whose last version is of 2015."""
_SUFFIXES: Final = MappingProxyType({
    "MOA": "C516:5004:1", "QTY": "C186:6060:1", "PCD": "C501:5482:1", "CCI": "C889:7111:1:TBX", "NAD": "C080:3036:1",
    "DTM": "C507:2380:1:102", "FTX": "C108:4440:1", "RFF": "C506:1154:1",
})  # fmt: skip


def millesime(form: str, year: int) -> int:
    return 201501 if form in _STABLE and year >= 2015 else year * 100 + 1


async def dictionnaire(request: Request) -> Response:
    refused = _refused_for_user(request)
    if refused is not None:
        return refused
    year = request.query_params.get("annee", "")
    if not (len(year) == 4 and year.isascii() and year.isdigit() and int(year) >= FIRST_YEAR):
        return _error(400)
    return _raw(dictionary(int(year)), 200)


@lru_cache(maxsize=32)
def dictionary(year: int) -> bytes:
    """Every form; old years lack some."""
    known: dict[str, dict[str, list[str | None]]] = orjson.loads(
        files("providers.dgfip").joinpath("dictionnaire.json").read_bytes()
    )["imprimes"]
    absent = [form for form in FORMS if form not in known][: max(0, 20 - 2 * (year - FIRST_YEAR))]
    if year >= 2015:
        absent = []
    entries = [
        {"numero_imprime": form, "millesimes": None if form in absent else _version(form, year, known.get(form, {}))}
        for form in FORMS
    ]
    return orjson.dumps({"dictionnaire": entries})


def _version(form: str, year: int, cells: dict[str, list[str | None]]) -> Json:
    return {
        "millesime": millesime(form, year),
        "statut_version": "V",
        "declaration": [_entry(form, nref, *cell) for nref, cell in cells.items()],
    }


def _entry(form: str, nref: str, letters: str | None, kind: str | None, label: str | None) -> Json:
    code = letters or f"Y{chr(65 + int(nref) % 26)}"
    return {
        "code_absolu": f"29{nref[-5:]}",
        "code_EDI": f"{code}:{_SUFFIXES[kind or 'MOA']}",
        "code": code,
        "intitule": f"{label or f'Case {code} du formulaire {form}'} \n",
        "code_type_donnee": kind,
        "code_nref": nref,
    }


# --- Certificate ---------------------------------------------------------------------------------

REFUSAL: Final = "Impossible de délivrer votre attestation de régularité fiscale"


async def attestation_fiscale(request: Request) -> Response:
    refused = _refused_for_user(request)
    if refused is not None:
        return refused
    query = request.query_params
    if (query.get("groupeIS"), query.get("groupeTVA")) != ("NON", "NON"):
        return _error(400)
    known = _known(query.get("siren", ""))
    if known is None:
        return _raw(b"", 404)
    match known.fate("dgfip"):
        case "panne":
            return _down()
        case "refus":
            return _pdf(print_pdf(_refusal(known)))
    if known.ceased or taxpayer(known).tax != "IS":
        return _raw(b"", 404)
    chance = known.draw("dgfip/attestation")
    if known.slug or chance.random() < 0.85:
        return _pdf(print_pdf(_certificate(known)))
    return _no_certificate(chance, known)


def _no_certificate(chance: random.Random, known: Company) -> Response:
    answers: tuple[Callable[[], Response], ...] = (
        lambda: _pdf(print_pdf(_refusal(known))),
        lambda: _pdf(print_pdf(_refusal(known))),
        lambda: _raw(b"", 404),
        lambda: _error(500),
        _page,
        lambda: _pdf(b"%PDF-1.4\nabime"),
        lambda: _pdf(b""),
    )
    return chance.choice(answers)()


def _pdf(content: bytes) -> Response:
    # The declared type isn't to be trusted.
    return _raw(content, 200, "application/octet-stream")


def _certificate(known: Company) -> str:
    chance, address = known.draw("dgfip/pdf"), known.head_office.address
    member = "Membre du groupe fiscal de GROUPE HORIZON\n" if known.parent else ""
    return (
        "ATTESTATION DE RÉGULARITÉ FISCALE\n"
        f"Numéro de délivrance : {chance.randrange(10**8):08d}\n"
        f"{known.display_name}\n"
        f"{address.number} {address.street_type} {address.street}, {address.postcode} {address.town}\n"
        f"SIREN : {known.siren}\n"
        f"{member}"
        "Obligations examinées : impôt sur les sociétés (IS), taxe sur la valeur ajoutée (TVA)\n"
        "Date de délivrance : le 02/01/2025\n"
        "Service des impôts des entreprises de VILLE-EXEMPLE\n"
        "Document d'exemple du bac à sable.\n"
    )


def _refusal(known: Company) -> str:
    return (
        f"DIRECTION GÉNÉRALE DES FINANCES PUBLIQUES\nSIREN : {known.siren}\n{REFUSAL}\nAdressez-vous à votre service.\n"
    )


ROUTES: list[Route] = [
    Route("/token", token, methods=["POST"]),
    Route("/adelie/v1/chiffreAffaires", chiffre_affaires),
    Route("/adelie/v1/getLiasseFiscale", liasse_fiscale),
    Route("/adelie/v1/dictionnaire", dictionnaire),
    Route("/adelie/v1/attestationFiscale", attestation_fiscale),
    Route("/adelie/v1/etatSante", health),
]
