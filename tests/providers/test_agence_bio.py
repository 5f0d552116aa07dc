"""Oddities of Agence BIO: an ignored filter gives the whole register, leftovers of a migration, a client with a name."""

import asyncio
from collections import Counter
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from providers.agence_bio import AGENCE_BIO
from providers.agence_bio.certification_biologique import CertificationBiologique, call, mask, parse
from providers.declaration import Access, Call, Follow
from providers.diffusion import HIDDEN
from providers.errors import Misidentified, NotFound, ProviderError, Unavailable, Unreadable
from providers.identifiers import Siret
from sandbox.agence_bio import ROUTES
from sandbox.personas import named, siret_of, with_check_digit

GAEC = Siret(named("gaec").head_office.siret)
FOURNIL = Siret(named("fournil").head_office.siret)
DEFAULTS = {setting.name: setting.default for setting in AGENCE_BIO.settings}


def access(**settings: str) -> Access:
    return Access(settings={**DEFAULTS, "url": "http://testserver", **settings}, session="", recipient="")


def send(made: Call) -> httpx.Response:
    """The simulator's answer, without any socket."""

    async def sent() -> httpx.Response:
        transport = httpx.ASGITransport(Starlette(routes=ROUTES))
        async with httpx.AsyncClient(transport=transport) as client:
            return await client.request(made.method, made.url, params=made.params, headers=made.headers)

    return asyncio.run(sent())


def ask(siret: str) -> CertificationBiologique:
    found = parse(send(call(Siret(siret), access())), Siret(siret))
    assert isinstance(found, CertificationBiologique)
    return found


def page(*items: dict[str, Any], total: object) -> httpx.Response:
    return httpx.Response(200, json={"nbTotal": total, "items": list(items)})


# --- The answers ---------------------------------------------------------------------------------


def test_the_size_of_the_page_is_always_asked() -> None:
    made = call(GAEC, access())
    assert made.params == (("siret", GAEC), ("nb", "100"), ("debut", "0"))
    assert ("User-Agent", DEFAULTS["user_agent"]) in made.headers


def test_the_register_is_never_paged_through() -> None:
    mine, other = {"siret": GAEC, "numeroBio": 1}, {"siret": FOURNIL, "numeroBio": 2}
    assert isinstance(parse(page(mine, other, total="137000"), GAEC), CertificationBiologique)
    with pytest.raises(NotFound):
        parse(page(other, total="137000"), GAEC)
    # What the simulator gives to a misspelt parameter.
    with pytest.raises(NotFound):
        parse(send(Call(method="GET", url="http://testserver/api/gouv/operateurs/", params=(("siren", "1"), ("nb", "1")),
                        headers=call(GAEC, access()).headers)), GAEC)  # fmt: skip


def test_pages_are_followed_by_offset() -> None:
    first = parse(page({"siret": GAEC, "numeroBio": 1}, total="2"), GAEC)
    assert isinstance(first, Follow)
    assert first.call(access()).params[-1] == ("debut", "1")
    last = first.parse(page({"siret": GAEC, "numeroBio": 2}, total="2"))
    assert isinstance(last, CertificationBiologique)
    assert [item.numero_bio for item in last.items] == [1, 2]


@pytest.mark.parametrize("number", ["1e999", "true", '"48"', "[]"])
def test_an_impossible_position_is_unreadable(number: str) -> None:
    body = f'{{"nbTotal":"1","items":[{{"siret":"{GAEC}","numeroBio":1,"adressesOperateurs":[{{"lat":{number}}}]}}]}}'
    with pytest.raises(Unreadable):
        parse(httpx.Response(200, content=body.encode()), GAEC)


def test_nothing_personal_but_the_address_is_read() -> None:
    shown = str(ask(GAEC))
    assert "0000" not in shown
    assert named("gaec").name not in shown


def test_the_mask_leaves_the_town_and_hides_the_certificate() -> None:
    """A certificate prints the name and the address that are hidden beside it."""
    found = ask(GAEC)
    assert any(certificate.url for item in found.items for certificate in item.certificats)
    hidden = mask(found)
    for item in hidden.items:
        assert {certificate.url for certificate in item.certificats} == {None}
        assert {(place.lat, place.long) for place in item.adresses_operateurs} == {(None, None)}
        assert all(place.lieu in (None, HIDDEN) and place.ville for place in item.adresses_operateurs)
        assert [certificate.etat_certification for certificate in item.certificats]


# --- The simulator -------------------------------------------------------------------------------


def test_a_nameless_client_is_refused() -> None:
    with pytest.raises(Misidentified) as raised:
        parse(send(call(GAEC, access(user_agent="Python-urllib/3.11"))), GAEC)
    assert raised.value.subcode == "999"


def test_personas() -> None:
    assert ask(GAEC).items[0].certificats[0].etat_certification == "ENGAGEE"
    # Two items at the same SIRET: the one in force is shown.
    assert len(send(call(FOURNIL, access())).json()["items"]) == 2
    assert ask(FOURNIL).count == 1
    for slug, error in (
        ("en-panne", Unavailable), ("interdite", NotFound), ("doublon", NotFound), ("clair-vallon", NotFound)
    ):  # fmt: skip
        with pytest.raises(error):
            ask(named(slug).head_office.siret)


def test_random_establishments_have_every_documented_outcome() -> None:
    outcomes: Counter[str] = Counter()
    states: set[str | None] = set()
    for number in range(250):
        try:
            value = ask(siret_of(with_check_digit(f"{60000000 + number * 7919}"), 1))
        except ProviderError as error:
            outcomes[type(error).__name__] += 1
            continue
        outcomes["operator"] += 1
        outcomes["several"] += value.count > 1
        for certificat in (certificat for item in value.items for certificat in item.certificats):
            states.add(certificat.etat_certification)
            outcomes["exempt"] += certificat.organisme is None and certificat.url is None
    assert set(outcomes) == {"operator", "several", "exempt", "NotFound"}
    assert states == {"ENGAGEE", "SUSPENDUE", "ARRETEE", "RETIREE", "NON ENGAGEE", "ENGAGEE FUTUR", None}
    assert outcomes["operator"] > 150
