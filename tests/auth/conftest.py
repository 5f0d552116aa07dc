"""A database of each kind, migrated, of its own for each test; PostgreSQL where one is running."""

import socket
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from auth.tokens import Tokens, key_of
from graph.schema import REGISTRY
from migrations import upgrade
from tests.conftest import Clock

KEY = "une-cle-de-test-qui-ne-sert-qu-ici-0123456789"


def postgresql_is_there() -> bool:
    try:
        socket.create_connection(("127.0.0.1", 5432), 0.3).close()
    except OSError:
        return False
    return True


@pytest.fixture(params=["sqlite", "postgresql"])
async def engine(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    if request.param == "sqlite":
        made = create_async_engine(f"sqlite+aiosqlite:///{tmp_path / 'droits.db'}")
        await upgrade(made)
        yield made
        await made.dispose()
        return
    if not postgresql_is_there():
        pytest.skip("no PostgreSQL on 127.0.0.1:5432")
    name = f"essai_{uuid.uuid4().hex}"
    admin = await asyncpg.connect(host="127.0.0.1", user="postgres", database="postgres")
    await admin.execute(f'CREATE DATABASE "{name}"')
    made = create_async_engine(f"postgresql+asyncpg://postgres@127.0.0.1/{name}")
    try:
        await upgrade(made)
        yield made
    finally:
        await made.dispose()
        await admin.execute(f'DROP DATABASE "{name}"')
        await admin.close()


@pytest.fixture
def tokens(engine: AsyncEngine, clock: Clock) -> Tokens:
    return Tokens(
        engine,
        algorithm="HS256",
        key=key_of("HS256", KEY),
        environment="sandbox",
        known_scopes=REGISTRY.all_scopes(),
        clock=clock,
    )
