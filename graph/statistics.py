"""`GET /statistiques`: how much each dataset is read, month by month, for anybody; small groups are not told.

A month that is over does not change: it is counted once by each process, whoever asks.
"""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from graph.service import Service
from tracing.rows import Month, microseconds
from tracing.search import FEWEST_ACCESSES, FEWEST_HABILITATIONS, Volume, statistics
from tracing.store import StoreError

SETTLED: Final = timedelta(days=1)
"""So long after its end, no request of a month is still being written."""
_HEADERS: Final[Mapping[str, str]] = {"Cache-Control": "public, max-age=3600", "X-Content-Type-Options": "nosniff"}


class PublicStatistics:
    """The route, and the months that it has counted."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._counted: dict[Month, list[Volume]] = {}
        self._counting = asyncio.Lock()

    async def answer(self, _request: Request) -> Response:
        try:
            volumes = await self._volumes()
        except StoreError:
            message = "Les statistiques ne peuvent pas être lues pour le moment. Réessayez."
            return JSONResponse({"erreur": message}, 503, {"Retry-After": "30"})
        return JSONResponse(
            {
                "seuils": {"acces": FEWEST_ACCESSES, "habilitations": FEWEST_HABILITATIONS},
                "note": "Un volume nul (null) est trop petit, ou dû à trop peu d'habilitations, pour être publié.",
                "volumes": [_plain(volume) for volume in volumes],
            },
            headers=dict(_HEADERS),
        )

    async def _volumes(self) -> list[Volume]:
        """Of all the months that are over; those counted before are not read again."""
        now = self._service.clock()
        store = self._service.journal.store
        found: list[Volume] = []
        async with self._counting:
            for month in await store.months():
                if month.plus(1).start > microseconds(now - SETTLED):
                    continue
                if month not in self._counted:
                    self._counted[month] = await statistics(store, now=now, months=[month])
                found += self._counted[month]
        return found


def _plain(volume: Volume) -> dict[str, Any]:
    return {"mois": str(volume.mois), "jeuDeDonnees": volume.jeu_de_donnees, "acces": volume.acces}
