"""INSEE, simulated: both planes of API Sirene 3.11, its token service, and the labels of the metadata service.

The private plane gives true values; the public plane replaces what is not for the public with `[ND]`, searches
included. Searches understand the forms of `q` that are documented: equality, phrases, wildcards, presence, ranges,
`periode(…)`, AND, OR, exclusion and parentheses.
"""

import base64
import fnmatch
import gzip
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import parse_qsl

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from stdnum import luhn

from sandbox.clock import CLOCK
from sandbox.personas import CLAIR_VALLON, FILIALE, GROUPE, PERSONAS, Company, Site, company, named, site

PRIVATE: Final = "/api-sirene/prive/3.11"
PUBLIC: Final = "/api-sirene/3.11"
TOKEN_PATH: Final = "/auth/realms/bac-a-sable/protocol/openid-connect/token"
METADATA: Final = "/metadonnees"
ACCOUNT: Final = MappingProxyType({
    "client_id": "sandbox", "client_secret": "sandbox", "username": "sandbox", "password": "sandbox",
    "grant_type": "password",
})  # fmt: skip
TOKEN: Final = "eyJ.invented.token"
API_KEY: Final = "sandbox"
EXPIRES_IN: Final = 345_600
LONGEST_URL: Final = 2048
HIDDEN: Final = "[ND]"

Json = dict[str, Any]


# --- The register, as INSEE writes it ------------------------------------------------------------


@dataclass(frozen=True)
class Lot:
    """What INSEE knows of one company beside what everyone knows: drawn for anyone who isn't a persona."""

    unknown: bool = False
    forbidden: bool = False
    down: bool = False
    purged: bool = False
    duplicate_of: str | None = None
    ceased: date | None = None


@lru_cache(maxsize=65_536)
def lot(siren: str) -> Lot:
    owner = company(siren) if luhn.is_valid(siren) else None
    if owner is None:
        return Lot(unknown=True)
    match owner.fate("insee"):
        case "interdite":
            return Lot(forbidden=True)
        case "panne":
            return Lot(down=True)
        case "hors_perimetre":
            return Lot(unknown=True)
    if siren in PERSONAS:
        return Lot(duplicate_of=owner.duplicate_of, ceased=owner.ceased)
    chance = owner.draw("insee").random()
    if chance < 0.005:
        return Lot(forbidden=True)
    if chance < 0.01:
        return Lot(unknown=True)
    if chance < 0.015:
        return Lot(duplicate_of=CLAIR_VALLON)
    if chance < 0.03:
        return Lot(ceased=owner.created + timedelta(days=400))
    return Lot(purged=chance < 0.045 and owner.is_person, ceased=owner.ceased)


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _flat_unit(owner: Company) -> Json:
    """The unit at its current values, without SIREN nor periods: as it stands inside its establishments."""
    mine = lot(owner.siren)
    person = None if mine.purged else owner.natural_person
    names = [*(person.first_names if person else ()), None, None, None, None]
    return {
        "etatAdministratifUniteLegale": "C" if mine.ceased or mine.purged else "A",
        "statutDiffusionUniteLegale": owner.status,
        **({"unitePurgeeUniteLegale": True} if mine.purged else {}),
        "dateCreationUniteLegale": None if mine.purged else _iso(owner.created),
        "categorieJuridiqueUniteLegale": owner.legal_form,
        "denominationUniteLegale": None if owner.is_person else owner.name,
        "sigleUniteLegale": owner.acronym,
        "denominationUsuelle1UniteLegale": None,
        "denominationUsuelle2UniteLegale": None,
        "denominationUsuelle3UniteLegale": None,
        "sexeUniteLegale": person.sex if person else None,
        "nomUniteLegale": person.last_name if person else None,
        "nomUsageUniteLegale": person.usage_name if person else None,
        **{f"prenom{rank}UniteLegale": names[rank - 1] for rank in (1, 2, 3, 4)},
        "prenomUsuelUniteLegale": names[0],
        "pseudonymeUniteLegale": None,
        "activitePrincipaleUniteLegale": "52.4C" if mine.purged else owner.naf,
        "nomenclatureActivitePrincipaleUniteLegale": "NAF1993" if mine.purged else "NAFRev2",
        "identifiantAssociationUniteLegale": owner.rna,
        "economieSocialeSolidaireUniteLegale": "O" if owner.ess else "N",
        "societeMissionUniteLegale": None,
        "caractereEmployeurUniteLegale": None,
        "trancheEffectifsUniteLegale": None if mine.purged else owner.staff,
        "anneeEffectifsUniteLegale": "2023" if owner.staff and not mine.purged else None,
        "nicSiegeUniteLegale": owner.head_office.nic,
        "dateDernierTraitementUniteLegale": None if mine.purged else "2025-11-04T07:12:33.481",
        "activitePrincipaleNAF25UniteLegale": None if mine.purged else owner.naf25,
        "categorieEntreprise": owner.size,
        "anneeCategorieEntreprise": "2023" if owner.size else None,
    }


