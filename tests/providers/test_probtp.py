"""PRO BTP's oddities: status 200 for everything, one code for a late account and an unknown one, a PDF in JSON."""

import asyncio
import base64
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime

import httpx
import pytest
import strawberry
from starlette.applications import Starlette

from providers.attestation import Situation
from providers.declaration import Access, Call, Delivered
from providers.errors import NotFound, ProviderError, Unavailable, Unreadable
from providers.identifiers import Siret
from providers.probtp import PROBTP
from providers.probtp import attestation_cotisations_retraite as attestation
from providers.probtp import conformite_cotisations_retraite as conformite
from providers.record import Document
from sandbox.pdf import print_pdf
from sandbox.personas import company, named, with_check_digit
from sandbox.probtp import ROUTES, certificate

CLAIR_VALLON = Siret(named("clair-vallon").head_office.siret)
LATE = Siret(named("en-defaut").head_office.siret)
ACCESS = Access(settings={"url": "http://testserver"}, session="", recipient="")
BOTH = (conformite.parse, attestation.parse)


def ask(build: Callable[[Siret, Access], Call], siret: str) -> httpx.Response:
    """The simulator's answer to the room's own request."""
    made = build(Siret(siret), ACCESS)

    async def sent() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(Starlette(routes=ROUTES))) as client:
            return await client.request(made.method, made.url, headers=made.headers, json=made.json)

    return asyncio.run(sent())


def answer(code: object, status: int = 200, **more: object) -> httpx.Response:
    return httpx.Response(status, json={"entete": {"code": code}, **more})


def late(message: object) -> httpx.Response:
    return httpx.Response(200, json={"entete": {"code": "8", "message": message}})


@pytest.mark.parametrize(
    ("build", "operation"),
    [(conformite.call, "getStatutCotisation"), (attestation.call, "getAttestationCotisation")],
)
def test_the_body_holds_the_bare_siret(build: Callable[[Siret, Access], Call], operation: str) -> None:
    made = build(CLAIR_VALLON, ACCESS)
    assert made.url == f"http://testserver/ws_ext/rest/certauth/mpsservices/{operation}"
    assert (made.method, made.json) == ("POST", {"corps": CLAIR_VALLON})
    assert made.headers == (("Content-Type", "application/json"),)


def test_the_certificate_is_of_the_deployment() -> None:
    declared = PROBTP.certificate
    assert declared is not None
    defaults = {setting.name: setting.default for setting in PROBTP.settings}
    names = (declared.certificate_setting, declared.key_setting, declared.authority_setting)
    assert [defaults[name] for name in names] == ["", "", ""]


@pytest.mark.parametrize(
    ("said", "eligible", "situation"),
    [
        ("00 phrase", True, Situation.DELIVREE),
        ("00", True, Situation.DELIVREE),
        ("01 phrase", False, Situation.REFUSEE),
        ("0", None, None),
        ("", None, None),
        (" 00 phrase", None, None),
        ("10 phrase", None, None),
        (None, None, None),
    ],
)
def test_the_first_two_characters_tell(said: str | None, eligible: bool | None, situation: Situation | None) -> None:
    found = conformite.parse(answer("0", corps=said), CLAIR_VALLON)
    assert (found.eligible, found.situation, found.message) == (eligible, situation, said)


def test_a_late_account_is_told_from_an_unknown_one_for_the_certificate_only() -> None:
    assert attestation.parse(late("01 phrase"), LATE) is attestation.REFUSEE
    assert (attestation.REFUSEE.situation, attestation.REFUSEE.code_api) == (Situation.REFUSEE, "09003")
    for message in ("Le SIRET 01 est inconnu", "00 phrase", "", None, ["01"], 1):
        with pytest.raises(NotFound):
            attestation.parse(late(message), LATE)
    with pytest.raises(NotFound):
        conformite.parse(late("01 phrase"), LATE)


@pytest.mark.parametrize("parse", BOTH)
def test_the_envelope_is_judged_before_a_status_other_than_500(
    parse: Callable[[httpx.Response, Siret], object],
) -> None:
    for response, error, subcode in (
        (answer("8", 500), Unavailable, "000"),
        (answer("8", 404), NotFound, "003"),
        (answer("4", 400), Unavailable, "000"),
        (answer(4), Unavailable, "000"),
        (answer("0", 404, corps="00 a", data="JVBERi0x"), Unreadable, "999"),
        (answer("5", corps="00 a", data="JVBERi0x"), Unreadable, "999"),
        (answer(True, corps="00 a"), Unreadable, "999"),
        (answer("4", 503), Unavailable, "001"),
    ):
        with pytest.raises(error) as raised:
            parse(response, CLAIR_VALLON)
        assert raised.value.subcode == subcode


