"""The profile query, whole: what each persona's answers are, and how many calls it took."""

import asyncio
import itertools

import pytest

from graph.profile import PROFILE_QUERY
from sandbox.insee import Lot, lot
from sandbox.personas import CLAIR_VALLON, DOUBLON, EN_DEFAUT, EN_PANNE, KERDONCUF, PERSONAS, UNKNOWN, with_check_digit
from tests.conftest import Api, Providers


async def test_profile_of_a_healthy_firm_is_answered_by_unlike_providers(api: Api) -> None:
    answer = await api.ask(PROFILE_QUERY, variables={"siren": CLAIR_VALLON})
    assert answer.response.status_code == 200
    assert answer.errors == []
    assert answer.at("entreprise.sirene.personneMoraleAttributs.raisonSociale") == "ATELIERS DU CLAIR VALLON"
    assert answer.at("entreprise.sirene.formeJuridique.libelle") == "SAS, société par actions simplifiée"
    assert answer.at("entreprise.siege.adresse.acheminementPostal.l4") == "14 BIS AVENUE DES TILLEULS"
    assert answer.at("entreprise.etablissements.totalCount") == 2
    assert answer.at("entreprise.rcs.capital.montant") == "50000.00"
    assert answer.at("entreprise.mandatairesSociaux.items.0.nom") == "MODELE"
    assert answer.at("entreprise.attestations.vigilance.situation") == "DELIVREE"
    assert answer.at("entreprise.attestations.emploiTravailleursHandicapes.remisLe") == "2020-09-15"
    assert {item["fournisseur"] for item in answer.body["extensions"]["provenance"]} >= {
        "insee",
        "infogreffe",
        "acoss",
        "agefiph",
    }


async def test_two_datasets_of_one_kbis_cost_one_call(api: Api, providers: Providers) -> None:
    answer = await api.ask(
        "query($s: Siren!) { entreprise(siren: $s) { rcs { siren } mandatairesSociaux { items { nom } } } }",
        variables={"s": CLAIR_VALLON},
    )
    assert answer.errors == []
    assert providers.calls("infogreffe") == 1


async def test_a_duplicate_is_answered_by_the_company_that_replaced_it(api: Api) -> None:
    answer = await api.ask(
        "query($s: Siren!) { entreprise(siren: $s) { sirene { siren redirigeDepuis } } }", variables={"s": DOUBLON}
    )
    assert answer.at("entreprise.sirene") == {"siren": CLAIR_VALLON, "redirigeDepuis": DOUBLON}


async def test_a_company_unknown_to_everyone_is_null_without_error(api: Api) -> None:
    answer = await api.ask(PROFILE_QUERY, variables={"siren": UNKNOWN})
    assert answer.errors == []
    assert answer.at("entreprise.sirene") is None
    assert answer.at("entreprise.attestations.vigilance") is None
    assert {item["statut"] for item in answer.body["extensions"]["provenance"]} == {"INTROUVABLE"}


async def test_a_refused_certificate_is_data_not_an_error(api: Api) -> None:
    answer = await api.ask(
        "query($s: Siren!) { entreprise(siren: $s) { attestations { vigilance { situation document { url } } } } }",
        variables={"s": EN_DEFAUT},
    )
    assert answer.errors == []
    assert answer.at("entreprise.attestations.vigilance") == {"situation": "REFUSEE", "document": None}


async def test_providers_that_are_down_never_block_the_others(api: Api) -> None:
    answer = await api.ask(PROFILE_QUERY, variables={"siren": EN_PANNE})
    assert answer.at("entreprise.sirene.personneMoraleAttributs.raisonSociale") == "TISSAGES DE L'ECLUSE"
    assert answer.at("entreprise.rcs") is None
    assert answer.at("entreprise.attestations.vigilance") is None
    failed = {error["extensions"]["fournisseur"] for error in answer.errors}
    assert {"infogreffe", "acoss", "dgfip"} <= failed
    assert not failed & {"insee", "agefiph"}
    assert {error["extensions"]["code"] for error in answer.errors} == {"PROVIDER_UNAVAILABLE"}
    assert all(error["extensions"]["reessayable"] for error in answer.errors)


async def test_a_partially_diffusible_person_is_masked_for_public_callers_only(api: Api) -> None:
    query = """query($s: Siren!) { entreprise(siren: $s) {
        sirene { statusDiffusion personnePhysiqueAttributs { nomNaissance sexe } }
        siege { adresse { libelleVoie libelleCommune } }
        rcs { mandatairesSociaux { nom fonction } } } }"""
    public = await api.ask(query, variables={"s": KERDONCUF}, scopes={"open_data"})
    assert public.errors == []
    assert public.at("entreprise.sirene.personnePhysiqueAttributs") == {"nomNaissance": "[ND]", "sexe": "[ND]"}
    assert public.at("entreprise.siege.adresse") == {"libelleVoie": "[ND]", "libelleCommune": "QUIMPER"}
    assert public.at("entreprise.rcs.mandatairesSociaux.0.nom") == "[ND]"
    agent = await api.ask(query, variables={"s": KERDONCUF})
    assert agent.at("entreprise.sirene.personnePhysiqueAttributs.nomNaissance") == "KERDONCUF"
    assert agent.at("entreprise.rcs.mandatairesSociaux.0.nom") == "KERDONCUF"


@pytest.mark.parametrize("slug", sorted(persona.slug for persona in PERSONAS.values()))
async def test_no_persona_causes_an_unforeseen_error(api: Api, slug: str) -> None:
    persona = next(persona for persona in PERSONAS.values() if persona.slug == slug)
    answer = await api.ask(PROFILE_QUERY, variables={"siren": persona.siren})
    assert answer.response.status_code == 200
    assert "INTERNAL_SERVER_ERROR" not in answer.codes
    assert "PROVIDER_INVALID_RESPONSE" not in answer.codes


async def test_a_hundred_companies_cost_one_data_call(api: Api, providers: Providers) -> None:
    candidates = (with_check_digit(f"9120{number:04d}") for number in range(1000))
    sirens = list(itertools.islice((siren for siren in candidates if lot(siren) == Lot()), 100))
    answer = await api.ask(
        "query($s: [Siren!]!) { entreprises(sirens: $s) { sirene { siren etatAdministratif formeJuridique { code } } } }",
        variables={"s": sirens},
    )
    assert answer.errors == []
    assert [item["sirene"]["siren"] for item in answer.at("entreprises")] == sirens
    assert providers.calls("insee", "/api-sirene") == 1


async def test_fifty_identical_concurrent_profiles_call_each_provider_once(api: Api, providers: Providers) -> None:
    providers.misbehave("insee", latence=0.05)
    providers.misbehave("infogreffe", latence=0.05)
    providers.misbehave("acoss", latence=0.05)
    query = """query($s: Siren!) { entreprise(siren: $s) {
        sirene { siren } rcs { siren } mandatairesSociaux { items { nom } } attestations { vigilance { situation } } } }"""
    await api.token("*all*")
    answers = await asyncio.gather(*(api.ask(query, variables={"s": CLAIR_VALLON}) for _ in range(50)))
    assert all(answer.errors == [] for answer in answers)
    assert providers.calls("insee", "/api-sirene") == 1
    assert providers.calls("infogreffe") == 1
    assert providers.calls("acoss", "/attn/") == 1
