"""A database of each kind, migrated, of its own for each test; PostgreSQL where one is running."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from auth.tokens import Tokens, key_of
from graph.schema import REGISTRY
from migrations import upgrade
from tests.conftest import Clock
from tests.postgres import SERVER, own_database

KEY = "une-cle-de-test-qui-ne-sert-qu-ici-0123456789"


@pytest.fixture(params=["sqlite", "postgresql"])
async def engine(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    if request.param == "sqlite":
        made = create_async_engine(f"sqlite+aiosqlite:///{tmp_path / 'droits.db'}")
        await upgrade(made)
        yield made
        await made.dispose()
        return
    async with own_database() as name:
        made = create_async_engine(f"postgresql+asyncpg://{SERVER.partition('://')[2]}/{name}")
        try:
            await upgrade(made)
            yield made
        finally:
            await made.dispose()


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
