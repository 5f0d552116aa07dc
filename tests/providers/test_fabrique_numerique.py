"""siret2idcc's oddities: always an array, many SIRETs in one path, sparse entries."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from providers.declaration import Access, Call
from providers.errors import NotFound, ProviderError, TimedOut, Unavailable, Unreadable
from providers.fabrique_numerique.conventions_collectives import (
    SOURCE,
    ConventionCollective,
    ConventionsCollectives,
    call,
    call_bulk,
    parse,
    parse_bulk,
)
from providers.identifiers import Siret
from sandbox.fabrique_numerique import ROUTES
from sandbox.personas import company, named, with_check_digit

ACCESS = Access(settings={"url": "http://testserver/api/v2"}, session="", recipient="")
FORMER, HEAD = (Siret(site.siret) for site in named("clair-vallon").sites)
NOBODY = Siret("00000000000000")


def send(made: Call) -> httpx.Response:
    """The simulator's answer, without any socket."""

    async def sent() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(Starlette(routes=ROUTES))) as client:
            return await client.request(made.method, made.url, headers=made.headers)

    return asyncio.run(sent())


def of(slug: str) -> ConventionsCollectives:
    siret = Siret(named(slug).head_office.siret)
    return parse(send(call(siret, ACCESS)), siret)


def convention(**values: Any) -> ConventionCollective:
    body = [{"siret": HEAD, "conventions": [{"num": 16, **values}]}]
    return parse(httpx.Response(200, json=body), HEAD).items[0]


# --- One establishment ---------------------------------------------------------------------------


def test_whole_and_sparse_entries() -> None:
    (whole,) = of("clair-vallon").items
    assert (whole.numero_idcc, whole.etat, whole.date_publication) == (9412, "vigueur_etendue", date(1994, 6, 14))
    assert whole.titre is not None
    assert whole.titre.endswith("1994. \nMise à jour par avenant.")
    assert whole.titre_court == "Ameublement artisanal"
    (sparse,) = parse(send(call(FORMER, ACCESS)), FORMER).items
    assert (sparse.etat, sparse.date_publication, sparse.synonymes) == (None, None, [])
    assert (sparse.numero_idcc, sparse.idcc, sparse.internal_id) == (877, "0877", "KALICONT000000009412-877")


def test_the_number_is_an_integer_or_a_text() -> None:
    for number in (16, "16", "0016"):
        read = convention(num=number)
        assert (read.numero_idcc, read.idcc) == (16, "0016")
    for number in (None, "", "a", "²", True, 0, -1, 1.5, 10**12, "9" * 5000, [16]):
        with pytest.raises(Unreadable):
            convention(num=number)


def test_states() -> None:
    states = [convention(etat=state).etat for state in ("VIGUEUR", "VIGUEUR_ETEN", "DENONCE", None)]
    assert states == ["vigueur", "vigueur_etendue", "DENONCE", None]


@pytest.mark.parametrize(
    "values",
    [{"title": {}}, {"active": "oui"}, {"synonymes": "a"}, {"synonymes": [1]}, {"date_publi": "hier"}, {"url": 1}],
)
def test_wrong_types(values: dict[str, Any]) -> None:
    with pytest.raises(Unreadable):
        convention(**values)


@pytest.mark.parametrize("item", [{}, {"conventions": []}, {"conventions": None, "siret": HEAD}])
def test_nothing_known(item: dict[str, Any]) -> None:
    with pytest.raises(NotFound):
        parse(httpx.Response(200, json=[item]), HEAD)


@pytest.mark.parametrize(
    "body",
    [
        b"", b"[]", b"{}", b"null", b"<html>", b"[1]", b"[null]", b'[{"conventions":1}]', b'[{"conventions":{}}]',
        b'[{"conventions":[1]}]', b'[{"conventions":[{}]}]', b"[" * 100_000,
        b'[{"conventions":[],"siret":"00000000000000"}]',
    ],
)  # fmt: skip
def test_what_is_not_understood(body: bytes) -> None:
    with pytest.raises(Unreadable):
        parse(httpx.Response(200, content=body), HEAD)


