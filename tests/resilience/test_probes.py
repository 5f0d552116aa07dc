"""Probes: made where the provider gives one and nobody calls it, by one worker, and told for what they are."""

import asyncio
from typing import Any

import httpx
import orjson
import pytest

from providers import PROVIDERS
from providers.commission_europeenne import sonde as vies
from providers.dgfip import sonde as adelie
from providers.errors import ProviderError
from providers.fabrique_numerique import sonde as agreements
from providers.insee import sonde as sirene
from sandbox.personas import CLAIR_VALLON
from settings import Environment, Settings
from tests.conftest import Api, Providers

UNIT = "query($s: Siren!) { entreprise(siren: $s) { sirene { siren } } }"
AGREEMENTS = "query($s: Siret!) { etablissement(siret: $s) { conventionsCollectives { items { numeroIdcc } } } }"
SITE = "91020304100025"
HEALTH = "{ fournisseurs { id etat origine derniereSonde circuit appels } }"
PROBED = {
    "insee": "GET /api-sirene/prive/3.11/informations",
    "dgfip": "GET /adelie/v1/etatSante",
    "fabrique_numerique": "GET /healthz",
    "commission_europeenne": "GET /taxation_customs/vies/rest-api/check-status",
}
"""The providers whose documentation gives a call that reads nothing of any company, and that call."""


async def state_of(api: Api, provider: str) -> dict[str, Any]:
    answer = await api.ask(HEALTH, scopes=())
    assert answer.errors == []
    found: dict[str, Any] = next(item for item in answer.at("fournisseurs") if item["id"] == provider)
    return found


def probes_of(providers: Providers, name: str) -> int:
    return providers.paths(name).get(PROBED[name], 0)


def test_only_documented_harmless_calls_are_probes() -> None:
    assert {provider.id for provider in PROVIDERS if provider.probe is not None} == set(PROBED)


async def test_a_provider_that_nobody_calls_is_probed_and_its_state_says_so(api: Api, providers: Providers) -> None:
    await api.service.probes.turn()
    assert [probes_of(providers, name) for name in PROBED] == [0, 0, 0, 0], "nothing is late yet"
    api.clock.advance(minutes=12)
    await api.service.probes.turn()
    await api.service.probes.turn()
    for name in PROBED:
        assert probes_of(providers, name) == 1, name
        found = await state_of(api, name)
        assert (found["etat"], found["origine"], found["appels"]) == ("DISPONIBLE", "SONDE", 0), name
        assert found["derniereSonde"].startswith("2026-03-10T09:42:00")
    assert await api.journal() == [], "a probe reads no company"
    ping = (await api.client.get("/ping/insee")).json()
    assert (ping["etat"], ping["origine"]) == ("DISPONIBLE", "SONDE")
    silent = await state_of(api, "infogreffe")
    assert (silent["etat"], silent["origine"], silent["derniereSonde"]) == ("INCONNU", None, None)


async def test_a_provider_that_is_called_is_not_probed(api: Api, providers: Providers) -> None:
    api.clock.advance(minutes=12)
    await api.ask(UNIT, variables={"s": CLAIR_VALLON})
    await api.service.probes.turn()
    assert probes_of(providers, "insee") == 0
    found = await state_of(api, "insee")
    assert (found["etat"], found["origine"]) == ("DISPONIBLE", "TRAFIC")
    api.clock.advance(minutes=2, seconds=59)
    await api.service.probes.turn()
    assert probes_of(providers, "insee") == 1, "two minutes without a call"
    assert (await state_of(api, "insee"))["origine"] == "TRAFIC", "ten minutes of real calls come first"
    api.clock.advance(minutes=9)
    await api.service.probes.turn()
    assert (await state_of(api, "insee"))["origine"] == "SONDE"


