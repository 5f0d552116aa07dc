"""The whole record of a company at the register: one call, from which two datasets are read.

Source: INPI, RNE API, `GET /api/companies/{siren}`, and the search `GET /api/companies?siren[]=…` for many.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import time
from typing import Any, Final

import httpx
import orjson

from providers import reading
from providers.declaration import Access, Bulk, Call, Http, NotKept, Source, UntilTomorrow
from providers.errors import NotFound, ProviderError, Unavailable, Unreadable
from providers.identifiers import Siren
from providers.inpi_rne import telechargement, wire
from providers.inpi_rne.controle import BeneficiairesEffectifs, beneficiaires
from providers.inpi_rne.extrait import ExtraitRne, extrait

BATCH: Final = 20
"""The register takes a hundred SIRENs, but runs out of memory on large companies: their records are huge."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Fiche:
    """One company, before any choice of what is shown of it."""

    extrait: ExtraitRne
    beneficiaires: BeneficiairesEffectifs | None


# --- How to ask ----------------------------------------------------------------------------------


def call(key: Siren, access: Access) -> Call:
    return wire.get(access, f"/api/companies/{key}")


def call_bulk(keys: Sequence[Siren], access: Access) -> Call:
    sirens = (("siren[]", str(key)) for key in keys)
    return wire.get(access, "/api/companies", ("page", "1"), ("pageSize", str(len(keys))), *sirens)


# --- How to read ---------------------------------------------------------------------------------


def parse(response: httpx.Response, key: Siren) -> Fiche:
    body = _body(response)
    if not isinstance(body, dict):
        raise Unreadable
    return _fiche(body, key)


def parse_bulk(response: httpx.Response, keys: Sequence[Siren]) -> Mapping[Siren, Fiche | ProviderError]:
    """The companies that the answer holds; the others are not found.

    When the register runs out of memory on a batch, nothing is said of any key: each is then asked alone.
    """
    if response.status_code == 500 and b"memory" in response.content.lower():
        return {}
    bodies = _body(response)
    if not isinstance(bodies, list):
        raise Unreadable
    found: dict[Siren, Fiche | ProviderError] = {key: NotFound() for key in keys}
    for body in bodies:
        siren = body.get("siren") if isinstance(body, dict) else None
        key = Siren(siren) if isinstance(siren, str) else None
        if key in found:
            found[key] = _fiche_or_error(body, key)
    return found


def _fiche_or_error(body: wire.Json, key: Siren) -> Fiche | ProviderError:
    try:
        return _fiche(body, key)
    except ProviderError as error:
        return error


def _body(response: httpx.Response) -> Any:
    wire.refuse_other_than_ok(response, internal="999")
    try:
        return wire.json_value(response.content)
    except orjson.JSONDecodeError:
        # The page of the firewall, in the place of an answer.
        raise Unavailable from None


def _fiche(body: wire.Json, key: Siren) -> Fiche:
    answered = reading.text(reading.node(body, "formality"), "siren") or reading.text(body, "siren")
    # A company's record must never be shown as another's.
    if answered != key:
        raise Unreadable
    return Fiche(extrait=extrait(body, key), beneficiaires=beneficiaires(body))


FICHE: Final[Source[Siren, Fiche]] = Source(
    id="inpi_rne.fiche",
    how=Http(
        call=call,
        parse=parse,
        bulk=Bulk(size=BATCH, call=call_bulk, parse=parse_bulk, missing_alone=True),
        steps=1,
    ),
    timeouts=wire.TIMEOUTS,
    # The register is updated at night.
    life=UntilTomorrow(time(3)),
    not_found_life=NotKept(),
    completion=None,
    max_bytes=64_000_000,
    download=telechargement.DOWNLOAD,
)
