"""A PostgreSQL database of one test, on the server that all share; the test is skipped, and counted, where there is none."""

import os
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg  # type: ignore[import-untyped]  # it ships no types
import pytest

SERVER = os.environ.get("GRAPHE_TEST_POSTGRES", "postgresql://postgres@127.0.0.1:5432")


@asynccontextmanager
async def own_database() -> AsyncIterator[str]:
    """Its name; dropped afterwards, whoever is still connected to it."""
    try:
        server = await asyncpg.connect(f"{SERVER}/postgres", timeout=10)
    except (OSError, TimeoutError, asyncpg.PostgresError):
        pytest.skip("no PostgreSQL server on the loopback (GRAPHE_TEST_POSTGRES)")
    name = f"graphe_test_{uuid.uuid4().hex[:12]}"
    await server.execute(f"CREATE DATABASE {name}")
    try:
        yield name
    finally:
        await server.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await server.close()
