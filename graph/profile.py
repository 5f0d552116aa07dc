"""The profile query: what `graphe profil`, the demo and GraphiQL's first tab ask."""

from datetime import date
from pathlib import Path

PROFILE_QUERY = (Path(__file__).parent / "profile.graphql").read_text(encoding="utf-8")
"""One query over every dataset of a company; it declares `$siren`, and `$annee` and `$mois` with a default."""

_RETURNS_FILED = 7
"""From July on, tax returns of last year are filed and may be read."""


def profile_variables(siren: str, today: date) -> dict[str, str | int]:
    """The variables of the profile of that company; the year is the last one that every provider should know."""
    return {"siren": siren, "annee": today.year - (1 if today.month >= _RETURNS_FILED else 2), "mois": 12}
