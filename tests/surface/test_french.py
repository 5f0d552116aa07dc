"""What graphql-core says of a request, in French: each of its sentences is provoked on our schema."""

import re
from typing import Any

import pytest
from graphql import FieldNode, GraphQLError, GraphQLSyntaxError, OperationDefinitionNode, parse, validate
from graphql.execution.values import get_argument_values, get_variable_values

from graph.french import _MESSAGES, in_french
from graph.schema import SCHEMA
from tests.conftest import Api

MOI = "{ moi { siret } }"
INVALID_SIREN = "Numéro SIREN invalide : neuf chiffres sans espace, dont la clé de contrôle (Luhn) est juste."

SYNTAX = [
    ("{", "un nom était attendu, et non la fin du document."),
    ("{ moi { siret } } }", "« } » n'a pas sa place ici."),
    ("query { moi [ siret ] }", "un nom était attendu, et non « [ »."),
    ("foo { a }", "un nom (« foo ») n'a pas sa place ici."),
    ('{ moi("a") }', "un nom était attendu, et non une chaîne (« a »)."),
    ("{ moi { .. } }", "« .. » n'a pas de sens : vouliez-vous écrire « ... » ?"),
    ("{ moi(a: .5) { siret } }", "un nombre commence par un chiffre : vouliez-vous écrire « 0.5 » ?"),
    (
        "{ moi(a: 'x') { siret } }",
        "une chaîne s'écrit entre guillemets droits doubles (\"), et non entre apostrophes.",
    ),
    ("{ moi(a: 01) { siret } }", "un nombre ne commence pas par zéro : '1' n'a pas sa place ici."),
    ("{ moi(a: 1e) { siret } }", "un chiffre était attendu, et non ')'."),
    ('{ moi(a: "x', "il manque le guillemet qui ferme la chaîne."),
    ('{ moi(a: "\\u00zz") { siret } }', "« \\u00zz » n'est pas un caractère Unicode échappé."),
    ('{ moi(a: "\\q") { siret } }', "« \\q » n'est pas un caractère échappé."),
    ("{ moi ? { siret } }", "le caractère '?' n'a pas sa place ici."),
    ("{ \ud800 }", "le caractère U+D800 n'est pas permis."),
    ('{ moi(a: "\ud800") { siret } }', "le caractère U+D800 n'est pas permis dans une chaîne."),
    (
        "query($a: Int = $b) { moi { siret } }",
        "la variable « $b » n'a pas sa place dans une valeur par défaut.",
    ),
    (f'"x" {MOI}', "seules les définitions nommées peuvent avoir une description : retirez-la."),
    ("enum A { true }", "un nom (« true ») est un mot réservé."),
]

