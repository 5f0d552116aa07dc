"""The extract of the register: what the attestation d'immatriculation says, and a link to that PDF.

Source: INPI, RNE API, `companies`. The register answers in clear for entities in partial diffusion, and says by two
flags what may be shown again: hence a protected dataset, and a mask for whoever would not be unmasked.
"""

from dataclasses import replace
from typing import Final

from auth.scopes import UNITES_LEGALES_ETABLISSEMENTS_INSEE
from providers.declaration import Dataset, Opening, Ouverture, QuotaGroup
from providers.diffusion import HIDDEN, hidden
from providers.identifiers import Siren
from providers.inpi_rne.extrait import EXTRAIT, AdresseRne, ExtraitRne
from providers.inpi_rne.fiche import FICHE, Fiche


def read(fiche: Fiche, _key: Siren) -> ExtraitRne:
    return fiche.extrait


# --- What the public doesn't see of an entity in partial diffusion --------------------------------


def mask(extrait: ExtraitRne) -> ExtraitRne:
    """Hide where a legal person is, less its commune; of anyone else, also who it is. The PDF shows all of it."""
    if extrait.diffusion_insee and extrait.diffusion_commerciale:
        return extrait
    identity = extrait.identite_entreprise
    located = replace(
        extrait,
        identite_entreprise=replace(identity, adresse_siege_social=_commune(identity.adresse_siege_social)),
        etablissements=[replace(place, adresse=_commune(place.adresse)) for place in extrait.etablissements],
        document=None,
    )
    return located if identity.type_personne == "M" else _anonymous(located)


def _commune(adresse: AdresseRne | None) -> AdresseRne | None:
    if adresse is None:
        return None
    return replace(adresse, voie=hidden(adresse.voie), complement=hidden(adresse.complement))


def _anonymous(extrait: ExtraitRne) -> ExtraitRne:
    """Names, and the texts that may hold one. The denomination of a natural person is a name too."""
    identity = extrait.identite_entreprise
    return replace(
        extrait,
        identite_entreprise=replace(
            identity,
            denomination=hidden(identity.denomination),
            nom=hidden(identity.nom),
            prenoms=None if identity.prenoms is None else [HIDDEN],
            activite_principale_objet_social=hidden(identity.activite_principale_objet_social),
        ),
        dirigeants_et_associes=[],
        etablissements=[
            replace(
                place,
                activite_principale=hidden(place.activite_principale),
                autres_activites=[HIDDEN for _ in place.autres_activites],
            )
            for place in extrait.etablissements
        ],
        observations=[replace(observation, texte=hidden(observation.texte)) for observation in extrait.observations],
    )


# --- The declaration -----------------------------------------------------------------------------

EXTRAIT_RNE: Final[Dataset[Siren, Fiche, ExtraitRne]] = Dataset(
    id=EXTRAIT,
    seed=None,
    title="Extrait du registre national des entreprises",
    description=(
        "Identité, dirigeants, établissements et observations d'une entreprise au registre national des entreprises "
        "(RNE), avec l'attestation d'immatriculation (PDF) à télécharger. Les entreprises en diffusion partielle y sont "
        "en clair ; deux indicateurs disent ce qui peut être rediffusé."
    ),
    ouverture=Ouverture.PROTEGEE,
    opening=Opening(
        scopes=frozenset({UNITES_LEGALES_ETABLISSEMENTS_INSEE}),
        unmasked_for=frozenset({UNITES_LEGALES_ETABLISSEMENTS_INSEE}),
        mask=mask,
        by_diffusion=False,
    ),
    source=FICHE,
    record=ExtraitRne,
    read=read,
    source_date=lambda extrait: extrait.date_mise_a_jour,
    perimeter=(
        "Toutes les entreprises commerciales, artisanales, agricoles et libérales. France métropolitaine et outre-mer, "
        "sans la Polynésie française, la Nouvelle-Calédonie ni Wallis-et-Futuna."
    ),
    key="SIREN",
    freshness="Mise à jour chaque nuit ; réponse gardée jusqu'au lendemain à trois heures.",
    not_found_means="L'entreprise n'est pas au registre national des entreprises.",
    quota=QuotaGroup.INPI_RNE,
    rest_path="/v3/inpi/rne/unites_legales/{siren}/extrait_rne",
    example=Siren("910203041"),
    left_out={
        "composition.commissairesAuxComptes, structureEntreprise": "Leur contenu n'est pas documenté.",
        "historique, registreAnterieur, natureCessationEntreprise": "Ne sont pas dans l'attestation d'immatriculation.",
        "beneficiairesEffectifs": "Réservés par la loi : un jeu de données à part.",
        "entrepreneur.adresseDomicile, conjoint, genre, pseudonyme, nationalite": "Données personnelles sans usage.",
        "detail_cessation, dissolution.avec_liquidation": "Toujours nuls dans l'API Entreprise d'aujourd'hui.",
        "nombreRepresentantsActifs, nombreEtablissementsOuverts": "Se comptent dans les listes.",
        "…Present": "Booléens techniques qui accompagnent chaque valeur.",
        "enseigne, nomCommercial": "Se lisent à l'INSEE.",
    },
    open_questions=(
        "Le registre ne donne pas les libellés des formes juridiques et des activités : ils restent nuls, et l'objet "
        "social n'est pas remplacé par celui de l'activité.",
        "Une date que le registre écrit de travers est nulle, là où l'API d'aujourd'hui la transmet telle quelle.",
        "Forme d'une « exploitation » : son identité et ses listes sont vides.",
        "Valeurs de `statutPourFormalite` au-delà de 2, 4, 5 (ouvert) et 6 (fermé) : lues comme ouvert.",
        "On ignore si l'export du PDF vérifie vraiment le jeton, qui est envoyé.",
    ),
)