_HISTORISED = (
    "nomUniteLegale", "nomUsageUniteLegale", "denominationUniteLegale", "denominationUsuelle1UniteLegale",
    "denominationUsuelle2UniteLegale", "denominationUsuelle3UniteLegale", "categorieJuridiqueUniteLegale",
    "activitePrincipaleUniteLegale", "nomenclatureActivitePrincipaleUniteLegale", "nicSiegeUniteLegale",
    "economieSocialeSolidaireUniteLegale", "societeMissionUniteLegale", "caractereEmployeurUniteLegale",
    "etatAdministratifUniteLegale",
)  # fmt: skip


@lru_cache(maxsize=65_536)
def unit_of(siren: str) -> Json | None:
    """The `uniteLegale` of a visible unit; its periods come newest first."""
    owner = company(siren)
    mine = lot(siren)
    if owner is None or mine.unknown or mine.forbidden or mine.duplicate_of or mine.down:
        return None
    flat = _flat_unit(owner)
    state = {name: flat.pop(name) for name in _HISTORISED}
    end = mine.ceased or (date(1996, 12, 25) if mine.purged else None)
    current = {
        "dateFin": None,
        "dateDebut": _iso(end or owner.head_office.opened),
        **state,
        "changementEtatAdministratifUniteLegale": end is not None,
        "changementNicSiegeUniteLegale": end is None,
    }
    periods = [current]
    if (end or owner.head_office.opened) > owner.created and not mine.purged:
        periods.append({
            **current,
            "dateFin": _iso((end or owner.head_office.opened) - timedelta(days=1)),
            "dateDebut": _iso(owner.created),
            "etatAdministratifUniteLegale": "A",
            "nicSiegeUniteLegale": owner.sites[0].nic,
            "changementEtatAdministratifUniteLegale": False,
            "changementNicSiegeUniteLegale": False,
        })  # fmt: skip
    return {"siren": siren, **flat, "nombrePeriodesUniteLegale": len(periods), "periodesUniteLegale": periods}


def _address(place: Site) -> Json:
    address = place.address
    values = {
        "complementAdresse": address.complement, "numeroVoie": address.number, "indiceRepetition": address.repetition,
        "dernierNumeroVoie": None, "indiceRepetitionDernierNumeroVoie": None, "typeVoie": address.street_type,
        "libelleVoie": address.street, "codePostal": address.postcode, "libelleCommune": address.town,
        "libelleCommuneEtranger": None, "distributionSpeciale": None, "codeCommune": address.town_code,
        "codeCedex": None, "libelleCedex": None, "codePaysEtranger": None, "libellePaysEtranger": None,
        "identifiantAdresse": f"{address.town_code}_{address.number}", "coordonneeLambertAbscisse": "447820.11",
        "coordonneeLambertOrdonnee": "6689150.42",
    }  # fmt: skip
    return {f"{name}Etablissement": value for name, value in values.items()}


