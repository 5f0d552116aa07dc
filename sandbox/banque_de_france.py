"""Banque de France, simulated: balance sheets as strings of thousands of euros, compressed, with status 200 for all.

Mutual TLS belongs to deployments: here the service speaks plain HTTP. The misspelt keys, the two decimal separators
and the compression that is not always announced are those of the real service.
"""

import gzip
import random
from typing import Any, Final

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from stdnum import luhn

from sandbox.accounts import last_year, taxpayer
from sandbox.personas import Company, company

_SHEETS: Final = 3
_RATED_FROM: Final = 1_250_000
"""Turnover, in euros, from which a company is rated."""
_SMALL: Final = frozenset({None, "NN", "00", "01", "02"})
"""Staff brackets of companies too small to be rated."""
_HEADERS: Final = (
    (b"content-type", b"application/json"),
    (b"cache-control", b"no-cache, no-store"),
    (b"pragma", b"no-cache"),
    (b"set-cookie", b"BIGipServer=invente; path=/"),
    (b"set-cookie", b"TS01=invente; path=/"),
)
_MONTHS: Final = ("4 mars 2024 10:12:05", "3 avr. 2024 07:15:09", "3 avril 2024 07:15:09")

# Value key -> change key; every exception of the wire is written out.
_BANK_LOANS: Final = "dettes3EmruntsEtDettesAupresDesEtablissementsdeCredit"
_CHANGE_EXCEPTIONS: Final = {
    _BANK_LOANS: "evolutionDettes3EmpruntsEtDettesAupresDesEtablissementsdeCredit",
    "totalDettesStables": "evolutionTotaltotalDettesStables",
    "frng/bfr": "evolutionFrng/Bfr",
}


async def bilans(request: Request) -> Response:
    """The balance sheets of one company."""
    siren: str = request.path_params["siren"]
    if len(siren) != 9 or not luhn.is_valid(siren):
        return _answer(request, _nothing(siren, 400), announced=True)
    known = company(siren)
    if known is None or known.duplicate_of:
        return _answer(request, _nothing(siren, 204), announced=True)
    chance = known.draw("banque_de_france")
    match known.fate("banque_de_france"):
        case "panne":
            return Response("<html>Service indisponible</html>", 503, media_type="text/html")
        case "refus" | "hors_perimetre" | "interdite":
            return _answer(request, _nothing(siren, 204), announced=True)
    announced = bool(known.slug) or chance.random() < 0.95
    return _answer(request, _content(known, chance), announced=announced)


def _content(known: Company, chance: random.Random) -> dict[str, Any]:
    if known.slug:
        return _nothing(known.siren, 204) if _too_small(known) else _found(known, chance)
    luck = chance.random()
    if _too_small(known) or luck > 0.8:
        return _nothing(known.siren, chance.choice((204, 204, 204, 204, 400, 400, 500, 501)))
    return _found(known, chance)


def _too_small(known: Company) -> bool:
    return known.is_person or known.staff in _SMALL or known.rna is not None or _turnover(known) < _RATED_FROM


def _turnover(known: Company) -> int:
    return taxpayer(known).turnover(last_year())


def _answer(request: Request, content: dict[str, Any], *, announced: bool) -> Response:
    """Compressed whenever the client takes it; now and then no header says so."""
    body = orjson.dumps(content)
    compressed = "gzip" in request.headers.get("accept-encoding", "")
    if compressed:
        body = gzip.compress(body, mtime=0)
    response = Response(body)
    response.raw_headers = [*_HEADERS, (b"content-length", str(len(body)).encode())]
    if compressed and announced:
        response.raw_headers.append((b"content-encoding", b"gzip"))
    return response


def _envelope(
    siren: str, name: str | None, code: int, message: str, sheets: list[dict[str, str]] | None
) -> dict[str, Any]:
    return {
        "siren": siren, "denominationSociale": name, "code-retour": code, "message": message,
        "date": _MONTHS[int(siren[:8]) % 3], "monnaie": "kEuros", "bilans": sheets,
    }  # fmt: skip


def _nothing(siren: str, code: int) -> dict[str, Any]:
    return _envelope(siren[:9].rjust(9, "0") if siren.isdigit() else "0" * 9, None, code, "Aucune donnee", None)


