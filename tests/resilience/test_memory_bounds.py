"""Memory under a body without end and under a decompression bomb: what a dataset declares at the most, never what was sent.

The rows of the fault matrix that can hurt it, dataset by dataset: the most that was allocated at once while it was asked.
"""

import gc
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox import faults
from sandbox.faults import Fault
from settings import Settings
from tests.conftest import Clock, Providers, started
from tests.resilience.matrix import DATASETS, query_of
from tests.resilience.test_fault_matrix import SETTINGS, forgotten, logged_in

SENT = 200_000_000
"""Bytes that a bomb inflates to; a body without end has more."""
OURS = 12_000_000
"""Room for all the rest: the request, its answer, the simulator that runs in the same process."""


@pytest.fixture
def traced() -> Iterator[None]:
    """Allocations are followed: also those of libraries in C, which take their buffers from Python."""
    tracemalloc.start()
    yield
    tracemalloc.stop()


@pytest.mark.parametrize("fault", [Fault.ENDLESS, Fault.BOMB])
async def test_no_dataset_takes_more_than_it_declares(
    tmp_path: Path, providers: Providers, fault: Fault, traced: None
) -> None:
    settings = Settings(data_dir=tmp_path / "var", sandbox_port=providers.first_port, **SETTINGS)
    faults._bomb()
    beyond = []
    async with started(settings, Clock()) as api:
        await logged_in(api, {dataset.provider_id for dataset in DATASETS})
        for dataset in DATASETS:
            forgotten(api)
            providers.misbehave(dataset.provider_id, panne=fault.value)
            gc.collect()
            tracemalloc.reset_peak()
            before, _ = tracemalloc.get_traced_memory()
            answer = await api.ask(query_of(dataset))
            _, peak = tracemalloc.get_traced_memory()
            providers.sandbox.reset()
            assert answer.errors, dataset.id
            assert 2 * dataset.source.max_bytes + OURS < SENT, "a bound that a bomb would respect proves nothing"
            if peak - before > dataset.source.max_bytes + OURS:
                beyond.append((dataset.id, dataset.source.max_bytes, peak - before))
    assert beyond == []
