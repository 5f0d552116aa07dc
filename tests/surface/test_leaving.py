"""A caller that leaves before the answer: the work stops, what was asked of providers is written all the same."""

import asyncio
from collections.abc import MutableMapping
from typing import Any

import orjson
from starlette.requests import Request

from graph.http import Endpoint
from graph.leaving import GONE
from sandbox.personas import CLAIR_VALLON
from tests.conftest import REASON, Api, Providers

QUERY = "query($s: Siren!) { entreprise(siren: $s) { rcs { siren } attestations { vigilance { situation } } } }"


def request_of(body: bytes, token: str, gone: asyncio.Event) -> Request:
    """A request whose caller closes the connection when `gone` is set."""
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json", **REASON}
    scope: MutableMapping[str, Any] = {
        "type": "http", "method": "POST", "path": "/graphql", "query_string": b"", "client": ("127.0.0.1", 1),
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
    }  # fmt: skip
    sent = False

    async def receive() -> MutableMapping[str, Any]:
        nonlocal sent
        if not sent:
            sent = True
            return {"type": "http.request", "body": body, "more_body": False}
        await gone.wait()
        return {"type": "http.disconnect"}

    return Request(scope, receive)


async def test_what_was_asked_of_providers_is_written_when_the_caller_leaves(api: Api, providers: Providers) -> None:
    providers.misbehave("infogreffe", latence=5.0)
    gone = asyncio.Event()
    body = orjson.dumps({"query": QUERY, "variables": {"s": CLAIR_VALLON}})
    request = request_of(body, await api.token("*all*"), gone)
    answering = asyncio.ensure_future(Endpoint(api.service).answer(request, await api.token("*all*")))
    while not providers.calls("infogreffe") and not answering.done():  # noqa: ASYNC110 - the simulator is in a thread
        await asyncio.sleep(0)
    before = asyncio.get_running_loop().time()
    gone.set()
    response = await answering
    assert response.status_code == GONE
    assert asyncio.get_running_loop().time() - before < 2.5
    accesses = [entry for entry in await api.journal() if entry["nature"] == "ACCES"]
    assert {entry["jeu_de_donnees"] for entry in accesses} >= {"infogreffe.extrait_rcs"}
    assert {entry["statut_http"] for entry in accesses} == {GONE}
    assert "ABANDONNE" in {entry["issue"] for entry in accesses}
    providers.sandbox.reset()
