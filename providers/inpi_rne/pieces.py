"""What a company filed: actes, annual accounts, and the values typed in from these. One call, two datasets.

Source: INPI, RNE API, `GET /api/companies/{siren}/attachments`. Each of the three lists may be absent. Entries are
kept as they came, so that one that can't be read fails its own dataset and not the other.
"""

from dataclasses import dataclass
from typing import Final

import httpx
import orjson

from providers import reading
from providers.declaration import Access, Call, Http, NotKept, Source
from providers.errors import NotFound, Unreadable
from providers.identifiers import Siren
from providers.inpi_rne import telechargement, wire

TYPES_DE_BILAN: Final = {
    "C": "bilan complet",
    "S": "bilan simplifié",
    "K": "bilan consolidé",
    "B": "bilan de type banque",
    "A": "bilan de type assurance",
    "AS": "bilan de type agricole simplifié",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Pieces:
    """The three lists, without the entries that were withdrawn."""

    actes: tuple[wire.Json, ...]
    bilans: tuple[wire.Json, ...]
    bilans_saisis: tuple[wire.Json, ...]


def call(key: Siren, access: Access) -> Call:
    return wire.get(access, f"/api/companies/{key}/attachments")


def parse(response: httpx.Response, _key: Siren) -> Pieces:
    wire.refuse_other_than_ok(response, internal="000")
    try:
        body = wire.json_value(response.content)
    except orjson.JSONDecodeError:
        raise Unreadable from None
    if body in ({}, []):
        raise NotFound
    if not isinstance(body, dict) or not body.keys() & {"actes", "bilans", "bilansSaisis"}:
        raise Unreadable
    return Pieces(
        actes=_living(body, "actes"), bilans=_living(body, "bilans"), bilans_saisis=_living(body, "bilansSaisis")
    )


def _living(body: wire.Json, name: str) -> tuple[wire.Json, ...]:
    return tuple(entry for entry in reading.nodes(body, name) if not reading.flag(entry, "deleted"))


PIECES: Final[Source[Siren, Pieces]] = Source(
    id="inpi_rne.pieces",
    how=Http(call=call, parse=parse, bulk=None, steps=1),
    timeouts=wire.TIMEOUTS,
    life=NotKept(),
    not_found_life=NotKept(),
    completion=None,
    max_bytes=64_000_000,
    download=telechargement.DOWNLOAD,
)
