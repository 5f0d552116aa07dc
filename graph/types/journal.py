"""What the owner of a token reads of the access journal: his habilitation's entries, and never anybody else's.

Each field asks for the habilitation of the caller itself, whatever its arguments: none of them can name another.
"""

import asyncio
from collections.abc import Awaitable
from datetime import datetime, timedelta
from functools import lru_cache
from typing import TypeVar

import strawberry
from graphql import GraphQLError, GraphQLObjectType, GraphQLSchema, get_named_type

from auth.registry import DEFINITION, Registry
from auth.rules import Opens
from graph.loading import operation_of, service_of
from graph.reason import hashed_agent
from graph.types.pages import PageInfo, checked_page_size
from providers.declaration import Ouverture
from providers.record import DonneePersonnelle, enumeration
from providers.record import inherits as leaf
from resolvers.errors import JournalDown
from tracing import anomalies as reports
from tracing import search as reading
from tracing.anomalies import Signe
from tracing.entry import Entry, Issue, Nature
from tracing.search import Axe, Filter, InvalidCursor
from tracing.store import Store, StoreError

MONTH = timedelta(days=30)
_PIECE = 200
_WAIT_S = 5.0
T = TypeVar("T")

enumeration(
    "Comment un accès s'est terminé.",
    name="IssueAcces",
    EN_COURS="L'issue n'est pas encore connue.",
    REPONDU="Ouvert, et le fournisseur a répondu.",
    INTROUVABLE="Ouvert, mais le fournisseur ne connaît pas ce sujet.",
    ECHEC="Ouvert, mais le fournisseur a échoué ; `code` dit comment.",
    REFUSE="Non ouvert par le jeton, ou sans raison déclarée.",
    ABANDONNE="L'appelant est parti avant l'issue.",
    INTERROMPU="Le service s'est arrêté avant l'issue.",
)(Issue)
enumeration(
    "Ce que décrit une ligne du journal.",
    name="NatureAcces",
    INTENTION="Un fournisseur va être appelé.",
    ACCES="Un accès à des champs.",
    DOCUMENT="Le téléchargement d'un document.",
    PURGE="La purge d'un mois entier, passé le délai de conservation.",
)(Nature)
enumeration(
    "Ce par quoi une consommation est groupée.",
    name="AxeConsommation",
    JOUR="Par jour (UTC).",
    JEU_DE_DONNEES="Par jeu de données.",
    FOURNISSEUR="Par fournisseur.",
    ISSUE="Par issue.",
    AGENT="Par agent déclaré.",
)(Axe)
enumeration(
    "Ce qui a été remarqué dans un usage.",
    name="SigneAnomalie",
    HORAIRES_INHABITUELS="Beaucoup d'accès hors des heures ouvrées.",
    RAFALE="Bien plus d'accès en une minute qu'à l'ordinaire.",
    PERSONNES_PHYSIQUES="Beaucoup de personnes physiques consultées.",
    REFUS_NOMBREUX="Une grande part de refus.",
    PLUSIEURS_CONTEXTES="Plusieurs contextes déclarés : un jeton vaut pour une seule démarche.",
    PLUSIEURS_OBJETS="Un très grand nombre d'objets déclarés.",
)(Signe)


@strawberry.type(description="Une ligne du journal : un jeu de données, une entité, une requête.")
class Acces:
    id: strawberry.ID = leaf("Identifiant de la ligne.")
    nature: Nature = leaf("Accès à des champs, ou téléchargement d'un document.")
    instant: datetime = leaf("Instant de l'issue.")
    requete: strawberry.ID = leaf("Identifiant de la requête, le même que dans sa réponse.")
    jeton: str = leaf("Identifiant du jeton utilisé ; ce n'est pas le jeton.")
    agent: str | None = leaf("Empreinte de l'agent déclaré.")
    contexte: str | None = leaf("Cadre juridique déclaré.")
    objet: str | None = leaf("Objet déclaré.")
    destinataire: str | None = leaf("SIRET de l'organisme destinataire.")
    sujet: str = leaf("SIREN, SIRET ou numéro RNA concerné ; vide s'il n'y en a pas.")
    jeu_de_donnees: str = leaf("Jeu de données.")
    fournisseur: str = leaf("Fournisseur du jeu de données.")
    champs: list[str] = leaf("Champs demandés, sous celui du jeu de données.")
    issue: Issue = leaf("Comment l'accès s'est terminé.")
    code: str | None = leaf("Code de l'échec ou du refus.")
    portees_manquantes: list[str] = leaf("Droits dont un aurait ouvert les champs refusés.")
    cache: bool = leaf("Vrai si la réponse était en mémoire : aucun appel n'a été fait.")
    perimee: bool = leaf("Vrai si la réponse servie avait dépassé sa durée de vie.")
    duree_ms: float | None = leaf("Durée de l'appel au fournisseur, en millisecondes.")
    statut_http: int | None = leaf("Statut HTTP de la réponse ; 499 : vous étiez parti avant.")
    operation: str | None = leaf("Nom de l'opération GraphQL.")
    document: str = leaf("Empreinte SHA-256 du document GraphQL, ou identifiant du document téléchargé.")
    adresse: str = leaf("Adresse d'où venait la requête.")
    agent_utilisateur: str = leaf("En-tête User-Agent de la requête.")


