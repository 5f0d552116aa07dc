"""One bounded cache, from the text of a document to everything that is known of it without executing it.

Parsing and validating cost some 7 ms; a text that was seen before costs a look-up. The same entry keeps the
leaves asked below each dataset's field, which the journal records: they depend on the document, on its
`@skip`/`@include` variables and on the caller's rights, never on the answer.
"""

import gc
import hashlib
import re
import time
from collections.abc import Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from cachetools import LRUCache
from graphql import (
    ASTValidationRule,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLIncludeDirective,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLResolveInfo,
    GraphQLSchema,
    GraphQLSkipDirective,
    GraphQLSyntaxError,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    SelectionNode,
    SelectionSetNode,
    VariableNode,
    get_named_type,
    parse,
    specified_rules,
    validate,
)
from graphql.execution.values import get_directive_values
from graphql.language import Visitor, visit
from graphql.language.parser import MAX_NESTING_DEPTH

from auth.registry import Registry
from auth.rules import Opens, Requires
from graph.cost import Estimate, Plan, plan_of
from graph.limits import Excess, excess_of
from graph.literals import Lifted, Skeleton, lifted, skeleton_of
from graph.plan import Plans
from resolvers.operation import Operation
from resolvers.trace import Selection
from settings.surface import Limits

PARSE_FAILED = "GRAPHQL_PARSE_FAILED"
VALIDATION_FAILED = "GRAPHQL_VALIDATION_FAILED"
_MAX_SELECTIONS = 10_000
_CACHE_CHARACTERS = 2_000_000
"""The cache is bounded by the texts that it stands for: a document weighs some eighty times its text."""
_OVERHEAD_CHARACTERS = 1_000
_MAX_COMMENTS = 2_000
_MAX_DIGITS = 400
"""More than the longest number that JSON's readers take; Python refuses to read those of thousands of digits."""
_TOO_MANY_DIGITS = re.compile(rf"[0-9]{{{_MAX_DIGITS + 1},}}")


@dataclass(slots=True)
class Prepared:
    """A document as the road needs it. `errors` are those of its syntax or of its validation."""

    digest: str
    document: DocumentNode | None
    errors: tuple[GraphQLError, ...]
    operations: tuple[OperationDefinitionNode, ...] = ()
    fragments: Mapping[str, FragmentDefinitionNode] = field(default_factory=dict)
    conditions: tuple[str, ...] = ()
    """Variables on which `@skip` or `@include` depend anywhere in the document."""
    selections: dict[Any, Selection] = field(default_factory=dict)
    compiled: Plans = field(default_factory=Plans)
    code: str = VALIDATION_FAILED
    """The code of `errors`, when there are any."""
    plans: Mapping[str | None, Plan] = field(default_factory=dict)
    """By name of operation: what of its cost depends on the document alone."""
    costs: dict[Hashable, tuple[Estimate, Excess | None]] = field(default_factory=dict)
    """What an operation costs to callers of the same rights for lists of the same lengths, and the limit it passes."""
    on_schema: frozenset[str | None] = frozenset()
    """Operations that ask the schema alone, without a variable: their answer is the same for everybody."""
    schema_answers: dict[str | None, bytes] = field(default_factory=dict)
    characters: int = 0
    literals: Mapping[str, Any] = field(default_factory=dict)
    """Variables of ours, in the place of the strings that the text holds (see `graph.literals`)."""


@dataclass(frozen=True, slots=True)
class _Template:
    """What documents of one skeleton share."""

    form: Lifted
    prepared: Prepared


