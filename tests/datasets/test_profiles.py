"""Every persona through the profile query: the whole answer is the one that was reviewed."""

import pytest

from auth.scopes import OPEN_DATA
from graph.profile import PROFILE_QUERY, profile_variables
from providers import PROVIDERS
from sandbox.personas import CLAIR_VALLON, PERSONAS
from tests.conftest import START, Api
from tests.datasets.snapshots import compare

ELSEWHERE = {"insee.recherche": "a search starts from words, not from a company"}
"""Datasets that the profile of a company can't hold, with the reason."""


@pytest.mark.parametrize("slug", sorted(persona.slug for persona in PERSONAS.values()))
async def test_profile_of_a_persona(api: Api, slug: str) -> None:
    siren = next(persona.siren for persona in PERSONAS.values() if persona.slug == slug)
    answer = await api.ask(PROFILE_QUERY, variables=profile_variables(siren, START.date()))
    assert answer.response.status_code == 200
    compare(slug, answer)


@pytest.mark.parametrize("slug", ["kerdoncuf", "non-diffusible", "les-genets"])
async def test_profile_of_a_persona_for_the_public(api: Api, slug: str) -> None:
    """Who holds `open_data` alone reads no name of an entity that does not show itself to the public."""
    persona = next(persona for persona in PERSONAS.values() if persona.slug == slug)
    variables = profile_variables(persona.siren, START.date())
    answer = await api.ask(PROFILE_QUERY, variables=variables, scopes={OPEN_DATA})
    compare(f"{slug}.public", answer)
    if persona.natural_person is not None:
        assert persona.natural_person.last_name not in answer.response.text


async def test_the_profile_asks_every_dataset(api: Api) -> None:
    answer = await api.ask(PROFILE_QUERY, variables=profile_variables(CLAIR_VALLON, START.date()))
    asked = {item["jeuDeDonnees"] for item in answer.body["extensions"]["provenance"]}
    assert asked | ELSEWHERE.keys() == {dataset.id for provider in PROVIDERS for dataset in provider.datasets}


async def test_the_profile_tells_the_same_of_a_company_at_every_provider(api: Api) -> None:
    """Turnover and holders are one company's, whoever tells them."""
    answer = await api.ask(PROFILE_QUERY, variables=profile_variables(CLAIR_VALLON, START.date()))
    accounts = answer.at("entreprise.bilans")
    told = {year["dateFinExercice"]: year["chiffreAffaires"] for year in accounts["chiffresAffaires"]["items"]}
    typed = {year["dateCloture"]: year["chiffreAffairesNet"] for year in accounts["comptesAnnuels"]["items"]}
    assert told.items() & typed.items()
    assert all(told[day] == typed[day] for day in told.keys() & typed.keys())
    holder = accounts["liensCapitalistiques"]["capital"]["actionnaires"][-1]
    owner = answer.at("entreprise.beneficiairesEffectifs.items.0")
    assert owner["nom"] in holder["personnePhysiqueAttributes"]["nomPatronymiqueEtPrenoms"]
    assert float(owner["modalites"]["detentionDeCapital"]["partsTotale"]) == float(holder["pourcentage"])
