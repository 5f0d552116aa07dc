"""An association: identity, purpose, establishments with their means, approvals, networks, officers.

Source: API Association (RNA, Sirene and Le Compte Asso merged). Its public part is the same record without the
officers, the files and the affiliations.
"""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Final

from auth.scopes import OPEN_DATA
from providers.declaration import Dataset, Opening, Ouverture, QuotaGroup
from providers.ministere_interieur import wire
from providers.ministere_interieur.api_association import (
    ADRESSE_PUBLIQUE,
    API_ASSOCIATION,
    PARTIE_PROTEGEE,
    PARTIE_PUBLIQUE,
    Reponse,
    Verdict,
    sans_adresse_interne,
)
from providers.ministere_interieur.association import (
    ActivitesAssociation,
    AdresseAssociation,
    AgrementAssociation,
    Association,
    CodeLibelleAnneeAssociation,
    CodeLibelleAssociation,
    CompteAssociation,
    EffectifParSexe,
    EtablissementAssociation,
    InscriptionAlsaceMoselle,
    MembreReseauAssociation,
    MoyensHumainsAssociation,
    RepresentantLegalAssociation,
    ReseauAffiliationAssociation,
)
from providers.ministere_interieur.fichiers import DocumentLeCompteAsso, documents_le_compte_asso, documents_rna
from providers.ministere_interieur.wire import Noeud

ID: Final = "ministere_interieur.associations"

# --- How to read ---------------------------------------------------------------------------------

_REGIMES: Final = {"loi1901": "Loi 1901", "alsaceMoselle": "Alsace-Moselle", "collectivite": "Collectivite"}
_UNKNOWN_START: Final = date(1899, 12, 31)
"""How the service writes that it doesn't know when an establishment began."""
_NOTHING: Final = Decimal(0)


def read(reponse: Reponse, key: str) -> Association:
    if reponse.association is not Verdict.BONNE:
        raise reponse.association.error()
    racine = reponse.racine
    identite, coordonnees = wire.noeud(racine, "identite"), wire.noeud(racine, "coordonnees")
    return Association(
        rna=wire.texte(identite, "id_rna"),
        ancien_id=wire.texte(identite, "id_ex"),
        siren=wire.chiffres(identite, 9, "id_siren"),
        nom=wire.texte(identite, "nom"),
        sigle=wire.texte(identite, "sigle"),
        siret_siege=wire.chiffres(identite, 14, "id_siret_siege"),
        regime=_REGIMES.get(wire.texte(identite, "regime") or "", "Autre"),
        groupement=wire.texte(identite, "groupement"),
        active=_active(identite),
        reconnue_utilite_publique=wire.booleen(identite, "util_publique"),
        eligibilite_cec=wire.booleen(identite, "eligibilite_cec"),
        raison_non_eligibilite_cec=wire.texte(identite, "raison_non_eligibilite_cec"),
        impots_commerciaux=wire.booleen(identite, "impots_commerciaux"),
        date_creation=wire.jour(identite, "date_creat") or wire.jour(identite, "date_creation_sirene"),
        date_dissolution=wire.jour(identite, "date_dissolution"),
        date_publication_reconnue_utilite_publique=wire.jour(identite, "date_publication_util_publique"),
        date_publication_journal_officiel=wire.jour(identite, "date_pub_jo"),
        forme_juridique=_labelled(identite, "id_forme_juridique", "lib_forme_juridique"),
        alsace_moselle=InscriptionAlsaceMoselle(
            tribunal_instance=wire.texte(identite, "tribunal_instance"),
            volume=wire.texte(identite, "volume"),
            folio=wire.texte(identite, "folio"),
            date_publication_registre_association=wire.jour(identite, "date_pub_registre"),
        ),
        adresse_siege=_adresse(coordonnees, "adresse_siege"),
        adresse_gestion=_adresse(coordonnees, "adresse_gestion"),
        activites=_activites(wire.noeud(racine, "activites")),
        reseaux_affiliation=[
            _reseau(node)
            for node in wire.collection(racine, "reseau_affiliation", "affiliations", "reseaux_affiliation")
        ],
        composition_reseau=[
            _membre(node) for node in wire.collection(racine, "membre", "compositions", "composition_reseau")
        ],
        agrements=[_agrement(node) for node in wire.collection(racine, "agrement", "agrements")],
        etablissements=_etablissements(racine, key),
        documents_rna=documents_rna(racine, key, ID),
        internal_id=wire.texte(racine, "id_correspondance") or wire.texte(identite, "id_correspondance"),
        date_derniere_mise_a_jour_sirene=wire.jour(identite, "date_modif_siren"),
        date_derniere_mise_a_jour_rna=wire.jour(identite, "date_modif_rna"),
    )