class Documents:
    """Prepares documents against one schema."""

    def __init__(self, schema: GraphQLSchema, registry: Registry, limits: Limits | None = None) -> None:
        self._schema = schema
        self._registry = registry
        self.limits = limits or Limits()
        self._cache: LRUCache[str, Prepared] = LRUCache(_CACHE_CHARACTERS, _weight)
        self._templates: LRUCache[str, _Template | None] = LRUCache(_CACHE_CHARACTERS, _weight_of_template)
        """By skeleton; `None` for those whose documents are each prepared for itself."""

    def prepare(self, text: str) -> Prepared:
        """The prepared document of that text, from the cache when it was seen before and found good."""
        prepared = self._cache.get(text)
        if prepared is None:
            prepared = self._prepare(text)
            if prepared.document is not None:
                self._cache[text] = prepared
        return prepared

    def lifted(self, text: str) -> Prepared:
        """The same, with variables in the place of the strings of its arguments: texts that differ by them share all else."""
        prepared = self._cache.get(text)
        if prepared is not None:
            return prepared
        skeleton = skeleton_of(text)
        if skeleton is None:
            return self.prepare(text)
        if skeleton.text not in self._templates:
            return self._first_of(text, skeleton)
        template = self._templates[skeleton.text]
        if template is None:
            return self.prepare(text)
        literals = template.form.variables(self._schema, skeleton.values)
        if literals is None:  # validation tells it better than the coercion of a variable
            return self._prepare(text)
        return replace(template.prepared, digest=hashlib.sha256(text.encode()).hexdigest(), literals=literals)

    def _first_of(self, text: str, skeleton: Skeleton) -> Prepared:
        """The document of a skeleton not seen before, which those to come will share."""
        prepared = self._prepare(text)
        if prepared.document is None:
            return prepared  # because of its very strings, maybe
        form = lifted(self._schema, prepared.document, skeleton)
        literals = None if form is None else form.variables(self._schema, skeleton.values)
        if form is None or literals is None:
            self._templates[skeleton.text] = None
            self._cache[text] = prepared
            return prepared
        shared = self._of(form.document, prepared.digest, len(text))
        self._templates[skeleton.text] = _Template(form, shared)
        return replace(shared, literals=literals)

    def _prepare(self, text: str) -> Prepared:
        source = text.encode("utf-8", "surrogatepass")
        digest = hashlib.sha256(source).hexdigest()
        limits = self.limits
        if len(source) > limits.source_bytes:
            excess = Excess("source_bytes", "octets de document", len(source), limits.source_bytes)
            return _refused(digest, excess, PARSE_FAILED)
        digits = _TOO_MANY_DIGITS.search(text)
        if digits is not None:
            return _refused(digest, Excess("digits", "chiffres à la suite", len(digits[0]), _MAX_DIGITS), PARSE_FAILED)
        try:
            document = parse(text, max_lexical_tokens=limits.tokens, max_comments=_MAX_COMMENTS)
        except GraphQLSyntaxError as error:
            return _unreadable(digest, error, limits)
        excess_found = excess_of(self._schema, document, limits)
        if excess_found is not None:
            return _refused(digest, excess_found, VALIDATION_FAILED)
        timed, started = _timed_rule(limits.validation_ms), time.thread_time()
        try:
            with _without_collection():
                errors = validate(
                    self._schema, document, (timed, *specified_rules), max_errors=limits.validation_errors
                )
        except _ValidationTooLongError:
            spent = round((time.thread_time() - started) * 1000)
            return _refused(
                digest,
                Excess("validation_ms", "millisecondes de validation", spent, limits.validation_ms, at_least=True),
                VALIDATION_FAILED,
            )
        if errors:
            return Prepared(digest, None, tuple(errors))
        return self._of(document, digest, len(text))

    def _of(self, document: DocumentNode, digest: str, characters: int) -> Prepared:
        """All that is known of a valid document."""
        operations = tuple(node for node in document.definitions if isinstance(node, OperationDefinitionNode))
        fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
        return Prepared(
            digest,
            document,
            (),
            operations,
            fragments,
            _condition_variables(document),
            plans={name_of(node): plan_of(self._schema, self._registry, node, fragments) for node in operations},
            on_schema=frozenset(name_of(node) for node in operations if _asks_schema_alone(node)),
            characters=characters,
        )

    # --- What is asked below a dataset's field -------------------------------------------------------

    def selection(self, prepared: Prepared, info: GraphQLResolveInfo[Any], operation: Operation) -> Selection:
        """The leaves asked below the field being resolved, told apart by what the caller may read."""
        variables = operation.variables
        nodes = info.field_nodes
        reference = (
            id(info.operation),
            tuple(map(id, nodes)),
            tuple(variables.get(name) for name in prepared.conditions),
            operation.denied,
        )
        found = prepared.selections.get(reference)
        if found is None:
            if len(prepared.selections) >= _MAX_SELECTIONS:
                prepared.selections.clear()
            found = prepared.selections[reference] = self._selected(prepared, info, operation.denied)
        return found

    def _selected(self, prepared: Prepared, info: GraphQLResolveInfo[Any], denied: frozenset[str]) -> Selection:
        type_ = get_named_type(info.return_type)
        sets = [node.selection_set for node in info.field_nodes if node.selection_set is not None]
        if not sets or not isinstance(type_, (GraphQLObjectType, GraphQLInterfaceType)):
            return Selection((info.field_name,), (), ())
        granted: set[str] = set()
        refused: set[str] = set()
        missing: set[str] = set()
        for path, coordinates in self._leaves(prepared, info, type_, sets, (), ()):
            name = ".".join(path)
            barred = [coordinate for coordinate in coordinates if coordinate in denied]
            if barred:
                refused.add(name)
                rule = self._registry.rules[barred[0]]
                missing.update(rule.scopes if isinstance(rule, (Requires, Opens)) else ())
            else:
                granted.add(name)
        return Selection(tuple(sorted(granted)), tuple(sorted(refused)), tuple(sorted(missing)))

    def _leaves(
        self,
        prepared: Prepared,
        info: GraphQLResolveInfo[Any],
        type_: Any,
        sets: Sequence[SelectionSetNode],
        path: tuple[str, ...],
        coordinates: tuple[str, ...],
    ) -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
        for node in _fields(prepared, info, type_, sets):
            name = node.name.value
            if name == "__typename":
                yield (*path, name), coordinates
                continue
            coordinate = f"{type_.name}.{name}"
            if isinstance(self._registry.rules.get(coordinate), Opens):
                continue  # another dataset, with a line of its own
            definition = type_.fields[name]
            inner = get_named_type(definition.type)
            below = (*path, name)
            along = (*coordinates, coordinate)
            if node.selection_set is None or not isinstance(inner, (GraphQLObjectType, GraphQLInterfaceType)):
                yield below, along
            else:
                yield from self._leaves(prepared, info, inner, [node.selection_set], below, along)


