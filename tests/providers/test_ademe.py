"""ADEME's oddities: a history to be filtered, a cursor never called as given, a column of two types, a day in Paris."""

import asyncio
from collections import Counter
from datetime import date

import httpx
import pytest
from starlette.applications import Starlette

from providers.ademe import ADEME, wire
from providers.ademe.certification_rge import CertificationRge, call, call_bulk, parse, parse_bulk
from providers.declaration import Access, Call, Follow
from providers.errors import NotFound, ProviderError, Unavailable, Unreadable
from providers.identifiers import Siret
from sandbox.ademe import ROUTES
from sandbox.personas import named, siret_of, with_check_digit

CLAIR_VALLON = Siret(named("clair-vallon").head_office.siret)
TERRASSEMENT = Siret(named("terrassement").head_office.siret)
GAEC = Siret(named("gaec").head_office.siret)
SETTINGS = {"url": "http://testserver", "api_key": "", "referer": "https://graphe-entreprise.exemple.fr"}


def access(**settings: str) -> Access:
    return Access(settings={**SETTINGS, **settings}, session="", recipient="")


def send(made: Call) -> httpx.Response:
    """The simulator's answer, without any socket."""

    async def sent() -> httpx.Response:
        transport = httpx.ASGITransport(Starlette(routes=ROUTES))
        async with httpx.AsyncClient(transport=transport) as client:
            return await client.request(made.method, made.url, params=made.params, headers=made.headers)

    return asyncio.run(sent())


def ask(siret: str) -> CertificationRge | Follow[CertificationRge]:
    return parse(send(call(Siret(siret), access())), Siret(siret))


# --- The requests --------------------------------------------------------------------------------


def test_only_current_lines_are_asked_for() -> None:
    made = call(CLAIR_VALLON, access())
    assert made.params == (("size", "1000"), ("qs", f"siret:{CLAIR_VALLON} AND traitement_termine:false"))
    assert dict(made.headers) == {"Content-Type": "application/json", "Referer": SETTINGS["referer"]}
    assert ("x-apiKey", "cle") in call(CLAIR_VALLON, access(api_key="cle")).headers
    assert [name for name, _ in call(CLAIR_VALLON, access(referer="")).headers] == ["Content-Type"]


def test_many_establishments_are_asked_at_once() -> None:
    made = call_bulk([CLAIR_VALLON, GAEC], access())
    assert dict(made.params)["qs"] == f"siret:({CLAIR_VALLON} OR {GAEC}) AND traitement_termine:false"
    assert dict(made.params)["size"] == "10000"


def test_the_next_page_is_asked_by_its_cursor_at_our_own_address() -> None:
    line = {"siret": CLAIR_VALLON, "_id": "1"}
    body = {"total": 2, "results": [line], "next": "http://127.0.0.1:9/vol?after=1700%2C1&size=9"}
    first = parse(httpx.Response(200, json=body), CLAIR_VALLON)
    assert isinstance(first, Follow)
    made = first.call(access())
    assert made.url.startswith("http://testserver/data-fair/")
    assert made.params[-1] == ("after", "1700,1")
    last = first.parse(httpx.Response(200, json={"total": 2, "results": [{**line, "_id": "2"}]}))
    assert isinstance(last, CertificationRge)
    assert [item.meta.internal_id for item in last.items] == ["1", "2"]


# --- The answers ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("instant", "day"),
    [
        ("2023-05-03T23:10:00.000Z", date(2023, 5, 4)),
        ("2023-05-03T21:59:59.000Z", date(2023, 5, 3)),
        ("2023-01-03T22:10:00.000Z", date(2023, 1, 3)),
        ("2023-01-03T23:00:00+00:00", date(2023, 1, 4)),
        ("2023-01-03T23:00:00", date(2023, 1, 4)),
        ("", None),
    ],
)
def test_a_change_is_dated_in_paris(instant: str, day: date | None) -> None:
    assert wire.paris_day({"_updatedAt": instant}, "_updatedAt") == day


@pytest.mark.parametrize("instant", ["9999-12-31T23:59:59Z", "demain", "2023-02-30T10:00:00Z"])
def test_an_impossible_instant_is_unreadable(instant: str) -> None:
    with pytest.raises(Unreadable):
        wire.paris_day({"_updatedAt": instant}, "_updatedAt")


def test_a_deeply_nested_body_is_unreadable() -> None:
    with pytest.raises(Unreadable):
        parse(httpx.Response(200, content=b'{"results":' + b"[" * 100_000), CLAIR_VALLON)


# --- The simulator -------------------------------------------------------------------------------


def test_the_simulator_accepts_the_defaults_of_the_room() -> None:
    defaults = {setting.name: setting.default for setting in ADEME.settings if setting.name != "url"}
    assert isinstance(parse(send(call(CLAIR_VALLON, access(**defaults))), CLAIR_VALLON), CertificationRge)
    with pytest.raises(Unreadable):
        parse(send(call(CLAIR_VALLON, access(api_key="autre"))), CLAIR_VALLON)


def test_twelve_lines_are_given_without_size_and_history_without_filter() -> None:
    found = send(Call(method="GET", url=call(CLAIR_VALLON, access()).url, params=(("qs", f"siret:{CLAIR_VALLON}"),)))
    assert {line["traitement_termine"] for line in found.json()["results"]} == {True, False}


def test_pages_of_the_simulator_are_followed() -> None:
    whole = ask(CLAIR_VALLON)
    assert isinstance(whole, CertificationRge)
    step = wire.page(send(wire.lines(access(), [CLAIR_VALLON], 1, None)))
    ids = []
    while not step.all_read(len(ids) + len(step.lines)):
        ids += [line["_id"] for line in step.lines]
        step = wire.page(send(wire.lines(access(), [CLAIR_VALLON], 1, step.after())))
    ids += [line["_id"] for line in step.lines]
    assert ids == [item.meta.internal_id for item in whole.items]


def test_bulk_and_single_agree() -> None:
    keys = [CLAIR_VALLON, GAEC, TERRASSEMENT]
    found = parse_bulk(send(call_bulk(keys, access())), keys)
    assert found[CLAIR_VALLON] == ask(CLAIR_VALLON)
    assert found[TERRASSEMENT] == ask(TERRASSEMENT)
    assert isinstance(found[GAEC], NotFound)


def test_fates() -> None:
    for slug, error in (("en-panne", Unavailable), ("interdite", NotFound), ("doublon", NotFound), ("gaec", NotFound)):
        with pytest.raises(error):
            ask(named(slug).head_office.siret)
    # A company in failure cuts the answer for many: each is then asked alone.
    keys = [CLAIR_VALLON, Siret(named("en-panne").head_office.siret)]
    assert parse_bulk(send(call_bulk(keys, access())), keys) == {}


def test_random_establishments_have_every_documented_outcome() -> None:
    outcomes: Counter[str] = Counter()
    for number in range(200):
        try:
            value = ask(siret_of(with_check_digit(f"{60000000 + number * 7919}"), 1))
        except ProviderError as error:
            outcomes[type(error).__name__] += 1
            continue
        assert isinstance(value, CertificationRge)
        outcomes["certified"] += 1
        outcomes["several domains"] += any(len(item.domaines) > 1 for item in value.items)
        outcomes["endless"] += any(item.date_expiration is None for item in value.items)
        outcomes["no address"] += any(item.url is None for item in value.items)
    assert set(outcomes) == {"certified", "several domains", "endless", "no address", "NotFound"}
    assert outcomes["certified"] > 130
