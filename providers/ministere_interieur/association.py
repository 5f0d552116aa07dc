"""What an association is: the words of the record, shared by whoever reads it whole or in its public part.

Source: API Association, the tree `asso`. Names are those of today's REST API (v4).
"""

from datetime import date
from decimal import Decimal

from providers.ministere_interieur.api_association import PARTIE_PROTEGEE
from providers.ministere_interieur.fichiers import DocumentLeCompteAsso, DocumentRna
from providers.record import inherits, record, requires

# --- Small words ---------------------------------------------------------------------------------


@record("Code et libellé d'une nomenclature.")
class CodeLibelleAssociation:
    code: str | None = inherits("Code.")
    libelle: str | None = inherits("Libellé.")


@record("Code et libellé d'une nomenclature, à une année donnée.")
class CodeLibelleAnneeAssociation:
    code: str | None = inherits("Code.")
    libelle: str | None = inherits("Libellé.")
    annee: str | None = inherits("Année dont parle la donnée ; nulle quand elle est inconnue.")


@record("Adresse donnée par le service des associations ; tout est nul quand elle est inconnue.")
class AdresseAssociation:
    complement: str | None = inherits("Compléments d'adresse, en une ligne.", source="cplt_1, cplt_2, cplt_3")
    numero_voie: str | None = inherits("Numéro dans la voie.", source="num_voie")
    type_voie: str | None = inherits("Type de voie.", source="type_voie")
    libelle_voie: str | None = inherits(
        "Libellé de la voie ; l'adresse entière quand le fournisseur ne la détaille pas.", source="voie"
    )
    distribution: str | None = inherits("Boîte postale ou distribution spéciale.", source="bp")
    code_insee: str | None = inherits("Code INSEE de la commune.", source="code_insee")
    code_postal: str | None = inherits("Code postal.", source="cp")
    commune: str | None = inherits("Commune.", source="commune")


@record("Hommes, femmes et total.")
class EffectifParSexe:
    hommes: int | None = inherits("Nombre d'hommes.")
    femmes: int | None = inherits("Nombre de femmes.")
    total: int | None = inherits("Total, tel que l'association le déclare.")


# --- Establishments ------------------------------------------------------------------------------


@record("Représentant légal d'un établissement d'association.")
class RepresentantLegalAssociation:
    civilite: str | None = inherits("Civilité.", source="representant_legal/civilite", personal=True)
    nom: str | None = inherits("Nom, en capitales.", source="representant_legal/nom", personal=True)
    prenom: str | None = inherits("Prénom.", source="representant_legal/prenom", personal=True)
    fonction: str | None = inherits("Fonction.", source="representant_legal/fonction", personal=True)
    valideur_cec: bool = inherits(
        "Valide les heures de bénévolat au compte d'engagement citoyen.", source="representant_legal/valideur_cec"
    )
    publication_internet: bool = inherits(
        "Accepte que ses coordonnées soient publiées.", source="representant_legal/publication_internet"
    )
    telephone: str | None = inherits("Téléphone.", source="representant_legal/telephone", personal=True)
    courriel: str | None = inherits("Courriel.", source="representant_legal/courriel", personal=True)


@record("Moyens humains d'un établissement d'association, pour une année.")
class MoyensHumainsAssociation:
    annee: str | None = inherits("Année.", source="rh/@annee")
    nombre_benevoles: int | None = inherits("Nombre de bénévoles.", source="rh/nb_benevoles")
    nombre_volontaires: int | None = inherits("Nombre de volontaires.", source="rh/nb_volontaires")
    nombre_salaries: int | None = inherits("Nombre de salariés.", source="rh/nb_salaries")
    nombre_salaries_etpt: float | None = inherits(
        "Nombre de salariés en équivalent temps plein travaillé.", source="rh/nb_salaries_etpt"
    )
    nombre_emplois_aides: int | None = inherits("Nombre d'emplois aidés.", source="rh/nb_emplois_aides")
    nombre_personnels_detaches: int | None = inherits(
        "Nombre de personnes détachées ou mises à disposition.", source="rh/nb_personnels_detaches"
    )
    nombre_adherents: EffectifParSexe = inherits("Adhérents.", source="rh/nb_adherents, _h, _f")


