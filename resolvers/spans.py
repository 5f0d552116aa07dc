"""OpenTelemetry spans: one per request, one per call to a provider, with the request's identifier in both.

Names and codes only: no address, no key, no text of an answer or of an error. Without an operator who asks for them there is no
`Spans`, and nothing is made for a request. See docs/decisions/0065.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Final

import httpx
from opentelemetry import context
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from providers.declaration import Call
from providers.errors import NotFound, ProviderError

REQUEST: Final = "graphe.requete"
PROVIDER: Final = "graphe.fournisseur"
DATASET: Final = "graphe.jeu_de_donnees"
OUTCOME: Final = "graphe.issue"
ATTEMPTS: Final = "graphe.tentatives"
ANSWERED: Final = "ok"
GIVEN_UP: Final = "ABANDONNE"
"""The call was cancelled, or its session was refused: another one follows."""

_WIRE: Final = TraceContextTextMapPropagator()
_KEY: Final = context.create_key(REQUEST)
_NUMBER: Final = re.compile(r"\d{6,}")


@dataclass(slots=True, eq=False)
class CallSpan:
    """The span of one call to a provider, as it goes."""

    span: Span
    told: bool
    attempts: int = 1

    def carried(self, call: Call) -> Call:
        """The call as it leaves: with its place in the trace, when the operator wants providers to be told."""
        if not self.told:
            return call
        headers: dict[str, str] = {}
        _WIRE.inject(headers)
        return replace(call, headers=(*call.headers, *headers.items()))

    def answered(self, response: httpx.Response) -> None:
        self.span.set_attribute("http.response.status_code", response.status_code)


class Spans:
    """Begins the spans of one process."""

    def __init__(self, tracer: Tracer, *, told_to_providers: bool) -> None:
        self._tracer = tracer
        self._told = told_to_providers

    @contextmanager
    def request(self, name: str, headers: Mapping[str, str], request_id: str) -> Iterator[Span]:
        """The span of one request, below its caller's (`traceparent`); what runs inside is below it.

        An unforeseen error ends it without a word of its text, which may hold values.
        """
        carrier = {key: value for key in ("traceparent", "tracestate") if (value := headers.get(key)) is not None}
        parent = context.set_value(_KEY, request_id, _WIRE.extract(carrier, context.Context()))
        token = context.attach(parent)
        try:
            with self._tracer.start_as_current_span(
                name,
                kind=SpanKind.SERVER,
                attributes={REQUEST: request_id},
                record_exception=False,
                set_status_on_exception=False,
            ) as span:
                yield span
        finally:
            context.detach(token)

    @contextmanager
    def call(self, provider: str, label: str, method: str) -> Iterator[CallSpan]:
        """The span of one call, below the request that asked for it. Its outcome is `ok` or the code of its error."""
        request_id = context.get_value(_KEY)
        attributes = {PROVIDER: provider, DATASET: label, "http.request.method": method}
        if isinstance(request_id, str):
            attributes[REQUEST] = request_id
        with self._tracer.start_as_current_span(
            f"appel {label}",
            kind=SpanKind.CLIENT,
            attributes=attributes,
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            call = CallSpan(span, self._told)
            outcome = GIVEN_UP
            try:
                yield call
                outcome = ANSWERED
            except ProviderError as error:
                outcome = error.code
                if not isinstance(error, NotFound):
                    span.set_status(Status(StatusCode.ERROR))
                    span.set_attribute("error.type", error.code)
                raise
            finally:
                span.set_attribute(OUTCOME, outcome)
                span.set_attribute(ATTEMPTS, call.attempts)


def name_operation(span: Span, kind: str, name: str | None) -> None:
    """Name the span of a GraphQL request after its operation: the caller's own word, without the long numbers it may hold."""
    plain = "" if name is None else _NUMBER.sub("…", name)[:80]
    span.set_attribute("graphql.operation.type", kind)
    if plain:
        span.set_attribute("graphql.operation.name", plain)
    span.update_name(f"{kind} {plain}".rstrip())
