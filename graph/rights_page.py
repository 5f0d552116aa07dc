"""`docs/habilitations.md`: which scope opens which dataset, by which fields, and what each use case is proposed.

Written from the registry and the declarations alone; a test holds the committed page, the SDL and the catalogue to it.
"""

from collections.abc import Iterator

from auth.presets import PRESETS
from auth.registry import Registry
from auth.rules import Opens, Requires
from auth.scopes import ANY_TOKEN, OLD_NAMES, OPEN_DATA
from providers import PROVIDERS
from providers.declaration import Ouverture
from resolvers.decision import AnyDataset
from resolvers.quotas import GROUPS

_HEAD = """# Habilitations

Page écrite par `graphe jetons droits --fichier docs/habilitations.md` : ne la modifiez pas à la main.

Un champ est ouvert à qui détient **un** des droits (scopes) indiqués. Un champ refusé vaut `null`, avec une erreur
`UNAUTHORIZED_FIELD_OR_TYPE` qui nomme les droits manquants, et son fournisseur n'est pas appelé.

- `graphe jetons emettre --cas CAS` propose les droits d'un cas d'usage ; `graphe jetons --help` montre la suite.
- La requête `moi` dit ce qu'un jeton ouvre ; `expliquer(requete:, variables:)` dit ce qu'une requête demande et la plus
  courte liste de droits à demander, sans appeler aucun fournisseur.
- `extensions: {"autorisation": "stricte"}` n'exécute rien si un champ est refusé ;
  `extensions: {"introspection": "mesDroits"}` lit le schéma réduit à ce que le jeton ouvre.
- Un jeton de pré-remplissage ne lit que la partie publique des entités entièrement diffusibles ; les autres sont
  introuvables pour lui, quels que soient ses droits.
"""


def page(registry: Registry) -> str:
    """The whole page, in Markdown."""
    return "\n".join([_HEAD, *_use_cases(), "", *_datasets(registry), "", *_fields(registry), "", *_quotas(), ""])


def _use_cases() -> Iterator[str]:
    yield "## Cas d'usage\n"
    yield "| Cas | Usage | Droits proposés | Jamais accordés |"
    yield "| --- | --- | --- | --- |"
    for name, preset in PRESETS.items():
        yield f"| `{name}` : {preset.title} | {preset.usage.value} | {_codes(preset.scopes)} | {_codes(preset.barred)} |"


def _datasets(registry: Registry) -> Iterator[str]:
    yield "## Jeux de données\n"
    yield "« En diffusion partielle » : droits qui lisent aussi ce que les entités en diffusion partielle ne montrent pas."
    yield "« Traçabilité » : le contexte et l'objet de la demande doivent être déclarés.\n"
    yield "| Jeu de données | Champs | Droits | Anciens noms acceptés | En diffusion partielle | Traçabilité | Quota |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    fields = _fields_by_dataset(registry)
    for provider in PROVIDERS:
        for dataset in provider.datasets:
            opening = dataset.opening
            present, old = opening.scopes - OLD_NAMES, opening.scopes & OLD_NAMES
            unmasked = _codes(opening.unmasked_for) if opening.mask is not None else ""
            traced = "oui" if dataset.ouverture is Ouverture.PROTEGEE else ""
            names = _codes(fields.get(dataset.id, ()))
            yield (
                f"| {dataset.title} (`{dataset.id}`) | {names} | {_scopes(present)} | {_codes(old)} | {unmasked} | "
                f"{traced} | {dataset.quota.value} |"
            )


def _fields(registry: Registry) -> Iterator[str]:
    yield "## Champs à droit propre\n"
    yield "Dans un jeu de données ouvert, ces champs demandent en plus un de ces droits.\n"
    yield "| Champ | Droits |"
    yield "| --- | --- |"
    for coordinate, rule in sorted(registry.rules.items()):
        if isinstance(rule, Requires):
            yield f"| `{coordinate}` | {_scopes(rule.scopes)} |"


def _quotas() -> Iterator[str]:
    yield "## Quotas\n"
    yield "Appels aux fournisseurs que les requêtes d'une habilitation causent, après regroupement et cache, par minute.\n"
    yield "| Groupe | Appels par minute | Compté |"
    yield "| --- | --- | --- |"
    for group, figures in GROUPS.items():
        counted = "chaque jeu de données à part" if figures.apart else "ensemble"
        yield f"| `{group.value}` | {figures.limit} | {counted} |"


def _fields_by_dataset(registry: Registry) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for coordinate, rule in sorted(registry.rules.items()):
        if isinstance(rule, Opens):
            dataset: AnyDataset = rule.dataset
            found.setdefault(dataset.id, []).append(coordinate)
    return found


def _scopes(scopes: frozenset[str]) -> str:
    return "tout jeton valable" if ANY_TOKEN in scopes else _codes(scopes)


def _codes(names: frozenset[str] | list[str] | tuple[str, ...]) -> str:
    """The public scope first: it is the one that most tokens hold."""
    return ", ".join(f"`{name}`" for name in sorted(names, key=lambda name: (name != OPEN_DATA, name)))
