"""What being watched costs: the cached profile with everything off, then with metrics, logs or traces on. `python -m bench observability`.

Four APIs stand beside each other and are asked in turn, so that whatever else the machine does weighs on all of them.
"""

import contextlib
import statistics
import threading
import timeit
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx

from bench.figures import show
from bench.profile import CACHED
from bench.stage import Stage, stage
from resolvers.lane import _NO_SPAN
from sandbox.personas import CLAIR_VALLON

COMMAND = "python -m bench observability"
OFF = "everything off"
WAYS = {
    OFF: {},
    "metrics on, read every second": {"GRAPHE_METRICS": "true"},
    "logs in JSON": {"GRAPHE_JSON_LOGS": "true"},
    "traces on, every request sent": {"GRAPHE_TRACES_URL": ""},
}
BODY = {"query": CACHED, "variables": {"siren": CLAIR_VALLON}}


@contextlib.contextmanager
def collector() -> Iterator[tuple[str, list[int]]]:
    """A collector that only counts the bytes that it is sent."""
    received = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            received.append(len(self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1/traces", received
    finally:
        server.shutdown()
        server.server_close()


@contextlib.contextmanager
def read_every_second(found: Stage) -> Iterator[None]:
    over = threading.Event()

    def read():
        with httpx.Client() as client:
            while not over.wait(1):
                client.get(f"{found.url}/metriques").raise_for_status()

    reader = threading.Thread(target=read)
    reader.start()
    try:
        yield
    finally:
        over.set()
        reader.join()


def measured(found: Stage, name: str, seconds: float) -> float:
    """Microseconds of CPU of the API per request."""
    watching = read_every_second(found) if "metrics" in name else contextlib.nullcontext()
    with watching:
        return found.load([BODY], connections=8, seconds=seconds)["cpu_us"]


def run(quick: bool) -> None:
    rounds, seconds = (4, 1.0) if quick else (16, 2.0)
    spent = {name: [] for name in WAYS}
    with contextlib.ExitStack() as stack:
        url, received = stack.enter_context(collector())
        stages = {}
        for name, settings in WAYS.items():
            chosen = {variable: value or url for variable, value in settings.items()}
            stages[name] = stack.enter_context(stage(GRAPHE_QUOTAS="false", **chosen))
            measured(stages[name], name, 1.0)  # memory is warm, and so is the interpreter
        for number in range(rounds):
            # Each begins a round as often as the others: what it finds of the one before is nobody's in particular.
            names = list(stages)
            for name in names[number % len(names) :] + names[: number % len(names)]:
                spent[name].append(measured(stages[name], name, seconds))
    if not received:
        raise RuntimeError("no span came to the collector")
    medians = {name: statistics.median(values) for name, values in spent.items()}
    paired = {
        name: statistics.median(value - off for value, off in zip(values, spent[OFF], strict=True))
        for name, values in spent.items()
    }
    rows = [
        {
            "process": name, "CPU us/request": medians[name], "more than off, us": paired[name],
            "in %": 100 * paired[name] / medians[OFF], "least": min(spent[name]), "most": max(spent[name]),
        }
        for name in WAYS
    ]  # fmt: skip
    show(
        "Observability: cached profile, one worker, eight connections", rows, command=COMMAND,
        note=f"Medians of {rounds} rounds taken in turn; the difference is that of each round with its own neighbour. "
        f"With traces off a call to a provider passes one empty block: {_off_ns():.0f} ns; a cached request one comparison.",
    )  # fmt: skip


def _off_ns() -> float:
    """What a call to a provider pays for the traces that it does not make."""

    def off():
        with _NO_SPAN as span:
            return span

    return min(timeit.repeat(off, number=100_000, repeat=5)) / 100_000 * 1e9