@record("Comptes d'un établissement d'association, pour une année, en euros.")
class CompteAssociation:
    annee: str | None = inherits("Année.", source="compte/@annee")
    commisaire_aux_comptes: bool = inherits(
        "Les comptes sont certifiés par un commissaire aux comptes.", source="compte/a_commisaire_aux_comptes"
    )
    montant_dons: Decimal = inherits("Dons ; zéro quand ils ne sont pas déclarés.", source="compte/dons")
    cause_subventions: str | None = inherits("Objet des subventions.", source="compte/subv_cause")
    montant_subventions: Decimal = inherits("Subventions ; zéro à défaut.", source="compte/subv")
    montant_aides_sur_3ans: Decimal = inherits(
        "Aides publiques sur trois ans ; zéro à défaut.", source="compte/aides_3ans"
    )
    total_charges: Decimal = inherits("Charges ; zéro à défaut.", source="compte/charges")
    total_resultat: Decimal = inherits("Résultat ; zéro à défaut.", source="compte/resultat")
    total_produits: Decimal = inherits("Produits ; zéro à défaut.", source="compte/produits")


@record("Établissement d'une association.")
class EtablissementAssociation:
    siren: str | None = inherits("SIREN.", source="etablissement/id_siren")
    siret: str | None = inherits("SIRET.", source="etablissement/id_siret")
    actif: bool = inherits("L'établissement est en activité.", source="etablissement/actif")
    siege: bool = inherits("C'est le siège.", source="etablissement/est_siege")
    nom: str | None = inherits("Nom.", source="etablissement/nom")
    telephone: str | None = inherits(
        "Téléphone ; nul au public, car c'est souvent celui d'une personne.",
        source="etablissement/telephone",
        personal=True,
    )
    courriel: str | None = inherits(
        "Courriel ; nul au public, car c'est souvent celui d'une personne.",
        source="etablissement/courriel",
        personal=True,
    )
    date_debut_activite: date | None = inherits(
        "Début d'activité ; nul quand il est inconnu.", source="etablissement/date_actif"
    )
    adresse: AdresseAssociation = inherits("Adresse.", source="etablissement/adresse")
    activite_principale: CodeLibelleAssociation = inherits(
        "Activité principale (NAF).", source="etablissement/id_activite_principale, lib_activite_principale"
    )
    tranche_effectif: CodeLibelleAssociation = inherits(
        "Tranche d'effectif de l'établissement.", source="etablissement/id_tranche_effectif, lib_tranche_effectif"
    )
    representants_legaux: list[RepresentantLegalAssociation] | None = requires(
        PARTIE_PROTEGEE, "Représentants légaux en fonction.", source="representants_legaux", personal=True
    )
    rhs: list[MoyensHumainsAssociation] = inherits("Moyens humains, par année.", source="rhs")
    comptes: list[CompteAssociation] = inherits("Comptes, par année.", source="comptes")
    documents_dac: list[DocumentLeCompteAsso] | None = requires(
        PARTIE_PROTEGEE, "Documents déposés dans Le Compte Asso.", source="documents/document_dac"
    )


# --- The association -----------------------------------------------------------------------------


@record("Inscription au registre des associations d'Alsace-Moselle ; tout est nul ailleurs.")
class InscriptionAlsaceMoselle:
    tribunal_instance: str | None = inherits("Tribunal.", source="identite/tribunal_instance")
    volume: str | None = inherits("Volume.", source="identite/volume")
    folio: str | None = inherits("Folio.", source="identite/folio")
    date_publication_registre_association: date | None = inherits(
        "Date de publication au registre.", source="identite/date_pub_registre"
    )


