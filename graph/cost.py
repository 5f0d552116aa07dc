"""What a request costs, in calls to providers, known before anything is executed.

A weight is a number of calls, after batching: a dataset with a bulk call costs one call for so many keys, a table
that we hold costs none, two datasets of one answer cost one call. What depends on the document alone is planned once
per document (`plan_of`); with the variables and the rights of a caller, an `Estimate` is a short sum. It is a ceiling:
what memory holds, or what two branches share, is given back (see `docs/decisions/0021-cost-in-calls.md`).
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import reduce
from types import MappingProxyType
from typing import Any

from graphql import (
    ArgumentNode,
    BooleanValueNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    NullValueNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
    get_named_type,
    print_ast,
)

from auth.registry import Registry
from auth.rules import Opens, Requires
from auth.scopes import ANY_TOKEN
from graph.limits import Excess
from providers.insee.siege import SIEGE
from resolvers.decision import AnyDataset, Level
from resolvers.quotas import calls_for
from settings.surface import Limits

UNSIZED = 10
"""How many elements a list is taken to have when nothing in the request says it."""
_MOST_DIGITS = 11

Variables = Mapping[str, Any]


# --- The plan: what the document alone says ------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Times:
    """How many elements a field multiplies what is below it by: a number, or what a variable holds."""

    coordinate: str
    argument: str
    number: int
    variable: str | None = None

    def value(self, variables: Variables) -> int:
        """What a variable holds that is neither a number nor a list is for its own coercion to refuse."""
        if self.variable is None or self.variable not in variables:
            return self.number
        match variables[self.variable]:
            case bool():
                return self.number
            case int(number):
                return number
            case float(number) if number.is_integer():
                return int(number)
            case list(items):
                return len(items)
            case _:
                return self.number


@dataclass(frozen=True, slots=True)
class Condition:
    """`@skip` or `@include` on a variable: what is below counts when the variable holds `wanted`."""

    variable: str
    wanted: bool
    default: bool

    def holds(self, variables: Variables) -> bool:
        return variables.get(self.variable, self.default) is self.wanted


@dataclass(frozen=True, slots=True)
class Ask:
    """One field that opens a dataset. Two asks of one source at one `place` are one question."""

    coordinate: str
    dataset: AnyDataset
    level: int
    place: tuple[str, ...]
    arguments: str
    times: tuple[Times, ...]
    conditions: tuple[Condition, ...]
    by_head_office: bool
    """The key is the head office's, which INSEE is asked for first."""


@dataclass(frozen=True, slots=True)
class Plan:
    """One operation: its dataset fields, its sized fields, and how many values stand below which of them."""

    asks: tuple[Ask, ...]
    sizes: tuple[Times, ...]
    values: tuple[tuple[tuple[Times, ...], int], ...]
    protected: frozenset[str]
    """The coordinates of every field that can be refused, left out or not."""
    conditions: tuple[Condition, ...]
    """Those of all asks."""

    def chosen(self, variables: Variables) -> tuple[int | bool, ...]:
        """All that the cost of this operation takes from the variables."""
        return (
            *(size.value(variables) for size in self.sizes),
            *(condition.holds(variables) for condition in self.conditions),
        )


def plan_of(
    schema: GraphQLSchema,
    registry: Registry,
    operation: OperationDefinitionNode,
    fragments: Mapping[str, FragmentDefinitionNode],
) -> Plan:
    """The plan of a valid operation. Its unfolded size was bounded before (`graph.limits`)."""
    planner = _Planner(schema, registry, operation, fragments)
    planner.walk(operation.selection_set, schema.get_root_type(operation.operation), (), (), ())
    return Plan(
        tuple(planner.asks),
        tuple(dict.fromkeys(planner.sizes)),
        tuple(planner.values.items()),
        frozenset(planner.protected),
        tuple(dict.fromkeys(condition for ask in planner.asks for condition in ask.conditions)),
    )


