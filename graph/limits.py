"""How large a document may be, measured in one linear pass before it is validated.

Every selection set is measured once and every fragment once, however many places spread it: a document of a few
hundred bytes that unfolds into millions of fields is refused in the time of reading it. Sizes are those of the
answer, so they count through fragments. What is asked below `__schema` and `__type` is counted apart: tools must
be able to read the schema whatever the limits on data.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    get_named_type,
)

from settings.surface import Limits

_MOST_TOLD = 1_000_000_000
"""Sizes are not told beyond this: an unfolded bomb has more digits than an answer should carry."""
_SCHEMA_FIELDS = frozenset({"__schema", "__type"})
NODE = "Node"


@dataclass(frozen=True, slots=True)
class Excess:
    """One limit passed: which, the value seen, the value allowed. `seen` is a minimum when `at_least`."""

    limit: str
    label: str
    seen: int
    allowed: int
    at_least: bool = False

    @property
    def message(self) -> str:
        seen = f"au moins {_spaced(self.seen)}" if self.at_least else _spaced(self.seen)
        return f"Requête refusée, limite « {self.limit} » : {seen} {self.label}, pour {_spaced(self.allowed)} au plus."

    @property
    def extensions(self) -> dict[str, Any]:
        return {"limite": self.limit, "valeur": self.seen, "maximum": self.allowed}


def _spaced(number: int) -> str:
    return f"{number:,}".replace(",", "\u202f")


@dataclass(frozen=True, slots=True)
class Size:
    """What a selection set unfolds to. Counts add up; depths are those of the deepest branch."""

    width: int = 0
    """Fields of this level alone: at the root of an operation, its entry points."""
    fields: int = 0
    list_fields: int = 0
    aliases: int = 0
    directives: int = 0
    node_directives: int = 0
    depth: int = 0
    list_depth: int = 0
    node_depth: int = 0
    fragment_depth: int = 0
    introspections: int = 0
    introspection_fields: int = 0
    introspection_depth: int = 0

    def __add__(self, other: "Size") -> "Size":
        return Size(
            self.width + other.width,
            self.fields + other.fields,
            self.list_fields + other.list_fields,
            self.aliases + other.aliases,
            self.directives + other.directives,
            max(self.node_directives, other.node_directives),
            max(self.depth, other.depth),
            max(self.list_depth, other.list_depth),
            max(self.node_depth, other.node_depth),
            max(self.fragment_depth, other.fragment_depth),
            self.introspections + other.introspections,
            self.introspection_fields + other.introspection_fields,
            max(self.introspection_depth, other.introspection_depth),
        )


_NOTHING = Size()
_LABELS: Mapping[str, str] = MappingProxyType({
    "fields": "champs hors des listes, fragments dépliés",
    "list_fields": "champs dans les éléments de listes, fragments dépliés",
    "aliases": "alias, fragments dépliés",
    "directives": "directives en tout, fragments dépliés",
    "node_directives": "directives sur un même élément",
    "depth": "niveaux de champs",
    "list_depth": "listes imbriquées",
    "node_depth": "entreprises et établissements imbriqués",
    "fragment_depth": "fragments imbriqués",
    "introspections": "lectures du schéma (`__schema`, `__type`)",
    "introspection_fields": "champs à la lecture du schéma, fragments dépliés",
    "introspection_depth": "niveaux de champs à la lecture du schéma",
})  # fmt: skip


def excess_of(schema: GraphQLSchema, document: DocumentNode, limits: Limits) -> Excess | None:
    """The first limit that one of the definitions passes. The document need not be valid."""
    measure = _Measure(schema, document, limits.fragment_depth)
    for node, size in measure.definitions():
        if isinstance(node, OperationDefinitionNode) and size.width > limits.root_fields:
            return Excess("root_fields", "champs à la racine", min(size.width, _MOST_TOLD), limits.root_fields)
        for name, label in _LABELS.items():
            seen, allowed = getattr(size, name), getattr(limits, name)
            if seen > allowed:
                return Excess(name, label, min(seen, _MOST_TOLD), allowed, at_least=name == "fragment_depth")
    return None


class _Measure:
    """One pass over one document. Unknown fields, types and fragments count too: validation names them later."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode, deepest: int) -> None:
        self._schema = schema
        self._document = document
        self._fragments = {
            node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)
        }
        self._measured: dict[str, Size] = {}
        self._open: list[str] = []
        self._deepest = deepest

    def definitions(self) -> Iterator[tuple[OperationDefinitionNode | FragmentDefinitionNode, Size]]:
        for node in self._document.definitions:
            if isinstance(node, OperationDefinitionNode):
                size = self._selection_set(node.selection_set, self._schema.get_root_type(node.operation))
                yield node, size + _directives(node)
                yield node, sum(map(_directives, node.variable_definitions or ()), _NOTHING)
            elif isinstance(node, FragmentDefinitionNode):
                size = self._fragment(node.name.value) + _directives(node)
                # Tools write their questions on the schema with fragments too.
                yield node, _apart(size) if node.type_condition.name.value.startswith("__") else size

    def _fragment(self, name: str) -> Size:
        known = self._measured.get(name)
        if known is not None:
            return known
        fragment = self._fragments.get(name)
        if fragment is None or name in self._open:
            return _NOTHING  # unknown, or a cycle: both are for validation to name
        if len(self._open) > self._deepest:
            return Size(fragment_depth=1)  # a chain beyond the limit need not be followed to its end
        self._open.append(name)
        size = self._selection_set(fragment.selection_set, self._schema.get_type(fragment.type_condition.name.value))
        self._open.pop()
        found = self._measured[name] = replace(size, fragment_depth=size.fragment_depth + 1)
        return found

    def _selection_set(self, selection_set: SelectionSetNode, type_: GraphQLNamedType | None) -> Size:
        return sum((self._selection(node, type_) for node in selection_set.selections), _NOTHING)

    def _selection(self, node: SelectionNode, type_: GraphQLNamedType | None) -> Size:
        if isinstance(node, FieldNode):
            return self._field(node, type_) + _directives(node)
        if isinstance(node, FragmentSpreadNode):
            return self._fragment(node.name.value) + _directives(node)
        assert isinstance(node, InlineFragmentNode)  # noqa: S101 - the third and last kind; says it to the type checker
        if node.type_condition is not None:
            type_ = self._schema.get_type(node.type_condition.name.value)
        return self._selection_set(node.selection_set, type_) + _directives(node)

    def _field(self, node: FieldNode, parent: GraphQLNamedType | None) -> Size:
        type_ = _type_of(node, parent, self._schema)
        named = None if type_ is None else get_named_type(type_)
        below = _NOTHING if node.selection_set is None else self._selection_set(node.selection_set, named)
        if node.name.value in _SCHEMA_FIELDS:
            return replace(_apart(below), width=1, introspections=1)
        is_list = node.selection_set is not None and _is_list(type_)
        return replace(
            below,
            width=1,
            fields=1 if is_list else below.fields + 1,
            list_fields=below.list_fields + (below.fields if is_list else 0),
            aliases=below.aliases + (node.alias is not None),
            depth=below.depth + 1,
            list_depth=below.list_depth + is_list,
            node_depth=below.node_depth + _is_node(named),
        )


def _apart(size: Size) -> Size:
    """The size of a question on the schema: held to limits of its own."""
    return Size(
        directives=size.directives,
        node_directives=size.node_directives,
        fragment_depth=size.fragment_depth,
        introspection_fields=size.fields + size.list_fields,
        introspection_depth=size.depth + 1,
    )


def _type_of(node: FieldNode, parent: GraphQLNamedType | None, schema: GraphQLSchema) -> GraphQLOutputType | None:
    if isinstance(parent, (GraphQLObjectType, GraphQLInterfaceType)):
        field = schema.get_field(parent, node.name.value)
        return None if field is None else field.type
    return None


def _is_list(type_: GraphQLOutputType | None) -> bool:
    return isinstance(type_.of_type if isinstance(type_, GraphQLNonNull) else type_, GraphQLList)


def _is_node(type_: GraphQLNamedType | None) -> bool:
    if isinstance(type_, GraphQLObjectType):
        return any(interface.name == NODE for interface in type_.interfaces)
    return isinstance(type_, GraphQLInterfaceType) and type_.name == NODE


def _directives(node: Any) -> Size:
    count = len(node.directives or ())
    return Size(directives=count, node_directives=count) if count else _NOTHING
