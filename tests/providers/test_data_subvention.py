"""Data.Subvention's oddities: a login that kills the previous one, leaves that are objects, grants cut in two."""

import asyncio
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from providers.data_subvention import DATA_SUBVENTION, jeton
from providers.data_subvention.subventions import SUBVENTIONS, call, last_update, parse
from providers.declaration import Access, Call
from providers.errors import Misidentified, NotFound, Overloaded, ProviderError, TimedOut, Unavailable, Unreadable
from sandbox import data_subvention
from sandbox.data_subvention import ROUTES
from sandbox.personas import RNA_LES_GENETS, RNA_SANS_SIREN, named

LES_GENETS = named("les-genets").siren
SETTINGS = {"url": "http://testserver", "email": "sandbox", "password": "sandbox", "token": ""}


def access(session: str = "", **settings: str) -> Access:
    return Access(settings={**SETTINGS, **settings}, session=session, recipient="")


def send(made: Call) -> httpx.Response:
    """The simulator's answer, without any socket."""

    async def sent() -> httpx.Response:
        transport = httpx.ASGITransport(Starlette(routes=ROUTES))
        async with httpx.AsyncClient(transport=transport) as client:
            return await client.request(made.method, made.url, headers=made.headers, json=made.json)

    return asyncio.run(sent())


def session() -> str:
    return jeton.parse(send(jeton.call(access()))).value


def ask(key: str, token: str | None = None) -> httpx.Response:
    return send(call(key, access(token or session())))


def grants(*items: object) -> httpx.Response:
    return httpx.Response(200, json={"subventions": items, "count": 99})


def leaf(value: object, provider: str = "Osiris") -> dict[str, object]:
    return {"value": value, "provider": provider, "last_update": "2024-01-02T00:00:00.000Z", "type": "string"}


# --- The session ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("end", "answered", "left"),
    [
        ("2024-07-03T08:15:00.000Z", "Mon, 01 Jul 2024 08:15:00 GMT", timedelta(days=2)),
        ("2024-07-01T09:15:00.000Z", "Mon, 01 Jul 2024 08:15:00 GMT", timedelta(hours=1)),
        ("2034-07-01T09:15:00.000Z", "Mon, 01 Jul 2024 08:15:00 GMT", jeton.LONGEST),
        ("2020-07-01T09:15:00.000Z", "Mon, 01 Jul 2024 08:15:00 GMT", jeton.SHORTEST),
        ("2024-07-03T08:15:00.000Z", "", jeton.UNTOLD),
        ("bientôt", "Mon, 01 Jul 2024 08:15:00 GMT", jeton.UNTOLD),
        (172_800, "Mon, 01 Jul 2024 08:15:00 GMT", jeton.UNTOLD),
        (None, "Mon, 01 Jul 2024 08:15:00 GMT", jeton.UNTOLD),
    ],
)
def test_the_end_of_a_token_is_an_instant(end: object, answered: str, left: timedelta) -> None:
    body = {"user": {"jwt": {"token": "abc", "expirateDate": end}}}
    given = jeton.parse(httpx.Response(200, json=body, headers={"date": answered} if answered else {}))
    assert (given.value, given.expires_in) == ("abc", left)


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"user":1}', b'{"user":{"jwt":{}}}', b'{"user":{"jwt":{"token":"a\\nb"}}}']
)  # fmt: skip
def test_a_login_without_token_is_unreadable(body: bytes) -> None:
    with pytest.raises(Unreadable):
        jeton.parse(httpx.Response(200, content=body))


def test_wrong_credentials_alert_the_operator() -> None:
    with pytest.raises(Misidentified):
        jeton.parse(send(jeton.call(access(password="autre"))))


def test_a_login_ends_the_token_before() -> None:
    first, second = session(), session()
    refused = ask(LES_GENETS, first)
    assert jeton.SESSION.refused(refused)
    with pytest.raises(Misidentified):
        parse(refused, LES_GENETS)
    assert ask(LES_GENETS, second).status_code == 200


def test_a_token_without_end_needs_no_login() -> None:
    assert jeton.SESSION.needed(SETTINGS)
    assert not jeton.SESSION.needed({**SETTINGS, "token": "fixe"})
    assert ("x-access-token", "fixe") in call(LES_GENETS, access(token="fixe")).headers


# --- The answers ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "error", "subcode"),
    [
        (400, NotFound, "003"), (404, NotFound, "003"), (422, NotFound, "003"), (429, Overloaded, "008"),
        (401, Misidentified, "006"), (500, Unreadable, "999"), (403, Unreadable, "999"), (502, Unavailable, "001"),
        (503, Unavailable, "001"), (504, TimedOut, "002"), (302, Unavailable, "000"),
    ],
)  # fmt: skip
def test_statuses(status: int, error: type[ProviderError], subcode: str) -> None:
    with pytest.raises(error) as raised:
        parse(httpx.Response(status, json={"message": "m"}), LES_GENETS)
    assert raised.value.subcode == subcode


@pytest.mark.parametrize(
    ("header", "wait"),
    [
        ("limit=20, remaining=0, reset=42", timedelta(seconds=42)),
        ('"default";r=0;t=42', timedelta(seconds=42)),
        ("limit=20", None),
        ("", None),
    ],
)
def test_the_quota_says_when_it_opens_again(header: str, wait: timedelta | None) -> None:
    with pytest.raises(Overloaded) as raised:
        parse(httpx.Response(429, headers={"RateLimit": header}), LES_GENETS)
    assert raised.value.retry_in == wait


def test_no_grant_is_not_found() -> None:
    with pytest.raises(NotFound):
        parse(grants(), LES_GENETS)


