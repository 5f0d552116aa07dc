"""The fast way through records: what a document selects of a type, compiled once into a closure.

graphql-core interprets each leaf at some 6 to 10 microseconds. A record is frozen data: what a selection makes of it
depends on the record, on the document, and on the values of its `@skip`/`@include` variables, on nothing else. So the
selection is compiled into one loop over (response key, attribute, exact type, conversion), and its result
is kept beside the record for the next request that asks the same thing.

Exactness is graphql-core's own: anything unusual (a null where there may be none, a value of another type, a conversion
that fails, an exception, a field that a resolver computes) raises `Unusual`, and graphql-core completes that object
itself, with its errors, paths and propagation of nulls. Nothing here decides who may read a field: a selection that holds a
protected or computed field isn't compiled at all. See docs/projection.md.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, Final

from graphql import (
    GraphQLEnumType,
    GraphQLInterfaceType,
    GraphQLLeafType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLResolveInfo,
    GraphQLScalarType,
    GraphQLUnionType,
)
from graphql.execution.executor import Executor

ATTRIBUTE: Final = "graphe.attribute"
"""Where `graph.guard` notes, on a plain field, the attribute that it reads."""

_EXACT: Final = {"String": str, "Boolean": bool, "ID": str}
"""Scalars whose values of exactly this type are their own answer."""
_INT32: Final = 1 << 31
_MEMO: Final = "_projections"
_MAX_MEMO: Final = 16

Convert = Callable[[Any], Any]
Projection = Callable[[Any], Any]


class Unusual(Exception):
    """Left to graphql-core."""


@dataclass(slots=True)
class Projections:
    """The compiled selections of one document; `None` for those that can't be compiled."""

    by_selection: dict[Hashable, Projection | None] = field(default_factory=dict)