@lru_cache(maxsize=65_536)
def establishment_of(siret: str) -> Json | None:
    """The `etablissement` of a visible unit."""
    found = site(siret)
    if found is None or unit_of(siret[:9]) is None:
        return None
    owner, place = found
    mine = lot(owner.siren)
    end = place.closed or mine.ceased or (date(1996, 12, 25) if mine.purged else None)
    signs = [*place.signs, None, None, None]
    current = {
        "dateFin": None,
        "dateDebut": _iso(end or place.opened),
        "etatAdministratifEtablissement": "F" if end else "A",
        "changementEtatAdministratifEtablissement": end is not None,
        **{f"enseigne{rank}Etablissement": signs[rank - 1] for rank in (1, 2, 3)},
        "changementEnseigneEtablissement": False,
        "denominationUsuelleEtablissement": None,
        "changementDenominationUsuelleEtablissement": False,
        "activitePrincipaleEtablissement": "52.4C" if mine.purged else place.naf or owner.naf,
        "nomenclatureActivitePrincipaleEtablissement": "NAF1993" if mine.purged else "NAFRev2",
        "changementActivitePrincipaleEtablissement": False,
        "caractereEmployeurEtablissement": None,
        "changementCaractereEmployeurEtablissement": False,
    }
    periods = [current]
    if end and end > place.opened:
        periods.append({
            **current,
            "dateFin": _iso(end - timedelta(days=1)),
            "dateDebut": _iso(place.opened),
            "etatAdministratifEtablissement": "A",
            "changementEtatAdministratifEtablissement": False,
        })  # fmt: skip
    staff = owner.staff if place.head_office and not mine.purged else None
    return {
        "siren": owner.siren,
        "nic": place.nic,
        "siret": siret,
        "statutDiffusionEtablissement": place.status,
        "dateCreationEtablissement": _iso(place.opened),
        "trancheEffectifsEtablissement": staff,
        "anneeEffectifsEtablissement": "2023" if staff else None,
        "activitePrincipaleRegistreMetiersEtablissement": None,
        "dateDernierTraitementEtablissement": "2025-11-04T07:12:33",
        "etablissementSiege": place.head_office,
        "nombrePeriodesEtablissement": len(periods),
        "activitePrincipaleNAF25Etablissement": None if mine.purged else owner.naf25,
        "uniteLegale": _flat_unit(owner),
        "adresseEtablissement": _address(place),
        "adresse2Etablissement": {"complementAdresse2Etablissement": None, "numeroVoie2Etablissement": None},
        "periodesEtablissement": periods,
    }


def links_of(siret: str) -> list[Json]:
    """The links of succession of an establishment, on either side."""
    found = site(siret)
    owner = found[0] if found else None
    if owner is None or owner.natural_person or unit_of(owner.siren) is None:
        return []
    links = _links_within(owner)
    if owner.siren in {GROUPE, FILIALE}:
        links.append(_link(named("filiale").sites[0].siret, named("groupe").sites[0].siret, date(2024, 1, 1)))
    ends = ("siretEtablissementPredecesseur", "siretEtablissementSuccesseur")
    return [link for link in links if siret in {link[end] for end in ends}]


def _links_within(owner: Company) -> list[Json]:
    if owner.siren == GROUPE:  # forty transfers: more than a page of twenty
        head, *others = owner.sites[:41]
        return [_link(other.siret, head.siret, date(2010, 1, 1)) for other in others]
    closed = next((place for place in owner.sites if place.closed and not place.head_office), None)
    if closed is not None:
        return [_link(closed.siret, owner.head_office.siret, closed.closed, moved=True)]
    if len(owner.sites) > 1 and owner.siren not in PERSONAS and owner.draw("insee.successions").random() < 0.5:
        return [_link(owner.sites[1].siret, owner.sites[0].siret, owner.created + timedelta(days=90))]
    return []


def _link(before: str, after: str, day: date | None, *, moved: bool = False) -> Json:
    return {
        "siretEtablissementPredecesseur": before,
        "siretEtablissementSuccesseur": after,
        "dateLienSuccession": _iso(day),
        "transfertSiege": moved,
        "continuiteEconomique": True,
        "dateDernierTraitementLienSuccession": "2023-06-20T06:01:11",
    }


# --- What the public plane hides -----------------------------------------------------------------

_HIDDEN_OF_ANY_UNIT = (
    "sigle", "sexe", "prenom1", "prenom2", "prenom3", "prenom4", "prenomUsuel", "pseudonyme", "nom", "nomUsage",
)  # fmt: skip
_HIDDEN_OF_A_PERSON = ("denomination", "denominationUsuelle1", "denominationUsuelle2", "denominationUsuelle3")
_HIDDEN_OF_AN_ADDRESS = (
    "complementAdresse", "numeroVoie", "indiceRepetition", "dernierNumeroVoie", "indiceRepetitionDernierNumeroVoie",
    "typeVoie", "libelleVoie", "codePostal", "distributionSpeciale", "codeCedex", "libelleCedex", "identifiantAdresse",
    "coordonneeLambertAbscisse", "coordonneeLambertOrdonnee",
)  # fmt: skip
_HIDDEN_OF_A_PLACE = ("enseigne1", "enseigne2", "enseigne3", "denominationUsuelle")