def _found(known: Company, chance: random.Random) -> dict[str, Any]:
    closing = 12 if known.slug else chance.choice((12, 12, 12, 6, 9))
    newest = last_year()
    years = [_year(known, newest - rank, chance) for rank in range(_SHEETS + 1)]
    sheets = [_sheet(f"{newest - rank}{closing:02d}", years[rank], years[rank + 1], chance) for rank in range(_SHEETS)]
    if not known.slug:
        _age(sheets, chance)
    return _envelope(known.siren, known.display_name, 200, "Traitement OK", sheets)


def _age(sheets: list[dict[str, str]], chance: random.Random) -> None:
    """What the real base has here and there: a placeholder, a key missing or spelt right."""
    luck = chance.random()
    if luck < 0.05:
        sheets[-1]["dureeExercice"] = "-"
    elif luck < 0.08:
        for sheet in sheets:
            sheet[_BANK_LOANS.replace("Emrunts", "Emprunts")] = sheet.pop(_BANK_LOANS)
    elif luck < 0.1:
        sheets[0].pop(_BANK_LOANS)


def _year(known: Company, year: int, chance: random.Random) -> dict[str, int]:
    """The amounts of one year, in thousands of euros; turnover and result are those of its tax return."""
    payer = taxpayer(known)
    turnover = payer.turnover(year) // 1000

    def part(low: float, high: float) -> int:
        return int(turnover * chance.uniform(low, high))

    convertible, other, bank = 0, chance.choice((0, 0, part(0.01, 0.05))), part(0.02, 0.2)
    short = int(bank * chance.uniform(0.1, 0.4))
    return {
        "caHT": turnover,
        "valeurAjouteeBdf": part(0.3, 0.45),
        "ebe": part(-0.02, 0.12),
        "caf": part(-0.01, 0.09),
        "resultatExercice": payer.result(year) // 1000,
        "capitauxPropresEtAssimiles": part(0.1, 0.4),
        "dontCapitalSocial": int(float(known.capital or "0")) // 1000,
        "dontAutresFondsPropres": 0,
        "totalProvisionsPourRisquesEtCharges": part(0, 0.01),
        "dettes1EmpruntsObligatairesEtConvertibles": convertible,
        "dettes2AutresEmpruntsObligataires": other,
        _BANK_LOANS: bank,
        "dettes4DontAUnAnAuPlus": short,
        "totalDettesStables": convertible + other + bank - short,
        "empruntsEtDettesFinancieresDivers": part(0, 0.02),
        "groupesEtAssocies": part(0, 0.02),
        "frng": part(0.05, 0.2),
        "besoinEnFondsDeRoulement": part(0.05, 0.25),
        "disponibilites": part(0.01, 0.1),
        "totalPassif": part(0.5, 0.8),
    }


def _sheet(closing: str, now: dict[str, int], before: dict[str, int], chance: random.Random) -> dict[str, str]:
    sheet = {"dateArrete": closing, "dureeExercice": "12"}
    for name, amount in now.items():
        # An amount that isn't known is an empty string, and so is its change.
        written = "" if name == "empruntsEtDettesFinancieresDivers" and amount % 3 == 0 else str(amount)
        sheet[name] = written
        sheet[_change_key(name)] = _change(amount, before[name], chance) if written else ""
    ratio, previous = (_ratio(year["frng"], year["besoinEnFondsDeRoulement"]) for year in (now, before))
    sheet["frng/bfr"] = "-" if ratio is None else f"{ratio:.2f}%"
    sheet["evolutionFrng/Bfr"] = "" if ratio is None or previous is None else _change(ratio, previous, chance)
    return sheet


def _change_key(name: str) -> str:
    return _CHANGE_EXCEPTIONS.get(name, f"evolution{name[0].upper()}{name[1:]}")


def _change(now: float, before: float, chance: random.Random) -> str:
    if not before:
        return ""
    written = f"{(now - before) * 100 / abs(before):+.2f}%"
    return written.replace(".", ",") if chance.random() < 0.2 else written


def _ratio(fund: int, need: int) -> float | None:
    return fund * 100 / need if need else None


ROUTES: list[Route] = [Route("/fiben/bilans/{siren}", bilans)]