@strawberry.type(description="Une page du journal, de la requête la plus récente à la plus ancienne.")
class PageDuJournal:
    lignes: list[Acces] = leaf("Lignes de la page.")
    page_info: PageInfo = leaf("Position de la page ; `endCursor` se donne à `after` pour la suite.")


@strawberry.type(description="Un groupe d'accès. Seuls les axes demandés sont renseignés.")
class ConsommationGroupe:
    jour: str | None = leaf("Jour (UTC), AAAA-MM-JJ.")
    jeu_de_donnees: str | None = leaf("Jeu de données.")
    fournisseur: str | None = leaf("Fournisseur.")
    issue: Issue | None = leaf("Issue.")
    agent: str | None = leaf("Empreinte de l'agent déclaré ; `null` aussi pour les accès sans agent.")
    acces: int = leaf("Nombre d'accès.")
    depuis_le_cache: int = leaf("Dont servis depuis la mémoire.")


@strawberry.type(description="Une requête récente et tous ses accès.")
class RequeteRecente:
    id: strawberry.ID = leaf("Identifiant de la requête.")
    instant: datetime = leaf("Instant de la requête.")
    operation: str | None = leaf("Nom de l'opération GraphQL.")
    jeton: str = leaf("Identifiant du jeton utilisé.")
    contexte: str | None = leaf("Cadre juridique déclaré.")
    objet: str | None = leaf("Objet déclaré.")
    acces: list[Acces] = leaf("Ses accès, le plus récent d'abord.")


@strawberry.type(
    description="Une mesure au-dessus de son seuil, pour un jeton : une question à se poser, pas un verdict."
)
class AnomalieSignalee:
    signe: Signe = leaf("Ce qui a été remarqué.")
    jeton: str = leaf("Identifiant du jeton concerné.")
    mesure: float = leaf("Valeur mesurée : un nombre, ou une part entre 0 et 1.")
    seuil: float = leaf("Seuil dépassé.")


async def journal(
    info: strawberry.Info,
    *,
    depuis: datetime | None,
    jusqua: datetime | None,
    sujet: str | None,
    jeu_de_donnees: str | None,
    agent: str | None,
    issue: Issue | None,
    first: int,
    after: str | None,
) -> PageDuJournal | None:
    """A page of the caller's own journal."""
    filter = Filter(
        habilitation=operation_of(info).caller.habilitation,
        depuis=depuis,
        jusqua=jusqua,
        sujet=sujet,
        jeu_de_donnees=jeu_de_donnees,
        agent=_agent(info, agent),
        issue=issue,
    )
    size = checked_page_size(first)
    try:
        page = await _read(reading.search(_store(info), filter, first=size, after=after))
    except InvalidCursor:
        raise GraphQLError(
            "Le curseur donné à « after » n'est pas valable : reprenez « endCursor » d'une page précédente.",
            extensions={"code": "BAD_USER_INPUT"},
        ) from None
    return PageDuJournal(
        lignes=[acces_of(entry) for entry in page.entries],
        page_info=PageInfo(
            has_next_page=page.suivant is not None,
            has_previous_page=after is not None,
            start_cursor=page.cursors[0] if page.cursors else None,
            end_cursor=page.cursors[-1] if page.cursors else None,
        ),
    )


async def consommation(
    info: strawberry.Info, depuis: datetime | None, par: list[Axe]
) -> list[ConsommationGroupe] | None:
    """How many accesses, by the axes asked; over thirty days when no start is given."""
    operation = operation_of(info)
    axes = tuple(dict.fromkeys(par))
    filter = Filter(habilitation=operation.caller.habilitation, depuis=depuis or operation.now() - MONTH)
    groups = await _read(reading.consumption(_store(info), filter, axes))
    found = []
    for group in groups:
        key = dict(zip(axes, group.cle, strict=True))
        day, issue = key.get(Axe.JOUR), key.get(Axe.ISSUE)
        found.append(
            ConsommationGroupe(
                jour=None if day is None else str(day),
                jeu_de_donnees=_word(key.get(Axe.JEU_DE_DONNEES)),
                fournisseur=_word(key.get(Axe.FOURNISSEUR)),
                issue=issue if isinstance(issue, Issue) else None,
                agent=_word(key.get(Axe.AGENT)),
                acces=group.acces,
                depuis_le_cache=group.depuis_le_cache,
            )
        )
    return found


