"""`make bench`: every measure in turn; `python -m bench NAME` for one; `--quick` for short runs."""

import importlib
import sys

MEASURES = (
    "profile",
    "speed",
    "client",
    "habilitations",
    "journal",
    "datasets",
    "resilience",
    "observability",
    "memory",
)


def main() -> None:
    wished = [name for name in sys.argv[1:] if not name.startswith("-")] or MEASURES
    for name in wished:
        importlib.import_module(f"bench.{name}").run(quick="--quick" in sys.argv)


if __name__ == "__main__":
    main()