def _fields(
    prepared: Prepared, info: GraphQLResolveInfo[Any], type_: Any, sets: Sequence[SelectionSetNode]
) -> Iterator[FieldNode]:
    for selection_set in sets:
        for node in selection_set.selections:
            if not _included(node, info):
                continue
            if isinstance(node, FieldNode):
                yield node
            elif isinstance(node, InlineFragmentNode):
                condition = node.type_condition
                if condition is None or _applies(condition.name.value, type_):
                    yield from _fields(prepared, info, type_, [node.selection_set])
            elif isinstance(node, FragmentSpreadNode):
                fragment = prepared.fragments[node.name.value]
                if _applies(fragment.type_condition.name.value, type_):
                    yield from _fields(prepared, info, type_, [fragment.selection_set])


def _applies(condition: str, type_: Any) -> bool:
    return condition == type_.name or any(condition == interface.name for interface in type_.interfaces)


def _included(node: SelectionNode, info: GraphQLResolveInfo[Any]) -> bool:
    if not node.directives:
        return True
    variables = info.variable_values
    skip = get_directive_values(GraphQLSkipDirective, node, variables)
    if skip is not None and skip.get("if") is True:
        return False
    include = get_directive_values(GraphQLIncludeDirective, node, variables)
    return not (include is not None and include.get("if") is False)


def _weight(prepared: Prepared) -> int:
    return _OVERHEAD_CHARACTERS + prepared.characters


def _weight_of_template(template: _Template | None) -> int:
    return _OVERHEAD_CHARACTERS if template is None else _weight(template.prepared)


def _refused(digest: str, excess: Excess, code: str) -> Prepared:
    return Prepared(digest, None, (GraphQLError(excess.message, extensions=excess.extensions),), code=code)


def _unreadable(digest: str, error: GraphQLSyntaxError, limits: Limits) -> Prepared:
    """The parser stops by itself at three limits; they are told like the others."""
    description = error.description
    if "nested too deeply" in description:
        excess = Excess("depth", "niveaux", MAX_NESTING_DEPTH, limits.depth, at_least=True)
    elif f"more than {limits.tokens} tokens" in description:
        excess = Excess("tokens", "lexèmes", limits.tokens + 1, limits.tokens, at_least=True)
    elif f"more than {_MAX_COMMENTS} comments" in description:
        excess = Excess("comments", "commentaires", _MAX_COMMENTS + 1, _MAX_COMMENTS, at_least=True)
    else:
        return Prepared(digest, None, (error,), code=PARSE_FAILED)
    return _refused(digest, excess, PARSE_FAILED)


@contextmanager
def _without_collection() -> Iterator[None]:
    """No full garbage collection meanwhile: in a large process it lasts longer than all the time of a validation."""
    wanted = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if wanted:
            gc.enable()


class _ValidationTooLongError(Exception):
    """Validation used up its time."""


def _timed_rule(milliseconds: int) -> type[ASTValidationRule]:
    """A rule that no document breaks: it stops a validation that lasts, by the processor's time of this thread."""
    end = time.thread_time() + milliseconds / 1000

    class Timed(ASTValidationRule):
        def enter(self, *_arguments: Any) -> None:
            if time.thread_time() > end:
                raise _ValidationTooLongError

    return Timed


def name_of(node: OperationDefinitionNode) -> str | None:
    return node.name.value if node.name else None


def _asks_schema_alone(node: OperationDefinitionNode) -> bool:
    return not node.variable_definitions and all(
        isinstance(field_, FieldNode) and field_.name.value in ("__schema", "__type", "__typename")
        for field_ in node.selection_set.selections
    )


class _Conditions(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def enter_directive(self, node: Any, *_arguments: Any) -> None:
        if node.name.value in ("skip", "include"):
            self.names.update(
                argument.value.name.value for argument in node.arguments if isinstance(argument.value, VariableNode)
            )


def _condition_variables(document: DocumentNode) -> tuple[str, ...]:
    visitor = _Conditions()
    visit(document, visitor)
    return tuple(sorted(visitor.names))


def is_query(operation: OperationDefinitionNode) -> bool:
    return operation.operation is OperationType.QUERY
