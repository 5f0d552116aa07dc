"""Registered documents in the database, and in the memory of each worker.

The memory is read again when the database says that rights have changed: registering and locking bump the same
version as a revocation does, so that they bite as fast.
"""

import asyncio
import contextlib
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import delete, insert, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from auth.models import Version
from auth.tokens import rights_changed
from graph.trusted.manifests import Registered, digest_of
from graph.trusted.tables import DOCUMENTS, LOCKED

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Known:
    """What one worker knows: texts by (habilitation, identifier), digests by habilitation, locked tokens."""

    texts: Mapping[tuple[str, str], str] = field(default_factory=dict)
    digests: frozenset[tuple[str, str]] = frozenset()
    locked: frozenset[str] = frozenset()


class TrustedDocuments:
    """The registered documents, as one worker knows them."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._known: Known | None = None
        self._version: int | None = None
        self._watcher: asyncio.Task[None] | None = None

    def text(self, habilitation: str, identifier: str) -> str | None:
        """The document that a habilitation registered under this identifier."""
        return None if self._known is None else self._known.texts.get((habilitation, identifier))

    def holds(self, habilitation: str, text: str) -> bool:
        """Whether a habilitation registered this very text."""
        return self._known is not None and (habilitation, digest_of(text)) in self._known.digests

    def locks(self, token: str) -> bool:
        """Whether a token runs registered documents only. Every token is, until the database has been read once."""
        return self._known is None or token in self._known.locked

    async def refresh(self) -> None:
        """Read what the database holds, when it changed."""
        async with self._engine.connect() as connection:
            version = (await connection.execute(select(Version.numero))).scalar_one_or_none()
            if version is None or version != self._version:
                self._known = await _read(connection)
                self._version = version

    async def watch(self, every: timedelta) -> None:
        """Know the documents now, and any change of them within `every`."""
        await self._try_refresh()
        self._watcher = asyncio.create_task(self._poll(every.total_seconds()))

    async def _poll(self, seconds: float) -> None:
        while True:
            await asyncio.sleep(seconds)
            await self._try_refresh()

    async def _try_refresh(self) -> None:
        try:
            await self.refresh()
        except (SQLAlchemyError, OSError) as error:
            # What is known stays in force: forgetting the locks would open what they close.
            logger.warning("trusted documents: changes can't be read (%s)", type(error).__name__)

    async def close(self) -> None:
        if self._watcher is not None:
            self._watcher.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watcher


async def _read(connection: AsyncConnection) -> Known:
    rows = (await connection.execute(select(DOCUMENTS))).mappings().all()
    locked = (await connection.execute(select(LOCKED.c.jeton_id))).scalars().all()
    return Known(
        texts={(row["habilitation_id"], row["identifiant"]): row["texte"] for row in rows},
        digests=frozenset((row["habilitation_id"], row["empreinte"]) for row in rows),
        locked=frozenset(locked),
    )


async def register(
    connection: AsyncConnection, habilitation: str, documents: Iterable[Registered], now: datetime
) -> None:
    """Put documents in service for the tokens of a habilitation; an identifier known before takes the new text."""
    for document in documents:
        key = (DOCUMENTS.c.habilitation_id == habilitation) & (DOCUMENTS.c.identifiant == document.identifier)
        await connection.execute(delete(DOCUMENTS).where(key))
        await connection.execute(
            insert(DOCUMENTS).values(
                habilitation_id=habilitation,
                identifiant=document.identifier,
                empreinte=document.digest,
                texte=document.text,
                enregistre_le=now,
            )
        )
    await rights_changed(connection)


async def lock(connection: AsyncConnection, token: str, now: datetime, *, locked: bool = True) -> None:
    """Hold a token to the registered documents of its habilitation, or set it free."""
    await connection.execute(delete(LOCKED).where(LOCKED.c.jeton_id == token))
    if locked:
        await connection.execute(insert(LOCKED).values(jeton_id=token, verrouille_le=now))
    await rights_changed(connection)
