"""The road over real sockets: sessions, failures on the way, redirects, caps. The typed error, and nothing else lost."""

import asyncio

import pytest

from sandbox.personas import CLAIR_VALLON, INTERDITE
from tests.conftest import Api, Providers

SIRENE = (
    "query($s: Siren!) { entreprise(siren: $s) { sirene { siren formeJuridique { code libelle } } rcs { siren } } }"
)
VIGILANCE = "query($s: Siren!) { entreprise(siren: $s) { attestations { vigilance { situation } } } }"


@pytest.mark.parametrize(
    ("wish", "code", "code_api"),
    [
        ({"panne": "reset"}, "PROVIDER_UNAVAILABLE", "01001"),
        ({"panne": "reset_mid_body"}, "PROVIDER_UNAVAILABLE", "01001"),
        ({"panne": "timeout"}, "PROVIDER_TIMEOUT", "01002"),
        ({"panne": "slow_drip"}, "PROVIDER_TIMEOUT", "01002"),
        ({"panne": "status", "statut": 500}, "PROVIDER_UNAVAILABLE", "01000"),
        ({"panne": "status", "statut": 503}, "PROVIDER_UNAVAILABLE", "01001"),
        ({"panne": "status", "statut": 504}, "PROVIDER_TIMEOUT", "01002"),
        ({"panne": "status", "statut": 429}, "PROVIDER_RATE_LIMITED", "01008"),
        ({"panne": "redirect"}, "PROVIDER_UNAVAILABLE", "01000"),
        ({"panne": "html_404"}, "PROVIDER_INVALID_RESPONSE", "01999"),
        ({"panne": "wrong_type"}, "PROVIDER_INVALID_RESPONSE", "01999"),
        ({"panne": "malformed"}, "PROVIDER_INVALID_RESPONSE", "01999"),
        ({"panne": "wrong_charset"}, "PROVIDER_INVALID_RESPONSE", "01999"),
        ({"panne": "truncated_gzip"}, "PROVIDER_INVALID_RESPONSE", "01999"),
        ({"panne": "bomb"}, "PROVIDER_INVALID_RESPONSE", "01999"),
        ({"panne": "endless"}, "PROVIDER_INVALID_RESPONSE", "01999"),
    ],
    ids=lambda value: "-".join(map(str, value.values())) if isinstance(value, dict) else None,
)
async def test_a_failing_provider_gives_its_typed_error_and_the_others_answer(
    api: Api, providers: Providers, wish: dict[str, object], code: str, code_api: str
) -> None:
    providers.misbehave("insee", chemin="/siren/", **wish)
    if code == "PROVIDER_TIMEOUT":
        api.haste.of = frozenset({"insee"})
    answer = await api.ask(SIRENE, variables={"s": CLAIR_VALLON})
    assert answer.at("entreprise.sirene") is None
    assert answer.at("entreprise.rcs.siren") == CLAIR_VALLON
    (error,) = answer.errors
    assert (error["extensions"]["code"], error["extensions"]["codeApiEntreprise"]) == (code, code_api)
    assert error["path"] == ["entreprise", "sirene"]


async def test_a_label_that_cannot_be_had_is_null_and_asked_again(api: Api, providers: Providers) -> None:
    providers.misbehave("insee", chemin="/metadonnees", panne="reset")
    answer = await api.ask(SIRENE, variables={"s": CLAIR_VALLON})
    assert answer.errors == []
    assert answer.at("entreprise.sirene.formeJuridique") == {"code": "5710", "libelle": None}
    providers.misbehave("insee", panne="none")
    answer = await api.ask(SIRENE, variables={"s": CLAIR_VALLON})
    assert answer.at("entreprise.sirene.formeJuridique.libelle") == "SAS, société par actions simplifiée"


async def test_an_entity_closed_by_law_says_so(api: Api) -> None:
    answer = await api.ask(SIRENE, variables={"s": INTERDITE})
    assert ("LEGAL_RESTRICTION", "01005") in {
        (error["extensions"]["code"], error["extensions"]["codeApiEntreprise"]) for error in answer.errors
    }


async def test_one_login_serves_many_calls(api: Api, providers: Providers) -> None:
    sirens = [CLAIR_VALLON, "384500195", "901102202"]
    await asyncio.gather(*(api.ask(VIGILANCE, variables={"s": siren}) for siren in sirens))
    assert providers.calls("acoss", "/attn/") == len(sirens)
    assert providers.calls("acoss", "/oauth/") == 1


async def test_a_session_refused_in_mid_life_is_renewed_once_and_the_call_replayed(
    api: Api, providers: Providers
) -> None:
    await api.ask(VIGILANCE, variables={"s": "384500195"})
    providers.misbehave("acoss", chemin="/attn/", panne="status", statut=401, fois=1)
    answer = await api.ask(VIGILANCE, variables={"s": CLAIR_VALLON})
    assert answer.errors == []
    assert providers.calls("acoss", "/oauth/") == 2


async def test_a_login_that_is_down_is_the_provider_being_down(api: Api, providers: Providers) -> None:
    providers.misbehave("acoss", chemin="/oauth/", panne="status", statut=503)
    answer = await api.ask(VIGILANCE, variables={"s": CLAIR_VALLON})
    assert answer.codes == ["PROVIDER_UNAVAILABLE"]
    assert providers.calls("acoss", "/attn/") == 0


async def test_a_failure_is_not_remembered(api: Api, providers: Providers) -> None:
    providers.misbehave("insee", chemin="/siren/", panne="status", statut=503, fois=1)
    assert (await api.ask(SIRENE, variables={"s": CLAIR_VALLON})).codes == ["PROVIDER_UNAVAILABLE"]
    assert (await api.ask(SIRENE, variables={"s": CLAIR_VALLON})).errors == []


async def test_an_answer_lives_as_long_as_its_source_says(api: Api, providers: Providers) -> None:
    await api.ask(SIRENE, variables={"s": CLAIR_VALLON})
    api.clock.advance(minutes=59)
    await api.ask(SIRENE, variables={"s": CLAIR_VALLON})
    assert providers.calls("insee", "/siren/") == 1
    api.clock.advance(minutes=2)
    await api.ask(SIRENE, variables={"s": CLAIR_VALLON})
    assert providers.calls("insee", "/siren/") == 2
