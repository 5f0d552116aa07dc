"""Every dataset, by every path, for every kind of holder: refused means nothing at all, granted means data and a trace.

Written from the declarations: a new dataset enters it without a line here.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from graphql import GraphQLObjectType, get_named_type

from auth.caller import Usage
from auth.rules import Opens, Requires
from auth.scopes import ANY_TOKEN, OPEN_DATA
from graph.examples import Step, _arguments, ways
from graph.schema import REGISTRY, SCHEMA
from graph.types.node import global_id
from providers.declaration import Dataset, subject_of
from tests.conftest import Answer, Api, Providers

WAYS = ways(SCHEMA, REGISTRY)
RULES = {rule.dataset.id: rule for rule in REGISTRY.rules.values() if isinstance(rule, Opens)}
DATASETS: list[Dataset[Any, Any, Any]] = [RULES[name].dataset for name in sorted(WAYS)]
EVERYTHING = REGISTRY.all_scopes()


@dataclass(frozen=True)
class Shape:
    """One way of writing the same question, and where its answer stands."""

    name: str
    text: str
    path: tuple[str | int, ...]
    fragment: str = ""


def shapes(dataset: Dataset[Any, Any, Any], way: tuple[Step, ...]) -> Iterator[Shape]:
    key, subject = dataset.example, subject_of(dataset.example)
    *above, last = way
    body = " { __typename }" if isinstance(get_named_type(last.field.type), GraphQLObjectType) else ""
    field = f"{last.name}{_arguments(last, key)}"
    asked = field + body
    tail = tuple(step.name for step in above[1:])

    def inside(text: str, *, within: list[Step], label: str) -> str:
        for depth, step in reversed(list(enumerate(within))):
            alias = f"{label}: " if depth == 0 else ""
            text = f"{alias}{step.name}{_arguments(step, key)} {{ {text} }}"
        return text

    def shape(name: str, text: str, answer: str, fragment: str = "") -> Shape:
        if above:
            return Shape(name, inside(text, within=above, label=name), (name, *tail, answer), fragment)
        return Shape(name, text, (answer,), fragment)

    unique = "" if above else "Racine"
    yield shape("direct", asked if above else f"direct: {asked}", last.name if above else "direct")
    yield shape("alias", f"autre{unique}: {asked}", f"autre{unique}")
    in_fragment = asked if above else f"fragmente: {asked}"
    yield shape(
        "fragment", "...F", last.name if above else "fragmente", f"fragment F on {last.type_name} {{ {in_fragment} }}"
    )
    yield shape("enLigne", f"... {{ {asked if above else f'enLigne: {asked}'} }}", last.name if above else "enLigne")
    conditional = f"{field} @include(if: $oui){body}"
    yield shape("inclus", conditional if above else f"inclus: {conditional}", last.name if above else "inclus")
    yield shape("permis", f"siren{unique}: {asked}", f"siren{unique}")
    if not above or above[0].name not in ("entreprise", "etablissement"):
        return
    below = inside(asked, within=above[1:], label=above[1].name) if above[1:] else asked
    type_ = get_named_type(above[0].field.type).name
    entity = subject[:9] if above[0].name == "entreprise" else subject
    yield Shape(
        "node",
        f'node: node(id: "{global_id(type_, entity)}") {{ ... on {type_} {{ {below} }} }}',
        ("node", *tail, last.name),
    )
    plural, argument = ("entreprises", "sirens") if above[0].name == "entreprise" else ("etablissements", "sirets")
    yield Shape("liste", f'liste: {plural}({argument}: ["{entity}"]) {{ {below} }}', ("liste", 0, *tail, last.name))
    if above[0].name == "entreprise":
        site = f"{subject[:9]}00000"
        check = -sum(int(digit) * (2 if rank % 2 == 0 else 1) // 10 + int(digit) * (2 if rank % 2 == 0 else 1) % 10
                     for rank, digit in enumerate(site[:-1])) % 10  # fmt: skip
        yield Shape(
            "voisin",
            f'voisin: etablissement(siret: "{site[:-1]}{check}") {{ entreprise {{ {below} }} }}',
            ("voisin", "entreprise", *tail, last.name),
        )


def document(found: Iterable[Shape]) -> str:
    listed = list(found)
    fragments = " ".join(dict.fromkeys(shape.fragment for shape in listed if shape.fragment))
    return f"query($oui: Boolean!) {{ {' '.join(shape.text for shape in listed)} }} {fragments}"


def at(data: Any, path: tuple[str | int, ...]) -> Any:
    for name in path:
        data = data[name]
    return data


def closed_holders(rule: Opens) -> Iterator[tuple[str, frozenset[str]]]:
    if ANY_TOKEN in rule.scopes:
        return
    yield "none", frozenset()
    yield "every other", EVERYTHING - rule.scopes
    if OPEN_DATA not in rule.scopes:
        yield "open_data", frozenset({OPEN_DATA})


async def asked(api: Api, found: list[Shape], scopes: Iterable[str], **more: Any) -> Answer:
    answer = await api.ask(document(found), scopes=scopes, variables={"oui": True}, **more)
    assert answer.response.status_code == 200, answer.body
    assert answer.data is not None, answer.body
    return answer


def refusal_faults(answer: Answer, found: list[Shape], rule: Opens, label: str) -> Iterator[str]:
    errors: Mapping[tuple[Any, ...], Any] = {tuple(error["path"]): error["extensions"] for error in answer.errors}
    for shape in found:
        error = errors.get(shape.path)
        if at(answer.data, shape.path) is not None:
            yield f"{label} {shape.name}: data was given"
        elif error is None or error["code"] != "UNAUTHORIZED_FIELD_OR_TYPE":
            yield f"{label} {shape.name}: {error}"
        elif error["requiredScopes"] != [[scope] for scope in sorted(rule.scopes)]:
            yield f"{label} {shape.name}: the scopes told are {error['requiredScopes']}"
    if len(answer.errors) != len(found):
        yield f"{label}: {len(answer.errors)} errors for {len(found)} nulls"


def all_calls(providers: Providers) -> int:
    return sum(providers.calls(name) for name in providers.sandbox.conducts)


async def test_refused_is_null_with_a_typed_error_no_call_and_a_trace(api: Api, providers: Providers) -> None:
    faults: list[str] = []
    requests = 0
    for dataset in DATASETS:
        rule = RULES[dataset.id]
        found = list(shapes(dataset, WAYS[dataset.id][0]))
        for holder, scopes in closed_holders(rule):
            answer = await asked(api, found, scopes)
            faults += refusal_faults(answer, found, rule, f"{dataset.id} / {holder}")
            entries = [entry for entry in await api.journal_of(answer) if entry["jeu_de_donnees"] == dataset.id]
            if not entries or {entry["issue"].value for entry in entries} != {"REFUSE"}:
                faults.append(f"{dataset.id} / {holder}: the journal says {[entry['issue'] for entry in entries]}")
            elif any(not set(rule.scopes) <= set(entry["portees_manquantes"]) for entry in entries):
                faults.append(f"{dataset.id} / {holder}: the journal does not name the missing scopes")
            requests += 1
    assert faults == []
    assert all_calls(providers) == 0
    assert requests >= 2 * len(DATASETS) - 2


async def test_granted_is_data_and_a_trace(api: Api) -> None:
    faults: list[str] = []
    for dataset in DATASETS:
        rule = RULES[dataset.id]
        found = list(shapes(dataset, WAYS[dataset.id][0]))
        for scope in sorted(rule.scopes):
            holder = frozenset() if scope == ANY_TOKEN else frozenset({scope})
            answer = await asked(api, found, holder)
            given = [shape.name for shape in found if at(answer.data, shape.path) is None]
            if given or "UNAUTHORIZED_FIELD_OR_TYPE" in answer.codes:
                faults.append(f"{dataset.id} / {scope}: nothing by {given}, {answer.codes}")
            entries = [entry for entry in await api.journal_of(answer) if entry["jeu_de_donnees"] == dataset.id]
            if "REPONDU" not in {entry["issue"].value for entry in entries}:
                faults.append(f"{dataset.id} / {scope}: not in the journal")
    assert faults == []


async def test_pre_filling_reads_public_datasets_only_whatever_the_scopes(api: Api, providers: Providers) -> None:
    faults: list[str] = []
    for dataset in DATASETS:
        rule = RULES[dataset.id]
        if rule.scopes & {OPEN_DATA, ANY_TOKEN}:
            continue
        found = list(shapes(dataset, WAYS[dataset.id][0]))
        answer = await asked(api, found, EVERYTHING, usage=Usage.PRE_REMPLISSAGE)
        faults += refusal_faults(answer, found, rule, dataset.id)
    assert faults == []
    assert all_calls(providers) == 0


def below(type_: Any, wanted: str, above: tuple[str, ...] = ()) -> tuple[str, ...] | None:
    """The names that lead from a record's type down to the coordinate wanted."""
    if not isinstance(type_, GraphQLObjectType) or len(above) > 5:
        return None
    for name, field in type_.fields.items():
        if f"{type_.name}.{name}" == wanted:
            return (*above, name)
        if isinstance(REGISTRY.rules[f"{type_.name}.{name}"], Opens):
            continue
        found = below(get_named_type(field.type), wanted, (*above, name))
        if found is not None:
            return found
    return None


