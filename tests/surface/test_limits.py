"""The limits at their edges, the linear pass, and what is exempt."""

import pytest
from graphql import OperationDefinitionNode, get_introspection_query, parse
from pydantic import ValidationError

from graph import limits as limits_module
from graph.cost import Estimate, Plan, excess_in, excess_of_calls, plan_of
from graph.documents import Documents
from graph.limits import Excess, excess_of
from graph.profile import PROFILE_QUERY
from graph.schema import REGISTRY, SCHEMA
from sandbox.personas import CLAIR_VALLON
from settings import Settings
from settings.surface import Limits
from tests.conftest import Api

INTROSPECTION = get_introspection_query(
    input_value_deprecation=True, specified_by_url=True, directive_is_repeatable=True, schema_description=True
)
DEFAULTS = Limits()
NARROW = "\u202f"


def refused(text: str, limits: Limits = DEFAULTS) -> str | None:
    """The name of the limit that a document passes."""
    found = excess_of(SCHEMA, parse(text), limits)
    return None if found is None else found.limit


def nested(levels: int) -> str:
    return "{ a" * levels + " }" * levels


def chain(length: int) -> str:
    fragments = " ".join(f"fragment F{i} on Moi {{ ...F{i + 1} }}" for i in range(1, length))
    return f"{{ moi {{ ...F1 }} }} {fragments} fragment F{length} on Moi {{ siret }}"


def deep_type(levels: int) -> str:
    return "{ __schema { types { " + "ofType { " * levels + "name" + " }" * levels + " } } }"


EDGES = {
    "depth": (nested(12), nested(13)),
    "aliases": (
        "{ moi { " + " ".join(f"a{i}: siret" for i in range(30)) + " } }",
        "{ moi { " + " ".join(f"a{i}: siret" for i in range(31)) + " } }",
    ),
    "root_fields": ("{ " + "moi { siret } " * 20 + "}", "{ " + "moi { siret } " * 21 + "}"),
    "fields": ("{ moi { " + "siret " * 399 + "} }", "{ moi { " + "siret " * 400 + "} }"),
    "list_fields": (
        "{ jeuxDeDonnees { " + "id " * 400 + "} }",
        "{ jeuxDeDonnees { " + "id " * 401 + "} }",
    ),
    "node_directives": (
        "{ moi { siret " + "@skip(if: false) " * 4 + "} }",
        "{ moi { siret " + "@skip(if: false) " * 5 + "} }",
    ),
    "directives": (
        "{ moi { " + "siret @skip(if: false) " * 40 + "} }",
        "{ moi { " + "siret @skip(if: false) " * 41 + "} }",
    ),
    "fragment_depth": (chain(20), chain(21)),
    "introspections": (
        "{ " + "__schema { types { name } } " * 4 + "}",
        "{ " + "__schema { types { name } } " * 5 + "}",
    ),
    "introspection_depth": (deep_type(17), deep_type(18)),
    "introspection_fields": (
        "{ __schema { " + "description " * 600 + "} }",
        "{ __schema { " + "description " * 601 + "} }",
    ),
    "node_depth": (
        '{ entreprise(siren: "1") { siege { entreprise { siege { siret } } } } }',
        '{ entreprise(siren: "1") { siege { entreprise { siege { entreprise { siren } } } } } }',
    ),
}


@pytest.mark.parametrize("limit", EDGES)
def test_a_limit_lets_its_value_through_and_refuses_the_next(limit: str) -> None:
    """And says which it is, the value seen, the value allowed."""
    at, beyond = EDGES[limit]
    assert refused(at) is None
    found = excess_of(SCHEMA, parse(beyond), DEFAULTS)
    assert found is not None
    assert_told(found, limit, getattr(DEFAULTS, limit))


def assert_told(found: Excess, limit: str, allowed: int) -> None:
    assert (found.limit, found.seen, found.allowed) == (limit, allowed + 1, allowed)
    assert found.extensions == {"limite": limit, "valeur": allowed + 1, "maximum": allowed}
    for words in (f"« {limit} »", f"{allowed + 1:,}".replace(",", NARROW), f"{allowed:,} au plus".replace(",", NARROW)):
        assert words in found.message


TEXTS = {
    "source_bytes": (f"{{ moi {{ siret }} }} #{'a' * 99_981}", f"{{ moi {{ siret }} }} #{'a' * 99_980}é"),
    "tokens": ("{ moi { " + "siret " * 45 + "} }", "{ moi { " + "siret " * 46 + "} }"),
    "comments": ("#\n" * 2_000 + "{ moi { siret } }", "#\n" * 2_001 + "{ moi { siret } }"),
    "digits": (f"{{ moi {{ siret }} }} # {'9' * 400}", f"{{ moi {{ siret }} }} # {'9' * 401}"),
}
ALLOWED = {"source_bytes": 100_000, "tokens": 50, "comments": 2_000, "digits": 400}


