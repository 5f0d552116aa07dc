"""What a valid document asks of protected fields, without executing it; and the schema as one caller may read it.

The static plan of strict mode and of `expliquer`. It never replaces the check on the field really resolved.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from cachetools import LRUCache
from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
    build_client_schema,
    get_named_type,
    introspection_from_schema,
)

from auth.registry import Registry
from auth.rules import Opens, Requires
from auth.scopes import ANY_TOKEN, OLD_NAMES, OPEN_DATA

META = frozenset({"__schema", "__type", "__typename"})


@dataclass(frozen=True, slots=True)
class Protected:
    """One protected field of a document: where it stands in the answer, and its rule."""

    coordinate: str
    path: tuple[str, ...]
    rule: Opens | Requires


def protected_fields(
    schema: GraphQLSchema,
    registry: Registry,
    operation: OperationDefinitionNode,
    fragments: Mapping[str, FragmentDefinitionNode],
    variables: Mapping[str, Any],
) -> list[Protected]:
    """The protected fields that an operation asks for with these variables, each path once."""
    walker = _Walker(schema, registry, fragments, _with_defaults(operation, variables))
    root = schema.get_root_type(operation.operation)
    found = walker.walk(operation.selection_set, root, ())
    return list({(one.coordinate, one.path): one for one in found}.values())


def _with_defaults(operation: OperationDefinitionNode, variables: Mapping[str, Any]) -> dict[str, Any]:
    defaults = {
        node.variable.name.value: getattr(node.default_value, "value", None)
        for node in operation.variable_definitions or ()
    }
    return {**defaults, **variables}


@dataclass(frozen=True, slots=True)
class _Walker:
    schema: GraphQLSchema
    registry: Registry
    fragments: Mapping[str, FragmentDefinitionNode]
    variables: Mapping[str, Any]

    def walk(
        self, selection_set: SelectionSetNode, type_: GraphQLNamedType | None, path: tuple[str, ...]
    ) -> Iterator[Protected]:
        for node in selection_set.selections:
            if not self._included(node):
                continue
            if isinstance(node, FieldNode):
                yield from self._field(node, type_, path)
                continue
            if isinstance(node, InlineFragmentNode):
                condition, below = node.type_condition, node.selection_set
            else:
                fragment = self.fragments[node.name.value]  # type: ignore[attr-defined]  # the third kind of selection
                condition, below = fragment.type_condition, fragment.selection_set
            inner = type_ if condition is None else self.schema.get_type(condition.name.value)
            yield from self.walk(below, inner, path)

    def _field(self, node: FieldNode, type_: GraphQLNamedType | None, path: tuple[str, ...]) -> Iterator[Protected]:
        name = node.name.value
        if name in META or not isinstance(type_, (GraphQLObjectType, GraphQLInterfaceType)):
            return
        here = (*path, node.alias.value if node.alias else name)
        coordinate = f"{type_.name}.{name}"
        rule = self.registry.rules.get(coordinate)
        if isinstance(rule, (Opens, Requires)):
            yield Protected(coordinate, here, rule)
        if node.selection_set is not None:
            yield from self.walk(node.selection_set, get_named_type(type_.fields[name].type), here)

    def _included(self, node: Any) -> bool:
        for directive in node.directives or ():
            wanted = {"include": True, "skip": False}.get(directive.name.value)
            if wanted is None:
                continue
            value = directive.arguments[0].value
            given = self.variables.get(value.name.value) if isinstance(value, VariableNode) else value.value
            if given is not wanted:
                return False
        return True


def roots(operation: OperationDefinitionNode, fragments: Mapping[str, FragmentDefinitionNode]) -> set[str]:
    """The names of the root fields of an operation, through its fragments."""
    found: set[str] = set()
    waiting = [operation.selection_set]
    while waiting:
        for node in waiting.pop().selections:
            if isinstance(node, FieldNode):
                found.add(node.name.value)
            elif isinstance(node, InlineFragmentNode):
                waiting.append(node.selection_set)
            else:
                waiting.append(fragments[node.name.value].selection_set)  # type: ignore[attr-defined]  # as above
    return found


def smallest_scopes(required: Iterable[frozenset[str]], held: frozenset[str]) -> tuple[str, ...]:
    """The shortest list of scopes that opens all that `held` leaves closed, to ask for in a habilitation request.

    Names of before the renaming are never proposed when a present one opens the same.
    """
    closed = {
        scopes - OLD_NAMES or scopes for scopes in required if ANY_TOKEN not in scopes and scopes.isdisjoint(held)
    }
    forced = {scope for scopes in closed if len(scopes) == 1 for scope in scopes}
    closed = {scopes for scopes in closed if scopes.isdisjoint(forced)}
    # The public scope first: between lists of one length, the one that reveals the least.
    candidates = sorted(frozenset[str]().union(*closed), key=lambda scope: (scope != OPEN_DATA, scope))
    for size in range(len(closed) + 1):
        for chosen in combinations(candidates, size):
            if all(not scopes.isdisjoint(chosen) for scopes in closed):
                return tuple(sorted(forced.union(chosen)))
    raise AssertionError("one scope of each closed set opens them all")


# --- The schema as a caller may read it --------------------------------------------------------------


_VIEWS: LRUCache[frozenset[str], GraphQLSchema] = LRUCache(256)


def view(schema: GraphQLSchema, denied: frozenset[str]) -> GraphQLSchema:
    """A copy of the schema without the fields refused, nor the types that only they lead to; it resolves nothing."""
    found = _VIEWS.get(denied)
    if found is None:
        found = _VIEWS[denied] = build_client_schema(_pruned(introspection_from_schema(schema), denied))
    return found


def _pruned(introspection: Any, denied: frozenset[str]) -> Any:
    shown = introspection["__schema"]
    closed = set(denied)
    while closed:
        for type_ in shown["types"]:
            type_["fields"] = type_["fields"] and [
                field for field in type_["fields"] if f"{type_['name']}.{field['name']}" not in closed
            ]
        # An object of which nothing is left can't be asked for: neither can the fields that lead to it.
        empty = {type_["name"] for type_ in shown["types"] if _is_empty(type_)}
        closed = {
            f"{type_['name']}.{field['name']}"
            for type_ in shown["types"]
            for field in type_["fields"] or ()
            if _name(field["type"]) in empty
        }
    types = {type_["name"]: type_ for type_ in shown["types"]}
    reached: set[str] = {name for name in types if name.startswith("__")}
    waiting = [shown["queryType"]["name"], "String", "Boolean"]
    waiting += [_name(argument["type"]) for directive in shown["directives"] for argument in directive["args"]]
    while waiting:
        name = waiting.pop()
        if name in reached:
            continue
        reached.add(name)
        waiting += _leads_to(types[name])
    for type_ in shown["types"]:
        if type_.get("possibleTypes"):
            type_["possibleTypes"] = [one for one in type_["possibleTypes"] if one["name"] in reached]
    shown["types"] = [type_ for type_ in shown["types"] if type_["name"] in reached and not _is_empty(type_)]
    return introspection


def _leads_to(type_: Any) -> Iterator[str]:
    for field in [*(type_.get("fields") or ()), *(type_.get("inputFields") or ())]:
        yield _name(field["type"])
        yield from (_name(argument["type"]) for argument in field.get("args") or ())
    for other in [*(type_.get("interfaces") or ()), *(type_.get("possibleTypes") or ())]:
        yield other["name"]


def _is_empty(type_: Any) -> bool:
    return type_["kind"] == "OBJECT" and not type_["fields"]


def _name(reference: Any) -> str:
    while reference.get("ofType"):
        reference = reference["ofType"]
    name: str = reference["name"]
    return name
