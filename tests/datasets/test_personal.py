"""What the law protects in a dataset that the public may read: masked, or behind a right of its own, and tagged as such."""

from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

import orjson
import pytest
from strawberry.utils.str_converters import to_camel_case

from auth.scopes import (
    ANY_TOKEN,
    ASSOCIATIONS_DJEPVA,
    BENEFICIAIRES_EFFECTIFS_INPI,
    OPEN_DATA,
    UNITES_LEGALES_ETABLISSEMENTS_INSEE,
)
from graph.schema import REGISTRY
from providers import PROVIDERS
from providers.declaration import Dataset, Http, Ouverture, Provider
from providers.insee.unite_legale import UNITE_LEGALE
from providers.record import Document, DocumentDistant, DonneePersonnelle
from sandbox.faults import Fault
from sandbox.personas import RNA_LES_GENETS, RNA_SANS_SIREN
from sandbox.personas import named as persona
from tests.conformance import checks
from tests.conformance.test_rooms import PAGES
from tests.conftest import Api, Providers

PUBLIC = [
    (provider, dataset)
    for provider in PROVIDERS
    for dataset in provider.datasets
    if dataset.opening.scopes & {OPEN_DATA, ANY_TOKEN} or dataset.ouverture is not Ouverture.PROTEGEE
]
MASKED = [(provider, dataset) for provider, dataset in PUBLIC if dataset.opening.mask is not None]

SHOWN: dict[str, str] = {
    "ActeRne.document": "filed at a public register by law, which shows it whatever the diffusion status",
    "BilanRne.document": "filed at a public register by law, which shows it whatever the diffusion status",
    "BilanSaisi.document": "filed at a public register by law, which shows it whatever the diffusion status",
    "MandataireExtraitRcs.fonction": "without a name, a function designates nobody",
    "ExtraitRcs.nomCommercial": "a company keeps its trade name, a sole trader does not",
    "EntrepriseArtisanale.denominationSociale": "a company keeps its name, as at INSEE",
    "EntrepriseArtisanale.activiteArtisanalesDeclarees": "a company keeps its activity, as at INSEE",
}
"""Tagged fields that everyone may read, with the reason."""
COMPUTED = frozenset({"diffusableCommercialement"})
"""What a mask changes without hiding anything: it speaks of what is left."""
BY_LEVEL = frozenset(
    {"insee.unite_legale", "insee.etablissement", "insee.siege", "insee.etablissements", "insee.recherche"}
)
"""INSEE has a status for each level and each entity of a page: what is hidden of each is tested in its room."""


@dataclass(frozen=True)
class Leaf:
    coordinate: str
    personal: bool
    """The field is tagged; `within` when one on the way to it is."""
    within: bool
    reserved: bool
    """The field, or one on the way to it, needs a right that the public hasn't."""
    value: Any


def leaves(record: Any, at: str = "", within: bool = False, reserved: bool = False) -> Iterator[tuple[str, Leaf]]:
    """Every leaf of a record, by its path."""
    name = record.__strawberry_definition__.name
    declared = {field.python_name: field for field in record.__strawberry_definition__.fields}
    for field in fields(record):
        strawberry_field = declared.get(field.name)
        if strawberry_field is None:  # private
            continue
        coordinate = f"{name}.{to_camel_case(field.name)}"
        rule = REGISTRY.rules.get(coordinate)
        scopes = getattr(rule, "scopes", frozenset({OPEN_DATA}))
        tagged = any(isinstance(directive, DonneePersonnelle) for directive in strawberry_field.directives)
        closed = reserved or not scopes & {OPEN_DATA, ANY_TOKEN}
        value = getattr(record, field.name)
        for rank, item in enumerate(value if isinstance(value, list) else [value]):
            below = f"{at}/{field.name}/{rank}"
            if is_dataclass(item) and not isinstance(item, Document | DocumentDistant):
                yield from leaves(item, below, within or tagged, closed)
            elif item is not None:
                yield below, Leaf(coordinate, tagged, within, closed, item)


def records(provider: Provider, dataset: Dataset[Any, Any, Any]) -> list[Any]:
    return [
        checks.parsed(provider, dataset, sample)
        for _, sample in checks.samples_of(dataset)
        if "record" in sample and "keys" not in sample and isinstance(dataset.source.how, Http)
    ]


def named(pairs: list[tuple[Provider, Dataset[Any, Any, Any]]]) -> Any:
    return pytest.mark.parametrize(("provider", "dataset"), pairs, ids=[dataset.id for _, dataset in pairs])