def test_an_application_or_payments_may_be_alone() -> None:
    alone, paid = parse(
        grants({"application": {"ej": leaf("1")}, "payments": None}, {"application": None, "payments": [{}]}),
        LES_GENETS,
    ).items
    assert alone.demande_subvention is not None
    assert alone.paiements == []
    assert paid.demande_subvention is None
    assert len(paid.paiements) == 1


@pytest.mark.parametrize("value", [True, [], {}, {"value": {}}, "x", 3, None, [[]]])
def test_any_leaf_may_be_anything(value: object) -> None:
    names = ("siret", "annee_demande", "ej", "montants", "actions_proposee", "date_commision", "statut_label")
    shown = ("ej", "amount", "bop", "programme", "dateOperation")
    found = parse(
        grants({"application": dict.fromkeys(names, value), "payments": [dict.fromkeys(shown, value)]}), LES_GENETS
    )
    demande = found.items[0].demande_subvention
    assert demande is not None
    assert (demande.fournisseur, demande.annee_exercice_demande, demande.identifiant_engagement_juridique) == (
        None,
    ) * 3


def test_amounts_keep_their_cents() -> None:
    (grant,) = parse(grants({"payments": [{"amount": leaf(3000.1)}]}), LES_GENETS).items
    assert grant.paiements[0].montant_verse == Decimal("3000.1")


def test_huge_numbers_are_left_out() -> None:
    body = b'{"subventions":[{"application":{"annee_demande":{"value":99999999999}},"payments":[{"amount":{"value":1e308}}]}]}'
    (grant,) = parse(httpx.Response(200, content=body), LES_GENETS).items
    assert grant.demande_subvention is not None
    assert grant.demande_subvention.annee_exercice_demande is None


def test_the_programme_is_there_with_any_of_its_leaves() -> None:
    for payment, there in (
        ({"bop": leaf(None)}, True),
        ({"libelleProgramme": leaf("x")}, True),
        ({"amount": leaf(1)}, False),
    ):
        (grant,) = parse(grants({"payments": [payment]}), LES_GENETS).items
        assert (grant.paiements[0].programme is not None) is there


def test_a_fonjep_payment_tells_its_system_by_its_key() -> None:
    (grant,) = parse(grants({"payments": [{"versementKey": leaf("J1", "Fonjep")}]}), LES_GENETS).items
    assert grant.paiements[0].fournisseur == "Fonjep"


def test_contacts_are_never_shown() -> None:
    assert b"contact@association.invalid" in ask(LES_GENETS).content
    assert "association.invalid" not in repr(parse(ask(LES_GENETS), LES_GENETS))


def test_the_date_of_the_source() -> None:
    answer = parse(
        grants({"application": {"siret": leaf("1")}, "payments": [{"ej": {"last_update": "hier"}}]}), LES_GENETS
    )
    assert last_update(answer) == date(2024, 1, 2)


def test_nonsense_is_unreadable() -> None:
    for body in (b"", b"<html>", b"[]", b"{}", b'{"subventions":{}}', b'{"subventions":[[]]}', b"[" * 5000):
        with pytest.raises(Unreadable):
            parse(httpx.Response(200, content=body), LES_GENETS)
    whole = ask(LES_GENETS).content
    for length in range(0, len(whole) - 1, 53):
        with pytest.raises(Unreadable):
            parse(httpx.Response(200, content=whole[:length]), LES_GENETS)


# --- The simulator -------------------------------------------------------------------------------


def test_the_simulator_accepts_the_defaults_of_the_room() -> None:
    given = {setting.name: setting.default for setting in DATA_SUBVENTION.settings if setting.name != "url"}
    assert given == {"email": "sandbox", "password": "sandbox", "token": ""}
    assert SUBVENTIONS.opening.scopes == {"data_subvention_subventions"}


def test_les_genets_by_each_of_its_identifiers() -> None:
    token = session()
    answers = [
        parse(ask(key, token), key) for key in (LES_GENETS, RNA_LES_GENETS, named("les-genets").head_office.siret)
    ]
    assert answers[0] == answers[1] == answers[2]
    kinds = [(grant.demande_subvention is not None, bool(grant.paiements)) for grant in answers[0].items]
    assert kinds == [(True, True), (True, False), (False, True), (False, True)]
    assert parse(ask(RNA_SANS_SIREN, token), RNA_SANS_SIREN).items


def test_fates() -> None:
    token = session()
    for slug in ("clair-vallon", "doublon", "interdite"):
        with pytest.raises(NotFound):
            parse(ask(named(slug).siren, token), "")
    with pytest.raises(Unavailable):
        parse(ask(named("en-panne").siren, token), "")


def test_the_quota_is_off_unless_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data_subvention, "STATE", data_subvention.Account())
    token = session()
    assert all(ask(LES_GENETS, token).status_code == 200 for _ in range(25))
    monkeypatch.setattr(data_subvention.STATE, "limit", 0)
    with pytest.raises(Overloaded) as raised:
        parse(ask(LES_GENETS, token), LES_GENETS)
    assert raised.value.retry_in == timedelta(seconds=42)


def test_random_associations_have_every_documented_outcome() -> None:
    token = session()
    outcomes: dict[Any, int] = {}
    for number in range(300):
        key = f"W{number % 10}9{1_000_003 * (number + 1) % 10_000_000:07d}"
        response = ask(key, token)
        try:
            parse(response, key)
            outcome: tuple[str, int] = ("bonne", 200)
        except ProviderError as error:
            outcome = (type(error).__name__, response.status_code)
        outcomes[outcome] = outcomes.get(outcome, 0) + 1
    assert set(outcomes) == {
        ("bonne", 200), ("NotFound", 200), ("NotFound", 404), ("NotFound", 400), ("Unreadable", 500)
    }  # fmt: skip
    assert outcomes["bonne", 200] > 200
