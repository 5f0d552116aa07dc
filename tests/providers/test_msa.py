"""The MSA's oddities: a letter for an answer, faults of its backend relayed with any status, examinations under way."""

import asyncio
from collections import Counter
from datetime import datetime, time, timedelta

import httpx
import pytest
from starlette.applications import Starlette

from providers.attestation import Situation
from providers.declaration import PARIS, Access, Fleeting
from providers.errors import NotFound, ProviderError, TimedOut, Unavailable, Unreadable
from providers.identifiers import Siret
from providers.msa import MSA
from providers.msa.conformite_cotisations import (
    A_JOUR,
    CONFORMITE_COTISATIONS,
    EN_COURS_D_EXAMEN,
    PAS_A_JOUR,
    SOURCE,
    StatutCotisationsMsa,
    call,
    parse,
)
from sandbox.msa import ROUTES
from sandbox.personas import company, named, with_check_digit

GAEC = Siret(named("gaec").head_office.siret)
ACCESS = Access(settings={"url": "http://testserver/cotisations"}, session="", recipient="")


def ask(siret: str) -> httpx.Response:
    """The simulator's answer to the room's own request."""
    made = call(Siret(siret), ACCESS)

    async def sent() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(Starlette(routes=ROUTES))) as client:
            return await client.request(made.method, made.url, headers=made.headers)

    return asyncio.run(sent())


def letter(value: object) -> httpx.Response:
    return httpx.Response(200, json={"TopRMPResponse": {"identifiantDebiteur": GAEC, "topRegMarchePublic": value}})


def fault(message: object, status: int) -> httpx.Response:
    return httpx.Response(status, json={"Erreur": {"Code": "soap:Server", "Message": message}})


def test_no_credentials_travel() -> None:
    made = call(GAEC, ACCESS)
    assert (made.method, made.url, made.headers) == (
        "GET",
        f"http://testserver/cotisations/{GAEC}",
        (("Content-Type", "application/json"),),
    )
    assert (made.params, made.json, made.form, made.content) == ((), None, None, None)


def test_letters() -> None:
    assert parse(letter("O"), GAEC) is A_JOUR
    assert parse(letter("N"), GAEC) is PAS_A_JOUR
    # An examination ends without notice: its answer is never served again.
    assert parse(letter("A"), GAEC) == Fleeting(EN_COURS_D_EXAMEN)
    with pytest.raises(NotFound):
        parse(letter("S"), GAEC)
    for other in ("", "o", "ON", " O", None, True, 1, ["O"], {"O": "O"}):
        with pytest.raises(Unreadable):
            parse(letter(other), GAEC)


def test_each_status_is_a_situation() -> None:
    assert (A_JOUR.status, A_JOUR.situation) == (StatutCotisationsMsa.UP_TO_DATE, Situation.DELIVREE)
    assert (PAS_A_JOUR.status, PAS_A_JOUR.situation) == (StatutCotisationsMsa.OUTDATED, Situation.REFUSEE)
    assert EN_COURS_D_EXAMEN.situation is Situation.EN_COURS_D_EXAMEN


@pytest.mark.parametrize(
    ("status", "message", "error", "subcode"),
    [
        (200, "502 Bad Gateway", Unavailable, "000"),
        (404, "504 Gateway Timeout", Unavailable, "000"),
        (400, "503 Service Unavailable", Unreadable, "999"),
        (400, ["502 Bad Gateway"], Unreadable, "999"),
        (500, "autre", Unavailable, "000"),
        # Statuses of the gateway come first.
        (502, "504 Gateway Timeout", Unavailable, "001"),
        (503, "502 Bad Gateway", Unavailable, "001"),
        (504, "502 Bad Gateway", TimedOut, "002"),
        (307, "502 Bad Gateway", Unavailable, "000"),
    ],
)
def test_faults_of_the_backend(status: int, message: object, error: type[ProviderError], subcode: str) -> None:
    with pytest.raises(error) as raised:
        parse(fault(message, status), GAEC)
    assert raised.value.subcode == subcode


def test_an_answer_wins_over_a_fault_beside_it() -> None:
    both = {"TopRMPResponse": {"topRegMarchePublic": "O"}, "Erreur": {"Message": "502 Bad Gateway"}}
    assert parse(httpx.Response(200, json=both), GAEC) is A_JOUR


def test_a_few_minutes_and_a_window_at_night() -> None:
    now = datetime(2025, 3, 30, 1, 59, tzinfo=PARIS)
    assert SOURCE.life.until(now) - now == timedelta(minutes=5)
    assert [(window.start, window.end) for window in MSA.maintenance] == [(time(3), time(3, 30))]


# --- The simulator -------------------------------------------------------------------------------


def test_fates() -> None:
    assert CONFORMITE_COTISATIONS.example == GAEC
    assert parse(ask(GAEC), GAEC) is A_JOUR
    late = Siret(named("en-defaut").head_office.siret)
    assert parse(ask(late), late) is PAS_A_JOUR
    for slug, error in (
        ("clair-vallon", NotFound),
        ("doublon", NotFound),
        ("interdite", NotFound),
        ("en-panne", Unavailable),
    ):
        siret = Siret(named(slug).head_office.siret)
        with pytest.raises(error):
            parse(ask(siret), siret)


def test_random_establishments_have_every_documented_outcome() -> None:
    outcomes: Counter[str] = Counter()
    for number in range(500):
        known = company(with_check_digit(f"{60000000 + number * 7919}"))
        assert known is not None
        siret = Siret(known.head_office.siret)
        try:
            value = parse(ask(siret), siret)
        except ProviderError as error:
            outcomes[f"{type(error).__name__} {error.subcode}"] += 1
        else:
            outcomes[(value.value if isinstance(value, Fleeting) else value).status.name] += 1
    assert set(outcomes) == {"UP_TO_DATE", "OUTDATED", "UNDER_INVESTIGATION", "NotFound 003", "Unavailable 000"}
    assert outcomes["UP_TO_DATE"] > 300
