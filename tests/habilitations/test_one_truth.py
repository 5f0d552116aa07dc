"""What is enforced is what is printed, shown and written: registry, SDL, catalogue and the committed page say one thing."""

import re
from pathlib import Path

from graphql import GraphQLSchema, build_schema

from auth.rules import Opens
from auth.scopes import ANY_TOKEN
from graph.rights_page import page
from graph.schema import REGISTRY, sdl
from tests.conftest import Api

PAGE = Path(__file__).parents[2] / "docs" / "habilitations.md"


def scopes_of_the_sdl(schema: GraphQLSchema) -> dict[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    for type_ in schema.type_map.values():
        for name, field in getattr(type_, "fields", {}).items():
            for directive in getattr(field.ast_node, "directives", None) or ():
                if directive.name.value == "authenticated":
                    found[f"{type_.name}.{name}"] = frozenset({ANY_TOKEN})
                elif directive.name.value == "requiresScopes":
                    found[f"{type_.name}.{name}"] = frozenset(
                        item.values[0].value for item in directive.arguments[0].value.values
                    )
    return found


def test_the_sdl_says_what_the_registry_enforces() -> None:
    enforced = {name: rule.scopes for name, rule in REGISTRY.protected().items()}
    assert scopes_of_the_sdl(build_schema(sdl())) == enforced


def test_the_description_of_each_protected_field_names_its_scopes() -> None:
    from graph.schema import SCHEMA

    for coordinate, rule in REGISTRY.protected().items():
        type_, _, name = coordinate.partition(".")
        described = SCHEMA.type_map[type_].fields[name].description or ""  # type: ignore[union-attr]
        assert set(re.findall(r"`(\w+)`", described.rpartition("Habilitation :")[2])) == rule.scopes - {ANY_TOKEN}


async def test_the_catalogue_says_what_the_registry_enforces(api: Api) -> None:
    answer = await api.ask("{ jeuxDeDonnees { id habilitations } }")
    shown = {item["id"]: frozenset(item["habilitations"]) for item in answer.at("jeuxDeDonnees")}
    enforced = {rule.dataset.id: rule.scopes for rule in REGISTRY.rules.values() if isinstance(rule, Opens)}
    assert {name: shown[name] for name in enforced} == enforced


def test_the_committed_page_is_the_one_of_the_registry() -> None:
    written = PAGE.read_text(encoding="utf-8")
    assert written == page(REGISTRY) + "\n", "run « graphe jetons droits --fichier docs/habilitations.md »"
    rows = {
        match[1]: line.split("|")
        for line in written.splitlines()
        if (match := re.match(r"\| [^|]*\(`([a-z_]+\.[a-z_]+)`\)", line))
    }
    for coordinate, rule in REGISTRY.rules.items():
        if isinstance(rule, Opens):
            row = rows[rule.dataset.id]
            assert f"`{coordinate}`" in row[2]
            assert set(re.findall(r"`(\w+)`", row[3] + row[4])) == rule.scopes - {ANY_TOKEN}