def test_no_sentence_of_the_provider_goes_into_an_error() -> None:
    response = httpx.Response(200, json={"entete": {"code": "4", "message": "secret 90210037900012"}})
    with pytest.raises(Unavailable) as raised:
        conformite.parse(response, CLAIR_VALLON)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    ("encoded", "subcode"),
    [
        ("JVBERi0x\nLjQK", "051"),
        (" JVBERi0xLjQK", "051"),
        ("JVBERi0xLjQ", "051"),
        ("JVBERi0xLjQK====", "051"),
        ("JVBERi0x-_QK", "051"),
        ("é", "051"),
        ("", "056"),
        ("R0lGODlh", "055"),
        (None, "999"),
        (12, "999"),
    ],
)
def test_a_document_is_strict_base64_of_a_pdf(encoded: object, subcode: str) -> None:
    with pytest.raises(Unreadable) as raised:
        attestation.parse(answer("0", data=encoded), CLAIR_VALLON)
    assert raised.value.subcode == subcode


def test_the_document_is_kept_for_a_day() -> None:
    found = attestation.parse(ask(attestation.call, CLAIR_VALLON), CLAIR_VALLON)
    assert isinstance(found, Delivered)
    assert found.file.content == certificate(CLAIR_VALLON)
    assert (found.file.name, found.file.kept_for.total_seconds()) == (
        "attestation_cotisation_retraite_probtp.pdf",
        86_400,
    )
    document = Document(
        id=strawberry.ID("d"), nom=found.file.name, type=found.file.media_type, taille=1, sha256="",
        expire_le=datetime(2030, 1, 1, tzinfo=UTC),
    )  # fmt: skip
    assert found.attach(document).document is document
    assert attestation.DELIVREE.document is None


def test_nothing_is_cached() -> None:
    now = datetime(2025, 3, 29, 23, 30, tzinfo=UTC)
    for dataset in PROBTP.datasets:
        assert dataset.source.life.until(now) == dataset.source.not_found_life.until(now) == now


# --- The simulator -------------------------------------------------------------------------------


def test_fates() -> None:
    assert conformite.parse(ask(conformite.call, CLAIR_VALLON), CLAIR_VALLON).eligible
    assert conformite.parse(ask(conformite.call, LATE), LATE).eligible is False
    assert attestation.parse(ask(attestation.call, LATE), LATE) is attestation.REFUSEE
    for slug, error in (("gaec", NotFound), ("les-genets", NotFound), ("doublon", NotFound), ("interdite", NotFound),
                        ("en-panne", Unavailable)):  # fmt: skip
        siret = Siret(named(slug).head_office.siret)
        for build, parse in ((conformite.call, conformite.parse), (attestation.call, attestation.parse)):
            with pytest.raises(error):
                parse(ask(build, siret), siret)


def test_a_malformed_request_is_a_technical_fault() -> None:
    async def sent() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(Starlette(routes=ROUTES))) as client:
            return await client.post(conformite.call(CLAIR_VALLON, ACCESS).url, json={"corps": {"siret": CLAIR_VALLON}})

    with pytest.raises(Unavailable):
        conformite.parse(asyncio.run(sent()), CLAIR_VALLON)


def test_random_establishments_have_every_documented_outcome() -> None:
    outcomes: Counter[str] = Counter()
    odd: Counter[str] = Counter()
    for number in range(400):
        known = company(with_check_digit(f"{60000000 + number * 7919}"))
        assert known is not None
        siret = Siret(known.head_office.siret)
        response = ask(conformite.call, siret)
        odd["tracing"] += "x-jersey-tracing-034" in response.headers
        odd["pretty"] += b'"entete" : ' in response.content
        try:
            outcomes[str(conformite.parse(response, siret).eligible)] += 1
        except ProviderError as error:
            outcomes[f"{type(error).__name__} {error.subcode}"] += 1
    assert set(outcomes) == {"True", "False", "None", "NotFound 003", "Unavailable 000"}
    assert outcomes["True"] > 200
    assert all(odd.values())


def test_the_certificate_is_always_the_same_file() -> None:
    first = certificate(CLAIR_VALLON)
    print_pdf.cache_clear()
    assert certificate(CLAIR_VALLON) == first
    assert base64.b64encode(first).startswith(b"JVBERi0")