class _Planner:
    """Walks the concrete fields of one operation, fragments unfolded."""

    def __init__(
        self,
        schema: GraphQLSchema,
        registry: Registry,
        operation: OperationDefinitionNode,
        fragments: Mapping[str, FragmentDefinitionNode],
    ) -> None:
        self._schema = schema
        self._registry = registry
        self._fragments = fragments
        self._defaults = {node.variable.name.value: node.default_value for node in operation.variable_definitions or ()}
        self.asks: list[Ask] = []
        self.sizes: list[Times] = []
        self.values: dict[tuple[Times, ...], int] = {}
        self.protected: set[str] = set()

    def walk(
        self,
        selection_set: SelectionSetNode,
        type_: GraphQLNamedType | None,
        place: tuple[str, ...],
        times: tuple[Times, ...],
        conditions: tuple[Condition, ...],
    ) -> None:
        for node in selection_set.selections:
            met = self._conditions(node)
            if met is None:
                continue
            along = conditions + met
            if isinstance(node, FieldNode):
                self._field(node, type_, place, times, along)
            elif isinstance(node, InlineFragmentNode):
                condition = node.type_condition
                below = type_ if condition is None else self._schema.get_type(condition.name.value)
                self.walk(node.selection_set, below, place, times, along)
            elif isinstance(node, FragmentSpreadNode):
                fragment = self._fragments[node.name.value]
                below = self._schema.get_type(fragment.type_condition.name.value)
                self.walk(fragment.selection_set, below, place, times, along)

    def _field(
        self,
        node: FieldNode,
        parent: GraphQLNamedType | None,
        place: tuple[str, ...],
        times: tuple[Times, ...],
        conditions: tuple[Condition, ...],
    ) -> None:
        name = node.name.value
        if name.startswith("__") or not isinstance(parent, (GraphQLObjectType, GraphQLInterfaceType)):
            return
        definition = parent.fields[name]
        coordinate = f"{parent.name}.{name}"
        self.values[times] = self.values.get(times, 0) + 1
        rule = self._registry.rules.get(coordinate)
        if isinstance(rule, (Opens, Requires)):
            self.protected.add(coordinate)
        if isinstance(rule, Opens):
            given = ", ".join(sorted(map(print_ast, node.arguments or ())))
            by_head_office = _chooses_head_office(definition, node, parent)
            self.asks.append(Ask(coordinate, rule.dataset, len(place), place, given, times, conditions, by_head_office))
        if node.selection_set is None:
            return
        sized = self._times(coordinate, definition, node, parent)
        if sized is not None:
            times = (*times, sized)
            if sized.argument:
                self.sizes.append(sized)
        below = (*place, node.alias.value if node.alias else name)
        self.walk(node.selection_set, get_named_type(definition.type), below, times, conditions)

    def _times(
        self, coordinate: str, definition: GraphQLField, node: FieldNode, parent: GraphQLNamedType
    ) -> Times | None:
        """Relay's `first` sizes a connection, a list of identifiers the list that answers it."""
        arguments = {argument.name.value: argument for argument in node.arguments or ()}
        if "first" in definition.args:
            return self._given(coordinate, "first", arguments.get("first"))
        if not _is_list(definition.type) or parent.name.endswith("Connection"):
            return None
        for name, argument in definition.args.items():
            if _is_list(argument.type):
                return self._given(coordinate, name, arguments.get(name))
        return Times(coordinate, "", UNSIZED)

    def _given(self, coordinate: str, name: str, argument: ArgumentNode | None) -> Times:
        value: ValueNode | None = None if argument is None else argument.value
        if isinstance(value, VariableNode):
            return Times(coordinate, name, _number(self._defaults.get(value.name.value)), value.name.value)
        return Times(coordinate, name, _number(value))

    def _conditions(self, node: SelectionNode) -> tuple[Condition, ...] | None:
        """The conditions of a node; `None` when it says itself that it is left out."""
        found: list[Condition] = []
        for directive in node.directives or ():
            wanted = {"include": True, "skip": False}.get(directive.name.value)
            argument = next((one for one in directive.arguments or () if one.name.value == "if"), None)
            if wanted is None or argument is None:
                continue
            if isinstance(argument.value, VariableNode):
                name = argument.value.name.value
                default = self._defaults.get(name)
                found.append(Condition(name, wanted, isinstance(default, BooleanValueNode) and default.value))
            elif isinstance(argument.value, BooleanValueNode) and argument.value.value is not wanted:
                return None
        return tuple(found)


def _number(value: ValueNode | None) -> int:
    """How many elements a value of the document asks for; one when it does not say."""
    if isinstance(value, ListValueNode):
        return len(value.values)
    # Longer than any number that validation lets through; Python refuses to read the longest.
    return int(value.value) if isinstance(value, IntValueNode) and len(value.value) <= _MOST_DIGITS else 1


def _is_list(type_: Any) -> bool:
    return isinstance(type_.of_type if isinstance(type_, GraphQLNonNull) else type_, GraphQLList)


def _chooses_head_office(definition: GraphQLField, node: FieldNode, parent: GraphQLNamedType) -> bool:
    """A dataset keyed by SIRET and read from a company: `siret:` chooses the site, its absence the head office."""
    argument = definition.args.get("siret")
    if argument is None or isinstance(argument.type, GraphQLNonNull) or parent.name == "Query":
        return False
    given = next((one.value for one in node.arguments or () if one.name.value == "siret"), None)
    return given is None or isinstance(given, NullValueNode)


