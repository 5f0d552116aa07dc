"""What the Sirene register says, as records: the public types that the datasets of this room share.

Fields carry the names of the v4 REST resource: `activite_principale` is the NAF 2025 code,
`activite_principale_naf_rev2` the code in force until the end of 2026.
"""

from datetime import date

from providers.identifiers import Siren, Siret
from providers.insee.nomenclatures import (
    CategorieEntreprise,
    EtatAdministratifEtablissement,
    EtatAdministratifUniteLegale,
    StatutDiffusion,
)
from providers.personne import TypePersonne
from providers.record import inherits, record

# --- Parts ---------------------------------------------------------------------------------------


@record("Catégorie juridique (niveau III).")
class FormeJuridiqueSirene:
    code: str | None = inherits("Code à quatre chiffres.", source="categorieJuridiqueUniteLegale")
    libelle: str | None = inherits("Libellé officiel, quand il a pu être obtenu.")


@record("Activité principale exercée.")
class ActivitePrincipaleSirene:
    code: str | None = inherits("Code de l'activité.", source="activitePrincipale…")
    nomenclature: str | None = inherits(
        "Nomenclature à laquelle le code appartient : NAF2025, NAFRev2, ou une plus ancienne (NAFRev1, NAF1993, NAP).",
        source="nomenclatureActivitePrincipale…",
    )
    libelle: str | None = inherits(
        "Libellé officiel, quand il a pu être obtenu ; toujours absent pour une nomenclature ancienne."
    )


@record("Tranche d'effectif salarié.")
class TrancheEffectifSalarieSirene:
    code: str | None = inherits("Code de la tranche.", source="trancheEffectifs…")
    intitule: str | None = inherits("Intitulé de la tranche.")
    de: int | None = inherits("Effectif minimal.")
    a: int | None = inherits("Effectif maximal ; absent pour la dernière tranche.")
    date_reference: str | None = inherits("Année de validité de la tranche.", source="anneeEffectifs…")


@record("Ce qui n'existe que pour une personne morale.")
class PersonneMoraleAttributsSirene:
    raison_sociale: str | None = inherits("Raison sociale.", source="denominationUniteLegale", personal=True)
    sigle: str | None = inherits("Sigle.", source="sigleUniteLegale", personal=True)


@record("Ce qui n'existe que pour une personne physique.")
class PersonnePhysiqueAttributsSirene:
    pseudonyme: str | None = inherits("Pseudonyme.", source="pseudonymeUniteLegale", personal=True)
    prenom_usuel: str | None = inherits("Prénom usuel.", source="prenomUsuelUniteLegale", personal=True)
    prenom_1: str | None = inherits("Premier prénom.", source="prenom1UniteLegale", personal=True)
    prenom_2: str | None = inherits("Deuxième prénom.", source="prenom2UniteLegale", personal=True)
    prenom_3: str | None = inherits("Troisième prénom.", source="prenom3UniteLegale", personal=True)
    prenom_4: str | None = inherits("Quatrième prénom.", source="prenom4UniteLegale", personal=True)
    nom_usage: str | None = inherits("Nom d'usage.", source="nomUsageUniteLegale", personal=True)
    nom_naissance: str | None = inherits("Nom de naissance.", source="nomUniteLegale", personal=True)
    sexe: str | None = inherits("Sexe : M, F, ou [ND].", source="sexeUniteLegale", personal=True)


# --- Legal units ---------------------------------------------------------------------------------


@record("Unité légale telle que la porte un de ses établissements : ses valeurs courantes, sans historique.")
class UniteLegaleCouranteSirene:
    siren: Siren = inherits("Numéro SIREN.", source="siren")
    siret_siege_social: Siret | None = inherits("SIRET du siège social.", source="nicSiegeUniteLegale")
    rna: str | None = inherits("Numéro RNA d'une association.", source="identifiantAssociationUniteLegale")
    type: TypePersonne | None = inherits(
        "Personne morale ou personne physique.", source="categorieJuridiqueUniteLegale"
    )
    categorie_entreprise: CategorieEntreprise | None = inherits(
        "Catégorie statistique de taille.", source="categorieEntreprise"
    )
    personne_morale_attributs: PersonneMoraleAttributsSirene = inherits("Attributs d'une personne morale.")
    personne_physique_attributs: PersonnePhysiqueAttributsSirene = inherits("Attributs d'une personne physique.")
    status_diffusion: StatutDiffusion | None = inherits("Statut de diffusion.", source="statutDiffusionUniteLegale")
    diffusable_commercialement: bool = inherits(
        "Vrai si les données montrées ici peuvent être diffusées commercialement."
    )
    forme_juridique: FormeJuridiqueSirene = inherits("Forme juridique.")
    activite_principale: ActivitePrincipaleSirene = inherits(
        "Activité principale en NAF 2025.", source="activitePrincipaleNAF25UniteLegale"
    )
    activite_principale_naf_rev2: ActivitePrincipaleSirene = inherits(
        "Activité principale en NAF rév. 2, ou dans la nomenclature en vigueur à la cessation.",
        source="activitePrincipaleUniteLegale",
    )
    tranche_effectif_salarie: TrancheEffectifSalarieSirene = inherits("Tranche d'effectif salarié.")
    economie_sociale_et_solidaire: bool | None = inherits(
        "Appartenance au champ de l'économie sociale et solidaire.", source="economieSocialeSolidaireUniteLegale"
    )
    etat_administratif: EtatAdministratifUniteLegale | None = inherits(
        "État administratif.", source="etatAdministratifUniteLegale"
    )
    date_creation: date | None = inherits(
        "Date de création ; absente si elle est inconnue de l'INSEE.", source="dateCreationUniteLegale"
    )


