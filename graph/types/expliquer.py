"""A dry run: what a request would ask, what is refused and why, what it would cost. No provider is called."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

import strawberry

from auth.rules import Opens
from auth.scopes import ANY_TOKEN
from graph.cost import Estimate, Plan, Reader, estimate, excess_in, excess_of_calls
from graph.loading import operation_of, service_of
from graph.rights import Protected, protected_fields, smallest_scopes
from graph.types.moi import QuotaDeGroupe, quota_of
from providers import PROVIDERS
from providers.declaration import Ouverture
from providers.insee.unite_legale import UNITE_LEGALE
from providers.record import inherits as leaf
from resolvers.decision import AnyDataset, Level, level
from resolvers.maintenance import upcoming
from resolvers.operation import Operation
from resolvers.quotas import CUSTOM, Allowance, allowance

_AHEAD = timedelta(days=7)


@strawberry.enum(description="Ce que votre jeton lirait d'un champ.")
class Lecture(Enum):
    ENTIERE = strawberry.enum_value("entiere", description="Le champ, en entier.")
    PUBLIQUE = strawberry.enum_value(
        "publique", description="La partie publique : les entités en diffusion partielle sont masquées."
    )
    DIFFUSIBLE = strawberry.enum_value(
        "diffusible", description="La partie publique des seules entités diffusibles : les autres sont introuvables."
    )
    REFUSEE = strawberry.enum_value("refusee", description="Rien : le champ serait nul, avec une erreur.")


@strawberry.type(description="Un champ protégé que la requête demande.")
class ChampExplique:
    chemin: str = leaf("Place du champ dans la réponse.")
    coordonnee: str = leaf("Le champ, sous la forme `Type.champ`.")
    jeu_de_donnees: str | None = leaf("Jeu de données que le champ ouvre, s'il en ouvre un.")
    lecture: Lecture = leaf("Ce que votre jeton en lirait.")
    scopes_necessaires: list[str] = leaf("Droits qui l'ouvrent : il suffit d'un seul. Vide : tout jeton valable.")
    tracabilite_requise: bool = leaf("Vrai si le contexte et l'objet de la demande doivent être déclarés.")


@strawberry.type(description="Appels qu'un fournisseur recevrait.")
class AppelsFournisseur:
    fournisseur: str = leaf("Identifiant du fournisseur.")
    appels: int = leaf("Nombre d'appels au plus : ce qui est en mémoire n'est pas redemandé.")


@strawberry.type(description="Ce que la requête prendrait sur un de vos quotas.")
class QuotaExplique:
    quota: QuotaDeGroupe = leaf("Le compteur, à cet instant.")
    appels: int = leaf("Appels que la requête y prendrait, au plus.")
    depassement: bool = leaf("Vrai si le quota ne suffit pas : une partie des champs serait nulle.")


@strawberry.type(description="Fenêtre de maintenance d'un fournisseur de la requête.")
class MaintenancePrevue:
    fournisseur: str = leaf("Identifiant du fournisseur.")
    debut: datetime = leaf("Début de la fenêtre.")
    fin: datetime = leaf("Fin de la fenêtre.")


@strawberry.type(description="Ce que demande une requête, sans l'exécuter : aucun fournisseur n'est appelé.")
class Explication:
    executable: bool = leaf("Vrai si le document est valable et ne dépasse aucune limite.")
    problemes: list[str] = leaf("Ce qui empêche le document d'être exécuté.")
    champs: list[ChampExplique] = leaf("Champs protégés que la requête demande.")
    scopes_a_demander: list[str] = leaf(
        "La plus courte liste de droits qui ouvrirait tout ce qui est refusé à ce jeton, à joindre à une demande."
    )
    scopes_suffisants: list[str] = leaf("La plus courte liste de droits qui suffit à cette requête, sans rien d'autre.")
    tracabilite_manquante: list[str] = leaf("Éléments de traçabilité que la requête exige et qui manquent.")
    appels: int = leaf("Appels aux fournisseurs, au plus.")
    appels_par_fournisseur: list[AppelsFournisseur] = leaf("Les mêmes, fournisseur par fournisseur.")
    quotas: list[QuotaExplique] = leaf("Ce que la requête prendrait sur vos quotas, groupe par groupe.")
    maintenances: list[MaintenancePrevue] = leaf("Maintenances prévues dans les sept jours, ou en cours.")


async def explanation(
    info: strawberry.Info, text: str, variables: Mapping[str, Any], operation_name: str | None
) -> Explication:
    """The explanation of a document for the caller of the request. Nothing of it is executed."""
    service = service_of(info)
    prepared = service.documents.prepare(text)
    if prepared.document is None:
        return _impossible([error.message for error in prepared.errors])
    named = [node for node in prepared.operations if operation_name in (None, node.name and node.name.value)]
    if len(named) != 1:
        return _impossible(["Le document contient plusieurs opérations, ou pas celle demandée : dites laquelle."])
    operation = operation_of(info)
    asked = protected_fields(service.schema, service.registry, named[0], prepared.fragments, variables)
    plan = prepared.plans[named[0].name.value if named[0].name else None]
    cost = _cost(plan, variables, operation)
    limits = service.settings.limits
    excess = excess_in(plan, variables, limits) or excess_of_calls(cost, limits)
    datasets = {one.rule.dataset.id: one.rule.dataset for one in asked if isinstance(one.rule, Opens)}
    required = [one.rule.scopes for one in asked]
    protected = any(dataset.ouverture is Ouverture.PROTEGEE for dataset in datasets.values())
    return Explication(
        executable=excess is None,
        problemes=[] if excess is None else [excess.message],
        champs=[_field(one, operation) for one in asked],
        scopes_a_demander=list(smallest_scopes(required, operation.caller.scopes)),
        scopes_suffisants=list(smallest_scopes(required, frozenset())),
        tracabilite_manquante=list(operation.reason.missing) if protected else [],
        appels=cost.total,
        appels_par_fournisseur=[
            AppelsFournisseur(fournisseur=provider, appels=calls)
            for provider, calls in sorted(cost.by_provider.items())
        ],
        quotas=await _quotas(cost, datasets, operation),
        maintenances=_maintenances({dataset.provider_id for dataset in datasets.values()}, operation.now()),
    )


def _impossible(problems: list[str]) -> Explication:
    return Explication(
        executable=False,
        problemes=problems,
        champs=[],
        scopes_a_demander=[],
        scopes_suffisants=[],
        tracabilite_manquante=[],
        appels=0,
        appels_par_fournisseur=[],
        quotas=[],
        maintenances=[],
    )


def _field(one: Protected, operation: Operation) -> ChampExplique:
    dataset = one.rule.dataset if isinstance(one.rule, Opens) else None
    return ChampExplique(
        chemin=".".join(one.path),
        coordonnee=one.coordinate,
        jeu_de_donnees=None if dataset is None else dataset.id,
        lecture=_reading(one, dataset, operation),
        scopes_necessaires=sorted(one.rule.scopes - {ANY_TOKEN}),
        tracabilite_requise=dataset is not None and dataset.ouverture is Ouverture.PROTEGEE,
    )


_READINGS = {
    Level.NONE: Lecture.REFUSEE,
    Level.DIFFUSIBLE: Lecture.DIFFUSIBLE,
    Level.MASKED: Lecture.PUBLIQUE,
    Level.WHOLE: Lecture.ENTIERE,
}


def _reading(one: Protected, dataset: AnyDataset | None, operation: Operation) -> Lecture:
    if one.coordinate in operation.denied:
        return Lecture.REFUSEE
    if dataset is None:
        return Lecture.ENTIERE
    return _READINGS[level(operation.caller, dataset, declared=not operation.reason.missing)]


def _cost(plan: Plan, variables: Mapping[str, Any], operation: Operation) -> Estimate:
    declared = not operation.reason.missing

    def reads(dataset: AnyDataset) -> Level:
        return level(operation.caller, dataset, declared=declared)

    return estimate(plan, variables, Reader(operation.denied, reads, UNITE_LEGALE))


async def _quotas(cost: Estimate, datasets: Mapping[str, AnyDataset], operation: Operation) -> list[QuotaExplique]:
    wanted: dict[Allowance, int] = {}
    for dataset_id, calls in cost.by_dataset.items():
        if calls and dataset_id in datasets:
            limit = allowance(datasets[dataset_id])
            wanted[limit] = wanted.get(limit, 0) + calls
    own = operation.caller.quota_par_minute
    if own is not None:
        wanted[Allowance(CUSTOM, own)] = cost.total
    balances = await operation.meter.balances_of(list(wanted))
    return [
        QuotaExplique(quota=quota_of(balance), appels=calls, depassement=calls > balance.remaining)
        for balance, calls in zip(balances, wanted.values(), strict=True)
    ]


def _maintenances(providers: Iterable[str], now: datetime) -> list[MaintenancePrevue]:
    wanted = set(providers)
    return [
        MaintenancePrevue(fournisseur=provider.id, debut=start, fin=end)
        for provider in PROVIDERS
        if provider.id in wanted
        for start, end in upcoming(provider.maintenance, now, _AHEAD)
    ]
