"""What a request costs is known before it runs, is a ceiling of what it then costs, and counts calls after batching."""

import itertools
from typing import Any

import pytest
from graphql import parse
from graphql.language import OperationDefinitionNode

from graph.cost import UNSIZED, Estimate, Reader, estimate, plan_of
from graph.examples import query_for, ways
from graph.profile import PROFILE_QUERY
from graph.schema import REGISTRY, SCHEMA
from graph.service import DIFFUSION, datasets
from resolvers.decision import Level
from sandbox.insee import Lot, lot
from sandbox.personas import CLAIR_VALLON, KERDONCUF, with_check_digit
from tests.conftest import Api, Providers

LA = f'entreprise(siren: "{CLAIR_VALLON}")'
WAYS = ways(SCHEMA, REGISTRY)
DATASETS = {dataset.id: dataset for dataset in datasets()}


def announced(
    query: str,
    variables: dict[str, Any] | None = None,
    level: Level = Level.WHOLE,
    denied: frozenset[str] = frozenset(),
) -> Estimate:
    document = parse(query)
    operation = document.definitions[0]
    assert isinstance(operation, OperationDefinitionNode)
    fragments = {node.name.value: node for node in document.definitions[1:]}  # type: ignore[union-attr, misc]
    plan = plan_of(SCHEMA, REGISTRY, operation, fragments)  # type: ignore[arg-type]
    return estimate(plan, variables or {}, Reader(denied, lambda _dataset: level, DIFFUSION.dataset))


def test_two_datasets_of_one_answer_are_one_call() -> None:
    assert announced(f"{{ {LA} {{ rcs {{ siren }} mandatairesSociaux {{ count }} }} }}").by_provider == {
        "infogreffe": 1
    }


def test_aliases_of_one_object_are_one_question() -> None:
    assert announced(f"{{ {LA} {{ a: sirene {{ siren }} b: sirene {{ type }} }} }}").total == 1


def test_fragments_are_counted_where_they_are_spread() -> None:
    query = (
        f"query {{ {LA} {{ ...F siege {{ entreprise {{ ...F }} }} }} }} fragment F on Entreprise {{ rcs {{ siren }} }}"
    )
    assert announced(query).by_provider == {"insee": 1, "infogreffe": 2}


def test_a_bulk_call_carries_as_many_keys_as_it_may() -> None:
    query = "query($s: [Siren!]!) { entreprises(sirens: $s) { sirene { siren } rcs { siren } } }"
    for count, insee in ((1, 1), (2, 1), (100, 1)):
        found = announced(query, {"s": ["910203041"] * count})
        assert found.by_provider == {"insee": insee, "infogreffe": count}


def test_a_page_multiplies_what_is_below_it() -> None:
    query = "query($n: Int = 5) {" + LA + "{ etablissements(first: $n) { nodes { entreprise { rcs { siren } } } } } }"
    assert announced(query).by_provider == {"insee": 1, "infogreffe": 5}
    assert announced(query, {"n": 20}).by_provider == {"insee": 1, "infogreffe": 20}


def test_a_skipped_field_costs_nothing() -> None:
    query = (
        "query($no: Boolean!, $yes: Boolean = true) {"
        + LA
        + ("{ rcs @include(if: $no) { siren } sirene @skip(if: $yes) { siren } siege @include(if: false) { siret } } }")
    )
    assert announced(query, {"no": False}).total == 0
    assert announced(query, {"no": True, "yes": False}).by_provider == {"infogreffe": 1, "insee": 1}


def test_a_table_that_we_hold_costs_its_head_office_only() -> None:
    by_company = announced(f"{{ {LA} {{ attestations {{ emploiTravailleursHandicapes {{ remisLe }} }} }} }}")
    assert by_company.by_provider == {"insee": 1}
    by_site = announced(
        '{ etablissement(siret: "91020304100018") { attestations { emploiTravailleursHandicapes { remisLe } } } }'
    )
    assert by_site.total == 0


def test_a_mask_by_diffusion_costs_the_question_to_insee() -> None:
    assert announced(f"{{ {LA} {{ rcs {{ siren }} }} }}", level=Level.MASKED).by_provider == {
        "infogreffe": 1,
        "insee": 1,
    }
    assert announced(f"{{ {LA} {{ rcs {{ siren }} }} }}", level=Level.NONE).total == 0


def test_a_denied_field_costs_nothing_and_the_others_what_they_cost() -> None:
    query = f"{{ {LA} {{ rcs {{ siren }} sirene {{ siren }} }} }}"
    assert announced(query, denied=frozenset({"Entreprise.rcs"})).by_provider == {"insee": 1}


