"""Committing: grouped, durable, refused when it can't be."""

import asyncio
import sqlite3
from collections.abc import Mapping
from datetime import timedelta

import asyncpg  # type: ignore[import-untyped]  # it ships no types
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from journal_samples import KEY, START, entry, intention, origin, outcome, stopped

from tracing.archive import verify
from tracing.entry import Entry, Issue, Nature
from tracing.journal import GROUP_ENTRIES, Journal, JournalUnavailable, store_for
from tracing.rows import Month
from tracing.search import Filter, in_progress, search
from tracing.sqlite import SqliteStore
from tracing.store import MonthBatch, StoreError


class Counted:
    """Counts what the store is asked to append, and can refuse to."""

    def __init__(self, journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
        self.transactions = 0
        self.failure: StoreError | None = None
        self._append = journal.store.append
        monkeypatch.setattr(journal.store, "append", self.append)

    async def append(self, batch: Mapping[Month, MonthBatch]) -> None:
        self.transactions += 1
        if self.failure is not None:
            raise self.failure
        await self._append(batch)


async def found(journal: Journal, **filter: object) -> set[Entry]:
    return set((await search(journal.store, Filter(**filter), first=1_000)).entries)  # type: ignore[arg-type]


async def test_what_is_committed_is_read_back(journal: Journal) -> None:
    shared = origin(agent="b" * 64, operation=None)
    written = {
        entry(shared, champs=(), issue=Issue.REFUSE, code="PORTEE", portees_manquantes=("a", "b"), duree_ms=None),
        entry(shared, nature=Nature.DOCUMENT, cache=True, perimee=True, statut_http=None),
        entry(instant=START + timedelta(microseconds=1)),
    }
    await journal.commit(list(written))
    assert await found(journal) == written


async def test_nothing_to_commit_is_committed(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    counted = Counted(journal, monkeypatch)
    await journal.commit([])
    assert counted.transactions == 0


async def test_concurrent_commits_share_a_transaction(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    counted = Counted(journal, monkeypatch)
    await asyncio.gather(*(journal.commit([entry()]) for _ in range(500)))
    assert counted.transactions == 1
    assert len(await found(journal)) == 500


async def test_a_group_has_a_limit(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    counted = Counted(journal, monkeypatch)
    shared = origin()
    half = [entry(shared) for _ in range(GROUP_ENTRIES // 2)]
    await asyncio.gather(*(journal.commit(half) for _ in range(5)))
    assert counted.transactions == 3


async def test_commits_that_come_during_a_flush_make_the_next_one(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted = Counted(journal, monkeypatch)

    async def caller() -> None:
        for _ in range(10):
            await journal.commit([entry()])

    await asyncio.gather(*(caller() for _ in range(50)))
    assert counted.transactions == 10
    assert len(await found(journal)) == 500


async def test_who_leaves_before_the_end_does_not_take_his_entries_back(journal: Journal) -> None:
    left = asyncio.create_task(journal.commit([entry()]))
    stayed = asyncio.create_task(journal.commit([entry()]))
    await asyncio.sleep(0)
    left.cancel()
    await stayed
    assert len(await found(journal)) == 2


async def test_a_store_that_fails_fails_all_and_closes_the_journal_until_it_is_back(
    journal: Journal, monkeypatch: pytest.MonkeyPatch, public_key: bytes
) -> None:
    await journal.commit([entry()])
    counted = Counted(journal, monkeypatch)
    counted.failure = StoreError("gone")
    results = await asyncio.gather(*(journal.commit([entry()]) for _ in range(3)), return_exceptions=True)
    assert [type(result) for result in results] == [JournalUnavailable] * 3
    assert not journal.available
    with pytest.raises(JournalUnavailable):
        await journal.commit([entry()])
    assert counted.transactions == 1
    counted.failure = None
    await journal._reopen()
    assert journal.available
    await journal.commit([entry()])
    assert len(await found(journal)) == 2
    assert (await verify(journal.store, public_keys=[public_key])).intact


async def test_a_batch_committed_though_its_callers_were_told_otherwise_is_taken_into_account(
    url: str, monkeypatch: pytest.MonkeyPatch, public_key: bytes
) -> None:
    journal = await Journal.open(url, signing_key=KEY)
    called = intention(origin())
    await journal.commit([called])
    append = journal.store.append

    async def lost(batch: Mapping[Month, MonthBatch]) -> None:
        await append(batch)
        raise StoreError("the connection was lost before the answer")

    closed, not_called = outcome(called), intention(origin())
    with monkeypatch.context() as patched:
        patched.setattr(journal.store, "append", lost)
        with pytest.raises(JournalUnavailable):
            await journal.commit([closed, not_called])
    await journal._reopen()
    assert await in_progress(journal.store, Filter()) == []
    await journal.close()
    again = await Journal.open(url, signing_key=KEY)
    entries = await found(again)
    assert {(one.intention, one.issue) for one in entries} == {
        (called.id, Issue.REPONDU),
        (not_called.id, Issue.INTERROMPU),
    }
    assert len(entries) == 2
    assert (await verify(again.store, public_keys=[public_key])).intact
    await again.close()


async def test_one_refused_commit_fails_alone(journal: Journal, public_key: bytes) -> None:
    good = [entry() for _ in range(4)]
    bad = entry(statut_http=2**70)
    results = await asyncio.gather(*(journal.commit([one]) for one in [*good, bad]), return_exceptions=True)
    assert [type(result) for result in results] == [type(None)] * 4 + [JournalUnavailable]
    assert journal.available
    assert await found(journal) == set(good)
    assert (await verify(journal.store, public_keys=[public_key])).intact


async def test_text_that_no_database_stores_stops_nobody(journal: Journal, public_key: bytes) -> None:
    await journal.commit([entry(origin(objet="a\0b", contexte="c\ud800d"), code="\0")])
    (read,) = await found(journal)
    assert (read.origine.objet, read.origine.contexte, read.code) == ("a\ufffdb", "c?d", "\ufffd")
    assert (await verify(journal.store, public_keys=[public_key])).intact


async def test_an_outcome_hides_its_intention(journal: Journal) -> None:
    opened, other = intention(origin()), intention(origin(), sujet="552100554")
    await journal.commit([opened, other])
    assert await found(journal) == set()
    assert await in_progress(journal.store, Filter()) == [opened, other]
    closed = outcome(opened, issue=Issue.ECHEC, code="FOURNISSEUR_INDISPONIBLE")
    await journal.commit([closed])
    assert await found(journal) == {closed}
    assert await in_progress(journal.store, Filter()) == [other]
    assert await in_progress(journal.store, Filter(sujet="130025265")) == []


async def test_a_journal_that_closes_says_what_it_interrupts(url: str, public_key: bytes) -> None:
    journal = await Journal.open(url, signing_key=KEY)
    opened = intention(origin())
    await journal.commit([opened])
    await journal.close()
    with pytest.raises(JournalUnavailable):
        await journal.commit([entry()])
    again = await Journal.open(url, signing_key=KEY)
    (read,) = await found(again)
    assert (read.issue, read.intention, read.nature) == (Issue.INTERROMPU, opened.id, Nature.ACCES)
    assert read.origine == opened.origine
    assert (await verify(again.store, public_keys=[public_key])).intact
    await again.close()


async def test_a_living_writer_is_not_taken_for_dead(url: str) -> None:
    first = await Journal.open(url, signing_key=KEY)
    opened = intention(origin())
    await first.commit([opened])
    second = await Journal.open(url, signing_key=KEY)
    assert await in_progress(second.store, Filter()) == [opened]
    closed = outcome(opened)
    await first.commit([closed])
    assert await found(second) == {closed}
    await first.close()
    await second.close()


async def test_a_writer_that_died_is_closed_once(url: str, public_key: bytes) -> None:
    dead = await Journal.open(url, signing_key=KEY)
    shared = origin()
    opened, closed = intention(shared), intention(shared)
    await dead.commit([opened, closed])
    await dead.commit([outcome(closed)])
    assert dead._keeper is not None
    dead._keeper.cancel()
    await dead.store.close()
    for _ in range(2):
        journal = await Journal.open(url, signing_key=KEY)
        interrupted = [one for one in await found(journal) if one.issue is Issue.INTERROMPU]
        assert [one.intention for one in interrupted] == [opened.id]
        assert (await verify(journal.store, public_keys=[public_key])).intact
        await journal.close()


async def test_the_journal_goes_on_when_its_connection_is_lost(url: str, public_key: bytes) -> None:
    if not url.startswith("postgresql"):
        pytest.skip("SQLite has no connection to lose")
    journal = await Journal.open(url, signing_key=KEY)
    opened = intention(origin())
    await journal.commit([opened])
    killer = await asyncpg.connect(url)
    await killer.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    await killer.close()
    with pytest.raises(JournalUnavailable):
        await journal.commit([entry()])
    assert not journal.available
    await journal._reopen()
    closed = outcome(opened)
    await journal.commit([closed])
    assert await found(journal) == {closed}
    await journal.close()
    journal = await Journal.open(url, signing_key=KEY)
    assert await found(journal) == {closed}
    assert (await verify(journal.store, public_keys=[public_key])).intact
    await journal.close()


async def test_what_another_process_closed_has_no_second_outcome(journal: Journal) -> None:
    """While the connection was lost, another process took this one for dead."""
    shared = origin()
    opened, beside = intention(shared), intention(shared)
    await journal.commit([opened])
    await journal.store.retire(journal._writer, 0)
    await journal._reopen()
    await journal.commit([beside])
    with pytest.raises(JournalUnavailable):
        await journal.commit([outcome(opened), outcome(beside)])
    assert journal.available, "the others go on"
    await journal._close_orphans()
    (closed,) = [one for one in await found(journal) if one.nature is Nature.ACCES]
    assert (closed.intention, closed.issue) == (beside.id, Issue.INTERROMPU)
    await journal.commit([entry()])


async def test_a_database_that_does_not_answer_can_not_be_opened() -> None:
    with pytest.raises(JournalUnavailable):
        await Journal.open("postgresql://nobody@127.0.0.1:1/nothing", signing_key=None)


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///", "mysql://localhost/x", "journal.db"])
def test_only_two_databases_are_known(url: str) -> None:
    with pytest.raises(ValueError, match="sqlite:///path"):
        store_for(url)


def test_the_driver_in_an_address_does_not_matter() -> None:
    assert isinstance(store_for("sqlite+aiosqlite:///var/journal.db"), SqliteStore)


async def test_rows_are_never_changed_nor_removed(journal: Journal, url: str) -> None:
    await journal.commit([entry()])
    await journal._seal(final=False)
    for table in ("entrees_202605", "origines_202605", "sceaux"):
        for statement in (f"UPDATE {table} SET rang = rang", f"DELETE FROM {table}"):
            if url.startswith("sqlite"):
                assert isinstance(journal.store, SqliteStore)
                connection = journal.store._connected()
                with pytest.raises(StoreError, match="append only"):
                    await journal.store._in(
                        journal.store._writing,
                        lambda c=connection, s=statement: c.execute(s),  # type: ignore[misc]
                    )
            else:
                connection = await asyncpg.connect(url, server_settings={"search_path": "journal"})
                with pytest.raises(asyncpg.RaiseError, match="append only"):
                    await connection.execute(statement)
                await connection.close()


async def test_a_later_program_s_journal_is_left_alone(url: str) -> None:
    if not url.startswith("sqlite"):
        pytest.skip("the same test of the version, on another table")
    await (await Journal.open(url, signing_key=None)).close()
    connection = sqlite3.connect(url.removeprefix("sqlite:///"))
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(JournalUnavailable) as caught:
        await Journal.open(url, signing_key=None)
    assert isinstance(caught.value.__cause__, StoreError)


names = st.text("abcdefghijklmnopqrstuvwxyz_.", min_size=1, max_size=20)
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)
natures = st.sampled_from([Nature.ACCES, Nature.DOCUMENT])
origins = st.builds(
    origin,
    requete=st.uuids().map(str),
    habilitation=texts,
    jeton=texts,
    agent=st.none() | texts,
    contexte=st.none() | texts,
    objet=st.none() | texts,
    destinataire=st.none() | texts,
    operation=st.none() | texts,
    adresse=texts,
    agent_utilisateur=texts,
)
entries = st.builds(
    entry,
    origins,
    id=st.uuids().map(str),
    nature=natures,
    instant=st.integers(-(10**14), 10**14).map(lambda value: START + timedelta(microseconds=value)),
    sujet=texts,
    jeu_de_donnees=texts,
    fournisseur=texts,
    champs=st.lists(names).map(tuple),
    issue=st.sampled_from(list(Issue)),
    code=st.none() | texts,
    portees_manquantes=st.lists(names).map(tuple),
    cache=st.booleans(),
    perimee=st.booleans(),
    duree_ms=st.none() | st.floats(0, 1e9),
    statut_http=st.none() | st.integers(100, 599),
    intention=st.none() | st.uuids().map(str),
)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(written=st.lists(entries, min_size=1, max_size=5, unique_by=lambda one: one.id))
async def test_every_entry_comes_back_as_it_was(journal: Journal, public_key: bytes, written: list[Entry]) -> None:
    await journal.commit(written)
    for one in written:
        assert one in await found(journal, requete=one.origine.requete)
    assert (await verify(journal.store, public_keys=[public_key])).intact


async def test_a_clock_that_jumps_breaks_nothing(url: str, public_key: bytes) -> None:
    journal = await Journal.open(url, signing_key=KEY, clock=stopped(START))
    shared = origin()
    opened = intention(shared)
    jumps = [0, 3_000, -2_500, 1, -9_000, 0]
    written = [entry(instant=START + timedelta(days=days), sujet=str(days)) for days in jumps]
    await journal.commit([opened])
    for one in written:
        await journal.commit([one])
        await journal._seal(final=False)
    closed = outcome(opened, instant=START - timedelta(days=400))
    await journal.commit([closed])
    assert await found(journal) == {*written, closed}
    assert await in_progress(journal.store, Filter()) == []
    assert (await verify(journal.store, public_keys=[public_key])).intact
    await journal.close()
