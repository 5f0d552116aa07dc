"""The fast way through a whole operation: its selections are compiled once, and each request walks them.

graphql-core spends some 40 microseconds on each field that a resolver computes, and collects the fields of each
selection anew on each request. A document never changes: which fields a selection holds, in which order, with
which resolver and which type, depends on the document and on the values of its `@skip`/`@include` variables. So that is
compiled once. A request walks the compiled tree; the places of values to come are noted on the way, all awaited
together, and filled when they come.

The resolvers are the very ones of the finished schema: authorisation, masks and traces are in them, and nothing is
decided here. A field that fails is null with its located error, as the specification has it, where it may be null.
Anything else (a null where there may be none, a value of another type, an abstract type, a mutation) raises `Unusual`, and
graphql-core executes the operation from its start. See docs/projection.md.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    DocumentNode,
    ExecutionResult,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLField,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLResolveInfo,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    VariableNode,
    located_error,
)
from graphql.execution import execute
from graphql.execution.values import VariableValues, get_argument_values, get_variable_values
from graphql.pyutils import Path, is_awaitable

from auth.registry import DEFINITION
from graph.projection import ATTRIBUTE, Convert, Projections, RecordExecutor, Unusual

Complete = Callable[["Run", Any, Any], Any]
"""(run, value, path) -> what the answer holds, but for the places of values to come."""
_MAX_PLANS = 64


@dataclass(slots=True)
class Plans:
    """What is compiled of one document."""

    projections: Projections = field(default_factory=Projections)
    operations: dict[Hashable, "OperationPlan | None"] = field(default_factory=dict)

    def make_room(self) -> None:
        """Twenty conditions make a million plans: whoever tries them all compiles, and fills nobody's memory."""
        if len(self.operations) >= _MAX_PLANS:
            self.operations.clear()
            self.projections.by_selection.clear()


def execute_planned(
    schema: GraphQLSchema,
    document: DocumentNode,
    operation: OperationDefinitionNode,
    *,
    plans: Plans,
    conditions: Sequence[str],
    context: Any,
    variables: Mapping[str, Any],
) -> ExecutionResult | Awaitable[ExecutionResult]:
    """The result of one operation of a valid document; at once when no resolver gives a value to come.

    `conditions` names the variables on which `@skip` and `@include` depend anywhere in the document. The context
    is told by its `restart()` when the operation is executed a second time, from its start.
    """
    given = dict(variables)
    coerced = get_variable_values(schema, operation.variable_definitions or (), given)
    if isinstance(coerced, list):
        return ExecutionResult(None, errors=coerced)
    values = coerced.coerced
    chosen = tuple(values.get(name) for name in conditions)
    # The operation belongs to the cached document, which outlives this dictionary: its id is stable.
    reference = (id(operation), chosen)
    name = operation.name.value if operation.name else None

    def interpreted() -> ExecutionResult | Awaitable[ExecutionResult]:
        return execute(
            schema,
            document,
            context_value=context,
            variable_values=given,
            operation_name=name,
            executor_class=RecordExecutor,
            projections=plans.projections,
            conditions=chosen,
        )

    try:
        plan = plans.operations[reference]
    except KeyError:
        plans.make_room()
        compiler: Any = _Compiler.build(
            schema, document, None, context, given, name, projections=plans.projections, conditions=chosen
        )
        plan = plans.operations[reference] = compiler.compiled()
    if plan is None:
        return interpreted()
    run = Run(plan, coerced, context)
    try:
        data = plan.root.run(run, None, None)
    except Unusual:
        run.drop()
        context.restart()
        return interpreted()
    if run.waits:
        return _finished(run, data, interpreted)
    return ExecutionResult(data, run.errors or None)


async def _finished(
    run: "Run", data: dict[str, Any], interpreted: Callable[[], ExecutionResult | Awaitable[ExecutionResult]]
) -> ExecutionResult:
    """The result once every value to come has come."""
    try:
        await _all_settled(run, run.waits)
    except Unusual:
        # Whatever was loaded stays loaded: the second execution finds it.
        run.context.restart()
        result = interpreted()
        return result if isinstance(result, ExecutionResult) else await result
    return ExecutionResult(data, run.errors or None)


@dataclass(frozen=True, slots=True)
class OperationPlan:
    """An operation, compiled for given values of its `@skip`/`@include` variables."""

    root: "ObjectPlan"
    schema: GraphQLSchema
    operation: OperationDefinitionNode
    fragments: dict[str, FragmentDefinitionNode]


@dataclass(slots=True)
class Wait:
    """A place of the answer whose value is to come; null until then."""

    coming: Awaitable[Any]
    place: Any
    """The dictionary or the list."""
    key: Any
    complete: Complete
    nullable: bool
    nodes: list[FieldNode]
    path: Path


