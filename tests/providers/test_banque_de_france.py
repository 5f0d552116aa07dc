"""Banque de France's oddities: compression that is not announced, misspelt keys, strings for numbers, placeholders."""

import asyncio
import gzip
import zlib
from collections import Counter
from datetime import datetime
from decimal import Decimal
from typing import Any

import httpx
import orjson
import pytest
from starlette.applications import Starlette

from providers.banque_de_france import BANQUE_DE_FRANCE, wire
from providers.banque_de_france.bilans import SOURCE, BilanBdf, call, parse
from providers.declaration import PARIS, Access
from providers.errors import NotFound, ProviderError, Unavailable, Unreadable
from providers.identifiers import Siren
from sandbox.banque_de_france import ROUTES
from sandbox.personas import named, with_check_digit

CLAIR_VALLON = Siren(named("clair-vallon").siren)
ACCESS = Access(settings={"url": "http://testserver/fiben/bilans"}, session="", recipient="")


def ask(siren: str, encodings: str = "gzip") -> httpx.Response:
    """The simulator's answer to the room's own request."""
    made = call(Siren(siren), ACCESS)

    async def sent() -> httpx.Response:
        transport = httpx.ASGITransport(Starlette(routes=ROUTES))
        async with httpx.AsyncClient(transport=transport, headers={"Accept-Encoding": encodings}) as client:
            return await client.request(made.method, made.url, headers=made.headers)

    return asyncio.run(sent())


def content_of(siren: str) -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads(ask(siren, "identity").content)
    return found


def parsed(content: object) -> list[BilanBdf]:
    return parse(httpx.Response(200, content=orjson.dumps(content)), CLAIR_VALLON).items


def test_only_the_certificate_identifies_us() -> None:
    made = call(CLAIR_VALLON, ACCESS)
    assert (made.method, made.url) == ("GET", f"http://testserver/fiben/bilans/{CLAIR_VALLON}")
    assert (made.params, made.json, made.form, made.content) == ((), None, None, None)
    assert {name for name, _ in made.headers} == {"Content-Type", "Accept"}
    certificate = BANQUE_DE_FRANCE.certificate
    assert certificate is not None
    names = {setting.name: setting.default for setting in BANQUE_DE_FRANCE.settings}
    declared = (certificate.certificate_setting, certificate.key_setting, certificate.authority_setting)
    assert [names[name] for name in declared] == ["", "", ""]


@pytest.mark.parametrize(
    ("written", "euros"), [("8410", 8_410_000), ("-1250", -1_250_000), ("0", 0), ("+12", 12_000), ("", None)]
)
def test_amounts_are_thousands_of_euros(written: str, euros: int | None) -> None:
    assert wire.euros(written) == (None if euros is None else Decimal(euros))


@pytest.mark.parametrize("written", ["-", "12.5", "1e3", "douze", "٣", "--1", "9" * 19])
def test_other_amounts_are_not_guessed(written: str) -> None:
    with pytest.raises(Unreadable):
        wire.euros(written)


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("+4.12%", 4.12),
        ("-2,30%", -2.3),
        ("-131.205%", -131.21),
        ("87.10%", 87.1),
        ("87", 87.0),
        ("", None),
        ("-", None),
        ("%", None),
        ("-0.001%", 0.0),
    ],
)
def test_changes_and_ratios(written: str, number: float | None) -> None:
    assert wire.percentage(written) == number
    assert str(wire.percentage(written)) != "-0.0"


@pytest.mark.parametrize("written", ["n/a", "1.2.3", "1,2,3", "nan", "inf", "1e9", "9" * 13])
def test_other_changes_are_not_guessed(written: str) -> None:
    with pytest.raises(Unreadable):
        wire.percentage(written)


def test_blanks_inside_numbers_mean_nothing() -> None:
    assert wire.text({"a": " 8\u202f410 "}, "a") == "8410"
    assert wire.percentage(wire.text({"a": "+ 4,12 %"}, "a")) == 4.12
    assert wire.text({"a": 12}, "a") == "12"
    assert wire.text({"a": None}, "a") == ""


def test_a_compressed_body_is_read_whether_announced_or_not() -> None:
    body = orjson.dumps(content_of(CLAIR_VALLON))
    silent = httpx.Response(200, content=gzip.compress(body))
    announced = httpx.Response(200, headers={"content-encoding": "gzip"}, content=gzip.compress(body))
    assert parse(silent, CLAIR_VALLON) == parse(announced, CLAIR_VALLON) == parse(ask(CLAIR_VALLON), CLAIR_VALLON)


def test_a_decompression_bomb_is_dropped() -> None:
    bomb = zlib.compressobj(9, zlib.DEFLATED, 31)
    content = bomb.compress(b" " * 50_000_000) + bomb.flush()
    with pytest.raises(Unreadable):
        parse(httpx.Response(200, content=content), CLAIR_VALLON)


