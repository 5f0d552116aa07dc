"""From issue to end: prolongation window, revocation, hand-over, and what each change does to a living worker."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from auth.caller import Usage
from auth.contacts import Person, Role
from auth.instants import months_later
from auth.issuing import Issued, grant, hand_over, issue, open_token
from auth.lifecycle import LifeRefused, State, card, cards, history, prolong, revoke, revoke_all
from auth.models import Jeton, Version
from auth.presets import PRESETS
from auth.scopes import OLD_NAMES, OPEN_DATA
from auth.tokens import TokenRefused, Tokens
from tests.conftest import START, Clock


async def granted(engine: AsyncEngine, tokens: Tokens) -> Issued:
    async with engine.begin() as connection:
        habilitation = await grant(
            connection, siret="13002526500013", intitule="Essai", usage=Usage.BACK_OFFICE, scopes=["open_data"],
            now=START, contacts=[Person(Role.DEMANDEUR, "Ada", "ada@exemple.fr")],
        )  # fmt: skip
        return await issue(
            connection, tokens, habilitation=habilitation, intitule="Essai", scopes=["open_data"], now=START
        )


async def test_a_token_lives_eighteen_months_and_only_its_hash_is_kept(
    engine: AsyncEngine, tokens: Tokens, clock: Clock
) -> None:
    issued = await granted(engine, tokens)
    assert issued.expire_le == months_later(START, 18)
    assert (await tokens.resolve(issued.text, "192.0.2.1")).scopes == {"open_data"}
    async with engine.connect() as connection:
        row = (await connection.execute(select(Jeton).where(Jeton.id == issued.jeton))).mappings().one()
    assert all(issued.text not in str(value) for value in row.values())


async def test_prolongation_is_for_the_last_ninety_days_and_keeps_the_token(
    engine: AsyncEngine, tokens: Tokens, clock: Clock
) -> None:
    issued = await granted(engine, tokens)
    clock.instant = issued.expire_le - timedelta(days=90, seconds=1)
    async with engine.begin() as connection:
        with pytest.raises(LifeRefused, match="90 derniers jours"):
            await prolong(connection, issued.jeton, clock())
    clock.advance(seconds=1)
    async with engine.begin() as connection:
        until = await prolong(connection, issued.jeton, clock())
        shown = await card(connection, issued.jeton)
        told = await history(connection, shown)
    assert until == shown.expire_le == months_later(clock(), 18)
    assert told.prolongations == ((clock(), issued.expire_le, until),)
    clock.instant = issued.expire_le + timedelta(days=1)
    assert (await tokens.resolve(issued.text, "192.0.2.1")).jeton == issued.jeton


async def test_neither_an_expired_nor_a_revoked_token_is_prolonged(
    engine: AsyncEngine, tokens: Tokens, clock: Clock
) -> None:
    issued = await granted(engine, tokens)
    async with engine.begin() as connection:
        with pytest.raises(LifeRefused, match="expiré"):
            await prolong(connection, issued.jeton, issued.expire_le)
        await revoke(connection, issued.jeton, issued.expire_le, START)
        with pytest.raises(LifeRefused, match="révo"):
            await prolong(connection, issued.jeton, issued.expire_le - timedelta(days=1))


async def test_a_programmed_revocation_bites_at_its_instant(engine: AsyncEngine, tokens: Tokens, clock: Clock) -> None:
    issued = await granted(engine, tokens)
    async with engine.begin() as connection:
        await revoke(connection, issued.jeton, START + timedelta(hours=1), START)
        shown = await card(connection, issued.jeton)
    assert shown.state(START) is State.REVOCATION_PROGRAMMEE
    await tokens.resolve(issued.text, "192.0.2.1")
    clock.advance(hours=1)
    with pytest.raises(TokenRefused) as refused:
        await tokens.resolve(issued.text, "192.0.2.1")
    assert refused.value.reason == "JETON_REVOQUE"
    async with engine.begin() as connection:
        assert await revoke(connection, issued.jeton, clock() + timedelta(days=9), clock()) == START + timedelta(
            hours=1
        )


async def test_revoking_a_habilitation_kills_every_token_of_it(
    engine: AsyncEngine, tokens: Tokens, clock: Clock
) -> None:
    first = await granted(engine, tokens)
    async with engine.begin() as connection:
        second = await issue(
            connection, tokens, habilitation=first.habilitation, intitule="Essai", scopes=["open_data"], now=START
        )
        assert await revoke_all(connection, first.habilitation, START) == 2
        assert {shown.state(START) for shown in await cards(connection)} == {State.REVOQUE}
    for issued in (first, second):
        with pytest.raises(TokenRefused):
            await tokens.resolve(issued.text, "192.0.2.1")


async def test_every_change_moves_the_version_that_workers_watch(
    engine: AsyncEngine, tokens: Tokens, clock: Clock
) -> None:
    async def version() -> int:
        async with engine.connect() as connection:
            found: int = (await connection.execute(select(Version.numero))).scalar_one()
            return found

    seen = [await version()]
    issued = await granted(engine, tokens)
    seen.append(await version())
    clock.instant = issued.expire_le - timedelta(days=1)
    for change in (
        lambda connection: prolong(connection, issued.jeton, clock()),
        lambda connection: revoke(connection, issued.jeton, clock() + timedelta(days=1), clock()),
        lambda connection: revoke_all(connection, issued.habilitation, clock()),
    ):
        async with engine.begin() as connection:
            await change(connection)
        seen.append(await version())
    assert seen == sorted(set(seen))


async def test_an_opened_token_is_handed_over_once(engine: AsyncEngine, tokens: Tokens, clock: Clock) -> None:
    issued = await granted(engine, tokens)
    async with engine.begin() as connection:
        jti = await open_token(connection, habilitation=issued.habilitation, now=START)
        assert (await card(connection, jti)).state(START) is State.A_REMETTRE
        given = await hand_over(connection, tokens, jti, START)
        with pytest.raises(LifeRefused, match="déjà été remis"):
            await hand_over(connection, tokens, jti, START)
    assert (await tokens.resolve(given.text, "192.0.2.1")).jeton == jti


async def test_another_text_under_the_id_of_an_issued_token_is_refused(
    engine: AsyncEngine, tokens: Tokens, clock: Clock
) -> None:
    issued = await granted(engine, tokens)
    forged = tokens.sign(f'{{"uid":"{issued.jeton}","jti":"{issued.jeton}","scopes":["probtp"]}}'.encode())
    with pytest.raises(TokenRefused) as refused:
        await tokens.resolve(forged, "192.0.2.1")
    assert refused.value.reason == "JETON_SIGNATURE_INVALIDE"


async def test_a_right_that_changes_while_it_is_read_is_not_remembered(
    engine: AsyncEngine, tokens: Tokens, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    issued = await granted(engine, tokens)
    read = tokens._look_up

    async def slow(jti: str) -> object:
        found = await read(jti)
        async with engine.begin() as connection:
            await revoke(connection, jti, START, START)
        tokens.forget()  # the watcher saw the change before the reading was over
        return found

    monkeypatch.setattr(tokens, "_look_up", slow)
    await tokens.resolve(issued.text, "192.0.2.1")
    monkeypatch.undo()
    with pytest.raises(TokenRefused):
        await tokens.resolve(issued.text, "192.0.2.1")


def test_presets_ask_for_present_names_and_never_for_what_they_bar() -> None:
    for preset in PRESETS.values():
        assert not preset.scopes & preset.barred
        assert not preset.scopes & OLD_NAMES
        assert OPEN_DATA in preset.scopes
    assert PRESETS["portail-preremplissage"].scopes == {OPEN_DATA}
