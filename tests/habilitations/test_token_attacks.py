"""Tokens that must open nothing, over HTTP: distinct answers, no provider called, no token in an answer or a log."""

import base64
import logging
from typing import Any

import httpx
import orjson
import pytest
from sqlalchemy import update

from auth.caller import Usage
from auth.issuing import grant, issue
from auth.lifecycle import revoke
from auth.models import Habilitation
from auth.tokens import rights_changed
from sandbox.personas import CLAIR_VALLON
from tests.conftest import DINUM, REASON, Api, Providers

QUERY = f'{{ entreprise(siren: "{CLAIR_VALLON}") {{ rcs {{ siren }} }} moi {{ jeton }} }}'


async def send(api: Api, headers: Any, query: str = QUERY) -> httpx.Response:
    return await api.client.post("/graphql", json={"query": query}, headers=headers)


async def fresh(api: Api, scopes: frozenset[str] = frozenset({"open_data"})) -> Any:
    async with api.service.engine.begin() as connection:
        habilitation = await grant(
            connection, siret=DINUM, intitule="Essai", usage=Usage.BACK_OFFICE, scopes=scopes, now=api.clock()
        )
        return await issue(
            connection, api.service.tokens, habilitation=habilitation, intitule="Essai", scopes=scopes, now=api.clock()
        )


def encoded(value: Any) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(value)).decode().rstrip("=")


