"""Deliveries of the habilitation service: signed, once each, in the order of what happened, replayable."""

import hashlib
import hmac
import itertools
import random
from typing import Any

import orjson
import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from auth.caller import Usage
from auth.datapass import Effet, Outcome, Unprocessable, receive, signature_holds
from auth.issuing import hand_over
from auth.lifecycle import cards, history
from auth.models import Evenement, Habilitation, Jeton
from auth.reminders import pending
from auth.tokens import TokenRefused, Tokens
from tests.conftest import START, Clock

FIRED = int(START.timestamp())


def delivery(event: str, *, at: int = 0, model: int = 4242, **answers: Any) -> bytes:
    return orjson.dumps(
        {
            "event": event,
            "fired_at": FIRED + at,
            "model_type": "authorization_request/api_entreprise",
            "model_id": model,
            "data": {
                "id": model,
                "public_id": "c6d23b1e-1d4b-4e0f-9d1f-5e53a2d0a8f1",
                "state": "validated",
                "form_uid": answers.pop("form", "api-entreprise-marches-publics"),
                "organization": {"id": 7, "name": "DINUM", "siret": answers.pop("siret", "13002526500013")},
                "applicant": {"id": 9, "email": "ada@exemple.fr", "given_name": "Ada", "family_name": "Exemple"},
                "service_provider": None,
                "authorizations": [],
                "data": {
                    "intitule": "Marchés de la commune",
                    "description": "Analyse des candidatures",
                    "cadre_juridique_nature": "Code de la commande publique",
                    "scopes": ["open_data_extrait_rcs_infogreffe", "attestation_sociale_urssaf", "inconnu"],
                    "contact_technique_email": "bob@exemple.fr",
                    "contact_technique_given_name": "Bob",
                    "contact_metier_email": None,
                    **answers,
                },
            },
        }
    )


async def apply(engine: AsyncEngine, clock: Clock, *bodies: bytes) -> list[Outcome]:
    return [await receive(engine, body, clock()) for body in bodies]


async def count(engine: AsyncEngine, model: Any) -> int:
    async with engine.connect() as connection:
        found: int = (await connection.execute(select(func.count()).select_from(model))).scalar_one()
        return found


async def test_approve_creates_a_habilitation_its_contacts_and_a_token_to_hand_over(
    engine: AsyncEngine, tokens: Tokens, clock: Clock
) -> None:
    (outcome,) = await apply(engine, clock, delivery("approve"))
    assert outcome.effet is Effet.JETON_CREE
    assert outcome.jeton is not None
    async with engine.begin() as connection:
        given = await hand_over(connection, tokens, outcome.jeton, clock())
        (shown,) = await cards(connection)
        people = (await history(connection, shown)).contacts
    caller = await tokens.resolve(given.text, "192.0.2.1")
    assert caller.scopes == {"open_data", "attestation_sociale_urssaf", "inconnu"}
    assert caller.unknown_scopes == {"inconnu"}
    assert caller.usage is Usage.BACK_OFFICE
    assert (shown.siret, shown.intitule, shown.fondement) == (
        "13002526500013", "Marchés de la commune", "Code de la commande publique",
    )  # fmt: skip
    assert [(person.role.value, person.courriel) for person in people] == [
        ("demandeur", "ada@exemple.fr"), ("technique", "bob@exemple.fr"),
    ]  # fmt: skip


async def test_the_form_of_pre_filling_gives_that_usage(engine: AsyncEngine, clock: Clock) -> None:
    await apply(engine, clock, delivery("approve", form="api-entreprise-portail-gru-preremplissage"))
    async with engine.connect() as connection:
        assert (await connection.execute(select(Habilitation.usage))).scalar_one() == "pre_remplissage"


async def test_the_same_delivery_again_changes_nothing_and_answers_the_same(engine: AsyncEngine, clock: Clock) -> None:
    body = delivery("approve")
    first, second = await apply(engine, clock, body, body)
    assert (second.effet, second.jeton, second.deja_recu) == (first.effet, first.jeton, True)
    assert (await count(engine, Jeton), await count(engine, Evenement)) == (1, 1)