FIELDS = {name: rule for name, rule in REGISTRY.rules.items() if isinstance(rule, Requires)}


@pytest.mark.parametrize("coordinate", sorted(FIELDS))
async def test_a_protected_field_below_an_open_dataset_needs_its_own_scope(api: Api, coordinate: str) -> None:
    rule = FIELDS[coordinate]
    reached = 0
    for dataset in DATASETS:
        way = WAYS[dataset.id][0]
        path = below(get_named_type(way[-1].field.type), coordinate)
        held = RULES[dataset.id].scopes - rule.scopes
        if path is None or not held:
            continue
        reached += 1
        leaf = get_named_type(SCHEMA.type_map[coordinate.partition(".")[0]].fields[path[-1]].type)  # type: ignore[union-attr]
        text = f"{path[-1]} {{ __typename }}" if isinstance(leaf, GraphQLObjectType) else path[-1]
        for name in reversed(path[:-1]):
            text = f"{name} {{ {text} }}"
        for step in reversed(way):
            text = f"{step.name}{_arguments(step, dataset.example)} {{ {text} }}"
        refused = await api.ask(f"{{ {text} }}", scopes=held)
        assert set(refused.codes) <= {"UNAUTHORIZED_FIELD_OR_TYPE"}
        assert {error["extensions"]["coordinate"] for error in refused.errors} == {coordinate}
        granted = await api.ask(f"{{ {text} }}", scopes=EVERYTHING)
        assert granted.errors == []
    assert reached, f"{coordinate} is reached by no dataset"
