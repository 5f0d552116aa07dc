"""What a token's owner may know of it."""

from datetime import datetime

import strawberry

from auth.caller import Caller
from auth.rules import Opens
from graph.loading import operation_of, service_of
from graph.types import journal as accesses
from graph.words import inherits
from providers.record import inherits as leaf
from resolvers.decision import AnyDataset, Level, level
from resolvers.operation import Operation
from resolvers.quotas import CUSTOM, Allowance, Balance, allowance
from tracing.entry import Issue
from tracing.search import Axe


@strawberry.type(description="Un compteur d'appels aux fournisseurs, remis à zéro chaque minute.")
class QuotaDeGroupe:
    groupe: str = leaf("Groupe de quota ; suivi du jeu de données quand chacun a son propre compteur.")
    limite: int = leaf("Appels permis par minute.")
    restant: int = leaf("Appels encore permis jusqu'à la remise à zéro.")
    reinitialisation: datetime = leaf("Instant de la remise à zéro.")


@strawberry.type(description="Un jeu de données que votre jeton ouvre.")
class JeuOuvert:
    id: strawberry.ID = leaf("Identifiant : fournisseur.jeu.")
    titre: str = leaf("Titre.")
    partie_publique_seulement: bool = leaf("Vrai si les entités en diffusion partielle vous sont masquées.")
    champs: list[str] = leaf("Champs du graphe qui y donnent accès, sous la forme `Type.champ`.")


@strawberry.type(description="Votre jeton et l'habilitation dont il dépend.")
class Moi:
    habilitation: str = leaf("Identifiant de l'habilitation.")
    jeton: str = leaf("Identifiant du jeton, à citer au support ; ce n'est pas le jeton.")
    intitule: str = leaf("Intitulé de l'habilitation.")
    siret: str = leaf("SIRET de l'organisme habilité.")
    usage: str = leaf("Usage déclaré : `back_office` ou `pre_remplissage`.")
    habilitations: list[str] = leaf("Droits (scopes) du jeton, tels que la décision les lit.")
    habilitations_inconnues: list[str] = leaf("Droits du jeton que ce service ne connaît pas : ils n'ouvrent rien.")
    champs_refuses: list[str] = leaf("Champs du graphe que votre jeton n'ouvre pas, sous la forme `Type.champ`.")
    emis_le: datetime = leaf("Date d'émission du jeton.")
    expire_le: datetime = leaf("Date d'expiration du jeton.")
    jours_restants: int = leaf("Jours entiers avant l'expiration.")
    adresses_autorisees: list[str] = leaf("Adresses d'où le jeton peut être utilisé ; liste vide : toutes.")
    adresse_vue: str = leaf("Adresse d'où vient cette requête, telle que le service la voit.")

    @inherits("Jeux de données que votre jeton ouvre.")
    def jeux_de_donnees(self, info: strawberry.Info) -> list[JeuOuvert]:
        return _opened(info)

    @inherits("Vos quotas d'appels aux fournisseurs, par groupe, à cet instant.")
    async def quotas(self, info: strawberry.Info) -> list[QuotaDeGroupe]:
        operation = operation_of(info)
        balances = await operation.meter.balances_of(_allowances(info, operation.caller))
        return [quota_of(balance) for balance in balances]

    @inherits("Le journal des accès de votre habilitation, par pages de 100 lignes au plus, le plus récent d'abord.")
    async def journal(
        self,
        info: strawberry.Info,
        first: int,
        after: str | None = None,
        depuis: datetime | None = None,
        jusqua: datetime | None = None,
        sujet: str | None = None,
        jeu_de_donnees: str | None = None,
        agent: str | None = None,
        issue: Issue | None = None,
    ) -> accesses.PageDuJournal | None:
        return await accesses.journal(
            info, depuis=depuis, jusqua=jusqua, sujet=sujet, jeu_de_donnees=jeu_de_donnees, agent=agent, issue=issue,
            first=first, after=after,
        )  # fmt: skip

    @inherits("Nombre d'accès de votre habilitation, groupés ; sur trente jours si `depuis` n'est pas donné.")
    async def consommation(
        self, info: strawberry.Info, par: list[Axe], depuis: datetime | None = None
    ) -> list[accesses.ConsommationGroupe] | None:
        return await accesses.consommation(info, depuis, par)

    @inherits("Les dernières requêtes de votre habilitation, chacune avec ses accès.")
    async def dernieres_requetes(self, info: strawberry.Info, first: int = 10) -> list[accesses.RequeteRecente] | None:
        return await accesses.dernieres_requetes(info, first)

    @inherits("Ce qui mérite une question dans l'usage de vos jetons ; sur trente jours si `depuis` n'est pas donné.")
    async def anomalies(
        self, info: strawberry.Info, depuis: datetime | None = None
    ) -> list[accesses.AnomalieSignalee] | None:
        return await accesses.anomalies(info, depuis)


def quota_of(balance: Balance) -> QuotaDeGroupe:
    return QuotaDeGroupe(
        groupe=balance.name, limite=balance.limit, restant=balance.remaining, reinitialisation=balance.reset
    )


def _rules(info: strawberry.Info) -> dict[str, Opens]:
    rules = service_of(info).registry.rules
    return {coordinate: rule for coordinate, rule in rules.items() if isinstance(rule, Opens)}


def _opened(info: strawberry.Info) -> list[JeuOuvert]:
    operation = operation_of(info)
    found: dict[str, tuple[AnyDataset, list[str]]] = {}
    for coordinate, rule in sorted(_rules(info).items()):
        if coordinate not in operation.denied:
            found.setdefault(rule.dataset.id, (rule.dataset, []))[1].append(coordinate)
    return [
        JeuOuvert(
            id=strawberry.ID(dataset.id),
            titre=dataset.title,
            partie_publique_seulement=level(operation.caller, dataset, declared=True) is not Level.WHOLE,
            champs=coordinates,
        )
        for dataset, coordinates in found.values()
    ]


def _allowances(info: strawberry.Info, caller: Caller) -> list[Allowance]:
    """Every counter that the caller's requests may touch, its own quota first."""
    own = [] if caller.quota_par_minute is None else [Allowance(CUSTOM, caller.quota_par_minute)]
    denied = operation_of(info).denied
    opened = {allowance(rule.dataset) for coordinate, rule in _rules(info).items() if coordinate not in denied}
    return own + sorted(opened, key=lambda one: one.name)


def moi_of(info: strawberry.Info) -> Moi:
    """The caller of the request, as its owner sees it."""
    operation: Operation = operation_of(info)
    caller = operation.caller
    return Moi(
        habilitation=caller.habilitation,
        jeton=caller.jeton,
        intitule=caller.intitule,
        siret=caller.siret,
        usage=caller.usage.value,
        habilitations=sorted(caller.scopes),
        habilitations_inconnues=sorted(caller.unknown_scopes),
        champs_refuses=sorted(operation.denied),
        emis_le=caller.emis_le,
        expire_le=caller.expire_le,
        jours_restants=(caller.expire_le - operation.now()).days,
        adresses_autorisees=[str(network) for network in caller.networks],
        adresse_vue=operation.trace.origin.adresse,
    )
