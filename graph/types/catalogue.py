"""The catalogue: every dataset as its declaration says it, and a query that reads it."""

import unicodedata
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import orjson
import strawberry
from graphql import GraphQLObjectType, get_named_type

from graph.words import inherits
from providers import PROVIDERS
from providers.declaration import Provider, Table
from providers.record import inherits as leaf
from resolvers.trace import AnyDataset

_PERSONNAGES = Path(__file__).parents[1] / "personnages.json"
"""Which personas of the sandbox each dataset speaks of: written from the reviewed profiles of all of them."""
_DOCUMENTS = frozenset({"Document", "DocumentDistant"})


@strawberry.type(description="Une entreprise inventée du bac à sable, la même chez tous les fournisseurs.")
class Personnage:
    siren: str = leaf("Son numéro SIREN.")
    nom: str = leaf("Son nom dans le bac à sable.")


@strawberry.type(description="Un jeu de données du catalogue.")
class JeuDeDonnees:
    id: strawberry.ID = leaf("Identifiant : fournisseur.jeu.")
    fournisseur: str = leaf("Identifiant du fournisseur qui le sert.")
    nom_catalogue: str | None = leaf("Nom au catalogue de l'État, s'il y figure.")
    titre: str = leaf("Titre.")
    description: str = leaf("Ce que dit le jeu de données.")
    producteur: str = leaf("Organisme producteur.")
    ouverture: str = leaf("`PUBLIQUE`, `PROTEGEE` ou `MIXTE`.")
    perimetre: str = leaf("Entités couvertes.")
    cle: str = leaf("Identifiant par lequel on l'interroge.")
    fraicheur: str = leaf("Fréquence de mise à jour.")
    habilitations: list[str] = leaf("Habilitations (scopes) qui l'ouvrent : il suffit d'en détenir une.")
    groupe_de_quota: str = leaf("Groupe de quota dans lequel ses appels sont comptés.")
    introuvable: str = leaf("Ce que veut dire « introuvable ».")
    chemin_rest: str = leaf("Route équivalente de l'API REST.")
    groupe: bool = leaf("Vrai si plusieurs clés sont demandées au fournisseur en un seul appel.")
    questions_ouvertes: list[str] = leaf(
        "Ce que l'on ne sait pas encore du fournisseur, et ce qui est fait en attendant."
    )

    @inherits("`DONNEES`, ou `DONNEES_ET_DOCUMENTS` quand des fichiers (PDF le plus souvent) accompagnent les données.")
    def format(self) -> str:
        return "DONNEES_ET_DOCUMENTS" if _has_documents(str(self.id)) else "DONNEES"

    @inherits("Champs du graphe qui y donnent accès, par type.")
    def champs(self) -> list[str]:
        return _fields()[str(self.id)]

    @inherits("Requête d'exemple, sur une entreprise du bac à sable ; elle demande tout ce que dit le jeu de données.")
    def exemple(self) -> str:
        return _example(str(self.id))

    @inherits("Entreprises du bac à sable que le fournisseur simulé connaît, avec lesquelles l'essayer.")
    def personnages(self) -> list[Personnage]:
        return [Personnage(siren=siren, nom=nom) for siren, nom in _personnages().get(str(self.id), {}).items()]


def catalogue(recherche: str | None) -> list[JeuDeDonnees]:
    """The datasets whose name, title, description or producer holds every word of `recherche`."""
    words = _folded(recherche or "").split()
    return [
        entry
        for provider in PROVIDERS
        for dataset in provider.datasets
        if all(word in _folded(_text(provider, dataset)) for word in words)
        for entry in [_entry(provider, dataset)]
    ]


def _text(provider: Provider, dataset: AnyDataset) -> str:
    return " ".join(
        (dataset.id, dataset.seed or "", dataset.title, dataset.description, provider.title, provider.label)
    )


def _folded(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(character for character in decomposed if not unicodedata.combining(character))


def _entry(provider: Provider, dataset: AnyDataset) -> JeuDeDonnees:
    how = dataset.source.how
    return JeuDeDonnees(
        id=strawberry.ID(dataset.id),
        fournisseur=provider.id,
        nom_catalogue=dataset.seed,
        titre=dataset.title,
        description=dataset.description,
        producteur=provider.title,
        ouverture=dataset.ouverture.value,
        perimetre=dataset.perimeter,
        cle=dataset.key,
        fraicheur=dataset.freshness,
        habilitations=sorted(dataset.opening.scopes),
        groupe_de_quota=dataset.quota.value,
        introuvable=dataset.not_found_means,
        chemin_rest=dataset.rest_path,
        groupe=isinstance(how, Table) or how.bulk is not None,
        questions_ouvertes=list(dataset.open_questions),
    )


# --- What the finished schema adds ---------------------------------------------------------------
# Imported when asked: the schema is built from this module among others.


@cache
def _fields() -> Mapping[str, list[str]]:
    """The coordinates that open each dataset."""
    from auth.rules import Opens
    from graph.schema import REGISTRY

    found: dict[str, list[str]] = {}
    for coordinate, rule in sorted(REGISTRY.rules.items()):
        if isinstance(rule, Opens):
            found.setdefault(rule.dataset.id, []).append(coordinate)
    return found


@cache
def _example(dataset_id: str) -> str:
    from graph.examples import query_for, ways
    from graph.schema import REGISTRY, SCHEMA

    way = ways(SCHEMA, REGISTRY)[dataset_id][0]
    dataset = next(dataset for provider in PROVIDERS for dataset in provider.datasets if dataset.id == dataset_id)
    return query_for(REGISTRY, way, dataset)


@cache
def _has_documents(dataset_id: str) -> bool:
    from graph.schema import SCHEMA

    for coordinate in _fields()[dataset_id]:
        type_name, _, name = coordinate.partition(".")
        type_: Any = SCHEMA.type_map[type_name]
        if _DOCUMENTS & set(_below(get_named_type(type_.fields[name].type), set())):
            return True
    return False


def _below(type_: Any, seen: set[str]) -> Iterator[str]:
    """The types that a record is made of."""
    from auth.rules import Opens
    from graph.schema import REGISTRY

    if not isinstance(type_, GraphQLObjectType) or type_.name in seen:
        return
    seen.add(type_.name)
    yield type_.name
    for name, field in type_.fields.items():
        if not isinstance(REGISTRY.rules.get(f"{type_.name}.{name}"), Opens):
            yield from _below(get_named_type(field.type), seen)


@cache
def _personnages() -> Mapping[str, Mapping[str, str]]:
    found: dict[str, dict[str, str]] = orjson.loads(_PERSONNAGES.read_bytes())
    return found
