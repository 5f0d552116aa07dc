"""The rooms whose answer is a certificate itself, or a bare status: CNETP, CIBTP and FNTP, each with its own table."""

import asyncio
from dataclasses import dataclass
from types import ModuleType

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from providers.cibtp import attestation_conges_payes as cibtp
from providers.cnetp import CNETP
from providers.cnetp import attestation_conges_payes as cnetp
from providers.declaration import Access, Provider
from providers.errors import InMaintenance, Misidentified, NotFound, ProviderError, TimedOut, Unavailable, Unreadable
from providers.fntp import FNTP
from providers.fntp import carte_professionnelle as fntp
from providers.identifiers import Siren, Siret
from sandbox.cnetp import ROUTES as CNETP_ROUTES
from sandbox.fntp import ROUTES as FNTP_ROUTES
from sandbox.personas import named, with_check_digit

PDF = b"%PDF-1.4\n%%EOF"
KEYS = {cnetp: Siren(named("terrassement").siren), cibtp: Siret(named("clair-vallon").head_office.siret), fntp: Siren(named("terrassement").siren)}  # fmt: skip
OUTAGES = [
    (301, b"", Unavailable, "000"),
    (307, b"", Unavailable, "000"),
    (502, b"", Unavailable, "001"),
    (503, PDF, Unavailable, "001"),
    (504, b"", TimedOut, "002"),
]
DOCUMENTS = [
    (200, b"", Unreadable, "056"),
    (200, b" %PDF-1.4", Unreadable, "055"),
    (200, b"%pdf-1.4", Unreadable, "055"),
    (200, b"<html>", Unreadable, "055"),
    (200, b"{}", Unreadable, "055"),
    (206, PDF, Unreadable, "999"),
]
SPOKEN = {
    cnetp: [
        (400, b"", Unreadable, "999"),
        (401, b"", InMaintenance, "020"),
        (403, PDF, Unreadable, "999"),
        (404, PDF, NotFound, "003"),
        (429, b"", Unreadable, "999"),
        (500, PDF, Unreadable, "999"),
    ],
    cibtp: [
        (400, b"{}", Unreadable, "999"),
        (401, b"", Misidentified, "006"),
        (403, b"", Unreadable, "999"),
        (404, b"", NotFound, "003"),
        (409, b"{}", Unavailable, "000"),
        (429, b"", Unreadable, "999"),
        (500, b"", Unavailable, "000"),
        (501, b"", Unreadable, "999"),
    ],
    fntp: [
        (400, b"", Unreadable, "999"),
        (401, b"", Misidentified, "006"),
        (403, b"", Misidentified, "006"),
        (404, PDF, NotFound, "003"),
        (429, b"", Unreadable, "999"),
        (500, PDF, Unavailable, "000"),
        (501, b"", Unreadable, "999"),
    ],
}
"""What each provider means by the statuses that are its own to give."""


@pytest.mark.parametrize(
    ("room", "status", "content", "error", "subcode"),
    [(room, *row) for room, rows in SPOKEN.items() for row in (*DOCUMENTS, *OUTAGES, *rows)],
)
def test_outcomes(room: ModuleType, status: int, content: bytes, error: type[ProviderError], subcode: str) -> None:
    with pytest.raises(error) as raised:
        room.parse(httpx.Response(status, content=content), KEYS[room])
    assert (type(raised.value), raised.value.subcode) == (error, subcode)


# --- Asked by SIREN, without a session -----------------------------------------------------------


@dataclass(frozen=True)
class Asked:
    """A room with its simulator; `elsewhere` is a persona of another trade, `draws` what anyone else may be answered."""

    provider: Provider
    room: ModuleType
    routes: list[Route]
    elsewhere: str
    draws: frozenset[str]

    def ask(self, siren: str, **settings: str) -> httpx.Response:
        defaults = {setting.name: setting.default for setting in self.provider.settings}
        access = Access(settings={**defaults, "url": "http://testserver", **settings}, session="", recipient="")
        made = self.room.call(Siren(siren), access)

        async def sent() -> httpx.Response:
            async with httpx.AsyncClient(transport=httpx.ASGITransport(Starlette(routes=self.routes))) as client:
                return await client.request(made.method, made.url, params=made.params, headers=made.headers)

        return asyncio.run(sent())


BY_SIREN = [
    Asked(CNETP, cnetp, CNETP_ROUTES, "clair-vallon", frozenset({"", "003", "020", "055", "056", "999"})),
    Asked(FNTP, fntp, FNTP_ROUTES, "fournil", frozenset({"", "000", "003", "055", "056"})),
]
by_siren = pytest.mark.parametrize("asked", BY_SIREN, ids=[asked.provider.id for asked in BY_SIREN])


@by_siren
def test_fates(asked: Asked) -> None:
    for slug, error in (
        ("en-defaut", NotFound), (asked.elsewhere, NotFound), ("doublon", NotFound), ("interdite", NotFound),
        ("en-panne", Unavailable),
    ):  # fmt: skip
        siren = Siren(named(slug).siren)
        with pytest.raises(error):
            asked.room.parse(asked.ask(siren), siren)


@by_siren
def test_random_companies_have_every_documented_outcome(asked: Asked) -> None:
    outcomes = []
    for number in range(160):
        siren = Siren(with_check_digit(f"{60000000 + number * 7919}"))
        try:
            asked.room.parse(asked.ask(siren), siren)
        except ProviderError as error:
            outcomes.append(error.subcode)
        else:
            outcomes.append("")
    assert set(outcomes) == asked.draws
    assert outcomes.count("") > 100
