"""What the journal costs: `python bench/journal.py [sqlite] [postgres]`, or `--rows 10000000` for a full PostgreSQL.

Group commit against one transaction per request, at 1, 50 and 500 concurrent requests of six entries, as a profile
served from the cache writes them; then the processor time and the bytes of one entry. With `--rows`, only: the rate
of a fill over 36 months, its size, and the time of each query on it. With `--profile`, only: the cached profile with its
journal and without.

PostgreSQL: `GRAPHE_BENCH_POSTGRES` (by default 127.0.0.1); a database of a random name is created and dropped.
"""

import argparse
import asyncio
import itertools
import os
import random
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import asyncpg  # type: ignore[import-untyped]  # it ships no types
from rich.console import Console
from rich.table import Table

from tracing import search as reading
from tracing.anomalies import anomalies
from tracing.entry import Entry, Issue, Nature, Origin
from tracing.journal import Journal
from tracing.search import Axe, Filter

SERVER = os.environ.get("GRAPHE_BENCH_POSTGRES", "postgresql://postgres@127.0.0.1:5432")
KEY = bytes(range(32))
ENTRIES_PER_REQUEST = 6
CONCURRENCY = (1, 50, 500)
DATASETS = tuple(f"fournisseur{number % 20}.jeu_{number}" for number in range(60))
CONSOLE = Console(width=140)


@dataclass(frozen=True, slots=True)
class Population:
    """Who asks about whom: made once, drawn from at random."""

    habilitations: tuple[str, ...]
    jetons: tuple[str, ...]
    sujets: tuple[str, ...]
    agents: tuple[str | None, ...]


def population(subjects: int) -> Population:
    source = random.Random(1)
    return Population(
        habilitations=tuple(str(uuid.UUID(int=source.getrandbits(128), version=4)) for _ in range(400)),
        jetons=tuple(str(uuid.UUID(int=source.getrandbits(128), version=4)) for _ in range(800)),
        sujets=tuple(f"{source.randrange(10**9):09}" for _ in range(subjects)),
        agents=(None, None, *(f"{source.getrandbits(256):064x}" for _ in range(2_000))),
    )


def ordered_uuid(source: random.Random, instant: datetime) -> str:
    """A UUID of version 7: by time, so that its index grows at its end."""
    milliseconds = int(instant.timestamp() * 1_000)
    return str(
        uuid.UUID(int=milliseconds << 80 | 7 << 76 | source.getrandbits(12) << 64 | 2 << 62 | source.getrandbits(62))
    )


