"""Public statistics: months that are over, groups large enough, no token; counted once."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from sandbox.personas import CLAIR_VALLON
from tests.conftest import Api
from tracing.entry import Entry
from tracing.store import StoreError


async def an_entry(api: Api) -> Entry:
    """One real access, to be copied under other names."""
    from tracing.search import Filter, search

    await api.ask("query($s: Siren!) { entreprise(siren: $s) { rcs { siren } } }", variables={"s": CLAIR_VALLON})
    (entry,) = (await search(api.service.journal.store, Filter())).entries
    return entry


async def fill(api: Api, entry: Entry, dataset: str, *, habilitations: int, each: int) -> None:
    copies = [
        replace(
            entry,
            id=str(uuid.uuid4()),
            intention=None,
            jeu_de_donnees=dataset,
            origine=replace(entry.origine, requete=str(uuid.uuid4()), habilitation=f"habilitation-{number}"),
        )
        for number in range(habilitations)
        for _ in range(each)
    ]
    await api.service.journal.commit(copies)


async def volumes(api: Api) -> dict[str, Any]:
    response = await api.client.get("/statistiques")
    assert response.status_code == 200
    assert response.headers["cache-control"] == "public, max-age=3600"
    return {f"{one['mois']} {one['jeuDeDonnees']}": one["acces"] for one in response.json()["volumes"]}


async def test_small_groups_are_not_told_and_the_running_month_is_not_there(api: Api) -> None:
    entry = await an_entry(api)
    await fill(api, entry, "a.large", habilitations=5, each=4)
    await fill(api, entry, "a.few_habilitations", habilitations=4, each=10)
    await fill(api, entry, "a.few_accesses", habilitations=6, each=3)
    assert await volumes(api) == {}
    api.clock.advance(days=25)
    assert await volumes(api) == {
        "2026-03 a.large": 20,
        "2026-03 a.few_habilitations": None,
        "2026-03 a.few_accesses": None,
        "2026-03 infogreffe.extrait_rcs": None,
    }


async def test_nothing_but_counts_is_told(api: Api) -> None:
    entry = await an_entry(api)
    await fill(api, entry, "a.large", habilitations=5, each=4)
    api.clock.advance(days=25)
    text = (await api.client.get("/statistiques")).text
    assert CLAIR_VALLON not in text
    assert "habilitation-" not in text


async def test_a_month_that_is_over_is_counted_once(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = await an_entry(api)
    await fill(api, entry, "a.large", habilitations=5, each=4)
    api.clock.advance(days=25)
    first = await volumes(api)
    store = api.service.journal.store
    fetch, asked = store.fetch, []

    async def counted(sql: str, *values: Any) -> Any:
        asked.append(sql)
        return await fetch(sql, *values)

    monkeypatch.setattr(store, "fetch", counted)
    assert await volumes(api) == first
    assert not any("entrees_202603" in sql for sql in asked)


async def test_a_month_is_told_a_day_after_its_end(api: Api) -> None:
    entry = await an_entry(api)
    await fill(api, entry, "a.large", habilitations=5, each=4)
    end = entry.instant.replace(month=4, day=1, hour=0, minute=0)
    api.clock.instant = end + timedelta(hours=23)
    assert await volumes(api) == {}
    api.clock.instant = end + timedelta(hours=24)
    assert "2026-03 a.large" in await volumes(api)


async def test_a_journal_that_cannot_be_read_says_so(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_arguments: Any) -> Any:
        raise StoreError("no database")

    monkeypatch.setattr(api.service.journal.store, "fetch", broken)
    response = await api.client.get("/statistiques")
    assert response.status_code == 503
    assert response.headers["retry-after"] == "30"
