"""Traces: a span per request and per call to a provider, with codes and names in them and nobody's number."""

import asyncio
import contextlib
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

import graph.spans
from providers.declaration import Call
from sandbox.personas import CLAIR_VALLON
from settings import Settings
from tests.conftest import Answer, Api, Clock, Providers, started
from tests.resilience.test_remote_downloads import link

RCS = "query Extrait($s: Siren!) { entreprise(siren: $s) { rcs { siren } } }"
TWO = "query($s: Siren!) { entreprise(siren: $s) { rcs { siren } tva { tvaNumber } attestations { vigilance { situation } } } }"
TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
TRACEPARENT = f"00-{TRACE}-{PARENT}-01"


class Kept(InMemorySpanExporter):
    """The spans that were sent, once the process has sent all."""

    def requests(self) -> list[ReadableSpan]:
        return [span for span in self.get_finished_spans() if span.kind is SpanKind.SERVER]

    def calls(self) -> list[ReadableSpan]:
        return [span for span in self.get_finished_spans() if span.kind is SpanKind.CLIENT]


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> Kept:
    exporter = Kept()
    monkeypatch.setattr(graph.spans, "to_collector", lambda _settings: exporter)
    return exporter


Running = Callable[..., "contextlib.AbstractAsyncContextManager[Api]"]


@pytest.fixture
def traced(tmp_path: Path, providers: Providers, clock: Clock) -> Running:
    """An API whose spans are all in the exporter when the block ends."""

    @asynccontextmanager
    async def running(**more: Any) -> AsyncIterator[Api]:
        settings = Settings(
            data_dir=tmp_path / "var", sandbox_port=providers.first_port, traces_url="http://collecteur.test", **more
        )
        async with started(settings, clock) as api:
            yield api

    return running


def told(span: ReadableSpan) -> Mapping[str, Any]:
    return dict(span.attributes or {})


def request_id(answer: Answer) -> str:
    return answer.response.headers["x-request-id"]


async def test_a_request_and_its_calls_are_one_trace(traced: Running, kept: Kept) -> None:
    async with traced() as api:
        answer = await api.ask(TWO, variables={"s": CLAIR_VALLON})
        assert answer.errors == []
    (request,) = kept.requests()
    assert request.name == "query"
    assert told(request) == {
        "graphe.requete": request_id(answer),
        "graphql.operation.type": "query",
        "http.response.status_code": 200,
    }
    calls = {told(span)["graphe.jeu_de_donnees"]: span for span in kept.calls()}
    assert {"infogreffe.extrait_rcs", "commission_europeenne.numero_tva", "acoss.attestation_vigilance"} <= set(calls)
    assert "acoss.connexion" in calls, "a login is a call too"
    for dataset, span in calls.items():
        assert span.parent is not None
        assert span.parent.span_id == request.context.span_id
        assert span.name == f"appel {dataset}"
        assert told(span)["graphe.requete"] == request_id(answer)
        assert told(span)["graphe.fournisseur"] == dataset.partition(".")[0]
        assert (told(span)["graphe.issue"], told(span)["graphe.tentatives"]) == ("ok", 1)
        assert told(span)["http.response.status_code"] == 200
        assert request.start_time <= span.start_time < span.end_time <= request.end_time


async def test_a_cached_answer_has_no_call(traced: Running, kept: Kept) -> None:
    async with traced() as api:
        await api.ask(RCS, variables={"s": CLAIR_VALLON})
        await api.ask(RCS, variables={"s": CLAIR_VALLON})
    assert (len(kept.requests()), len(kept.calls())) == (2, 1)
    assert [span.name for span in kept.requests()] == ["query Extrait", "query Extrait"]


