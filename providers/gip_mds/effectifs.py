"""What both staff counts share: kinds, regimes, the one operation, its statuses and the reading of a line.

Source: GIP-MDS, API "RCD" 1.0.0, operation `effectifs`. Both regimes are always asked, and always answered.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final, TypeVar

import httpx
import orjson

from auth import scopes
from providers.declaration import PARIS, Access, Call, Http, NotKept, Opening, Source, Timeouts, UntilMonthEnd
from providers.errors import NotFound, Unavailable, Unreadable, internal_error
from providers.gip_mds import jeton, quota
from providers.http_status import refuse_outage, retry_after
from providers.identifiers import InvalidIdentifier, iso_date
from providers.record import enumeration

Json = dict[str, Any]
K = TypeVar("K")
R = TypeVar("R")

OPENING: Final[Opening[Any]] = Opening(
    scopes=frozenset({scopes.EFFECTIFS_URSSAF}), unmasked_for=frozenset(), mask=None, by_diffusion=False
)
OPEN_QUESTIONS: Final = (
    "Une nature inconnue est refusée par le schéma, là où l'API REST la lit comme un effectif moyen.",
    "Corps des réponses 404 et 500, statut des réponses `KO_TECHNIQUE`, régimes autres que RA et RG : inconnus.",
    "Périodes futures, ou plus vieilles que cinq ans : supposées sans effectif (404, ou NC partout).",
    "Corps de la réponse 429 : lu comme un formulaire ou comme du JSON.",
)
MAX_DEPTH: Final = 13
PERIMETER: Final = (
    "Unités qui ont des salariés au régime général ou au régime agricole, en métropole et outre-mer. Les régimes "
    "spéciaux, les unités fermées et les micro-entrepreneurs n'en sont pas. Cinq ans d'historique."
)


@enumeration(
    "Nature d'un effectif.",
    MOYEN="Effectif moyen.",
    BOETH="Bénéficiaires de l'obligation d'emploi des travailleurs handicapés.",
    ECAP="Emplois exigeant des conditions d'aptitude particulières.",
    ASSUJETTISSEMENT_OETH="Effectif d'assujettissement à l'obligation d'emploi des travailleurs handicapés.",
)
class NatureEffectif(StrEnum):
    MOYEN = "MOYEN"
    BOETH = "BOETH"
    ECAP = "ECAP"
    ASSUJETTISSEMENT_OETH = "ASSUJETTISSEMENT_OETH"


@enumeration(
    "Régime de protection sociale dont relèvent les salariés comptés.",
    REGIME_GENERAL="Régime général.",
    REGIME_AGRICOLE="Régime agricole.",
)
class RegimeEffectif(StrEnum):
    REGIME_GENERAL = "REGIME_GENERAL"
    REGIME_AGRICOLE = "REGIME_AGRICOLE"


NATURE_NUMBERS: Final[Mapping[NatureEffectif, str]] = MappingProxyType({
    NatureEffectif.MOYEN: "01",
    NatureEffectif.BOETH: "02",
    NatureEffectif.ECAP: "03",
    NatureEffectif.ASSUJETTISSEMENT_OETH: "04",
})  # fmt: skip
_NATURES: Final = MappingProxyType({number: nature for nature, number in NATURE_NUMBERS.items()})
_REGIMES: Final = MappingProxyType({"RG": RegimeEffectif.REGIME_GENERAL, "RA": RegimeEffectif.REGIME_AGRICOLE})

# --- What may be asked ---------------------------------------------------------------------------


def checked_year(annee: int, today: date) -> int:
    """A year of the common era of declarations; raises with the message that the caller reads."""
    if 1900 <= annee <= today.year:
        return annee
    raise InvalidIdentifier("Année invalide : quatre chiffres, de 1900 à l'année en cours.", "00307")


def checked_month(mois: int) -> int:
    if 1 <= mois <= 12:
        return mois
    raise InvalidIdentifier("Mois invalide : un nombre de 1 à 12.", "00305")


def checked_depth(profondeur: int | None) -> int | None:
    if profondeur is None or 0 <= profondeur <= MAX_DEPTH:
        return profondeur
    raise InvalidIdentifier(f"Profondeur invalide : un nombre de mois de 0 à {MAX_DEPTH}.", "00390")


# --- How to ask ----------------------------------------------------------------------------------


def asked(access: Access, nature: str, *subject: tuple[str, str]) -> Call:
    """The operation, for one nature. The instant of the call travels in Paris time, with its offset."""
    return Call(
        method="GET",
        url=access.settings["url"] + "/rcd-api/1.0.0/effectifs",
        params=(
            ("codeOPSDemandeur", access.settings["code_ops_demandeur"]),
            ("dateHeure", access.now.astimezone(PARIS).isoformat(timespec="seconds")),
            ("source", "RA;RG"),
            ("nature", nature),
            *subject,
        ),
        headers=(("Authorization", f"Bearer {access.session}"), ("Content-Type", "application/json")),
    )


# --- How to read ---------------------------------------------------------------------------------

_NOT_KNOWN: Final = "NC"
_COUNT: Final = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?")
_PERIOD: Final = re.compile(r"[0-9]{4}(0[1-9]|1[0-2])[0-9]{2}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Ligne:
    """One count: a regime and a month (or a year)."""

    regime: RegimeEffectif
    nature: NatureEffectif
    annee: str
    mois: str
    value: float | None
    date_derniere_mise_a_jour: date | None


def lignes(response: httpx.Response, subject: str, key: str, prefix: str) -> list[Ligne]:
    """All the counts of an answer, in its order. `prefix` is the letter of the natures: `A` by year, `M` by month."""
    _refuse_by_status(response)
    lines = [_ligne(item, subject, key, prefix) for item in _items(response.content)]
    if {line.regime for line in lines} != set(RegimeEffectif):
        raise Unreadable
    if all(line.value is None for line in lines):
        raise NotFound("Le GIP-MDS ne connaît pas d'effectif pour cette unité à cette période.")
    return lines


def _refuse_by_status(response: httpx.Response) -> None:
    """The statuses that decide alone; any other one is judged by its body."""
    status = response.status_code
    if status in (204, 404):
        raise NotFound("Le GIP-MDS n'a pas d'effectif pour cette unité à cette période.")
    if status in (401, 403):
        raise jeton.still_refused()
    if status == 429:
        raise quota.used_up(response)
    if status == 500:
        raise internal_error(retry_after(response))
    refuse_outage(response)


def _items(body: bytes) -> list[Json]:
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise Unreadable from None
    if isinstance(answer, dict) and answer.get("code") == "KO_TECHNIQUE":
        raise Unavailable("Le GIP-MDS signale une panne technique. Réessayez plus tard.", "501")
    if not isinstance(answer, list) or not answer or not all(isinstance(item, dict) for item in answer):
        raise Unreadable
    return answer


def _ligne(item: Json, subject: str, key: str, prefix: str) -> Ligne:
    named = item.get(subject)
    # Another unit's counts would be worse than no answer.
    if isinstance(named, str) and named != key:
        raise Unreadable
    nature, period = _text(item, "nature"), _text(item, "periode")
    if not nature.startswith(prefix) or nature[1:] not in _NATURES or not _PERIOD.fullmatch(period):
        raise Unreadable
    regime = _REGIMES.get(_text(item, "source"))
    if regime is None:
        raise Unreadable
    value = _value(item.get("effectifs"))
    return Ligne(
        regime=regime,
        nature=_NATURES[nature[1:]],
        annee=period[:4],
        mois=period[4:6],
        value=value,
        date_derniere_mise_a_jour=None if value is None else _updated(item),
    )


def _text(item: Json, name: str) -> str:
    value = item.get(name)
    if not isinstance(value, str):
        raise Unreadable
    return value


def _value(count: object) -> float | None:
    """A decimal written as a string, now and then as a number; `NC` is "not known"."""
    if count == _NOT_KNOWN:
        return None
    if isinstance(count, bool) or not isinstance(count, str | int | float) or not _COUNT.fullmatch(str(count)):
        raise Unreadable
    return float(count)


def _updated(item: Json) -> date | None:
    """Missing and blank both mean unknown; the key was once spelt with a small `a`."""
    written = next((value for name in ("miseAJourRCD", "miseAjourRCD") if (value := item.get(name)) is not None), None)
    if not isinstance(written, str | None):
        raise Unreadable
    try:
        return iso_date((written or "").strip())
    except ValueError:
        raise Unreadable from None


def latest(days: Iterable[date | None]) -> date | None:
    """The last of the updates that the counts tell."""
    return max((day for day in days if day is not None), default=None)


# --- The source ----------------------------------------------------------------------------------


def source(id_: str, call: Callable[[K, Access], Call], parse: Callable[[httpx.Response, K], R]) -> Source[K, R]:
    """One of the two counts: the operation is the same, kept until it is computed anew."""
    return Source(
        id=id_,
        how=Http(call=call, parse=parse, bulk=None, steps=1),
        timeouts=Timeouts(connect=timedelta(seconds=2), read=timedelta(seconds=6), total=timedelta(seconds=8)),
        life=UntilMonthEnd(),
        not_found_life=NotKept(),
        completion=None,
        max_bytes=1_000_000,
    )