class Run:
    """One walk of a plan, or of the part of it below a value that came."""

    __slots__ = ("context", "errors", "plan", "variables", "waits")

    def __init__(
        self, plan: OperationPlan, variables: VariableValues, context: Any, errors: list[GraphQLError] | None = None
    ) -> None:
        self.plan = plan
        self.variables = variables
        self.context = context
        self.errors: list[GraphQLError] = [] if errors is None else errors
        self.waits: list[Wait] = []

    def below(self) -> "Run":
        return Run(self.plan, self.variables, self.context, self.errors)

    def drop(self) -> None:
        """Nobody will await what was noted: a coroutine that never began is closed."""
        for wait in self.waits:
            if isinstance(wait.coming, Coroutine):
                wait.coming.close()


async def _all_settled(run: Run, waits: Sequence[Wait]) -> None:
    """Fill all these places. Raises `Unusual` once none of them is being awaited any more."""
    if len(waits) == 1:
        await _settled(run, waits[0])
        return
    ends = await asyncio.gather(*(_settled(run, wait) for wait in waits), return_exceptions=True)
    for end in ends:
        if end is not None:
            raise end


async def _settled(run: Run, wait: Wait) -> None:
    """Fill one place with its value, and the places below it."""
    below = run.below()
    try:
        value = await wait.coming
        if isinstance(value, Exception):
            raise value
        if value is None:
            if not wait.nullable:
                raise Unusual
            return
        wait.place[wait.key] = wait.complete(below, value, wait.path)
    except Unusual:
        below.drop()
        raise
    except Exception as error:  # noqa: BLE001 - as for a resolver that raises at once
        below.drop()
        if not wait.nullable:
            raise Unusual from None
        run.errors.append(located_error(error, wait.nodes, wait.path.as_list()))
        return
    if below.waits:
        await _all_settled(run, below.waits)


@dataclass(frozen=True, slots=True)
class FieldPlan:
    """One field of a selection. `attribute` is set for a field that only reads one.

    `constants` are the arguments that are the same for every request; `variables` those that are the value of a
    variable, by name of argument; `None` for arguments that only graphql-core can read.
    """

    key: str
    definition: GraphQLField
    resolve: Any
    parent: GraphQLObjectType
    nodes: list[FieldNode]
    attribute: str | None
    constants: Mapping[str, Any]
    variables: tuple[tuple[str, str], ...] | None
    complete: Complete
    nullable: bool

    def arguments(self, run: Run) -> Mapping[str, Any]:
        if self.variables is not None:
            if not self.variables:
                return self.constants
            found = dict(self.constants)
            values = run.variables.coerced
            for name, variable in self.variables:
                value = found[name] = values.get(variable)
                if value is None:  # absent or null: the default, or an error
                    break
            else:
                return found
        return get_argument_values(self.definition, self.nodes[0], run.variables)


@dataclass(frozen=True, slots=True)
class ObjectPlan:
    """The fields of an object, in the order of the answer; `None` stands for `__typename`."""

    type_name: str
    python_class: type | None
    fields: tuple[tuple[str, FieldPlan | None], ...]

    def run(self, run: Run, source: Any, path: Path | None) -> dict[str, Any]:
        if self.python_class is not None and type(source) is not self.python_class:
            raise Unusual
        found: dict[str, Any] = {}
        for key, plan in self.fields:
            found[key] = self.type_name if plan is None else _field(run, plan, source, path, found)
        return found


def _field(run: Run, plan: FieldPlan, source: Any, parent_path: Path | None, place: dict[str, Any]) -> Any:
    path = Path(parent_path, plan.key, plan.parent.name)
    try:
        if plan.attribute is not None:
            value = getattr(source, plan.attribute)
        else:
            value = _resolved(run, plan, source, path)
            if is_awaitable(value):
                run.waits.append(Wait(value, place, plan.key, plan.complete, plan.nullable, plan.nodes, path))
                return None
        if value is None:
            if not plan.nullable:
                raise Unusual
            return None
        return plan.complete(run, value, path)
    except Unusual:
        raise
    except Exception as error:  # noqa: BLE001 - what a resolver raises is an error of the answer, as in graphql-core
        if not plan.nullable:
            raise Unusual from None
        run.errors.append(located_error(error, plan.nodes, path.as_list()))
        return None


def _resolved(run: Run, plan: FieldPlan, source: Any, path: Path) -> Any:
    operation = run.plan
    info: GraphQLResolveInfo[Any] = GraphQLResolveInfo(
        plan.nodes[0].name.value,
        plan.nodes,
        plan.definition.type,
        plan.parent,
        path,
        operation.schema,
        operation.fragments,
        None,
        operation.operation,
        run.variables,
        run.context,
        is_awaitable,
        None,
        None,  # type: ignore[arg-type]  # helpers for work that no resolver of ours leaves behind
    )
    value = plan.resolve(source, info, **plan.arguments(run))
    if isinstance(value, Exception):
        raise value
    return value


