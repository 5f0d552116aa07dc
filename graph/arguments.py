"""What each argument means, in one place: an argument of one name means one thing throughout the schema.

Put on the finished schema, where introspection and the printed SDL read it. An argument that is not described here
stops the server, like a field without a rule.
"""

from collections.abc import Mapping
from types import MappingProxyType

from graphql import GraphQLArgument, GraphQLObjectType, GraphQLSchema

DESCRIPTIONS: Mapping[str, str] = MappingProxyType({
    "siren": "Numéro SIREN : neuf chiffres.",
    "sirens": "Numéros SIREN, 100 au plus ; la réponse garde leur ordre.",
    "siret": "SIRET de l'établissement à interroger, parmi ceux de l'entreprise ; à défaut, celui du siège.",
    "Query.etablissement.siret": "Numéro SIRET : quatorze chiffres.",
    "sirets": "Numéros SIRET, 100 au plus ; la réponse garde leur ordre.",
    "identifiant": "Numéro RNA (W et neuf chiffres), SIREN ou SIRET de l'association.",
    "numero": "SIRET, ou numéro EORI français ou étranger.",
    "id": "Identifiant global, lu dans le champ `id` d'un objet.",
    "first": "Nombre d'éléments de la page, de 1 à 100.",
    "after": "Curseur après lequel la page commence (`endCursor` de la page précédente) ; absent : première page.",
    "texte": "Mots du nom cherché, dans n'importe quel ordre, avec ou sans accents.",
    "departement": "Code du département du siège : 01 à 95, 2A, 2B, ou 971 à 989.",
    "activite": "Code d'activité principale en NAF rév. 2, par exemple 62.01Z.",
    "actives": "Vrai pour les seules entreprises en activité, faux pour toutes.",
    "actifs": "Vrai : établissements ouverts ; faux : fermés ; absent : tous.",
    "annee": "Année civile, sur quatre chiffres.",
    "mois": "Mois de l'année, de 1 à 12.",
    "profondeur": "Profondeur de l'historique, en mois, transmise telle quelle au fournisseur.",
    "nature": "Définition de l'effectif à lire.",
    "requete": "Texte du document GraphQL à expliquer.",
    "variables": "Variables de la requête, comme à son exécution.",
    "operation": "Nom de l'opération à expliquer, si le document en contient plusieurs.",
    "depuis": "Premier instant des requêtes à lire ; absent : trente jours avant la requête.",
    "Moi.journal.depuis": "Premier instant des requêtes à lire ; absent : les plus anciennes.",
    "jusqua": "Instant avant lequel sont les requêtes à lire ; absent : les plus récentes.",
    "sujet": "SIREN, SIRET ou numéro RNA concerné, exactement.",
    "jeuDeDonnees": "Identifiant du jeu de données.",
    "agent": "Agent tel que les requêtes le déclarent, ou son empreinte telle que le journal la montre.",
    "issue": "Comment les accès se sont terminés.",
    "par": "Ce par quoi grouper, dans l'ordre ; liste vide : un seul groupe.",
    "recherche": "Mots à trouver dans le nom, le titre, la description ou le producteur ; absent : tout le catalogue.",
    "@requiresScopes.scopes": "Listes de scopes : il faut détenir tous ceux d'une liste, et une liste suffit.",
    "@jeuDeDonnees.id": "Identifiant du jeu de données au catalogue.",
    "@jeuDeDonnees.fournisseur": "Identifiant du fournisseur.",
    "@jeuDeDonnees.ouverture": "PUBLIQUE, PROTEGEE ou MIXTE.",
})  # fmt: skip
"""By name, or by coordinate where the name alone would not be exact."""

_SCALARS: Mapping[str, str] = MappingProxyType({
    "Date": "Date au format ISO 8601 : AAAA-MM-JJ.",
    "DateTime": "Instant au format ISO 8601, avec son fuseau.",
})  # fmt: skip
"""Descriptions that strawberry writes in English."""


class UndescribedArgument(Exception):
    """An argument means nothing to its readers; the message names it."""


def describe(schema: GraphQLSchema) -> None:
    """Describe every argument of a finished schema. Raises `UndescribedArgument`."""
    for name, description in _SCALARS.items():
        if name in schema.type_map:
            schema.type_map[name].description = description
    for type_ in schema.type_map.values():
        if isinstance(type_, GraphQLObjectType) and not type_.name.startswith("__"):
            for name, field in type_.fields.items():
                _describe(f"{type_.name}.{name}", field.args)
    for directive in schema.directives:
        _describe(f"@{directive.name}", directive.args)


def _describe(owner: str, arguments: Mapping[str, GraphQLArgument]) -> None:
    for name, argument in arguments.items():
        if argument.description is None:
            found = DESCRIPTIONS.get(f"{owner}.{name}", DESCRIPTIONS.get(name))
            if found is None:
                raise UndescribedArgument(f"{owner}({name}:) is not described: add it to graph/arguments.py")
            argument.description = found
