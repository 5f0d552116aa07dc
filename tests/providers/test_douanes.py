"""Customs' oddities: SIRET or EORI numbers of three forms, errors by code, operators to hide."""

import asyncio
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from providers.declaration import Access, subject_of
from providers.douanes import DOUANES
from providers.douanes.immatriculation_eori import (
    ImmatriculationEori,
    NumeroOperateur,
    call,
    mask,
    numero_operateur,
    par_siret,
    parse,
)
from providers.errors import NotFound, ProviderError, TimedOut, Unavailable, Unreadable
from providers.identifiers import InvalidIdentifier, Siret
from sandbox.douanes import ROUTES
from sandbox.personas import company, named, with_check_digit

SETTINGS = {setting.name: setting.default for setting in DOUANES.settings} | {"url": "http://testserver/eori"}
SIREN = named("clair-vallon").siren
SIRET = named("clair-vallon").head_office.siret
KEY = par_siret(Siret(SIRET))


def access(**settings: str) -> Access:
    return Access(settings={**SETTINGS, **settings}, session="", recipient="")


def ask(key: NumeroOperateur, **settings: str) -> httpx.Response:
    """The simulator's answer to the room's own request, without any socket."""
    made = call(key, access(**settings))

    async def sent() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(Starlette(routes=ROUTES))) as client:
            return await client.request(made.method, made.url, params=made.params, headers=made.headers)

    return asyncio.run(sent())


def found(text: str) -> ImmatriculationEori:
    key = numero_operateur(text)
    return parse(ask(key), key)


def registration(**values: Any) -> ImmatriculationEori:
    return parse(httpx.Response(200, json={"EORI": {"actif": True, **values}}), KEY)


# --- The key -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "subject"),
    [
        (SIRET, SIRET), ("FR" + SIRET, SIRET), ("FR" + SIREN, SIREN), ("35600000000001", "35600000000001"),
        ("FR35600000012345", "35600000012345"), ("DE123456789012345", ""), ("GB1", ""), ("XI/../a?b#c", ""),
    ],
)  # fmt: skip
def test_numbers(text: str, subject: str) -> None:
    key = numero_operateur(text)
    assert (key.numero, key.sujet) == (text, subject)
    assert subject_of(key) == subject


@pytest.mark.parametrize(
    "text",
    [
        "", "FR", "DE", SIREN, "FR" + SIREN[:-1] + "0", "FR" + SIRET[:-1] + "0", SIRET[:-1] + "0", "fr" + SIRET, "de123",
        "FRFR" + SIREN, "FR12", "DE" + "1" * 16, "DE1 2", "DEé", "DE1\n", " " + SIRET, "FR٩١٠٢٠٣٠٤١", "D1234",
    ],
)  # fmt: skip
def test_numbers_refused(text: str) -> None:
    with pytest.raises(InvalidIdentifier) as raised:
        numero_operateur(text)
    assert raised.value.code_api == "00304"


def test_the_number_is_encoded_in_the_path() -> None:
    made = call(numero_operateur("XI/../a?b#c"), access(id_client="c"))
    assert made.url == "http://testserver/eori/XI%2F..%2Fa%3Fb%23c"
    assert made.params == (("idClient", "c"),)
    assert made.headers == (("Content-Type", "application/json"), ("Accept", "*/*"))


# --- The answer ----------------------------------------------------------------------------------


def test_an_empty_text_is_no_value() -> None:
    assert registration(libelle="", ville=None) == registration()
    assert registration().libelle is None
    assert registration(actif=False).actif is False


@pytest.mark.parametrize(
    "body",
    [
        b"", b"<html>", b"[]", b"{}", b'{"EORI":null}', b'{"EORI":[]}', b'{"EORI":{}}', b'{"EORI":{"actif":"true"}}',
        b'{"EORI":{"actif":true,"ville":1}}', b'{"eori":{"actif":true}}', b'{"EORI":{"actif":true', b'{"a":' * 50_000,
        b'{"erreur":{"code":"FONC001"}}',
    ],
)  # fmt: skip
def test_what_is_not_understood(body: bytes) -> None:
    with pytest.raises(Unreadable):
        parse(httpx.Response(200, content=body), KEY)