def _hide(value: Json, names: Iterable[str], suffix: str) -> Json:
    hidden = {name + suffix for name in names}
    return {name: HIDDEN if name in hidden else one for name, one in value.items()}


def _legal_form(unit: Json) -> str | None:
    periods = unit.get("periodesUniteLegale") or [unit]
    form: str | None = periods[0]["categorieJuridiqueUniteLegale"]
    return form


def public_unit(unit: Json) -> Json:
    if unit["statutDiffusionUniteLegale"] == "O":
        return unit
    names = _HIDDEN_OF_ANY_UNIT + (_HIDDEN_OF_A_PERSON if _legal_form(unit) == "1000" else ())
    masked = _hide(unit, names, "UniteLegale")
    if "periodesUniteLegale" in unit:
        masked["periodesUniteLegale"] = [_hide(one, names, "UniteLegale") for one in unit["periodesUniteLegale"]]
    return masked


def public_establishment(establishment: Json) -> Json:
    masked = {**establishment, "uniteLegale": public_unit(establishment["uniteLegale"])}
    if establishment["statutDiffusionEtablissement"] == "O":
        return masked
    address, second = establishment["adresseEtablissement"], establishment["adresse2Etablissement"]
    masked["adresseEtablissement"] = _hide(address, _HIDDEN_OF_AN_ADDRESS, "Etablissement")
    masked["adresse2Etablissement"] = _hide(second, _HIDDEN_OF_AN_ADDRESS, "2Etablissement")
    if _legal_form(establishment["uniteLegale"]) == "1000":
        masked["periodesEtablissement"] = [
            _hide(period, _HIDDEN_OF_A_PLACE, "Etablissement") for period in establishment["periodesEtablissement"]
        ]
    return masked


# --- The grammar of `q` --------------------------------------------------------------------------


class RefusedQueryError(ValueError):
    """A `q` that the grammar refuses."""


Test = Callable[[Json], bool]

_TOKEN = re.compile(r'\s*("(?:[^"\\]|\\.)*"|[\[{][^\]}]* TO [^\]}]*[\]}]|[():]|-(?=[\w(])|[^\s():"]+)')
_TEXTS = ("denomination", "nom", "prenom", "sigle", "pseudonyme", "enseigne", "libelle", "complement")


@dataclass(frozen=True)
class Equal:
    """`variable:"value"`, told apart from other tests so that a thousand of them become one set."""

    variable: str
    value: str

    def __call__(self, document: Json) -> bool:
        return document.get(self.variable) == self.value


