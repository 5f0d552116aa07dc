"""36 months at least, then whole months; the chain verifies after, and a wrong clock removes nothing early."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from journal_samples import KEY, entry, stopped

from tracing.archive import archive, purges, verify, verify_archive
from tracing.entry import Nature
from tracing.journal import Journal
from tracing.retention import due, purge, purge_entry, runs
from tracing.rows import Month, microseconds
from tracing.search import Filter, search
from tracing.store import Store
from tracing.verification import Kind

FIRST = Month(2022, 11)


def middle(month: Month) -> datetime:
    return datetime(month.year, month.month, 15, 12, tzinfo=UTC)


async def lived(url: str, months: int) -> None:
    """A journal that was open once a month, with an entry each time."""
    for number in range(months):
        now = middle(FIRST.plus(number))
        journal = await Journal.open(url, signing_key=KEY, clock=stopped(now))
        await journal.commit([entry(instant=now, sujet=str(number))])
        await journal.close()


async def test_a_month_goes_after_36_full_months_and_the_chain_verifies(
    url: str, tmp_path: Path, public_key: bytes
) -> None:
    await lived(url, 38)
    now = middle(FIRST.plus(37))
    journal = await Journal.open(url, signing_key=KEY, clock=stopped(now))
    assert await due(journal.store, datetime(2025, 11, 30, tzinfo=UTC)) == []
    assert await purge(journal, now) == [FIRST]
    assert FIRST not in await journal.store.months()
    assert await purge(journal, now) == []
    ((instant, code, _),) = await purges(journal.store)
    assert (instant, code) == (microseconds(now), "2022-11")
    newest = (await search(journal.store, Filter(), first=100)).entries
    assert newest[0].nature is Nature.PURGE
    assert {one.sujet for one in newest[1:]} == {str(number) for number in range(1, 38)}
    assert (await verify(journal.store, public_keys=[public_key])).intact
    path = tmp_path / "archive.jsonl"
    path.write_bytes(b"".join([line async for line in archive(journal.store)]))
    assert verify_archive(path, public_keys=[public_key]).intact
    await journal.close()


async def test_a_purge_that_died_before_removing_is_finished_and_told_once(
    url: str, public_key: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    await lived(url, 38)
    now = middle(FIRST.plus(37))
    journal = await Journal.open(url, signing_key=KEY, clock=stopped(now))

    async def nothing(month: Month, links: int) -> bool:
        return False

    with monkeypatch.context() as patched:
        patched.setattr(journal.store, "drop", nothing)
        assert await purge(journal, now) == []
    assert (await verify(journal.store, public_keys=[public_key])).intact
    assert await purge(journal, now) == [FIRST]
    assert len(await purges(journal.store)) == 1
    assert (await verify(journal.store, public_keys=[public_key])).intact
    await journal.close()


async def test_a_month_that_still_receives_entries_is_not_removed(journal: Journal) -> None:
    await journal.commit([entry()])
    (month,) = await journal.store.months()
    (run,) = await runs(journal.store, month)
    assert not await journal.store.drop(month, run.last - run.first)
    assert await journal.store.months() == [month]


async def test_a_clock_that_jumps_forward_purges_nothing(url: str) -> None:
    await lived(url, 2)
    later = datetime(2040, 1, 1, tzinfo=UTC)
    journal = await Journal.open(url, signing_key=KEY, clock=stopped(later))
    await journal.commit([entry(instant=later)])
    await journal._seal(final=False)
    assert await due(journal.store, later) == []
    await journal.close()


async def test_entries_put_in_an_old_month_by_a_clock_that_went_back_stay(url: str) -> None:
    await lived(url, 38)
    past = middle(FIRST)
    journal = await Journal.open(url, signing_key=KEY, clock=stopped(past))
    await journal.commit([entry(instant=past)])
    await journal._seal(final=False)
    assert await due(journal.store, middle(FIRST.plus(37))) == []
    await journal.close()


async def test_links_that_no_seal_covers_stay(url: str) -> None:
    journal = await Journal.open(url, signing_key=KEY)
    await journal.commit([entry(instant=middle(FIRST))])
    assert await due(journal.store, datetime(2040, 1, 1, tzinfo=UTC)) == []
    await journal.close()


async def removed_early(store: Store, month: Month) -> None:
    gone = await runs(store, month)
    assert await store.drop(month, sum(run.last - run.first + 1 for run in gone))


async def test_a_month_removed_without_a_purge_is_missed(url: str, public_key: bytes) -> None:
    await lived(url, 3)
    journal = await Journal.open(url, signing_key=KEY)
    await removed_early(journal.store, FIRST)
    report = await verify(journal.store, public_keys=[public_key])
    assert [(p.nature, p.ecrivain, p.premier, p.dernier) for p in report.problemes] == [(Kind.SUPPRIME, 1, 1, 2)]
    await journal.close()


async def test_a_purge_before_its_time_is_told(url: str, public_key: bytes) -> None:
    await lived(url, 3)
    journal = await Journal.open(url, signing_key=KEY)
    gone = await runs(journal.store, FIRST)
    await journal.commit([purge_entry(FIRST, gone, middle(FIRST.plus(20)))])
    await removed_early(journal.store, FIRST)
    report = await verify(journal.store, public_keys=[public_key])
    assert [(p.nature, p.premier, p.dernier) for p in report.problemes] == [(Kind.PURGE_PRECOCE, 1, 2)]
    await journal.close()
