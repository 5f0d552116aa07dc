"""Puts the registry in force on the finished schema: the check runs on the field really resolved.

Whatever path leads to a protected field (alias, fragment, `node`, another object), its resolver is the wrapped
one, and it refuses before any loader is reached. Leaves that only inherit cost nothing.
"""

from operator import attrgetter
from typing import Any

import strawberry
from graphql import (
    GraphQLField,
    GraphQLObjectType,
    GraphQLResolveInfo,
    GraphQLSchema,
    get_named_type,
    is_leaf_type,
)

from auth.registry import DEFINITION, Registry
from auth.rules import Opens, Requires
from graph.projection import ATTRIBUTE
from graph.scalars import CONFIG
from providers.identifiers import InvalidIdentifier, rna, siren, siret
from resolvers.operation import Operation


def enforce(schema: GraphQLSchema, registry: Registry) -> None:
    """Wrap every protected field of `schema`, and read every plain one directly. Done once, at start-up."""
    for type_ in schema.type_map.values():
        if not isinstance(type_, GraphQLObjectType) or type_.name.startswith("__"):
            continue
        for name, field in type_.fields.items():
            _read_plainly(field)
            _call_plainly(field)
            coordinate = f"{type_.name}.{name}"
            match registry.rules[coordinate]:
                case Opens(_, dataset):
                    field.resolve = _opening(field, coordinate, dataset)
                case Requires(scopes):
                    field.resolve = _requiring(field, coordinate, scopes)
                case _:
                    pass


def _read_plainly(field: GraphQLField) -> None:
    definition = field.extensions[DEFINITION]
    if definition.is_basic_field:
        get = attrgetter(definition.python_name)

        def resolve(source: Any, _info: GraphQLResolveInfo[Any]) -> Any:
            return get(source)

        field.resolve = resolve
        field.extensions[ATTRIBUTE] = definition.python_name


def _call_plainly(field: GraphQLField) -> None:
    """Call a resolver as it is: strawberry's own way there costs more than most of our resolvers do.

    Its arguments need a name in Python and nothing else: graphql-core has coerced scalars, enums, and lists of them.
    Raises `TypeError` for an argument of an input type, which strawberry would have to build.
    """
    definition = field.extensions[DEFINITION]
    if definition.is_basic_field:
        return
    for name, argument in field.args.items():
        if not is_leaf_type(get_named_type(argument.type)):
            raise TypeError(f"{definition.python_name}({name}:) is of an input type, which is not passed as it is")
    resolver = definition.base_resolver
    function = resolver.wrapped_func
    asks_info = resolver.info_parameter is not None
    names = {_camel(argument): argument.python_name for argument in definition.arguments}

    def resolve(source: Any, info: GraphQLResolveInfo[Any], **given: Any) -> Any:
        arguments = {names[name]: value for name, value in given.items()} if given else given
        if asks_info:
            return function(source, info=strawberry.Info(_raw_info=info, _field=definition), **arguments)
        return function(source, **arguments)

    field.resolve = resolve


def _camel(argument: Any) -> str:
    name: str = CONFIG.name_converter.from_argument(argument)
    return name


def _opening(field: GraphQLField, coordinate: str, dataset: Any) -> Any:
    inner = field.resolve
    assert inner is not None  # noqa: S101 - strawberry sets it on every field; says it to the type checker

    def resolve(source: Any, info: GraphQLResolveInfo[Operation], **arguments: Any) -> Any:
        operation = info.context
        if coordinate in operation.denied:
            raise operation.refuse(dataset, _subject(source, arguments), info)
        return inner(source, info, **arguments)

    return resolve


def _requiring(field: GraphQLField, coordinate: str, scopes: frozenset[str]) -> Any:
    inner = field.resolve
    assert inner is not None  # noqa: S101 - as above
    field.extensions.pop(ATTRIBUTE, None)  # no longer a plain reading: it may refuse

    def resolve(source: Any, info: GraphQLResolveInfo[Operation], **arguments: Any) -> Any:
        operation = info.context
        if coordinate in operation.denied:
            raise operation.denial(coordinate, scopes)
        return inner(source, info, **arguments)

    return resolve


def _subject(source: Any, arguments: dict[str, Any]) -> str:
    """Whom a refused field speaks of: the object that it stands on, or the identifier given to a root field.

    Nothing but an identifier: what else a caller wrote (the words of a search, a mistake) is not kept.
    """
    if source is not None:
        return str(source.sujet)
    text = arguments.get("identifiant") or arguments.get("numero") or ""
    for read in (siren, siret, rna):
        try:
            return read(text.removeprefix("FR"))
        except InvalidIdentifier:
            continue
    return ""