def test_groups_of_quota_are_told_apart() -> None:
    found = announced(f"{{ {LA} {{ sirene {{ siren }} attestations {{ vigilance {{ situation }} }} }} }}")
    assert sum(found.by_group.values()) == found.total == 2
    assert len(found.by_group) == 2


def test_introspection_and_one_s_own_token_cost_nothing() -> None:
    assert announced("{ moi { siret } __schema { types { name } } jeuxDeDonnees { id } }").total == 0


async def test_the_profile_costs_at_most_what_it_announced(api: Api, providers: Providers) -> None:
    first = (await api.ask(PROFILE_QUERY, variables={"siren": CLAIR_VALLON})).body["extensions"]["cout"]
    assert 0 < first["reel"] <= first["demande"]
    for figures in first["parFournisseur"].values():
        assert figures["reel"] <= figures["demande"]
    again = (await api.ask(PROFILE_QUERY, variables={"siren": CLAIR_VALLON})).body["extensions"]["cout"]
    assert again["demande"] == first["demande"]
    assert again["reel"] < first["reel"]


async def test_what_is_told_as_real_is_what_providers_received(api: Api, providers: Providers) -> None:
    query = f"{{ {LA} {{ rcs {{ siren }} mandatairesSociaux {{ count }} }} }}"
    cost = (await api.ask(query)).body["extensions"]["cout"]
    assert cost["parFournisseur"]["infogreffe"] == {"demande": 1, "reel": 1}
    assert cost["restant"] == {"json": 249}
    assert providers.calls("infogreffe") == 1


async def test_a_hundred_companies_announce_and_cost_one_call(api: Api) -> None:
    candidates = (with_check_digit(f"9120{number:04d}") for number in range(1000))
    sirens = list(itertools.islice((siren for siren in candidates if lot(siren) == Lot()), 100))
    query = "query($s: [Siren!]!) { entreprises(sirens: $s) { sirene { siren } } }"
    cost = (await api.ask(query, variables={"s": sirens})).body["extensions"]["cout"]
    assert cost["parFournisseur"] == {"insee": {"demande": 1, "reel": 1}}


async def test_a_refused_field_is_announced_at_nothing(api: Api) -> None:
    answer = await api.ask(f"{{ {LA} {{ rcs {{ siren }} sirene {{ siren }} }} }}", scopes={"entreprises"})
    assert "UNAUTHORIZED_FIELD_OR_TYPE" in answer.codes
    assert set(answer.body["extensions"]["cout"]["parFournisseur"]) == {"insee"}


async def test_a_protected_field_without_a_reason_is_announced_at_nothing(api: Api) -> None:
    answer = await api.ask(f"{{ {LA} {{ mandatairesSociaux {{ count }} }} }}", reason={})
    assert answer.codes == ["TRACEABILITY_REQUIRED"]
    assert answer.body["extensions"]["cout"] == {"demande": 0, "reel": 0, "parFournisseur": {}, "restant": {}}


async def test_a_masked_reader_pays_the_question_to_insee(api: Api) -> None:
    query = "query($s: Siren!) { entreprise(siren: $s) { rcs { siren } } }"
    answer = await api.ask(query, variables={"s": KERDONCUF}, scopes={"open_data"})
    assert answer.body["extensions"]["cout"]["parFournisseur"] == {
        "infogreffe": {"demande": 1, "reel": 1},
        "insee": {"demande": 1, "reel": 1},
    }


@pytest.mark.parametrize("dataset", sorted(DATASETS))
async def test_no_dataset_costs_more_than_it_announces(api: Api, dataset: str) -> None:
    if dataset not in WAYS:
        pytest.skip("no field of the graph opens this dataset yet")
    answer = await api.ask(query_for(REGISTRY, WAYS[dataset][0], DATASETS[dataset]))
    cost = answer.body["extensions"]["cout"]
    assert cost["reel"] <= cost["demande"]
    assert all(figures["reel"] <= figures["demande"] for figures in cost["parFournisseur"].values())


def test_every_list_on_the_way_to_a_dataset_says_its_size() -> None:
    """A list without a size would be taken for so many elements whatever it holds."""
    assert UNSIZED > 1
    from graphql import GraphQLList, GraphQLNonNull, GraphQLObjectType, get_named_type

    leading = {f"{step.type_name}.{step.name}" for all_ways in WAYS.values() for way in all_ways for step in way}
    for coordinate in sorted(leading):
        type_name, _, name = coordinate.partition(".")
        parent = SCHEMA.type_map[type_name]
        assert isinstance(parent, GraphQLObjectType)
        field = parent.fields[name]
        bare = field.type.of_type if isinstance(field.type, GraphQLNonNull) else field.type
        if isinstance(bare, GraphQLList) and isinstance(get_named_type(field.type), GraphQLObjectType):
            opened = REGISTRY.rules[coordinate]
            assert field.args or hasattr(opened, "dataset"), coordinate
