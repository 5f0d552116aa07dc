"""Reviewed answers, as files: what a test compares an answer with, and the only place where it is made comparable.

`GRAPHE_SNAPSHOTS=write` writes the files instead of comparing them: read the difference before keeping it.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from tests.conftest import Answer

FOLDER = Path(__file__).parent / "snapshots"
VOLATILE = frozenset({"url", "obtenueLe", "dureeMs", "idRequete", "taille", "sha256", "locations", "reessayerDans"})
"""Links are signed, instants and durations are those of the run, and the size of a PDF that of the library's version."""


def comparable(answer: Answer) -> dict[str, Any]:
    """Data, errors and provenance of an answer, in an order of their own and without what no two runs share."""
    body = answer.body
    assert body.get("data") is not None, body
    origins = body["extensions"]["provenance"]
    return _still({
        "data": body["data"],
        "errors": sorted(body.get("errors", []), key=_place),
        "provenance": sorted(origins, key=lambda origin: [str(step) for step in origin["chemin"]]),
    })  # fmt: skip


def _place(error: Mapping[str, Any]) -> list[str]:
    return [str(step) for step in error.get("path", ())]


def _still(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: (None if item is None else "…") if key in VOLATILE else _still(item) for key, item in value.items()
        }
    if isinstance(value, list):
        return [_still(item) for item in value]
    return value


def compare(name: str, answer: Answer) -> None:
    """Assert that an answer is the reviewed one."""
    path, found = FOLDER / f"{name}.json", comparable(answer)
    if os.environ.get("GRAPHE_SNAPSHOTS") == "write":
        FOLDER.mkdir(exist_ok=True)
        path.write_bytes(orjson.dumps(found, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    assert found == orjson.loads(path.read_bytes())
