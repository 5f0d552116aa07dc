"""What the public doesn't see of an entity in partial diffusion, where the provider has no diffusion status of its own.

INSEE alone knows whether a person objected to the publication of who and where it is: these masks are applied unless
INSEE says that the unit is fully open (`Opening.by_diffusion`). An agent entitled to INSEE's protected part sees all.
"""

from typing import Final

from auth.scopes import ENTREPRISES, ETABLISSEMENTS, UNITES_LEGALES_ETABLISSEMENTS_INSEE

HIDDEN: Final = "[ND]"
"""What stands in the place of a text that is there and not for the public: INSEE's own literal."""

LIFTED_BY: Final = frozenset({UNITES_LEGALES_ETABLISSEMENTS_INSEE, ENTREPRISES, ETABLISSEMENTS})
"""The scopes whose holders read through no mask."""


def hidden(value: str | None) -> str | None:
    """The same, less what it says."""
    return HIDDEN if value else value
