"""The journal in PostgreSQL: COPY into monthly partitions, over a connection of its own.

A writer holds a session advisory lock of its number on that connection; PostgreSQL frees it when the connection ends,
so a free lock means a dead writer. (A pooler in transaction mode would break this: connect to the server itself.)
Rows go straight to the month's partition: the parents are only locked when a month is created or dropped.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

import asyncpg  # type: ignore[import-untyped]  # it ships no types

from tracing.chain import Seal
from tracing.rows import ENTRY_COLUMNS, ORIGIN_COLUMNS, Month, Row
from tracing.sqlite import read_seal, seal_row
from tracing.store import MonthBatch, Refused, StoreError

VERSION = 1
PIECE = 2_000
TIMEOUT_S: Final = 5.0
"""Beyond this, a database that does not answer is an unavailable one."""
READ_TIMEOUT_S: Final = 60.0
"""The same for what is only read, much at once."""
READERS = 4

# Classes of the advisory locks; the second number is the writer's, or none.
_WRITER_LOCK = 0x47524150
_SCHEMA_LOCK = 0x47524151
_SEAL_LOCK = 0x47524152

_SCHEMA = """
CREATE TABLE version (version integer NOT NULL);
CREATE TABLE ecrivains (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, nom text NOT NULL, ouvert bigint NOT NULL, ferme bigint,
    bas bigint NOT NULL DEFAULT 1
);
CREATE INDEX ecrivains_vivants ON ecrivains (id) WHERE ferme IS NULL;
CREATE TABLE sceaux (
    numero bigint PRIMARY KEY, rang bigint NOT NULL, tete bytea NOT NULL, instant bigint NOT NULL,
    final smallint NOT NULL, precedent bytea NOT NULL, cle text NOT NULL, signature bytea NOT NULL
);
CREATE INDEX sceaux_rang ON sceaux (rang);
CREATE TABLE origines (
    rang bigint NOT NULL, instant bigint NOT NULL, requete text NOT NULL, habilitation text NOT NULL,
    jeton text NOT NULL, siret_habilite text NOT NULL, agent text, contexte text, objet text, destinataire text,
    operation text, document text NOT NULL, adresse text NOT NULL, agent_utilisateur text NOT NULL,
    empreinte bytea NOT NULL
) PARTITION BY RANGE (instant);
CREATE INDEX ON origines (instant);
CREATE INDEX ON origines (habilitation, instant);
CREATE INDEX ON origines (jeton, instant);
CREATE INDEX ON origines (agent, instant) WHERE agent IS NOT NULL;
CREATE INDEX ON origines (requete);
CREATE TABLE entrees (
    rang bigint NOT NULL, origine bigint NOT NULL, demande bigint NOT NULL, instant bigint NOT NULL,
    nature smallint NOT NULL, issue smallint NOT NULL, id uuid NOT NULL, sujet text NOT NULL,
    jeu_de_donnees text NOT NULL, fournisseur text NOT NULL, champs text NOT NULL, code text,
    portees_manquantes text NOT NULL, cache smallint NOT NULL, perimee smallint NOT NULL, duree_ms double precision,
    statut_http integer, intention uuid, empreinte bytea NOT NULL
) PARTITION BY RANGE (demande);
CREATE INDEX ON entrees (origine) WHERE nature <> 0;
CREATE INDEX ON entrees (sujet, demande) WHERE nature <> 0;
CREATE INDEX ON entrees (jeu_de_donnees, demande) WHERE nature <> 0;
CREATE INDEX ON entrees (issue, demande) WHERE nature <> 0 AND issue > 2;
CREATE FUNCTION refuser() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'append only'; END $$;
CREATE TRIGGER refuser BEFORE UPDATE OR DELETE ON sceaux FOR EACH ROW EXECUTE FUNCTION refuser();
CREATE TRIGGER refuser_vidage BEFORE TRUNCATE ON sceaux FOR EACH STATEMENT EXECUTE FUNCTION refuser();
CREATE TRIGGER refuser BEFORE UPDATE OR DELETE ON origines FOR EACH ROW EXECUTE FUNCTION refuser();
CREATE TRIGGER refuser_vidage BEFORE TRUNCATE ON origines FOR EACH STATEMENT EXECUTE FUNCTION refuser();
CREATE TRIGGER refuser BEFORE UPDATE OR DELETE ON entrees FOR EACH ROW EXECUTE FUNCTION refuser();
CREATE TRIGGER refuser_vidage BEFORE TRUNCATE ON entrees FOR EACH STATEMENT EXECUTE FUNCTION refuser();
"""

_MONTH = """
CREATE TABLE IF NOT EXISTS {table}_{month} PARTITION OF {table} (PRIMARY KEY (rang))
FOR VALUES FROM ({start}) TO ({end});
CREATE OR REPLACE TRIGGER refuser_vidage BEFORE TRUNCATE ON {table}_{month}
FOR EACH STATEMENT EXECUTE FUNCTION refuser();
"""

_SEAL_COLUMNS = "numero, rang, tete, instant, final, precedent, cle, signature"


class PostgresStore:
    """One connection that writes and holds the writer's lock, a small pool that reads."""

    indexes_datasets = True

    def __init__(self, url: str) -> None:
        self._url = url
        self._writer: asyncpg.Connection | None = None
        self._readers: asyncpg.Pool | None = None
        self._writing = asyncio.Lock()
        self._known: set[Month] = set()

    @property
    def connected(self) -> bool:
        return self._writer is not None and not self._writer.is_closed()

    async def connect(self) -> None:
        if self._writer is not None:
            self._writer.terminate()
            self._writer = None
        self._known.clear()
        async with trouble():
            connection = await asyncpg.connect(
                self._url,
                timeout=TIMEOUT_S,
                command_timeout=TIMEOUT_S,
                server_settings={"search_path": "journal", "synchronous_commit": "on", "application_name": "journal"},
            )
            self._writer = connection
            async with connection.transaction():
                await connection.execute("SELECT pg_advisory_xact_lock($1, 0)", _SCHEMA_LOCK)
                await self._migrate(connection)

    async def register(self, name: str, instant: int) -> int:
        async with self._connection() as connection, connection.transaction():
            writer: int = await connection.fetchval(
                "INSERT INTO ecrivains (nom, ouvert) VALUES ($1, $2) RETURNING id", name, instant
            )
            # Locked before the row can be seen, or another process would take the new writer for a dead one.
            await connection.execute("SELECT pg_advisory_lock($1, $2)", _WRITER_LOCK, writer)
        return writer

    async def resume(self, writer: int) -> bool:
        async with self._connection() as connection:
            if not await connection.fetchval("SELECT pg_try_advisory_lock($1, $2)", _WRITER_LOCK, writer):
                raise StoreError("the lost connection still holds the writer")
            return bool(await connection.fetchval("SELECT ferme IS NULL FROM ecrivains WHERE id = $1", writer))

    async def head(self, writer: int) -> tuple[int, bytes] | None:
        async with self._connection() as connection:
            row = await connection.fetchrow(
                "SELECT rang, empreinte FROM (SELECT rang, empreinte FROM entrees UNION ALL"
                " SELECT rang, empreinte FROM origines) liens WHERE rang > $1 AND rang < $2 ORDER BY rang DESC LIMIT 1",
                writer << 40,
                writer + 1 << 40,
            )
        return None if row is None else (row["rang"], row["empreinte"])

    async def append(self, batch: Mapping[Month, MonthBatch]) -> None:
        async with self._connection() as connection:
            for month in batch:
                if month not in self._known:
                    await self._create(connection, month)
            try:
                async with connection.transaction():
                    for month, rows in batch.items():
                        await copy(connection, f"origines_{month.suffix}", ORIGIN_COLUMNS, rows.origins)
                        await copy(connection, f"entrees_{month.suffix}", ENTRY_COLUMNS, rows.entries)
            except asyncpg.UndefinedTableError:
                # Another process purged a month that this one knew.
                self._known.clear()
                raise

    async def seal(self, make: Callable[[Seal | None], Seal]) -> Seal:
        async with self._connection() as connection, connection.transaction():
            await connection.execute("SELECT pg_advisory_xact_lock($1, 0)", _SEAL_LOCK)
            row = await connection.fetchrow(f"SELECT {_SEAL_COLUMNS} FROM sceaux ORDER BY numero DESC LIMIT 1")
            seal = make(None if row is None else read_seal(tuple(row)))
            await connection.execute("INSERT INTO sceaux VALUES ($1, $2, $3, $4, $5, $6, $7, $8)", *seal_row(seal))
        return seal

    async def mark(self, writer: int, low: int) -> None:
        async with self._connection() as connection:
            await connection.execute("UPDATE ecrivains SET bas = $1 WHERE id = $2", low, writer)

    async def dead(self) -> list[tuple[int, int]]:
        async with self._connection() as connection:
            rows = await connection.fetch(
                # A writer whose row is older than the lock's test: a second look at `ferme` follows.
                "SELECT id FROM ecrivains WHERE ferme IS NULL AND id NOT IN (SELECT objid::bigint FROM pg_locks"
                " WHERE locktype = 'advisory' AND classid = $1::bigint::oid AND granted"
                " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())) ORDER BY id",
                _WRITER_LOCK,
            )
            held = []
            for row in rows:
                if not await connection.fetchval("SELECT pg_try_advisory_lock($1, $2)", _WRITER_LOCK, row["id"]):
                    continue
                low = await connection.fetchval("SELECT bas FROM ecrivains WHERE id = $1 AND ferme IS NULL", row["id"])
                if low is None:
                    await connection.execute("SELECT pg_advisory_unlock($1, $2)", _WRITER_LOCK, row["id"])
                else:
                    held.append((row["id"], low))
        return held

    async def retire(self, writer: int, instant: int) -> None:
        async with self._connection() as connection:
            await connection.execute("UPDATE ecrivains SET ferme = $1 WHERE id = $2", instant, writer)
            await connection.execute("SELECT pg_advisory_unlock($1, $2)", _WRITER_LOCK, writer)

    async def months(self) -> list[Month]:
        rows = await self.fetch(
            "SELECT substr(relname, 9) FROM pg_class JOIN pg_inherits ON inhrelid = pg_class.oid"
            " WHERE inhparent = 'entrees'::regclass"
        )
        return sorted(Month.parse(row[0]) for row in rows)

    async def drop(self, month: Month, links: int) -> bool:
        async with self._connection() as connection, connection.transaction():
            tables = f"entrees_{month.suffix}", f"origines_{month.suffix}"
            await connection.execute(f"LOCK TABLE {', '.join(tables)} IN ACCESS EXCLUSIVE MODE")
            held = await connection.fetchval(
                f"SELECT (SELECT count(*) FROM {tables[0]}) + (SELECT count(*) FROM {tables[1]})", timeout=600
            )
            if held != links:
                return False
            for table in tables:
                await connection.execute(f"DROP TABLE {table}")
        self._known.discard(month)
        return True

    async def fetch(self, sql: str, *values: Any) -> list[Row]:
        async with trouble():
            pool = await self._pool()
            async with pool.acquire(timeout=TIMEOUT_S) as connection:
                return [tuple(row) for row in await connection.fetch(sql, *values)]

    async def stream(self, sql: str, *values: Any) -> AsyncIterator[Sequence[Row]]:
        async with trouble():
            pool = await self._pool()
            async with pool.acquire(timeout=TIMEOUT_S) as connection, connection.transaction(readonly=True):
                cursor = await connection.cursor(sql, *values)
                while piece := await cursor.fetch(PIECE):
                    yield [tuple(row) for row in piece]

    async def plan(self, sql: str, *values: Any) -> str:
        return "\n".join(str(row[0]) for row in await self.fetch(f"EXPLAIN {sql}", *values))

    async def close(self) -> None:
        if self._readers is not None:
            await self._readers.close()
            self._readers = None
        if self._writer is not None:
            await self._writer.close(timeout=TIMEOUT_S)
            self._writer = None

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[asyncpg.Connection]:
        if self._writer is None:
            raise StoreError("not connected")
        async with trouble(), self._writing:
            yield self._writer

    async def _pool(self) -> asyncpg.Pool:
        if self._readers is None:
            self._readers = await asyncpg.create_pool(
                self._url,
                min_size=0,
                max_size=READERS,
                timeout=TIMEOUT_S,
                command_timeout=READ_TIMEOUT_S,
                server_settings={"search_path": "journal", "application_name": "journal-lecture"},
            )
        return self._readers

    async def _migrate(self, connection: asyncpg.Connection) -> None:
        if not await connection.fetchval("SELECT to_regclass('journal.version') IS NOT NULL"):
            await connection.execute("CREATE SCHEMA IF NOT EXISTS journal")
            await connection.execute(_SCHEMA)
            await connection.execute("INSERT INTO version VALUES ($1)", VERSION)
        version = await connection.fetchval("SELECT version FROM version")
        if version > VERSION:
            raise StoreError(f"the journal has version {version}, this program knows {VERSION}")

    async def _create(self, connection: asyncpg.Connection, month: Month) -> None:
        async with connection.transaction():
            await connection.execute("SELECT pg_advisory_xact_lock($1, 0)", _SCHEMA_LOCK)
            for table in ("origines", "entrees"):
                if not await connection.fetchval("SELECT to_regclass($1) IS NOT NULL", f"{table}_{month.suffix}"):
                    await connection.execute(
                        _MONTH.format(table=table, month=month.suffix, start=month.start, end=month.plus(1).start)
                    )
        self._known.add(month)


async def copy(connection: asyncpg.Connection, table: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
    if not rows:
        return
    try:
        await connection.copy_records_to_table(table, columns=columns, records=rows)
    except (OverflowError, ValueError, TypeError) as error:
        # COPY encodes on this side, and lets what Python says of a value through.
        raise Refused("a value can't be encoded") from error


@asynccontextmanager
async def trouble() -> AsyncIterator[None]:
    """The many errors of a driver, a socket and a clock, told as the two that the journal knows."""
    try:
        yield
    except asyncpg.UniqueViolationError as error:
        # The position is taken, by no writer of ours: the head of the chain must be read again.
        raise StoreError(type(error).__name__) from error
    except (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError, asyncpg.ProgramLimitExceededError) as error:
        raise Refused(type(error).__name__) from error
    except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError, TimeoutError) as error:
        raise StoreError(type(error).__name__) from error
