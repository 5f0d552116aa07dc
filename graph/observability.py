"""What an operator's tools read: figures for Prometheus, logs as lines of JSON. No personal data in either.

Figures are drawn from what the lanes count anyway, when they are asked for: a request pays nothing for them.
"""

import logging
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime

import orjson
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import Response

from graph.service import Service
from resolvers.circuits import State

_PLACES = 12
_STATES = {State.CLOSED: 0, State.HALF_OPEN: 1, State.OPEN: 2}


class _Lanes(Collector):
    """The figures of this process, read when they are asked for."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def collect(self) -> Iterator[Metric]:
        calls = CounterMetricFamily("graphe_appels", "Appels aux fournisseurs.", labels=["fournisseur", "issue"])
        seconds = CounterMetricFamily("graphe_appels_secondes", "Durée de ces appels.", labels=["fournisseur"])
        circuit = GaugeMetricFamily("graphe_circuit", "0 fermé, 1 à l'essai, 2 ouvert.", labels=["fournisseur"])
        busy = GaugeMetricFamily("graphe_appels_en_cours", "Appels en cours.", labels=["fournisseur"])
        waiting = GaugeMetricFamily("graphe_appels_en_attente", "Appels qui attendent.", labels=["fournisseur"])
        files = GaugeMetricFamily("graphe_telechargements_en_cours", "Fichiers relayés.", labels=["fournisseur"])
        for name, lane in self._service.road.lanes.items():
            for outcome, number in lane.traffic.outcomes.items():
                calls.add_metric([name, outcome], number)
            seconds.add_metric([name], lane.traffic.seconds)
            circuit.add_metric([name], _STATES[lane.circuit.state])
            busy.add_metric([name], lane.bulkhead.busy)
            waiting.add_metric([name], lane.bulkhead.waiting)
            files.add_metric([name], sum(places.busy for places in lane.downloads.values()))
        yield from (calls, seconds, circuit, busy, waiting, files)
        memory = GaugeMetricFamily("graphe_reponses_en_memoire", "Réponses de fournisseurs gardées en mémoire.")
        memory.add_metric([], len(self._service.road.memory))
        redis = GaugeMetricFamily("graphe_redis", "1 quand Redis répond, 0 sinon.")
        redis.add_metric([], int(self._service.shared.answers))
        yield from (memory, redis)


class Metrics:
    """`GET /metriques`: this process' figures, in Prometheus' format."""

    def __init__(self, service: Service) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(_Lanes(service))

    async def answer(self, _request: Request) -> Response:
        return Response(generate_latest(self._registry), media_type=CONTENT_TYPE_LATEST)


class JsonLines(logging.Formatter):
    """One log record as one line of JSON. A traceback says where, and not with which values."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "instant": datetime.fromtimestamp(record.created, tz=UTC),
            "niveau": record.levelname,
            "source": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info and record.exc_info[0] is not None:
            line["exception"] = record.exc_info[0].__name__
            # The places alone: the texts of errors, those that caused this one included, may hold values.
            places = traceback.extract_tb(record.exc_info[2])[-_PLACES:]
            line["trace"] = [f"{place.filename}:{place.lineno} {place.name}" for place in places]
        return orjson.dumps(line).decode()


def configure_logs(*, json: bool) -> None:
    """The logs of a process of `graphe serve`. The PDF reader remarks on every certificate: it is not listened to."""
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    if json:
        handler = logging.StreamHandler()
        handler.setFormatter(JsonLines())
        logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
