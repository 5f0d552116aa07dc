"""The simulators tell the same of a company, whoever is asked: its names, its identifiers, its activity, where it is.

Read in the raw answers that travel, not in the records: a provider says more than a record shows.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import httpx
import orjson
import pytest
from lxml import etree

from graph.examples import query_for
from graph.schema import REGISTRY
from providers import PROVIDERS
from providers.declaration import Http, subject_of
from sandbox.accounts import holders
from sandbox.personas import PERSONAS, Company, company, with_check_digit
from tests.conftest import Api, Providers
from tests.datasets.test_error_branches import WAYS

ANYONE = [with_check_digit(f"{60000000 + number * 7919}") for number in range(8)]
KNOWN = [persona.siren for persona in PERSONAS.values() if not persona.duplicate_of and persona.slug != "interdite"]

NAME = frozenset({
    "denomination", "denominationSociale", "denominationUniteLegale", "raisonSociale", "raison_sociale", "nom_entreprise",
    "ent_act_denomination_sociale", "nom_sirene", "DEPOSANT", "registered_name",
})  # fmt: skip
SIREN = frozenset({"siren", "id_siren", "ent_id_siren"})
SIRET = frozenset({"siret", "id_siret", "id_siret_siege", "siret_actif", "identifiantDebiteur"})
ACTIVITY = frozenset({
    "codeNAF", "code_ape", "codeAPE", "codeApe", "ape", "codeActivite", "activitePrincipaleUniteLegale",
    "activitePrincipaleEtablissement", "id_activite_principale", "codeNace",
})  # fmt: skip
FORM = frozenset({"categorieJuridiqueUniteLegale", "cat_juridique", "ent_act_forme_juridique", "id_forme_juridique"})
POSTCODE = frozenset({
    "codePostal", "code_postal", "cp", "codePostalEtablissement", "ent_adr_code_postal", "adresse_codepostal",
})  # fmt: skip
TOWN = frozenset({
    "ville", "libelleCommuneEtablissement", "ent_adr_commune", "libelle_commune", "adresse_commune",
    "bureau_distributeur",
})  # fmt: skip
FACTS = {
    key: fact
    for fact, keys in (
        ("name", NAME), ("siren", SIREN), ("siret", SIRET), ("activity", ACTIVITY), ("form", FORM), ("postcode", POSTCODE),
        ("town", TOWN),
    )
    for key in keys
}  # fmt: skip
"""The facts that providers tell, by the names that they give them."""
FACTS_OF_ONE = {("commission_europeenne", "name"): "name", ("douanes", "libelle"): "name"}
"""The same, where the name means something else at the others."""

EMPTY = frozenset({"", "---", "[ND]"})
"""How providers write that they say nothing."""

OF_OTHERS = {
    ("carif_oref", "siret"): "of the organisations that certify",
    ("ministere_interieur", "cp"): "of the networks that an association joins, beside its own",
}
"""Facts of others, under the name of those of the company."""

SAYS_NOTHING = {
    "acoss": "a PDF, or a code",
    "cibtp": "a PDF, or a phrase",
    "cnetp": "a PDF",
    "fntp": "a PDF",
    "probtp": "a phrase, or a PDF",
    "qualibat": "a PDF",
    "opqibi": "a certificate without the name of its holder",
    "qualifelec": "certificates without the name of their holder",
    "data_subvention": "grants, of systems that name the beneficiary now and then",
}
"""Providers whose answers hold none of these facts by name, with the reason."""


def facts_of(known: Company) -> dict[str, set[str]]:
    """What may be said of a company, and of those that direct or hold it."""
    others = [*((it.siren, it.name) for it in known.legal_officers), *((it.siren, it.name) for it in holders(known))]
    held = [it for it in PERSONAS.values() if it.parent == known.siren]
    others += [(it.siren, it.name) for it in held]
    return {
        "name": {known.name, known.display_name, *(name for _, name in others)} - {""},
        "siren": {known.siren, *(siren for siren, _ in others if siren)},
        "siret": {place.siret for place in known.sites},
        "activity": {plain(known.naf)} | {plain(place.naf) for place in known.sites if place.naf},
        "form": {known.legal_form},
        "postcode": {place.address.postcode for place in known.sites},
        "town": {place.address.town for place in known.sites},
    }


def plain(code: str) -> str:
    return code.replace(".", "")


def said(body: bytes) -> Iterator[tuple[str, str]]:
    """Every leaf of an answer in JSON or in XML, under its own name."""
    if body.lstrip()[:1] == b"<":
        try:
            root = etree.fromstring(body)
        except etree.XMLSyntaxError:
            return
        for element in root.iter(etree.Element):
            yield from ((str(name), str(value)) for name, value in element.attrib.items())
            if len(element) == 0:
                yield etree.QName(element).localname, element.text or ""
        return
    try:
        yield from ((name, value) for name, value in _leaves(orjson.loads(body)) if isinstance(value, str))
    except orjson.JSONDecodeError:
        return


def _leaves(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        if isinstance(value.get("name"), str) and isinstance(value.get("value"), str):
            yield value["name"], value["value"]
        for key, item in value.items():
            yield from _leaves(item, key)
    elif isinstance(value, list):
        for item in value:
            yield from _leaves(item, name)
    else:
        yield name, value


class Ear:
    """Hears the answers of every provider."""

    def __init__(self, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
        self.heard: list[tuple[str, bytes]] = []
        for provider in PROVIDERS:
            lane = api.service.road.lanes.get(provider.id)
            if lane is not None:
                monkeypatch.setattr(lane, "_sent", self._listening(provider.id, lane._sent))

    def _listening(self, provider: str, sent: Callable[..., Any]) -> Callable[..., Any]:
        async def listen(*args: Any, **options: Any) -> httpx.Response:
            response: httpx.Response = await sent(*args, **options)
            if response.status_code == 200:
                self.heard.append((provider, response.content))
            return response

        return listen


async def ask_everything(api: Api, known: Company) -> None:
    """Every dataset of one company, by its SIREN or by the SIRET of its head office."""
    for provider in PROVIDERS:
        for dataset in provider.datasets:
            if dataset.id == "insee.recherche" or not isinstance(dataset.source.how, Http):
                continue
            way = next((way for way in WAYS[dataset.id] if way[0].name == "entreprise"), WAYS[dataset.id][0])
            root, subject = way[0].name, subject_of(dataset.example)
            asked = subject[:9] if root == "entreprise" else subject
            here = known.siren if root == "entreprise" else known.head_office.siret
            await api.ask(query_for(REGISTRY, way, replace(dataset)).replace(f'"{asked}"', f'"{here}"'))


@pytest.mark.parametrize("siren", [*KNOWN, *ANYONE])
async def test_all_tell_the_same(api: Api, providers: Providers, monkeypatch: pytest.MonkeyPatch, siren: str) -> None:
    known = company(siren)
    assert known is not None
    ear = Ear(api, monkeypatch)
    await ask_everything(api, known)
    true, wrong = facts_of(known), defaultdict(set)
    for provider, body in ear.heard:
        for key, value in said(body):
            fact = FACTS_OF_ONE.get((provider, key)) or FACTS.get(key)
            told = plain(value.strip()) if fact == "activity" else value.strip().upper()
            if fact is None or (provider, key) in OF_OTHERS or told in EMPTY:
                continue
            if told not in true[fact]:
                wrong[f"{provider}.{key}"].add(told)
    assert dict(wrong) == {}


async def test_all_say_something(api: Api, providers: Providers, monkeypatch: pytest.MonkeyPatch) -> None:
    """A provider that says nothing of who the company is is listed, with the reason."""
    ear = Ear(api, monkeypatch)
    for slug in ("clair-vallon", "les-genets", "gaec", "fournil"):
        await ask_everything(api, next(it for it in PERSONAS.values() if it.slug == slug))
    speaking = {
        provider
        for provider, body in ear.heard
        for key, value in said(body)
        if value not in EMPTY and (key in FACTS or (provider, key) in FACTS_OF_ONE)
    }
    over_http = {provider.id for provider in PROVIDERS if provider.id != "agefiph"}
    assert over_http - speaking == SAYS_NOTHING.keys()


STAFF = """query($s: Siren!) { entreprise(siren: $s) {
  sirene { trancheEffectifSalarie { de a } }
  artisanat { effectifSalarie }
  effectifs(annee: 2024) { effectifsAnnuel { value } }
  bilans { comptesAnnuels { items { effectif } } }
  association { etablissements { rhs { nombreSalaries } } }
} }"""


@pytest.mark.parametrize("slug", ["clair-vallon", "terrassement", "fournil", "les-genets", "gaec"])
async def test_headcounts_are_within_the_bracket(api: Api, slug: str) -> None:
    siren = next(it.siren for it in PERSONAS.values() if it.slug == slug)
    told = (await api.ask(STAFF, variables={"s": siren})).at("entreprise")
    counts = [
        float(value)
        for key, value in _leaves(told)
        if key in ("effectifSalarie", "value", "effectif", "nombreSalaries") and value is not None
    ]
    bracket = told["sirene"]["trancheEffectifSalarie"]
    assert counts
    assert all(bracket["de"] <= round(count) <= bracket["a"] for count in counts), (bracket, counts)
