"""What each named profile of the settings means for the endpoint (see `docs/decisions/0020-profiles.md`)."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from settings.surface import Profile


@dataclass(frozen=True, kw_only=True, slots=True)
class Surface:
    """What the endpoint receives."""

    get: bool
    """Queries by GET."""
    locked: bool
    """Nothing but registered documents, for every token and not only for the locked ones."""


SURFACES: Mapping[Profile, Surface] = MappingProxyType({
    Profile.OUVERT: Surface(get=True, locked=False),
    Profile.PRODUCTION: Surface(get=False, locked=False),
    Profile.VERROUILLE: Surface(get=False, locked=True),
})  # fmt: skip
