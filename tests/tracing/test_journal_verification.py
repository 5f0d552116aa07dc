"""Every kind of tampering is found, named and located, in an archive and in a database."""

import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import asyncpg  # type: ignore[import-untyped]  # it ships no types
import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from journal_samples import KEY, entry, intention, origin, outcome

from tracing.archive import (
    NotAnArchive,
    archive,
    link_line,
    purges,
    read_link,
    read_seal_line,
    seal_line,
    verify,
    verify_archive,
)
from tracing.chain import key_name, next_seal
from tracing.journal import Journal
from tracing.rows import rank
from tracing.sqlite import SqliteStore
from tracing.verification import Anchor, Kind, Link, Problem, Report, judge

Lines = list[dict[str, Any]]

# Links of writer 1: an origin then its entries, three requests; seals after 4, 8 and 12, the last one final.
REQUESTS, ENTRIES = 3, 3


@pytest.fixture
async def lines(tmp_path: Path) -> Lines:
    journal = await Journal.open(f"sqlite:///{tmp_path}/journal.db", signing_key=KEY)
    for request in range(REQUESTS):
        shared = origin()
        await journal.commit([entry(shared, sujet=f"{request}{number}") for number in range(ENTRIES)])
        if request < REQUESTS - 1:
            await journal._seal(final=False)
    await journal.close()
    reader = SqliteStore(tmp_path / "journal.db")
    found = [msgspec.json.decode(line) async for line in archive(reader)]
    await reader.close()
    return found


@pytest.fixture
def check(tmp_path: Path, public_key: bytes) -> Callable[..., Report]:
    def checked(lines: Lines, anchor: Anchor | None = None) -> Report:
        path = tmp_path / "archive.jsonl"
        path.write_bytes(b"".join(msgspec.json.encode(line) + b"\n" for line in lines))
        return verify_archive(path, public_keys=[public_key], anchor=anchor)

    return checked


def at(lines: Lines, sequence: int, writer: int = 1) -> int:
    rang = rank(writer, sequence)
    return next(place for place, line in enumerate(lines) if "lien" in line and line["rang"] == rang)


def rechained(lines: Lines, start: int) -> None:
    """What a forger who knows the algorithm does: every digest from there on is right again."""
    places = [place for place in range(start, len(lines)) if "lien" in lines[place]]
    previous = read_link(lines[start - 1]).stored
    for place in places:
        link = read_link(lines[place])
        previous = link.digest_after(previous, link.rang)
        lines[place] = link_line(Link(link.entry, (*link.row[:-1], previous)))


def told(report: Report) -> list[tuple[Kind, int, int]]:
    return [(problem.nature, problem.premier, problem.dernier) for problem in report.problemes]


def test_an_untouched_archive_is_intact(lines: Lines, check: Callable[..., Report]) -> None:
    report = check(lines)
    assert report.intact
    assert (report.liens, report.sceaux, report.non_scelles) == (12, 3, 0)
    assert report.ancre is not None
    assert check(lines, report.ancre).intact


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("sujet", "999999999"),
        ("instant", 0),
        ("issue", 2),
        ("champs", "denomination,capital"),
        ("cache", 1),
        ("demande", 1),
        ("origine", 1),
        ("id", "00000000-0000-4000-8000-000000000000"),
    ],
)
@pytest.mark.parametrize("sequence", [2, 7, 12])
def test_an_altered_entry_is_located(
    lines: Lines, check: Callable[..., Report], field: str, value: object, sequence: int
) -> None:
    place = at(lines, sequence)
    if lines[place][field] == value:
        value = 5
    lines[place][field] = value
    report = check(lines)
    assert report.problemes == (Problem(Kind.ALTERE, 1, sequence, sequence, lines[place]["id"]),)


@pytest.mark.parametrize("field", ["habilitation", "jeton", "agent", "adresse", "instant"])
def test_an_altered_origin_is_located(lines: Lines, check: Callable[..., Report], field: str) -> None:
    lines[at(lines, 5)][field] = 7 if field == "instant" else "autre"
    assert told(check(lines)) == [(Kind.ALTERE, 5, 5)]