VALIDATION = [
    ("{ moi { sirett } }", "Le type « Moi » n'a pas de champ « sirett ». Vouliez-vous dire « siret » ?"),
    ("{ zzzzzzzzzz }", "Le type « Query » n'a pas de champ « zzzzzzzzzz »."),
    (
        '{ node(id: "1") { siren } }',
        "Le type « Node » n'a pas de champ « siren ». Demandez-le par un fragment sur « Entreprise ».",
    ),
    ("{ ... on Entrepris { a } }", "Le type « Entrepris » n'existe pas. Vouliez-vous dire « Entreprise » ?"),
    ("{ moi(a: 1) { siret } }", "Le champ « Query.moi » n'a pas d'argument « a »."),
    (
        "{ moi { siret @skip(iff: true, if: false) } }",
        "La directive « @skip » n'a pas d'argument « iff ». Vouliez-vous dire « if » ?",
    ),
    ("{ moi { siret @foo } }", "La directive « @foo » n'existe pas."),
    ("query @skip(if: true) { moi { siret } }", "La directive « @skip » n'a pas sa place ici (query)."),
    (
        "{ moi { siret @skip(if: true) @skip(if: true) } }",
        "La directive « @skip » ne s'écrit qu'une fois au même endroit.",
    ),
    (
        "{ entreprise { siren } }",
        "L'argument « Query.entreprise(siren:) », de type « Siren! », est obligatoire : donnez-le.",
    ),
    (
        "{ moi { siret { a } } }",
        "Le champ « siret », de type « String! », n'a pas de sous-champs : retirez ses accolades.",
    ),
    ("{ moi }", "Le champ « moi », de type « Moi! », se lit par ses sous-champs : écrivez « moi { ... } »."),
    (
        "{ moi { a: siret a: habilitation } }",
        "Les champs « a » s'opposent : « siret » et « habilitation » sont deux champs différents. "
        "Donnez-leur des alias différents pour les lire tous deux.",
    ),
    (
        "{ a: moi { b: siret } a: moi { b: habilitation } }",
        "Les champs « a » s'opposent : leurs sous-champs « b » s'opposent : « siret » et « habilitation » sont deux "
        "champs différents. Donnez-leur des alias différents pour les lire tous deux.",
    ),
    (
        '{ a: entreprise(siren: "552100554") { siren } a: entreprise(siren: "732829320") { siren } }',
        "Les champs « a » s'opposent : leurs arguments diffèrent. "
        "Donnez-leur des alias différents pour les lire tous deux.",
    ),
    (
        '{ node(id: "1") { ... on Entreprise { a: siren } ... on Etablissement { a: siret } } }',
        "Les champs « a » s'opposent : leurs types, « Siren! » et « Siret! », diffèrent. "
        "Donnez-leur des alias différents pour les lire tous deux.",
    ),
    ('{ entreprise(siren: "552100554", siren: "552100554") { siren } }', "L'argument « siren » est donné deux fois."),
    ("query($a: Int, $a: Int) { moi { siret } }", "La variable « $a » est définie deux fois."),
    (
        "fragment A on Moi { siret } fragment A on Moi { siret } { moi { ...A } }",
        "Le fragment « A » est défini deux fois.",
    ),
    ("query A { moi { siret } } query A { moi { siret } }", "L'opération « A » est définie deux fois."),
    (f"{MOI} {MOI}", "Une opération sans nom doit être seule dans son document : nommez-les."),
    ("subscription { a }", "Ce service n'a pas d'opération « subscription »."),
    ("type A { b: Int }", "Un document ne définit pas de type : retirez « A »."),
    ("schema { query: Query }", "Un document ne définit pas de type : retirez « schema »."),
    ("{ ...A }", "Le fragment « A » n'est pas défini."),
    (f"fragment A on Moi {{ siret }} {MOI}", "Le fragment « A » ne sert pas : retirez-le."),
    ("fragment A on Moi { ...A } { moi { ...A } }", "Le fragment « A » se contient lui-même."),
    (
        "fragment A on Moi { ...B } fragment B on Moi { ...A } { moi { ...A } }",
        "Le fragment « A » se contient lui-même, par « B ».",
    ),
    (
        "fragment A on Entreprise { siren } { moi { ...A } }",
        "Le fragment « A » n'a pas sa place ici : un objet « Moi » n'est jamais un « Entreprise ».",
    ),
    (
        "{ moi { ... on Entreprise { siren } } }",
        "Ce fragment n'a pas sa place ici : un objet « Moi » n'est jamais un « Entreprise ».",
    ),
    (
        "fragment A on Int { a } { moi { ...A } }",
        "Le fragment « A » ne peut porter sur « Int », qui n'a pas de champs.",
    ),
    ("{ moi { ... on Int { a } } }", "Un fragment ne peut porter sur « Int », qui n'a pas de champs."),
    (
        "{ __schema { types { " + "fields { type { " * 4 + "name" + " } }" * 4 + " } } }",
        "La lecture du schéma est trop profonde : demandez moins de niveaux de listes à la fois.",
    ),
    (
        "{ " + " ".join(f"a{number}" for number in range(9)) + " }",
        "Il y a d'autres erreurs : corrigez d'abord celles-ci.",
    ),
    ("query A { entreprise(siren: $s) { siren } }", "La variable « $s » de l'opération « A » n'est pas définie."),
    ("{ entreprise(siren: $s) { siren } }", "La variable « $s » n'est pas définie."),
    (f"query A($s: Siren) {MOI}", "La variable « $s » de l'opération « A » ne sert pas : retirez-la."),
    (f"query($s: Siren) {MOI}", "La variable « $s » ne sert pas : retirez-la."),
    (f"query($s: Moi) {MOI}", "La variable « $s » ne peut être de type « Moi », qui n'est pas un type d'entrée."),
    (
        "query($s: Siren) { entreprise(siren: $s) { siren } }",
        "La variable « $s » est de type « Siren », et « Siren! » est attendu à cet endroit.",
    ),
    (f'query($s: Int = "a") {MOI}', 'Un entier est attendu, et non "a".'),
    (f"query($s: ID = true) {MOI}", "Un identifiant est attendu, et non true."),
    (f'query($s: Situation = "A") {MOI}', 'Une valeur de « Situation », sans guillemets, est attendue, et non "A".'),
    (f'query($s: Decimal = "x") {MOI}', 'Une valeur de type « Decimal » est attendue, et non "x".'),
    ("{ entreprise(siren: null) { siren } }", "Une valeur de type « Siren! » ne peut être nulle."),
    ('{ entreprise(siren: "12") { siren } }', INVALID_SIREN),
]

ONE = "query($s: Siren!) { entreprise(siren: $s) { siren } }"
SOME = "query($s: [Siren!]!) { entreprises(sirens: $s) { siren } }"

