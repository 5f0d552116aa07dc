"""Processes killed under load, and processes that write side by side."""

import asyncio
import sys
from pathlib import Path

import asyncpg  # type: ignore[import-untyped]  # it ships no types
import pytest
from journal_samples import KEY

from tracing.archive import verify
from tracing.entry import Entry, Issue
from tracing.journal import Journal
from tracing.search import Filter, in_progress, search

LOAD = Path(__file__).with_name("journal_load.py")
TIMEOUT_S = 240


async def start(url: str, requests: int) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, str(LOAD), url, str(requests), stdout=asyncio.subprocess.PIPE
    )


def words(output: bytes) -> dict[str, set[str]]:
    """What was acknowledged; a line cut by the kill says nothing."""
    said: dict[str, set[str]] = {"I": set(), "O": set()}
    for line in output.decode().splitlines(keepends=True):
        if line.endswith("\n"):
            said[line[0]].add(line[2:-1])
    return said


async def all_entries(journal: Journal) -> list[Entry]:
    found: list[Entry] = []
    after = None
    while True:
        page = await search(journal.store, Filter(), first=1_000, after=after)
        found += page.entries
        after = page.suivant
        if after is None:
            return found


async def gone(url: str) -> None:
    """PostgreSQL notices on its own time that the other end of a connection died."""
    if url.startswith("postgresql"):
        server = await asyncpg.connect(url)
        async with asyncio.timeout(TIMEOUT_S):
            while await server.fetchval(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
                " AND application_name LIKE 'journal%'"
            ):
                await server.execute("SELECT pg_stat_clear_snapshot()")
        await server.close()


@pytest.mark.parametrize("lines", [40, 700])
async def test_what_was_acknowledged_survives_a_kill_and_the_rest_is_interrupted(
    url: str, public_key: bytes, lines: int
) -> None:
    acknowledged: dict[str, set[str]] = {"I": set(), "O": set()}
    for _ in range(2):
        load = await start(url, 0)
        assert load.stdout is not None
        async with asyncio.timeout(TIMEOUT_S):
            output = b"".join([await load.stdout.readline() for _ in range(lines)])
            load.kill()
            output += await load.stdout.read()
            await load.wait()
        await gone(url)
        for word, ids in words(output).items():
            acknowledged[word] |= ids
        journal = await Journal.open(url, signing_key=KEY)
        entries = await all_entries(journal)
        assert await in_progress(journal.store, Filter()) == []
        assert (await verify(journal.store, public_keys=[public_key])).intact
        await journal.close()
    assert acknowledged["O"] <= {one.id for one in entries}
    closed = [one.intention for one in entries]
    assert len(closed) == len(set(closed))
    assert acknowledged["I"] <= set(closed)
    interrupted = {one.intention for one in entries if one.issue is Issue.INTERROMPU}
    assert interrupted
    assert interrupted.isdisjoint(one.intention for one in entries if one.issue is Issue.REPONDU)


async def test_two_processes_write_side_by_side(url: str, public_key: bytes) -> None:
    async with asyncio.timeout(TIMEOUT_S):
        loads = [await start(url, 300) for _ in range(2)]
        outputs = [(await load.communicate())[0] for load in loads]
    assert [load.returncode for load in loads] == [0, 0]
    said = [words(output) for output in outputs]
    journal = await Journal.open(url, signing_key=KEY)
    entries = await all_entries(journal)
    outcomes = {one.id for one in entries if one.issue is Issue.REPONDU}
    assert outcomes == said[0]["O"] | said[1]["O"]
    assert {one.intention for one in entries} == said[0]["I"] | said[1]["I"]
    assert len([one for one in entries if one.issue is Issue.INTERROMPU]) == 2 * 60
    report = await verify(journal.store, public_keys=[public_key])
    assert report.intact
    assert report.liens >= 2 * (300 + 300)
    await journal.close()
