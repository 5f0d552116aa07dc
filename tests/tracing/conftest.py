from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from journal_samples import KEY

from tests.postgres import SERVER, own_database
from tracing.journal import Journal


@pytest.fixture(params=["sqlite", "postgres"])
async def url(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    """An empty journal's address, in each of the two databases."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/journal.db"
        return
    async with own_database() as name:
        yield f"{SERVER}/{name}"


@pytest.fixture
async def journal(url: str) -> AsyncIterator[Journal]:
    journal = await Journal.open(url, signing_key=KEY)
    yield journal
    await journal.close()


@pytest.fixture
def public_key() -> bytes:
    return Ed25519PrivateKey.from_private_bytes(KEY).public_key().public_bytes_raw()