class _Compiler(RecordExecutor):
    """graphql-core's executor, which collects the fields of selections but executes nothing."""

    def compiled(self) -> OperationPlan | None:
        """The plan of the operation; `None` when graphql-core must execute it."""
        root = self.schema.query_type
        if self.operation.operation is not OperationType.QUERY or root is None:
            return None
        plan = self._object_plan(root, [_Details(self.operation)], None)
        return None if plan is None else OperationPlan(plan, self.schema, self.operation, self.fragment_definitions)

    def _object_plan(self, type_: GraphQLObjectType, details: Any, python_class: type | None) -> ObjectPlan | None:
        planned: list[tuple[str, FieldPlan | None]] = []
        for key, group in self.collect_subfields(type_, details)[0].items():
            name = group[0].node.name.value
            if name == "__typename":
                planned.append((key, None))
                continue
            definition = type_.fields.get(name)
            plan = None if definition is None else self._field_plan(key, definition, type_, group)
            if plan is None:
                return None
            planned.append((key, plan))
        return ObjectPlan(type_.name, python_class, tuple(planned))

    def _field_plan(
        self, key: str, definition: GraphQLField, parent: GraphQLObjectType, group: Any
    ) -> FieldPlan | None:
        nullable = not isinstance(definition.type, GraphQLNonNull)
        inner = definition.type.of_type if isinstance(definition.type, GraphQLNonNull) else definition.type
        nodes = [details.node for details in group]
        complete = self._completing(inner, group, nodes)
        attribute = definition.extensions.get(ATTRIBUTE)
        if complete is None or (attribute is None and definition.resolve is None):
            return None
        constants, variables = _arguments(definition, nodes[0])
        return FieldPlan(
            key=key,
            definition=definition,
            resolve=definition.resolve,
            parent=parent,
            nodes=nodes,
            attribute=attribute,
            constants=constants,
            variables=variables,
            complete=complete,
            nullable=nullable,
        )

    def _completing(self, type_: GraphQLOutputType, group: Any, nodes: list[FieldNode]) -> Complete | None:
        """How a value that is not null is completed; `None` when only graphql-core can."""
        if isinstance(type_, GraphQLList):
            return self._completing_list(type_.of_type, group, nodes)
        if isinstance(type_, GraphQLObjectType):
            projection = self.projection(type_, group)
            if projection is not None:
                return _projecting(projection)
            if (python_class := _class_of(type_)) is None:
                return None
            plan = self._object_plan(type_, group, python_class)
            return None if plan is None else plan.run
        convert = self.converting(type_, group)
        return None if convert is None else _converting(convert)

    def _completing_list(self, item_type: GraphQLOutputType, group: Any, nodes: list[FieldNode]) -> Complete | None:
        nullable = not isinstance(item_type, GraphQLNonNull)
        inner = item_type.of_type if isinstance(item_type, GraphQLNonNull) else item_type
        complete = self._completing(inner, group, nodes)
        if complete is None:
            return None

        def complete_list(run: Run, value: Any, path: Any) -> list[Any]:
            if type(value) is not list:
                raise Unusual
            found: list[Any] = []
            for index, item in enumerate(value):
                if item is None:
                    if not nullable:
                        raise Unusual
                    found.append(None)
                elif isinstance(item, Exception):
                    raise Unusual
                elif is_awaitable(item):
                    found.append(None)
                    run.waits.append(Wait(item, found, index, complete, nullable, nodes, Path(path, index, None)))
                else:
                    found.append(complete(run, item, Path(path, index, None)))
            return found

        return complete_list


@dataclass(frozen=True, slots=True)
class _Details:
    """What graphql-core's collector wants of a field, for an operation, whose selection set is collected alike."""

    node: Any
    defer_usage: None = None
    fragment_variable_values: None = None


def _projecting(projection: Convert) -> Complete:
    return lambda _run, value, _path: projection(value)


def _converting(convert: Convert) -> Complete:
    return lambda _run, value, _path: convert(value)


def _class_of(type_: GraphQLObjectType) -> type | None:
    definition = type_.extensions.get(DEFINITION)
    origin = None if definition is None else definition.origin
    return origin if isinstance(origin, type) else None


def _arguments(
    definition: GraphQLField, node: FieldNode
) -> tuple[Mapping[str, Any], tuple[tuple[str, str], ...] | None]:
    """The arguments that never change, and those that are a variable; lists and objects may hide variables."""
    variables: list[tuple[str, str]] = []
    for argument in node.arguments or ():
        if isinstance(argument.value, VariableNode):
            variables.append((argument.name.value, argument.value.name.value))
        elif argument.value.kind not in _PLAIN_LITERALS:
            return {}, None
    varying = {name for name, _ in variables}
    fixed = GraphQLField(
        definition.type, {name: argument for name, argument in definition.args.items() if name not in varying}
    )
    return get_argument_values(fixed, node), tuple(variables)


_PLAIN_LITERALS = frozenset({"int_value", "float_value", "string_value", "boolean_value", "null_value", "enum_value"})
