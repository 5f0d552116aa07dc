"""The journal in one SQLite file: standard library, one thread that writes, one that reads.

Several processes may share the file. Each writer holds a lock file beside it (`journal.db.ecrivain-3`), which the
system frees when the process dies: a free lock means a dead writer.
"""

import asyncio
import fcntl
import os
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from tracing.chain import Seal
from tracing.rows import ENTRY_COLUMNS, ORIGIN_COLUMNS, Month, Row
from tracing.store import MonthBatch, Refused, StoreError

VERSION = 1
BUSY_MS = 5_000
PIECE = 2_000
# Rows are inserted by statements of these many: few steps, each of which gives up the interpreter's lock only once.
_SIZES = (256, 64, 16, 4, 1)

_SCHEMA = """
CREATE TABLE ecrivains (
    id INTEGER PRIMARY KEY AUTOINCREMENT, nom TEXT NOT NULL, ouvert INTEGER NOT NULL, ferme INTEGER,
    bas INTEGER NOT NULL DEFAULT 1
);
CREATE INDEX ecrivains_vivants ON ecrivains (id) WHERE ferme IS NULL;
CREATE TABLE sceaux (
    numero INTEGER PRIMARY KEY, rang INTEGER NOT NULL, tete BLOB NOT NULL, instant INTEGER NOT NULL,
    final INTEGER NOT NULL, precedent BLOB NOT NULL, cle TEXT NOT NULL, signature BLOB NOT NULL
);
CREATE INDEX sceaux_rang ON sceaux (rang);
CREATE TRIGGER sceaux_update BEFORE UPDATE ON sceaux BEGIN SELECT RAISE(ABORT, 'append only'); END;
CREATE TRIGGER sceaux_delete BEFORE DELETE ON sceaux BEGIN SELECT RAISE(ABORT, 'append only'); END;
"""

# Every index costs each flush the pages it touches, in this process. So fewer than in PostgreSQL: a token is found by
# its habilitation, or like an agent or a dataset by walking the requests from the newest.
_MONTH = """
CREATE TABLE IF NOT EXISTS origines_{month} (
    rang INTEGER PRIMARY KEY, instant INTEGER NOT NULL, requete TEXT NOT NULL, habilitation TEXT NOT NULL,
    jeton TEXT NOT NULL, siret_habilite TEXT NOT NULL, agent TEXT, contexte TEXT, objet TEXT, destinataire TEXT,
    operation TEXT, document TEXT NOT NULL, adresse TEXT NOT NULL, agent_utilisateur TEXT NOT NULL,
    empreinte BLOB NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS origines_{month}_instant ON origines_{month} (instant);
CREATE INDEX IF NOT EXISTS origines_{month}_habilitation ON origines_{month} (habilitation, instant);
CREATE INDEX IF NOT EXISTS origines_{month}_requete ON origines_{month} (requete);
CREATE TABLE IF NOT EXISTS entrees_{month} (
    rang INTEGER PRIMARY KEY, origine INTEGER NOT NULL, demande INTEGER NOT NULL, instant INTEGER NOT NULL,
    nature INTEGER NOT NULL, issue INTEGER NOT NULL, id TEXT NOT NULL, sujet TEXT NOT NULL,
    jeu_de_donnees TEXT NOT NULL, fournisseur TEXT NOT NULL, champs TEXT NOT NULL, code TEXT,
    portees_manquantes TEXT NOT NULL, cache INTEGER NOT NULL, perimee INTEGER NOT NULL, duree_ms REAL,
    statut_http INTEGER, intention TEXT, empreinte BLOB NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS entrees_{month}_origine ON entrees_{month} (origine) WHERE nature <> 0;
CREATE INDEX IF NOT EXISTS entrees_{month}_sujet ON entrees_{month} (sujet, demande) WHERE nature <> 0;
CREATE INDEX IF NOT EXISTS entrees_{month}_issue ON entrees_{month} (issue, demande) WHERE nature <> 0 AND issue > 2;
CREATE TRIGGER IF NOT EXISTS origines_{month}_update BEFORE UPDATE ON origines_{month}
BEGIN SELECT RAISE(ABORT, 'append only'); END;
CREATE TRIGGER IF NOT EXISTS origines_{month}_delete BEFORE DELETE ON origines_{month}
BEGIN SELECT RAISE(ABORT, 'append only'); END;
CREATE TRIGGER IF NOT EXISTS entrees_{month}_update BEFORE UPDATE ON entrees_{month}
BEGIN SELECT RAISE(ABORT, 'append only'); END;
CREATE TRIGGER IF NOT EXISTS entrees_{month}_delete BEFORE DELETE ON entrees_{month}
BEGIN SELECT RAISE(ABORT, 'append only'); END;
"""

