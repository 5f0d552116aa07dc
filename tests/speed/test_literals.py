"""Hand-written documents: the strings of their arguments become variables, and nothing else changes."""

import random
from collections.abc import Mapping
from inspect import isawaitable
from typing import Any

import pytest
from graphql import ExecutionResult, execute, parse, validate

from graph.documents import Documents, Prepared
from graph.execution import run
from graph.literals import skeleton_of
from graph.schema import REGISTRY, SCHEMA
from sandbox.personas import CLAIR_VALLON, FILIALE, GROUPE
from tests.conftest import Api, Providers

HAND = '{{ entreprise(siren: "{}") {{ sirene {{ siren }} }} }}'


def documents() -> Documents:
    return Documents(SCHEMA, REGISTRY)


def test_texts_that_differ_by_their_strings_share_all_but_their_digest() -> None:
    prepared = documents()
    first = prepared.lifted(HAND.format(CLAIR_VALLON))
    second = prepared.lifted(HAND.format(GROUPE))
    assert first.document is second.document
    assert first.compiled is second.compiled
    assert first.digest != second.digest
    assert list(first.literals.values()) == [CLAIR_VALLON]
    assert list(second.literals.values()) == [GROUPE]
    assert len(prepared._cache) == 0


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("{ a }", None),
        ('{ a(b: "x") }', ("x",)),
        ('{ a(b: "x", c: "y", d: "x") }', ("x", "y")),
        ('{ a(b: "") c(d: """x""") } # "z"', None),
        (r'{ a(b: "\u0041") c(d: "x") }', ("x",)),
        ('{ a(b: "é") }', None),
        ('{ a(b: "_litteral_0") }', None),
        ('{ a(b: "' + "x" * 65 + '") }', None),
        ('{ a(b: "x\n") }', None),
        ('{ a(b: """ "x" """) c(d: "y") }', ("y",)),
    ],
)
def test_only_plain_strings_are_taken_out(text: str, values: tuple[str, ...] | None) -> None:
    skeleton = skeleton_of(text)
    assert (None if skeleton is None else skeleton.values) == values


def test_equal_strings_and_lengths_make_the_skeleton() -> None:
    def text(first: str, second: str) -> str:
        found = skeleton_of(f'{{ a(b: "{first}") c(d: "{second}") }}')
        assert found is not None
        return found.text

    assert text("x", "y") == text("v", "w")
    assert text("x", "x") == text("y", "y") != text("x", "y")
    assert text("x", "y") != text("x", "yy")


@pytest.mark.parametrize(
    "text",
    [
        '{ entreprises(sirens: ["%s"]) { siren } }',
        'query($s: Siren! = "%s") { entreprise(siren: $s) { siren } }',
        '{ expliquer(requete: "{ __typename }", variables: {siren: "%s"}) { scopes } }',
    ],
)
def test_a_string_that_is_no_whole_argument_stays(text: str) -> None:
    prepared = documents().lifted(text % CLAIR_VALLON)
    assert prepared.literals == {}


def test_an_escaped_string_is_never_another_s_variable() -> None:
    prepared = documents()
    escaped = "\\u0039" + CLAIR_VALLON[1:]
    assert CLAIR_VALLON.startswith("9")
    text = '{ a: entreprise(siren: "%s") { siren } b: entreprise(siren: "' + escaped + '") { siren } }'
    prepared.lifted(text % CLAIR_VALLON)
    found = prepared.lifted(text % GROUPE)
    data = outcome(found)["data"]
    assert data == {"a": {"siren": GROUPE}, "b": {"siren": CLAIR_VALLON}}


def test_two_fields_of_one_key_are_merged_or_refused_by_their_own_strings() -> None:
    prepared = documents()
    text = '{ a: entreprise(siren: "%s") { siren } a: entreprise(siren: "%s") { id } }'
    assert prepared.lifted(text % (CLAIR_VALLON, CLAIR_VALLON)).document is not None
    (error,) = prepared.lifted(text % (CLAIR_VALLON, GROUPE)).errors
    assert "conflict" in error.message
    assert prepared.lifted(text % (GROUPE, GROUPE)).document is not None


def test_a_wrong_string_is_told_by_validation_whether_its_like_was_seen_or_not() -> None:
    wrong = HAND.format("123456789")
    fresh, seen = documents(), documents()
    seen.lifted(HAND.format(CLAIR_VALLON))
    told = [fresh.lifted(wrong), seen.lifted(wrong)]
    assert [one.document for one in told] == [None, None]
    assert told[0].errors[0].formatted == told[1].errors[0].formatted
    assert fresh.lifted(HAND.format(CLAIR_VALLON)).literals, "a wrong one spoils nothing"


class Context:
    """What the resolvers of bare identifiers need of an operation: nothing is denied."""

    denied = frozenset[str]()

    def restart(self) -> None:
        return None


def outcome(prepared: Prepared) -> Mapping[str, Any]:
    context: Any = Context()
    result = run(SCHEMA, prepared, prepared.operations[0], context, prepared.literals)
    assert isinstance(result, ExecutionResult)
    return result.formatted


FIELDS = [
    'entreprise(siren: "{siren}") {{ siren id }}',
    'etablissement(siret: "{siren}00018") {{ __typename }}',
    'association(identifiant: "{siren}") {{ __typename }}',
    'node(id: "{siren}") {{ id }}',
    'entreprise(siren: "{siren}") {{ a: siren ... on Entreprise {{ b: siren }} }}',
]


def test_random_documents_answer_alike_lifted_or_not() -> None:
    chance = random.Random(12)
    prepared = documents()
    compared = lifted = 0
    for _ in range(300):
        sirens = [chance.choice([CLAIR_VALLON, GROUPE, FILIALE, "123456789"]) for _ in range(3)]
        fields = [f"k{number}: {chance.choice(FIELDS).format(siren=siren)}" for number, siren in enumerate(sirens)]
        text = f"query Q {{ {' '.join(fields)} }}"
        found = prepared.lifted(text)
        document = parse(text)
        errors = validate(SCHEMA, document)
        assert (found.document is None) == bool(errors)
        if errors:
            assert [error.formatted for error in found.errors] == [error.formatted for error in errors]
            continue
        plain = execute(SCHEMA, document, context_value=Context())
        if isawaitable(plain):
            continue
        compared += 1
        lifted += bool(found.literals)
        assert outcome(found) == plain.formatted
    assert compared > 50
    assert lifted == compared


async def test_each_company_is_its_own_over_http(api: Api, providers: Providers) -> None:
    for siren in (CLAIR_VALLON, GROUPE, CLAIR_VALLON):
        answer = await api.ask(HAND.format(siren), scopes={"open_data"})
        assert answer.at("entreprise.sirene.siren") == siren
        (entry,) = [one for one in await api.journal_of(answer) if one["nature"] == "ACCES"]
        assert entry["sujet"] == siren
    digests = {entry["origine"].document for entry in await api.journal()}
    assert len(digests) == 2, "each text keeps its own digest"
    refused = await api.ask(HAND.format("123456789"), scopes={"open_data"})
    assert refused.codes == ["GRAPHQL_VALIDATION_FAILED"]
