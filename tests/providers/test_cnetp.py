"""CNETP's oddities: secrets in the query string, a "not found" dressed as a PDF, 401 for maintenance."""

import asyncio
from datetime import UTC, datetime, time, timedelta

import httpx
import pytest
import strawberry
from starlette.applications import Starlette

from providers.attestation import Situation
from providers.cnetp import CNETP
from providers.cnetp.attestation_conges_payes import SOURCE, call, parse
from providers.declaration import Access, Delivered
from providers.errors import InMaintenance, NotFound
from providers.identifiers import Siren
from providers.record import Document
from sandbox.cnetp import ROUTES
from sandbox.personas import UNKNOWN, named

SETTINGS = {setting.name: setting.default for setting in CNETP.settings} | {"url": "http://testserver"}
TERRASSEMENT = Siren(named("terrassement").siren)
PDF = b"%PDF-1.4\n%%EOF"


def access(**settings: str) -> Access:
    return Access(settings={**SETTINGS, **settings}, session="", recipient="")


def ask(siren: str, **settings: str) -> httpx.Response:
    """The simulator's answer to the room's own request, without any socket."""
    made = call(Siren(siren), access(**settings))

    async def sent() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(Starlette(routes=ROUTES))) as client:
            return await client.request(made.method, made.url, params=made.params, headers=made.headers)

    return asyncio.run(sent())


def test_both_secrets_travel_in_the_query_string() -> None:
    made = call(TERRASSEMENT, access(numero_client="n", jeton="j"))
    assert made.url == "http://testserver/webservice/doc/attestations/entreprises"
    assert made.params == (("id", "n"), ("jeton", "j"), ("siren", TERRASSEMENT))
    assert made.headers == (("Content-Type", "application/octet-stream"),)
    assert {setting.name for setting in CNETP.settings if setting.secret} == {"numero_client", "jeton"}


def test_a_certificate_is_kept_a_day_and_never_cached() -> None:
    answer = parse(ask(TERRASSEMENT), TERRASSEMENT)
    assert isinstance(answer, Delivered)
    assert (answer.file.name, answer.file.kept_for) == ("certificat_cnetp.pdf", timedelta(seconds=86_400))
    document = Document(
        id=strawberry.ID("d"), nom=answer.file.name, type=answer.file.media_type, taille=1, sha256="", expire_le=datetime(2030, 1, 1, tzinfo=UTC)
    )  # fmt: skip
    value = answer.attach(document)
    assert (value.situation, value.document) == (Situation.DELIVREE, document)
    now = datetime(2025, 3, 4, tzinfo=UTC)
    assert SOURCE.life.until(now) == now


def test_not_found_is_told_by_the_status_alone() -> None:
    response = ask(UNKNOWN)
    assert response.headers["content-type"] == "application/pdf;charset=ISO-8859-1"
    with pytest.raises(UnicodeDecodeError):
        response.content.decode()
    for answer in (response, httpx.Response(404, content=PDF), httpx.Response(404)):
        with pytest.raises(NotFound, match="ne prouve aucune dette"):
            parse(answer, TERRASSEMENT)


def test_the_daily_window() -> None:
    (window,) = CNETP.maintenance
    assert (window.start, window.end, window.weekday, window.day) == (time(6), time(6, 30), None, None)


def test_wrong_secrets_are_answered_as_maintenance() -> None:
    with pytest.raises(InMaintenance):
        parse(ask(TERRASSEMENT, jeton="autre"), TERRASSEMENT)
