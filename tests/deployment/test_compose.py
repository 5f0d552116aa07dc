"""docker-compose.yml and the Dockerfile hold together, without an engine: structure, commands, variables."""

import re
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from cli.commands import app
from settings import PREFIX, Settings

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES: dict[str, Any] = COMPOSE["services"]
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")


def graphe_commands() -> set[str]:
    group = typer.main.get_command(app)
    return set(group.commands)  # type: ignore[attr-defined]


def test_the_services_are_those_of_production() -> None:
    assert set(SERVICES) == {"migrer", "api", "sandbox", "postgres", "redis"}
    assert SERVICES["api"]["deploy"]["replicas"] == 2
    low, high = re.fullmatch(r"127\.0\.0\.1:(\d+)-(\d+):8000", SERVICES["api"]["ports"][0]).groups()  # type: ignore[union-attr]
    assert int(high) - int(low) + 1 == 2, "one published port a replica"


@pytest.mark.parametrize(
    "name", [name for name, service in SERVICES.items() if service.get("image") == "graphe-entreprise"]
)
def test_each_of_our_commands_exists(name: str) -> None:
    program, command, *rest = SERVICES[name]["command"]
    assert program == "graphe"
    assert command in graphe_commands()
    assert rest == []


@pytest.mark.parametrize("name", SERVICES)
def test_what_a_service_waits_for_exists_and_can_become_so(name: str) -> None:
    for other, wait in SERVICES[name].get("depends_on", {}).items():
        assert other in SERVICES
        if wait["condition"] == "service_healthy":
            assert "healthcheck" in SERVICES[other]
        if wait["condition"] == "service_completed_successfully":
            assert SERVICES[other]["restart"] == "no"


@pytest.mark.parametrize("name", [name for name, service in SERVICES.items() if "environment" in service])
def test_every_variable_is_a_setting(name: str) -> None:
    for variable in SERVICES[name]["environment"]:
        if variable.startswith(PREFIX):
            assert variable.removeprefix(PREFIX).lower() in Settings.model_fields, variable


def test_no_secret_is_written_down() -> None:
    for name, value in SERVICES["api"]["environment"].items():
        if "KEY" in name or "SECRET" in name:
            assert value.startswith("${") and ":?" in value
    assert all(
        volume.split(":")[0] in COMPOSE["volumes"]
        for service in SERVICES.values()
        for volume in service.get("volumes", [])
    )


def test_the_image_holds_every_package_of_the_project() -> None:
    import tomllib

    packages = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["hatch"]["build"][
        "targets"
    ]["wheel"]["packages"]
    copied = set(re.findall(r"^COPY (\w+) \1$", DOCKERFILE, re.MULTILINE))
    assert copied == set(packages)
