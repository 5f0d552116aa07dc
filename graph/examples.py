"""An example query for each dataset, written from the schema itself: the catalogue shows it, a test runs it."""

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
)

from auth.registry import Registry
from auth.rules import Opens
from providers.declaration import Dataset, subject_of

_ENTRANCES = (
    "entreprise", "etablissement", "association", "documentsAssociation", "subventionsAssociation",
    "immatriculationEori", "rechercherEntreprises",
)  # fmt: skip
_IDENTIFIERS = frozenset({"siren", "siret", "identifiant", "numero"})
_MAX_DEPTH = 6
PAGE = 3


@dataclass(frozen=True, slots=True)
class Step:
    """One field on the way from the root to a dataset."""

    type_name: str
    name: str
    field: GraphQLField


def ways(schema: GraphQLSchema, registry: Registry) -> Mapping[str, tuple[tuple[Step, ...], ...]]:
    """For each dataset, the shortest way to each of the fields that open it, crossing no other dataset."""
    found: dict[str, list[tuple[Step, ...]]] = {}
    query = schema.query_type
    assert query is not None  # noqa: S101 - a schema always has one; says it to the type checker
    queue: deque[tuple[GraphQLObjectType, tuple[Step, ...]]] = deque()
    for entrance in _ENTRANCES:
        if entrance in query.fields:
            _walk(query, entrance, (), registry, found, queue)
    seen: set[str] = set()
    while queue:
        type_, way = queue.popleft()
        if type_.name in seen or len(way) >= _MAX_DEPTH:
            continue
        seen.add(type_.name)
        for name in type_.fields:
            _walk(type_, name, way, registry, found, queue)
    return {dataset: tuple(all_ways) for dataset, all_ways in found.items()}


def _walk(
    type_: GraphQLObjectType,
    name: str,
    way: tuple[Step, ...],
    registry: Registry,
    found: dict[str, list[tuple[Step, ...]]],
    queue: deque[tuple[GraphQLObjectType, tuple[Step, ...]]],
) -> None:
    field = type_.fields[name]
    steps = (*way, Step(type_.name, name, field))
    rule = registry.rules.get(f"{type_.name}.{name}")
    if isinstance(rule, Opens):
        found.setdefault(rule.dataset.id, []).append(steps)
        return
    inner = get_named_type(field.type)
    if isinstance(inner, GraphQLObjectType) and not _is_list(field):
        queue.append((inner, steps))


def _is_list(field: GraphQLField) -> bool:
    type_ = field.type.of_type if isinstance(field.type, GraphQLNonNull) else field.type
    return isinstance(type_, GraphQLList)


def query_for(registry: Registry, way: tuple[Step, ...], dataset: Dataset[Any, Any, Any]) -> str:
    """The query that follows `way` for the dataset's example key and asks every leaf of its record."""
    key = dataset.example
    last = get_named_type(way[-1].field.type)
    body = _leaves(registry, last, frozenset())
    for step in reversed(way):
        body = f"{step.name}{_arguments(step, key)}{f' {{ {body} }}' if body else ''}"
    return f"{{ {body} }}"


def _arguments(step: Step, key: Any) -> str:
    subject = subject_of(key)
    values: dict[str, str] = {}
    for name, argument in step.field.args.items():
        if name in _IDENTIFIERS and step.type_name == "Query":
            values[name] = orjson.dumps(subject[:9] if name == "siren" else subject).decode()
        elif name == "first" and isinstance(argument.type, GraphQLNonNull):
            values[name] = str(PAGE)
        elif hasattr(key, name) and (value := getattr(key, name)) is not None:
            inner = get_named_type(argument.type)
            values[name] = value.name if isinstance(inner, GraphQLEnumType) else orjson.dumps(value).decode()
    return f"({', '.join(f'{name}: {value}' for name, value in values.items())})" if values else ""


def _leaves(registry: Registry, type_: GraphQLNamedType, above: frozenset[str]) -> str:
    return " ".join(_each_leaf(registry, type_, above))


def _each_leaf(registry: Registry, type_: GraphQLNamedType, above: frozenset[str]) -> Iterator[str]:
    if not isinstance(type_, GraphQLObjectType) or type_.name in above:
        return
    for name, field in type_.fields.items():
        if isinstance(registry.rules.get(f"{type_.name}.{name}"), Opens) or any(
            isinstance(argument.type, GraphQLNonNull) for argument in field.args.values()
        ):
            continue
        inner = get_named_type(field.type)
        if not isinstance(inner, GraphQLObjectType):
            yield name
        elif below := _leaves(registry, inner, above | {type_.name}):
            yield f"{name} {{ {below} }}"