async def test_a_second_approval_prolongs_the_same_token_and_rewrites_its_scopes(
    engine: AsyncEngine, tokens: Tokens, clock: Clock
) -> None:
    (first,) = await apply(engine, clock, delivery("approve"))
    assert first.jeton is not None
    async with engine.begin() as connection:
        given = await hand_over(connection, tokens, first.jeton, clock())
    clock.advance(days=600)
    with pytest.raises(TokenRefused):
        await tokens.resolve(given.text, "192.0.2.1")
    (second,) = await apply(engine, clock, delivery("approve", at=600 * 86_400, scopes=["open_data"]))
    assert (second.effet, second.jeton) == (Effet.JETON_PROLONGE, first.jeton)
    tokens.forget()
    assert (await tokens.resolve(given.text, "192.0.2.1")).scopes == {"open_data"}


async def test_revoke_kills_every_token_and_a_late_approval_does_not_bring_them_back(
    engine: AsyncEngine, tokens: Tokens, clock: Clock
) -> None:
    outcomes = await apply(engine, clock, delivery("approve"), delivery("revoke", at=20), delivery("approve", at=10))
    assert [outcome.effet for outcome in outcomes] == [Effet.JETON_CREE, Effet.REVOQUEE, Effet.PERIMEE]
    async with engine.connect() as connection:
        assert all(shown.revoque_le == clock() for shown in await cards(connection))
    (again,) = await apply(engine, clock, delivery("approve", at=30))
    assert again.effet is Effet.JETON_CREE


async def test_an_approval_that_comes_after_its_revocation_opens_nothing(engine: AsyncEngine, clock: Clock) -> None:
    outcomes = await apply(
        engine, clock, delivery("revoke", at=20), delivery("approve", at=10), delivery("approve", at=20)
    )
    assert [outcome.effet for outcome in outcomes] == [Effet.SANS_EFFET, Effet.PERIMEE, Effet.PERIMEE]
    assert await count(engine, Jeton) == 0


async def test_archive_stops_the_reminders_and_nothing_else(engine: AsyncEngine, tokens: Tokens, clock: Clock) -> None:
    (first,) = await apply(engine, clock, delivery("approve"))
    assert first.jeton is not None
    async with engine.begin() as connection:
        given = await hand_over(connection, tokens, first.jeton, clock())
    await apply(engine, clock, delivery("archive", at=5))
    clock.advance(days=500)
    async with engine.connect() as connection:
        assert await pending(connection, clock()) == []
    assert (await tokens.resolve(given.text, "192.0.2.1")).jeton == first.jeton


async def test_whatever_the_order_of_arrival_the_last_thing_that_happened_wins(
    engine: AsyncEngine, clock: Clock
) -> None:
    chance = random.Random(7)
    history_ = [("approve", 0), ("update", 1), ("reopen", 2), ("approve", 3), ("revoke", 4), ("archive", 5)]
    orders = [history_, *(chance.sample(history_, len(history_)) for _ in range(8))]
    for model, order in zip(itertools.count(100), orders, strict=False):
        bodies = [delivery(event, at=at, model=model) for event, at in order]
        await apply(engine, clock, *bodies, *bodies)
        async with engine.connect() as connection:
            living = [
                shown for shown in await cards(connection)
                if shown.revoque_le is None
            ]  # fmt: skip
        assert living == [], order


async def test_the_test_call_is_answered_and_kept_nowhere(engine: AsyncEngine, clock: Clock) -> None:
    (outcome,) = await apply(engine, clock, b'{"test": true, "timestamp": 1773135000}')
    assert outcome.effet is Effet.ESSAI
    assert await count(engine, Evenement) == 0


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'{"event": "approve"}',
        b"\xff",
        b"[" * 5000,
        delivery("approve", siret="../etc/passwd"),
    ],
)
async def test_what_cannot_be_read_is_refused_and_changes_nothing(
    engine: AsyncEngine, clock: Clock, body: bytes
) -> None:
    with pytest.raises(Unprocessable) as refused:
        await receive(engine, body, clock())
    assert "passwd" not in str(refused.value)
    assert (await count(engine, Evenement), await count(engine, Habilitation)) == (0, 0)


def test_only_the_raw_body_with_the_right_secret_holds() -> None:
    body, secret = delivery("approve"), "secret-partage"
    good = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    assert signature_holds(body, good, secret)
    for header in (
        "",
        "sha256=",
        good.upper(),
        good.removeprefix("sha256="),
        "sha1=" + good[7:],
        good[:-1],
        "sha256=é",
    ):
        assert not signature_holds(body, header, secret)
    assert not signature_holds(body + b" ", good, secret)
    assert not signature_holds(body, good, "autre")