def test_the_keys_misspelt_on_the_wire() -> None:
    content = content_of(CLAIR_VALLON)
    sheet = content["bilans"][0]
    wrong = "dettes3EmruntsEtDettesAupresDesEtablissementsdeCredit"
    right = wrong.replace("Emrunts", "Emprunts")

    def loans() -> list[Decimal | None]:
        return parsed(content)[0].declarations[0].donnees[6].valeurs

    known = loans()
    assert known == [Decimal(sheet[wrong]) * 1000]
    assert f"evolution{wrong[0].upper()}{wrong[1:]}" not in sheet
    sheet[right] = "1"
    assert loans() == known  # the documented spelling wins
    sheet[wrong] = ""
    assert loans() == [Decimal(1000)]
    del sheet[wrong]
    assert loans() == [Decimal(1000)]
    del sheet[right]
    assert loans() == [None]
    assert parsed(content)[0].valeurs_calculees.total_dettes_stables.evolution is not None


def test_a_box_of_a_form_is_always_there_and_a_computed_value_is_not() -> None:
    for name in ("caHT", "evolutionCaHT", "evolutionDettes3EmpruntsEtDettesAupresDesEtablissementsdeCredit"):
        for replacement in ((), (None,)):
            content = content_of(CLAIR_VALLON)
            del content["bilans"][0][name]
            content["bilans"][0].update(dict.fromkeys([name] if replacement else [], None))
            with pytest.raises(Unreadable):
                parsed(content)
    content = content_of(CLAIR_VALLON)
    for name in ("ebe", "evolutionEbe", "frng/bfr", "evolutionFrng/Bfr", "dontAutresFondsPropres"):
        content["bilans"][0].pop(name)
    computed = parsed(content)[0].valeurs_calculees
    assert (computed.excedent_brut_exploitation.valeur, computed.excedent_brut_exploitation.evolution) == (None, None)


def test_forms_and_boxes_come_in_a_fixed_order() -> None:
    item = parsed(content_of(CLAIR_VALLON))[0]
    assert {form.numero_imprime: [box.code_nref for box in form.donnees] for form in item.declarations} == {
        "2051": ["300476", "300438", "300414", "302359", "300451", "300453", "300455", "300458"],
        "2052": ["300506"],
        "2053": ["300606"],
        "2057": ["301195"],
    }
    assert [form.numero_imprime for form in item.declarations] == ["2051", "2052", "2053", "2057"]


def test_letters_of_boxes_are_known_until_2025() -> None:
    content = content_of(CLAIR_VALLON)
    for closing, code in (("202512", "FL"), ("202601", None), ("200512", None), ("200601", "FL")):
        content["bilans"][0]["dateArrete"] = closing
        item = parsed(content)[0]
        assert item.declarations[1].donnees[0].code == code
        assert item.date_arrete_exercice == f"{closing[:4]}-{closing[4:]}"


def test_an_answer_lives_until_midnight_in_paris() -> None:
    now = datetime(2025, 3, 29, 23, 30, tzinfo=PARIS)
    assert SOURCE.life.until(now) == datetime(2025, 3, 30, tzinfo=PARIS)
    assert SOURCE.not_found_life.until(now) == now


# --- The simulator -------------------------------------------------------------------------------


def test_the_wire_is_odd() -> None:
    answer = ask(CLAIR_VALLON)
    assert answer.headers["content-encoding"] == "gzip"
    assert len(answer.headers.get_list("set-cookie")) == 2
    assert "content-encoding" not in ask(CLAIR_VALLON, "identity").headers


def test_fates() -> None:
    for slug in ("clair-vallon", "groupe", "terrassement", "filiale", "en-defaut"):
        siren = Siren(named(slug).siren)
        assert parse(ask(siren), siren).count == 3
    for slug in ("kerdoncuf", "les-genets", "gaec", "cessee", "doublon", "interdite"):
        siren = Siren(named(slug).siren)
        with pytest.raises(NotFound):
            parse(ask(siren), siren)
    down = Siren(named("en-panne").siren)
    with pytest.raises(Unavailable):
        parse(ask(down), down)


def test_random_companies_have_every_documented_outcome() -> None:
    outcomes: Counter[str] = Counter()
    unannounced = 0
    for number in range(400):
        siren = Siren(with_check_digit(f"{60000000 + number * 7919}"))
        answer = ask(siren)
        unannounced += "content-encoding" not in answer.headers
        try:
            outcomes[f"{parse(answer, siren).count} bilans"] += 1
        except ProviderError as error:
            outcomes[f"{type(error).__name__} {error.subcode}"] += 1
    assert set(outcomes) == {"3 bilans", "2 bilans", "NotFound 003", "Unavailable 000", "Unreadable 999"}
    # Four companies in ten are large enough to be rated.
    assert outcomes["3 bilans"] > 80
    assert unannounced
