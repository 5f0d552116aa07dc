"""FNTP's oddities: a token in the query string, a card in chunks, an empty "not found"."""

import asyncio
from datetime import timedelta

import httpx
import pytest
from starlette.applications import Starlette

from providers.declaration import Access, Delivered
from providers.errors import Misidentified, NotFound
from providers.fntp import FNTP
from providers.fntp.carte_professionnelle import call, parse
from providers.identifiers import Siren
from sandbox.fntp import ROUTES
from sandbox.personas import UNKNOWN, named

SETTINGS = {setting.name: setting.default for setting in FNTP.settings} | {"url": "http://testserver"}
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


def test_the_token_travels_in_the_query_string() -> None:
    made = call(TERRASSEMENT, access(jeton="j"))
    assert made.url == f"http://testserver/rip/sgmap/{TERRASSEMENT}/cartepro"
    assert (made.params, made.headers) == ((("token", "j"),), (("Content-Type", "application/pdf"),))


def test_a_card_comes_without_length_nor_name() -> None:
    response = ask(TERRASSEMENT)
    assert "content-length" not in response.headers
    assert "content-disposition" not in response.headers
    answer = parse(response, TERRASSEMENT)
    assert isinstance(answer, Delivered)
    assert answer.file.name == "carte_professionnelle_fntp.pdf"
    assert answer.file.kept_for == timedelta(seconds=86_400)


def test_not_found_is_empty() -> None:
    response = ask(UNKNOWN)
    assert (response.status_code, response.content, response.headers["content-type"]) == (404, b"", "text/plain")
    with pytest.raises(NotFound, match="ne prouve aucune dette"):
        parse(response, TERRASSEMENT)


def test_a_wrong_token_is_told() -> None:
    with pytest.raises(Misidentified):
        parse(ask(TERRASSEMENT, jeton="autre"), TERRASSEMENT)