def _active(identite: Noeud) -> bool:
    """Active for each source that speaks: one that knows nothing of the association doesn't close it."""
    said = (wire.booleen_dit(identite, "active"), wire.booleen_dit(identite, "active_sirene"))
    spoken = [value for value in said if value is not None]
    return bool(spoken) and all(spoken)


def _labelled(node: Noeud, code: str, label: str) -> CodeLibelleAssociation:
    return CodeLibelleAssociation(code=wire.texte(node, code), libelle=wire.texte(node, label))


def _dated(node: Noeud, code: str, label: str, year: str) -> CodeLibelleAnneeAssociation:
    return CodeLibelleAnneeAssociation(
        code=wire.texte(node, code), libelle=wire.texte(node, label), annee=wire.annee(node, year)
    )


def _objet_social(node: Noeud, rank: int) -> CodeLibelleAssociation:
    return CodeLibelleAssociation(
        code=wire.chiffres(node, 6, f"id_objet_social{rank}"), libelle=wire.texte(node, f"lib_objet_social{rank}")
    )


def _activites(node: Noeud) -> ActivitesAssociation:
    return ActivitesAssociation(
        objet=wire.texte(node, "objet"),
        objet_social1=_objet_social(node, 1),
        objet_social2=_objet_social(node, 2),
        activite_principale=_dated(
            node, "id_activite_principale", "lib_activite_principale", "annee_activite_principale"
        ),
        tranche_effectif=_dated(node, "id_tranche_effectif", "lib_tranche_effectif", "annee_effectif_salarie_cent"),
        champ_action_territorial=wire.texte(node, "champ_action_territorial"),
        economie_sociale_et_solidaire=wire.texte(node, "appartenance_ess") == "O",
        date_appartenance_ess=wire.jour(node, "date_appartenance_ess"),
    )


def _adresse(parent: Noeud, name: str) -> AdresseAssociation:
    node = wire.noeud(parent, name)
    # A lone underscore is how the service fills a complement that it doesn't have.
    complements = (wire.texte(node, f"cplt_{rank}") for rank in (1, 2, 3))
    return AdresseAssociation(
        complement=" ".join(part for part in complements if part and part != "_") or None,
        numero_voie=wire.texte(node, "num_voie"),
        type_voie=wire.texte(node, "type_voie"),
        # Networks may give theirs as one line of text.
        libelle_voie=wire.texte(node, "voie") if node else wire.texte(parent, name),
        distribution=wire.texte(node, "bp"),
        code_insee=wire.chiffres(node, 5, "code_insee"),
        code_postal=wire.chiffres(node, 5, "cp"),
        commune=wire.texte(node, "commune"),
    )


def _by_sex(node: Noeud, name: str) -> EffectifParSexe:
    return EffectifParSexe(
        hommes=wire.entier(node, f"{name}_h"), femmes=wire.entier(node, f"{name}_f"), total=wire.entier(node, name)
    )


def _reseau(node: Noeud) -> ReseauAffiliationAssociation:
    return ReseauAffiliationAssociation(
        nom=wire.texte(node, "nom"),
        numero=wire.texte(node, "numero"),
        rna=wire.texte(node, "id_rna"),
        siret=wire.chiffres(node, 14, "id_siret"),
        objet=wire.texte(node, "objet"),
        adresse=_adresse(node, "adresse"),
        telephone=wire.texte(node, "telephone"),
        courriel=wire.texte(node, "courriel"),
        attestation_affiliation_url=_link(node),
        nombre_licencies=_by_sex(node, "nb_licencies"),
    )


def _membre(node: Noeud) -> MembreReseauAssociation:
    return MembreReseauAssociation(
        rna=wire.texte(node, "id_rna"),
        siret=wire.chiffres(node, 14, "id_siret"),
        nom=wire.texte(node, "nom"),
        objet=wire.texte(node, "objet"),
        adresse=_adresse(node, "adresse"),
        telephone=wire.telephone(node, "telephone"),
        courriel=wire.texte(node, "courriel"),
        site_web=wire.texte(node, "site_web"),
    )


def _agrement(node: Noeud) -> AgrementAssociation:
    return AgrementAssociation(
        numero=wire.texte(node, "numero"),
        date_attribution=wire.jour(node, "date_attribution"),
        type=wire.texte(node, "type"),
        niveau=wire.texte(node, "niveau"),
        attributeur=wire.texte(node, "attributeur"),
        url=_link(node),
    )


