"""The beneficial owners of a company: the natural persons who control it, and how.

Source: INPI, RNE API, `companies`. Restricted by law to the authorities of article L561-46 (2°) of the code
monétaire et financier: the access right is the protection, and no diffusion status changes what is shown.
"""

from typing import Final

from auth import scopes
from providers.declaration import Dataset, Opening, Ouverture, QuotaGroup
from providers.errors import NotFound
from providers.identifiers import Siren
from providers.inpi_rne.controle import BeneficiairesEffectifs
from providers.inpi_rne.fiche import FICHE, Fiche


def read(fiche: Fiche, _key: Siren) -> BeneficiairesEffectifs:
    if fiche.beneficiaires is None:
        raise NotFound("Le registre ne donne aucun bénéficiaire effectif de cette entreprise.")
    return fiche.beneficiaires


BENEFICIAIRES_EFFECTIFS: Final[Dataset[Siren, Fiche, BeneficiairesEffectifs]] = Dataset(
    id="inpi_rne.beneficiaires_effectifs",
    seed=None,
    title="Bénéficiaires effectifs",
    description=(
        "Personnes physiques qui contrôlent une entreprise et comment : capital, droits de vote, autres pouvoirs. "
        "Depuis le 31 juillet 2024, réservé aux autorités de l'article L561-46 (2°) du code monétaire et financier, pour "
        "détecter la fraude."
    ),
    ouverture=Ouverture.PROTEGEE,
    opening=Opening(
        # Never `open_data`, which opened a deprecated variant: the law has closed it since.
        scopes=frozenset({scopes.BENEFICIAIRES_EFFECTIFS_INPI}),
        unmasked_for=frozenset(),
        mask=None,
        by_diffusion=False,
    ),
    source=FICHE,
    record=BeneficiairesEffectifs,
    read=read,
    source_date=None,
    perimeter="Personnes morales inscrites au registre national des entreprises qui ont déclaré leurs bénéficiaires.",
    key="SIREN",
    freshness="Mise à jour chaque nuit ; réponse gardée jusqu'au lendemain à trois heures.",
    not_found_means=(
        "L'entreprise n'est pas au registre, n'est pas une personne morale ou n'a déclaré personne ; le registre se tait "
        "aussi quand notre compte n'est pas habilité à les lire."
    ),
    quota=QuotaGroup.INPI_RNE,
    rest_path="/v3/inpi/rne/unites_legales/{siren}/beneficiaires_effectifs",
    example=Siren("910203041"),
    left_out={
        "indexPouvoir, indicateurActifAgricole": "Absents de la ressource d'API Entreprise.",
        "beneficiaire.adresseDomicile": "Seul le pays est servi.",
        "modalite.modalitesDeControle, detention25p…": "Redondants avec les modalités détaillées.",
        "modalite.…Rdd": "Valeurs déclarées dans l'ancien registre.",
    },
    open_questions=(
        "Une déclaration qui n'est plus en vigueur (`actif` faux) est servie avec cet indicateur : l'API d'aujourd'hui ne "
        "dit pas l'écarter.",
        "Rien ne distingue une entreprise sans bénéficiaire déclaré d'un compte d'accès sans l'habilitation de l'INPI.",
    ),
)
