"""What the schema promises to its readers: descriptions, Relay, nullability, deprecations, the page."""

import re
from pathlib import Path

from graphql import (
    GraphQLEnumType,
    GraphQLInterfaceType,
    GraphQLNonNull,
    GraphQLObjectType,
    build_schema,
    get_named_type,
    is_introspection_type,
    specified_scalar_types,
)

from auth.rules import Opens, Requires
from graph.reference import reference
from graph.schema import REGISTRY, SCHEMA, sdl
from graph.types.node import global_id, read_global_id
from sandbox.personas import CLAIR_VALLON
from tests.conftest import Api

ROOT = Path(__file__).parents[2]
OURS = [
    type_
    for name, type_ in SCHEMA.type_map.items()
    if not is_introspection_type(type_) and name not in specified_scalar_types
]
OBJECTS = [type_ for type_ in OURS if isinstance(type_, (GraphQLObjectType, GraphQLInterfaceType))]
ENGLISH = re.compile(r"\b(the|with|date and|object|field|isoformat)\b", re.IGNORECASE)


def test_everything_is_described_and_in_french() -> None:
    silent = [type_.name for type_ in OURS if not type_.description]
    texts: dict[str, str | None] = {type_.name: type_.description for type_ in OURS}
    for type_ in OBJECTS:
        for name, field in type_.fields.items():
            texts[f"{type_.name}.{name}"] = field.description
            for argument, definition in field.args.items():
                texts[f"{type_.name}.{name}({argument}:)"] = definition.description
    for type_ in OURS:
        if isinstance(type_, GraphQLEnumType):
            texts.update({f"{type_.name}.{name}": value.description for name, value in type_.values.items()})
    for directive in SCHEMA.directives:
        texts[f"@{directive.name}"] = directive.description
    silent += [name for name, text in texts.items() if not text]
    assert silent == []
    standard = {"@include", "@skip", "@deprecated", "@specifiedBy", "@oneOf", "@defer", "@stream"}
    english = {name for name, text in texts.items() if text and ENGLISH.search(re.sub(r"`[^`]*`", "", text))}
    assert english - standard == set()


def test_every_dataset_field_may_be_null_and_names_its_scopes() -> None:
    for coordinate, rule in REGISTRY.rules.items():
        if isinstance(rule, (Opens, Requires)):
            type_name, _, name = coordinate.partition(".")
            parent = SCHEMA.type_map[type_name]
            assert isinstance(parent, GraphQLObjectType)
            assert not isinstance(parent.fields[name].type, GraphQLNonNull), coordinate


def test_connections_are_relay_s() -> None:
    connections = [type_ for type_ in OBJECTS if type_.name.endswith("Connection")]
    assert connections
    for connection in connections:
        assert str(connection.fields["pageInfo"].type) == "PageInfo!"
        edge = get_named_type(connection.fields["edges"].type)
        assert isinstance(edge, GraphQLObjectType)
        assert str(edge.fields["cursor"].type) == "String!"
        node = get_named_type(edge.fields["node"].type)
        assert isinstance(node, GraphQLObjectType)
        assert "Node" in {interface.name for interface in node.interfaces}


def test_every_paginated_field_demands_a_size() -> None:
    paginated = [
        (type_.name, name, field)
        for type_ in OBJECTS
        for name, field in type_.fields.items()
        if get_named_type(field.type).name.endswith("Connection")
    ]
    assert paginated
    for _, _, field in paginated:
        assert str(field.args["first"].type) == "Int!"
        assert str(field.args["after"].type) == "String"


async def test_node_gives_back_every_object_with_a_global_identifier(api: Api) -> None:
    for name, subject in (("Entreprise", CLAIR_VALLON), ("Etablissement", "35600000049837")):
        key = global_id(name, subject)
        answer = await api.ask("query($id: ID!) { node(id: $id) { __typename id } }", variables={"id": key})
        assert answer.at("node") == {"__typename": name, "id": key}
        assert read_global_id(key) == (name, subject)
    nodes = {type_.name for type_ in OBJECTS if any(face.name == "Node" for face in type_.interfaces)}
    assert nodes == {"Entreprise", "Etablissement"}


def test_a_deprecation_says_since_when_or_what_to_read_instead() -> None:
    reasons = {
        f"{type_.name}.{name}": field.deprecation_reason
        for type_ in OBJECTS
        for name, field in type_.fields.items()
        if field.deprecation_reason
    }
    assert [name for name, reason in reasons.items() if not re.search(r"`|\b20[0-9]{2}\b|au profit", reason)] == []


def test_the_printed_schema_is_the_schema() -> None:
    assert set(build_schema(sdl()).type_map) == set(SCHEMA.type_map)


def test_the_page_names_every_type_and_every_dataset_field() -> None:
    page = reference(SCHEMA, REGISTRY)
    missing = [type_.name for type_ in OBJECTS if type_.name != "Query" and f"### {type_.name}\n" not in page]
    missing += [
        name for name, rule in REGISTRY.rules.items() if isinstance(rule, Opens) and f"| `{name}` |" not in page
    ]
    assert missing == []


def test_the_page_is_the_one_in_the_repository() -> None:
    committed = (ROOT / "docs" / "schema.md").read_text(encoding="utf-8")
    assert committed == reference(SCHEMA, REGISTRY), "run `make schema`"
