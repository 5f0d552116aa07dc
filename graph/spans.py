"""OpenTelemetry traces of one process: sent to the operator's collector by OTLP over HTTP, when a setting names one.

The exporter's own variables apply (`OTEL_EXPORTER_OTLP_HEADERS`, `OTEL_TRACES_SAMPLER`…). See docs/decisions/0065.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter

from resolvers.spans import Spans
from settings import Settings

SERVICE: Final = "graphe-entreprise"
_PATIENCE: Final = 3.0
"""How long one sending may take, in seconds."""


@dataclass(frozen=True, slots=True)
class Tracing:
    """The spans of this process and what sends them."""

    spans: Spans
    provider: TracerProvider

    async def close(self) -> None:
        """Send what is left; a collector that is away loses it, and keeps nobody waiting for long."""
        await asyncio.to_thread(self.provider.shutdown)


def to_collector(settings: Settings) -> SpanExporter:
    """What sends spans to the collector, from a thread of its own."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    return OTLPSpanExporter(endpoint=settings.traces_url, timeout=_PATIENCE)


def tracing(settings: Settings, exporter_of: Callable[[Settings], SpanExporter]) -> Tracing:
    """Traces that are on."""
    provider = TracerProvider(resource=Resource.create({SERVICE_NAME: SERVICE}), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(exporter_of(settings)))
    return Tracing(Spans(provider.get_tracer(SERVICE), told_to_providers=settings.traces_to_providers), provider)
