"""The last year for which an employer is known to have met the obligation to employ disabled workers.

Historical: one hand-over per year, the last meaningful year being 2019. Not found never means in breach: employers of
fewer than 20 people are not subject to the declaration.
Source: law 2018-771 for the withdrawal; the hand-over's file format is a proposal (see `chargement`).
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Row, Select, select

from auth.scopes import ATTESTATIONS_AGEFIPH, OPEN_DATA
from providers.agefiph.table import CONFORMITES, LIVRAISONS
from providers.attestation import Situation
from providers.declaration import (
    PARIS,
    Dataset,
    For,
    Opening,
    Ouverture,
    QuotaGroup,
    Source,
    Table,
    Timeouts,
    as_is,
)
from providers.identifiers import Siret
from providers.record import inherits, record

_SINCE = "Dispositif clos : l'obligation d'emploi est couverte par l'attestation de vigilance de l'URSSAF depuis 2021."


@record("Conformité à l'obligation d'emploi des travailleurs handicapés, telle que remise par l'AGEFIPH (historique).")
class EmploiTravailleursHandicapes:
    situation: Situation = inherits(
        "Ce que l'AGEFIPH dit de l'employeur : toujours `DELIVREE`, pour une année passée. Elle ne dit rien de ceux dont "
        "elle ne connaît pas d'année de conformité : ils sont introuvables.",
        source="derniere_annee_conformite",
    )
    situation_au: date = inherits(
        "Date dont parle la situation : dernier jour de la dernière année de conformité connue.",
        source="derniere_annee_conformite",
    )
    derniere_annee_de_conformite_connue: str = inherits(
        "Dernière année civile pour laquelle l'employeur est connu comme ayant rempli son obligation (AAAA).",
        source="derniere_annee_conformite",
        deprecated=_SINCE,
    )
    remis_le: date = inherits("Date à laquelle l'AGEFIPH a remis ces informations.", source="date_remise")
    dump_date: int = inherits(
        "La même date, en secondes depuis 1970 (minuit à Paris), comme dans l'API REST v2.",
        source="date_remise",
        deprecated="Lisez `remisLe`.",
    )


def rows_of(keys: Sequence[Siret]) -> Select[Any]:
    """The rows of these establishments that have a known year: an empty year counts as not found."""
    known = CONFORMITES.c.derniere_annee.is_not(None)
    return select(CONFORMITES).where(CONFORMITES.c.siret.in_(list(keys)), known)


def record_of(row: Row[Any]) -> tuple[Siret, EmploiTravailleursHandicapes]:
    """One row as the public record."""
    midnight = datetime.combine(row.remise_le, datetime.min.time(), PARIS)
    return Siret(row.siret), EmploiTravailleursHandicapes(
        situation=Situation.DELIVREE,
        situation_au=date(int(row.derniere_annee), 12, 31),
        derniere_annee_de_conformite_connue=row.derniere_annee,
        remis_le=row.remise_le,
        dump_date=int(midnight.timestamp()),
    )


def delivery() -> Select[Any]:
    """A row when a delivery is in service."""
    return select(LIVRAISONS.c.id).limit(1)


_SOURCE = Source[Siret, EmploiTravailleursHandicapes](
    id="agefiph.emploi_travailleurs_handicapes",
    how=Table(select=rows_of, read=record_of, loaded=delivery),
    timeouts=Timeouts(connect=timedelta(seconds=5), read=timedelta(seconds=5), total=timedelta(seconds=5)),
    # A table needs no cache; a minute spares it a page of 100 companies that is reloaded.
    life=For(timedelta(minutes=1)),
    # What our own table lacks, it lacks until the next delivery is loaded.
    not_found_life=For(timedelta(minutes=1)),
    completion=None,
    max_bytes=0,
)

EMPLOI_TRAVAILLEURS_HANDICAPES = Dataset(
    id="agefiph.emploi_travailleurs_handicapes",
    seed="attestations_agefiph",
    title="Conformité emploi des travailleurs handicapés",
    description="Dernière année de conformité connue à l'obligation d'emploi des travailleurs handicapés (historique).",
    ouverture=Ouverture.PUBLIQUE,
    opening=Opening(
        scopes=frozenset({ATTESTATIONS_AGEFIPH, OPEN_DATA}), unmasked_for=frozenset(), mask=None, by_diffusion=False
    ),
    source=_SOURCE,
    record=EmploiTravailleursHandicapes,
    read=as_is,
    source_date=lambda conformite: conformite.remis_le,
    perimeter="Établissements d'employeurs privés de 20 salariés et plus, jusqu'à l'année 2019.",
    key="SIRET",
    freshness="Une remise par an ; la dernière année connue est 2019.",
    not_found_means="Introuvable : établissement non assujetti ou inconnu de l'AGEFIPH, jamais un défaut de conformité.",
    quota=QuotaGroup.JSON,
    rest_path="/v2/attestations_agefiph/{siret}",
    example=Siret("91020304100025"),
    left_out={},
    open_questions=("Format du fichier remis par l'AGEFIPH : inconnu, celui du chargement est une proposition.",),
)
