"""The whole chain as JSON Lines, and its verification from the database or from such a file.

An archive holds one JSON object a line: what it is, the seals by number, then the links by position. It is enough to
verify the journal, with the public key and without the database; whoever may read it reads every entry.
"""

import struct
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from tracing.chain import Seal
from tracing.entry import Nature
from tracing.rows import ENTRY_COLUMNS, NATURE_NUMBERS, ORIGIN_COLUMNS, Row, rank, writer_of
from tracing.sqlite import read_seal
from tracing.store import Store
from tracing.verification import Anchor, Link, Report, Verifier

HEADER = {"journal": 1}
WINDOW = 5_000
SEAL_COLUMNS = ("numero", "rang", "tete", "instant", "final", "precedent", "cle", "signature")
_SEAL_BYTES = ("tete", "precedent", "signature")
_PURGE = NATURE_NUMBERS[Nature.PURGE]
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


class NotAnArchive(Exception):
    """The file is not an archive of the journal, or a line of it can't be read."""


async def verify(store: Store, *, public_keys: Sequence[bytes], anchor: Anchor | None = None) -> Report:
    """The journal of a database."""
    verifier = Verifier(await seals(store), await purges(store), public_keys=public_keys, anchor=anchor)
    async for link in links(store):
        verifier.feed(link)
    return verifier.report()


def verify_archive(path: Path, *, public_keys: Sequence[bytes], anchor: Anchor | None = None) -> Report:
    """The journal of an archive, read three times, never whole in memory."""
    try:
        verifier = Verifier(
            (read_seal_line(line) for line in lines(path) if "sceau" in line),
            [
                (line["instant"], line["code"], line["champs"].split(","))
                for line in lines(path)
                if line.get("lien") == "entree" and line["nature"] == _PURGE
            ],
            public_keys=public_keys,
            anchor=anchor,
        )
        for line in lines(path):
            if "lien" in line:
                verifier.feed(read_link(line))
        return verifier.report()
    except (KeyError, ValueError, TypeError, AttributeError, OverflowError, struct.error) as error:
        # A forger chooses what a line holds: whatever it breaks in the reading, it is not an archive.
        raise NotAnArchive("a line does not hold what it should") from error


async def archive(store: Store) -> AsyncIterator[bytes]:
    """The lines, each with its end."""
    yield _encode(HEADER) + b"\n"
    for seal in await seals(store):
        yield _encode(seal_line(seal)) + b"\n"
    async for link in links(store):
        yield _encode(link_line(link)) + b"\n"


async def seals(store: Store) -> list[Seal]:
    rows = await store.fetch(f"SELECT {', '.join(SEAL_COLUMNS)} FROM sceaux ORDER BY numero")
    return [read_seal(row) for row in rows]


async def purges(store: Store) -> list[tuple[int, str, list[str]]]:
    """The instant, the month and the runs of each purge; the entries of a purge speak of no dataset."""
    found = []
    for month in await store.months():
        rows = await store.fetch(
            f"SELECT instant, code, champs FROM entrees_{month.suffix}"
            " WHERE jeu_de_donnees = '' AND nature <> 0 AND nature = $1 ORDER BY rang",
            _PURGE,
        )
        found += [(instant, code, champs.split(",")) for instant, code, champs in rows]
    return found


async def links(store: Store) -> AsyncIterator[Link]:
    """Every link by increasing position, from all months at once."""
    spans = await _spans(store)
    for writer in sorted(spans):
        start = min(first for _, _, first, _ in spans[writer])
        end = max(last for _, _, _, last in spans[writer])
        for low in range(start, end + 1, WINDOW):
            found: list[tuple[int, Link]] = []
            for table, entry, first, last in spans[writer]:
                if first >= low + WINDOW or last < low:
                    continue
                columns = ENTRY_COLUMNS if entry else ORIGIN_COLUMNS
                rows = await store.fetch(
                    f"SELECT {', '.join(columns)} FROM {table} WHERE rang >= $1 AND rang < $2 AND rang <= $3",
                    low,
                    low + WINDOW,
                    end,
                )
                found += [(row[0], Link(entry, plain(row) if entry else row)) for row in rows]
            found.sort(key=lambda pair: pair[0])
            for _, link in found:
                yield link


async def _spans(store: Store) -> dict[int, list[tuple[str, bool, int, int]]]:
    """For each writer, the tables that hold links of it, and from where to where."""
    spans: dict[int, list[tuple[str, bool, int, int]]] = {}
    for month in await store.months():
        for table, entry in ((f"origines_{month.suffix}", False), (f"entrees_{month.suffix}", True)):
            low = 0
            while True:
                ((first,),) = await store.fetch(f"SELECT min(rang) FROM {table} WHERE rang >= $1", low)
                if first is None:
                    break
                writer = writer_of(first)
                low = rank(writer + 1, 0)
                ((last,),) = await store.fetch(f"SELECT max(rang) FROM {table} WHERE rang < $1", low)
                spans.setdefault(writer, []).append((table, entry, first, last))
    return spans


def plain(row: Row) -> Row:
    """An entry's row with its identifiers as text, whatever the database gives."""
    intention = row[17]
    return (*row[:6], str(row[6]), *row[7:17], None if intention is None else str(intention), row[18])


def link_line(link: Link) -> dict[str, Any]:
    columns = ENTRY_COLUMNS if link.entry else ORIGIN_COLUMNS
    fields = dict(zip(columns, link.row, strict=True))
    return {"lien": "entree" if link.entry else "origine", **fields, "empreinte": link.stored.hex()}


def read_link(line: dict[str, Any]) -> Link:
    entry = line["lien"] == "entree"
    columns = ENTRY_COLUMNS if entry else ORIGIN_COLUMNS
    return Link(entry, (*(line[name] for name in columns[:-1]), bytes.fromhex(line["empreinte"])))


def seal_line(seal: Seal) -> dict[str, Any]:
    fields = {name: getattr(seal, name) for name in SEAL_COLUMNS}
    return {"sceau": seal.numero, **{name: v.hex() if isinstance(v, bytes) else v for name, v in fields.items()}}


def read_seal_line(line: dict[str, Any]) -> Seal:
    return read_seal([bytes.fromhex(line[name]) if name in _SEAL_BYTES else line[name] for name in SEAL_COLUMNS])


def lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open("rb") as file:
        yield from decoded(file)


def decoded(raw: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    header = False
    for number, line in enumerate(raw, 1):
        try:
            fields = _decode(line)
        except msgspec.DecodeError as error:
            raise NotAnArchive(f"line {number} is not JSON") from error
        if not isinstance(fields, dict) or (not header and fields != HEADER):
            raise NotAnArchive(f"line {number} is not of an archive of the journal")
        if header:
            yield fields
        header = True
