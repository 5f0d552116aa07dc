"""QuiForme's oddities: an unknown SIRET is a tree of nulls, two formats of dates, filler elements."""

import asyncio
from collections import Counter

import httpx
import pytest
from starlette.applications import Starlette

from providers.carif_oref import CARIF_OREF
from providers.carif_oref.qualiopi import Qualiopi, call, parse
from providers.declaration import Access, Call
from providers.errors import Misidentified, NotFound, ProviderError, Unavailable, Unreadable
from providers.identifiers import Siret
from sandbox.carif_oref import ROUTES
from sandbox.personas import named, siret_of, with_check_digit

CLAIR_VALLON = Siret(named("clair-vallon").head_office.siret)
DEFAULTS = {setting.name: setting.default for setting in CARIF_OREF.settings}


def access(**settings: str) -> Access:
    return Access(settings={**DEFAULTS, "url": "http://testserver", **settings}, session="", recipient="")


def send(made: Call) -> httpx.Response:
    """The simulator's answer, without any socket."""

    async def sent() -> httpx.Response:
        transport = httpx.ASGITransport(Starlette(routes=ROUTES))
        async with httpx.AsyncClient(transport=transport) as client:
            return await client.request(made.method, made.url, headers=made.headers)

    return asyncio.run(sent())


def ask(siret: str) -> httpx.Response:
    return send(call(Siret(siret), access()))


# --- The answers ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sentence", "through"),
    [
        ("Certification obtenue en direct sur le NDA", False),
        ("Certification obtenue par propagation via un autre NDA", True),
        (" ", None),
        (None, None),
        ("autrement", None),
    ],
)
def test_how_a_certification_was_got(sentence: str | None, through: bool | None) -> None:
    body = {"siret_actif": CLAIR_VALLON, "nda": [{"nda": "1", "obtention_qualiopi": sentence}]}
    value = parse(httpx.Response(200, json=body), CLAIR_VALLON)
    assert value.declarations_activites_etablissement[0].certification_qualiopi.obtention_via_unite_legale is through


def test_only_a_null_siret_tells_that_an_establishment_is_unknown() -> None:
    with pytest.raises(NotFound):
        parse(httpx.Response(200, json={"siret_actif": None, "nda": [{"nda": "1"}]}), CLAIR_VALLON)
    with pytest.raises(Unreadable):
        parse(httpx.Response(200, json={"nda": [{"nda": "1"}]}), CLAIR_VALLON)


def test_an_inactive_declaration_is_said_inactive() -> None:
    body = {"siret_actif": CLAIR_VALLON, "nda": [{"nda": "1", "actif": False}]}
    assert parse(httpx.Response(200, json=body), CLAIR_VALLON).declarations_activites_etablissement[0].actif is False


def test_a_deeply_nested_body_is_unreadable() -> None:
    with pytest.raises(Unreadable):
        parse(httpx.Response(200, content=b'{"siret_actif":' + b"[" * 100_000), CLAIR_VALLON)


# --- The simulator -------------------------------------------------------------------------------


def test_a_refused_token_is_our_fault() -> None:
    with pytest.raises(Misidentified):
        parse(send(call(CLAIR_VALLON, access(token="autre"))), CLAIR_VALLON)


def test_personas() -> None:
    for slug in ("clair-vallon", "les-genets", "groupe"):
        siret = Siret(named(slug).head_office.siret)
        value = parse(ask(siret), siret)
        assert value.siret == siret
        assert value.declarations_activites_etablissement
    for slug, error in (("en-panne", Unavailable), ("interdite", NotFound), ("doublon", NotFound), ("gaec", NotFound)):
        siret = Siret(named(slug).head_office.siret)
        with pytest.raises(error):
            parse(ask(siret), siret)


def test_random_establishments_have_every_documented_outcome() -> None:
    outcomes: Counter[str] = Counter()
    for number in range(200):
        siret = Siret(siret_of(with_check_digit(f"{60000000 + number * 7919}"), 1))
        response = ask(siret)
        try:
            value = parse(response, siret)
        except ProviderError as error:
            outcomes[f"{type(error).__name__} {response.status_code}"] += 1
            continue
        assert isinstance(value, Qualiopi)
        outcomes["trainer"] += 1
        outcomes["no declaration"] += not value.declarations_activites_etablissement
        outcomes["no habilitation"] += not value.habilitations_france_competence
        outcomes["habilitation dropped"] += len(value.habilitations_france_competence) < len(
            response.json()["habilitations"]
        )
    assert set(outcomes) == {
        "trainer", "no declaration", "no habilitation", "habilitation dropped", "NotFound 200", "NotFound 404"
    }  # fmt: skip
    assert outcomes["trainer"] > 120