def profile(people: Population, source: random.Random, instant: datetime) -> list[Entry]:
    """The entries of one request: six datasets of one company."""
    caller = source.randrange(len(people.jetons))
    origin = Origin(
        requete=ordered_uuid(source, instant),
        habilitation=people.habilitations[caller % len(people.habilitations)],
        jeton=people.jetons[caller],
        siret_habilite="13002526500013",
        agent=source.choice(people.agents),
        contexte="Marches publics",
        objet=f"marche 2026-{caller}",
        destinataire="13002526500013",
        operation="ProfilEntreprise",
        document="5d41402abc4b2a76b9719d911017c5925d41402abc4b2a76b9719d911017c592",
        adresse="192.0.2.17",
        agent_utilisateur="Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    )
    subject = source.choice(people.sujets)
    start = source.randrange(len(DATASETS))
    refused = source.random() < 0.03
    return [
        Entry(
            id=ordered_uuid(source, instant),
            nature=Nature.ACCES,
            instant=instant,
            origine=origin,
            sujet=subject,
            jeu_de_donnees=dataset,
            fournisseur=dataset.partition(".")[0],
            champs=("activitePrincipale.code", "adresse.codePostal", "dateCreation", "denomination", "formeJuridique"),
            issue=Issue.REFUSE if refused else Issue.REPONDU,
            code=None,
            portees_manquantes=(),
            cache=True,
            perimee=False,
            duree_ms=None,
            statut_http=200,
            intention=None,
        )
        for dataset in (DATASETS[(start + place) % len(DATASETS)] for place in range(ENTRIES_PER_REQUEST))
    ]


@asynccontextmanager
async def place(kind: str) -> AsyncIterator[str]:
    """An empty journal's address."""
    if kind == "sqlite":
        with tempfile.TemporaryDirectory(prefix="journal-", dir=os.environ.get("GRAPHE_BENCH_DIR")) as directory:
            yield f"sqlite:///{directory}/journal.db"
        return
    name = f"graphe_journal_bench_{uuid.uuid4().hex[:12]}"
    server = await asyncpg.connect(f"{SERVER}/postgres")
    await server.execute(f"CREATE DATABASE {name}")
    try:
        yield f"{SERVER}/{name}"
    finally:
        await server.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await server.close()


@dataclass(frozen=True, slots=True)
class Load:
    """One measure: requests a second, waits in milliseconds, processor microseconds of this process per entry."""

    rate: float
    median: float
    p99: float
    processor: float


async def load(
    commit: Callable[[list[Entry]], Awaitable[None]], requests: Sequence[list[Entry]], concurrency: int, seconds: float
) -> Load:
    waits: list[float] = []
    following = iter(requests)
    start, end = time.perf_counter(), time.perf_counter() + seconds
    processor = time.process_time()

    async def caller() -> None:
        for entries in following:
            before = time.perf_counter()
            if before >= end:
                return
            await commit(entries)
            waits.append(time.perf_counter() - before)

    await asyncio.gather(*(caller() for _ in range(concurrency)))
    elapsed, processor = time.perf_counter() - start, time.process_time() - processor
    waits.sort()
    return Load(
        rate=len(waits) / elapsed,
        median=statistics.median(waits) * 1e3,
        p99=waits[int(len(waits) * 0.99)] * 1e3,
        processor=processor / len(waits) / ENTRIES_PER_REQUEST * 1e6,
    )


async def compare(kinds: Sequence[str], seconds: float) -> None:
    table = Table("database", "commit", "concurrent", "requests/s", "entries/s", "p50 ms", "p99 ms", "us CPU/entry")
    sizes = Table("database", "entries", "bytes per entry, indexes and origins included")
    people, source = population(200_000), random.Random(2)
    now = datetime.now(UTC)
    requests = [profile(people, source, now + timedelta(milliseconds=place)) for place in range(40_000)]
    for kind in kinds:
        for grouped in (True, False):
            for concurrency in CONCURRENCY:
                async with place(kind) as url:
                    journal = await Journal.open(url, signing_key=KEY)
                    alone = asyncio.Lock()

                    async def single(
                        entries: list[Entry], journal: Journal = journal, alone: asyncio.Lock = alone
                    ) -> None:
                        # One transaction per request: nobody joins while one is under way.
                        async with alone:
                            await journal.commit(entries)

                    measure = await load(journal.commit if grouped else single, requests, concurrency, seconds)
                    if grouped and concurrency == CONCURRENCY[-1]:
                        entries = await reading.count(journal.store, Filter())
                        sizes.add_row(kind, f"{entries:,}", f"{await size(url, journal) / entries:.0f}")
                    await journal.close()
                table.add_row(
                    kind,
                    "group" if grouped else "one per request",
                    str(concurrency),
                    f"{measure.rate:,.0f}",
                    f"{measure.rate * ENTRIES_PER_REQUEST:,.0f}",
                    f"{measure.median:.2f}",
                    f"{measure.p99:.2f}",
                    f"{measure.processor:.1f}",
                )
    CONSOLE.print(table)
    CONSOLE.print(sizes)


async def size(url: str, journal: Journal) -> int:
    if url.startswith("sqlite"):
        sql = "SELECT page_count, page_size FROM pragma_page_count, pragma_page_size"
        ((pages, page),) = await journal.store.fetch(sql)
        return int(pages) * int(page)
    ((found,),) = await journal.store.fetch(
        "SELECT sum(pg_total_relation_size(oid))::bigint FROM pg_class"
        " WHERE relkind = 'r' AND (relname LIKE 'entrees\\_%' OR relname LIKE 'origines\\_%')"
    )
    return int(found)


def history(rows: int) -> Iterator[list[Entry]]:
    """Requests over 36 months that end now, in office hours, about a population that grows with them."""
    people, source = population(max(1_000, rows // 20)), random.Random(3)
    requests = rows // ENTRIES_PER_REQUEST
    start = datetime.now(UTC) - timedelta(days=36 * 30)
    step = timedelta(days=36 * 30) / requests
    for number in range(requests):
        instant = start + step * number
        yield profile(people, source, instant.replace(hour=8 + number % 9))


async def full(rows: int, seconds: float) -> None:
    async with place("postgres") as url:
        journal = await Journal.open(url, signing_key=KEY)
        written, start = 0, time.perf_counter()
        requests = history(rows)
        waiting: set[asyncio.Task[None]] = set()
        making = 0.0
        while time.perf_counter() - start < seconds:
            before = time.perf_counter()
            group = list(itertools.islice(requests, 500))
            making += time.perf_counter() - before
            if not group:
                break
            waiting = {asyncio.create_task(journal.commit(entries)) for entries in group}
            await asyncio.gather(*waiting)
            written += len(group) * ENTRIES_PER_REQUEST
        elapsed = time.perf_counter() - start - making
        connection = await asyncpg.connect(url, server_settings={"search_path": "journal"})
        await connection.execute("VACUUM ANALYZE")
        await connection.close()
        facts = Table("entries", "months", "entries/s", "bytes per entry", "asked for")
        months = await journal.store.months()
        facts.add_row(
            f"{written:,}",
            str(len(months)),
            f"{written / elapsed:,.0f}",
            f"{await size(url, journal) / written:.0f}",
            f"{rows:,}",
        )
        CONSOLE.print(facts)
        times = Table("query", "ms, first", "ms, median of 5", "answers")
        for name, query in queries(journal, population(max(1_000, rows // 20)), requests_of(journal)).items():
            took, answers = [], 0
            for _ in range(5):
                before = time.perf_counter()
                answers = await query()
                took.append((time.perf_counter() - before) * 1e3)
                if took[-1] > 10_000:
                    break
            times.add_row(name, f"{took[0]:,.1f}", f"{statistics.median(took):,.1f}", f"{answers:,}")
        CONSOLE.print(times)
        await journal.close()


Query = Callable[[], Awaitable[int]]


def requests_of(journal: Journal) -> Callable[[], Awaitable[str]]:
    async def middle() -> str:
        month = (await journal.store.months())[18]
        ((requete,),) = await journal.store.fetch(f"SELECT requete FROM origines_{month.suffix} LIMIT 1")
        return str(requete)

    return middle


def queries(journal: Journal, people: Population, request: Callable[[], Awaitable[str]]) -> dict[str, Query]:
    store, now = journal.store, datetime.now(UTC)
    mine = people.habilitations[7]
    month_ago = now - timedelta(days=30)

    def pages(filter: Filter, number: int = 1) -> Query:
        async def asked() -> int:
            found, after = 0, None
            for _ in range(number):
                page = await reading.search(store, filter, first=50, after=after)
                found, after = found + len(page.entries), page.suivant
                if after is None:
                    break
            return found

        return asked

    async def by_request() -> int:
        return len((await reading.search(store, Filter(requete=await request()))).entries)

    def consumed(filter: Filter, *axes: Axe) -> Query:
        async def asked() -> int:
            return len(await reading.consumption(store, filter, axes))

        return asked

    async def public_month() -> int:
        return len(await reading.statistics(store, now=now, months=(await store.months())[-2:-1]))

    async def public() -> int:
        return len(await reading.statistics(store, now=now))

    async def odd() -> int:
        personal: Any = DATASETS[:10]
        found = await anomalies(store, habilitation=mine, depuis=month_ago, jusqua=now, jeux_personnels=personal)
        return len(found)

    return {
        "newest 50": pages(Filter()),
        "50 of a habilitation": pages(Filter(habilitation=mine)),
        "50 of a habilitation, 20 pages": pages(Filter(habilitation=mine), 20),
        "50 of a token": pages(Filter(jeton=people.jetons[7])),
        "50 of an agent": pages(Filter(agent=people.agents[7])),
        "50 of a subject": pages(Filter(sujet=people.sujets[7])),
        "a subject, one habilitation": pages(Filter(sujet=people.sujets[7], habilitation=mine)),
        "50 of a dataset": pages(Filter(jeu_de_donnees=DATASETS[7])),
        "50 refusals": pages(Filter(issue=Issue.REFUSE)),
        "refusals of a habilitation": pages(Filter(issue=Issue.REFUSE, habilitation=mine)),
        "one request, month unknown": by_request,
        "nothing found in 36 months": pages(Filter(habilitation="nobody")),
        "consumption of a month by day, dataset": consumed(
            Filter(habilitation=mine, depuis=month_ago), Axe.JOUR, Axe.JEU_DE_DONNEES
        ),
        "consumption of 36 months by issue": consumed(Filter(habilitation=mine), Axe.ISSUE),
        "consumption of 36 months by agent": consumed(Filter(habilitation=mine), Axe.AGENT),
        "anomalies of a month": odd,
        "public statistics of a month": public_month,
        "public statistics of 36 months": public,
    }


# --- A profile, with and without its journal -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Answering:
    """Requests answered by an application of this process: how many a second, processor time each, p99."""

    rate: float
    processor: float
    p99: float


async def answering(app: Any, token: str, query: bytes, concurrency: int, seconds: float) -> Answering:
    headers = [
        (b"authorization", f"Bearer {token}".encode()),
        (b"content-type", b"application/json"),
        (b"x-contexte", b"bench"),
        (b"x-objet", b"bench"),
    ]
    waits: list[float] = []
    end = time.perf_counter() + seconds

    async def one() -> None:
        body = [{"type": "http.request", "body": query, "more_body": False}]
        status = 0

        async def receive() -> Any:
            return body.pop() if body else await asyncio.Event().wait()

        async def send(message: Any) -> None:
            nonlocal status
            status = message.get("status", status)

        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "http",
            "path": "/graphql", "raw_path": b"/graphql", "query_string": b"", "root_path": "", "headers": headers,
            "client": ("127.0.0.1", 40000), "server": ("bench", 80),
        }  # fmt: skip
        await app(scope, receive, send)
        if status != 200:
            raise RuntimeError(f"answered {status}")

    async def caller() -> None:
        # At least one each, however slow the machine.
        while True:
            before = time.perf_counter()
            await one()
            waits.append(time.perf_counter() - before)
            if time.perf_counter() >= end:
                return

    start, processor = time.perf_counter(), time.process_time()
    await asyncio.gather(*(caller() for _ in range(concurrency)))
    elapsed, processor = time.perf_counter() - start, time.process_time() - processor
    waits.sort()
    return Answering(len(waits) / elapsed, processor / len(waits) * 1e6, waits[int(len(waits) * 0.99)] * 1e3)


async def with_and_without(found: Any, seconds: float) -> None:
    """The cached profile of `bench/profile.py`, its entries committed, and the same with a journal that does nothing."""
    import orjson

    from bench.profile import CACHED
    from bench.stage import ALL
    from graph.app import create_app
    from sandbox.personas import CLAIR_VALLON

    app = create_app(found.settings)
    query = orjson.dumps({"query": CACHED, "variables": {"siren": CLAIR_VALLON}})
    table = Table("concurrent", "journal", "requests/s", "us CPU/request", "p99 ms", "CPU, ratio")
    async with app.router.lifespan_context(app):
        journal = app.state.service.journal
        real = journal.commit

        async def nothing(entries: Sequence[Entry]) -> None:
            return

        token = found.tokens[ALL]
        await answering(app, token, query, 1, 1)
        for concurrency in CONCURRENCY:
            # In turns, so that what disturbs the machine disturbs both.
            taken: dict[bool, list[Answering]] = {False: [], True: []}
            for turn in range(6):
                journal.commit = real if turn % 2 else nothing
                taken[bool(turn % 2)].append(await answering(app, token, query, concurrency, seconds / 2))
            journal.commit = real
            medians = {kept: statistics.median(one.processor for one in measures) for kept, measures in taken.items()}
            for kept, measures in taken.items():
                table.add_row(
                    str(concurrency),
                    "yes" if kept else "no",
                    f"{statistics.median(one.rate for one in measures):,.0f}",
                    f"{medians[kept]:,.0f}",
                    f"{statistics.median(one.p99 for one in measures):.2f}",
                    f"{medians[True] / medians[False]:.2f}" if kept else "",
                )
    CONSOLE.print(table)


def run(quick: bool) -> None:
    """What `make bench` measures: the cost of the journal to a cached profile, then group commit alone."""
    from bench.stage import stage

    seconds = 0.5 if quick else 3
    with stage(GRAPHE_QUOTAS="0", GRAPHE_ADDRESS_CALLS_PER_MINUTE="0") as found:
        asyncio.run(with_and_without(found, seconds))
    asyncio.run(compare(["sqlite", "postgres"], seconds))


def main() -> None:
    parser = argparse.ArgumentParser(description="What the journal costs.")
    parser.add_argument("databases", nargs="*", default=["sqlite", "postgres"], metavar="sqlite|postgres")
    parser.add_argument("--rows", type=int, help="fill PostgreSQL with so many entries and time the queries")
    parser.add_argument("--seconds", type=float, help="of each measure (3), or of the whole fill (1800)")
    parser.add_argument("--profile", action="store_true", help="only the cached profile, with and without its journal")
    options = parser.parse_args()
    if options.profile:
        from bench.stage import stage

        with stage(GRAPHE_QUOTAS="0", GRAPHE_ADDRESS_CALLS_PER_MINUTE="0") as found:
            asyncio.run(with_and_without(found, options.seconds or 3))
    elif options.rows:
        asyncio.run(full(options.rows, options.seconds or 1_800))
    else:
        asyncio.run(compare(options.databases, options.seconds or 3))


if __name__ == "__main__":
    main()
