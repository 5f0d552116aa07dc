"""OPQIBI's oddities: a French reason phrase in raw UTF-8, dates day first, booleans as texts, escaped slashes."""

import asyncio
from collections import Counter
from datetime import date, timedelta

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette

from providers.declaration import Access, Call, Timeouts
from providers.errors import NotFound, ProviderError, Unavailable, Unreadable
from providers.identifiers import Siren
from providers.opqibi.certification_ingenierie import CertificationIngenierie, call, parse
from resolvers.http_client import AiohttpClient, shared_tls
from sandbox.opqibi import ROUTES
from sandbox.personas import UNKNOWN, named, with_check_digit

CLAIR_VALLON = Siren(named("clair-vallon").siren)
GAEC = Siren(named("gaec").siren)


def access(url: str = "http://testserver") -> Access:
    return Access(settings={"url": url}, session="", recipient="")


def send(made: Call) -> httpx.Response:
    """The simulator's answer, without any socket."""

    async def sent() -> httpx.Response:
        transport = httpx.ASGITransport(Starlette(routes=ROUTES))
        async with httpx.AsyncClient(transport=transport) as client:
            return await client.request(made.method, made.url, headers=made.headers)

    return asyncio.run(sent())


def ask(siren: str) -> CertificationIngenierie:
    return parse(send(call(Siren(siren), access())), Siren(siren))


# --- The answers ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "day"), [("05/04/2023", date(2023, 4, 5)), ("31/12/2024", date(2024, 12, 31)), ("", None), (None, None)]
)
def test_dates_are_read_day_first(written: str | None, day: date | None) -> None:
    body = {"numero_certificat": "1", "date_de_delivrance_du_certificat": written}
    assert parse(httpx.Response(200, json=body), CLAIR_VALLON).date_delivrance_certificat == day


@pytest.mark.parametrize(
    "written", ["12/31/2024", "2024-12-31", "1/2/2024", "01/02/24", "01/02/2024 ", "٠١/٠٢/٢٠٢٤", 5]
)
def test_a_date_is_never_guessed(written: object) -> None:
    body = {"numero_certificat": "1", "date_de_delivrance_du_certificat": written}
    with pytest.raises(Unreadable):
        parse(httpx.Response(200, json=body), CLAIR_VALLON)


def test_the_end_of_full_qualifications_has_a_singular_name() -> None:
    body = {"qualifications": [], "date_de_validite_des_qualification": "04/04/2027"}
    assert parse(httpx.Response(200, json=body), CLAIR_VALLON).date_validite_qualifications == date(2027, 4, 4)
    plural = {"qualifications": [], "date_de_validite_des_qualifications": "04/04/2027"}
    assert parse(httpx.Response(200, json=plural), CLAIR_VALLON).date_validite_qualifications is None


def test_a_deeply_nested_body_is_unreadable() -> None:
    with pytest.raises(Unreadable):
        parse(httpx.Response(200, content=b'{"qualifications":' + b"[" * 100_000), CLAIR_VALLON)


# --- The simulator -------------------------------------------------------------------------------


def test_the_simulator_escapes_slashes_and_accents() -> None:
    answer = send(call(CLAIR_VALLON, access()))
    assert answer.content.isascii()
    assert b"https:\\/\\/certificats" in answer.content
    assert "device_view" in answer.headers["set-cookie"]
    assert "é" in str(parse(answer, CLAIR_VALLON).qualifications)


async def test_a_french_reason_phrase_does_not_stop_our_client() -> None:
    config = uvicorn.Config(Starlette(routes=ROUTES), host="127.0.0.1", port=0, log_level="critical", lifespan="off")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn sets a flag, not an event
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    ten = timedelta(seconds=10)
    client = AiohttpClient(tls=shared_tls(), max_concurrency=2)
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(f"GET /certificats/{GAEC} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        assert (await reader.readline()).decode() == "HTTP/1.1 404 Société non trouvée ou non qualifiée\r\n"
        writer.close()
        for siren, error in ((GAEC, NotFound), (CLAIR_VALLON, None), (Siren(UNKNOWN), NotFound)):
            made = call(siren, access(f"http://127.0.0.1:{port}"))
            answer = await client.send(made, Timeouts(connect=ten, read=ten, total=ten), 100_000)
            if error is None:
                assert parse(answer, siren).numero_certificat
            else:
                with pytest.raises(error):
                    parse(answer, siren)
    finally:
        await client.close()
        server.should_exit = True
        await serving


def test_fates() -> None:
    for slug, error in (("en-panne", Unavailable), ("interdite", NotFound), ("doublon", NotFound), ("gaec", NotFound)):
        with pytest.raises(error):
            ask(named(slug).siren)


def test_random_companies_have_every_documented_outcome() -> None:
    outcomes: Counter[str] = Counter()
    for number in range(200):
        try:
            value = ask(with_check_digit(f"{60000000 + number * 7919}"))
        except ProviderError as error:
            outcomes[type(error).__name__] += 1
            continue
        outcomes["qualified"] += 1
        outcomes["probationary"] += bool(value.qualifications_probatoires)
        outcomes["only full"] += value.date_validite_qualifications_probatoires is None
        outcomes["rge"] += any(item.rge for item in value.qualifications)
    assert set(outcomes) == {"qualified", "probationary", "only full", "rge", "NotFound"}
    assert outcomes["qualified"] > 130
