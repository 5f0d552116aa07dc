"""The static plan: what a document asks of protected fields, the smallest list of scopes, the schema cut to rights."""

from itertools import combinations

import pytest
from graphql import OperationDefinitionNode, parse, validate_schema
from hypothesis import given
from hypothesis import strategies as st

from auth.caller import Usage
from auth.decision import may
from auth.scopes import ANY_TOKEN, OLD_NAMES, OPEN_DATA, OPEN_DATA_FORM_VALUES, effective
from graph.rights import protected_fields, smallest_scopes, view
from graph.schema import REGISTRY, SCHEMA

SCOPES = ["a", "b", "c", "d", "e", OPEN_DATA]
SETS = st.lists(st.frozensets(st.sampled_from(SCOPES), min_size=1, max_size=3), max_size=6)


@given(SETS, st.frozensets(st.sampled_from(SCOPES)))
def test_the_smallest_list_opens_everything_and_no_shorter_one_does(
    required: list[frozenset[str]], held: frozenset[str]
) -> None:
    chosen = smallest_scopes(required, held)
    assert all(scopes & (held | set(chosen)) for scopes in required)
    for shorter in combinations(SCOPES, max(len(chosen) - 1, 0)):
        if len(chosen):
            assert not all(scopes & (held | set(shorter)) for scopes in required)


def test_old_names_are_never_proposed_when_a_present_one_opens_the_same() -> None:
    for rule in REGISTRY.protected().values():
        for scope in smallest_scopes([rule.scopes], frozenset()):
            assert scope not in OLD_NAMES or rule.scopes <= OLD_NAMES
    assert smallest_scopes([frozenset({ANY_TOKEN})], frozenset()) == ()


@given(st.frozensets(st.sampled_from([*SCOPES, ANY_TOKEN]), min_size=1), st.frozensets(st.sampled_from(SCOPES)))
def test_pre_filling_never_reads_more_than_a_back_office(required: frozenset[str], held: frozenset[str]) -> None:
    if may(required, held, Usage.PRE_REMPLISSAGE):
        assert may(required, held, Usage.BACK_OFFICE)
        assert required & {OPEN_DATA, ANY_TOKEN}
    if ANY_TOKEN not in required and not held & required:
        assert not may(required, held, Usage.BACK_OFFICE)


def test_scopes_of_the_form_become_open_data_and_the_star_is_no_right() -> None:
    for name in OPEN_DATA_FORM_VALUES:
        assert effective(frozenset({name, "x"})) == {OPEN_DATA, "x"}
    assert effective(frozenset({ANY_TOKEN})) == frozenset()
    assert len(OPEN_DATA_FORM_VALUES) == 13


def coordinates(text: str, **variables: object) -> list[tuple[str, str]]:
    document = parse(text)
    operation = next(node for node in document.definitions if isinstance(node, OperationDefinitionNode))
    fragments = {node.name.value: node for node in document.definitions if node.kind == "fragment_definition"}  # type: ignore[attr-defined]
    found = protected_fields(SCHEMA, REGISTRY, operation, fragments, variables)  # type: ignore[arg-type]
    return [(one.coordinate, ".".join(one.path)) for one in found]


@pytest.mark.parametrize(
    "body",
    [
        "rcs { __typename }",
        "... { rcs { __typename } }",
        "... on Entreprise { rcs { __typename } }",
        "...F",
        "rcs @include(if: $oui) { __typename }",
        "rcs @skip(if: $non) { __typename } rcs { __typename }",
    ],
)
def test_a_protected_field_is_seen_however_it_is_written(body: str) -> None:
    text = f"""query($oui: Boolean = true, $non: Boolean!) {{ entreprise(siren: "910203041") {{ {body} }} }}
        fragment F on Entreprise {{ rcs {{ __typename }} }}"""
    assert coordinates(text, non=False) == [("Entreprise.rcs", "entreprise.rcs")]


def test_what_is_left_out_is_not_asked_for() -> None:
    text = 'query($x: Boolean!) { entreprise(siren: "1") { rcs @include(if: $x) { siren } sirene @skip(if: true) { siren } } }'
    assert coordinates(text, x=False) == []


@pytest.mark.parametrize(
    "held", [frozenset(), frozenset({OPEN_DATA}), REGISTRY.all_scopes()], ids=["none", "public", "all"]
)
def test_the_view_of_the_schema_holds_what_is_opened_and_nothing_else(held: frozenset[str]) -> None:
    denied = frozenset(
        name for name, rule in REGISTRY.protected().items() if not may(rule.scopes, held, Usage.BACK_OFFICE)
    )
    cut = view(SCHEMA, denied)
    assert validate_schema(cut) == []
    shown = {
        f"{type_.name}.{name}"
        for type_ in cut.type_map.values()
        for name in getattr(type_, "fields", {})
        if not type_.name.startswith("__")
    }
    assert not shown & denied
    if not denied:
        assert set(REGISTRY.rules) <= shown
    assert {"Query.moi", "Query.entreprise", "Entreprise.siren"} <= shown