@pytest.mark.parametrize(
    ("wish", "outcome", "status"),
    [
        ({"panne": "status", "statut": 503}, "PROVIDER_UNAVAILABLE", 503),
        ({"panne": "wrong_type"}, "PROVIDER_INVALID_RESPONSE", 200),
        ({"panne": "reset_mid_body"}, "PROVIDER_UNAVAILABLE", None),
    ],
)
async def test_a_failure_is_told_by_its_code(
    traced: Running, kept: Kept, providers: Providers, wish: dict[str, Any], outcome: str, status: int | None
) -> None:
    providers.misbehave("infogreffe", **wish)
    async with traced() as api:
        await api.ask(RCS, variables={"s": CLAIR_VALLON})
    (call,) = kept.calls()
    assert (told(call)["graphe.issue"], told(call)["error.type"]) == (outcome, outcome)
    assert told(call).get("http.response.status_code") == status
    assert call.status.status_code is StatusCode.ERROR
    assert call.status.description is None
    assert call.events == ()


async def test_what_the_provider_does_not_know_is_no_failure(traced: Running, kept: Kept, providers: Providers) -> None:
    providers.misbehave("fabrique_numerique", panne="html_404")
    async with traced() as api:
        await api.ask('{ etablissement(siret: "91020304100025") { conventionsCollectives { count } } }')
    (call,) = kept.calls()
    assert (told(call)["graphe.issue"], call.status.status_code) == ("INTROUVABLE", StatusCode.UNSET)
    assert "error.type" not in told(call)


async def test_the_caller_s_trace_goes_on_and_stops_at_the_provider(traced: Running, kept: Kept) -> None:
    async with traced() as api:
        sent = spied(api)
        await api.ask(RCS, variables={"s": CLAIR_VALLON}, headers={"traceparent": TRACEPARENT, "tracestate": "a=b"})
    (request,), (call,) = kept.requests(), kept.calls()
    assert request.parent is not None
    assert (f"{request.parent.trace_id:032x}", f"{request.parent.span_id:016x}") == (TRACE, PARENT)
    assert call.context.trace_id == request.context.trace_id
    assert [name for name, _ in sent[0].headers if name.lower().startswith("trace")] == []


async def test_providers_are_told_when_the_operator_says_so(traced: Running, kept: Kept) -> None:
    async with traced(traces_to_providers=True) as api:
        sent = spied(api)
        await api.ask(RCS, variables={"s": CLAIR_VALLON}, headers={"traceparent": TRACEPARENT})
    (call,) = kept.calls()
    assert ("traceparent", f"00-{TRACE}-{call.context.span_id:016x}-01") in sent[0].headers


@pytest.mark.parametrize("header", ["", "x", "00-0-0-01", f"ff-{TRACE}-{PARENT}-01", "00-" + "é" * 32])
async def test_a_trace_that_is_none_begins_a_new_one(traced: Running, kept: Kept, header: str) -> None:
    async with traced() as api:
        answer = await api.client.post(
            "/graphql", json={"query": "{ __typename }"}, headers=[(b"traceparent", header.encode())]
        )  # type: ignore[arg-type]
        assert answer.status_code < 500
    (request,) = kept.requests()
    assert request.parent is None


async def test_nobody_s_number_is_in_a_span(traced: Running, kept: Kept, providers: Providers) -> None:
    """Refused, failing, downloaded, named after a company by its caller: names and codes, and nothing of anyone."""
    siren = CLAIR_VALLON
    async with traced() as api:
        path = await link(api)
        await api.client.get(path)
        await api.ask(f'query Fiche_{siren} {{ entreprise(siren: "{siren}") {{ rcs {{ siren }} }} }}')
        await api.ask(f'{{ entreprise(siren: "{siren}") {{ nowhere }} }}')
        await api.ask(TWO, variables={"s": siren[:-1] + "9"})
        providers.misbehave("infogreffe", panne="reset")
        api.clock.advance(hours=2)
        await api.ask(RCS, variables={"s": siren})
    spans = kept.get_finished_spans()
    assert len(spans) > 6
    assert not any(siren[:-1] in span.to_json() for span in spans)
    assert "query Fiche_…" in [span.name for span in spans]
    assert {"inpi_rne.actes", "inpi_rne.connexion"} <= {
        told(span).get("graphe.jeu_de_donnees") for span in kept.calls()
    }
    assert [span.name for span in kept.requests()].count("document") == 1