@record("Objet et activités d'une association.")
class ActivitesAssociation:
    objet: str | None = inherits("Objet, texte libre.", source="activites/objet")
    objet_social1: CodeLibelleAssociation = inherits(
        "Premier objet social.", source="activites/id_objet_social1, lib_objet_social1"
    )
    objet_social2: CodeLibelleAssociation = inherits(
        "Second objet social ; le code 000000 signifie qu'il n'y en a pas.",
        source="activites/id_objet_social2, lib_objet_social2",
    )
    activite_principale: CodeLibelleAnneeAssociation = inherits(
        "Activité principale (NAF).", source="activites/id_activite_principale"
    )
    tranche_effectif: CodeLibelleAnneeAssociation = inherits(
        "Tranche d'effectif salarié (codes de l'INSEE).", source="activites/id_tranche_effectif"
    )
    champ_action_territorial: str | None = inherits("Champ d'action.", source="activites/champ_action_territorial")
    economie_sociale_et_solidaire: bool = inherits(
        "Appartient à l'économie sociale et solidaire.", source="activites/appartenance_ess"
    )
    date_appartenance_ess: date | None = inherits(
        "Date d'appartenance à l'économie sociale et solidaire.", source="activites/date_appartenance_ess"
    )


@record("Réseau ou fédération auquel l'association est affiliée.")
class ReseauAffiliationAssociation:
    nom: str | None = inherits("Nom.", source="reseau_affiliation/nom")
    numero: str | None = inherits("Numéro d'affiliation.", source="reseau_affiliation/numero")
    rna: str | None = inherits("Numéro RNA.", source="reseau_affiliation/id_rna")
    siret: str | None = inherits("SIRET.", source="reseau_affiliation/id_siret")
    objet: str | None = inherits("Objet.", source="reseau_affiliation/objet")
    adresse: AdresseAssociation = inherits("Adresse.", source="reseau_affiliation/adresse")
    telephone: str | None = inherits(
        "Téléphone, tel que déclaré.", source="reseau_affiliation/telephone", personal=True
    )
    courriel: str | None = inherits("Courriel.", source="reseau_affiliation/courriel", personal=True)
    attestation_affiliation_url: str | None = inherits(
        "Lien vers l'attestation d'affiliation.", source="reseau_affiliation/url"
    )
    nombre_licencies: EffectifParSexe = inherits("Licenciés.", source="reseau_affiliation/nb_licencies, _h, _f")


@record("Membre du réseau que forme l'association.")
class MembreReseauAssociation:
    rna: str | None = inherits("Numéro RNA.", source="membre/id_rna")
    siret: str | None = inherits("SIRET.", source="membre/id_siret")
    nom: str | None = inherits("Nom.", source="membre/nom")
    objet: str | None = inherits("Objet.", source="membre/objet")
    adresse: AdresseAssociation = inherits("Adresse.", source="membre/adresse")
    telephone: str | None = inherits(
        "Téléphone ; nul au public, car c'est souvent celui d'une personne.", source="membre/telephone", personal=True
    )
    courriel: str | None = inherits(
        "Courriel ; nul au public, car c'est souvent celui d'une personne.", source="membre/courriel", personal=True
    )
    site_web: str | None = inherits("Site web.", source="membre/site_web")


@record("Agrément accordé à une association.")
class AgrementAssociation:
    numero: str | None = inherits("Numéro.", source="agrement/numero")
    date_attribution: date | None = inherits("Date d'attribution.", source="agrement/date_attribution")
    type: str | None = inherits("Type d'agrément.", source="agrement/type")
    niveau: str | None = inherits("Niveau.", source="agrement/niveau")
    attributeur: str | None = inherits("Autorité qui l'a accordé.", source="agrement/attributeur")
    url: str | None = inherits("Lien vers l'agrément.", source="agrement/url")


