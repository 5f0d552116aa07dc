"""Purge by whole months, after 36 months at least; nothing else removes anything.

The clock alone never purges: a month goes when it is old by the clock and when seals of 36 other months follow, in
the chain, the last of its links. So a clock that went back, and put fresh entries into an old month, or one that
jumps forward on the day of a purge, removes nothing too early.
"""

import uuid
from datetime import datetime

from tracing.entry import Entry, Issue, Nature, Origin
from tracing.journal import Journal
from tracing.rows import Month, microseconds, rank, writer_of
from tracing.store import Store
from tracing.verification import RETENTION_MONTHS, Run

_DAY = 86_400_000_000


async def due(store: Store, now: datetime) -> list[Month]:
    """The months that a purge would remove."""
    old = [month for month in await store.months() if month.plus(RETENTION_MONTHS + 1).start <= microseconds(now)]
    return [month for month in old if await _outlived(store, month, [run.last for run in await runs(store, month)])]


async def purge(journal: Journal, now: datetime) -> list[Month]:
    """Journal, then remove, every month that is due; answer those removed."""
    store = journal.store
    removed = []
    for month in await due(store, now):
        gone = await runs(store, month)
        if not await _journalled(store, month, gone):
            await journal.commit([purge_entry(month, gone, now)])
        # False when a link came meanwhile: the next purge will tell of it.
        if await store.drop(month, sum(run.last - run.first + 1 for run in gone)):
            removed.append(month)
    return removed


async def runs(store: Store, month: Month) -> list[Run]:
    """The links of a month, as runs without holes."""
    links = (
        f"SELECT rang, empreinte FROM origines_{month.suffix}"
        f" UNION ALL SELECT rang, empreinte FROM entrees_{month.suffix}"
    )
    bounds = await store.fetch(
        "SELECT min(rang), max(rang) FROM (SELECT rang, rang - row_number() OVER (ORDER BY rang) AS ilot"
        f" FROM ({links}) liens) numerotes GROUP BY ilot ORDER BY min(rang)"
    )
    found = []
    for first, last in bounds:
        ((digest,),) = await store.fetch(f"SELECT empreinte FROM ({links}) liens WHERE rang = $1", last)
        found.append(Run(first, last, digest))
    return found


def purge_entry(month: Month, gone: list[Run], now: datetime) -> Entry:
    """What the chain says of a purge: its fields are the runs removed, by which it can still be verified."""
    origin = Origin(
        requete=str(uuid.uuid4()),
        habilitation="",
        jeton="",
        siret_habilite="",
        agent=None,
        contexte=None,
        objet=None,
        destinataire=None,
        operation=None,
        document="",
        adresse="",
        agent_utilisateur="",
    )
    return Entry(
        id=str(uuid.uuid4()),
        nature=Nature.PURGE,
        instant=now,
        origine=origin,
        sujet="",
        jeu_de_donnees="",
        fournisseur="",
        champs=tuple(str(run) for run in gone),
        issue=Issue.REPONDU,
        code=str(month),
        portees_manquantes=(),
        cache=False,
        perimee=False,
        duree_ms=None,
        statut_http=None,
        intention=None,
    )


async def _outlived(store: Store, month: Month, ends: list[int]) -> bool:
    """Whether 36 other months were sealed after the last link of this one."""
    seals = []
    for rang in ends:
        rows = await store.fetch(
            "SELECT numero FROM sceaux WHERE rang >= $1 AND rang < $2 ORDER BY rang, numero LIMIT 1",
            rang,
            rank(writer_of(rang) + 1, 0),
        )
        if not rows:
            return False
        seals.append(rows[0][0])
    days = await store.fetch(f"SELECT DISTINCT instant / {_DAY} FROM sceaux WHERE numero > $1", max(seals, default=0))
    return len({Month.of(day * _DAY) for (day,) in days} - {month}) >= RETENTION_MONTHS


async def _journalled(store: Store, month: Month, gone: list[Run]) -> bool:
    """Whether a former purge said the same and died before removing."""
    champs = ",".join(str(run) for run in gone)
    for kept in await store.months():
        rows = await store.fetch(
            f"SELECT 1 FROM entrees_{kept.suffix} WHERE jeu_de_donnees = '' AND nature <> 0 AND code = $1"
            " AND champs = $2 LIMIT 1",
            str(month),
            champs,
        )
        if rows:
            return True
    return False
