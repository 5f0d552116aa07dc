"""What the journal must hold of an operation, worked out from its text, the rights of its caller and the answer.

An interpreter of its own: it shares no line with the service's reading of documents. Refusals come from the scopes
alone; how a granted dataset ended comes from what the caller received; what the service looked up for itself (a
head office, a diffusion status) comes from the `World`, known beforehand.
"""

import base64
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    get_named_type,
    parse,
    value_from_ast_untyped,
)

from auth.rules import Opens, Requires, Rule
from providers.declaration import Ouverture
from providers.insee.siege import SIEGE
from providers.insee.unite_legale import UNITE_LEGALE

Path = tuple[str | int, ...]
ANSWERED, NOT_FOUND, FAILED, REFUSED, ABANDONED = "REPONDU", "INTROUVABLE", "ECHEC", "REFUSE", "ABANDONNE"
_STRENGTH = (NOT_FOUND, REFUSED, FAILED, ANSWERED)
PUBLIC = frozenset({"open_data", "*"})


@dataclass(frozen=True, slots=True)
class Known:
    """What INSEE says when the service asks for itself: how it ends, and the head office if that was asked."""

    issue: str
    code: str
    siret: str | None = None


@dataclass(frozen=True, slots=True)
class World:
    """What INSEE says of everybody, by SIREN."""

    head_offices: Mapping[str, Known]
    units: Mapping[str, Known]


@dataclass(frozen=True, slots=True)
class Rights:
    """Who asks."""

    scopes: frozenset[str]
    pre_filling: bool
    declared: bool

    def may(self, required: frozenset[str]) -> bool:
        if self.pre_filling and not required & PUBLIC:
            return False
        return "*" in required or bool(required & self.scopes)


@dataclass(frozen=True, order=True, slots=True)
class Expected:
    """One entry, as far as it can be known beforehand."""

    sujet: str
    jeu_de_donnees: str
    champs: tuple[str, ...]
    issue: str
    code: str
    portees_manquantes: tuple[str, ...]


@dataclass(slots=True)
class Account:
    """All that happened to one (subject, dataset)."""

    asked: bool = False
    denied: bool = False
    granted: set[str] = field(default_factory=set)
    refused: set[str] = field(default_factory=set)
    missing: set[str] = field(default_factory=set)
    outcomes: list[tuple[str, str]] = field(default_factory=list)
    consulted: list[tuple[str, str]] = field(default_factory=list)

    def outcome(self) -> tuple[str, str]:
        known = [one for one in self.outcomes or self.consulted if one[0] != ABANDONED]
        return max(known, key=lambda one: _STRENGTH.index(one[0])) if known else (ABANDONED, "")


@dataclass(frozen=True, slots=True)
class Leaf:
    """A field without fields of its own, and the way to it below its dataset."""

    name: str
    coordinates: tuple[str, ...]