VARIABLES: list[tuple[str, Any, str]] = [
    (ONE, {}, "une valeur de type « Siren! » est obligatoire."),
    (ONE, {"s": None}, "une valeur de type « Siren! » ne peut être nulle."),
    (ONE, {"s": "12"}, INVALID_SIREN),
    (SOME, {"s": ["12"]}, INVALID_SIREN),
    (f"query($s: Int) {MOI}", {"s": "a"}, "un entier est attendu, et non 'a'."),
    (
        f"query($s: Int) {MOI}",
        {"s": 99999999999},
        "un entier de 32 bits est attendu ; 99999999999 est trop grand ou n'est pas entier.",
    ),
    (f"query($s: Float) {MOI}", {"s": "a"}, "un nombre est attendu, et non 'a'."),
    (f"query($s: String) {MOI}", {"s": 1}, "une chaîne est attendue, et non 1."),
    (f"query($s: Boolean) {MOI}", {"s": 1}, "« true » ou « false » est attendu, et non 1."),
    (f"query($s: ID) {MOI}", {"s": True}, "un identifiant est attendu, et non True."),
    (f"query($s: Situation) {MOI}", {"s": 1}, "une valeur de « Situation » est attendue, et non 1."),
    (f"query($s: Situation) {MOI}", {"s": "X"}, "« X » n'est pas une valeur de « Situation »."),
]


def validated(text: str) -> list[str]:
    return [error.message for error in validate(SCHEMA, parse(text), max_errors=8)]


def refused(text: str) -> str:
    with pytest.raises(GraphQLSyntaxError) as caught:
        parse(text)
    return caught.value.message


def coerced(text: str, variables: dict[str, Any]) -> list[str]:
    operation = parse(text).definitions[0]
    assert isinstance(operation, OperationDefinitionNode)
    errors = get_variable_values(SCHEMA, operation.variable_definitions or (), variables, max_errors=3)
    assert isinstance(errors, list)
    return [error.message for error in errors]


def of_argument() -> str:
    """What a null says where a default lets a variable that may be null pass."""
    operation = parse("query($n: Int = 3) { etablissements(first: $n) }").definitions[0]
    assert isinstance(operation, OperationDefinitionNode)
    node = operation.selection_set.selections[0]
    assert isinstance(node, FieldNode)
    values: Any = get_variable_values(SCHEMA, operation.variable_definitions or (), {"n": None})
    with pytest.raises(GraphQLError) as caught:
        get_argument_values(SCHEMA.type_map["Entreprise"].fields["etablissements"], node, values)
    return caught.value.message


@pytest.mark.parametrize(("text", "message"), SYNTAX)
def test_a_text_that_can_not_be_read(text: str, message: str) -> None:
    assert in_french(refused(text)) == f"Erreur de syntaxe : {message}"


@pytest.mark.parametrize(("text", "message"), VALIDATION)
def test_a_document_that_does_not_fit_the_schema(text: str, message: str) -> None:
    assert message in map(in_french, validated(text))


@pytest.mark.parametrize(("text", "variables", "message"), VARIABLES)
def test_a_variable_that_is_not_what_it_must_be(text: str, variables: dict[str, Any], message: str) -> None:
    place = ", à [0]," if text == SOME else ""
    assert [in_french(found) for found in coerced(text, variables)] == [
        f"La variable « $s »{place} n'est pas valable : {message}"
    ]


def test_too_many_variables_and_an_argument() -> None:
    many = coerced(f"query($s: [Int]) {MOI}", {"s": ["a"] * 9})
    assert in_french(many[-1]) == "D'autres variables ne sont pas valables : corrigez d'abord celles-ci."
    assert in_french(of_argument()) == (
        "L'argument « first » n'est pas valable : la variable « $n », de type « Int! », ne peut être nulle."
    )


def test_every_sentence_that_is_known_was_provoked() -> None:
    """One that graphql-core words otherwise in its next version is found here."""
    provoked = [refused(text) for text, _ in SYNTAX]
    provoked += [message for text, _ in VALIDATION for message in validated(text)]
    provoked += [message for text, variables, _ in VARIABLES for message in coerced(text, variables)]
    provoked += [*coerced(f"query($s: [Int]) {MOI}", {"s": ["a"] * 9}), of_argument()]
    inner = [
        re.sub(r"^(Syntax Error|Variable '.*' has invalid value.*?|Argument '.*' has invalid value): ", "", message)
        for message in provoked
    ]
    unseen = [pattern.pattern for pattern, _ in _MESSAGES if not any(map(pattern.fullmatch, [*provoked, *inner]))]
    assert unseen == []


def test_what_is_not_known_or_very_long_is_left_as_it_is() -> None:
    assert in_french("Some words of a later version.") == "Some words of a later version."
    long = "Syntax Error: Unexpected character: " + "é" * 2_000 + "."
    assert in_french(long) == long


async def test_over_http(api: Api) -> None:
    answer = await api.ask("{ moi { sirett } }", scopes=[])
    assert [error["message"] for error in answer.errors] == [
        "Le type « Moi » n'a pas de champ « sirett ». Vouliez-vous dire « siret » ?"
    ]
