"""Where a provider's own answer may send us: its own hosts, or a public one over TLS. Never inside our network."""

import asyncio
import ipaddress
import socket
from collections.abc import Iterable
from urllib.parse import urlsplit

from providers.errors import Unavailable, Unreadable


async def refuse_foreign(url: str, own: Iterable[str]) -> None:
    """Raises for an address that an answer gave and that must not be followed; `own` are addresses of the provider."""
    target = urlsplit(url)
    if (target.scheme, target.netloc) in {(one.scheme, one.netloc) for one in map(urlsplit, own) if one.netloc}:
        return
    if target.scheme != "https" or not target.hostname or target.username is not None:
        raise Unreadable("Le fournisseur désigne ce document par une adresse qui n'est jamais suivie.")
    try:
        found = await asyncio.get_running_loop().getaddrinfo(
            target.hostname, target.port or 443, type=socket.SOCK_STREAM
        )
    except OSError as error:
        raise Unavailable("Le nom du fournisseur n'existe pas dans l'annuaire du réseau (DNS).", "004") from error
    if not all(ipaddress.ip_address(place[4][0]).is_global for place in found):
        raise Unreadable("Le fournisseur désigne ce document par une adresse qui n'est jamais suivie.")
