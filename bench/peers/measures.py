"""One load on one contender, and the figures of several rounds together."""

import json
import statistics
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Final

import httpx

from bench.load import Load
from bench.peers.processes import Server
from bench.peers.works import Work, expected


class WrongAnswer(Exception):
    """A contender did not answer what the upstream says."""


@dataclass(frozen=True, slots=True)
class Measure:
    """One round: requests a second, processor microseconds and upstream calls per request, milliseconds."""

    rate: float
    cpu_us: float
    p50_ms: float
    p99_ms: float
    calls: float
    requests: int


def median(measures: Sequence[Measure]) -> Measure:
    """Each figure's own median over the rounds."""

    def middle(name: str) -> float:
        return float(statistics.median(getattr(measure, name) for measure in measures))

    return Measure(
        rate=middle("rate"),
        cpu_us=middle("cpu_us"),
        p50_ms=middle("p50_ms"),
        p99_ms=middle("p99_ms"),
        calls=middle("calls"),
        requests=sum(measure.requests for measure in measures),
    )


_PLAIN: Final = httpx.Client(trust_env=False)
"""Asks the upstream about itself: building a client costs more than many calls."""


def set_delay(upstream: Server, milliseconds: int) -> None:
    _PLAIN.get(f"{upstream.url}/_delay/{milliseconds}").raise_for_status()


def calls_since(upstream: Server) -> int:
    """How many calls the upstream answered since it was last asked."""
    calls: int = _PLAIN.get(f"{upstream.url}/_calls").json()["calls"]
    return calls


def verify(server: Server, upstream: Server, work: Work, headers: Mapping[str, str], most: int) -> None:
    """Ask once for so many companies and compare the answers whole; each must take the calls that the work needs.

    With a cache, for all of them: it is filled that way.
    """
    asked = list(zip(work.bodies(), work.variables(), strict=True))
    with httpx.Client(timeout=30, headers=headers) as client:
        for body, variables in asked if work.cached else asked[:most]:
            calls_since(upstream)
            answer = client.post(f"{server.url}/graphql", content=body)
            found = answer.json()
            if answer.status_code != 200 or "errors" in found or found["data"] != expected(work.query, variables):
                raise WrongAnswer(f"{server.name}, {work.label}: HTTP {answer.status_code}, {answer.text[:300]}")
            made = calls_since(upstream)
            if not work.cached and made != work.calls:
                raise WrongAnswer(f"{server.name}, {work.label}: {made} upstream calls instead of {work.calls}")


def load(
    server: Server, upstream: Server, work: Work, headers: Mapping[str, str], *, connections: int, seconds: float
) -> Measure:
    """A load from a process of its own on the other core. Raises `WrongAnswer` when a request fails."""
    wish = Load(
        host="127.0.0.1",
        port=server.port,
        path="/graphql",
        headers=dict(headers),
        bodies=work.bodies(),
        connections=connections,
        seconds=seconds,
        requests=10**9,
        errors=False,
    )
    calls_since(upstream)
    before = server.cpu()
    command = [sys.executable, "-m", "bench.load"]
    done = subprocess.run(command, input=json.dumps(asdict(wish)).encode(), stdout=subprocess.PIPE, check=True)
    spent = server.cpu() - before
    calls = calls_since(upstream)
    found = json.loads(done.stdout)
    if found["failures"]:
        raise WrongAnswer(f"{server.name}, {work.label}: {found['failures']} failures, {found['failure']}")
    requests = found["requests"]
    return Measure(
        rate=requests / found["seconds"],
        cpu_us=spent / requests * 1e6,
        p50_ms=found["p50_ms"],
        p99_ms=found["p99_ms"],
        calls=calls / requests,
        requests=requests,
    )
