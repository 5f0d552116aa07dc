"""Pre-filling reads the public part of entities that are fully open, and finds no other; INSEE's silence is not "not found"."""

from auth.caller import Usage
from auth.scopes import OPEN_DATA
from graph.schema import REGISTRY
from sandbox.personas import CLAIR_VALLON, EN_PANNE, KERDONCUF, PERSONAS
from tests.conftest import Api, Providers

QUERY = """query($s: Siren!) { entreprise(siren: $s) {
    sirene { statusDiffusion personnePhysiqueAttributs { nomNaissance } } siege { siret } rcs { siren }
    etablissements(first: 5) { totalCount } } }"""


async def test_a_partially_diffusible_entity_is_not_found_and_its_other_providers_never_asked(
    api: Api, providers: Providers
) -> None:
    answer = await api.ask(QUERY, variables={"s": KERDONCUF}, scopes=REGISTRY.all_scopes(), usage=Usage.PRE_REMPLISSAGE)
    assert answer.errors == []
    assert answer.at("entreprise") == {"sirene": None, "siege": None, "rcs": None, "etablissements": None}
    assert {item["statut"] for item in answer.body["extensions"]["provenance"]} == {"INTROUVABLE"}
    assert providers.calls("infogreffe") == 0
    assert "KERDONCUF" not in answer.response.text.upper().replace(KERDONCUF, "")


async def test_the_same_through_its_establishment(api: Api, providers: Providers) -> None:
    site = PERSONAS[KERDONCUF].head_office.siret
    answer = await api.ask(
        "query($s: Siret!) { etablissement(siret: $s) { sirene { siret } adresse { libelleCommune } successions { __typename } } }",
        variables={"s": site}, scopes={OPEN_DATA}, usage=Usage.PRE_REMPLISSAGE,
    )  # fmt: skip
    assert answer.errors == []
    assert answer.at("etablissement") == {"sirene": None, "adresse": None, "successions": None}


async def test_an_open_entity_is_read_without_any_declared_reason(api: Api) -> None:
    answer = await api.ask(
        QUERY, variables={"s": CLAIR_VALLON}, scopes={OPEN_DATA}, usage=Usage.PRE_REMPLISSAGE, reason={}
    )
    assert answer.errors == []
    assert answer.at("entreprise.rcs.siren") == CLAIR_VALLON
    assert answer.at("entreprise.siege.siret").startswith(CLAIR_VALLON)


async def test_when_insee_cannot_say_it_is_an_error_and_never_not_found(api: Api, providers: Providers) -> None:
    providers.misbehave("insee", panne="status", statut=500)
    answer = await api.ask(
        "query($s: Siren!) { entreprise(siren: $s) { rcs { siren } } }",
        variables={"s": EN_PANNE}, scopes={OPEN_DATA}, usage=Usage.PRE_REMPLISSAGE,
    )  # fmt: skip
    assert answer.at("entreprise.rcs") is None
    assert [error["extensions"]["fournisseur"] for error in answer.errors] == ["insee"]
    assert providers.calls("infogreffe") == 0
