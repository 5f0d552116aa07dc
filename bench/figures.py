"""Where figures are kept: one JSON file per measure, with the command and the day that made it."""

import json
import platform
import sys
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

FOLDER = Path(__file__).parent / "figures"
console = Console(width=150)


def show(title: str, rows: list[dict], *, command: str, note: str = "") -> None:
    """Print a table and keep it in `bench/figures/`."""
    table = Table(title=title, title_justify="left")
    for name in rows[0]:
        table.add_column(name, justify="left" if isinstance(rows[0][name], str) else "right")
    for row in rows:
        table.add_row(*(_text(value) for value in row.values()))
    console.print(table)
    if note:
        console.print(note)
    name = "".join(
        character if character.isalnum() else "-" for character in title.split(":", maxsplit=1)[0].lower()
    ).strip("-")
    keep(name, command, {"title": title, "note": note, "rows": rows})


def keep(name: str, command: str, figures: dict) -> None:
    """Write `bench/figures/NAME.json`: the figures, the command and the day that made them."""
    FOLDER.mkdir(exist_ok=True)
    kept = {
        "command": command, **figures,
        "day": datetime.now(UTC).date().isoformat(), "python": sys.version.split()[0], "machine": platform.machine(),
    }  # fmt: skip
    (FOLDER / f"{name}.json").write_text(json.dumps(kept, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _text(value: object) -> str:
    if isinstance(value, float):
        return f"{value:,.2f}" if abs(value) < 10 else f"{value:,.0f}"
    return f"{value:,}" if isinstance(value, int) else str(value)
