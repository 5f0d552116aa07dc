"""The PI gateway's oddities: a token shown twice that changes, replays, values alone or in lists, XML instead of JSON."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import orjson
import pytest
from starlette.applications import Starlette

from providers.declaration import Access, Call, Follow
from providers.errors import Misidentified, NotFound, ProviderError, Unavailable
from providers.identifiers import Siren
from providers.inpi import INPI, connexion
from providers.inpi.brevets import BREVETS, publication
from providers.inpi.dessins_modeles import DESSINS_MODELES
from providers.inpi.marques import MARQUES, status
from sandbox.inpi import CONDUITE, ROUTES
from sandbox.personas import named, with_check_digit

SETTINGS = {"url": "http://testserver", "username": "sandbox", "password": "sandbox"}
CLAIR_VALLON = Siren(named("clair-vallon").siren)
GROUPE = Siren(named("groupe").siren)
COLLECTIONS = (BREVETS, MARQUES, DESSINS_MODELES)


@pytest.fixture(autouse=True)
def _ordinary() -> Iterator[None]:
    yield
    CONDUITE.nodes, CONDUITE.strict = 0, False


def access(session: str = "", **settings: str) -> Access:
    return Access(settings={**SETTINGS, **settings}, session=session, recipient="")


def send(made: Call) -> httpx.Response:
    """The simulator's answer, without any socket or cookie jar."""

    async def sent() -> httpx.Response:
        transport = httpx.ASGITransport(Starlette(routes=ROUTES))
        async with httpx.AsyncClient(transport=transport) as client:
            return await client.request(made.method, made.url, headers=made.headers, json=made.json)

    return asyncio.run(sent())


def login(**settings: str) -> httpx.Response:
    allowed = access(**settings)
    return send(connexion.begin(send(connexion.call(allowed))).call(allowed))


def ask(dataset: Any, key: Siren, session: str) -> Any:
    """The whole exchange, replays included, as the road makes it."""
    how = dataset.source.how
    outcome = how.parse(send(how.call(key, access(session))), key)
    for _ in range(how.steps - 1):
        if isinstance(outcome, Follow):
            outcome = outcome.parse(send(outcome.call(access(session))))
    assert not isinstance(outcome, Follow)
    return outcome


# --- The session ---------------------------------------------------------------------------------


def test_a_login_gives_three_cookies() -> None:
    token = connexion.parse(login())
    cookies = connexion.cookies_of(token.value)
    assert cookies.xsrf != connexion.FIRST_XSRF
    assert dict(cookies.headers())["X-XSRF-TOKEN"] == cookies.xsrf
    assert f"session_token={cookies.refresh}" in dict(cookies.headers())["Cookie"]
    assert token.expires_in == timedelta(seconds=1800)


def test_a_refused_account() -> None:
    with pytest.raises(Misidentified):
        connexion.parse(login(password="faux"))


def test_tokens_in_the_body_and_no_duration() -> None:
    token = connexion.parse(httpx.Response(200, json={"access_token": "a", "refresh_token": "b"}))
    assert token.value == f"{connexion.FIRST_XSRF} a b"
    assert token.expires_in == connexion.UNSTATED


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, json={}),
        httpx.Response(200, content=b"<html>"),
        httpx.Response(200, json={"access_token": "a b", "refresh_token": "c"}),
        httpx.Response(200, json={"access_token": "a;b", "refresh_token": "c"}),
        httpx.Response(200, json={"access_token": ["a"], "refresh_token": "c"}),
        httpx.Response(403, content=b"Invalid CSRF Token"),
    ],
)
def test_a_login_without_usable_cookies(answer: httpx.Response) -> None:
    with pytest.raises(Misidentified):
        connexion.parse(answer)


def test_a_session_that_is_over_is_recognised() -> None:
    how: Any = BREVETS.source.how
    assert connexion.SESSION.refused(send(how.call(CLAIR_VALLON, access("x y z"))))


# --- On the wire ---------------------------------------------------------------------------------


@pytest.mark.parametrize("dataset", COLLECTIONS)
def test_the_titles_of_a_company(dataset: Any) -> None:
    found = ask(dataset, CLAIR_VALLON, connexion.parse(login()).value)
    assert (found.count, len(found.items), found.complet) == (2, 2, False)


def test_twenty_of_many() -> None:
    found = ask(MARQUES, GROUPE, connexion.parse(login()).value)
    assert (found.count, len(found.items)) == (31, 20)
    assert {mark.status for mark in found.items} <= {"Marque enregistrée", "Demande publiée"}