@record("Une association, d'après le RNA, Sirene et Le Compte Asso.")
class Association:
    rna: str | None = inherits("Numéro RNA.", source="identite/id_rna")
    ancien_id: str | None = inherits("Ancien numéro.", source="identite/id_ex")
    siren: str | None = inherits(
        "SIREN ; nul pour une association qui n'est pas au répertoire Sirene.", source="identite/id_siren"
    )
    nom: str | None = inherits("Nom déclaré au RNA.", source="identite/nom")
    sigle: str | None = inherits("Sigle déclaré au RNA.", source="identite/sigle")
    siret_siege: str | None = inherits("SIRET du siège.", source="identite/id_siret_siege")
    regime: str = inherits(
        "Régime : « Loi 1901 », « Alsace-Moselle », « Collectivite » ou « Autre ».", source="identite/regime"
    )
    groupement: str | None = inherits("« Simple », « Fédération » ou « Union ».", source="identite/groupement")
    active: bool = inherits(
        "L'association est active dans tous les répertoires qui la connaissent (RNA, Sirene).",
        source="identite/active, active_sirene",
    )
    reconnue_utilite_publique: bool = inherits("Reconnue d'utilité publique.", source="identite/util_publique")
    eligibilite_cec: bool = inherits("Éligible au compte d'engagement citoyen.", source="identite/eligibilite_cec")
    raison_non_eligibilite_cec: str | None = inherits(
        "Raison pour laquelle elle n'y est pas éligible.", source="identite/raison_non_eligibilite_cec"
    )
    impots_commerciaux: bool = inherits("Soumise aux impôts commerciaux.", source="identite/impots_commerciaux")
    date_creation: date | None = inherits(
        "Création, d'après le RNA, à défaut d'après Sirene.", source="identite/date_creat, date_creation_sirene"
    )
    date_dissolution: date | None = inherits("Dissolution.", source="identite/date_dissolution")
    date_publication_reconnue_utilite_publique: date | None = inherits(
        "Publication de la reconnaissance d'utilité publique.", source="identite/date_publication_util_publique"
    )
    date_publication_journal_officiel: date | None = inherits(
        "Publication de la création au Journal officiel.", source="identite/date_pub_jo"
    )
    forme_juridique: CodeLibelleAssociation = inherits(
        "Forme juridique.", source="identite/id_forme_juridique, lib_forme_juridique"
    )
    alsace_moselle: InscriptionAlsaceMoselle = inherits("Inscription en Alsace-Moselle.")
    adresse_siege: AdresseAssociation = inherits(
        "Adresse du siège, d'après le RNA.", source="coordonnees/adresse_siege"
    )
    adresse_gestion: AdresseAssociation = inherits("Adresse de gestion.", source="coordonnees/adresse_gestion")
    activites: ActivitesAssociation = inherits("Objet et activités.", source="activites")
    reseaux_affiliation: list[ReseauAffiliationAssociation] | None = requires(
        PARTIE_PROTEGEE, "Réseaux et fédérations d'affiliation.", source="reseaux_affiliation"
    )
    composition_reseau: list[MembreReseauAssociation] = inherits("Membres de son réseau.", source="composition_reseau")
    agrements: list[AgrementAssociation] = inherits("Agréments.", source="agrements")
    etablissements: list[EtablissementAssociation] = inherits(
        "Établissements ; un seul quand l'association est demandée par SIRET.", source="etablissements"
    )
    documents_rna: list[DocumentRna] | None = requires(
        PARTIE_PROTEGEE, "Documents déposés au RNA.", source="documents/document_rna"
    )
    internal_id: str | None = inherits("Identifiant interne du service.", source="id_correspondance")
    date_derniere_mise_a_jour_sirene: date | None = inherits(
        "Dernière mise à jour dans Sirene.", source="identite/date_modif_siren"
    )
    date_derniere_mise_a_jour_rna: date | None = inherits(
        "Dernière mise à jour dans le RNA.", source="identite/date_modif_rna"
    )