class RecordExecutor(Executor[Any]):
    """graphql-core's executor, with records projected where that gives the very same answer."""

    def __init__(self, *arguments: Any, projections: Projections, conditions: Hashable, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._projections = projections.by_selection
        self._conditions = conditions

    def complete_object_value(
        self,
        return_type: GraphQLObjectType,
        field_details_list: Any,
        info: GraphQLResolveInfo[Any],
        path: Any,
        result: Any,
        position_context: Any,
    ) -> Any:
        projection = self.projection(return_type, field_details_list)
        if projection is not None:
            try:
                return projection(result)
            except Unusual:
                pass
        return super().complete_object_value(return_type, field_details_list, info, path, result, position_context)

    def complete_list_value(
        self,
        return_type: GraphQLList[Any],
        field_details_list: Any,
        info: GraphQLResolveInfo[Any],
        path: Any,
        result: Any,
        position_context: Any,
    ) -> Any:
        if type(result) is list:
            item_type = return_type.of_type
            if isinstance(item_type, GraphQLNonNull):
                item_type = item_type.of_type
            if isinstance(item_type, GraphQLObjectType):
                projection = self.projection(item_type, field_details_list)
                if projection is not None:
                    try:
                        return [projection(item) for item in result]
                    except Unusual:
                        pass
        return super().complete_list_value(return_type, field_details_list, info, path, result, position_context)

    def projection(self, type_: GraphQLObjectType, field_details_list: Any) -> Projection | None:
        """The compiled selection of a record; `None` when only graphql-core can complete it."""
        # The nodes belong to the cached document, which outlives this dictionary: their ids are stable.
        reference = (type_.name, self._conditions, *[id(details.node) for details in field_details_list])
        try:
            return self._projections[reference]
        except KeyError:
            compiled = _memoised(self._compiled(type_, field_details_list))
            self._projections[reference] = compiled
            return compiled

    # --- Compiling ------------------------------------------------------------------------------------

    def _compiled(self, type_: GraphQLObjectType, field_details_list: Any) -> Projection | None:
        if type_.is_type_of is not None:
            return None
        keys: list[str] = []
        attributes: list[str] = []
        converts: list[Convert] = []
        constants: list[str] = []
        for key, details in self.collect_subfields(type_, field_details_list)[0].items():
            node = details[0].node
            if node.name.value == "__typename":
                constants.append(key)
                keys.append(key)
                continue
            definition = type_.fields[node.name.value]
            attribute = definition.extensions.get(ATTRIBUTE)
            convert = None if attribute is None else self.converting(definition.type, details)
            if attribute is None or convert is None:
                return None
            keys.append(key)
            attributes.append(attribute)
            converts.append(convert)
        return _closure(type_.name, keys, attributes, converts, frozenset(constants))

    def converting(self, type_: GraphQLOutputType, details: Any) -> Convert | None:
        """How a value of that type is completed; `None` when only graphql-core can."""
        if isinstance(type_, GraphQLNonNull):
            inner = self._converting_present(type_.of_type, details)
            return None if inner is None else _present(inner)
        inner = self._converting_present(type_, details)
        return None if inner is None else _nullable(inner)

    def _converting_present(self, type_: GraphQLOutputType, details: Any) -> Convert | None:
        if isinstance(type_, GraphQLList):
            item = self.converting(type_.of_type, details)
            return None if item is None else _list(item)
        if isinstance(type_, (GraphQLScalarType, GraphQLEnumType)):
            return _leaf(type_)
        if isinstance(type_, (GraphQLInterfaceType, GraphQLUnionType)):
            return None
        return self._compiled(type_, details) if isinstance(type_, GraphQLObjectType) else None


def _closure(
    type_name: str, keys: list[str], attributes: list[str], converts: list[Convert], constants: frozenset[str]
) -> Projection | None:
    if not attributes:
        return _typename_alone(keys, type_name) if keys else None
    get = attrgetter(*attributes)
    single = len(attributes) == 1
    plain_keys = [key for key in keys if key not in constants]

    def project(record: Any) -> dict[str, Any]:
        try:
            values = (get(record),) if single else get(record)
        except AttributeError:
            raise Unusual from None
        return {key: convert(value) for key, convert, value in zip(plain_keys, converts, values, strict=True)}

    if not constants:
        return project

    def project_in_order(record: Any) -> dict[str, Any]:
        found = project(record)
        return {key: type_name if key in constants else found[key] for key in keys}

    return project_in_order


def _typename_alone(keys: list[str], type_name: str) -> Projection:
    def project(record: Any) -> dict[str, Any]:
        if isinstance(record, Exception):  # nothing of it is read, which would have told
            raise Unusual
        return dict.fromkeys(keys, type_name)

    return project


def _memoised(project: Projection | None) -> Projection | None:
    """The same projection, whose result is kept on the record itself: it lives and dies with it."""
    if project is None:
        return None

    def remembered(record: Any) -> Any:
        try:
            memo = record.__dict__.setdefault(_MEMO, {})
        except AttributeError:
            raise Unusual from None
        found = memo.get(project)
        if found is None:
            found = project(record)
            if len(memo) >= _MAX_MEMO:
                memo.clear()
            memo[project] = found
        return found

    return remembered


def _present(convert: Convert) -> Convert:
    def complete(value: Any) -> Any:
        if value is None:
            raise Unusual
        return convert(value)

    return complete


def _nullable(convert: Convert) -> Convert:
    def complete(value: Any) -> Any:
        return None if value is None else convert(value)

    return complete


def _list(convert: Convert) -> Convert:
    def complete(value: Any) -> list[Any]:
        if type(value) is not list:
            raise Unusual
        return [convert(item) for item in value]

    return complete


def _leaf(type_: GraphQLLeafType) -> Convert:
    exact = _EXACT.get(type_.name)
    if exact is not None:
        return _same(exact)
    return _small_int if type_.name == "Int" else _coerced(type_.coerce_output_value)


def _same(exact: type) -> Convert:
    def same(value: Any) -> Any:
        if type(value) is not exact:
            raise Unusual
        return value

    return same


def _small_int(value: Any) -> int:
    if type(value) is not int or not -_INT32 <= value < _INT32:
        raise Unusual
    return value


def _coerced(coerce: Convert) -> Convert:
    def coerced(value: Any) -> Any:
        if isinstance(value, Exception):
            raise Unusual
        try:
            found = coerce(value)
        except Exception:  # noqa: BLE001 - whatever a scalar raises, graphql-core will meet it again and tell it
            raise Unusual from None
        if found is None or type(found) not in _JSON:
            raise Unusual
        return found

    return coerced


_JSON: Final = frozenset({str, int, float, bool, dict, list})