@record("Unité légale du répertoire Sirene.")
class UniteLegaleSirene(UniteLegaleCouranteSirene):
    date_cessation: date | None = inherits(
        "Date de cessation d'une unité légale cessée.", source="periodesUniteLegale[].dateDebut"
    )
    date_derniere_mise_a_jour: date | None = inherits(
        "Date du dernier traitement au répertoire.", source="dateDernierTraitementUniteLegale"
    )
    redirige_depuis: Siren | None = inherits(
        "SIREN demandé, s'il est un doublon que l'INSEE a remplacé par celui-ci.", source="Location"
    )


# --- Establishments ------------------------------------------------------------------------------


@record("Adresse en sept lignes, prête pour un envoi postal.")
class AcheminementPostalSirene:
    l1: str | None = inherits("Dénomination d'une personne morale.", personal=True)
    l2: str | None = inherits("Nom et prénom d'une personne physique.", personal=True)
    l3: str | None = inherits("Complément d'adresse.", personal=True)
    l4: str | None = inherits("Numéro et voie.", personal=True)
    l5: str | None = inherits("Distribution spéciale.", personal=True)
    l6: str | None = inherits("Code postal et commune.", personal=True)
    l7: str | None = inherits("Pays.")


@record("Adresse d'un établissement.")
class AdresseSirene:
    status_diffusion: StatutDiffusion | None = inherits(
        "Statut de diffusion de l'établissement.", source="statutDiffusionEtablissement"
    )
    complement_adresse: str | None = inherits(
        "Complément d'adresse.", source="complementAdresseEtablissement", personal=True
    )
    numero_voie: str | None = inherits("Numéro dans la voie.", source="numeroVoieEtablissement", personal=True)
    indice_repetition_voie: str | None = inherits(
        "Indice de répétition : bis, ter…", source="indiceRepetitionEtablissement", personal=True
    )
    type_voie: str | None = inherits("Type de voie.", source="typeVoieEtablissement", personal=True)
    libelle_voie: str | None = inherits("Libellé de la voie.", source="libelleVoieEtablissement", personal=True)
    code_postal: str | None = inherits("Code postal.", source="codePostalEtablissement", personal=True)
    distribution_speciale: str | None = inherits(
        "Distribution spéciale ; n'est plus tenue à jour.",
        source="distributionSpecialeEtablissement",
        personal=True,
    )
    code_cedex: str | None = inherits(
        "Code cedex ; n'est plus tenu à jour.", source="codeCedexEtablissement", personal=True
    )
    libelle_cedex: str | None = inherits(
        "Libellé cedex ; n'est plus tenu à jour.", source="libelleCedexEtablissement", personal=True
    )
    code_commune: str | None = inherits("Code officiel géographique de la commune.", source="codeCommuneEtablissement")
    libelle_commune: str | None = inherits("Nom de la commune.", source="libelleCommuneEtablissement")
    libelle_commune_etranger: str | None = inherits(
        "Nom de la commune à l'étranger.", source="libelleCommuneEtrangerEtablissement"
    )
    code_pays_etranger: str | None = inherits("Code du pays étranger.", source="codePaysEtrangerEtablissement")
    libelle_pays_etranger: str | None = inherits("Nom du pays étranger.", source="libellePaysEtrangerEtablissement")
    acheminement_postal: AcheminementPostalSirene = inherits("Adresse postale composée par notre service.")