def scopes_of(plan: Plan, registry: Registry) -> frozenset[frozenset[str]]:
    """For each field that not every token may read, the scopes any of which opens it."""
    rules = (registry.rules[coordinate] for coordinate in plan.protected)
    return frozenset(
        rule.scopes for rule in rules if isinstance(rule, (Opens, Requires)) and ANY_TOKEN not in rule.scopes
    )


# --- The estimate: with the variables and the rights of one caller ---------------------------------


@dataclass(frozen=True, slots=True)
class Estimate:
    """Calls to providers, at most: in all, by provider, by group of quota, by dataset."""

    total: int = 0
    by_provider: Mapping[str, int] = field(default_factory=dict)
    by_group: Mapping[str, int] = field(default_factory=dict)
    by_dataset: Mapping[str, int] = field(default_factory=dict)


NO_COST = Estimate()


@dataclass(frozen=True, slots=True)
class Reader:
    """What the estimate must know of a caller: the fields refused, and how much is read of each dataset.

    `diffusion` is asked beside a dataset that is masked by INSEE's word.
    """

    denied: frozenset[str]
    level: Callable[[AnyDataset], Level]
    diffusion: AnyDataset


def estimate(plan: Plan, variables: Variables, reader: Reader) -> Estimate:
    """The calls that the planned fields need, at most, for this caller and these variables."""
    asked: dict[tuple[str, int], int] = {}
    counted: set[tuple[str, tuple[str, ...], str]] = set()
    for ask, dataset, arguments in _questions(plan, variables, reader):
        question = (dataset.source.id, ask.place, arguments)
        if question not in counted:
            counted.add(question)
            keys = _product(ask.times, variables)
            asked[dataset.id, ask.level] = asked.get((dataset.id, ask.level), 0) + keys
    datasets = {dataset.id: dataset for _, dataset, _ in _questions(plan, variables, reader)}
    by_dataset: dict[str, int] = {}
    for (dataset_id, _), keys in asked.items():
        by_dataset[dataset_id] = by_dataset.get(dataset_id, 0) + calls_for(datasets[dataset_id].source, keys)
    by_provider: dict[str, int] = {}
    by_group: dict[str, int] = {}
    for dataset_id, calls in by_dataset.items():
        dataset = datasets[dataset_id]
        if calls:
            by_provider[dataset.provider_id] = by_provider.get(dataset.provider_id, 0) + calls
            by_group[dataset.quota.value] = by_group.get(dataset.quota.value, 0) + calls
    return Estimate(
        sum(by_dataset.values()),
        MappingProxyType(by_provider),
        MappingProxyType(by_group),
        MappingProxyType(by_dataset),
    )


def _questions(plan: Plan, variables: Variables, reader: Reader) -> Iterator[tuple[Ask, AnyDataset, str]]:
    """What is asked of sources: the datasets of the fields, and what these need to be answered."""
    for ask in plan.asks:
        if ask.coordinate in reader.denied or not all(condition.holds(variables) for condition in ask.conditions):
            continue
        read = reader.level(ask.dataset)
        if read is Level.NONE:
            continue
        if ask.by_head_office:
            yield ask, SIEGE, ""
        if read is Level.DIFFUSIBLE or (read is Level.MASKED and ask.dataset.opening.by_diffusion):
            yield ask, reader.diffusion, ""
        yield ask, ask.dataset, ask.arguments


def _product(times: tuple[Times, ...], variables: Variables) -> int:
    return reduce(lambda product, one: product * max(one.value(variables), 0), times, 1)


# --- Limits that depend on variables ---------------------------------------------------------------


def excess_in(plan: Plan, variables: Variables, limits: Limits) -> Excess | None:
    """The first limit that the variables of this request pass."""
    for size in plan.sizes:
        asked = size.value(variables)
        if asked > limits.page_size or (asked < 1 and size.argument == "first"):
            least = ", un au moins" if size.argument == "first" else ""
            label = f"éléments par « {size.argument} » de {size.coordinate}{least}"
            return Excess("page_size", label, asked, limits.page_size)
    values = sum(count * _product(times, variables) for times, count in plan.values)
    if values > limits.values:
        return Excess("values", "valeurs dans toute la réponse", values, limits.values)
    return None


def excess_of_calls(cost: Estimate, limits: Limits) -> Excess | None:
    """Whether one request would call providers more often than any request may."""
    return Excess("calls", "appels à des fournisseurs", cost.total, limits.calls) if cost.total > limits.calls else None
