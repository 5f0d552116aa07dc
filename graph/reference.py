"""`docs/schema.md`: the schema as a page to read, written from the schema itself.

Everything it says is a description of the schema, or a rule of the registry: nothing is added by hand.
"""

from collections.abc import Iterator, Mapping

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    get_named_type,
    specified_scalar_types,
)

from auth.registry import DEFINITION, Registry
from auth.rules import Inherits, Opens, Public, Requires, Rule
from providers.record import DonneePersonnelle
from settings.surface import Limits

_HEADER = """# Le schéma

Page écrite par `graphe schema --reference docs/schema.md` à partir du schéma lui-même ; ne la modifiez pas à la main.
Le schéma exact, pour les outils, est dans [`schema.graphql`](../schema.graphql).

Un champ qui ouvre un jeu de données peut toujours être nul : sans erreur, le fournisseur ne sait rien de cette clé ;
avec une erreur, elle dit pourquoi. Les limites sont celles par défaut : un refus dit laquelle est passée, la valeur vue
et la valeur permise (`extensions.limite`, `valeur`, `maximum`). « ! » après un type : jamais nul. « 👤 » : donnée à caractère personnel.
"""
_FIRST = ("Entreprise", "Etablissement", "Association", "Attestations", "Bilans", "Certifications")
"""The types that a reader looks for, before all others in the order of the alphabet."""


def reference(schema: GraphQLSchema, registry: Registry) -> str:
    """The page, in Markdown."""
    return "\n".join(_lines(schema, registry)) + "\n"


def _lines(schema: GraphQLSchema, registry: Registry) -> Iterator[str]:
    yield _HEADER
    query = schema.query_type
    assert query is not None  # noqa: S101 - a schema always has one; says it to the type checker
    yield "## Points d'entrée\n"
    yield from _table(query, registry)
    yield "\n## Jeux de données\n"
    yield from _datasets(registry)
    objects = {
        name: type_
        for name, type_ in schema.type_map.items()
        if isinstance(type_, (GraphQLObjectType, GraphQLInterfaceType))
        and not name.startswith("__")
        and type_ is not query
    }
    yield "\n## Types"
    for name in [*(name for name in _FIRST if name in objects), *sorted(objects.keys() - set(_FIRST))]:
        type_ = objects[name]
        yield f"\n### {name}\n\n{_text(type_.description)}\n"
        yield from _table(type_, registry)
    yield "\n## Énumérations"
    for name, named in sorted(schema.type_map.items()):
        if isinstance(named, GraphQLEnumType) and not name.startswith("__"):
            yield f"\n### {name}\n\n{_text(named.description)}\n\n| Valeur | Sens |\n| --- | --- |"
            for value, definition in named.values.items():
                yield f"| `{value}` | {_cell(definition.description)} |"
    yield "\n## Limites d'une requête\n\n| Limite | Au plus | Sens |\n| --- | --- | --- |"
    for name, field in Limits.model_fields.items():
        yield f"| `{name}` | {field.default} | {_cell(field.description)} |"
    yield "\n## Scalaires\n\n| Nom | Sens |\n| --- | --- |"
    for name, named in sorted(schema.type_map.items()):
        if isinstance(named, GraphQLScalarType) and named not in specified_scalar_types.values():
            yield f"| `{name}` | {_cell(named.description)} |"


def _datasets(registry: Registry) -> Iterator[str]:
    yield "| Champ | Jeu de données | Ouverture | Scopes (un seul suffit) |\n| --- | --- | --- | --- |"
    for coordinate, rule in sorted(registry.rules.items()):
        if isinstance(rule, Opens):
            scopes = ", ".join(f"`{scope}`" for scope in sorted(rule.scopes))
            yield f"| `{coordinate}` | {rule.dataset.title} | {rule.dataset.ouverture.value} | {scopes} |"


def _table(type_: GraphQLObjectType | GraphQLInterfaceType, registry: Registry) -> Iterator[str]:
    yield "| Champ | Type | Sens |\n| --- | --- | --- |"
    for name, field in type_.fields.items():
        marks = " 👤" if _is_personal(field) else ""
        rule = registry.rules.get(f"{type_.name}.{name}")
        meaning = [_cell(field.description), *_arguments(field.args), *_rights(rule)]
        if field.deprecation_reason is not None:
            meaning.append(f"**Déprécié** : {_cell(field.deprecation_reason)}")
        yield f"| `{name}`{marks} | {_type(field)} | {'<br>'.join(filter(None, meaning))} |"


def _type(field: GraphQLField) -> str:
    named = get_named_type(field.type)
    written = str(field.type)
    if isinstance(named, GraphQLScalarType):
        return f"`{written}`"
    return f"[`{written}`](#{named.name.lower()})"


def _arguments(arguments: Mapping[str, GraphQLArgument]) -> Iterator[str]:
    for name, argument in arguments.items():
        yield f"`{name}: {argument.type}` : {_cell(argument.description)}"


def _rights(rule: Rule | None) -> Iterator[str]:
    match rule:
        case Opens(_, dataset):
            yield f"Jeu de données `{dataset.id}`."
        case Requires(scopes):
            yield f"Demande en plus : {_any_of(scopes)}."
        case Public() | Inherits() | None:
            return


def _any_of(scopes: frozenset[str]) -> str:
    return " ou ".join(f"`{scope}`" for scope in sorted(scopes))


def _is_personal(field: GraphQLField) -> bool:
    definition = field.extensions.get(DEFINITION)
    return any(isinstance(directive, DonneePersonnelle) for directive in getattr(definition, "directives", ()) or ())


def _text(description: str | None) -> str:
    return (description or "").strip()


def _cell(description: str | None) -> str:
    """A description on one line of a table."""
    return " ".join(_text(description).replace("|", "\\|").split())