@named([pair for pair in MASKED if pair[1].id not in PAGES])
def test_what_a_mask_hides_is_tagged(provider: Provider, dataset: Dataset[Any, Any, Any]) -> None:
    mask = dataset.opening.mask
    assert mask is not None
    untagged = set()
    for record in records(provider, dataset):
        hidden = mask(record)
        shown = {} if hidden is None else dict(leaves(hidden))
        for at, leaf in leaves(record):
            changed = hidden is not None and (at not in shown or shown[at].value != leaf.value)
            computed = leaf.coordinate.partition(".")[2] in COMPUTED
            if changed and not (leaf.personal or leaf.within or leaf.reserved or computed):
                untagged.add(leaf.coordinate)
    assert untagged == set()


@named([pair for pair in PUBLIC if isinstance(pair[1].source.how, Http) and pair[1].id not in BY_LEVEL])
def test_what_is_tagged_is_hidden_from_the_public(provider: Provider, dataset: Dataset[Any, Any, Any]) -> None:
    mask = dataset.opening.mask
    seen = set()
    for record in records(provider, dataset):
        hidden = record if mask is None else mask(record)
        if mask is not None and hidden == record:
            continue  # of whom INSEE has nothing to say: a foreign operator, an association without SIREN
        shown = {} if hidden is None else dict(leaves(hidden))
        for at, leaf in leaves(record):
            if leaf.personal and not leaf.reserved and at in shown and shown[at].value == leaf.value:
                seen.add(leaf.coordinate)
    assert seen - SHOWN.keys() == set()


def test_no_exception_is_left_over() -> None:
    tagged = {
        leaf.coordinate for pair in PUBLIC for record in records(*pair) for _, leaf in leaves(record) if leaf.personal
    }
    assert SHOWN.keys() - tagged == set()


def test_beneficial_owners_are_never_public() -> None:
    """By law, since the 31st of July 2024: neither their dataset nor a field of anything else that is open."""
    (owners,) = [dataset for provider in PROVIDERS for dataset in provider.datasets if "beneficiaires" in dataset.id]
    assert owners.opening.scopes == {BENEFICIAIRES_EFFECTIFS_INPI}
    assert owners.ouverture is Ouverture.PROTEGEE
    items = owners.record.__strawberry_definition__.fields
    assert any(isinstance(directive, DonneePersonnelle) for field in items for directive in field.directives)
    types = {
        leaf.coordinate.partition(".")[0] for pair in PUBLIC for record in records(*pair) for _, leaf in leaves(record)
    }
    assert not {name for name in types if "Beneficiaire" in name}


# --- Seen through the answers ------------------------------------------------------------------------

FILES = "query($i: String!) { documentsAssociation(identifiant: $i) { documents { document { url } } } }"
LES_GENETS = persona("les-genets")


async def files(api: Api, key: str, *scopes: str) -> set[bool]:
    """Whether each document of an association has a file, for a holder of these scopes."""
    answer = await api.ask(FILES, variables={"i": key}, scopes={OPEN_DATA, *scopes})
    assert answer.errors == []
    return {item["document"] is not None for item in answer.at("documentsAssociation.documents")}


async def test_the_files_of_an_association_follow_insee(api: Api, providers: Providers) -> None:
    assert await files(api, LES_GENETS.siren) == {True}
    assert await files(api, RNA_SANS_SIREN) == {True}
    # By its RNA number nobody knows yet which unit it is: nothing says that it is open.
    assert await files(api, RNA_LES_GENETS) == {False}
    assert await files(api, RNA_LES_GENETS, ASSOCIATIONS_DJEPVA) == {True}


async def test_the_files_of_an_association_in_partial_diffusion(api: Api, providers: Providers) -> None:
    body = next(sample["json"] for name, sample in checks.samples_of(UNITE_LEGALE) if name == "association")
    unit = {**body["uniteLegale"], "siren": LES_GENETS.siren, "statutDiffusionUniteLegale": "P"}
    conduct = providers.sandbox.conducts["insee"]
    conduct.answers = ((200, {"content-type": "application/json"}, orjson.dumps({**body, "uniteLegale": unit})),)
    conduct.fault, conduct.only = Fault.ANSWER, f"/siren/{LES_GENETS.siren}"
    assert await files(api, LES_GENETS.siren) == {False}
    assert await files(api, LES_GENETS.siren, UNITES_LEGALES_ETABLISSEMENTS_INSEE) == {True}