@pytest.mark.parametrize(
    ("status", "error", "subcode"),
    [
        (302, Unavailable, "000"), (400, Unreadable, "999"), (404, NotFound, "003"), (422, Unreadable, "999"),
        (429, Unreadable, "999"), (500, Unreadable, "999"), (502, Unavailable, "001"), (503, Unavailable, "001"),
        (504, TimedOut, "002"),
    ],
)  # fmt: skip
def test_statuses(status: int, error: type[ProviderError], subcode: str) -> None:
    with pytest.raises(error) as raised:
        parse(httpx.Response(status, content=b"<html>"), HEAD)
    assert (type(raised.value), raised.value.subcode) == (error, subcode)


def test_kept_a_day_absences_too() -> None:
    now = datetime(2025, 3, 4, tzinfo=UTC)
    assert SOURCE.life.until(now) == SOURCE.not_found_life.until(now) == now + timedelta(days=1)


# --- Many establishments -------------------------------------------------------------------------


def test_a_batch_is_one_path_that_stays_short() -> None:
    bulk = getattr(SOURCE.how, "bulk", None)
    assert bulk is not None
    made = call_bulk([HEAD] * bulk.size, ACCESS)
    assert made.url.count(",") == bulk.size - 1
    assert len(made.url.removeprefix("http://testserver/api/v2/")) < 1500


def test_a_batch_is_read_by_siret() -> None:
    group = [Siret(site.siret) for site in named("groupe").sites[:3]]
    keys = [*group, NOBODY, HEAD]
    found = parse_bulk(send(call_bulk(keys, ACCESS)), keys)
    assert set(found) == set(keys)
    assert isinstance(found[NOBODY], NotFound)
    assert all(isinstance(found[key], ConventionsCollectives) for key in (*group, HEAD))
    assert found[HEAD] == of("clair-vallon")


def test_one_bad_item_spoils_no_other() -> None:
    body = [1, {"siret": [HEAD]}, {"siret": "abc", "conventions": []}, {"siret": FORMER, "conventions": [{"num": 1}]},
            {"siret": HEAD, "conventions": 3}, {"siret": FORMER, "conventions": []}]  # fmt: skip
    found = parse_bulk(httpx.Response(200, json=body), [HEAD, FORMER, NOBODY])
    assert isinstance(found[HEAD], Unreadable)
    assert isinstance(found[FORMER], ConventionsCollectives)
    assert NOBODY not in found  # asked alone


def test_a_whole_batch_fails_or_is_not_found() -> None:
    assert isinstance(parse_bulk(httpx.Response(404, text="<html>"), [HEAD])[HEAD], NotFound)
    for response in (httpx.Response(200, json=[]), httpx.Response(500), httpx.Response(200, content=b"x")):
        with pytest.raises(Unreadable):
            parse_bulk(response, [HEAD])


# --- The simulator -------------------------------------------------------------------------------


def test_the_wire() -> None:
    response = send(call(HEAD, ACCESS))
    assert response.headers["etag"].startswith('W/"')
    assert response.headers["access-control-allow-origin"] == "*"
    malformed = send(Call(method="GET", url="http://testserver/api/v2/abc,000"))
    assert malformed.json() == [{"conventions": [], "siret": "abc"}, {"conventions": [], "siret": "000"}]
    assert send(Call(method="GET", url="http://testserver/healthz")).json() == {"success": True}


def test_fates() -> None:
    for slug, error in (
        ("kerdoncuf", NotFound),
        ("doublon", NotFound),
        ("interdite", NotFound),
        ("en-panne", Unavailable),
    ):
        with pytest.raises(error):
            of(slug)


def test_a_company_that_is_down_does_not_take_the_others_with_it() -> None:
    down = Siret(named("en-panne").head_office.siret)
    found = parse_bulk(send(call_bulk([HEAD, down], ACCESS)), [HEAD, down])
    assert set(found) == {HEAD}


def test_random_companies_have_none_one_or_several() -> None:
    counts = []
    for number in range(120):
        known = company(with_check_digit(f"{60000000 + number * 7919}"))
        assert known is not None
        siret = Siret(known.head_office.siret)
        try:
            counts.append(len(parse(send(call(siret, ACCESS)), siret).items))
        except NotFound:
            counts.append(0)
    assert set(counts) == {0, 1, 2}
    assert counts.count(0) < 50
