"""VIES' oddities: HTTP 200 for everything, `isValid: false` for outages too, keys to pad."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from providers.commission_europeenne.numero_tva import NUMERO_TVA, SOURCE, NumeroTva, call, national_part, parse
from providers.declaration import Access
from providers.errors import NotFound, Overloaded, ProviderError, TimedOut, Unavailable, Unreadable
from providers.identifiers import Siren
from sandbox.commission_europeenne import ROUTES
from sandbox.personas import UNKNOWN, named, with_check_digit

PATH = "http://testserver/taxation_customs/vies/rest-api/ms/FR/vat"
ACCESS = Access(settings={"url": PATH}, session="", recipient="")
SIREN = Siren("900100009")


def ask(siren: str) -> httpx.Response:
    """The simulator's answer to the room's own request, without any socket."""
    made = call(Siren(siren), ACCESS)

    async def sent() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(Starlette(routes=ROUTES))) as client:
            return await client.request(made.method, made.url, headers=made.headers)

    return asyncio.run(sent())


def read(status: int = 200, **values: Any) -> NumeroTva:
    return parse(httpx.Response(status, json=values), SIREN)


def of(slug: str) -> NumeroTva:
    siren = Siren(named(slug).siren)
    return parse(ask(siren), siren)


@pytest.mark.parametrize(
    ("siren", "number"),
    [
        ("900100009", "71900100009"),
        ("900100017", "95900100017"),
        ("900100116", "04900100116"),
        ("900300161", "00900300161"),
    ],
)
def test_the_key_is_padded_and_the_path_has_no_country(siren: str, number: str) -> None:
    assert national_part(Siren(siren)) == number
    assert call(Siren(siren), ACCESS).url == f"{PATH}/{number}"


def test_a_valid_number() -> None:
    answer = read(isValid=True, userError="VALID", vatNumber="71900100009", requestDate="2026-01-15T09:30:00.123Z")
    checked = datetime(2026, 1, 15, 9, 30, 0, 123_000, tzinfo=UTC)
    assert answer == NumeroTva(tva_number="FR71900100009", verifie_le=checked)
    assert NUMERO_TVA.source_date is not None
    assert NUMERO_TVA.source_date(answer) == checked.date()
    late = read(isValid=True, userError="VALID", requestDate="2026-01-15T23:30:00Z")
    assert NUMERO_TVA.source_date(late) == date(2026, 1, 16)  # in Paris
    for instant in (None, "", "hier", 12, {}, "2026-01-15T09:30:00"):
        assert read(isValid=True, userError="VALID", requestDate=instant).verifie_le is None


def test_not_valid_is_not_said_to_be_not_subject() -> None:
    with pytest.raises(NotFound, match="ne veut pas dire"):
        read(isValid=False, userError="INVALID")


@pytest.mark.parametrize(
    ("word", "kind", "subcode"),
    [
        ("IP_BLOCKED", Overloaded, "008"),
        ("MS_MAX_CONCURRENT_REQ", Overloaded, "008"),
        ("MS_MAX_CONCURRENT_REQ_TIME", Overloaded, "008"),
        ("GLOBAL_MAX_CONCURRENT_REQ", Overloaded, "008"),
        ("GLOBAL_MAX_CONCURRENT_REQ_TIME", Overloaded, "008"),
        ("MS_UNAVAILABLE", Unavailable, "001"),
        ("SERVICE_UNAVAILABLE", Unavailable, "001"),
        ("TIMEOUT", TimedOut, "002"),
        ("INVALID_INPUT", Unreadable, "999"),
        ("VAT_BLOCKED", Unreadable, "999"),
        ("valid", Unreadable, "999"),
        ("", Unreadable, "999"),
    ],
)
def test_the_word_is_read_before_the_flag_in_both_envelopes(word: str, kind: type[ProviderError], subcode: str) -> None:
    answers = [
        (200, {"isValid": False, "userError": word}),
        (200, {"isValid": True, "userError": word}),
        (200, {"actionSucceed": False, "errorWrappers": [{"error": word, "message": "m"}]}),
        (500, {"actionSucceed": False, "errorWrappers": [{"error": word}]}),
    ]
    for status, values in answers:
        with pytest.raises(kind) as raised:
            read(status, **values)
        assert (type(raised.value), raised.value.subcode) == (kind, subcode)


@pytest.mark.parametrize(
    "values",
    [
        {}, {"isValid": True}, {"userError": "VALID"}, {"userError": "VALID", "isValid": None},
        {"userError": "VALID", "isValid": "true"}, {"userError": "VALID", "isValid": 1}, {"userError": ["VALID"], "isValid": True},
        {"userError": "VALID", "isValid": True, "vatNumber": "95900100017"},
        {"userError": "INVALID", "isValid": False, "vatNumber": 71900100009},
        {"errorWrappers": []}, {"errorWrappers": {}}, {"errorWrappers": [1]}, {"errorWrappers": [{"error": "VALID"}], "isValid": 0},
    ],
)  # fmt: skip
def test_what_is_not_understood(values: dict[str, Any]) -> None:
    with pytest.raises(Unreadable):
        read(**values)


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"null", b'{"isValid":true', b"[" * 100_000])
def test_what_is_not_json(body: bytes) -> None:
    with pytest.raises(Unreadable):
        parse(httpx.Response(200, content=body), SIREN)


def test_the_page_of_a_proxy() -> None:
    page = "<html>Please CONTACT your network support team</html>"
    with pytest.raises(Unavailable) as raised:
        parse(httpx.Response(200, text=page), SIREN)
    assert raised.value.subcode == "001"
    with pytest.raises(Unreadable):
        parse(httpx.Response(403, text=page), SIREN)


@pytest.mark.parametrize(
    ("status", "kind", "subcode"),
    [
        (301, Unavailable, "000"), (400, Unreadable, "999"), (404, Unreadable, "999"), (429, Unreadable, "999"),
        (500, Unreadable, "999"), (502, Unavailable, "001"), (503, Unavailable, "001"), (504, TimedOut, "002"),
    ],
)  # fmt: skip
def test_statuses(status: int, kind: type[ProviderError], subcode: str) -> None:
    with pytest.raises(kind) as raised:
        read(status, isValid=False, userError="INVALID")
    assert (type(raised.value), raised.value.subcode) == (kind, subcode)


def test_both_outcomes_are_kept_a_day() -> None:
    now = datetime(2025, 3, 4, tzinfo=UTC)
    assert SOURCE.life.until(now) == SOURCE.not_found_life.until(now) == now + timedelta(hours=24)


def test_fates() -> None:
    assert of("clair-vallon").tva_number.endswith(named("clair-vallon").siren)
    for slug, kind in (
        ("les-genets", NotFound), ("doublon", NotFound), ("interdite", NotFound), ("en-panne", Unavailable),
    ):  # fmt: skip
        with pytest.raises(kind):
            of(slug)
    with pytest.raises(NotFound):
        parse(ask(UNKNOWN), Siren(UNKNOWN))


def test_random_companies_have_every_documented_outcome() -> None:
    outcomes = []
    for number in range(300):
        siren = Siren(with_check_digit(f"{60000000 + number * 7919}"))
        try:
            parse(ask(siren), siren)
        except ProviderError as error:
            outcomes.append(error.subcode)
        else:
            outcomes.append("")
    assert set(outcomes) == {"", "001", "002", "003", "008", "999"}
    assert outcomes.count("") > 210
