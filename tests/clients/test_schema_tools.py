"""The tools that judge a schema: the linter with its few waivers, and the gate against breaking changes."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.clients.conftest import NODE, Run, lines

WAIVERS = json.loads((NODE / "waivers.json").read_text(encoding="utf-8"))
ROOT = Path(__file__).parents[2]


def linted(tool: Run, schema: Path) -> list[tuple[str, str]]:
    """Every finding of the linter, as (rule, message)."""
    copy = NODE / f"schema-{os.getpid()}.graphql"  # the linter reads no file outside of its folder
    shutil.copy(schema, copy)
    try:
        done = tool("eslint", "--format", "json", copy.name, env={**os.environ, "SDL": copy.name})
    finally:
        copy.unlink()
    return [(str(found["ruleId"]), found["message"]) for file in json.loads(done.stdout) for found in file["messages"]]


def waived(rule: str, message: str) -> bool:
    return any(waiver["rule"] == rule and waiver["match"] in message for waiver in WAIVERS)


def test_the_linter_finds_nothing_but_what_is_waived(node: Run, tool: Run, schema_file: Path) -> None:
    found = linted(tool, schema_file)
    assert [one for one in found if not waived(*one)] == []
    unused = [waiver for waiver in WAIVERS if not any(waived(*one) and one[0] == waiver["rule"] for one in found)]
    assert unused == [], "a waiver that waives nothing must go"


def test_the_linter_would_find_a_field_without_description(node: Run, tool: Run, schema_file: Path) -> None:
    text = schema_file.read_text(encoding="utf-8")
    bare = text.replace("type Moi {", "type Moi {\n  sansDescription: Int")
    assert bare != text
    schema_file.write_text(bare, encoding="utf-8")
    assert [one for one in linted(tool, schema_file) if not waived(*one)] != []


def test_no_change_breaks_the_clients_of_the_last_commit(node: Run, schema_file: Path, tmp_path: Path) -> None:
    shown = subprocess.run(["git", "show", "HEAD:schema.graphql"], cwd=ROOT, capture_output=True, check=False)
    if shown.returncode != 0:
        pytest.skip("no git history here: nothing to compare the schema with")
    before = tmp_path / "avant.graphql"
    before.write_bytes(shown.stdout)
    assert lines(node("inspector.mjs", before, schema_file)) == []


def test_the_gate_sees_a_field_that_went_and_an_argument_that_is_now_required(
    node: Run, schema_file: Path, tmp_path: Path
) -> None:
    text = schema_file.read_text(encoding="utf-8")
    broken = tmp_path / "apres.graphql"
    assert "  joursRestants: Int!" in text
    broken.write_text(text.replace("  joursRestants: Int!", "  joursQuiRestent: Int!"), encoding="utf-8")
    (change,) = lines(node("inspector.mjs", schema_file, broken))
    assert change["type"] == "FIELD_REMOVED"