class Parser:
    """Reads one `q`. Documents are flat; `periodes` holds the historised variables."""

    def __init__(self, q: str, known: frozenset[str], historised: frozenset[str]) -> None:
        self._tokens = self._split(q)
        self._known = known
        self._historised = historised
        self._in_period = False
        self.named: set[str] = set()

    def _split(self, q: str) -> list[str]:
        tokens, position = [], 0
        q = q.rstrip()
        while position < len(q):
            match = _TOKEN.match(q, position)
            if match is None:
                raise RefusedQueryError
            tokens.append(match[1])
            position = match.end()
        return tokens[::-1]

    def _peek(self) -> str:
        return self._tokens[-1] if self._tokens else ""

    def _take(self, expected: str = "") -> str:
        if not self._tokens or (expected and self._tokens[-1] != expected):
            raise RefusedQueryError
        return self._tokens.pop()

    def read(self) -> Test:
        test = self._any()
        if self._tokens:
            raise RefusedQueryError
        return test

    def _any(self) -> Test:
        tests = [self._all()]
        while self._peek() == "OR":
            self._take()
            tests.append(self._all())
        return _any_of(tests)

    def _all(self) -> Test:
        tests = [self._one()]
        while self._peek() == "AND":
            self._take()
            tests.append(self._one())
        return tests[0] if len(tests) == 1 else lambda document: all(test(document) for test in tests)

    def _one(self) -> Test:
        match self._peek():
            case "-":
                self._take()
                test = self._one()
                return lambda document: not test(document)
            case "(":
                return self._group(self._any)
            case "periode":
                return self._period()
            case _:
                return self._condition()

    def _group(self, inside: Callable[[], Test]) -> Test:
        self._take("(")
        test = inside()
        self._take(")")
        return test

    def _period(self) -> Test:
        self._take()
        self._in_period = True
        test = self._group(self._any)
        self._in_period = False
        return lambda document: any(test(period) for period in document["periodes"])

    def _condition(self) -> Test:
        variable = self._take()
        self._take(":")
        allowed = self._historised if self._in_period else self._known
        if variable not in allowed:
            raise RefusedQueryError
        if self._peek() == "(":
            return self._group(lambda: self._values(variable))
        return self._value(variable)

    def _values(self, variable: str) -> Test:
        tests = [self._value(variable)]
        while self._peek() == "OR":
            self._take()
            tests.append(self._value(variable))
        return _any_of(tests)

    def _value(self, variable: str) -> Test:
        raw = self._take()
        if raw in {"(", ")", ":", "AND", "OR"}:
            raise RefusedQueryError
        if raw[0] in "[{":
            return _between(variable, raw)
        if raw == "*":
            return lambda document: document.get(variable) is not None
        value = re.sub(r"\\(.)", r"\1", raw[1:-1]) if raw[0] == '"' else raw.rstrip("~1") if "~" in raw else raw
        if variable in {"siren", "siret"} or variable.startswith("siretEtablissement"):
            if not re.fullmatch(r"[0-9]{9}" if variable == "siren" else r"[0-9]{14}", value):
                raise RefusedQueryError
            self.named.add(value)
        if raw[0] != '"' and ("*" in value or "?" in value):
            return lambda document: fnmatch.fnmatchcase(str(document.get(variable) or ""), value)
        if variable.startswith(_TEXTS):
            return lambda document: _holds(document.get(variable), value)
        return Equal(variable, value)


def _any_of(tests: list[Test]) -> Test:
    """One test for many: equalities on one variable become a set, so that a batch of a thousand stays quick."""
    if len(tests) == 1:
        return tests[0]
    if all(isinstance(test, Equal) for test in tests):
        sets: dict[str, set[str]] = {}
        for test in tests:
            assert isinstance(test, Equal)  # noqa: S101 - checked above
            sets.setdefault(test.variable, set()).add(test.value)
        return lambda document: any(document.get(variable) in values for variable, values in sets.items())
    return lambda document: any(test(document) for test in tests)


def _holds(text: str | None, phrase: str) -> bool:
    """Whether the words of `phrase` stand together in `text`, whatever their case."""
    return f" {phrase} ".upper() in f" {re.sub(r'[^0-9A-Za-z]+', ' ', text or '')} ".upper()


def _between(variable: str, raw: str) -> Test:
    low, _, high = raw[1:-1].partition(" TO ")

    def test(document: Json) -> bool:
        value = document.get(variable)
        if value is None:
            return False
        above = low == "*" or (value >= low if raw[0] == "[" else value > low)
        below = high == "*" or (value[: len(high)] <= high if raw[-1] == "]" else value < high)
        return bool(above and below)

    return test


# --- Searching -----------------------------------------------------------------------------------


class OutOfServiceError(Exception):
    """Everything that the query names is in a part of the register that does not answer."""


def _candidates(named_ids: set[str]) -> list[Company]:
    """The companies that a query names, in an order that isn't the request's; the personas when it names none."""
    if not named_ids:
        return list(PERSONAS.values())
    if all(lot(name[:9]).down for name in named_ids):
        raise OutOfServiceError
    owners = (company(siren) for siren in sorted({name[:9] for name in named_ids}) if luhn.is_valid(siren))
    return [owner for owner in owners if owner is not None]


def _sample_keys() -> tuple[frozenset[str], frozenset[str], frozenset[str], frozenset[str]]:
    unit = unit_of(CLAIR_VALLON)
    establishment = establishment_of(named("clair-vallon").head_office.siret)
    assert unit is not None  # noqa: S101 - a persona that INSEE knows
    assert establishment is not None  # noqa: S101 - a persona that INSEE knows
    return (
        frozenset(unit) - {"periodesUniteLegale"},
        frozenset(unit["periodesUniteLegale"][0]),
        frozenset(_flat_establishment(establishment)) - {"periodes"},
        frozenset(establishment["periodesEtablissement"][0]),
    )