def error(status: int, code: object) -> httpx.Response:
    return httpx.Response(status, json={"erreur": {"status": str(status), "code": code, "libelle": "phrase"}})


@pytest.mark.parametrize(
    ("response", "kind", "subcode", "code_api"),
    [
        (error(404, "FONC001"), NotFound, "003", None),
        (error(404, "FONC002"), Unreadable, "999", None),
        (error(404, 1), Unreadable, "999", None),
        (httpx.Response(404, text="<html>"), Unreadable, "999", None),
        (httpx.Response(404, json={"EORI": {"actif": True}}), Unreadable, "999", None),
        (error(400, "TECH002"), Unreadable, "999", "00304"),
        (error(400, "TECH003"), Unreadable, "999", None),
        (error(403, "TECH001"), Unreadable, "999", None),
        (error(429, "TECH001"), Unreadable, "999", None),
        (httpx.Response(500), Unreadable, "999", None),
        (httpx.Response(302), Unavailable, "000", None),
        (httpx.Response(502), Unavailable, "001", None),
        (httpx.Response(503), Unavailable, "001", None),
        (httpx.Response(504), TimedOut, "002", None),
    ],
)
def test_errors(response: httpx.Response, kind: type[ProviderError], subcode: str, code_api: str | None) -> None:
    with pytest.raises(kind) as raised:
        parse(response, KEY)
    assert (type(raised.value), raised.value.subcode, raised.value.code_api) == (kind, subcode, code_api)
    assert "phrase" not in raised.value.message


# --- The mask ------------------------------------------------------------------------------------


def test_an_operator_in_partial_diffusion_is_hidden_but_for_the_town() -> None:
    whole = found(named("kerdoncuf").head_office.siret)
    shown = mask(whole)
    assert (whole.libelle, whole.rue) == ("MAIWENN KERDONCUF", "8 RUE DES GENETS")
    assert (shown.libelle, shown.rue, shown.code_postal, shown.ville) == ("[ND]", "[ND]", "[ND]", "QUIMPER")
    assert (shown.id, shown.actif, shown.code_pays) == (whole.id, True, "FR")
    assert mask(registration(identifiant="", libelle="NOM")).libelle == "[ND]"
    assert mask(registration()).libelle is None


def test_a_foreign_operator_is_not_in_sirene() -> None:
    whole = registration(identifiant="DE1", libelle="MUSTER")
    assert mask(whole) is whole


# --- The simulator -------------------------------------------------------------------------------


def test_each_form_of_a_number_is_answered() -> None:
    assert found(SIRET) == found("FR" + SIRET) == found("FR" + SIREN)
    assert found(SIRET).id == "FR" + SIRET
    filiale = named("filiale")
    assert found(filiale.head_office.siret).id == "FR" + filiale.siren
    assert found("DE123456789012345").code_pays == "DE"
    assert found(named("cessee").head_office.siret).actif is False


def test_a_malformed_number_is_said_so() -> None:
    response = ask(NumeroOperateur(numero="fr12", sujet=""))
    assert (response.status_code, response.headers["connection"]) == (400, "close")
    with pytest.raises(Unreadable) as raised:
        parse(response, KEY)
    assert raised.value.code_api == "00304"


def test_fates() -> None:
    for slug, kind in (
        ("fournil", NotFound),
        ("doublon", NotFound),
        ("interdite", NotFound),
        ("en-panne", Unavailable),
    ):
        with pytest.raises(kind):
            found(named(slug).head_office.siret)
    with pytest.raises(Unreadable):
        parse(ask(KEY, id_client="autre"), KEY)


def test_random_companies_have_every_documented_outcome() -> None:
    outcomes = []
    for number in range(100):
        known = company(with_check_digit(f"{60000000 + number * 7919}"))
        assert known is not None
        try:
            answer = found(known.head_office.siret)
        except NotFound:
            outcomes.append((False, 0))
        else:
            outcomes.append((answer.actif, len(answer.id or "")))
    assert set(outcomes) == {(False, 0), (True, 16), (True, 11), (False, 11)}
    assert outcomes.count((False, 0)) < 30
