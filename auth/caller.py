"""Who asks: what a valid token says of its bearer, as the road and the decision read it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network, ip_address


class Usage(StrEnum):
    """What a habilitation is for. Pre-filling happens before the user is known: public data only."""

    BACK_OFFICE = "back_office"
    PRE_REMPLISSAGE = "pre_remplissage"


@dataclass(frozen=True, kw_only=True, slots=True)
class Caller:
    """One valid token, resolved against the database. `scopes` are effective (see `auth.scopes`)."""

    jeton: str
    habilitation: str
    siret: str
    intitule: str
    usage: Usage
    scopes: frozenset[str]
    unknown_scopes: frozenset[str]
    emis_le: datetime
    expire_le: datetime
    networks: tuple[IPv4Network | IPv6Network, ...]
    quota_par_minute: int | None
    checked: bool = True
    """False while the database can't say whether this token still stands: good for public data at the most."""

    def comes_from_allowed(self, address: str) -> bool:
        """Whether the caller's address is inside one of the networks; no network means no restriction."""
        if not self.networks:
            return True
        try:
            parsed = ip_address(address)
        except ValueError:
            return False
        mapped = getattr(parsed, "ipv4_mapped", None)
        return any((mapped or parsed) in network for network in self.networks)