def _flat_establishment(establishment: Json) -> Json:
    return {
        **establishment,
        **establishment["uniteLegale"],
        **establishment["adresseEtablissement"],
        "etablissementSiege": str(establishment["etablissementSiege"]).lower(),
        "periodes": establishment["periodesEtablissement"],
    }


_UNIT, _UNIT_PERIOD, _PLACE, _PLACE_PERIOD = _sample_keys()


def search_units(q: str, *, public: bool) -> list[Json]:
    parser = Parser(q, _UNIT, _UNIT_PERIOD)
    test = parser.read() if q else lambda _document: True
    units = [unit for owner in _candidates(parser.named) if (unit := unit_of(owner.siren)) is not None]
    seen = [public_unit(unit) for unit in units] if public else units
    return [unit for unit in seen if test({**unit, "periodes": unit["periodesUniteLegale"]})]


def search_establishments(q: str, *, public: bool) -> list[Json]:
    parser = Parser(q, _PLACE, _PLACE_PERIOD)
    test = parser.read() if q else lambda _document: True
    found = []
    sirets = {name for name in parser.named if len(name) == 14}
    only_sirets = len(sirets) == len(parser.named) > 0
    for owner in _candidates(parser.named):
        for place in owner.sites:
            if only_sirets and place.siret not in sirets:
                continue
            establishment = establishment_of(place.siret)
            if establishment is None:
                break
            seen = public_establishment(establishment) if public else establishment
            if test(_flat_establishment(seen)):
                found.append(seen)
    return found


def search_links(q: str) -> list[Json]:
    ends = frozenset({"siretEtablissementSuccesseur", "siretEtablissementPredecesseur"})
    parser = Parser(q, ends | {"dateLienSuccession"}, frozenset())
    test = parser.read()
    found = {tuple(sorted(link.items())): link for siret in sorted(parser.named) for link in links_of(siret)}
    return [link for link in found.values() if test(link)]


# --- Answers -------------------------------------------------------------------------------------