@pytest.mark.parametrize("wish", [{"panne": "status", "statut": 503}, {"panne": "reset"}, {"panne": "wrong_type"}])
async def test_a_probe_that_fails_tells_that_the_provider_is_down(
    api: Api, providers: Providers, wish: dict[str, Any]
) -> None:
    providers.misbehave("dgfip", chemin="etatSante", **wish)
    providers.misbehave("fabrique_numerique", **wish)
    api.clock.advance(minutes=7)
    await api.service.probes.turn()
    assert probes_of(providers, "fabrique_numerique") >= 1
    found = await state_of(api, "fabrique_numerique")
    assert (found["etat"], found["origine"], found["circuit"]) == ("INDISPONIBLE", "SONDE", "FERME")
    assert (await api.client.get("/ping/fabrique_numerique")).status_code == 503
    # Adélie's probe is judged by its status alone; its login went well, which says nothing of what is behind.
    assert (await state_of(api, "dgfip"))["etat"] == ("DISPONIBLE" if wish["panne"] == "wrong_type" else "INDISPONIBLE")


async def test_a_provider_that_asks_to_wait_is_not_said_to_be_down(api: Api, providers: Providers) -> None:
    providers.misbehave("fabrique_numerique", panne="status", statut=429, reessayer_dans=30)
    api.clock.advance(minutes=2)
    await api.service.probes.turn()
    assert (await state_of(api, "fabrique_numerique"))["etat"] == "INCONNU"
    await api.service.probes.turn()
    assert probes_of(providers, "fabrique_numerique") == 1, "its budget is that of the calls"


async def broken(api: Api, providers: Providers) -> None:
    """A circuit opened by real calls."""
    providers.misbehave("fabrique_numerique", panne="status", statut=503)
    for _ in range(5):
        await api.ask(AGREEMENTS, variables={"s": SITE})
    assert (await state_of(api, "fabrique_numerique"))["circuit"] == "OUVERT"
    assert probes_of(providers, "fabrique_numerique") == 0


async def test_a_circuit_is_tried_by_its_probe_before_any_caller(api: Api, providers: Providers) -> None:
    await broken(api, providers)
    await api.service.probes.turn()
    assert probes_of(providers, "fabrique_numerique") == 0, "open: left alone"
    api.clock.advance(seconds=10)
    await api.service.probes.turn()
    assert probes_of(providers, "fabrique_numerique") == 1
    made = providers.calls("fabrique_numerique")
    refused = await api.ask(AGREEMENTS, variables={"s": SITE})
    assert refused.codes == ["PROVIDER_UNAVAILABLE"]
    assert providers.calls("fabrique_numerique") == made, "the probe failed: nobody was sent to find out again"
    providers.sandbox.conducts["fabrique_numerique"].reset()
    api.clock.advance(seconds=20)
    await api.service.probes.turn()
    await api.service.probes.turn()
    assert providers.calls("fabrique_numerique") == 1, "it said that the provider is back: once is enough"
    found = await state_of(api, "fabrique_numerique")
    assert (found["etat"], found["origine"], found["circuit"]) == ("DISPONIBLE", "SONDE", "SEMI_OUVERT")
    assert (await api.ask(AGREEMENTS, variables={"s": SITE})).errors == []
    found = await state_of(api, "fabrique_numerique")
    assert (found["origine"], found["circuit"]) == ("TRAFIC", "FERME")


async def test_a_probe_does_not_keep_a_circuit_open_for_ever(api: Api, providers: Providers) -> None:
    """The page of health may be wrong: after ten minutes real calls try again by themselves."""
    await broken(api, providers)
    for _ in range(11):
        api.clock.advance(minutes=2)
        await api.service.probes.turn()
    made = probes_of(providers, "fabrique_numerique")
    assert 1 <= made <= 6
    providers.misbehave("fabrique_numerique", chemin="/healthz")
    assert (await api.ask(AGREEMENTS, variables={"s": SITE})).errors == []
    assert (await state_of(api, "fabrique_numerique"))["circuit"] == "FERME"


