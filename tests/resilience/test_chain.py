"""What stands between a field and its provider: each link seen through the answers and the calls counted."""

import asyncio

import pytest

from sandbox.personas import CLAIR_VALLON
from tests.conftest import START, Api, Providers
from tracing.entry import Nature

RCS = "query($s: Siren!) { entreprise(siren: $s) { rcs { siren } } }"
SIRENE = "query($s: Siren!) { entreprise(siren: $s) { sirene { siren } } }"
VIGILANCE = "query($s: Siren!) { entreprise(siren: $s) { attestations { vigilance { situation } } } }"
CONVENTIONS = "query($s: Siret!) { etablissement(siret: $s) { conventionsCollectives { conventions { numeroIdcc } } } }"
BROKEN = {"panne": "status", "statut": 503}
SIRENS = ["910203041", "384500195", "901102202", "900100009", "552100554", "542065479", "542051180", "552081317"]


async def failed(api: Api, query: str, siren: str) -> dict[str, object]:
    answer = await api.ask(query, variables={"s": siren})
    (error,) = answer.errors
    extensions: dict[str, object] = error["extensions"]
    return extensions


# --- The circuit -------------------------------------------------------------------------------------


async def test_a_provider_that_keeps_failing_is_left_alone_and_its_callers_told_at_once(
    api: Api, providers: Providers
) -> None:
    providers.misbehave("infogreffe", **BROKEN)
    for _ in range(5):
        await failed(api, RCS, CLAIR_VALLON)
    assert providers.calls("infogreffe") == 5
    error = await failed(api, RCS, CLAIR_VALLON)
    assert (error["code"], error["codeApiEntreprise"]) == ("PROVIDER_UNAVAILABLE", "02001")
    assert error["reessayerDans"] == 10
    assert providers.calls("infogreffe") == 5
    assert (await api.ask(SIRENE, variables={"s": CLAIR_VALLON})).errors == []


async def test_one_trial_closes_the_circuit(api: Api, providers: Providers) -> None:
    providers.misbehave("infogreffe", **BROKEN)
    for _ in range(5):
        await failed(api, RCS, CLAIR_VALLON)
    api.clock.advance(seconds=10)
    providers.misbehave("infogreffe", panne="none", latence=0.05)
    answers = await asyncio.gather(*(api.ask(RCS, variables={"s": siren}) for siren in SIRENS[:3]))
    assert providers.calls("infogreffe") == 6, "half-open lets one call through"
    assert sorted(len(answer.errors) for answer in answers) == [0, 1, 1]
    assert (await api.ask(RCS, variables={"s": SIRENS[1]})).errors == []


async def test_a_trial_that_fails_leaves_the_provider_alone_for_twice_as_long(api: Api, providers: Providers) -> None:
    providers.misbehave("infogreffe", **BROKEN)
    for _ in range(5):
        await failed(api, RCS, CLAIR_VALLON)
    api.clock.advance(seconds=10)
    await failed(api, RCS, CLAIR_VALLON)
    assert providers.calls("infogreffe") == 6
    assert (await failed(api, RCS, CLAIR_VALLON))["reessayerDans"] == 20
    assert providers.calls("infogreffe") == 6


@pytest.mark.parametrize("wish", [{"panne": "status", "statut": 429}, {"panne": "html_404"}, {"panne": "malformed"}])
async def test_answers_that_are_not_the_provider_being_down_never_open_it(
    api: Api, providers: Providers, wish: dict[str, object]
) -> None:
    providers.misbehave("infogreffe", **wish)
    for _ in range(7):
        await failed(api, RCS, CLAIR_VALLON)
    assert providers.calls("infogreffe") == 7


async def test_the_journal_of_a_call_that_was_not_made_has_no_intention(api: Api, providers: Providers) -> None:
    providers.misbehave("infogreffe", **BROKEN)
    for _ in range(6):
        await failed(api, RCS, CLAIR_VALLON)
    entries = [entry for entry in await api.journal() if entry["fournisseur"] == "infogreffe"]
    assert sum(entry["intention"] is not None for entry in entries) == 5
    assert sum(entry["nature"] is Nature.ACCES for entry in entries) == 6


# --- The provider's own word -------------------------------------------------------------------------


async def test_a_provider_that_asks_to_wait_is_not_called_meanwhile(api: Api, providers: Providers) -> None:
    providers.misbehave("infogreffe", panne="status", statut=429, reessayer_dans=30, fois=1)
    assert (await failed(api, RCS, CLAIR_VALLON))["reessayerDans"] == 30
    error = await failed(api, RCS, SIRENS[1])
    assert (error["code"], error["codeApiEntreprise"]) == ("PROVIDER_RATE_LIMITED", "02008")
    assert error["reessayerDans"] == 30
    assert providers.calls("infogreffe") == 1
    api.clock.advance(seconds=30)
    assert (await api.ask(RCS, variables={"s": CLAIR_VALLON})).errors == []


# --- Stale on error ----------------------------------------------------------------------------------


