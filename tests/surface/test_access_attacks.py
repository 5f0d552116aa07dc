"""Every way around a refusal, and every token that is none: null, a typed error, and no provider called."""

import asyncio
import base64
import json
import re
import threading
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
from joserfc import jws
from joserfc.jwk import OctKey
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from auth.lifecycle import revoke
from auth.models import Habilitation, Jeton
from auth.tokens import rights_changed
from sandbox.personas import CESSEE, CLAIR_VALLON, GROUPE, INTERDITE, NON_DIFFUSIBLE, UNKNOWN
from tests.conftest import Providers
from tests.surface.app import NOW
from tests.surface.server import TIMEOUT_S, Server, until
from tests.surface.watched import Watched

LA = f'entreprise(siren: "{CLAIR_VALLON}")'
RCS = "rcs { dateImmatriculation }"


# --- Tokens -----------------------------------------------------------------------------------------


def _none_algorithm(token: str) -> str:
    return "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0." + token.split(".")[1] + "."


def _other_signature(token: str) -> str:
    return token[:-6] + "AAAAAA"


TOKENS: dict[str, Callable[[str], str]] = {
    "no algorithm": _none_algorithm,
    "another signature": _other_signature,
    "oversized": lambda token: token + "A" * 9_000,
    "not a token": lambda _token: "abc",
    "spaces": lambda token: token + " " + token,
    "quoted": lambda token: f'"{token}"',
}


@pytest.mark.parametrize("name", TOKENS)
def test_a_forged_token_is_told_nothing(production: Server, watched: Watched, name: str) -> None:
    forged = TOKENS[name](production.token())
    response = production.ask("{ moi { siret } }", headers={"Authorization": f"Bearer {forged}"})
    assert response.status_code == 401
    assert response.headers["www-authenticate"].startswith("Bearer")
    watched.check(response)


def signed(token: str, **changed: Any) -> str:
    """The same claims with these changes, signed with a key of somebody else's choosing."""
    payload = token.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    key = OctKey.import_key("une autre cle, assez longue pour que personne ne s'en plaigne")
    return jws.serialize_compact({"alg": "HS256", "typ": "JWT"}, json.dumps({**claims, **changed}).encode(), key)


@pytest.mark.parametrize(
    "changed", [{}, {"scopes": ["*"]}, {"exp": 4_000_000_000}, {"jti": 12}, {"typ": "refresh"}], ids=str
)
def test_claims_signed_with_another_key_open_nothing(
    production: Server, watched: Watched, changed: dict[str, Any]
) -> None:
    forged = signed(production.token(), **changed)
    response = production.ask("{ moi { siret } }", headers={"Authorization": f"Bearer {forged}"})
    assert response.status_code == 401
    body = watched.check(response)
    assert forged not in json.dumps(body)
    # By its signature, before its claims are looked at: the database, which knows no such token, is a second barrier.
    assert body["errors"][0]["extensions"]["raison"] == "JETON_SIGNATURE_INVALIDE"


def changes(server: Server, change: Callable[[AsyncConnection], Awaitable[Any]]) -> None:
    """What the operator, or DataPass, writes into the database while the server runs."""

    async def write() -> None:
        engine = create_async_engine(server.settings.database)
        async with engine.begin() as connection:
            await change(connection)
            await rights_changed(connection)
        await engine.dispose()

    asyncio.run(write())


def test_a_token_revoked_between_two_requests_opens_nothing_more(production: Server, providers: Providers) -> None:
    scopes = {"open_data", "probtp"}
    _, jeton, _ = production.issued(scopes)
    query = f"{{ {LA} {{ {RCS} }} }}"
    assert "data" in production.ask(query, scopes=scopes).json()
    changes(production, lambda connection: revoke(connection, jeton, NOW, NOW))
    refused = until(lambda: (answer := production.ask(query, scopes=scopes)).status_code == 401 and answer)
    (error,) = refused.json()["errors"]
    assert (error["extensions"]["code"], error["extensions"]["raison"]) == ("UNAUTHENTICATED", "JETON_REVOQUE")
    before = providers.calls("infogreffe")
    assert production.ask(query, scopes=scopes).status_code == 401
    assert providers.calls("infogreffe") == before


def test_a_right_removed_between_two_requests_opens_nothing_more(production: Server, providers: Providers) -> None:
    scopes = {"open_data", "effectifs_urssaf"}
    _, _, habilitation = production.issued(scopes)
    query = f"{{ {LA} {{ {RCS} }} }}"
    assert production.ask(query, scopes=scopes).json()["data"]["entreprise"]["rcs"]
    left = update(Habilitation).where(Habilitation.id == habilitation).values(scopes=["effectifs_urssaf"])
    changes(production, lambda connection: connection.execute(left))
    refused = until(lambda: (body := production.ask(query, scopes=scopes).json()).get("errors") and body)
    assert refused["data"] == {"entreprise": {"rcs": None}}
    assert refused["errors"][0]["extensions"]["code"] == "UNAUTHORIZED_FIELD_OR_TYPE"
    before = providers.calls("infogreffe")
    production.ask(query, scopes=scopes)
    assert providers.calls("infogreffe") == before