def _link(node: Noeud) -> str | None:
    """A link that partners follow themselves, hence at the public address."""
    url = wire.texte(node, "url")
    return None if url is None else sans_adresse_interne(url, ADRESSE_PUBLIQUE)


# --- Establishments ------------------------------------------------------------------------------


def _etablissements(racine: Noeud, key: str) -> list[EtablissementAssociation]:
    """Each with the officers, means, accounts and files that bear its SIRET."""
    officers = _by_siret(
        [
            node
            for node in wire.collection(racine, "representant_legal", "representants_legaux", "dirigeants")
            if wire.texte(node, "deleted") == "false" and wire.texte(node, "est_representant_legal") in (None, "true")
        ]
    )
    means = _by_siret(wire.collection(racine, "rh", "rhs"))
    accounts = _by_siret(wire.collection(racine, "compte", "comptes"))
    files = documents_le_compte_asso(racine, key, ID)
    return [
        _etablissement(node, officers, means, accounts, files)
        for node in wire.collection(racine, "etablissement", "etablissements")
    ]


def _by_siret(nodes: list[Noeud]) -> dict[str, list[Noeud]]:
    found: dict[str, list[Noeud]] = {}
    for node in nodes:
        siret = wire.chiffres(node, 14, "id_siret")
        if siret is not None:
            found.setdefault(siret, []).append(node)
    return found


def _etablissement(
    node: Noeud,
    officers: dict[str, list[Noeud]],
    means: dict[str, list[Noeud]],
    accounts: dict[str, list[Noeud]],
    files: dict[str, list[DocumentLeCompteAsso]],
) -> EtablissementAssociation:
    siret = wire.chiffres(node, 14, "id_siret")
    started = wire.jour(node, "date_actif")
    return EtablissementAssociation(
        siren=wire.chiffres(node, 9, "id_siren"),
        siret=siret,
        actif=wire.booleen(node, "actif"),
        siege=wire.booleen(node, "est_siege"),
        nom=wire.texte(node, "nom"),
        telephone=wire.telephone(node, "telephone"),
        courriel=wire.texte(node, "courriel"),
        date_debut_activite=None if started == _UNKNOWN_START else started,
        adresse=_adresse(node, "adresse"),
        activite_principale=_labelled(node, "id_activite_principale", "lib_activite_principale"),
        tranche_effectif=_labelled(node, "id_tranche_effectif", "lib_tranche_effectif"),
        representants_legaux=[_representant(officer) for officer in officers.get(siret or "", ())],
        rhs=[_moyens(year) for year in means.get(siret or "", ())],
        comptes=[_compte(year) for year in accounts.get(siret or "", ())],
        documents_dac=list(files.get(siret or "", ())),
    )


def _representant(node: Noeud) -> RepresentantLegalAssociation:
    name = wire.texte(node, "nom")
    return RepresentantLegalAssociation(
        civilite=wire.texte(node, "civilite", "civilité"),
        nom=name.upper() if name else None,
        prenom=wire.texte(node, "prenom"),
        fonction=wire.texte(node, "fonction"),
        valideur_cec=wire.booleen(node, "valideur_cec"),
        publication_internet=wire.booleen(node, "publication_internet"),
        telephone=wire.telephone(node, "telephone"),
        courriel=wire.texte(node, "courriel"),
    )


def _moyens(node: Noeud) -> MoyensHumainsAssociation:
    full_time = wire.nombre(node, "nb_salaries_etpt")
    return MoyensHumainsAssociation(
        annee=wire.texte(node, "annee"),
        nombre_benevoles=wire.entier(node, "nb_benevoles"),
        nombre_volontaires=wire.entier(node, "nb_volontaires"),
        nombre_salaries=wire.entier(node, "nb_salaries"),
        nombre_salaries_etpt=None if full_time is None else float(full_time),
        nombre_emplois_aides=wire.entier(node, "nb_emplois_aides"),
        nombre_personnels_detaches=wire.entier(node, "nb_personnels_detaches"),
        nombre_adherents=_by_sex(node, "nb_adherents"),
    )


def _compte(node: Noeud) -> CompteAssociation:
    def amount(name: str) -> Decimal:
        told = wire.nombre(node, name)
        return _NOTHING if told is None else told

    return CompteAssociation(
        annee=wire.texte(node, "annee"),
        # Both spellings are met.
        commisaire_aux_comptes=wire.booleen(node, "a_commisaire_aux_comptes", "a_commissaire_aux_comptes"),
        montant_dons=amount("dons"),
        cause_subventions=wire.texte(node, "subv_cause"),
        montant_subventions=amount("subv"),
        montant_aides_sur_3ans=amount("aides_3ans"),
        total_charges=amount("charges"),
        total_resultat=amount("resultat"),
        total_produits=amount("produits"),
    )