@pytest.mark.parametrize("limit", TEXTS)
def test_a_text_at_its_limit_is_read_and_the_next_one_refused(limit: str) -> None:
    """Bytes, not characters; lexemes as the parser counts them; what a comment holds counts too."""
    documents = Documents(SCHEMA, REGISTRY, DEFAULTS.model_copy(update={"tokens": 50} if limit == "tokens" else {}))
    at, beyond = TEXTS[limit]
    assert documents.prepare(at).errors == ()
    (error,) = documents.prepare(beyond).errors
    assert error.extensions == {"limite": limit, "valeur": ALLOWED[limit] + 1, "maximum": ALLOWED[limit]}
    assert f"« {limit} »" in error.message


def test_a_document_at_a_limit_is_answered_and_the_next_one_refused() -> None:
    """The limits that hold in `excess_of` are those that a document meets on its way."""
    documents = Documents(SCHEMA, REGISTRY)
    at, beyond = EDGES["aliases"]
    assert documents.prepare(at).errors == ()
    (error,) = documents.prepare(beyond).errors
    assert error.extensions == {"limite": "aliases", "valeur": 31, "maximum": 30}


@pytest.mark.parametrize("count", [1, 19, 20, 21, 350])
def test_a_wrong_document_is_told_at_most_twenty_of_its_errors(count: int) -> None:
    unknown = " ".join(f"inconnu{rank}" for rank in range(count))
    errors = Documents(SCHEMA, REGISTRY).prepare(f"{{ moi {{ {unknown} }} }}").errors
    described = [error for error in errors if "inconnu" in error.message]
    assert len(described) == min(count, DEFAULTS.validation_errors)
    assert len(errors) == len(described) + (count > DEFAULTS.validation_errors)


async def test_a_body_at_its_limit_is_read_and_the_next_byte_refused(api: Api) -> None:
    headers = {"Authorization": f"Bearer {await api.token('*all*')}", "Content-Type": "application/json"}
    body = b'{"query": "{ moi { siret } }"}'.ljust(DEFAULTS.body_bytes)
    assert "data" in (await api.client.post("/graphql", content=body, headers=headers)).json()
    response = await api.client.post("/graphql", content=body + b" ", headers=headers)
    assert response.status_code == 413
    extensions = response.json()["errors"][0]["extensions"]
    assert (extensions["limite"], extensions["valeur"], extensions["maximum"]) == ("body_bytes", 200_001, 200_000)


PAGES = {
    "first": f'query($n: Int!) {{ entreprise(siren: "{CLAIR_VALLON}") {{ etablissements(first: $n) {{ totalCount }} }} }}',
    "search": 'query($n: Int!) { rechercherEntreprises(texte: "vallon", first: $n) { totalCount } }',
}


@pytest.mark.parametrize("page", PAGES)
async def test_a_page_holds_from_one_to_a_hundred_elements(api: Api, page: str) -> None:
    for size in (1, 100):
        assert (await api.ask(PAGES[page], variables={"n": size})).errors == []
    for size in (0, 101):
        (error,) = (await api.ask(PAGES[page], variables={"n": size})).errors
        extensions = error["extensions"]
        assert (extensions["limite"], extensions["valeur"], extensions["maximum"]) == ("page_size", size, 100)


@pytest.mark.parametrize(
    ("field", "type_", "one"),
    [("entreprises(sirens", "Siren", CLAIR_VALLON), ("etablissements(sirets", "Siret", "35600000049837")],
)
async def test_a_list_of_identifiers_holds_a_hundred(api: Api, field: str, type_: str, one: str) -> None:
    query = f"query($v: [{type_}!]!) {{ {field}: $v) {{ __typename }} }}"
    whole = await api.ask(query, variables={"v": [one] * 100})
    assert whole.errors == []
    assert len(whole.data[field.partition("(")[0]]) == 100
    (error,) = (await api.ask(query, variables={"v": [one] * 101})).errors
    extensions = error["extensions"]
    assert (extensions["limite"], extensions["valeur"], extensions["maximum"]) == ("page_size", 101, 100)


def plan(query: str) -> Plan:
    (node,) = parse(query).definitions
    assert isinstance(node, OperationDefinitionNode)
    return plan_of(SCHEMA, REGISTRY, node, {})