@record("Établissement du répertoire Sirene.")
class EtablissementSirene:
    siret: Siret = inherits("Numéro SIRET.", source="siret")
    siege_social: bool = inherits("Vrai si l'établissement est le siège social.", source="etablissementSiege")
    etat_administratif: EtatAdministratifEtablissement | None = inherits(
        "État administratif.", source="periodesEtablissement[].etatAdministratifEtablissement"
    )
    date_creation: date | None = inherits(
        "Date de création ; absente si elle est inconnue de l'INSEE.", source="dateCreationEtablissement"
    )
    date_fermeture: date | None = inherits(
        "Date de fermeture d'un établissement fermé.", source="periodesEtablissement[].dateDebut"
    )
    enseigne: str | None = inherits(
        "Enseignes, séparées par des virgules.", source="enseigne1Etablissement", personal=True
    )
    activite_principale: ActivitePrincipaleSirene = inherits(
        "Activité principale en NAF 2025.", source="activitePrincipaleNAF25Etablissement"
    )
    activite_principale_naf_rev2: ActivitePrincipaleSirene = inherits(
        "Activité principale en NAF rév. 2, ou dans la nomenclature en vigueur à la fermeture.",
        source="activitePrincipaleEtablissement",
    )
    tranche_effectif_salarie: TrancheEffectifSalarieSirene = inherits("Tranche d'effectif salarié.")
    status_diffusion: StatutDiffusion | None = inherits("Statut de diffusion.", source="statutDiffusionEtablissement")
    diffusable_commercialement: bool = inherits(
        "Vrai si les données montrées ici peuvent être diffusées commercialement."
    )
    unite_legale: UniteLegaleCouranteSirene = inherits(
        "Unité légale à laquelle l'établissement appartient.", source="uniteLegale"
    )
    adresse: AdresseSirene = inherits("Adresse de l'établissement.", source="adresseEtablissement")
    date_derniere_mise_a_jour: date | None = inherits(
        "Date du dernier traitement au répertoire.", source="dateDernierTraitementEtablissement"
    )
    redirige_depuis: Siret | None = inherits(
        "SIRET demandé, s'il est un doublon que l'INSEE a remplacé par celui-ci.", source="Location"
    )


@record("Page de la liste des établissements d'une unité légale.")
class PageDEtablissements:
    total: int = inherits("Nombre d'établissements de la liste entière.", source="header.total")
    curseur_suivant: str | None = inherits(
        "Curseur de la page suivante ; absent sur la dernière page.", source="header.curseurSuivant"
    )
    items: list[EtablissementSirene] = inherits("Établissements de la page.", source="etablissements")


# --- Successions ---------------------------------------------------------------------------------


@record("Lien de succession entre deux établissements.")
class SuccessionSirene:
    siret: Siret = inherits(
        "SIRET de l'autre établissement.",
        source="siretEtablissementPredecesseur, siretEtablissementSuccesseur",
    )
    date_succession: date | None = inherits("Date d'effet.", source="dateLienSuccession")
    transfert_siege: bool | None = inherits("Vrai si le siège a été transféré.", source="transfertSiege")
    continuite_economique: bool | None = inherits(
        "Vrai s'il y a continuité économique entre les deux établissements.", source="continuiteEconomique"
    )


@record("Prédécesseurs et successeurs d'un établissement.")
class SuccessionsSirene:
    predecesseurs: list[SuccessionSirene] = inherits("Établissements auxquels celui-ci a succédé.")
    successeurs: list[SuccessionSirene] = inherits("Établissements qui ont succédé à celui-ci.")


# --- Search --------------------------------------------------------------------------------------


@record("Unité légale trouvée par une recherche.")
class UniteLegaleTrouvee:
    siren: Siren = inherits("Numéro SIREN.", source="siren")
    denomination: str | None = inherits(
        "Raison sociale d'une personne morale ; prénom et nom d'une personne physique.",
        source="denominationUniteLegale, nomUniteLegale",
        personal=True,
    )
    type: TypePersonne | None = inherits(
        "Personne morale ou personne physique.", source="categorieJuridiqueUniteLegale"
    )
    etat_administratif: EtatAdministratifUniteLegale | None = inherits(
        "État administratif.", source="etatAdministratifUniteLegale"
    )
    status_diffusion: StatutDiffusion | None = inherits("Statut de diffusion.", source="statutDiffusionUniteLegale")
    siret_siege_social: Siret = inherits("SIRET du siège social.", source="siret")
    code_activite_principale_naf_rev2: str | None = inherits(
        "Code de l'activité principale en NAF rév. 2.", source="activitePrincipaleUniteLegale"
    )
    libelle_commune: str | None = inherits("Commune du siège social.", source="libelleCommuneEtablissement")


@record("Page du résultat d'une recherche.")
class PageDeRecherche:
    total: int = inherits("Nombre d'unités légales trouvées.", source="header.total")
    curseur_suivant: str | None = inherits(
        "Curseur de la page suivante ; absent sur la dernière page.", source="header.curseurSuivant"
    )
    items: list[UniteLegaleTrouvee] = inherits("Unités légales de la page.", source="etablissements")