def forged(text: str) -> dict[str, str]:
    header, payload, signature = text.split(".")
    claims = orjson.loads(base64.urlsafe_b64decode(payload + "=="))
    more = encoded({**claims, "scopes": ["attestation_sociale_urssaf"]})
    return {
        "no algorithm": f"{encoded({'alg': 'none', 'typ': 'JWT'})}.{payload}.",
        "no algorithm, signed": f"{encoded({'alg': 'None', 'typ': 'JWT'})}.{payload}.{signature}",
        "another algorithm": f"{encoded({'alg': 'HS512', 'typ': 'JWT'})}.{payload}.{signature}",
        "public key as secret": f"{encoded({'alg': 'RS256', 'typ': 'JWT'})}.{payload}.{signature}",
        "its own key": f"{encoded({'alg': 'HS256', 'jwk': {'kty': 'oct', 'k': 'AAAA'}})}.{payload}.{signature}",
        "key by address": f"{encoded({'alg': 'HS256', 'jku': 'https://exemple.fr/cles', 'kid': '../../etc'})}.{payload}.{signature}",
        "critical header": f"{encoded({'alg': 'HS256', 'crit': ['b64'], 'b64': False})}.{payload}.{signature}",
        "claims changed": f"{header}.{more}.{signature}",
        "signature cut": text[:-4],
        "no signature": f"{header}.{payload}.",
        "half": text[: len(text) // 2],
        "five parts": f"{text}.a.b",
        "oversized": text + "A" * 9_000,
        "dots": "..",
        "accents": "jeton-é",
        "percent": "%2e%2e",
        "number": "271828182845904523",
    }


async def test_no_forged_token_opens_anything_and_none_is_told_back(
    api: Api, providers: Providers, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    issued = await fresh(api)
    reasons = set()
    for name, text in forged(issued.text).items():
        header = f"Bearer {text}".encode()
        response = await send(api, {"Authorization": header, **REASON})
        assert response.status_code == 401, name
        body = response.json()
        assert "data" not in body, name
        assert body["errors"][0]["extensions"]["codeApiEntreprise"] == "00101", name
        assert response.headers["www-authenticate"].startswith("Bearer"), name
        assert text not in response.text, name
        reasons.add(body["errors"][0]["extensions"]["raison"])
    assert reasons == {"JETON_MAL_FORME", "JETON_SIGNATURE_INVALIDE"}
    assert issued.text not in caplog.text
    assert sum(providers.calls(name) for name in providers.sandbox.conducts) == 0
    assert await api.journal() == []


@pytest.mark.parametrize(
    "claims",
    [
        [], "texte", 12, None, {}, {"jti": 3, "uid": 3}, {"jti": "A" * 36, "uid": "A" * 36},
        {"jti": "00000000-0000-0000-0000-00000000000G", "uid": "x"}, {"jti": "' OR 1=1", "uid": "' OR 1=1"},
    ],
)  # fmt: skip
async def test_well_signed_claims_that_are_no_token_are_malformed(api: Api, claims: Any) -> None:
    text = api.service.tokens.sign(orjson.dumps(claims))
    response = await send(api, {"Authorization": f"Bearer {text}"})
    assert response.status_code == 401
    assert response.json()["errors"][0]["extensions"]["raison"] == "JETON_MAL_FORME"


async def test_each_cause_has_an_answer_of_its_own(api: Api) -> None:
    issued = await fresh(api)
    zeros = "00000000-0000-0000-0000-000000000000"
    unknown = api.service.tokens.sign(orjson.dumps({"uid": zeros, "jti": zeros, "scopes": ["open_data"]}))
    elsewhere = api.service.tokens.sign(orjson.dumps({"uid": zeros, "jti": zeros, "env": "production"}))
    found = {
        "absent": await send(api, {}),
        "other scheme": await send(api, {"Authorization": f"Basic {issued.text}"}),
        "inconnu": await send(api, {"Authorization": f"Bearer {unknown}"}),
        "ailleurs": await send(api, {"Authorization": f"Bearer {elsewhere}"}),
    }
    api.clock.advance(days=600)
    found["expiré"] = await send(api, {"Authorization": f"Bearer {issued.text}"})
    async with api.service.engine.begin() as connection:
        await revoke(connection, issued.jeton, api.clock(), api.clock())
    api.service.tokens.forget()
    found["révoqué"] = await send(api, {"Authorization": f"Bearer {issued.text}"})
    told = {name: response.json()["errors"][0]["extensions"] for name, response in found.items()}
    assert {name: (one["raison"], one["codeApiEntreprise"]) for name, one in told.items()} == {
        "absent": ("JETON_ABSENT", "00101"),
        "other scheme": ("JETON_ABSENT", "00101"),
        "inconnu": ("JETON_INCONNU", "00101"),
        "ailleurs": ("JETON_AUTRE_ENVIRONNEMENT", "00101"),
        "expiré": ("JETON_EXPIRE", "00103"),
        "révoqué": ("JETON_REVOQUE", "00105"),
    }
    assert {response.status_code for response in found.values()} == {401}


async def test_a_forbidden_address_is_told_apart(api: Api, providers: Providers) -> None:
    token = await api.token({"open_data"}, addresses=("192.0.2.0/24", "2001:db8::/32"))
    response = await send(api, {"Authorization": f"Bearer {token}", "X-Forwarded-For": "192.0.2.9"})
    assert response.status_code == 403
    assert response.json()["errors"][0]["extensions"]["codeApiEntreprise"] == "00107"
    assert providers.calls("infogreffe") == 0


async def test_two_tokens_in_two_places_are_never_mixed(api: Api) -> None:
    first, second = await fresh(api), await fresh(api)
    response = await send(api, {"Authorization": f"Bearer {first.text}", "X-Api-Key": second.text, **REASON})
    assert response.json()["data"]["moi"]["jeton"] == first.jeton
    bad = await send(api, {"Authorization": "Bearer x.y.z", "X-Api-Key": second.text, **REASON})
    assert bad.status_code == 401
    inside = await api.client.post(
        f"/graphql?token={second.text}", json={"query": QUERY, "token": second.text, "variables": {}}, headers=REASON
    )
    assert inside.status_code == 401


async def test_a_right_removed_between_two_requests_is_gone(api: Api, providers: Providers) -> None:
    issued = await fresh(api)
    headers = {"Authorization": f"Bearer {issued.text}", **REASON}
    assert (await send(api, headers)).json()["data"]["entreprise"]["rcs"] == {"siren": CLAIR_VALLON}
    async with api.service.engine.begin() as connection:
        await connection.execute(
            update(Habilitation).where(Habilitation.id == issued.habilitation).values(scopes=["rien"])
        )
        await rights_changed(connection)
    api.service.tokens.forget()
    before = providers.calls("infogreffe")
    body = (await send(api, headers)).json()
    assert body["data"]["entreprise"]["rcs"] is None
    assert body["errors"][0]["extensions"]["code"] == "UNAUTHORIZED_FIELD_OR_TYPE"
    assert providers.calls("infogreffe") == before


async def test_the_cache_of_one_opens_nothing_to_another(api: Api, providers: Providers) -> None:
    query = f'{{ entreprise(siren: "{CLAIR_VALLON}") {{ sirene {{ siren }} attestations {{ vigilance {{ situation }} }} }} }}'
    assert (await api.ask(query)).errors == []
    before = sum(providers.calls(name) for name in providers.sandbox.conducts)
    poor = await api.ask(query, scopes=frozenset())
    assert poor.at("entreprise") == {"sirene": None, "attestations": {"vigilance": None}}
    assert poor.codes == ["UNAUTHORIZED_FIELD_OR_TYPE"] * 2
    assert sum(providers.calls(name) for name in providers.sandbox.conducts) == before
