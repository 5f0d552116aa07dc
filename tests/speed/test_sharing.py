"""Identical operations in flight: one execution, and each request's own identifier, entries and rights."""

import asyncio
from typing import Any

import orjson

from graph.http import Endpoint
from graph.leaving import GONE
from sandbox.personas import CLAIR_VALLON, GROUPE
from tests.conftest import REASON, Api, Providers
from tests.surface.test_leaving import request_of

QUERY = """query($siren: Siren!) { entreprise(siren: $siren) {
  sirene { siren } attestations { vigilance { situation document { url } } } } }"""
SCOPES = {"open_data", "attestation_sociale_urssaf"}


async def asked(api: Api, token: str, siren: str = CLAIR_VALLON, **headers: str) -> dict[str, Any]:
    response = await api.client.post(
        "/graphql",
        json={"query": QUERY, "variables": {"siren": siren}},
        headers={"Authorization": f"Bearer {token}", **REASON, **headers},
    )
    assert response.status_code == 200
    body: dict[str, Any] = response.json()
    return body


def without_own(body: dict[str, Any]) -> dict[str, Any]:
    """An answer without what is one request's own: its identifier, the calls made on its behalf and what they took."""
    extensions = {
        name: value for name, value in body["extensions"].items() if name not in ("idRequete", "cout", "quotas")
    }
    return {**body, "extensions": extensions}


async def test_each_request_has_its_own_identifier_and_entries(api: Api, providers: Providers) -> None:
    token = await api.token(SCOPES)
    providers.misbehave("acoss", latence=0.2)
    bodies = await asyncio.gather(*(asked(api, token) for _ in range(10)))
    assert [body.get("errors") for body in bodies] == [None] * 10
    for body in bodies:
        assert without_own(body) == without_own(bodies[0])
    identifiers = {body["extensions"]["idRequete"] for body in bodies}
    assert len(identifiers) == 10
    assert providers.calls("acoss") == 2, "a login and a call"
    assert providers.calls("insee", "sirene") == 1
    accesses = [entry for entry in await api.journal() if entry["nature"] == "ACCES"]
    by_request: dict[str, list[tuple[str, str]]] = {}
    for entry in accesses:
        by_request.setdefault(entry["origine"].requete, []).append((entry["jeu_de_donnees"], entry["issue"]))
    assert set(by_request) == identifiers
    told = {tuple(sorted(lines)) for lines in by_request.values()}
    assert told == {(("acoss.attestation_vigilance", "REPONDU"), ("insee.unite_legale", "REPONDU"))}
    closed = [entry["intention"] for entry in accesses if entry["intention"]]
    assert len(closed) == len(set(closed)) == 2, "one call of each provider, closed by the request that made it"
    assert sum(body["extensions"]["cout"]["reel"] for body in bodies) == 2


async def test_another_token_another_recipient_or_another_company_is_no_identical_request(
    api: Api, providers: Providers
) -> None:
    providers.misbehave("acoss", latence=0.2)
    whole, public = await api.token(SCOPES), await api.token({"open_data"})
    found, refused, other, undeclared = await asyncio.gather(
        asked(api, whole), asked(api, public), asked(api, whole, GROUPE), asked(api, whole, **{"X-Contexte": ""})
    )
    assert found["data"]["entreprise"]["attestations"]["vigilance"]["situation"] == "DELIVREE"
    assert refused["data"]["entreprise"]["attestations"]["vigilance"] is None
    assert refused["errors"][0]["extensions"]["code"] == "UNAUTHORIZED_FIELD_OR_TYPE"
    assert other["data"]["entreprise"]["sirene"]["siren"] == GROUPE
    assert undeclared["errors"][0]["extensions"]["code"] == "TRACEABILITY_REQUIRED"


async def test_a_failure_is_shared_too_and_asked_again_afterwards(api: Api, providers: Providers) -> None:
    token = await api.token(SCOPES)
    providers.misbehave("acoss", latence=0.1, panne="status", statut=503)
    bodies = await asyncio.gather(*(asked(api, token) for _ in range(5)))
    assert {body["errors"][0]["extensions"]["code"] for body in bodies} == {"PROVIDER_UNAVAILABLE"}
    assert {body["errors"][0]["extensions"]["idRequete"] for body in bodies} == {
        body["extensions"]["idRequete"] for body in bodies
    }
    providers.sandbox.reset()
    assert "errors" not in await asked(api, token)


async def test_who_leaves_first_takes_nothing_from_the_others(api: Api, providers: Providers) -> None:
    token = await api.token(SCOPES)
    body = orjson.dumps({"query": QUERY, "variables": {"siren": CLAIR_VALLON}})
    providers.misbehave("acoss", latence=0.3)
    endpoint, leaves, stays = Endpoint(api.service), asyncio.Event(), asyncio.Event()
    first = asyncio.ensure_future(endpoint.answer(request_of(body, token, leaves), token))
    while not providers.calls("acoss"):  # noqa: ASYNC110 - the simulator is in a thread
        await asyncio.sleep(0)
    second = asyncio.ensure_future(endpoint.answer(request_of(body, token, stays), token))
    third = asyncio.ensure_future(endpoint.answer(request_of(body, token, leaves), token))
    await asyncio.sleep(0)
    leaves.set()
    assert [(await first).status_code, (await third).status_code] == [GONE, GONE]
    answer = await second
    assert answer.status_code == 200
    assert orjson.loads(answer.body)["data"]["entreprise"]["attestations"]["vigilance"]["situation"] == "DELIVREE"
    assert providers.calls("acoss") == 2, "a login and a call: the one that left began what the other awaits"
    accesses = [entry for entry in await api.journal() if entry["nature"] == "ACCES"]
    told = {entry["origine"].requete: entry["statut_http"] for entry in accesses}
    assert sorted(told.values()) == [200, GONE]


async def test_of_a_repeated_header_the_first_counts(api: Api) -> None:
    held, other = await api.token(SCOPES), b"n'importe quoi"
    sent = [(b"Authorization", f"Bearer {held}".encode()), (b"Authorization", b"Bearer " + other)]
    found = await api.client.post("/graphql", json={"query": "{ moi { usage } }"}, headers=sent)
    assert found.status_code == 200
    refused = await api.client.post("/graphql", json={"query": "{ moi { usage } }"}, headers=sent[::-1])
    assert refused.status_code == 401