# --- What the public doesn't see -----------------------------------------------------------------


def mask(association: Association) -> Association:
    """The public part: without affiliations, files and officers, which need a right of their own besides, nor the
    telephones and addresses of a small association, which are those of a person."""
    return replace(
        association,
        reseaux_affiliation=None,
        documents_rna=None,
        composition_reseau=[
            replace(member, telephone=None, courriel=None) for member in association.composition_reseau
        ],
        etablissements=[
            replace(place, telephone=None, courriel=None, representants_legaux=None, documents_dac=None)
            for place in association.etablissements
        ],
    )


def last_update(association: Association) -> date | None:
    """The later of both registers' own dates."""
    said = (association.date_derniere_mise_a_jour_rna, association.date_derniere_mise_a_jour_sirene)
    return max((day for day in said if day is not None), default=None)


# --- The declaration -----------------------------------------------------------------------------

ASSOCIATIONS: Final[Dataset[str, Reponse, Association]] = Dataset(
    id=ID,
    seed="associations",
    title="Association",
    description=(
        "Ce que l'on sait d'une association : identité au RNA et dans Sirene, objet, régime, établissements avec leurs "
        "moyens et leurs comptes, agréments et réseaux ; et, pour les agents habilités, représentants légaux, "
        "affiliations et documents."
    ),
    ouverture=Ouverture.MIXTE,
    opening=Opening(
        scopes=PARTIE_PROTEGEE | {OPEN_DATA, PARTIE_PUBLIQUE},
        unmasked_for=PARTIE_PROTEGEE,
        mask=mask,
        # What separates the two parts is a right, not a diffusion status, which this provider doesn't have.
        by_diffusion=False,
    ),
    source=API_ASSOCIATION,
    record=Association,
    read=read,
    source_date=last_update,
    perimeter=(
        "Associations du RNA ou du répertoire Sirene, y compris celles d'Alsace-Moselle qui sont dans Sirene. Sans la "
        "Nouvelle-Calédonie, la Polynésie française ni Wallis-et-Futuna."
    ),
    key="RNA, SIREN ou SIRET",
    freshness="RNA transmis deux fois par jour, Sirene chaque jour.",
    not_found_means="L'identifiant est inconnu du service, ou n'est pas celui d'une association.",
    quota=QuotaGroup.JSON,
    rest_path="/v4/djepva/api-association/associations/{siren_or_rna}",
    example="770001121",
    left_out={
        "ribs": "Coordonnées bancaires : jamais exposées ni gardées.",
        "documents/document_dac[meta/type=RIB]": "Coordonnées bancaires : jamais exposées.",
        "coordonnees/telephone, courriel, site_web": "Contacts de l'association, souvent ceux d'une personne.",
        "coordonnees/adresse_siege_sirene": "L'adresse de Sirene se lit à l'INSEE.",
        "identite/nom_sirene, sigle_sirene": "Le nom et le sigle de Sirene se lisent à l'INSEE.",
        "identite/nature": "Redit ce que dit la reconnaissance d'utilité publique.",
        "activites/id_famille1, id_theme1, domaine": "Classements plus grossiers que l'objet social.",
        "activites/effectif_salarie_cent": "Effectif arrondi ; la tranche suffit.",
        "commentaire": "Notes internes au service.",
        "adherents_personnes_morales": "Tiers dont la liste n'est pas celle des membres du réseau.",
        "etablissements/nb_actifs": "Se compte dans la liste.",
        "etablissement/note, id_activite": "Internes au service.",
        "representant_legal/id, deleted": "Servent à choisir les représentants en fonction.",
        "compte/id": "Identifiant interne.",
    },
    open_questions=(
        "La date de disparition du XML n'est pas connue, ni l'effet de l'en-tête Accept : les deux formes sont lues.",
        "En JSON, les représentants sont lus sous `representants_legaux` ou `dirigeants` ; les identifiants numériques "
        "sont complétés de leurs zéros.",
        "`active` suit les répertoires qui parlent : une association sans SIREN n'est pas dite inactive pour autant.",
        "Un complément d'adresse réduit à « _ » est lu comme absent.",
        "L'orthographe du témoin de commissaire aux comptes varie ; il n'a pas été vu dans une réponse enregistrée.",
        "La forme des refus de la passerelle (401, 403, 429) et le quota de la clé ne sont pas documentés.",
        "L'adresse d'un réseau ou d'un membre est lue comme un objet ou comme une ligne de texte.",
        "Le service n'a pas de statut de diffusion : sa partie publique n'est pas masquée d'après celui de Sirene.",
    ),
)
