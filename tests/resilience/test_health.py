"""How providers are, as the graph, `/ping` and `/pret` tell it."""

from datetime import date
from typing import Any

from sandbox.personas import CLAIR_VALLON
from tests.conftest import Api, Providers

RCS = "query($s: Siren!) { entreprise(siren: $s) { rcs { siren } } }"
HEALTH = """{ fournisseurs { id etat circuit appels tauxErreur latenceMedianeMs latenceP95Ms dernierSucces depuis
  enPauseJusquA debits { limite } maintenances { debut fin } historique { jour reponses echecs disponibilite } } }"""


async def health_of(api: Api, provider: str) -> dict[str, Any]:
    answer = await api.ask(HEALTH, scopes=())
    assert answer.errors == []
    found: dict[str, Any] = next(item for item in answer.at("fournisseurs") if item["id"] == provider)
    return found


async def test_a_provider_that_nobody_asked_is_unknown(api: Api, providers: Providers) -> None:
    found = await health_of(api, "infogreffe")
    assert (found["etat"], found["circuit"], found["appels"]) == ("INCONNU", "FERME", 0)
    assert (await api.client.get("/ping/infogreffe")).status_code == 200
    assert providers.calls("infogreffe") == 0, "looking calls nobody"


async def test_health_comes_from_the_calls_really_made(api: Api, providers: Providers) -> None:
    await api.ask(RCS, variables={"s": CLAIR_VALLON})
    found = await health_of(api, "infogreffe")
    assert (found["etat"], found["appels"], found["tauxErreur"]) == ("DISPONIBLE", 1, 0.0)
    assert 0 < found["latenceMedianeMs"] <= found["latenceP95Ms"]
    assert found["dernierSucces"].startswith("2026-03-10T09:30:00")
    providers.misbehave("infogreffe", panne="status", statut=503)
    api.clock.advance(minutes=1)
    for _ in range(6):
        await api.ask(RCS, variables={"s": CLAIR_VALLON})
    found = await health_of(api, "infogreffe")
    assert (found["etat"], found["circuit"], found["appels"]) == ("INDISPONIBLE", "OUVERT", 6)
    assert found["historique"] == [{"jour": "2026-03-10", "reponses": 1, "echecs": 5, "disponibilite": 16.667}]
    ping = await api.client.get("/ping/infogreffe")
    assert ping.status_code == 503
    assert ping.json()["erreurs"] == {"PROVIDER_UNAVAILABLE": 5}
    api.clock.advance(minutes=11)
    assert (await health_of(api, "infogreffe"))["appels"] == 0, "ten minutes are looked at"


async def test_a_maintenance_is_announced_then_told(api: Api) -> None:
    (window,) = (await health_of(api, "msa"))["maintenances"][:1]
    assert window["debut"].startswith("2026-03-11T02:00:00")  # three o'clock in Paris
    api.clock.advance(hours=16, minutes=40)
    found = await health_of(api, "msa")
    assert found["etat"] == "EN_MAINTENANCE"
    assert (await api.client.get("/ping/msa")).status_code == 503


async def test_the_history_keeps_ninety_days(api: Api) -> None:
    await api.ask(RCS, variables={"s": CLAIR_VALLON})
    await api.service.history.save()
    api.clock.advance(days=90)
    await api.ask(RCS, variables={"s": CLAIR_VALLON})
    assert [day.day for day in await api.service.history.days("infogreffe")] == [date(2026, 3, 10), date(2026, 6, 8)]
    api.clock.advance(days=1)
    await api.ask(RCS, variables={"s": "384500195"})
    assert [day.day for day in await api.service.history.days("infogreffe")] == [date(2026, 6, 8), date(2026, 6, 9)]


async def test_the_pages_for_machines(api: Api) -> None:
    ready = await api.client.get("/pret")
    assert (ready.status_code, ready.json()) == (200, {"statut": "pret", "base": True, "journal": True, "redis": None})
    listed = (await api.client.get("/pings")).json()
    assert {"id": "insee", "url": "http://api.test/ping/insee"}.items() <= next(
        item for item in listed if item["id"] == "insee"
    ).items()
    assert (await api.client.get("/ping/inconnu")).status_code == 404


async def test_workers_see_the_same_health(workers: tuple[Api, Api], providers: Providers) -> None:
    first, second = workers
    await first.ask(RCS, variables={"s": CLAIR_VALLON})
    await second.ask(RCS, variables={"s": "384500195"})
    await second.service.watch.tell()
    for api in workers:
        assert (await health_of(api, "infogreffe"))["appels"] == 2