async def test_an_attempt_that_never_left_is_counted_in_its_call(
    traced: Running, kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    from resolvers.http_client import NotConnected

    async with traced() as api:
        client = api.service.road.lanes["infogreffe"].client
        send, failures = client.send, [NotConnected(), NotConnected()]

        async def failing(*arguments: Any) -> Any:
            if failures:
                raise failures.pop()
            return await send(*arguments)

        monkeypatch.setattr(client, "send", failing)
        assert (await api.ask(RCS, variables={"s": CLAIR_VALLON})).errors == []
    (call,) = kept.calls()
    assert told(call)["graphe.tentatives"] == 3


async def test_spans_really_reach_a_collector(tmp_path: Path, providers: Providers, clock: Clock) -> None:
    """OTLP over HTTP, on a real socket."""
    with collector() as (url, received):
        settings = Settings(data_dir=tmp_path / "var", sandbox_port=providers.first_port, traces_url=url)
        async with started(settings, clock) as api:
            await api.ask(RCS, variables={"s": CLAIR_VALLON})
    spans = [
        (resource.resource.attributes, span.name)
        for body in received
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]
    assert {name for _, name in spans} == {"query Extrait", "appel infogreffe.extrait_rcs"}
    service = next(item.value.string_value for item in spans[0][0] if item.key == "service.name")
    assert service == "graphe-entreprise"


async def test_a_collector_that_is_away_costs_no_answer(tmp_path: Path, providers: Providers, clock: Clock) -> None:
    from tests.resilience.matrix import closed_port

    url = f"http://127.0.0.1:{closed_port()}/v1/traces"
    settings = Settings(data_dir=tmp_path / "var", sandbox_port=providers.first_port, traces_url=url)
    async with asyncio.timeout(120), started(settings, clock) as api:
        assert (await api.ask(RCS, variables={"s": CLAIR_VALLON})).errors == []


async def test_without_a_collector_nothing_is_made(api: Api) -> None:
    """Neither for a request nor for a call: all pass the same empty block."""
    assert api.service.spans is None
    one, other = (api.service.road.lanes[name]._span("x", Call(method="GET", url="x")) for name in ("insee", "dgfip"))
    assert one is other
    assert (await api.ask(RCS, variables={"s": CLAIR_VALLON})).errors == []


def test_without_a_collector_its_libraries_are_not_even_loaded() -> None:
    code = (
        "import sys, graph.app; from settings import Settings; from graph.service import traces_of; "
        "assert traces_of(Settings()) is None; "
        "print([name for name in sys.modules if name.startswith(('graph.spans', 'opentelemetry.exporter'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=240)
    assert done.stdout.strip() == "[]"


def test_a_missing_library_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    from graph.service import traces_of

    monkeypatch.delattr(graph, "spans")
    monkeypatch.setitem(sys.modules, "graph.spans", None)
    with pytest.raises(ImportError, match=r"graphe-entreprise\[traces\]"):
        traces_of(Settings(traces_url="http://collecteur.test"))


def spied(api: Api) -> list[Call]:
    """The calls that leave for Infogreffe from now on."""
    client, sent = api.service.road.lanes["infogreffe"].client, list[Call]()
    send = client.send

    async def seen(call: Call, *more: Any) -> Any:
        sent.append(call)
        return await send(call, *more)

    client.send = seen  # type: ignore[method-assign]
    return sent


@contextlib.contextmanager
def collector() -> Iterator[tuple[str, list[bytes]]]:
    """A collector that keeps what it is sent."""
    received: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            if self.path == "/v1/traces" and self.headers["content-type"] == "application/x-protobuf":
                received.append(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None: ...

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1/traces", received
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()