def test_an_expired_token_opens_nothing(production: Server, watched: Watched) -> None:
    scopes = {"open_data", "qualibat"}
    _, jeton, _ = production.issued(scopes)
    past = update(Jeton).where(Jeton.id == jeton).values(expire_le=NOW - timedelta(seconds=1))
    changes(production, lambda connection: connection.execute(past))
    response = production.ask("{ moi { siret } }", scopes=scopes)
    assert response.status_code == 401
    (error,) = watched.check(response)["errors"]
    assert error["extensions"]["raison"] == "JETON_EXPIRE"


def test_two_tokens_in_two_places_are_never_mixed(production: Server) -> None:
    rich, poor = production.token(), production.token(POOR)
    query = f"{{ {LA} {{ {RCS} }} }}"
    places: tuple[dict[str, Any], ...] = (
        {"headers": {"Authorization": f"Bearer {poor}", "X-Api-Key": rich}},
        {"headers": {"Authorization": f"Bearer {poor}", "Cookie": f"graphiql={rich}"}},
        {"headers": {"Authorization": f"Bearer {poor}"}, "path": f"/graphql?token={rich}&access_token={rich}"},
    )
    for place in places:
        body = production.post({"query": query, "token": rich, "extensions": {"token": rich}}, **place).json()
        assert body["data"] == {"entreprise": {"rcs": None}}
    twice = httpx.Headers([("Authorization", f"Bearer {poor}"), ("Authorization", f"Bearer {rich}")])
    response = httpx.post(production.url + "/graphql", json={"query": query}, headers=twice, timeout=TIMEOUT_S)
    assert response.status_code in (400, 401) or response.json()["data"] == {"entreprise": {"rcs": None}}
    alone = httpx.post(
        f"{production.url}/graphql?token={rich}", json={"query": query, "token": rich}, timeout=TIMEOUT_S
    )
    assert alone.status_code == 401


# --- Access -----------------------------------------------------------------------------------------

ROADS: dict[str, str] = {
    "direct": f"{{ {LA} {{ {RCS} }} }}",
    "alias": f"{{ a: {LA} {{ sirene: {RCS} }} }}",
    "fragment": f"{{ {LA} {{ ...F }} }} fragment F on Entreprise {{ {RCS} }}",
    "bare inline fragment": f"{{ {LA} {{ ... {{ {RCS} }} }} }}",
    "through the head office": f'{{ etablissement(siret: "{CLAIR_VALLON}00018") {{ entreprise {{ {RCS} }} }} }}',
    "include": f"query($x: Boolean = true) {{ {LA} {{ rcs @include(if: $x) {{ dateImmatriculation }} }} }}",
    "typename only": f"{{ {LA} {{ rcs {{ __typename }} }} }}",
    "node": '{ node(id: "RW50cmVwcmlzZTo5MTAyMDMwNDE") { ... on Entreprise { ' + RCS + " } } }",
    "interface": '{ node(id: "RW50cmVwcmlzZTo5MTAyMDMwNDE") { id ... on Node { ... on Entreprise { ' + RCS + " } } } }",
    "skip": f"query($x: Boolean = false) {{ {LA} {{ rcs @skip(if: $x) {{ dateImmatriculation }} }} }}",
    "named fragment on an interface": '{ node(id: "RW50cmVwcmlzZTo5MTAyMDMwNDE") { ...F } } fragment F on Node { ... on Entreprise { '
    + RCS
    + " } }",
    "fragment in a fragment": f"{{ {LA} {{ ...F }} }} fragment F on Entreprise {{ ...G }} fragment G on Entreprise {{ a: {RCS} }}",
    "list": f'{{ entreprises(sirens: ["{CLAIR_VALLON}"]) {{ {RCS} }} }}',
}


@pytest.mark.parametrize("road", ROADS)
def test_no_road_leads_around_a_refusal(production: Server, providers: Providers, road: str) -> None:
    query = ROADS[road]
    if "etablissement(" in query:
        site = production.ask(f"{{ {LA} {{ siege {{ siret }} }} }}").json()["data"]["entreprise"]["siege"]["siret"]
        query = query.replace(f"{CLAIR_VALLON}00018", site)
    before = providers.calls("infogreffe")
    response = production.ask(query, scopes={"attestations_agefiph"})
    body = response.json()
    assert response.status_code == 200
    assert [error["extensions"]["code"] for error in body["errors"]] == ["UNAUTHORIZED_FIELD_OR_TYPE"], body
    assert "dateImmatriculation" not in json.dumps(body["data"])
    assert providers.calls("infogreffe") == before
    assert body["extensions"]["cout"]["demande"] == 0


