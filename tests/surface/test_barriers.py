"""Two barriers stand before a refused dataset, one at its field and one at its loader: each holds without the other.

Asked through GraphQL of every dataset that the graph opens and of every leaf that has a right of its own, by a token that
opens none. With both barriers down the same requests reach the providers: what the tests prove is theirs.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from graphql import GraphQLObjectType

from auth.registry import Registry
from auth.rules import Opens, Requires
from auth.scopes import ANY_TOKEN
from graph.examples import query_for, ways
from graph.schema import REGISTRY, SCHEMA
from graph.service import datasets
from tests.conftest import Answer, Api, Providers

WAYS = ways(SCHEMA, REGISTRY)
DATASETS = {dataset.id: dataset for dataset in datasets()}
CLOSED = sorted(
    {
        rule.dataset.id
        for rule in REGISTRY.rules.values()
        if isinstance(rule, Opens) and ANY_TOKEN not in rule.scopes and rule.dataset.id in WAYS
    }
)
NOTHING: frozenset[str] = frozenset()


def lowered(monkeypatch: pytest.MonkeyPatch, *barriers: str) -> None:
    for barrier in barriers:
        monkeypatch.setattr(Registry, barrier, lambda _self, _caller: NOTHING)


async def asked(api: Api, dataset: str) -> Answer:
    return await api.ask(query_for(REGISTRY, WAYS[dataset][0], DATASETS[dataset]), scopes={"aucun"})


def calls(providers: Providers) -> int:
    return sum(sum(conduct.calls.values()) for conduct in providers.sandbox.conducts.values())


def chooses_a_site(dataset: str) -> bool:
    """A field of a company whose dataset speaks of one of its sites: the head office, unless another is asked for."""
    last = WAYS[dataset][0][-1]
    parent = SCHEMA.type_map[last.type_name]
    assert isinstance(parent, GraphQLObjectType)
    return last.type_name != "Query" and "siret" in parent.fields[last.name].args


async def refused(api: Api, providers: Providers) -> list[str]:
    """The datasets that were refused as they must be: one typed error, a null, and nobody called."""
    found = []
    for dataset in CLOSED:
        answer = await asked(api, dataset)
        (error,) = answer.errors
        assert error["extensions"]["code"] == "UNAUTHORIZED_FIELD_OR_TYPE", dataset
        scopes = {scope for (scope,) in error["extensions"]["requiredScopes"]}
        assert scopes == DATASETS[dataset].opening.scopes, dataset
        value: Any = answer.data
        for name in error["path"]:
            value = value[name]
        assert value is None, dataset
        assert calls(providers) == 0, dataset
        found.append(dataset)
    return found


async def test_the_field_refuses_alone(api: Api, providers: Providers, monkeypatch: pytest.MonkeyPatch) -> None:
    lowered(monkeypatch, "denied_datasets")
    assert await refused(api, providers) == CLOSED
    refusals = [entry for entry in await api.journal() if entry["issue"] == "REFUSE"]
    assert {entry["jeu_de_donnees"] for entry in refusals} == set(CLOSED)


async def test_the_loader_refuses_alone(api: Api, providers: Providers, monkeypatch: pytest.MonkeyPatch) -> None:
    lowered(monkeypatch, "denied")
    by_head_office = set()
    for dataset in CLOSED:
        answer = await asked(api, dataset)
        assert set(answer.codes) == {"UNAUTHORIZED_FIELD_OR_TYPE"}, dataset
        if calls(providers):
            # Its key is a head office, which INSEE is asked for before there is anything to load; nobody else is asked.
            assert calls(providers) == providers.calls("insee"), dataset
            by_head_office.add(dataset)
            providers.sandbox.reset()
            api.service.road.memory.clear()
    assert by_head_office == {dataset for dataset in CLOSED if chooses_a_site(dataset)}


async def test_without_both_the_providers_are_called(
    api: Api, providers: Providers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The requests above are real ones: only the barriers stop them."""
    lowered(monkeypatch, "denied", "denied_datasets")
    await asked(api, "infogreffe.extrait_rcs")
    assert calls(providers) > 0


class Caller:
    """Stands for the request of a caller that is refused every field: remembers that it was."""

    def __init__(self, coordinate: str) -> None:
        self.denied = frozenset({coordinate})

    def refuse(self, dataset: Any, _subject: str, _info: Any) -> Exception:
        return PermissionError(dataset.id)

    def denial(self, coordinate: str, _scopes: frozenset[str]) -> Exception:
        return PermissionError(coordinate)


class Info:
    """What graphql-core hands to a resolver, as far as a refusal looks at it."""

    def __init__(self, context: Caller) -> None:
        self.context = context


class Untouched:
    """An object that no resolver may read anything of, but whom it speaks of."""

    sujet = "910203041"

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"{name} was read before the refusal")


def protected() -> Iterator[tuple[str, Any]]:
    for coordinate, rule in REGISTRY.rules.items():
        if isinstance(rule, (Opens, Requires)):
            type_name, _, name = coordinate.partition(".")
            parent = SCHEMA.type_map[type_name]
            assert isinstance(parent, GraphQLObjectType)
            yield coordinate, parent.fields[name]


def test_every_protected_field_refuses_before_it_reads_anything() -> None:
    """Each resolver of the finished schema, called as graphql-core calls it."""
    passed = [coordinate for coordinate, field in protected() if not _refuses(coordinate, field)]
    assert passed == []


def _refuses(coordinate: str, field: Any) -> bool:
    try:
        field.resolve(Untouched(), Info(Caller(coordinate)))
    except PermissionError:
        return True
    return False
