"""A change of rights bites on a worker that did not make it, at its next look, on each kind of database."""

import asyncio
from collections.abc import Iterable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import update
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine

from auth.issuing import Issued
from auth.lifecycle import revoke
from auth.models import Habilitation
from auth.tokens import TokenRefused, Tokens, key_of, rights_changed
from graph.schema import REGISTRY
from graph.service import REVOCATION_BITES_WITHIN
from tests.auth.conftest import KEY
from tests.auth.test_lifecycle import granted
from tests.conftest import Clock


def other_worker(engine: AsyncEngine, clock: Clock) -> Tokens:
    return Tokens(
        engine,
        algorithm="HS256",
        key=key_of("HS256", KEY),
        environment="sandbox",
        known_scopes=REGISTRY.all_scopes(),
        clock=clock,
    )


class Forgetting:
    """Tells when a worker drops what it knew, and how often it looked for changes."""

    def __init__(self, tokens: Tokens, monkeypatch: pytest.MonkeyPatch) -> None:
        self.times = 0
        self.looks = 0
        self._happened = asyncio.Condition()
        forget = tokens.forget

        def told() -> None:
            forget()
            self.times += 1
            asyncio.get_running_loop().create_task(self._tell())

        engine = tokens._engine

        def looked() -> Any:
            self.looks += 1
            return engine.connect()

        monkeypatch.setattr(tokens, "forget", told)
        monkeypatch.setattr(tokens, "_engine", SimpleNamespace(connect=looked))

    async def _tell(self) -> None:
        async with self._happened:
            self._happened.notify_all()

    async def until(self, times: int) -> None:
        async with asyncio.timeout(120), self._happened:
            await self._happened.wait_for(lambda: self.times >= times)


def test_changes_are_looked_for_at_least_twice_a_second() -> None:
    assert timedelta(0) < REVOCATION_BITES_WITHIN <= timedelta(milliseconds=500)


async def test_a_change_made_elsewhere_bites_at_the_next_look(
    engine: AsyncEngine, tokens: Tokens, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = other_worker(engine, clock)
    forgetting = Forgetting(worker, monkeypatch)
    issued: Issued = await granted(engine, tokens)
    await worker.watch(REVOCATION_BITES_WITHIN)
    await forgetting.until(1)
    assert (await worker.resolve(issued.text, "192.0.2.1")).scopes == {"open_data"}
    async with engine.begin() as connection:
        await connection.execute(
            update(Habilitation).values(scopes=["probtp"], adresses=["192.0.2.0/24"], quota_par_minute=7)
        )
        await rights_changed(connection)
    looks = forgetting.looks
    await forgetting.until(2)
    assert forgetting.looks <= looks + 2, "the look under way, and the next"
    changed = await worker.resolve(issued.text, "192.0.2.1")
    assert (changed.scopes, changed.quota_par_minute) == ({"probtp"}, 7)
    with pytest.raises(TokenRefused) as elsewhere:
        await worker.resolve(issued.text, "198.51.100.1")
    async with engine.begin() as connection:
        await revoke(connection, issued.jeton, clock(), clock())
    looks = forgetting.looks
    await forgetting.until(3)
    assert forgetting.looks <= looks + 2
    with pytest.raises(TokenRefused) as refused:
        await worker.resolve(issued.text, "192.0.2.1")
    await worker.close()
    assert (elsewhere.value.reason, refused.value.reason) == ("ADRESSE_INTERDITE", "JETON_REVOQUE")


async def test_what_is_known_is_not_trusted_while_changes_cannot_be_read(
    engine: AsyncEngine, tokens: Tokens, clock: Clock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    worker = other_worker(engine, clock)
    forgetting = Forgetting(worker, monkeypatch)
    issued = await granted(engine, tokens)
    await worker.resolve(issued.text, "192.0.2.1")

    class Away:
        def connect(self) -> Iterable[object]:
            raise OperationalError("away", None, Exception())

    monkeypatch.setattr(worker, "_engine", Away())
    await worker.watch(timedelta(milliseconds=5))
    await forgetting.until(1)
    with pytest.raises(TokenRefused) as refused:
        await worker.resolve(issued.text, "192.0.2.1")
    await worker.close()
    assert (refused.value.status, refused.value.reason) == (503, "VERIFICATION_INDISPONIBLE")
    assert issued.text not in caplog.text