def test_an_altered_digest_is_located(lines: Lines, check: Callable[..., Report]) -> None:
    lines[at(lines, 6)]["empreinte"] = "00" * 32
    assert told(check(lines)) == [(Kind.ALTERE, 6, 6)]


def test_an_entry_rewritten_with_the_rest_of_the_chain_is_found_by_the_seal(
    lines: Lines, check: Callable[..., Report]
) -> None:
    place = at(lines, 7)
    lines[place]["sujet"] = "999999999"
    rechained(lines, place)
    assert told(check(lines)) == [(Kind.SCELLE_AUTREMENT, 5, 8)]


@pytest.mark.parametrize(("first", "last"), [(1, 1), (3, 3), (6, 9), (12, 12), (10, 12), (1, 12)])
def test_removed_links_are_located(lines: Lines, check: Callable[..., Report], first: int, last: int) -> None:
    del lines[at(lines, first) : at(lines, last) + 1]
    assert told(check(lines)) == [(Kind.SUPPRIME, first, last)]


def test_a_removed_entry_is_located_though_the_rest_was_renumbered(lines: Lines, check: Callable[..., Report]) -> None:
    place = at(lines, 6)
    del lines[place]
    for line in lines[place:]:
        line["rang"] -= 1
    assert (Kind.SUPPRIME, 6, 6) in told(check(lines))


def test_an_inserted_entry_is_located_though_the_rest_was_renumbered(
    lines: Lines, check: Callable[..., Report]
) -> None:
    place = at(lines, 6)
    for line in lines[place:]:
        line["rang"] += 1
    lines.insert(place, lines[place] | {"rang": rank(1, 6), "sujet": "inseree", "empreinte": "11" * 32})
    assert (Kind.INSERE, 6, 6) in told(check(lines))


def test_a_second_entry_at_the_same_place_is_located(lines: Lines, check: Callable[..., Report]) -> None:
    place = at(lines, 6)
    lines.insert(place + 1, lines[place] | {"sujet": "inseree"})
    assert told(check(lines)) == [(Kind.INSERE, 6, 6)]


def test_an_entry_added_after_the_last_seal_of_a_writer_is_located(lines: Lines, check: Callable[..., Report]) -> None:
    lines.append(lines[-1] | {"rang": rank(1, 13)})
    rechained(lines, len(lines) - 1)
    assert told(check(lines)) == [(Kind.INSERE, 13, 13)]


@pytest.mark.parametrize(("one", "other"), [(2, 3), (2, 4), (3, 8), (6, 11)])
@pytest.mark.parametrize("with_digest", [True, False])
def test_two_entries_exchanged_are_located(
    lines: Lines, check: Callable[..., Report], one: int, other: int, with_digest: bool
) -> None:
    a, b = at(lines, one), at(lines, other)
    kept = ("rang",) if with_digest else ("rang", "empreinte")
    lines[a], lines[b] = (
        lines[b] | {name: lines[a][name] for name in kept},
        lines[a] | {name: lines[b][name] for name in kept},
    )
    problems = told(check(lines))
    moved = {first for kind, first, _ in problems if kind is Kind.DEPLACE}
    assert moved == {one, other}
    # A seal on an exchanged link tells of it too.
    assert {kind for kind, _, _ in problems} <= {Kind.DEPLACE, Kind.SCELLE_AUTREMENT}


def test_a_removed_seal_is_located(lines: Lines, check: Callable[..., Report]) -> None:
    lines[:] = [line for line in lines if line.get("sceau") != 2]
    assert told(check(lines)) == [(Kind.SCEAU_SUPPRIME, 2, 2)]


def test_the_last_seals_removed_are_missed_by_who_noted_the_last(lines: Lines, check: Callable[..., Report]) -> None:
    noted = check(lines).ancre
    cut = [line for line in lines if line.get("sceau") != 3 and line.get("rang", 0) <= rank(1, 8)]
    assert check(cut).intact
    assert told(check(cut, noted)) == [(Kind.SCEAU_SUPPRIME, 3, 3)]


def test_an_altered_seal_is_located(lines: Lines, check: Callable[..., Report]) -> None:
    lines[1]["instant"] += 1
    assert (Kind.SCEAU_ALTERE, 1, 1) in told(check(lines))


