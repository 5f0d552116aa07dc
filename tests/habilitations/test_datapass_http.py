"""The webhook over HTTP: signed or refused, logged without its content, closed without a secret."""

import hashlib
import hmac
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from settings import Settings
from tests.auth.test_datapass import delivery
from tests.conftest import Api, Clock, Providers, started

SECRET = "secret-partage-avec-le-service-des-habilitations"


@pytest.fixture
async def hooked(tmp_path: Path, providers: Providers, clock: Clock) -> AsyncIterator[Api]:
    settings = Settings(data_dir=tmp_path / "var", sandbox_port=providers.first_port, datapass_secret=SecretStr(SECRET))
    async with started(settings, clock) as running:
        yield running


async def deliver(api: Api, body: bytes, *, secret: str = SECRET, **headers: str) -> httpx.Response:
    signature = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    sent = {"X-Hub-Signature-256": signature, "Content-Type": "application/json", **headers}
    return await api.client.post("/webhooks/datapass", content=body, headers=sent)


async def test_a_signed_delivery_is_applied_and_answers_the_token(hooked: Api) -> None:
    first = await deliver(hooked, delivery("approve"))
    assert first.status_code == 200
    assert (first.json()["effet"], first.json()["dejaRecu"]) == ("jeton_cree", False)
    again = await deliver(hooked, delivery("approve"), **{"X-App-Environment": "sandbox"})
    assert again.json() == {"effet": "jeton_cree", "dejaRecu": True, "token_id": first.json()["token_id"]}
    assert (await deliver(hooked, b'{"test": true, "timestamp": 1}')).json()["effet"] == "essai"


async def test_a_bad_signature_is_refused_and_its_content_is_nowhere(
    hooked: Api, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    body = delivery("approve", siret="13002526500013")
    refused = await deliver(hooked, body, secret="autre")
    unsigned = await hooked.client.post("/webhooks/datapass", content=body)
    assert (refused.status_code, unsigned.status_code) == (401, 401)
    assert "wrong signature" in caplog.text
    assert "ada@exemple.fr" not in caplog.text + refused.text
    assert "13002526500013" not in caplog.text


async def test_what_cannot_be_applied_is_delivered_again(hooked: Api) -> None:
    assert (await deliver(hooked, b'{"event": "approve"}')).status_code == 422
    other = await deliver(hooked, delivery("approve"), **{"X-App-Environment": "production"})
    assert other.status_code == 422
    assert (await deliver(hooked, b" " * 1_000_001)).status_code == 413


async def test_without_a_secret_the_webhook_is_closed(api: Api) -> None:
    assert (await deliver(api, delivery("approve"), secret="")).status_code == 404
