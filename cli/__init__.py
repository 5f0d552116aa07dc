"""The `graphe` command."""

from cli.commands import app


def main() -> None:
    """Entry point of the `graphe` command."""
    app()