async def dernieres_requetes(info: strawberry.Info, first: int) -> list[RequeteRecente] | None:
    """The latest requests, each with all its entries."""
    filter = Filter(habilitation=operation_of(info).caller.habilitation)
    wanted = checked_page_size(first)
    groups: dict[str, list[Entry]] = {}
    after = None
    while True:
        page = await _read(reading.search(_store(info), filter, first=_PIECE, after=after))
        for entry in page.entries:
            # Entries of one request stand together: one more request than wanted means that the last is whole.
            groups.setdefault(entry.origine.requete, []).append(entry)
        after = page.suivant
        if after is None or len(groups) > wanted:
            break
    return [_request(entries) for entries in list(groups.values())[:wanted]]


async def anomalies(info: strawberry.Info, depuis: datetime | None) -> list[AnomalieSignalee] | None:
    """What deserves a question in the use of the habilitation's tokens; over thirty days when no start is given."""
    operation = operation_of(info)
    service = service_of(info)
    found = await _read(
        reports.anomalies(
            _store(info),
            habilitation=operation.caller.habilitation,
            depuis=depuis or operation.now() - MONTH,
            jusqua=operation.now() + timedelta(seconds=1),
            jeux_personnels=personal_datasets(service.schema, service.registry),
        )
    )
    return [AnomalieSignalee(signe=one.signe, jeton=one.jeton, mesure=one.mesure, seuil=one.seuil) for one in found]


def personal_datasets(schema: GraphQLSchema, registry: Registry) -> frozenset[str]:
    """The datasets that are not public and say something personal of somebody."""
    return _personal_datasets(schema, tuple(registry.rules.items()))


@lru_cache(maxsize=4)
def _personal_datasets(schema: GraphQLSchema, rules: tuple[tuple[str, object], ...]) -> frozenset[str]:
    found = set()
    for coordinate, rule in rules:
        if isinstance(rule, Opens) and rule.dataset.ouverture is not Ouverture.PUBLIQUE:
            type_name, _, name = coordinate.partition(".")
            type_ = schema.type_map[type_name]
            if isinstance(type_, GraphQLObjectType) and _is_personal(get_named_type(type_.fields[name].type), set()):
                found.add(rule.dataset.id)
    return frozenset(found)


def _is_personal(type_: object, seen: set[str]) -> bool:
    if not isinstance(type_, GraphQLObjectType) or type_.name in seen:
        return False
    seen.add(type_.name)
    for field in type_.fields.values():
        directives = getattr(field.extensions.get(DEFINITION), "directives", ()) or ()
        if any(isinstance(directive, DonneePersonnelle) for directive in directives):
            return True
        if _is_personal(get_named_type(field.type), seen):
            return True
    return False


def acces_of(entry: Entry) -> Acces:
    origin = entry.origine
    return Acces(
        id=strawberry.ID(entry.id),
        nature=entry.nature,
        instant=entry.instant,
        requete=strawberry.ID(origin.requete),
        jeton=origin.jeton,
        agent=origin.agent,
        contexte=origin.contexte,
        objet=origin.objet,
        destinataire=origin.destinataire,
        sujet=entry.sujet,
        jeu_de_donnees=entry.jeu_de_donnees,
        fournisseur=entry.fournisseur,
        champs=list(entry.champs),
        issue=entry.issue,
        code=entry.code,
        portees_manquantes=list(entry.portees_manquantes),
        cache=entry.cache,
        perimee=entry.perimee,
        duree_ms=entry.duree_ms,
        statut_http=entry.statut_http,
        operation=origin.operation,
        document=origin.document,
        adresse=origin.adresse,
        agent_utilisateur=origin.agent_utilisateur,
    )


def _request(entries: list[Entry]) -> RequeteRecente:
    origin = entries[0].origine
    return RequeteRecente(
        id=strawberry.ID(origin.requete),
        instant=min(entry.instant for entry in entries),
        operation=origin.operation,
        jeton=origin.jeton,
        contexte=origin.contexte,
        objet=origin.objet,
        acces=[acces_of(entry) for entry in entries],
    )


def _store(info: strawberry.Info) -> Store:
    return service_of(info).journal.store


def _agent(info: strawberry.Info, agent: str | None) -> str | None:
    """An agent by the identifier that requests declare, or by the hash that entries show."""
    if agent is None or _is_hash(agent):
        return agent
    return hashed_agent(agent, service_of(info).settings.secret.get_secret_value())


def _is_hash(agent: str) -> bool:
    return len(agent) == 32 and all(character in "0123456789abcdef" for character in agent)


async def _read(reading_: Awaitable[T]) -> T:
    """What the journal answers, or the typed error that says that it can't be read."""
    try:
        async with asyncio.timeout(_WAIT_S):
            return await reading_
    except (StoreError, TimeoutError) as error:
        raise JournalDown("Le journal ne peut pas être lu pour le moment. Réessayez.") from error


def _word(value: object) -> str | None:
    return None if value is None else str(value)