def _answer(request: Request, status: int, body: Any, headers: Mapping[str, str] | None = None) -> Response:
    content = orjson.dumps(body)
    now = int(CLOCK().timestamp())
    more = {
        "content-type": "application/json;charset=utf-8" if status == 200 else "application/json",
        "x-rate-limit-limit": "30",
        "x-rate-limit-remaining": "29",
        "x-rate-limit-reset": str((now // 60 + 1) * 60_000),
        "x-quota-limit": "2000",
        "x-quota-remaining": "1999",
        "x-quota-reset": str((now // 3600 + 1) * 3_600_000),
        **(headers or {}),
    }
    if "gzip" in request.headers.get("accept-encoding", ""):
        content = gzip.compress(content, compresslevel=1)
        more["content-encoding"] = "gzip"
    return Response(content, status_code=status, headers=more)


def _refusal(request: Request, status: int, message: str) -> Response:
    return _answer(request, status, {"header": {"statut": status, "message": message}})


def _is_public(request: Request) -> bool:
    return not request.url.path.startswith(PRIVATE)


def _not_let_in(request: Request) -> Response | None:
    """The answer of a call whose credential, `Accept` or length is refused."""
    if _is_public(request):
        if request.headers.get("x-insee-api-key-integration") != API_KEY:
            return _answer(request, 401, {"message": "Unauthorized"})
    elif request.headers.get("authorization") != f"Bearer {TOKEN}":
        return _refusal(request, 401, "Token missing or expired")
    accept = request.headers.get("accept", "*/*")
    if "json" not in accept and "*/*" not in accept:
        return _refusal(request, 406, "Not acceptable")
    if len(str(request.url)) > LONGEST_URL:
        return _refusal(request, 414, "URI too long")
    return None


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_nulls(one) for name, one in value.items() if one is not None}
    return [_without_nulls(one) for one in value] if isinstance(value, list) else value


def _unit_refusal(request: Request, identifier: str, base: str) -> Response | None:
    """What a unit call answers for a unit that it does not give."""
    mine = lot(identifier[:9])
    if mine.down:
        return _refusal(request, 503, "Service unavailable")
    if mine.forbidden:
        return _refusal(request, 403, f"Unit not open to diffusion ({identifier})")
    if mine.duplicate_of is None:
        return None
    survivor = mine.duplicate_of
    if len(identifier) == 14:
        owner = company(mine.duplicate_of)
        survivor = owner.head_office.siret if owner else survivor
    body = {"header": {"statut": 0, "message": f"Unit {identifier} duplicates {survivor}"}}
    return _answer(request, 301, body, {"location": f"https://api.insee.fr/entreprises/sirene/{base}/{survivor}"})


async def one_unit(request: Request) -> Response:
    siren = request.path_params["siren"]
    refused = _not_let_in(request)
    if refused is not None:
        return refused
    if not (re.fullmatch(r"[0-9]{9}", siren) and luhn.is_valid(siren)):
        return _refusal(request, 400, "Malformed siren")
    refused = _unit_refusal(request, siren, "V3.11/siren")
    if refused is not None:
        return refused
    unit = unit_of(siren)
    if unit is None:
        return _refusal(request, 404, f"No unit for siren {siren}")
    body = {
        "header": {"statut": 200, "message": "OK"},
        "uniteLegale": public_unit(unit) if _is_public(request) else unit,
    }
    return _answer(request, 200, _bare(request.query_params, body))


async def one_establishment(request: Request) -> Response:
    siret = request.path_params["siret"]
    refused = _not_let_in(request)
    if refused is not None:
        return refused
    if not (re.fullmatch(r"[0-9]{14}", siret) and (siret.startswith("356000000") or luhn.is_valid(siret))):
        return _refusal(request, 400, "Malformed siret")
    refused = _unit_refusal(request, siret, "ws/siret")
    if refused is not None:
        return refused
    establishment = establishment_of(siret)
    if establishment is None:
        return _refusal(request, 404, f"No establishment for siret {siret}")
    shown = public_establishment(establishment) if _is_public(request) else establishment
    body = {"header": {"statut": 200, "message": "ok"}, "etablissement": shown}
    return _answer(request, 200, _bare(request.query_params, body))


def _bare(params: Mapping[str, str], body: Json) -> Any:
    return _without_nulls(body) if params.get("masquerValeursNulles") == "true" else body


async def _params_of(request: Request) -> dict[str, str]:
    if request.method == "POST":
        # Read by hand: Starlette's own form parser stops at a thousand fields and wants a plugin.
        return dict(parse_qsl((await request.body()).decode(), keep_blank_values=True))
    return dict(request.query_params)


async def _search(request: Request, name: str, find: Callable[[str], list[Json]]) -> Response:
    refused = _not_let_in(request)
    if refused is not None:
        return refused
    params = await _params_of(request)
    try:
        found = find(params.get("q", ""))
        size = int(params.get("nombre", "20"))
        cursor = params.get("curseur")
        start = _offset(cursor) if cursor else int(params.get("debut", "0"))
    except OutOfServiceError:
        return _refusal(request, 503, "Service unavailable")
    except ValueError:
        return _refusal(request, 400, "Syntax error near position 12 of q")
    if not 0 <= size <= 1000 or (not cursor and start > 1000):
        return _refusal(request, 400, "Parameter out of bounds")
    if not found:
        return _refusal(request, 404, f"No {name} for q")
    page = found[start : start + size]
    header: Json = {
        "statut": 200,
        "message": "ok",
        "total": len(found),
        "debut": 0 if cursor else start,
        "nombre": len(page),
    }
    if cursor:
        following = _cursor(start + len(page)) if page else cursor
        header |= {"curseur": cursor, "curseurSuivant": following}
    return _answer(request, 200, _bare(params, {"header": header, name: page}), {"x-total-count": str(len(found))})


def _cursor(offset: int) -> str:
    return base64.b64encode(f"apres {offset}".encode()).decode()


def _offset(cursor: str) -> int:
    return 0 if cursor == "*" else int(base64.b64decode(cursor).decode().removeprefix("apres "))


async def units(request: Request) -> Response:
    public = _is_public(request)
    return await _search(request, "unitesLegales", lambda q: search_units(q, public=public))


async def establishments(request: Request) -> Response:
    public = _is_public(request)
    return await _search(request, "etablissements", lambda q: search_establishments(q, public=public))


async def links(request: Request) -> Response:
    return await _search(request, "liensSuccession", search_links)


async def informations(request: Request) -> Response:
    refused = _not_let_in(request)
    if refused is not None:
        return refused
    updated = [
        {
            "collection": collection,
            "dateDerniereMiseADisposition": "2025-11-05T02:41:07",
            "dateDernierTraitementMaximum": "2025-11-04T07:12:33",
            "dateDernierTraitementDeMasse": "2025-09-14T03:00:00",
        }
        for collection in ("Unités Légales", "Établissements", "Liens de succession")
    ]
    body = {
        "header": {"statut": 200, "message": "OK"},
        "etatService": "UP",
        "versionService": "3.11.7",
        "datesDernieresMisesAJourDesDonnees": updated,
        "etatsDesServices": [{"collection": item["collection"], "etatCollection": "UP"} for item in updated],
    }
    return _answer(request, 200, body)


async def token(request: Request) -> Response:
    params = await _params_of(request)
    if any(params.get(name) != value for name, value in ACCOUNT.items()):
        refusal = {"error": "invalid_grant", "error_description": "Invalid user credentials"}
        return Response(orjson.dumps(refusal), status_code=401, media_type="application/json")
    body = {"access_token": TOKEN, "expires_in": EXPIRES_IN, "scope": "email profile", "token_type": "Bearer"}
    return Response(orjson.dumps(body), media_type="application/json")


# --- Labels --------------------------------------------------------------------------------------

LABELS: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType({
    "nafr2/sousClasse": MappingProxyType({
        "01.41Z": "Élevage de vaches laitières",
        "10.71C": "Boulangerie et boulangerie-pâtisserie",
        "13.10Z": "Préparation de fibres textiles et filature",
        "13.20Z": "Tissage",
        "31.09B": "Fabrication d'autres meubles et industries connexes de l'ameublement",
        "43.12A": "Travaux de terrassement courants et travaux préparatoires",
        "43.99C": "Travaux de maçonnerie générale et gros œuvre de bâtiment",
        "46.90Z": "Commerce de gros (commerce interentreprises) non spécialisé",
        "49.41A": "Transports routiers de fret interurbains",
        "52.29B": "Affrètement et organisation des transports",
        "56.10A": "Restauration traditionnelle",
        "62.01Z": "Programmation informatique",
        "70.10Z": "Activités des sièges sociaux",
        "70.22Z": "Conseil pour les affaires et autres conseils de gestion",
        "71.12B": "Ingénierie, études techniques",
        "86.90E": "Activités des professionnels de la rééducation, de l'appareillage et des pédicures-podologues",
        "88.99B": "Action sociale sans hébergement n.c.a.",
        "90.03A": "Création artistique relevant des arts plastiques",
    }),
    # Only what is certain: the other sub-classes of NAF 2025 answer 404, as an unknown code does.
    "naf2025/sousClasse": MappingProxyType({
        "31.00Y": "Fabrication de meubles",
        "70.10Y": "Activités des sièges sociaux",
    }),
    "cj/n3": MappingProxyType({
        "1000": "Entrepreneur individuel",
        "5499": "Société à responsabilité limitée (sans autre indication)",
        "5599": "SA à conseil d'administration (s.a.i.)",
        "5710": "SAS, société par actions simplifiée",
        "6533": "Groupement agricole d'exploitation en commun (GAEC)",
        "9220": "Association déclarée",
    }),
})  # fmt: skip


async def label(request: Request) -> Response:
    table, code = request.path_params["table"], request.path_params["code"]
    text = LABELS.get(table, {}).get(code)
    if text is None:
        return Response(status_code=404)
    body = {"code": code, "uri": f"http://id.insee.fr/codes/{table}/{code}", "intitule": text}
    return _answer(request, 200, body)


def _plane(prefix: str) -> list[Route]:
    return [
        Route(f"{prefix}/informations", informations, methods=["GET"]),
        Route(f"{prefix}/siren", units, methods=["GET", "POST"]),
        Route(f"{prefix}/siren/{{siren}}", one_unit, methods=["GET"]),
        Route(f"{prefix}/siret", establishments, methods=["GET", "POST"]),
        Route(f"{prefix}/siret/liensSuccession", links, methods=["GET"]),
        Route(f"{prefix}/siret/{{siret}}", one_establishment, methods=["GET"]),
    ]


ROUTES: Final[list[Route]] = [
    Route(TOKEN_PATH, token, methods=["POST"]),
    *_plane(PRIVATE),
    *_plane(PUBLIC),
    Route(f"{METADATA}/codes/{{table:path}}/{{code}}", label, methods=["GET"]),
]