def test_a_forger_without_the_key_signs_in_vain(lines: Lines, check: Callable[..., Report]) -> None:
    forged = Ed25519PrivateKey.generate()
    last = read_seal_line(lines[2])
    true = read_seal_line(lines[3])
    fake = next_seal(last, rang=true.rang, tete=true.tete, instant=true.instant, final=True, key=forged)
    lines[3] = seal_line(fake)
    assert told(check(lines)) == [(Kind.SCEAU_NON_SIGNE, 3, 3)]
    name = replace(fake, cle=true.cle)
    lines[3] = seal_line(name)
    assert told(check(lines)) == [(Kind.SCEAU_ALTERE, 3, 3)]


def test_what_is_no_archive_is_said_to_be_none(tmp_path: Path, public_key: bytes) -> None:
    for text in ("not json\n", '{"other": 1}\n', '{"journal": 1}\n{"lien": "entree"}\n', '{"journal": 1}\n[]\n'):
        path = tmp_path / "file"
        path.write_text(text)
        with pytest.raises(NotAnArchive):
            verify_archive(path, public_keys=[public_key])


async def test_the_archive_of_both_databases_verifies(journal: Journal, tmp_path: Path, public_key: bytes) -> None:
    opened = intention(origin())
    await journal.commit([opened])
    await journal.commit([outcome(opened)])
    await journal._seal(final=False)
    await journal.commit([entry()])
    path = tmp_path / "archive.jsonl"
    path.write_bytes(b"".join([line async for line in archive(journal.store)]))
    report = verify_archive(path, public_keys=[public_key])
    assert report.intact
    assert report == await verify(journal.store, public_keys=[public_key])
    assert (report.liens, report.non_scelles) == (5, 2)
    assert await purges(journal.store) == []


async def test_tampering_with_a_database_is_located(journal: Journal, url: str, public_key: bytes) -> None:
    shared = origin()
    await journal.commit([entry(shared) for _ in range(5)])
    alter = f"UPDATE entrees_202605 SET sujet = 'x' WHERE rang = {rank(1, 3)}"
    remove = f"DELETE FROM entrees_202605 WHERE rang = {rank(1, 5)}"
    if url.startswith("sqlite"):
        connection = sqlite3.connect(url.removeprefix("sqlite:///"))
        for trigger in ("update", "delete"):
            connection.execute(f"DROP TRIGGER entrees_202605_{trigger}")
        connection.execute(alter)
        connection.execute(remove)
        connection.commit()
        connection.close()
    else:
        server = await asyncpg.connect(
            url, server_settings={"search_path": "journal", "session_replication_role": "replica"}
        )
        await server.execute(alter)
        await server.execute(remove)
        await server.close()
    report = await verify(journal.store, public_keys=[public_key])
    assert told(report) == [(Kind.SUPPRIME, 5, 5), (Kind.ALTERE, 3, 3)]


async def test_seals_of_two_keys_verify_with_both(url: str, public_key: bytes) -> None:
    newer = bytes(32)
    for key in (KEY, newer):
        journal = await Journal.open(url, signing_key=key)
        await journal.commit([entry()])
        await journal.close()
    other = Ed25519PrivateKey.from_private_bytes(newer).public_key().public_bytes_raw()
    assert key_name(other) != key_name(public_key)
    journal = await Journal.open(url, signing_key=newer)
    assert (await verify(journal.store, public_keys=[public_key, other])).intact
    assert told(await verify(journal.store, public_keys=[other])) == [(Kind.SCEAU_NON_SIGNE, 1, 1)]
    await journal.close()


async def test_without_a_key_the_chain_is_verified_and_nothing_is_signed(url: str, public_key: bytes) -> None:
    journal = await Journal.open(url, signing_key=None)
    await journal.commit([entry()])
    await journal._seal(final=False)
    assert (await verify(journal.store, public_keys=[])).intact
    assert told(await verify(journal.store, public_keys=[public_key])) == [(Kind.SCEAU_NON_SIGNE, 1, 1)]
    await journal.close()


def test_nobody_is_suspected_of_nothing() -> None:
    assert judge([]) == []
