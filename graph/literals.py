"""Documents that differ by the literals of their arguments are one document: the literals become variables.

A hand-written document holds its identifiers (`entreprise(siren: "...")`), so that its text is never seen twice, and would be parsed
and validated for each company. Its skeleton is: the same text with each string replaced by its rank and its
length. Equal strings have equal ranks, so that two fields that could be merged still can, and no others; equal lengths keep the
places told by errors. A document whose strings stand anywhere else than as the whole value of an argument is left as it is.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from graphql import (
    ArgumentNode,
    DocumentNode,
    FieldNode,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLSchema,
    NamedTypeNode,
    NameNode,
    NonNullTypeNode,
    OperationDefinitionNode,
    StringValueNode,
    TypeInfo,
    TypeInfoVisitor,
    VariableDefinitionNode,
    VariableNode,
    visit,
)
from graphql.execution.values import get_variable_values
from graphql.language import Visitor

_PREFIX: Final = "_litteral_"
_LIFTED: Final = frozenset({"String", "ID", "Siren", "Siret", "Date", "DateTime"})
_PLAIN: Final = r"[ !#-\[\]-~]{1,64}"
"""Printable ASCII without a quote nor a backslash: as many bytes as characters, and its own value."""
_TOKENS: Final = re.compile(rf'"""(?:[^"\\]|\\.|"(?!""))*"""|#[^\n\r]*|"({_PLAIN})"|"(?:[^"\\\n\r]|\\.)*"', re.DOTALL)
_IS_PLAIN: Final = re.compile(rf"{_PLAIN}\Z")


@dataclass(frozen=True, slots=True)
class Skeleton:
    """A text without its strings, and these in the order of their ranks."""

    text: str
    values: tuple[str, ...]


def skeleton_of(text: str) -> Skeleton | None:
    """The skeleton of a document; `None` when there is nothing to lift."""
    if '"' not in text or _PREFIX in text:
        return None
    ranks: dict[str, int] = {}

    def ranked(match: "re.Match[str]") -> str:
        literal = match[1]
        if literal is None:
            return match[0]
        return f'"{ranks.setdefault(literal, len(ranks))}:{len(literal)}"'

    found = _TOKENS.sub(ranked, text)
    return Skeleton(found, tuple(ranks)) if ranks else None


@dataclass(frozen=True, slots=True)
class Lifted:
    """A document whose strings are variables: their definitions, and the rank of the value of each."""

    document: DocumentNode
    definitions: tuple[VariableDefinitionNode, ...]
    ranks: Mapping[str, int]

    def variables(self, schema: GraphQLSchema, values: tuple[str, ...]) -> Mapping[str, Any] | None:
        """These values by name of variable; `None` when one of them would be refused where it stands."""
        given = {name: values[rank] for name, rank in self.ranks.items()}
        refused = isinstance(get_variable_values(schema, self.definitions, given), list)
        return None if refused else given


def lifted(schema: GraphQLSchema, document: DocumentNode, skeleton: Skeleton) -> Lifted | None:
    """The document with variables in the place of its strings; `None` when one of these can't be one."""
    visitor = _Lifting(schema, {value: rank for rank, value in enumerate(skeleton.values)})
    changed = visit(document, TypeInfoVisitor(visitor.types, visitor))
    if visitor.left:
        return None
    definitions = tuple(visitor.definitions.values())
    operations = tuple(
        OperationDefinitionNode(
            operation=node.operation,
            name=node.name,
            variable_definitions=(*(node.variable_definitions or ()), *definitions),
            directives=node.directives,
            selection_set=node.selection_set,
            loc=node.loc,
        )
        if isinstance(node, OperationDefinitionNode)
        else node
        for node in changed.definitions
    )
    return Lifted(DocumentNode(definitions=operations, loc=changed.loc), definitions, visitor.ranks)


class _Lifting(Visitor):
    """Replaces the strings that are the whole value of a field's argument; notes whether any other is met."""

    def __init__(self, schema: GraphQLSchema, known: Mapping[str, int]) -> None:
        super().__init__()
        self.types = TypeInfo(schema)
        self.definitions: dict[tuple[int, str], VariableDefinitionNode] = {}
        self.ranks: dict[str, int] = {}
        self.left = False
        self._known = known

    def enter_argument(self, node: ArgumentNode, _key: Any, _parent: Any, _path: Any, ancestors: Any) -> Any:
        value = node.value
        if not isinstance(value, StringValueNode) or not _is_ranked(value):
            return None
        argument = self.types.get_argument()
        inner = None if argument is None else argument.type
        if isinstance(inner, GraphQLNonNull):
            inner = inner.of_type
        # The ancestors of an argument: its node, then the tuple that holds it.
        holder = next((one for one in reversed(ancestors) if not isinstance(one, (tuple, list))), None)
        if not isinstance(holder, FieldNode) or not isinstance(inner, GraphQLNamedType) or inner.name not in _LIFTED:
            self.left = True
            return None
        return ArgumentNode(name=node.name, value=self._variable(inner.name, value), loc=node.loc)

    def enter_string_value(self, node: StringValueNode, *_context: Any) -> None:
        # Those of arguments were replaced before they could be entered.
        if _is_ranked(node):
            self.left = True

    def _variable(self, type_name: str, value: StringValueNode) -> VariableNode:
        rank = self._known[value.value]
        reference = (rank, type_name)
        name = NameNode(value=f"{_PREFIX}{rank}_{type_name}", loc=value.loc)
        if reference not in self.definitions:
            self.ranks[name.value] = rank
            self.definitions[reference] = VariableDefinitionNode(
                variable=VariableNode(name=name, loc=value.loc),
                type=NonNullTypeNode(type=NamedTypeNode(name=NameNode(value=type_name))),
                default_value=None,
                directives=(),
                loc=value.loc,
            )
        return VariableNode(name=name, loc=value.loc)


def _is_ranked(node: StringValueNode) -> bool:
    """Whether the skeleton holds the rank of this string: one written with escapes stays there as it is."""
    loc = node.loc
    if node.block or loc is None or not _IS_PLAIN.match(node.value):
        return False
    return loc.source.body[loc.start : loc.end] == f'"{node.value}"'
