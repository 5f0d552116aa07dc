"""`rechercherEntreprises`: one call per page, details in bulk, accents and the order of words forgiven."""

import pytest

from sandbox.personas import CESSEE, CLAIR_VALLON
from tests.conftest import Api, Providers

SEARCH = """query($t: String!, $n: Int! = 5, $after: String, $d: String, $a: String, $actives: Boolean! = true) {
  rechercherEntreprises(texte: $t, first: $n, after: $after, departement: $d, activite: $a, actives: $actives) {
    totalCount
    pageInfo { hasNextPage hasPreviousPage endCursor }
    edges { cursor node { siren } }
  } }"""


async def found(api: Api, **variables: object) -> list[str]:
    answer = await api.ask(SEARCH, variables=variables)
    assert answer.errors == []
    page = answer.at("rechercherEntreprises")
    return [] if page is None else [edge["node"]["siren"] for edge in page["edges"]]


@pytest.mark.parametrize("texte", ["ATELIERS DU CLAIR VALLON", "vallon clair", "Âteliers Clàir", "clair-vallon"])
async def test_accents_case_and_order_are_forgiven(api: Api, texte: str) -> None:
    assert CLAIR_VALLON in await found(api, t=texte)


@pytest.mark.parametrize(
    ("criteria", "finds"),
    [
        ({"d": "49"}, True), ({"d": "75"}, False), ({"a": "31.09B"}, True), ({"a": "62.01Z"}, False),
        ({"d": "49", "a": "31.09B"}, True), ({"d": "49", "a": "62.01Z"}, False),
    ],
)  # fmt: skip
async def test_every_criterion_is_met(api: Api, criteria: dict[str, str], finds: bool) -> None:
    assert (CLAIR_VALLON in await found(api, t="clair vallon", **criteria)) is finds


async def test_the_ceased_are_found_when_they_are_asked_for(api: Api) -> None:
    assert CESSEE not in await found(api, t="filature vieux pont")
    assert CESSEE in await found(api, t="filature vieux pont", actives=False)


async def test_every_page_is_one_call_more(api: Api, providers: Providers) -> None:
    """The cursor is the provider's own: nothing that was read is asked again."""
    first = (await api.ask(SEARCH, variables={"t": "du", "n": 2})).at("rechercherEntreprises")
    assert providers.calls("insee", "/siret") == 1
    after = first["pageInfo"]["endCursor"]
    second = (await api.ask(SEARCH, variables={"t": "du", "n": 2, "after": after})).at("rechercherEntreprises")
    assert providers.calls("insee", "/siret") == 2
    assert second["totalCount"] == first["totalCount"] == 3
    sirens = [edge["node"]["siren"] for page in (first, second) for edge in page["edges"]]
    assert len(sirens) == len(set(sirens)) == 3


async def test_a_page_is_one_call_and_its_details_are_one_more(api: Api, providers: Providers) -> None:
    query = """query($t: String!) { rechercherEntreprises(texte: $t, first: 5) {
        nodes { siren sirene { siren etatAdministratif } } } }"""
    answer = await api.ask(query, variables={"t": "vallon"})
    assert answer.errors == []
    nodes = answer.at("rechercherEntreprises.nodes")
    assert nodes
    assert all(node["sirene"]["siren"] == node["siren"] for node in nodes)
    searches = providers.calls("insee", "/siret")
    details = providers.calls("insee", "/api-sirene") - searches
    assert searches == 1
    assert details == 1


async def test_pages_follow_each_other_without_gap_or_double(api: Api, providers: Providers) -> None:
    whole = await found(api, t="de", n=6)
    if len(whole) < 3:
        whole = await found(api, t="a", n=6)
    text = "de" if len(whole) >= 3 else "a"
    read: list[str] = []
    after = None
    while True:
        answer = await api.ask(SEARCH, variables={"t": text, "n": 2, "after": after})
        page = answer.at("rechercherEntreprises")
        if page is None:
            break
        assert page["pageInfo"]["hasPreviousPage"] is (after is not None)
        read += [edge["node"]["siren"] for edge in page["edges"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"] or len(read) >= len(whole):
            break
    assert read[: len(whole)] == whole[: len(read)]
    assert len(set(read)) == len(read)


@pytest.mark.parametrize(
    "criteria",
    [{"t": ""}, {"t": "   "}, {"t": "!?"}, {"t": "a" * 201}, {"t": "a", "d": "99"}, {"t": "a", "a": "6201Z"}],
)
async def test_criteria_that_nothing_could_meet_are_refused_before_any_call(
    api: Api, providers: Providers, criteria: dict[str, str]
) -> None:
    answer = await api.ask(SEARCH, variables=criteria)
    assert answer.codes == ["BAD_USER_INPUT"]
    assert providers.calls("insee", "/api-sirene") == 0


@pytest.mark.parametrize("texte", ['" OR siren:*', "vallon) OR (siren:1", "vallon AND etatAdministratifUniteLegale:C"])
async def test_no_text_adds_to_the_grammar_of_the_provider(api: Api, texte: str) -> None:
    assert set(await found(api, t=texte)) <= set(await found(api, t="vallon", n=100))


async def test_a_search_that_finds_nothing_is_null_without_error(api: Api) -> None:
    answer = await api.ask(SEARCH, variables={"t": "zzzzzzzz"})
    assert answer.errors == []
    assert answer.at("rechercherEntreprises") is None


async def test_a_token_without_the_right_searches_nothing(api: Api, providers: Providers) -> None:
    answer = await api.ask(SEARCH, variables={"t": "vallon"}, scopes={"attestations_agefiph"})
    assert answer.codes == ["UNAUTHORIZED_FIELD_OR_TYPE"]
    assert providers.calls("insee") == 0