SITES = "etablissements(first: 2)"
POOR = {"attestations_agefiph"}
DENIED: dict[str, str] = {
    "totalCount": f"{{ {LA} {{ {SITES} {{ totalCount }} }} }}",
    "page": f"{{ {LA} {{ {SITES} {{ pageInfo {{ hasNextPage endCursor }} }} }} }}",
    "filter": f"{{ {LA} {{ etablissements(first: 2, actifs: true) {{ totalCount }} }} }}",
    "place in a list": f'{{ {LA} {{ etablissements(first: 2, after: "WyIqIiwyLDBd") {{ totalCount }} }} }}',
    "head office": f"{{ {LA} {{ siege {{ siret }} }} }}",
    "company of the head office": f"{{ {LA} {{ siege {{ entreprise {{ {RCS} }} }} }} }}",
    "search": '{ rechercherEntreprises(texte: "clair vallon", first: 2) { totalCount } }',
    "search that finds nothing": '{ rechercherEntreprises(texte: "zzzzzzzz", first: 2) { totalCount } }',
    "search by place": '{ rechercherEntreprises(texte: "a", departement: "49", first: 2) { nodes { siren } } }',
}


@pytest.mark.parametrize("road", DENIED)
def test_a_refused_list_tells_nothing_of_its_size_nor_of_its_content(
    production: Server, providers: Providers, road: str
) -> None:
    body = production.ask(DENIED[road], scopes=POOR).json()
    (error,) = body["errors"]
    assert error["extensions"]["code"] == "UNAUTHORIZED_FIELD_OR_TYPE"
    (found,) = (body["data"].get("entreprise") or body["data"]).values()
    assert found is None
    assert body["extensions"]["cout"]["demande"] == 0
    assert sum(sum(conduct.calls.values()) for conduct in providers.sandbox.conducts.values()) == 0


def told(body: Any, siren: str) -> str:
    """An answer without what is its own: the identifiers of the request and of the company, and the time it took."""
    text = json.dumps(body, sort_keys=True).replace(siren, "SIREN")
    return re.sub(r'"(idRequete|trace)": "[^"]*"|"dureeMs": [0-9.]+', "", text)


def test_a_refusal_is_the_same_whatever_the_company_is(production: Server) -> None:
    """Known, ceased, never diffused, closed by law, unknown: the refusal is decided before any of them is looked at."""
    everybody = {
        told(production.ask(f'{{ entreprise(siren: "{siren}") {{ {RCS} }} }}', scopes=POOR).json(), siren)
        for siren in (CLAIR_VALLON, CESSEE, NON_DIFFUSIBLE, INTERDITE, UNKNOWN)
    }
    assert len(everybody) == 1


def test_what_one_may_read_is_not_shared_with_who_may_not(production: Server, providers: Providers) -> None:
    """The same answer of the same provider, in memory, in one request, and under way for somebody else."""
    both = f"{{ {LA} {{ rcs {{ dateImmatriculation }} mandatairesSociaux {{ count }} }} }}"
    half = production.ask(both, scopes={"open_data"}).json()
    assert half["data"]["entreprise"]["rcs"]["dateImmatriculation"]
    assert half["data"]["entreprise"]["mandatairesSociaux"] is None
    whole = production.ask(both).json()["data"]["entreprise"]
    assert whole["mandatairesSociaux"]["count"]
    again = production.ask(both, scopes=POOR).json()["data"]["entreprise"]
    assert again == {"rcs": None, "mandatairesSociaux": None}
    assert providers.calls("infogreffe") <= 1


def test_a_call_under_way_for_one_answers_nobody_else(production: Server, providers: Providers) -> None:
    """The others are refused at once: they wait for no call, and theirs is not counted."""
    providers.misbehave("infogreffe", latence=5.0)
    query = f'{{ entreprise(siren: "{GROUPE}") {{ {RCS} }} }}'
    production.token()
    production.token(POOR)
    answers: list[Any] = []
    asking = threading.Thread(target=lambda: answers.append(production.ask(query).json()))
    asking.start()
    until(lambda: providers.calls("infogreffe") == 1)
    body = production.ask(query, scopes=POOR).json()
    assert asking.is_alive()
    assert body["data"] == {"entreprise": {"rcs": None}}
    assert body["errors"][0]["extensions"]["code"] == "UNAUTHORIZED_FIELD_OR_TYPE"
    asking.join(30)
    assert answers[0]["data"]["entreprise"]["rcs"]["dateImmatriculation"]
    assert providers.calls("infogreffe") == 1


def test_a_leaf_of_an_open_dataset_is_refused_by_itself(production: Server) -> None:
    query = f"{{ {LA} {{ rcs {{ dateImmatriculation personnePhysique {{ __typename }} }} }} }}"
    body = production.ask(query, scopes={"open_data"}).json()
    assert body["data"]["entreprise"]["rcs"]["dateImmatriculation"]
    assert body["data"]["entreprise"]["rcs"]["personnePhysique"] is None
    assert [error["extensions"]["coordinate"] for error in body["errors"]] == ["ExtraitRcs.personnePhysique"]


def test_the_second_operation_is_not_run_for_the_first_ones_rights(production: Server, providers: Providers) -> None:
    before = providers.calls("infogreffe")
    query = f"query A {{ moi {{ siret }} }} query B {{ {LA} {{ {RCS} }} }}"
    body = production.post({"query": query, "operationName": "B"}, scopes={"attestations_agefiph"}).json()
    assert body["data"] == {"entreprise": {"rcs": None}}
    assert providers.calls("infogreffe") == before