async def test_what_is_known_is_served_stale_with_its_date_when_the_provider_fails(
    api: Api, providers: Providers
) -> None:
    await api.ask(SIRENE, variables={"s": CLAIR_VALLON})
    api.clock.advance(hours=3)
    providers.misbehave("insee", **BROKEN)
    answer = await api.ask(SIRENE, variables={"s": CLAIR_VALLON})
    assert answer.errors == []
    assert answer.at("entreprise.sirene.siren") == CLAIR_VALLON
    (provenance,) = answer.provenance("insee.unite_legale")
    assert provenance["perimee"] is True
    assert provenance["obtenueLe"] == START.isoformat(timespec="seconds").replace("+00:00", "Z")
    assert [entry["perimee"] for entry in await api.journal() if entry["nature"] is Nature.ACCES] == [True, False]
    providers.misbehave("insee", panne="none")
    (provenance,) = (await api.ask(SIRENE, variables={"s": CLAIR_VALLON})).provenance("insee.unite_legale")
    assert provenance["perimee"] is False


async def test_nothing_is_served_beyond_its_stated_age(api: Api, providers: Providers) -> None:
    await api.ask(SIRENE, variables={"s": CLAIR_VALLON})
    api.clock.advance(hours=24)
    providers.misbehave("insee", **BROKEN)
    assert (await failed(api, SIRENE, CLAIR_VALLON))["code"] == "PROVIDER_UNAVAILABLE"


async def test_an_attestation_is_never_served_stale(api: Api, providers: Providers) -> None:
    await api.ask(VIGILANCE, variables={"s": CLAIR_VALLON})
    api.clock.advance(hours=30)
    providers.misbehave("acoss", **BROKEN)
    assert (await failed(api, VIGILANCE, CLAIR_VALLON))["fournisseur"] == "acoss"


async def test_a_caller_that_wants_it_fresh_is_told_the_failure(api: Api, providers: Providers) -> None:
    await api.ask(SIRENE, variables={"s": CLAIR_VALLON})
    api.clock.advance(hours=3)
    providers.misbehave("insee", **BROKEN)
    answer = await api.ask(SIRENE, variables={"s": CLAIR_VALLON}, headers={"X-Fraicheur-Max": "3600"})
    assert answer.codes == ["PROVIDER_UNAVAILABLE"]


# --- The age that a caller accepts -------------------------------------------------------------------


async def test_the_caller_may_want_nothing_older_than_it_says(api: Api, providers: Providers) -> None:
    assert (await api.ask(SIRENE, variables={"s": CLAIR_VALLON})).errors == []
    api.clock.advance(minutes=10)
    await api.ask(SIRENE, variables={"s": CLAIR_VALLON}, headers={"X-Fraicheur-Max": "900"})
    assert providers.calls("insee", "/siren/") == 1
    answer = await api.ask(SIRENE, variables={"s": CLAIR_VALLON}, extensions={"fraicheurMax": 300})
    assert answer.errors == []
    assert providers.calls("insee", "/siren/") == 2
    await api.ask(SIRENE, variables={"s": CLAIR_VALLON}, headers={"X-Fraicheur-Max": "0"})
    assert providers.calls("insee", "/siren/") == 3


@pytest.mark.parametrize("age", ["-1", "demain", "1e3", "99999999999"])
async def test_an_age_that_is_no_number_of_seconds_is_refused(api: Api, providers: Providers, age: str) -> None:
    answer = await api.ask(SIRENE, variables={"s": CLAIR_VALLON}, headers={"X-Fraicheur-Max": age})
    assert answer.codes == ["BAD_USER_INPUT"]
    assert providers.calls("insee") == 0


# --- Logins ------------------------------------------------------------------------------------------


async def test_a_refused_login_is_not_insisted_on(api: Api, providers: Providers) -> None:
    providers.misbehave("acoss", chemin="/oauth/", panne="status", statut=401)
    first = await failed(api, VIGILANCE, CLAIR_VALLON)
    again = await failed(api, VIGILANCE, SIRENS[1])
    assert first["codeApiEntreprise"] == again["codeApiEntreprise"] == "04006"
    assert again["reessayerDans"] == 300
    assert providers.calls("acoss", "/oauth/") == 1
    api.clock.advance(minutes=5)
    await failed(api, VIGILANCE, CLAIR_VALLON)
    assert providers.calls("acoss", "/oauth/") == 2
    api.clock.advance(minutes=9)
    await failed(api, VIGILANCE, CLAIR_VALLON)
    assert providers.calls("acoss", "/oauth/") == 2, "a second refusal is remembered for twice as long"
    api.clock.advance(minutes=1)
    providers.misbehave("acoss", panne="none")
    assert (await api.ask(VIGILANCE, variables={"s": CLAIR_VALLON})).errors == []


async def test_sessions_refused_one_after_the_other_do_not_become_a_row_of_logins(
    api: Api, providers: Providers
) -> None:
    providers.misbehave("acoss", chemin="/attn/", panne="status", statut=401)
    for siren in SIRENS:
        assert (await failed(api, VIGILANCE, siren))["codeApiEntreprise"] == "04006"
    assert providers.calls("acoss", "/oauth/") == 4
    assert providers.calls("acoss", "/attn/") <= 2 * len(SIRENS)


# --- Places ------------------------------------------------------------------------------------------


async def test_a_slow_provider_takes_no_place_of_the_others(api: Api, providers: Providers) -> None:
    providers.misbehave("infogreffe", latence=1.5)
    slow = asyncio.gather(*(api.ask(RCS, variables={"s": siren}) for siren in SIRENS))
    while not providers.calls("infogreffe"):  # noqa: ASYNC110 - the simulator is in another thread
        await asyncio.sleep(0)
    answer = await api.ask(SIRENE, variables={"s": CLAIR_VALLON})
    assert answer.errors == []
    assert not slow.done()
    await slow