def test_the_values_of_a_whole_answer_are_counted_before_it_is_made() -> None:
    """Here one list, and four values for each of its elements."""
    sized = plan("query($s: [Siren!]!) { entreprises(sirens: $s) { siren sirene { siren type } } }")
    variables = {"s": [CLAIR_VALLON] * 25}
    assert excess_in(sized, variables, DEFAULTS.model_copy(update={"values": 101})) is None
    found = excess_in(sized, variables, DEFAULTS.model_copy(update={"values": 100}))
    assert found is not None
    assert_told(found, "values", 100)


def test_the_calls_of_one_request_are_counted_before_they_are_made() -> None:
    cost = Estimate(total=3)
    assert excess_of_calls(cost, DEFAULTS.model_copy(update={"calls": 3})) is None
    found = excess_of_calls(cost, DEFAULTS.model_copy(update={"calls": 2}))
    assert found is not None
    assert_told(found, "calls", 2)


def test_every_limit_is_tried_at_its_edge() -> None:
    """A limit that is added is tried too: those left are times, whose edge no test can stand on."""
    tried = {*EDGES, *TEXTS, "list_depth", "body_bytes", "page_size", "values", "calls", "validation_errors"}
    assert set(Limits.model_fields) - tried == {"validation_ms"}


def test_lists_are_counted_where_they_nest() -> None:
    three = "{ etablissements(first: 1) { nodes { successions { predecesseurs { siret } } } } }"
    assert refused('{ entreprises(sirens: ["1"]) ' + three + " }") is None
    four = "{ entreprise { etablissements(first: 1) { nodes { successions { predecesseurs { siret } } } } } }"
    deep = '{ entreprises(sirens: ["1"]) { etablissements(first: 1) { edges { node ' + four + " } } } }"
    assert refused(deep) == "list_depth"


def test_the_profile_and_the_standard_introspection_are_far_from_any_limit() -> None:
    half = {
        name: value // 2 for name, value in DEFAULTS.model_dump().items() if name in {"fields", "aliases", "tokens"}
    }
    assert refused(PROFILE_QUERY, DEFAULTS.model_copy(update=half)) is None
    assert refused(INTROSPECTION, DEFAULTS.model_copy(update={"depth": 2, "fields": 10, "aliases": 0})) is None


def test_every_fragment_is_measured_once(monkeypatch: pytest.MonkeyPatch) -> None:
    visited = 0
    measured = limits_module._Measure._selection

    def counting(self: limits_module._Measure, *arguments: object) -> limits_module.Size:
        nonlocal visited
        visited += 1
        return measured(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(limits_module._Measure, "_selection", counting)
    levels = 300
    bomb = "{ moi { ...F0 } } " + " ".join(
        f"fragment F{i} on Moi {{ siret ...F{i + 1} ...F{i + 1} }}" for i in range(levels)
    )
    refused(bomb + f" fragment F{levels} on Moi {{ siret }}")
    assert visited <= 3 * levels + 5


def test_a_cycle_of_fragments_ends_and_is_named_by_validation() -> None:
    prepared = Documents(SCHEMA, REGISTRY).prepare(
        "{ moi { ...A } } fragment A on Moi { ...B } fragment B on Moi { ...A }"
    )
    assert "Cannot spread fragment" in prepared.errors[0].message


def test_a_validation_that_lasts_is_stopped() -> None:
    documents = Documents(SCHEMA, REGISTRY, DEFAULTS.model_construct(**{**DEFAULTS.model_dump(), "validation_ms": 0}))
    (error,) = documents.prepare("{ moi { siret } }").errors
    assert error.extensions is not None
    assert error.extensions["limite"] == "validation_ms"


def test_a_known_document_is_prepared_once_and_a_refused_one_is_not_kept() -> None:
    documents = Documents(SCHEMA, REGISTRY)
    assert documents.prepare("{ moi { siret } }") is documents.prepare("{ moi { siret } }")
    assert documents.prepare("{ inconnu }") is not documents.prepare("{ inconnu }")


def test_one_limit_is_changed_by_the_environment_and_a_misspelt_one_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAPHE_LIMITS", '{"depth": 15}')
    assert Settings().limits == Limits(depth=15)
    monkeypatch.setenv("GRAPHE_LIMITS", '{"profondeur": 15}')
    with pytest.raises(ValidationError, match="profondeur"):
        Settings()


async def test_introspection_is_answered_alike_from_memory(api: Api) -> None:
    first = await api.ask(INTROSPECTION, scopes={"open_data"})
    again = await api.ask(INTROSPECTION, scopes={"entreprises"})
    assert first.errors == again.errors == []
    assert first.data == again.data
    assert "UniteLegaleSirene" in {type_["name"] for type_ in first.data["__schema"]["types"]}
    assert first.body["extensions"]["idRequete"] != again.body["extensions"]["idRequete"]
