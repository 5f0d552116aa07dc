"""Quotas over GraphQL: what the operation really caused is counted, what is over is null, the rest is answered."""

import asyncio
import itertools
from typing import Any

from auth.caller import Usage
from auth.issuing import grant, issue
from graph.schema import REGISTRY
from sandbox.insee import Lot, lot
from sandbox.personas import CLAIR_VALLON, with_check_digit
from tests.conftest import DINUM, REASON, Answer, Api, Providers

RCS = "query($s: [Siren!]!) { entreprises(sirens: $s) { rcs { siren } } }"
BOTH = "query($s: Siren!) { entreprise(siren: $s) { rcs { siren } attestations { vigilance { situation } } } }"
ME = "{ moi { quotas { groupe limite restant } } }"


def sirens(number: int, start: int = 0) -> list[str]:
    candidates = (with_check_digit(f"9130{rank:04d}") for rank in range(start, 9999))
    return list(itertools.islice((siren for siren in candidates if lot(siren) == Lot()), number))


async def token_with_quota(api: Api, quota: int) -> str:
    async with api.service.engine.begin() as connection:
        habilitation = await grant(
            connection, siret=DINUM, intitule="Essai", usage=Usage.BACK_OFFICE, scopes=REGISTRY.all_scopes(),
            now=api.clock(), quota_par_minute=quota,
        )  # fmt: skip
        issued = await issue(
            connection, api.service.tokens, habilitation=habilitation, intitule="Essai",
            scopes=REGISTRY.all_scopes(), now=api.clock(),
        )  # fmt: skip
    return issued.text


async def ask_with(api: Api, token: str, query: str, **variables: Any) -> Answer:
    response = await api.client.post(
        "/graphql",
        json={"query": query, "variables": variables},
        headers={"Authorization": f"Bearer {token}", **REASON},
    )
    return Answer(response)


async def left(api: Api, group: str) -> int:
    answer = await api.ask(ME)
    return next(one["restant"] for one in answer.at("moi.quotas") if one["groupe"] == group)  # type: ignore[no-any-return]


async def test_calls_are_counted_after_batching_and_cache(api: Api, providers: Providers) -> None:
    query = "query($s: [Siren!]!) { entreprises(sirens: $s) { sirene { siren } } }"
    first = await api.ask(query, variables={"s": sirens(50)})
    assert first.errors == []
    assert providers.calls("insee", "/api-sirene") == 1
    assert 250 - await left(api, "json") == 1
    assert first.response.headers["RateLimit-Limit"] == "250"
    assert first.response.headers["RateLimit-Remaining"] == "249"
    assert int(first.response.headers["RateLimit-Reset"]) % 60 == 0
    again = await api.ask(query, variables={"s": sirens(50)})
    assert "RateLimit-Limit" not in again.response.headers
    assert await left(api, "json") == 249


async def test_over_quota_that_group_is_null_and_the_rest_is_answered(api: Api, providers: Providers) -> None:
    for start in (0, 100, 200):
        answer = await api.ask(RCS, variables={"s": sirens(100, start * 20)})
    assert await left(api, "json") == 0
    # Some of the invented companies' answers fail by themselves: those calls were made, and count.
    refused = [error["extensions"] for error in answer.errors if error["extensions"]["code"] == "BUDGET_EXCEEDED"]
    assert len(refused) == 50
    assert {(one["codeApiEntreprise"], one["groupeDeQuota"], one["reessayerDans"]) for one in refused} == {
        ("00429", "json", 60),
    }  # fmt: skip
    assert answer.response.status_code == 200
    assert answer.response.headers["Retry-After"] == "60"
    assert providers.calls("infogreffe") == 250
    both = await api.ask(BOTH, variables={"s": CLAIR_VALLON})
    assert both.at("entreprise.rcs") is None
    assert both.at("entreprise.attestations.vigilance.situation") == "DELIVREE"
    assert both.codes == ["BUDGET_EXCEEDED"]
    entries = {
        entry["jeu_de_donnees"]: entry for entry in await api.journal_of(both) if entry["nature"].value == "ACCES"
    }
    assert (entries["infogreffe.extrait_rcs"]["issue"].value, entries["infogreffe.extrait_rcs"]["code"]) == (
        "ECHEC", "BUDGET_EXCEEDED",
    )  # fmt: skip
    api.clock.advance(seconds=60)
    assert (await api.ask(BOTH, variables={"s": CLAIR_VALLON})).errors == []


async def test_what_somebody_else_is_already_asking_is_not_counted(api: Api, providers: Providers) -> None:
    providers.misbehave("acoss", latence=0.2)
    query = "query($s: Siren!) { entreprise(siren: $s) { attestations { vigilance { situation } } } }"
    await api.token("*all*")
    answers = await asyncio.gather(*(api.ask(query, variables={"s": CLAIR_VALLON}) for _ in range(20)))
    assert all(answer.errors == [] for answer in answers)
    assert providers.calls("acoss", "/attn/") == 1
    assert await left(api, "urssaf") == 99


async def test_a_provider_in_maintenance_costs_nothing(api: Api) -> None:
    for token_scopes in ({"open_data"},):
        await api.ask(RCS, variables={"s": sirens(3)}, scopes=token_scopes)
    before = await left(api, "json")
    await api.ask("query($s: Siren!) { entreprise(siren: $s) { siren } }", variables={"s": CLAIR_VALLON})
    assert await left(api, "json") == before


async def test_a_habilitation_of_its_own_quota_is_held_to_it_and_shown_it(api: Api, providers: Providers) -> None:
    token = await token_with_quota(api, 2)
    first = await ask_with(api, token, BOTH, s=CLAIR_VALLON)
    assert first.errors == []
    assert first.response.headers["RateLimit-Limit"] == "2"
    assert first.response.headers["RateLimit-Remaining"] == "0"
    second = await ask_with(api, token, RCS, s=sirens(1))
    assert second.codes == ["BUDGET_EXCEEDED"]
    assert second.response.headers["Retry-After"]
    assert providers.calls("infogreffe") == 1
    me = await ask_with(api, token, ME)
    quotas = {one["groupe"]: one["restant"] for one in me.at("moi.quotas")}
    assert (quotas["personnalise"], quotas["json"], quotas["urssaf"]) == (0, 249, 99)


async def test_all_tokens_of_a_habilitation_share_its_counters_and_no_other_has_them(api: Api) -> None:
    await api.ask(RCS, variables={"s": sirens(5)})
    assert await left(api, "json") < 250
    other = await api.ask(ME, scopes={"open_data"})
    assert next(one["restant"] for one in other.at("moi.quotas") if one["groupe"] == "json") == 250


async def test_an_address_is_stopped_before_its_request_is_read(api: Api) -> None:
    token = await api.token({"open_data"})
    ceiling = api.settings.address_calls_per_minute
    for _ in range(ceiling):
        api.service.addresses.seconds_to_wait("127.0.0.1")
    response = await api.client.post("/graphql", content=b"\xff", headers={"Authorization": f"Bearer {token}"})
    assert response.status_code == 429
    assert response.headers["Retry-After"] == "60"
    body = response.json()
    assert body["errors"][0]["extensions"]["code"] == "TOO_MANY_REQUESTS"
    assert body["errors"][0]["extensions"]["codeApiEntreprise"] == "00429"
    api.clock.advance(seconds=60)
    assert (await api.ask("{ moi { siret } }")).errors == []
