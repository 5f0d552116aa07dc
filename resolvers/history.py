"""The availability of each provider, day by day for ninety days: answers and failures, in the database."""

import asyncio
import contextlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from sqlalchemy import Column, Date, Integer, MetaData, String, Table, delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from auth.instants import Clock
from resolvers.health import Watch
from resolvers.lane import Lane
from resolvers.tasks import ended

logger = logging.getLogger(__name__)

DAYS: Final = 90
_TOLD_EVERY: Final = 5.0
_SAVED_EVERY: Final = 12
METADATA = MetaData()

AVAILABILITY = Table(
    "disponibilite_fournisseurs",
    METADATA,
    Column("fournisseur", String(40), primary_key=True),
    Column("jour", Date, primary_key=True),
    Column("reponses", Integer, nullable=False),
    Column("echecs", Integer, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Day:
    """One provider on one day, in UTC."""

    day: date
    answers: int
    failures: int

    @property
    def availability(self) -> float:
        """The share of the calls that were answered, in percent."""
        return round(100 * self.answers / (self.answers + self.failures), 3)


class History:
    """Adds what this process counts to the days of all."""

    def __init__(self, engine: AsyncEngine, lanes: Mapping[str, Lane], watch: Watch, clock: Clock) -> None:
        self._engine = engine
        self._lanes = lanes
        self._watch = watch
        self._clock = clock
        self._keeping: asyncio.Task[None] | None = None
        self._saving = asyncio.Lock()

    def start(self) -> None:
        self._keeping = asyncio.create_task(self._keep())

    async def close(self) -> None:
        """Save what is counted; a database that is away loses these figures, and nothing else."""
        if self._keeping is not None:
            await ended(self._keeping)
        await self._watch.tell()
        await self.save()

    async def save(self) -> None:
        """Add what was counted since the last time; whoever reads next finds it."""
        async with self._saving:
            await self._save()

    async def _save(self) -> None:
        counted = {name: calls for name, lane in self._lanes.items() if (calls := lane.traffic.unsaved())}
        if not counted:
            return
        days: dict[tuple[str, date], list[int]] = {}
        for name, calls in counted.items():
            for (written, answered), number in calls.items():
                days.setdefault((name, date.fromisoformat(written)), [0, 0])[0 if answered else 1] += number
        try:
            async with self._engine.begin() as connection:
                for (name, day), (answers, failures) in days.items():
                    await connection.execute(self._added(name, day, answers, failures))
                oldest = self._clock().date() - timedelta(days=DAYS)
                await connection.execute(delete(AVAILABILITY).where(AVAILABILITY.c.jour < oldest))
        except (SQLAlchemyError, OSError) as error:
            logger.warning("history: not saved (%s), kept for the next time", type(error).__name__)
            for name, calls in counted.items():
                self._lanes[name].traffic.save_again(calls)

    async def days(self, provider: str) -> list[Day]:
        """The days of a provider that had calls, the oldest first."""
        await self.save()
        query = (
            select(AVAILABILITY.c.jour, AVAILABILITY.c.reponses, AVAILABILITY.c.echecs)
            .where(AVAILABILITY.c.fournisseur == provider)
            .order_by(AVAILABILITY.c.jour)
        )
        async with self._engine.connect() as connection:
            return [Day(*row) for row in await connection.execute(query)]

    def _added(self, name: str, day: date, answers: int, failures: int) -> Any:
        insert = postgresql.insert if self._engine.dialect.name == "postgresql" else sqlite.insert
        row = insert(AVAILABILITY).values(fournisseur=name, jour=day, reponses=answers, echecs=failures)
        return row.on_conflict_do_update(
            index_elements=["fournisseur", "jour"],
            set_={
                "reponses": AVAILABILITY.c.reponses + row.excluded.reponses,
                "echecs": AVAILABILITY.c.echecs + row.excluded.echecs,
            },
        )

    async def _keep(self) -> None:
        turns = 0
        while True:
            await asyncio.sleep(_TOLD_EVERY)
            turns += 1
            with contextlib.suppress(TimeoutError):
                await self._watch.tell()
                if turns % _SAVED_EVERY == 0:
                    await self.save()
