"""Pages for machines: is this process ready, how are the providers. No token, no quota, nothing of any company."""

import asyncio

import orjson
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from graph.service import Service
from graph.stopping import Stopping
from providers import PROVIDERS
from resolvers.health import Condition, Health

_PATIENCE = 2.0
_NAMES = {provider.id: provider.title for provider in PROVIDERS}


class Status:
    """`/pret`, `/pings` and `/ping/{id}`."""

    def __init__(self, service: Service, stopping: Stopping) -> None:
        self._service = service
        self._stopping = stopping

    async def ready(self, _request: Request) -> Response:
        """Whether requests may be sent here: the database and the journal answer, and nobody asked this process to stop.

        Without Redis the service is slower, and ready. Where the operator lets public data be served without the journal,
        losing both must not send everybody away: the process is ready, and says what it lacks.
        """
        database = await self._database()
        journal, shared = self._service.journal.available, self._service.shared
        whole = database and journal
        if self._stopping.asked:
            word, status = "arret", 503
        elif whole or self._service.settings.public_data_without_journal:
            word, status = "pret" if whole else "degrade", 200
        else:
            word, status = "indisponible", 503
        body = {
            "statut": word,
            "base": database,
            "journal": journal,
            "redis": shared.answers if shared.configured else None,
        }
        return _page(body, status)

    async def all(self, request: Request) -> Response:
        base = str(request.base_url).rstrip("/")
        return _page([{"id": name, "nom": title, "url": f"{base}/ping/{name}"} for name, title in _NAMES.items()])

    async def one(self, request: Request) -> Response:
        """The health of one provider; 503 when it should not be counted on."""
        name = request.path_params["id"]
        if name not in _NAMES:
            return _page({"erreur": "Aucun fournisseur n'a cet identifiant : voir /pings."}, 404)
        (health,) = await self._service.watch.health([name])
        return _page(_body(health), 503 if health.condition in (Condition.DOWN, Condition.MAINTENANCE) else 200)

    async def _database(self) -> bool:
        try:
            async with asyncio.timeout(_PATIENCE), self._service.engine.connect() as connection:
                await connection.execute(text("SELECT 1"))
        except (SQLAlchemyError, OSError, TimeoutError):
            return False
        return True


def _body(health: Health) -> dict[str, object]:
    figures = health.figures
    return {
        "fournisseur": health.provider,
        "etat": health.condition.value,
        "origine": None if health.origin is None else health.origin.value,
        "derniereSonde": health.sounded,
        "depuis": health.since,
        "dernierSucces": health.last_success,
        "appels": figures.calls,
        "tauxErreur": figures.error_rate,
        "erreurs": figures.by_code,
        "latenceMedianeMs": figures.p50,
        "latenceP95Ms": figures.p95,
        "circuit": health.circuit.value,
        "enPauseJusqua": health.paused_until,
        "debits": [
            {"limite": quota.limit, "dureeSecondes": int(quota.per.total_seconds()), "restant": quota.left}
            for quota in health.quotas
        ],
        "maintenances": [{"debut": start, "fin": end} for start, end in health.maintenance],
    }


def _page(body: object, status: int = 200) -> Response:
    return _Json(body, status, {"Cache-Control": "no-store"})


class _Json(JSONResponse):
    """Dates as ISO 8601."""

    def render(self, content: object) -> bytes:
        return orjson.dumps(content)
