"""Entries out of the journal, one line each, into a file: CSV, JSON Lines, Parquet. (The chain itself: `archive`.)"""

import asyncio
import csv
import io
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from enum import StrEnum
from typing import Any, BinaryIO

import msgspec

from tracing.rows import ENTRY_COLUMNS, ISSUES, NATURES, ORIGIN_COLUMNS, Row, instant_of
from tracing.search import Filter, entries
from tracing.store import Store

COLUMNS = (
    "id", "instant", "nature", "issue", "code", "requete", "habilitation", "jeton", "siret_habilite", "agent",
    "contexte", "objet", "destinataire", "sujet", "jeu_de_donnees", "fournisseur", "champs", "portees_manquantes",
    "cache", "perimee", "duree_ms", "statut_http", "intention", "operation", "document", "adresse",
    "agent_utilisateur",
)  # fmt: skip
_PLACES = {name: place for place, name in enumerate(ENTRY_COLUMNS)} | {
    name: place
    for place, name in enumerate(ORIGIN_COLUMNS, len(ENTRY_COLUMNS))
    if name not in ("rang", "instant", "empreinte")
}
_PICKED = tuple(_PLACES[name] for name in COLUMNS)
_encode = msgspec.json.Encoder().encode


class Format(StrEnum):
    """How a file is written."""

    CSV = "csv"
    JSONL = "jsonl"
    PARQUET = "parquet"


class ExtraMissing(Exception):
    """Parquet needs the packages of the extra `journal`."""


async def export(store: Store, filter: Filter, format: Format, out: BinaryIO, advance: Callable[[int], None]) -> None:
    """Write the entries of a filter by pieces; `advance` hears how many lines were added."""
    match format:
        case Format.CSV:
            out.write(csv_lines([COLUMNS]))
            async for piece in entries(store, filter):
                out.write(csv_lines(csv_values(row) for row in piece))
                advance(len(piece))
        case Format.JSONL:
            async for piece in entries(store, filter):
                out.write(b"".join(_encode(json_object(row)) + b"\n" for row in piece))
                advance(len(piece))
        case Format.PARQUET:
            await write_parquet(entries(store, filter), out, advance)


def values(row: Row) -> list[Any]:
    """The columns of an export, words for numbers; the instant stays a number."""
    found = [row[place] for place in _PICKED]
    found[0] = str(found[0])
    found[2], found[3] = NATURES[found[2]].value, ISSUES[found[3]].value
    found[18], found[19] = bool(found[18]), bool(found[19])
    found[22] = None if found[22] is None else str(found[22])
    return found


def json_object(row: Row) -> dict[str, Any]:
    fields = dict(zip(COLUMNS, values(row), strict=True))
    fields["instant"] = instant_of(fields["instant"])
    for name in ("champs", "portees_manquantes"):
        fields[name] = fields[name].split(",") if fields[name] else []
    return fields


def csv_values(row: Row) -> list[Any]:
    found = values(row)
    found[1] = instant_of(found[1]).isoformat()
    return [inert(value) if isinstance(value, str) else value for value in found]


def inert(text: str) -> str:
    """A spreadsheet must not run what a caller wrote (an object, a user agent) as a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def csv_lines(rows: Any) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


async def write_parquet(pieces: AsyncIterator[Sequence[Row]], out: BinaryIO, advance: Callable[[int], None]) -> None:
    """The writer pulls from its own thread; the database is read on the loop, a piece at a time."""
    try:
        from arro3.core import Array, DataType, Field, RecordBatch, RecordBatchReader, Schema
        from arro3.io import write_parquet as write
    except ImportError as error:
        raise ExtraMissing("Parquet needs the extra `journal`: arro3-core and arro3-io") from error
    kinds = {
        "instant": DataType.timestamp("us", tz="UTC"),
        "cache": DataType.bool(),
        "perimee": DataType.bool(),
        "duree_ms": DataType.float64(),
        "statut_http": DataType.int32(),
    }
    schema = Schema([Field(name, kinds.get(name, DataType.utf8()), nullable=True) for name in COLUMNS])
    loop = asyncio.get_running_loop()

    async def following() -> Sequence[Row] | None:
        return await anext(pieces, None)

    def batches() -> Iterator[RecordBatch]:
        while (rows := asyncio.run_coroutine_threadsafe(following(), loop).result()) is not None:
            columns = list(zip(*map(values, rows), strict=True))
            yield RecordBatch.from_arrays(
                [
                    Array(column, DataType.int64()).cast(kinds[name])
                    if name == "instant"
                    else Array(column, kinds.get(name, DataType.utf8()))
                    for name, column in zip(COLUMNS, columns, strict=True)
                ],
                schema=schema,
            )
            loop.call_soon_threadsafe(advance, len(rows))

    reader = RecordBatchReader.from_batches(schema, batches())
    await asyncio.to_thread(write, reader, out, compression="zstd(3)")
