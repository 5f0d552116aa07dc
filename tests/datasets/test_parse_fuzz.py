"""Whatever bytes a provider sends, its reader gives a record or one of our errors, in bounded time and memory.

A short run each time, through every dataset; `make fuzz` runs the same for long (`GRAPHE_FUZZ_EXAMPLES`).
"""

import gzip
import json
import os
import time
import tracemalloc
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from providers import PROVIDERS
from providers.declaration import Dataset, Delivered, Fleeting, Follow, Http, Provider
from providers.errors import ProviderError
from tests.conformance import checks

EXAMPLES = int(os.environ.get("GRAPHE_FUZZ_EXAMPLES", "10"))
OVER_HTTP = [
    (provider, dataset)
    for provider in PROVIDERS
    for dataset in provider.datasets
    if isinstance(dataset.source.how, Http)
]
named = pytest.mark.parametrize(("provider", "dataset"), OVER_HTTP, ids=[dataset.id for _, dataset in OVER_HTTP])

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
SECONDS = 5.0
"""Far above what a reader needs, far below what a quadratic one takes."""
MEMORY = 256_000_000


def consume(dataset: Dataset[Any, Any, Any], response: httpx.Response) -> None:
    """Read an answer as the road does, to the public record or an error of the tree."""
    how = dataset.source.how
    assert isinstance(how, Http)
    try:
        value = how.parse(response, dataset.example)
        if isinstance(value, Follow):
            return
        if isinstance(value, Fleeting):
            value = value.value
        if isinstance(value, Delivered):
            assert isinstance(value.file.content, bytes)
            return
        dataset.read(value, dataset.example)
    except ProviderError:
        return


def mutated(value: Any, data: st.DataObject) -> Any:
    """A JSON value with one of its parts replaced by something else."""
    if isinstance(value, dict) and value and data.draw(st.integers(0, 4)):
        name = data.draw(st.sampled_from(sorted(value)))
        return {**value, name: mutated(value[name], data)}
    if isinstance(value, list) and value and data.draw(st.integers(0, 4)):
        rank = data.draw(st.integers(0, len(value) - 1))
        return [*value[:rank], mutated(value[rank], data), *value[rank + 1 :]]
    return data.draw(JSON)


@named
def test_values_of_other_types(provider: Provider, dataset: Dataset[Any, Any, Any]) -> None:
    """The documented answer, with any part of it of another type or shape."""
    bodies = [sample["json"] for _, sample in checks.samples_of(dataset) if "json" in sample]
    if not bodies:
        bodies = [{}]

    @given(data=st.data())
    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), derandomize=EXAMPLES < 100)
    def check(data: st.DataObject) -> None:
        body = mutated(data.draw(st.sampled_from(bodies)), data)
        content = json.dumps(body, ensure_ascii=False).encode("utf-8", "surrogatepass")
        consume(dataset, httpx.Response(200, headers={"content-type": "application/json"}, content=content))

    check()


HUGE = {
    "deep arrays": b"[" * 200_000,
    "deep objects": b'{"a":' * 100_000,
    "wide array": b"[" + b"1," * 1_000_000 + b"1]",
    "long text": b'{"a":"' + b"x" * 5_000_000 + b'"}',
    "long number": b'{"a":' + b"9" * 100_000 + b"}",
    "zeros": b"\0" * 5_000_000,
    "deep elements": b"<a>" * 100_000,
    "entity bomb": b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "bbbbbbbbbb">'
    + b"".join(b'<!ENTITY b%d "%s">' % (n, b"&b%d;" % (n - 1) * 10 if n else b"&b;" * 10) for n in range(9))
    + b"]><a>&b8;</a>",
    "external entity": b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><asso>&x;</asso>',
    "pdf without end": b"%PDF-1.7\n" + b"1 0 obj<<>>endobj\n" * 20_000,
    "compressed": gzip.compress(b" " * 20_000_000, 9),
    "utf-16": '{"é":"à"}'.encode("utf-16"),
    "latin-1": '{"é":"à"}'.encode("latin-1"),
    "base64": b"JVBERi0" * 500_000,
}


@named
@pytest.mark.parametrize("name", HUGE)
def test_bodies_that_are_too_much(provider: Provider, dataset: Dataset[Any, Any, Any], name: str) -> None:
    body = HUGE[name]
    started = time.process_time()
    for media_type in ("application/json", "application/xml", "application/pdf"):
        consume(dataset, httpx.Response(200, headers={"content-type": media_type}, content=body))
    assert time.process_time() - started < SECONDS


@named
def test_memory_is_bounded(provider: Provider, dataset: Dataset[Any, Any, Any]) -> None:
    tracemalloc.start()
    try:
        for name in ("wide array", "entity bomb"):
            consume(dataset, httpx.Response(200, content=HUGE[name]))
        assert tracemalloc.get_traced_memory()[1] < MEMORY
    finally:
        tracemalloc.stop()
