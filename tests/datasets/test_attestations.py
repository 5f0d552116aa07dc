"""Every certificate says, in the words common to all, what its body says of the company."""

import pytest
from graphql import GraphQLObjectType, get_named_type

from graph.schema import SCHEMA

ATTESTATIONS = [
    (f"{name}.{field}", get_named_type(declared.type))
    for name in ("Attestations", "AttestationsEtablissement")
    for field, declared in SCHEMA.type_map[name].fields.items()  # type: ignore[attr-defined]
    if isinstance(get_named_type(declared.type), GraphQLObjectType)
]


@pytest.mark.parametrize(("coordinate", "type_"), ATTESTATIONS, ids=[coordinate for coordinate, _ in ATTESTATIONS])
def test_an_attestation_carries_a_situation(coordinate: str, type_: GraphQLObjectType) -> None:
    assert "situation" in type_.fields, coordinate
    assert get_named_type(type_.fields["situation"].type).name == "Situation"
    if "situationAu" in type_.fields:
        assert get_named_type(type_.fields["situationAu"].type).name == "Date"


def test_there_are_attestations() -> None:
    assert len(ATTESTATIONS) > 10
