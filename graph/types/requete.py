"""The entry points: everything starts from an identifier, or from the token itself."""

import re
from dataclasses import replace

import strawberry

from graph.loading import load, loaded
from graph.scalars import Json
from graph.types.catalogue import JeuDeDonnees, catalogue
from graph.types.choices import bad_input, checked
from graph.types.entreprise import Entreprise
from graph.types.etablissement import Etablissement
from graph.types.expliquer import Explication, explanation
from graph.types.fournisseurs import Fournisseur, fournisseurs_of
from graph.types.moi import Moi, moi_of
from graph.types.node import Node, read_global_id
from graph.types.pages import Connection, connection
from graph.words import opens, public
from providers.data_subvention.subventions import SUBVENTIONS, SubventionsAssociation
from providers.douanes.immatriculation_eori import IMMATRICULATION_EORI, ImmatriculationEori, numero_operateur
from providers.identifiers import InvalidIdentifier, Siren, Siret, rna, siren, siret
from providers.insee.recherche import RECHERCHE, Recherche
from providers.insee.sirene import PageDeRecherche
from providers.ministere_interieur.association import Association
from providers.ministere_interieur.associations import ASSOCIATIONS
from providers.ministere_interieur.documents import DOCUMENTS, DocumentsAssociation

MAX_KEYS = 100
MAX_TEXT = 200
_DEPARTEMENT = re.compile(r"(0[1-9]|[1-8][0-9]|9[0-5]|2[AB]|97[1-8]|98[4-9])\Z")
_ACTIVITE = re.compile(r"[0-9]{2}\.[0-9]{2}[A-Z]\Z")
_NO_DATA = "an object made from its identifier: no datum yet"


def _bounded(name: str, keys: list[Siren] | list[Siret]) -> None:
    if len(keys) > MAX_KEYS:
        raise bad_input(f"« {name} » contient {len(keys)} identifiants : {MAX_KEYS} au plus par requête.")


def association_key(identifiant: str) -> str:
    """The identifier of an association, checked by the rule of its kind. Raises a client error."""
    check = {9: siren, 14: siret}.get(len(identifiant), rna)
    return checked(lambda: str(check(identifiant)))


def checked_criteria(texte: str, departement: str | None, activite: str | None) -> Recherche:
    """The criteria of a search. Raises a client error for one that nothing could meet."""
    if not any(character.isalnum() for character in texte) or len(texte) > MAX_TEXT:
        raise bad_input(f"« texte » doit contenir au moins un mot, et {MAX_TEXT} caractères au plus.")
    if departement is not None and not _DEPARTEMENT.match(departement):
        raise bad_input("« departement » est un code de département : 01 à 95, 2A, 2B, ou 971 à 989.")
    if activite is not None and not _ACTIVITE.match(activite):
        raise bad_input("« activite » est un code NAF rév. 2, par exemple 62.01Z.")
    return Recherche(texte=texte, departement=departement, activite=activite, actives=True, taille=1, curseur="*")


@strawberry.type(name="Query", description="Points d'entrée du graphe.")
class Query:
    @public(_NO_DATA, "Une entreprise, par son SIREN.")
    def entreprise(self, siren: Siren) -> Entreprise:
        return Entreprise(siren=siren)

    @public(_NO_DATA, "Plusieurs entreprises (100 au plus), dans l'ordre demandé.")
    def entreprises(self, sirens: list[Siren]) -> list[Entreprise]:
        _bounded("sirens", sirens)
        return [Entreprise(siren=key) for key in sirens]

    @public(_NO_DATA, "Un établissement, par son SIRET.")
    def etablissement(self, siret: Siret) -> Etablissement:
        return Etablissement(siret=siret)

    @public(_NO_DATA, "Plusieurs établissements (100 au plus), dans l'ordre demandé.")
    def etablissements(self, sirets: list[Siret]) -> list[Etablissement]:
        _bounded("sirets", sirets)
        return [Etablissement(siret=key) for key in sirets]

    @public(_NO_DATA, "L'objet d'un identifiant global ; `null` si l'identifiant n'en désigne aucun.")
    def node(self, id: strawberry.ID) -> Node | None:
        found = read_global_id(id)
        try:
            match found:
                case ("Entreprise", key):
                    return Entreprise(siren=siren(key))
                case ("Etablissement", key):
                    return Etablissement(siret=siret(key))
        except InvalidIdentifier:
            return None
        return None

    @opens(ASSOCIATIONS, "Une association, par son numéro RNA, son SIREN ou le SIRET d'un de ses établissements.")
    def association(self, info: strawberry.Info, identifiant: str) -> Association | None:
        return load(info, ASSOCIATIONS, association_key(identifiant))

    @opens(DOCUMENTS, "Documents déposés au RNA par une association, désignée comme pour `association`.")
    def documents_association(self, info: strawberry.Info, identifiant: str) -> DocumentsAssociation | None:
        return load(info, DOCUMENTS, association_key(identifiant))

    @opens(SUBVENTIONS, "Subventions d'une association, désignée comme pour `association`.")
    def subventions_association(self, info: strawberry.Info, identifiant: str) -> SubventionsAssociation | None:
        return load(info, SUBVENTIONS, association_key(identifiant))

    @opens(IMMATRICULATION_EORI, "Immatriculation douanière, par un SIRET ou un numéro EORI, français ou étranger.")
    def immatriculation_eori(self, info: strawberry.Info, numero: str) -> ImmatriculationEori | None:
        return load(info, IMMATRICULATION_EORI, checked(lambda: numero_operateur(numero)))

    @opens(RECHERCHE, "Recherche d'entreprises par les mots de leur nom, dans l'ordre de l'INSEE.")
    async def rechercher_entreprises(
        self,
        info: strawberry.Info,
        texte: str,
        first: int,
        departement: str | None = None,
        activite: str | None = None,
        actives: bool = True,
        after: str | None = None,
    ) -> Connection[Entreprise] | None:
        criteria = checked_criteria(texte, departement, activite)

        async def fetch(size: int, cursor: str) -> PageDeRecherche | None:
            return await loaded(info, RECHERCHE, replace(criteria, actives=actives, taille=size, curseur=cursor))

        return await connection(fetch, lambda item: Entreprise(siren=item.siren), first, after)

    @public("the caller's own token", "Votre jeton : habilitation, droits, expiration.")
    def moi(self, info: strawberry.Info) -> Moi:
        return moi_of(info)

    @public("nothing is executed", "Ce que demande une requête, et ce qu'en lirait votre jeton, sans l'exécuter.")
    async def expliquer(
        self, info: strawberry.Info, requete: str, variables: Json | None = None, operation: str | None = None
    ) -> Explication:
        return await explanation(info, requete, variables if isinstance(variables, dict) else {}, operation)

    @public("how providers are says nothing of any company", "Les fournisseurs : état, débits, maintenances.")
    async def fournisseurs(self, info: strawberry.Info) -> list[Fournisseur]:
        return await fournisseurs_of(info)

    @public("the catalogue is public", "Le catalogue des jeux de données, éventuellement filtré par des mots.")
    def jeux_de_donnees(self, recherche: str | None = None) -> list[JeuDeDonnees]:
        return catalogue(recherche)
