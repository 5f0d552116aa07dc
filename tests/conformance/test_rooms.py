"""The conformance suite: every dataset of every room, with no list of its own."""

from pathlib import Path
from typing import Any

import pytest
from graphql import FieldDefinitionNode, GraphQLSchema, build_schema
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auth.scopes import ANY_TOKEN
from graph.examples import query_for, ways
from graph.schema import REGISTRY, SCHEMA, sdl
from providers import PROVIDERS
from providers.declaration import Dataset, Http, Provider
from providers.errors import ProviderError
from sandbox.serve import SIMULATORS
from tests.conformance import checks
from tests.conftest import Api

DATASETS = [(provider, dataset) for provider in PROVIDERS for dataset in provider.datasets]
OVER_HTTP = [pair for pair in DATASETS if isinstance(pair[1].source.how, Http)]
COMMITTED = Path(__file__).parents[2] / "schema.graphql"
WAYS = ways(SCHEMA, REGISTRY)

PAGES: dict[str, str] = {
    "insee.etablissements": "a page becomes a connection of Etablissement, whose fields are datasets of their own",
    "insee.recherche": "a page becomes a connection of Entreprise, whose fields are datasets of their own",
}
"""Datasets whose record is not itself a type of the graph, with the reason."""


def named(pairs: list[tuple[Provider, Dataset[Any, Any, Any]]]) -> Any:
    return pytest.mark.parametrize(("provider", "dataset"), pairs, ids=[dataset.id for _, dataset in pairs])


def test_ids_are_unique() -> None:
    ids = [dataset.id for _, dataset in DATASETS]
    assert len(ids) == len(set(ids))
    codes = [provider.code for provider in PROVIDERS]
    assert len(codes) == len(set(codes))


@named(DATASETS)
def test_declaration(provider: Provider, dataset: Dataset[Any, Any, Any]) -> None:
    assert list(checks.declaration_faults(provider, dataset)) == []


@named(DATASETS)
def test_record_reaches_the_schema(provider: Provider, dataset: Dataset[Any, Any, Any]) -> None:
    assert dataset.id in WAYS, "no field of the graph opens it"
    if dataset.id in PAGES:
        assert dataset.record.__strawberry_definition__.name not in SCHEMA.type_map
        return
    assert list(checks.record_faults(dataset, SCHEMA.type_map)) == []


@named(OVER_HTTP)
def test_samples(provider: Provider, dataset: Dataset[Any, Any, Any]) -> None:
    samples = checks.samples_of(dataset)
    faults = [fault for name, sample in samples for fault in checks.sample_faults(provider, dataset, name, sample)]
    assert faults == []
    assert list(checks.coverage_faults(dataset, samples)) == []


@named(OVER_HTTP)
def test_unknown_fields_are_tolerated_and_mandatory_ones_demanded(
    provider: Provider, dataset: Dataset[Any, Any, Any]
) -> None:
    assert list(checks.tolerance_faults(provider, dataset, checks.samples_of(dataset))) == []
    assert list(checks.strictness_faults(provider, dataset)) == []


@named(OVER_HTTP)
def test_whatever_bytes_come_parse_gives_a_record_or_a_typed_error(
    provider: Provider, dataset: Dataset[Any, Any, Any]
) -> None:
    how = dataset.source.how
    assert isinstance(how, Http)
    contents = [checks.response_of(sample).content for _, sample in checks.samples_of(dataset)]
    types = ["application/json", "text/xml", "text/html; charset=utf-16", "application/pdf", ""]

    @given(data=st.data())
    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
    def check(data: st.DataObject) -> None:
        base = data.draw(st.sampled_from(contents))
        cut = data.draw(st.integers(0, len(base)))
        noise = data.draw(st.binary(max_size=40))
        content = data.draw(st.sampled_from([base[:cut], base[:cut] + noise + base[cut:], noise, b"[" * 2000 + noise]))
        status = data.draw(st.sampled_from([200, 200, 200, 400, 404, 418, 500]))
        response = checks.httpx.Response(
            status, headers={"content-type": data.draw(st.sampled_from(types))}, content=content
        )
        try:
            how.parse(response, dataset.example)
        except ProviderError:
            pass

    check()


@named(DATASETS)
async def test_the_example_is_answered_through_the_real_client(
    provider: Provider, dataset: Dataset[Any, Any, Any], api: Api
) -> None:
    for way in WAYS[dataset.id]:
        query = query_for(REGISTRY, way, dataset)
        answer = await api.ask(query)
        assert answer.errors == [], query
        assert answer.response.status_code == 200
        statuses = {item["statut"] for item in answer.provenance(dataset.id)}
        assert statuses == {"REPONDU"}, query


def test_every_http_provider_is_simulated() -> None:
    with_http = {provider.id for provider, _ in OVER_HTTP}
    assert set(SIMULATORS) == with_http


def printed_scopes(schema: GraphQLSchema) -> dict[str, frozenset[str]]:
    found = {}
    for type_ in schema.type_map.values():
        for name, field in getattr(type_, "fields", {}).items():
            node = field.ast_node
            if isinstance(node, FieldDefinitionNode):
                for directive in node.directives or ():
                    if directive.name.value == "requiresScopes":
                        lists = directive.arguments[0].value
                        found[f"{type_.name}.{name}"] = frozenset(
                            item.values[0].value  # type: ignore[attr-defined]
                            for item in lists.values  # type: ignore[attr-defined]
                        )
    return found


def test_scopes_in_the_sdl_are_those_of_the_registry() -> None:
    printed = printed_scopes(build_schema(sdl()))
    # A field that any token may read needs no scope: nothing is printed.
    ruled = {name: rule.scopes for name, rule in REGISTRY.protected().items() if ANY_TOKEN not in rule.scopes}
    assert list(checks.sdl_scope_faults(printed, ruled)) == []


def test_committed_schema_is_the_one_that_is_served() -> None:
    assert COMMITTED.read_text(encoding="utf-8") == sdl(), "run « make schema »"


def test_every_type_and_field_is_described() -> None:
    bare = []
    for type_ in SCHEMA.type_map.values():
        if type_.name.startswith("__") or type_.name in {"String", "Int", "Float", "Boolean", "ID", "Date", "DateTime"}:
            continue
        if not type_.description:
            bare.append(type_.name)
        for name, field in getattr(type_, "fields", {}).items():
            if not field.description:
                bare.append(f"{type_.name}.{name}")
        for name, value in getattr(type_, "values", {}).items():
            if not value.description:
                bare.append(f"{type_.name}.{name}")
    assert bare == []
