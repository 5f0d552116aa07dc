"""One table, from each field of the finished schema to its rule; and what a set of scopes may not read.

Built at start-up from the words that stand on the fields themselves (`auth.rules`). The server does not
start when a field says nothing, when a protected field can't be null, or when a rule stands where it can't
be enforced. Absence refuses: nothing opens by omission.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from graphql import GraphQLField, GraphQLInterfaceType, GraphQLNonNull, GraphQLObjectType, GraphQLSchema

from auth.caller import Caller, Usage
from auth.decision import may
from auth.rules import METADATA_KEY, Inherits, Opens, Public, Requires, Rule
from auth.scopes import ANY_TOKEN

DEFINITION = "strawberry-definition"
"""Where strawberry leaves its own field on graphql-core's."""


class SchemaRefused(Exception):
    """The schema can't be served: it names every field at fault and what to do."""


@dataclass(frozen=True)
class Registry:
    """`rules` by coordinate (`Entreprise.rcs`). Decisions are computed once per distinct set of scopes."""

    rules: Mapping[str, Rule]
    _denied: dict[tuple[frozenset[str], Usage], frozenset[str]] = field(default_factory=dict)
    _denied_datasets: dict[tuple[frozenset[str], Usage], frozenset[str]] = field(default_factory=dict)

    def denied(self, caller: Caller) -> frozenset[str]:
        """The coordinates that this caller may not read: computed once per distinct set of rights."""
        rights = (caller.scopes, caller.usage)
        found = self._denied.get(rights)
        if found is None:
            found = self._denied[rights] = frozenset(
                coordinate for coordinate, rule in self.protected().items() if not may(rule.scopes, *rights)
            )
        return found

    def denied_datasets(self, caller: Caller) -> frozenset[str]:
        """The ids of the datasets that this caller may not read, by whatever field."""
        rights = (caller.scopes, caller.usage)
        found = self._denied_datasets.get(rights)
        if found is None:
            found = self._denied_datasets[rights] = frozenset(
                rule.dataset.id
                for rule in self.rules.values()
                if isinstance(rule, Opens) and not may(rule.scopes, *rights)
            )
        return found

    def protected(self) -> Mapping[str, Requires | Opens]:
        """The rules that can refuse."""
        return {name: rule for name, rule in self.rules.items() if isinstance(rule, (Requires, Opens))}

    def all_scopes(self) -> frozenset[str]:
        """Every scope that opens something here."""
        return frozenset[str]().union(*(rule.scopes for rule in self.protected().values())) - {ANY_TOKEN}


def build(schema: GraphQLSchema) -> Registry:
    """The registry of a finished schema. Raises `SchemaRefused`."""
    rules: dict[str, Rule] = {}
    faults: list[str] = []
    for type_ in schema.type_map.values():
        if not isinstance(type_, GraphQLObjectType) or type_.name.startswith("__"):
            continue
        for name, field_ in type_.fields.items():
            coordinate = f"{type_.name}.{name}"
            rule = rule_of(field_)
            if rule is None:
                faults.append(f"{coordinate} says nothing of who may read it: use public, inherits, requires or opens")
                continue
            rules[coordinate] = rule
            if isinstance(rule, (Requires, Opens)):
                if not rule.scopes:
                    faults.append(f"{coordinate} is protected by no scope at all: nobody could read it")
                if isinstance(field_.type, GraphQLNonNull):
                    faults.append(f"{coordinate} is protected and can't be null: a refusal would destroy its siblings")
    faults += [
        f"{type_.name}.{name} is a field of an interface and carries a rule: rules stand on concrete fields"
        for type_ in schema.type_map.values()
        if isinstance(type_, GraphQLInterfaceType)
        for name, field_ in type_.fields.items()
        if isinstance(rule_of(field_), (Requires, Opens))
    ]
    if faults:
        raise SchemaRefused("the schema is not served:\n- " + "\n- ".join(sorted(faults)))
    return Registry(MappingProxyType(rules))


def rule_of(field_: GraphQLField) -> Rule | None:
    """The rule that stands on a field, if any."""
    definition = field_.extensions.get(DEFINITION)
    rule = (definition.metadata or {}).get(METADATA_KEY) if definition is not None else None
    return rule if isinstance(rule, (Public, Inherits, Requires, Opens)) else None
