"""What a caller may know of its own rights: `moi`, `expliquer`, strict mode, the schema cut to rights, the notices."""

from typing import Any

import pytest
from graphql import get_introspection_query

from auth.caller import Usage
from auth.issuing import grant, issue
from auth.rules import Opens
from auth.scopes import OPEN_DATA
from graph.examples import query_for, ways
from graph.schema import REGISTRY, SCHEMA
from providers import PROVIDERS
from sandbox.personas import CLAIR_VALLON
from tests.conftest import DINUM, Api, Providers

VIGILANCE = "attestation_sociale_urssaf"
TWO = "query($s: Siren!) { entreprise(siren: $s) { rcs { siren } attestations { vigilance { situation } } } }"
EXPLAIN = """query($r: String!, $v: JSON, $o: String) { expliquer(requete: $r, variables: $v, operation: $o) {
    executable problemes champs { chemin coordonnee jeuDeDonnees lecture scopesNecessaires tracabiliteRequise }
    scopesADemander scopesSuffisants tracabiliteManquante appels appelsParFournisseur { fournisseur appels }
    quotas { quota { groupe limite restant reinitialisation } appels depassement } maintenances { fournisseur debut fin }
} }"""


def calls(providers: Providers) -> int:
    return sum(providers.calls(name) for name in providers.sandbox.conducts)


async def explained(api: Api, query: str, variables: dict[str, Any] | None = None, **more: Any) -> Any:
    answer = await api.ask(EXPLAIN, variables={"r": query, "v": variables, "o": more.pop("operation", None)}, **more)
    assert answer.errors == []
    return answer.at("expliquer")


async def test_explaining_calls_no_provider_and_says_everything(api: Api, providers: Providers) -> None:
    found = await explained(api, TWO, {"s": CLAIR_VALLON}, scopes={OPEN_DATA}, reason={})
    assert found["executable"] is True
    assert [(one["chemin"], one["lecture"], one["tracabiliteRequise"]) for one in found["champs"]] == [
        ("entreprise.rcs", "PUBLIQUE", False),
        ("entreprise.attestations.vigilance", "REFUSEE", True),
    ]
    assert found["scopesADemander"] == [VIGILANCE]
    assert found["scopesSuffisants"] == [VIGILANCE, OPEN_DATA]
    assert found["tracabiliteManquante"] == ["contexte", "objet"]
    assert {one["fournisseur"] for one in found["appelsParFournisseur"]} == {"infogreffe", "insee"}
    assert found["quotas"][0]["quota"]["restant"] == 250
    assert calls(providers) == 0
    assert [entry for entry in await api.journal() if entry["nature"].value != "PURGE"] == []


async def test_what_is_explained_is_what_happens(api: Api) -> None:
    for scopes in (frozenset({OPEN_DATA}), frozenset({VIGILANCE}), frozenset[str](), REGISTRY.all_scopes()):
        found = await explained(api, TWO, {"s": CLAIR_VALLON}, scopes=scopes)
        refused = {one["coordonnee"] for one in found["champs"] if one["lecture"] == "REFUSEE"}
        answer = await api.ask(TWO, variables={"s": CLAIR_VALLON}, scopes=scopes)
        assert {error["extensions"]["coordinate"] for error in answer.errors} == refused
        again = await api.ask(TWO, variables={"s": CLAIR_VALLON}, scopes=scopes | set(found["scopesADemander"]))
        assert again.errors == []


async def test_the_calls_announced_follow_the_list_and_the_quota_left(api: Api) -> None:
    query = "query($s: [Siren!]!) { entreprises(sirens: $s) { rcs { siren } } }"
    sirens = [CLAIR_VALLON] * 90
    found = await explained(api, query, {"s": sirens}, scopes={"extraits_rcs", "unites_legales_etablissements_insee"})
    assert found["appelsParFournisseur"][-1]["fournisseur"] in {"infogreffe", "insee"}
    by_provider = {one["fournisseur"]: one["appels"] for one in found["appelsParFournisseur"]}
    assert by_provider["infogreffe"] == 90
    assert found["quotas"][0]["depassement"] is False


@pytest.mark.parametrize(
    ("query", "operation"),
    [("{", None), ("{ inconnu }", None), ("query A { moi { siret } } query B { moi { siret } }", None)],
)
async def test_a_document_that_cannot_run_is_explained_too(api: Api, query: str, operation: str | None) -> None:
    found = await explained(api, query, operation=operation)
    assert found["executable"] is False
    assert found["problemes"]


async def test_maintenance_windows_ahead_are_told(api: Api, providers: Providers) -> None:
    windowed = {one.id for one in PROVIDERS if any(window.day is None for window in one.maintenance)}
    rules = [rule for rule in REGISTRY.rules.values() if isinstance(rule, Opens)]
    dataset = next(rule.dataset for rule in rules if rule.dataset.provider_id in windowed)
    found = await explained(api, query_for(REGISTRY, ways(SCHEMA, REGISTRY)[dataset.id][0], dataset))
    assert found["maintenances"]
    assert all(one["debut"] < one["fin"] for one in found["maintenances"])


