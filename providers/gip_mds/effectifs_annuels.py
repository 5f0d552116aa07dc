"""The staff counts of a company in a year, by regime. Key: a SIREN, a year and a nature of count.

Source: GIP-MDS, API "RCD", operation `effectifs`, natures A01 to A04. Today's form of the yearly counts that the ACOSS
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
from providers.identifiers import Siren
from providers.record import inherits, record

# --- What it says --------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class AnneeEntreprise:
    """What is asked: a company, a year, a nature of count."""

    sujet: Siren
    annee: int
    nature: NatureEffectif = NatureEffectif.MOYEN


def cle(siren: Siren, annee: int, nature: NatureEffectif, today: date) -> AnneeEntreprise:
    """The key of a caller's request; raises `InvalidIdentifier` for a year that can't be asked."""
    return AnneeEntreprise(sujet=siren, annee=effectifs.checked_year(annee, today), nature=nature)


@record("Effectif d'une entreprise dans une année, pour un régime.")
class EffectifAnnuel:
    regime: RegimeEffectif = inherits("Régime dont relèvent les salariés comptés.", source="[].source")
    nature: NatureEffectif = inherits("Nature de l'effectif.", source="[].nature")
    value: float | None = inherits("Effectif ; nul quand il n'est pas connu (NC).", source="[].effectifs")
    date_derniere_mise_a_jour: date | None = inherits("Date de dernière mise à jour.", source="[].miseAJourRCD")


@record("Effectifs annuels d'une entreprise, d'après ses déclarations sociales.")
class EffectifsAnnuels:
    siren: str = inherits("Numéro SIREN demandé.")
    annee: str = inherits("Année des effectifs (AAAA).", source="[0].periode")
    effectifs_annuel: list[EffectifAnnuel] = inherits(
        "Un effectif par régime, dans l'ordre du GIP-MDS, qui n'a pas de sens."
    )


# --- How to ask ----------------------------------------------------------------------------------


def call(key: AnneeEntreprise, access: Access) -> Call:
    nature = f"A{effectifs.NATURE_NUMBERS[key.nature]}"
    return effectifs.asked(access, nature, ("siren", key.sujet), ("periode", f"{key.annee:04d}1231"))


# --- How to read ---------------------------------------------------------------------------------


def parse(response: httpx.Response, key: AnneeEntreprise) -> EffectifsAnnuels:
    lines = effectifs.lignes(response, "siren", key.sujet, "A")
    return EffectifsAnnuels(
        siren=key.sujet,
        annee=lines[0].annee,
        effectifs_annuel=[
            EffectifAnnuel(
                regime=line.regime,
                nature=line.nature,
                value=line.value,
                date_derniere_mise_a_jour=line.date_derniere_mise_a_jour,
            )
            for line in lines
        ],
    )


# --- The declaration -----------------------------------------------------------------------------

SOURCE: Final[Source[AnneeEntreprise, EffectifsAnnuels]] = effectifs.source("gip_mds.effectifs_annuels", call, parse)

EFFECTIFS_ANNUELS: Final[Dataset[AnneeEntreprise, EffectifsAnnuels, EffectifsAnnuels]] = Dataset(
    id="gip_mds.effectifs_annuels",
    seed="effectifs_annuels_entreprise_acoss_covid",
    title="Effectifs annuels d'une entreprise",
    description=(
        "Effectifs d'une entreprise dans une année, par régime de protection sociale, calculés d'après ses déclarations "
        "sociales nominatives. Remplace les effectifs annuels transmis par l'ACOSS en 2020."
    ),
    ouverture=Ouverture.PROTEGEE,
    opening=effectifs.OPENING,
    source=SOURCE,
    record=EffectifsAnnuels,
    read=as_is,
    source_date=lambda counts: effectifs.latest(
        count.date_derniere_mise_a_jour for count in counts.effectifs_annuel
    ),
    perimeter=effectifs.PERIMETER,
    key="SIREN, année et nature d'effectif",
    freshness=(
        "L'année N est disponible fin janvier N+1 puis mise à jour chaque mois ; les valeurs peuvent être révisées. "
        "Réponse gardée jusqu'à la fin du mois."
    ),
    not_found_means="Le GIP-MDS n'a pas d'effectif connu pour cette entreprise et cette année.",
    quota=QuotaGroup.GIP_MDS,
    rest_path="/v3/gip_mds/unites_legales/{siren}/effectifs_annuels/{year}",
    example=AnneeEntreprise(sujet=Siren("910203041"), annee=2024),
    left_out=MappingProxyType({"[].siren": "Le SIREN demandé, répété ; une réponse qui en nomme un autre est refusée."}),
    open_questions=(
        "Les effectifs annuels de l'ACOSS de 2020 ne sont plus servis : ce jeu de données les remplace.",
        "Leur ancienne habilitation `effectifs_acoss` n'ouvre rien ici, comme sur l'API REST.",
        *effectifs.OPEN_QUESTIONS,
    ),
)  # fmt: skip