async def test_a_login_that_succeeds_does_not_close_a_circuit(api: Api, providers: Providers) -> None:
    """What is behind it may still be down: the call that it is for decides, and no other is made."""
    providers.misbehave("dgfip", chemin="/adelie", panne="status", statut=503)
    tax = f'{{ entreprise(siren: "{CLAIR_VALLON}") {{ attestations {{ fiscale {{ situation }} }} }} }}'
    for _ in range(5):
        await api.ask(tax)
    assert (await state_of(api, "dgfip"))["circuit"] == "OUVERT"
    api.clock.advance(hours=2)  # the session is over too
    logins = providers.calls("dgfip", "/token")
    await api.ask(tax)
    assert providers.calls("dgfip", "/token") == logins + 1
    assert (await state_of(api, "dgfip"))["circuit"] == "OUVERT"


async def test_nothing_is_asked_in_a_maintenance(api: Api, providers: Providers) -> None:
    api.clock.advance(hours=14, minutes=50)  # twenty past one in Paris
    await api.service.probes.turn()
    assert probes_of(providers, "dgfip") == 0
    assert probes_of(providers, "insee") == 1


async def test_of_several_workers_one_probes_and_all_know(workers: tuple[Api, Api], providers: Providers) -> None:
    first, second = workers
    first.clock.advance(minutes=3)
    await asyncio.gather(first.service.probes.turn(), second.service.probes.turn())
    await second.service.probes.turn()
    assert probes_of(providers, "insee") == 1
    for api in workers:
        found = await state_of(api, "insee")
        assert (found["etat"], found["origine"]) == ("DISPONIBLE", "SONDE")


async def test_what_another_worker_calls_is_not_probed(workers: tuple[Api, Api], providers: Providers) -> None:
    first, second = workers
    first.clock.advance(minutes=3)
    await first.ask(UNIT, variables={"s": CLAIR_VALLON})
    await first.service.watch.tell()
    await second.service.probes.turn()
    assert probes_of(providers, "insee") == 0


def test_probes_are_made_outside_of_the_sandbox_unless_the_operator_says_otherwise() -> None:
    secret = "x" * 40
    assert not Settings().probes_providers
    assert Settings(probes=True).probes_providers
    real = {"environment": Environment.PRODUCTION, "jwt_key": secret, "secret": secret}
    assert Settings(**real).probes_providers
    assert not Settings(**real, probes=False).probes_providers


@pytest.mark.parametrize(
    ("body", "healthy"),
    [
        ({"vow": {"available": True}, "countries": [{"countryCode": "FR", "availability": "Available"}]}, True),
        (
            {"vow": {"available": True}, "countries": [{"countryCode": "FR", "availability": "Monitoring Disabled"}]},
            True,
        ),
        ({"vow": {"available": True}, "countries": [{"countryCode": "FR", "availability": "Unavailable"}]}, False),
        ({"vow": {"available": True}, "countries": [{"countryCode": "DE", "availability": "Unavailable"}]}, True),
        ({"vow": {"available": False}, "countries": []}, False),
    ],
)
def test_vies_speaks_of_itself_and_of_the_french_administration(body: dict[str, Any], healthy: bool) -> None:
    assert vies.healthy(httpx.Response(200, content=orjson.dumps(body))) is healthy
    assert not vies.healthy(httpx.Response(503, content=orjson.dumps(body)))


def test_the_page_of_errors_of_adelie_under_status_200_is_not_health() -> None:
    page = b"<html>Une erreur applicative s'est produite sur le serveur ADELIE.</html>"
    with pytest.raises(ProviderError):
        adelie.healthy(httpx.Response(200, content=page))


@pytest.mark.parametrize(
    ("status", "word", "healthy"), [(200, "UP", True), (200, "DOWN", False), (200, None, False), (503, "UP", False)]
)
def test_insee_says_of_itself_that_it_is_up(status: int, word: str | None, healthy: bool) -> None:
    assert sirene.healthy(httpx.Response(status, content=orjson.dumps({"etatService": word}))) is healthy


@pytest.mark.parametrize(
    ("status", "word", "healthy"), [(200, True, True), (200, False, False), (200, "true", False), (500, True, False)]
)
def test_siret2idcc_says_of_itself_that_it_is_well(status: int, word: object, healthy: bool) -> None:
    assert agreements.healthy(httpx.Response(status, content=orjson.dumps({"success": word}))) is healthy