async def test_strict_mode_executes_nothing_when_anything_is_refused(api: Api, providers: Providers) -> None:
    strict = {"extensions": {"autorisation": "stricte"}}
    query = """query($s: Siren!) { entreprise(siren: $s) { rcs { siren } attestations { vigilance { situation } }
        mandatairesSociaux { items { nom } } } }"""
    answer = await api.ask(query, variables={"s": CLAIR_VALLON}, scopes={OPEN_DATA}, **strict)
    assert answer.response.status_code == 200
    assert answer.data is None
    assert set(answer.codes) == {"UNAUTHORIZED_FIELD_OR_TYPE"}
    assert {error["extensions"]["coordinate"] for error in answer.errors} == {
        "Attestations.vigilance", "Entreprise.mandatairesSociaux",
    }  # fmt: skip
    assert len(answer.body["extensions"]["authorization"]["missingScopes"]) == 2
    assert calls(providers) == 0
    granted = await api.ask(query, variables={"s": CLAIR_VALLON}, **strict)
    assert granted.errors == []
    assert granted.at("entreprise.rcs.siren") == CLAIR_VALLON


async def test_me_tells_rights_life_addresses_and_quotas(api: Api) -> None:
    answer = await api.ask(
        """{ moi { usage habilitations habilitationsInconnues champsRefuses joursRestants adressesAutorisees adresseVue
            jeuxDeDonnees { id partiePubliqueSeulement champs } quotas { groupe limite restant reinitialisation } } }""",
        scopes={OPEN_DATA, "scope_de_demain"},
    )
    assert answer.errors == []
    me = answer.at("moi")
    assert (me["usage"], me["habilitations"], me["habilitationsInconnues"]) == (
        "back_office", [OPEN_DATA, "scope_de_demain"], ["scope_de_demain"],
    )  # fmt: skip
    assert (me["adressesAutorisees"], me["adresseVue"]) == ([], "127.0.0.1")
    assert "Attestations.vigilance" in me["champsRefuses"]
    opened = {one["id"]: one for one in me["jeuxDeDonnees"]}
    assert opened["insee.unite_legale"]["partiePubliqueSeulement"] is True
    assert opened["infogreffe.extrait_rcs"]["champs"] == ["Entreprise.rcs"]
    assert "acoss.attestation_vigilance" not in opened
    quotas = {one["groupe"]: one for one in me["quotas"]}
    assert (quotas["json"]["limite"], quotas["json"]["restant"]) == (250, 250)
    assert "urssaf" not in quotas


async def test_the_view_of_my_rights_holds_no_refused_field(api: Api) -> None:
    asked = {"extensions": {"introspection": "mesDroits"}}
    public = await api.ask(get_introspection_query(), scopes={OPEN_DATA}, **asked)
    whole = await api.ask(get_introspection_query(), scopes={OPEN_DATA})

    def fields(answer: Any) -> set[str]:
        return {
            f"{type_['name']}.{field['name']}"
            for type_ in answer.at("__schema.types")
            for field in type_["fields"] or ()
        }

    assert "Attestations.vigilance" in fields(whole)
    assert not {"Attestations.vigilance", "Entreprise.mandatairesSociaux"} & fields(public)
    assert {"Entreprise.rcs", "Query.moi"} <= fields(public)
    everything = await api.ask(get_introspection_query(), **asked)
    assert "Attestations.vigilance" in fields(everything)


async def test_the_view_of_my_rights_is_no_way_around_the_rest(api: Api, providers: Providers) -> None:
    answer = await api.ask(
        "query($s: Siren!) { __typename entreprise(siren: $s) { attestations { vigilance { situation } } } }",
        variables={"s": CLAIR_VALLON}, scopes={OPEN_DATA}, extensions={"introspection": "mesDroits"},
    )  # fmt: skip
    assert answer.codes == ["UNAUTHORIZED_FIELD_OR_TYPE"]
    assert calls(providers) == 0


async def test_the_end_of_a_token_is_told_in_its_last_ninety_days(api: Api) -> None:
    token = await api.token({OPEN_DATA})
    ask = lambda: api.client.post(  # noqa: E731
        "/graphql", json={"query": "{ moi { siret } }"}, headers={"Authorization": f"Bearer {token}"}
    )
    assert "expiration" not in (await ask()).json()["extensions"]
    api.clock.advance(days=549 - 89)
    notice = (await ask()).json()["extensions"]["expiration"]
    assert notice["joursRestants"] == 89
    assert notice["expireLe"].startswith("2027-09-10")


async def test_an_address_list_is_shown_and_enforced(api: Api) -> None:
    async with api.service.engine.begin() as connection:
        habilitation = await grant(
            connection, siret=DINUM, intitule="x", usage=Usage.BACK_OFFICE, scopes=[], now=api.clock(),
            addresses=["127.0.0.0/8"],
        )  # fmt: skip
        issued = await issue(
            connection, api.service.tokens, habilitation=habilitation, intitule="x", scopes=[], now=api.clock()
        )
    response = await api.client.post(
        "/graphql", json={"query": "{ moi { adressesAutorisees } }"}, headers={"Authorization": f"Bearer {issued.text}"}
    )
    assert response.json()["data"]["moi"]["adressesAutorisees"] == ["127.0.0.0/8"]