class Interpretation:
    """Walks one operation beside its answer; `data` is none when the caller left before any provider answered."""

    def __init__(
        self,
        schema: GraphQLSchema,
        rules: Mapping[str, Rule],
        world: World,
        rights: Rights,
        *,
        document: str,
        name: str,
        variables: Mapping[str, Any],
        data: Any,
        errors: Sequence[Mapping[str, Any]],
        insee_fails: str = "",
    ) -> None:
        self._schema = schema
        self._rules = rules
        self._world = world
        self._rights = rights
        self._errors = {tuple(error["path"]): error["extensions"] for error in errors if error.get("path")}
        self._gone = data is None
        self._insee_fails = insee_fails
        self._document: DocumentNode = parse(document)
        self._fragments = {
            node.name.value: node for node in self._document.definitions if isinstance(node, FragmentDefinitionNode)
        }
        operation = next(
            node
            for node in self._document.definitions
            if isinstance(node, OperationDefinitionNode) and node.name is not None and node.name.value == name
        )
        self._variables = {
            variable.variable.name.value: value_from_ast_untyped(variable.default_value)
            for variable in operation.variable_definitions or ()
            if variable.default_value is not None
        } | dict(variables)
        self.accounts: dict[tuple[str, str], Account] = {}
        query = schema.query_type
        assert query is not None
        self._walk(query, "", [operation.selection_set], data or {}, ())

    def entries(self) -> Counter[Expected]:
        found: Counter[Expected] = Counter()
        for (dataset, subject), account in self.accounts.items():
            if account.asked:
                issue, code = account.outcome()
                found[Expected(subject, dataset, tuple(sorted(account.granted)), issue, code, ())] += 1
            if account.denied or account.refused:
                fields, missing = tuple(sorted(account.refused)), tuple(sorted(account.missing))
                found[Expected(subject, dataset, fields, REFUSED, "UNAUTHORIZED_FIELD_OR_TYPE", missing)] += 1
        return found

    # --- The way to the datasets ---------------------------------------------------------------------

    def _walk(
        self,
        type_: GraphQLObjectType,
        subject: str,
        sets: Sequence[SelectionSetNode],
        data: Mapping[str, Any],
        path: Path,
    ) -> None:
        for key, nodes in self._collected(type_, sets).items():
            name = nodes[0].name.value
            if name == "__typename":
                continue
            here = (*path, key)
            rule = self._rules.get(f"{type_.name}.{name}")
            arguments = self._arguments(nodes[0])
            if isinstance(rule, Opens) and not self._dataset(
                type_, name, subject, nodes, arguments, rule, data.get(key), here
            ):
                continue
            value = data.get(key)
            inner = get_named_type(type_.fields[name].type)
            if not isinstance(inner, (GraphQLObjectType, GraphQLInterfaceType)) or (value is None and not self._gone):
                continue
            if self._gone and isinstance(rule, Opens):
                continue
            below = [node.selection_set for node in nodes if node.selection_set is not None]
            for about, found, index in self._objects(type_, name, subject, arguments, value):
                self._walk(self._runtime(inner, arguments), about, below, found, (*here, *index))

    def _objects(
        self, type_: GraphQLObjectType, name: str, subject: str, arguments: Mapping[str, Any], value: Any
    ) -> Iterator[tuple[str, Mapping[str, Any], Path]]:
        """Each object of a field's value: whom it speaks of, its data, its place."""
        match type_.name, name:
            case "Query", "entreprise":
                yield arguments["siren"], value or {}, ()
            case "Query", "etablissement":
                yield arguments["siret"], value or {}, ()
            case "Query", ("entreprises" | "etablissements"):
                for index, key in enumerate(arguments["sirens" if name == "entreprises" else "sirets"]):
                    yield key, value[index] if value else {}, (index,)
            case "Query", "node":
                yield _global_id(arguments["id"])[1], value or {}, ()
            case "Entreprise", "siege":
                yield self._world.head_offices[subject].siret or "", value, ()
            case "Etablissement", "entreprise":
                yield subject[:9], value or {}, ()
            case _, ("edges" | "nodes") if type_.name.endswith("Connection"):
                for index, item in enumerate(value):
                    yield item.get("cle", ""), item, (index,)
            case _, "node" if type_.name.endswith("Edge"):
                yield value.get("cle", ""), value, ()
            case _:
                if isinstance(value, list):
                    for index, item in enumerate(value):
                        if isinstance(item, Mapping):
                            yield subject, item, (index,)
                else:
                    yield subject, value or {}, ()

    def _runtime(self, inner: Any, arguments: Mapping[str, Any]) -> GraphQLObjectType:
        if isinstance(inner, GraphQLInterfaceType):
            found = self._schema.type_map[_global_id(arguments["id"])[0]]
            assert isinstance(found, GraphQLObjectType)
            return found
        assert isinstance(inner, GraphQLObjectType)
        return inner

    # --- One dataset -----------------------------------------------------------------------------------

    def _dataset(
        self,
        type_: GraphQLObjectType,
        name: str,
        subject: str,
        nodes: Sequence[FieldNode],
        arguments: Mapping[str, Any],
        rule: Opens,
        value: Any,
        path: Path,
    ) -> bool:
        """Account for the field of a dataset; whether its value is to be walked."""
        dataset = rule.dataset
        leaves = self._leaves(type_, name, nodes)
        refusal = self._errors.get(path)
        if not self._rights.may(rule.scopes):
            about = subject if type_.name != "Query" else _identifier(arguments)
            account = self._account(dataset.id, about)
            account.denied = True
            account.refused |= {leaf.name for leaf in leaves}
            account.missing |= rule.scopes
            assert self._gone or (
                refusal is not None and refusal["code"] == "UNAUTHORIZED_FIELD_OR_TYPE" and value is None
            )
            return False
        assert refusal is None or refusal["code"] != "UNAUTHORIZED_FIELD_OR_TYPE"
        if refusal is not None and refusal["code"] == "BAD_USER_INPUT":
            return False
        about = self._key(type_, name, subject, arguments)
        if about is None:
            return False
        account = self._account(dataset.id, about)
        account.asked = True
        for leaf in leaves:
            barrier = next((one for one in leaf.coordinates if not self._open(one)), None)
            if barrier is None:
                account.granted.add(leaf.name)
            else:
                account.refused.add(leaf.name)
                account.missing |= self._rules[barrier].scopes  # type: ignore[union-attr]
        if dataset.ouverture is Ouverture.PROTEGEE and not self._rights.declared:
            account.outcomes.append((REFUSED, "TRACEABILITY_REQUIRED"))
            return False
        if self._gone:
            account.outcomes.append((ABANDONED, ""))
            self._consult_before(about)
            return False
        outcome = (
            (FAILED, refusal["code"]) if refusal is not None else (ANSWERED if value is not None else NOT_FOUND, "")
        )
        account.outcomes.append(outcome)
        self._consult_before(about)
        self._consult_after(dataset, about, outcome)
        return value is not None

    def _key(self, type_: GraphQLObjectType, name: str, subject: str, arguments: Mapping[str, Any]) -> str | None:
        """Of whom the provider is asked; none when the head office that it depends on can't be had."""
        if type_.name == "Query":
            if self._gone and name != "rechercherEntreprises" and not _identifier(arguments):
                return None
            return (
                "" if name == "rechercherEntreprises" else str(arguments.get("identifiant") or arguments.get("numero"))
            )
        if "siret" not in type_.fields[name].args:
            return subject
        if arguments.get("siret") is not None:
            return str(arguments["siret"]) if arguments["siret"][:9] == subject else None
        return self._consulted(SIEGE.id, subject, self._world.head_offices[subject])

    def _consult_before(self, subject: str) -> None:
        """Pre-filling shows fully open units only: INSEE is asked first."""
        unit = _unit(subject)
        if self._rights.pre_filling and unit is not None:
            self._consulted(UNITE_LEGALE.id, unit, self._world.units[unit])

    def _consult_after(self, dataset: Any, subject: str, outcome: tuple[str, str]) -> None:
        """What a provider without a diffusion status answered is masked after INSEE's."""
        opening = dataset.opening
        masked = opening.mask is not None and not (self._rights.scopes & opening.unmasked_for and self._rights.declared)
        unit = _unit(subject)
        if (
            masked
            and opening.by_diffusion
            and not self._rights.pre_filling
            and outcome[0] == ANSWERED
            and unit is not None
        ):
            self._consulted(UNITE_LEGALE.id, unit, self._world.units[unit])

    def _consulted(self, dataset: str, subject: str, known: Known) -> str | None:
        """Account for what the service looks up for itself; the head office, if it could be had."""
        account = self._account(dataset, subject)
        account.asked = True
        if self._gone:
            known = Known(ABANDONED, "")
        elif self._insee_fails:
            known = Known(FAILED, self._insee_fails)
        account.consulted.append((known.issue, known.code))
        return known.siret

    def _open(self, coordinate: str) -> bool:
        rule = self._rules.get(coordinate)
        return not isinstance(rule, Requires) or self._rights.may(rule.scopes)

    def _account(self, dataset: str, subject: str) -> Account:
        return self.accounts.setdefault((dataset, subject), Account())

    # --- Reading the document ----------------------------------------------------------------------------

    def _leaves(self, type_: GraphQLObjectType, name: str, nodes: Sequence[FieldNode]) -> list[Leaf]:
        inner = get_named_type(type_.fields[name].type)
        sets = [node.selection_set for node in nodes if node.selection_set is not None]
        return list(self._below(inner, sets, (), ())) if sets else [Leaf(name, ())]

    def _below(
        self, type_: Any, sets: Sequence[SelectionSetNode], way: tuple[str, ...], coordinates: tuple[str, ...]
    ) -> Iterator[Leaf]:
        for nodes in self._collected(type_, sets).values():
            name = nodes[0].name.value
            if name == "__typename":
                yield Leaf(".".join((*way, name)), coordinates)
                continue
            coordinate = f"{type_.name}.{name}"
            if isinstance(self._rules.get(coordinate), Opens):
                continue
            below = [node.selection_set for node in nodes if node.selection_set is not None]
            if below:
                inner = get_named_type(type_.fields[name].type)
                yield from self._below(inner, below, (*way, name), (*coordinates, coordinate))
            else:
                yield Leaf(".".join((*way, name)), (*coordinates, coordinate))

    def _collected(self, type_: GraphQLObjectType, sets: Sequence[SelectionSetNode]) -> dict[str, list[FieldNode]]:
        found: dict[str, list[FieldNode]] = {}
        for selection_set in sets:
            for node in selection_set.selections:
                if not self._included(node):
                    continue
                if isinstance(node, FieldNode):
                    key = node.alias.value if node.alias else node.name.value
                    found.setdefault(key, []).append(node)
                    continue
                if isinstance(node, FragmentSpreadNode):
                    fragment = self._fragments[node.name.value]
                    condition, inner = fragment.type_condition, fragment.selection_set
                else:
                    assert isinstance(node, InlineFragmentNode)
                    condition, inner = node.type_condition, node.selection_set
                names = {type_.name, *(interface.name for interface in type_.interfaces)}
                if condition is None or condition.name.value in names:
                    for key, nodes in self._collected(type_, [inner]).items():
                        found.setdefault(key, []).extend(nodes)
        return found

    def _included(self, node: Any) -> bool:
        for directive in node.directives or ():
            (condition,) = (argument.value for argument in directive.arguments)
            holds = value_from_ast_untyped(condition, self._variables)
            if holds is (directive.name.value == "skip"):
                return False
        return True

    def _arguments(self, node: FieldNode) -> dict[str, Any]:
        return {one.name.value: value_from_ast_untyped(one.value, self._variables) for one in node.arguments or ()}


def _global_id(text: str) -> tuple[str, str]:
    kind, _, key = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode().partition(":")
    return kind, key


def _identifier(arguments: Mapping[str, Any]) -> str:
    """Only an identifier is kept of what was written to a root field that was refused."""
    text = str(arguments.get("identifiant") or arguments.get("numero") or "")
    return text if text.replace("W", "").isdigit() else ""


def _unit(subject: str) -> str | None:
    return subject[:9] if subject.isdigit() and len(subject) in (9, 14) else None
