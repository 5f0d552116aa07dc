"""The staff counts of an establishment in a month, and in the months before, by regime.

Key: a SIRET, a month of a year, a depth in months and a nature of count.
Source: GIP-MDS, API "RCD", operation `effectifs`, natures M01 to M04. Today's form of the monthly counts that the ACOSS
handed over in 2020.
"""

from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Final

import httpx

from providers.declaration import (
    Access,
    Call,
    Dataset,
    Ouverture,
    QuotaGroup,
    Source,
    as_is,
)
from providers.gip_mds import effectifs
from providers.gip_mds.effectifs import NatureEffectif, RegimeEffectif
from providers.identifiers import Siret
from providers.record import inherits, record

# --- What it says --------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class MoisEtablissement:
    """What is asked: an establishment, a month, how far back (`None`: as the provider sees fit), a nature of count."""

    sujet: Siret
    annee: int
    mois: int
    profondeur: int | None = None
    nature: NatureEffectif = NatureEffectif.MOYEN


def cle(
    siret: Siret, annee: int, mois: int, profondeur: int | None, nature: NatureEffectif, today: date
) -> MoisEtablissement:
    """The key of a caller's request; raises `InvalidIdentifier` for a period that can't be asked."""
    return MoisEtablissement(
        sujet=siret,
        annee=effectifs.checked_year(annee, today),
        mois=effectifs.checked_month(mois),
        profondeur=effectifs.checked_depth(profondeur),
        nature=nature,
    )


@record("Effectif d'un établissement dans un mois, pour un régime.")
class EffectifMensuel:
    regime: RegimeEffectif = inherits("Régime dont relèvent les salariés comptés.", source="[].source")
    annee: str = inherits("Année (AAAA).", source="[].periode")
    mois: str = inherits("Mois (MM).", source="[].periode")
    nature: NatureEffectif = inherits("Nature de l'effectif.", source="[].nature")
    value: float | None = inherits("Effectif ; nul quand il n'est pas connu (NC).", source="[].effectifs")
    date_derniere_mise_a_jour: date | None = inherits("Date de dernière mise à jour.", source="[].miseAJourRCD")


@record("Effectifs mensuels d'un établissement, d'après ses déclarations sociales.")
class EffectifsMensuels:
    siret: str = inherits("Numéro SIRET demandé.")
    effectifs_mensuels: list[EffectifMensuel] = inherits(
        "Un effectif par mois et par régime, dans l'ordre du GIP-MDS, qui n'a pas de sens."
    )


# --- How to ask ----------------------------------------------------------------------------------


def call(key: MoisEtablissement, access: Access) -> Call:
    nature = f"M{effectifs.NATURE_NUMBERS[key.nature]}"
    subject = (("siret", key.sujet), ("periode", f"{key.annee:04d}{key.mois:02d}01"))
    depth = () if key.profondeur is None else (("profondeurHistorique", str(key.profondeur)),)
    return effectifs.asked(access, nature, *subject, *depth)


# --- How to read ---------------------------------------------------------------------------------


def parse(response: httpx.Response, key: MoisEtablissement) -> EffectifsMensuels:
    lines = effectifs.lignes(response, "siret", key.sujet, "M")
    return EffectifsMensuels(
        siret=key.sujet,
        effectifs_mensuels=[
            EffectifMensuel(
                regime=line.regime,
                annee=line.annee,
                mois=line.mois,
                nature=line.nature,
                value=line.value,
                date_derniere_mise_a_jour=line.date_derniere_mise_a_jour,
            )
            for line in lines
        ],
    )


# --- The declaration -----------------------------------------------------------------------------

SOURCE: Final[Source[MoisEtablissement, EffectifsMensuels]] = effectifs.source(
    "gip_mds.effectifs_mensuels", call, parse
)

EFFECTIFS_MENSUELS: Final[Dataset[MoisEtablissement, EffectifsMensuels, EffectifsMensuels]] = Dataset(
    id="gip_mds.effectifs_mensuels",
    seed="effectifs_mensuels_etablissement_acoss_covid",
    title="Effectifs mensuels d'un établissement",
    description=(
        "Effectifs d'un établissement dans un mois et, sur demande, dans les mois qui précèdent, par régime de protection "
        "sociale, calculés d'après les déclarations sociales nominatives. Remplace les effectifs mensuels transmis par "
        "l'ACOSS en 2020."
    ),
    ouverture=Ouverture.PROTEGEE,
    opening=effectifs.OPENING,
    source=SOURCE,
    record=EffectifsMensuels,
    read=as_is,
    source_date=lambda counts: effectifs.latest(
        count.date_derniere_mise_a_jour for count in counts.effectifs_mensuels
    ),
    perimeter=effectifs.PERIMETER,
    key="SIRET, année, mois, profondeur et nature d'effectif",
    freshness=(
        "Le mois M est disponible à la fin du mois suivant ; les valeurs peuvent être révisées. Réponse gardée jusqu'à la "
        "fin du mois."
    ),
    not_found_means="Le GIP-MDS n'a pas d'effectif connu pour cet établissement à cette période.",
    quota=QuotaGroup.GIP_MDS,
    rest_path="/v3/gip_mds/etablissements/{siret}/effectifs_mensuels/{month}/annee/{year}",
    example=MoisEtablissement(sujet=Siret("91020304100025"), annee=2024, mois=3, profondeur=1),
    left_out=MappingProxyType({"[].siret": "Le SIRET demandé, répété ; une réponse qui en nomme un autre est refusée."}),
    open_questions=(
        "Les effectifs mensuels de l'ACOSS de 2020 ne sont plus servis : ce jeu de données les remplace.",
        "`effectifs_mensuels_entreprise_acoss_covid` n'a pas de successeur : la route répondait 404 pour tous.",
        "Une profondeur n donne-t-elle n ou n + 1 mois ? Tous les mois de la réponse sont rendus.",
        "Profondeur maximale : 12 ou 13 selon les textes ; 13 est acceptée.",
        *effectifs.OPEN_QUESTIONS,
    ),
)  # fmt: skip