def test_a_patent_is_read_whole() -> None:
    patent = ask(BREVETS, CLAIR_VALLON, connexion.parse(login()).value).items[0]
    assert patent.numero_publication == f"FR{patent.numero_brevet}A1"
    assert patent.date_depot < patent.date_publication
    assert "&" not in patent.titre.replace("& ", "")


def test_a_token_that_was_passed_over_is_replaced_by_the_newest() -> None:
    session = connexion.parse(login()).value
    CONDUITE.strict = True
    for dataset in COLLECTIONS:  # each answer makes the session's own token older
        assert ask(dataset, CLAIR_VALLON, session).count == 2


def test_a_node_without_the_service_is_asked_again_once() -> None:
    session = connexion.parse(login()).value
    CONDUITE.nodes = 1
    assert ask(BREVETS, CLAIR_VALLON, session).count == 2
    CONDUITE.nodes = 2
    with pytest.raises(Unavailable):
        ask(BREVETS, CLAIR_VALLON, session)


@pytest.mark.parametrize("slug", ["doublon", "kerdoncuf", "interdite"])
def test_nothing_found(slug: str) -> None:
    with pytest.raises(NotFound):
        ask(BREVETS, Siren(named(slug).siren), connexion.parse(login()).value)


def test_a_gateway_that_is_down() -> None:
    with pytest.raises(Unavailable):
        ask(BREVETS, Siren(named("en-panne").siren), connexion.parse(login()).value)


def test_every_random_company_is_read() -> None:
    session, found = connexion.parse(login()).value, 0
    for number in range(60):
        for dataset in COLLECTIONS:
            try:
                ask(dataset, Siren(with_check_digit(f"612{number:05d}")), session)
                found += 1
            except (NotFound, Unavailable):
                continue
    assert 20 < found < 160


# --- Reading -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "label"),
    [
        ("MARQUE_ENREGISTRÉE", "Marque enregistrée"),
        ("Marque enregistrée", "Marque enregistrée"),
        ("RETIRÉE", "Retirée"),
        (None, None),
    ],
)
def test_the_state_of_a_mark(written: str | None, label: str | None) -> None:
    assert status(written) == label


@pytest.mark.parametrize(
    ("fragment", "parts"),
    [
        ("<country>FR</country><doc-number>0012</doc-number><kind>A1</kind>", ("FR", "0012", "A1")),
        ("<kind>B1</kind><country>EP</country>", ("EP", None, "B1")),
        ("<country>FR", (None, None, None)),
        ("", (None, None, None)),
        ("FR0012A1", (None, None, None)),
        ("</PUBN><x/>", (None, None, None)),
        ("\x00", (None, None, None)),
        ("<!DOCTYPE a><country>FR</country>", (None, None, None)),
    ],
)
def test_a_publication_number(fragment: str, parts: tuple[str | None, ...]) -> None:
    assert publication(fragment) == parts


HOSTILE = [b"", b"\xff\xfe", b"[" * 5000, b"<a>" * 3000, b"null", b"7", b"<", b'{"results":{}}', b'{"metadata":7}']


@pytest.mark.parametrize("body", HOSTILE)
@pytest.mark.parametrize("dataset", COLLECTIONS)
def test_any_bytes_give_a_typed_error(dataset: Any, body: bytes) -> None:
    with pytest.raises(ProviderError):
        dataset.source.how.parse(httpx.Response(200, content=body), CLAIR_VALLON)


@pytest.mark.parametrize("junk", [7, "x", [], [7], {"a": 1}, True, 1.5, [["x"]]])
def test_any_value_of_a_wrong_type_gives_a_value_or_a_typed_error(junk: object) -> None:
    result = {"documentId": "FR1", "fields": [{"name": "TIT", "value": "x"}], "xml": {"href": "x"}}
    bodies: list[Any] = [{"metadata": junk, "results": [result]}, {"metadata": {"count": junk}, "results": [result]}]
    bodies += [{"results": junk}, {"results": [junk]}]
    bodies += [{"results": [{**result, name: junk}]} for name in result]
    bodies += [{"results": [{"fields": [field]}]} for field in ({"name": junk}, {"name": "TIT", "values": junk})]
    bodies += [{"results": [{"fields": [{"name": "TIT", "value": junk}]}]}]
    for body in bodies:
        for dataset in COLLECTIONS:
            how: Any = dataset.source.how
            try:
                how.parse(httpx.Response(200, content=orjson.dumps(body)), CLAIR_VALLON)
            except ProviderError:
                continue


def test_one_call_at_a_time() -> None:
    assert INPI.max_concurrency == 1
    assert [dataset.seed for dataset in INPI.datasets] == ["extraits_courts_inpi"] * 3