Result = TypeVar("Result")


class SqliteStore:
    """Every statement runs in one of two threads; the methods below only send work to them."""

    indexes_datasets = False

    def __init__(self, path: Path) -> None:
        self._path = path
        self._writing = ThreadPoolExecutor(1, thread_name_prefix="journal-write")
        self._reading = ThreadPoolExecutor(1, thread_name_prefix="journal-read")
        self._writer: sqlite3.Connection | None = None
        self._reader: sqlite3.Connection | None = None
        self._locks: dict[int, int] = {}
        self._known: set[Month] = set()

    @property
    def connected(self) -> bool:
        return True

    async def connect(self) -> None:
        await self._in(self._writing, self._connect)

    async def register(self, name: str, instant: int) -> int:
        return await self._in(self._writing, lambda: self._register(name, instant))

    async def resume(self, writer: int) -> bool:
        rows = await self._in(
            self._writing,
            lambda: self._connected().execute("SELECT ferme FROM ecrivains WHERE id = ?", (writer,)).fetchall(),
        )
        return bool(rows) and rows[0][0] is None

    async def head(self, writer: int) -> tuple[int, bytes] | None:
        return await self._in(self._writing, lambda: self._head(writer))

    async def append(self, batch: Mapping[Month, MonthBatch]) -> None:
        await self._in(self._writing, lambda: self._append(batch))

    async def seal(self, make: Callable[[Seal | None], Seal]) -> Seal:
        return await self._in(self._writing, lambda: self._seal(make))

    async def mark(self, writer: int, low: int) -> None:
        await self._in(
            self._writing,
            lambda: self._connected().execute("UPDATE ecrivains SET bas = ? WHERE id = ?", (low, writer)),
        )

    async def dead(self) -> list[tuple[int, int]]:
        return await self._in(self._writing, self._dead)

    async def retire(self, writer: int, instant: int) -> None:
        await self._in(self._writing, lambda: self._retire(writer, instant))

    async def months(self) -> list[Month]:
        rows = await self.fetch(
            "SELECT substr(name, 9) FROM sqlite_master WHERE type = 'table' AND name GLOB 'entrees_*'"
        )
        return sorted(Month.parse(row[0]) for row in rows)

    async def drop(self, month: Month, links: int) -> bool:
        return await self._in(self._writing, lambda: self._drop(month, links))

    async def fetch(self, sql: str, *values: Any) -> list[Row]:
        return await self._in(self._reading, lambda: self._open_reader().execute(sql, named(values)).fetchall())

    async def stream(self, sql: str, *values: Any) -> AsyncIterator[Sequence[Row]]:
        cursor = await self._in(self._reading, lambda: self._open_reader().execute(sql, named(values)))
        try:
            while piece := await self._in(self._reading, lambda: cursor.fetchmany(PIECE)):
                yield piece
        finally:
            await self._in(self._reading, cursor.close)

    async def plan(self, sql: str, *values: Any) -> str:
        return "\n".join(str(row[3]) for row in await self.fetch(f"EXPLAIN QUERY PLAN {sql}", *values))

    async def close(self) -> None:
        await self._in(self._reading, self._close_reader)
        await self._in(self._writing, self._close_writer)
        self._reading.shutdown(wait=False)
        self._writing.shutdown(wait=False)

    async def _in(self, thread: ThreadPoolExecutor, work: Callable[[], Result]) -> Result:
        try:
            return await asyncio.get_running_loop().run_in_executor(thread, work)
        except sqlite3.IntegrityError as error:
            # A position taken, by no writer of ours: the head of the chain must be read again.
            taken = error.sqlite_errorcode in (sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, sqlite3.SQLITE_CONSTRAINT_ROWID)
            raise (StoreError if taken else Refused)(str(error)) from error
        except (sqlite3.DataError, sqlite3.ProgrammingError, OverflowError) as error:
            raise Refused(str(error)) from error
        except (sqlite3.Error, OSError) as error:
            raise StoreError(str(error)) from error

    def _connect(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        self._path.parent.mkdir(parents=True, exist_ok=True)
        # One process at a time: turning a new file to WAL does not wait for the others, it fails.
        opening = os.open(
            self._path.with_name(f"{self._path.name}.ouverture"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600
        )
        try:
            fcntl.flock(opening, fcntl.LOCK_EX)
            self._writer = self._prepared()
        finally:
            os.close(opening)
        self._known.clear()

    def _prepared(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
        connection.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA wal_autocheckpoint = 4000")
        connection.execute("PRAGMA cache_size = -65536")
        with Transaction(connection):
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            if version > VERSION:
                raise StoreError(f"the journal has version {version}, this program knows {VERSION}")
            if version == 0:
                run(connection, _SCHEMA)
                connection.execute(f"PRAGMA user_version = {VERSION}")
        return connection

    def _connected(self) -> sqlite3.Connection:
        if self._writer is None:
            raise StoreError("not connected")
        return self._writer

    def _open_reader(self) -> sqlite3.Connection:
        if self._reader is None:
            self._reader = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
            self._reader.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
            self._reader.execute("PRAGMA query_only = 1")
            self._reader.execute("PRAGMA cache_size = -32768")
        return self._reader

    def _close_reader(self) -> None:
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    def _close_writer(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        for lock in self._locks.values():
            os.close(lock)
        self._locks.clear()

    def _register(self, name: str, instant: int) -> int:
        connection = self._connected()
        with Transaction(connection):
            # Locked before the row can be seen, or another process would take the new writer for a dead one.
            cursor = connection.execute("INSERT INTO ecrivains (nom, ouvert) VALUES (?, ?)", (name, instant))
            writer = cursor.lastrowid
            if writer is None or not self._lock(writer):
                raise StoreError("the lock of a new writer is held")
        return writer

    def _lock_path(self, writer: int) -> Path:
        return self._path.with_name(f"{self._path.name}.ecrivain-{writer}")

    def _lock(self, writer: int) -> bool:
        lock = os.open(self._lock_path(writer), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            return False
        self._locks[writer] = lock
        return True

    def _head(self, writer: int) -> tuple[int, bytes] | None:
        connection = self._connected()
        heads = [
            row
            for table in month_tables(connection)
            for row in connection.execute(
                f"SELECT rang, empreinte FROM {table} WHERE rang > ? AND rang < ? ORDER BY rang DESC LIMIT 1",
                (writer << 40, writer + 1 << 40),
            )
        ]
        return max(heads, default=None)

    def _append(self, batch: Mapping[Month, MonthBatch]) -> None:
        connection = self._connected()
        known = set(batch)
        with Transaction(connection):
            for month, rows in batch.items():
                if month not in self._known:
                    run(connection, _MONTH.format(month=month.suffix))
                insert(connection, f"origines_{month.suffix}", len(ORIGIN_COLUMNS), rows.origins)
                try:
                    insert(connection, f"entrees_{month.suffix}", len(ENTRY_COLUMNS), rows.entries)
                except sqlite3.OperationalError:
                    # Another process purged a month that this one knew.
                    self._known.clear()
                    raise
        self._known |= known

    def _seal(self, make: Callable[[Seal | None], Seal]) -> Seal:
        connection = self._connected()
        with Transaction(connection):
            row = connection.execute(
                "SELECT numero, rang, tete, instant, final, precedent, cle, signature"
                " FROM sceaux ORDER BY numero DESC LIMIT 1"
            ).fetchone()
            seal = make(None if row is None else read_seal(row))
            connection.execute("INSERT INTO sceaux VALUES (?, ?, ?, ?, ?, ?, ?, ?)", seal_row(seal))
        return seal

    def _dead(self) -> list[tuple[int, int]]:
        rows = self._connected().execute("SELECT id, bas FROM ecrivains WHERE ferme IS NULL ORDER BY id").fetchall()
        locked = [(writer, low) for writer, low in rows if writer not in self._locks and self._lock(writer)]
        held = []
        for writer, low in locked:
            # Another process may have retired it between the two lines above.
            row = self._connected().execute("SELECT ferme FROM ecrivains WHERE id = ?", (writer,)).fetchone()
            if row[0] is None:
                held.append((writer, low))
            else:
                self._unlock(writer)
        return held

    def _retire(self, writer: int, instant: int) -> None:
        self._connected().execute("UPDATE ecrivains SET ferme = ? WHERE id = ?", (instant, writer))
        self._unlock(writer)

    def _unlock(self, writer: int) -> None:
        lock = self._locks.pop(writer, None)
        if lock is not None:
            self._lock_path(writer).unlink(missing_ok=True)
            os.close(lock)

    def _drop(self, month: Month, links: int) -> bool:
        connection = self._connected()
        with Transaction(connection):
            (held,) = connection.execute(
                f"SELECT (SELECT count(*) FROM origines_{month.suffix}) + (SELECT count(*) FROM entrees_{month.suffix})"
            ).fetchone()
            if held != links:
                return False
            connection.execute(f"DROP TABLE entrees_{month.suffix}")
            connection.execute(f"DROP TABLE origines_{month.suffix}")
        self._known.discard(month)
        return True


class Transaction:
    """BEGIN IMMEDIATE, so that waiting for another process happens before any work, then COMMIT or ROLLBACK."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def __enter__(self) -> None:
        self._connection.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if error is None:
            self._connection.execute("COMMIT")
        elif self._connection.in_transaction:
            self._connection.execute("ROLLBACK")


def run(connection: sqlite3.Connection, script: str) -> None:
    """The statements of a script, inside the transaction (`executescript` would commit it)."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            connection.execute(statement)
            statement = ""


def insert(connection: sqlite3.Connection, table: str, width: int, rows: Sequence[Row]) -> None:
    one = f"({', '.join('?' * width)})"
    start = 0
    for size in _SIZES:
        statement = f"INSERT INTO {table} VALUES {', '.join([one] * size)}" if len(rows) - start >= size else ""
        while len(rows) - start >= size:
            values: list[Any] = []
            for row in rows[start : start + size]:
                values += row
            connection.execute(statement, values)
            start += size


def month_tables(connection: sqlite3.Connection) -> list[str]:
    rows: Iterable[tuple[str]] = connection.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND (name GLOB 'entrees_*' OR name GLOB 'origines_*')"
    )
    return [name for (name,) in rows]


def named(values: Sequence[Any]) -> dict[str, Any]:
    """`$1` is a name to SQLite."""
    return {str(number): value for number, value in enumerate(values, 1)}


def read_seal(row: Sequence[Any]) -> Seal:
    numero, rang, tete, instant, final, precedent, cle, signature = row
    return Seal(
        numero=numero,
        rang=rang,
        tete=tete,
        instant=instant,
        final=bool(final),
        precedent=precedent,
        cle=cle,
        signature=signature,
    )


def seal_row(seal: Seal) -> Row:
    return (
        seal.numero,
        seal.rang,
        seal.tete,
        seal.instant,
        int(seal.final),
        seal.precedent,
        seal.cle,
        seal.signature,
    )
