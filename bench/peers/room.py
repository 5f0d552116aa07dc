"""The works as a room of ours: records, datasets, and the schema that opens them, with the project's own words.

The schema is the peers' (`schema.graphql`), field for field.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

import httpx
import msgspec
import strawberry
from graphql import GraphQLSchema
from strawberry.schema.config import StrawberryConfig

from auth.registry import Registry, build
from bench.peers.works import GREETING
from graph.guard import enforce
from graph.loading import load
from graph.words import opens, public
from providers.declaration import (
    Access,
    Bulk,
    Call,
    Dataset,
    For,
    Http,
    NotKept,
    Opening,
    Ouverture,
    QuotaGroup,
    Source,
    Timeouts,
    as_is,
)
from providers.record import inherits, record

SCOPE: Final = "banc"
_LIFE: Final = timedelta(minutes=5)
_TIMEOUT: Final = timedelta(seconds=10)


def _field() -> Any:
    return inherits("Champ du banc d'essai.")


@record("Code d'une nomenclature.")
class Nomenclature:
    code: str | None = _field()
    libelle: str | None = _field()
    annee: int | None = _field()


@record("Signataire d'un extrait.")
class Signataire:
    nom: str | None = _field()
    qualite: str | None = _field()


@record("Extrait d'un registre.")
class Extrait:
    numero: strawberry.ID = _field()
    situation: str | None = _field()
    periode: str | None = _field()
    emission: str | None = _field()
    echeance: str | None = _field()
    montant: int | None = _field()
    reguliere: bool | None = _field()
    service: str | None = _field()
    signataire: Signataire | None = _field()


@record("Adresse d'un établissement.")
class Adresse:
    numero: str | None = _field()
    repetition: str | None = _field()
    voie: str | None = _field()
    type: str | None = _field()
    complement: str | None = _field()
    codepostal: str | None = _field()
    commune: str | None = _field()
    insee: str | None = _field()
    cedex: str | None = _field()
    pays: str | None = _field()
    distribution: str | None = _field()
    canton: str | None = _field()


@record("Établissement d'une entreprise.")
class Etablissement:
    siret: strawberry.ID = _field()
    nic: str | None = _field()
    denomination: str | None = _field()
    enseigne: str | None = _field()
    sigle: str | None = _field()
    etat: str | None = _field()
    categorie: str | None = _field()
    creation: str | None = _field()
    fermeture: str | None = _field()
    modification: str | None = _field()
    siege: bool | None = _field()
    employeur: bool | None = _field()
    diffusible: bool | None = _field()
    effectif: int | None = _field()
    saisonnalite: str | None = _field()
    origine: str | None = _field()
    rang: int | None = _field()
    caractere: str | None = _field()
    statut: str | None = _field()
    appellation: str | None = _field()
    region: str | None = _field()
    departement: str | None = _field()
    adresse: Adresse | None = _field()
    activite: Nomenclature | None = _field()
    tranche: Nomenclature | None = _field()


@record("Auteur d'un billet.")
class User:
    id: int = _field()
    name: str | None = _field()
    email: str | None = _field()


# --- The datasets ---------------------------------------------------------------------------------


def _dataset(name: str, type_: Any, bulk: Bulk[str, Any] | None = None) -> Dataset[str, Any, Any]:
    """A dataset that is one call: `/name/key`."""
    decoder: list[msgspec.json.Decoder[Any]] = []

    def call(key: str, access: Access) -> Call:
        return Call(method="GET", url=f"{access.settings['url']}/{name}/{key}")

    def parse(response: httpx.Response, _key: str) -> Any:
        if not decoder:  # a type may name one that is declared further down
            decoder.append(msgspec.json.Decoder(type_ if isinstance(type_, type) else type_()))
        return decoder[0].decode(response.content)

    source = Source(
        id=f"banc.{name}",
        how=Http(call=call, parse=parse, bulk=bulk, steps=1),
        timeouts=Timeouts(connect=_TIMEOUT, read=_TIMEOUT, total=_TIMEOUT),
        life=For(_LIFE),
        not_found_life=NotKept(),
        completion=None,
        max_bytes=1_000_000,
    )
    return Dataset(
        id=source.id,
        seed=None,
        title=name,
        description="Jeu de données du banc d'essai.",
        ouverture=Ouverture.PROTEGEE,
        opening=Opening(scopes=frozenset({SCOPE}), unmasked_for=frozenset(), mask=None, by_diffusion=False),
        source=source,
        record=type_,
        read=as_is,
        source_date=None,
        perimeter="",
        key="",
        freshness="",
        not_found_means="inconnu.",
        quota=QuotaGroup.JSON,
        rest_path="",
        example=None,
        left_out={},
        open_questions=(),
    )


def _users_call(keys: Sequence[str], access: Access) -> Call:
    return Call(method="GET", url=f"{access.settings['url']}/users?" + "&".join(f"id={key}" for key in keys))


_USERS: Final = msgspec.json.Decoder(list[User])


def _users_parse(response: httpx.Response, _keys: Sequence[str]) -> dict[str, Any]:
    return {str(user.id): user for user in _USERS.decode(response.content)}


RCS = _dataset("rcs", Extrait)
FISCALE = _dataset("fiscale", Extrait)
VIGILANCE = _dataset("vigilance", Extrait)
EFFECTIFS = _dataset("effectifs", Extrait)
QUALIOPI = _dataset("qualiopi", Extrait)
EXTRAIT = _dataset("extrait", Extrait)
ETABLISSEMENTS = _dataset("etablissements", lambda: list[Etablissement])
ENTREPRISE = _dataset("entreprise", lambda: Entreprise)
POSTS = _dataset("posts", lambda: list[Post])
USERS = _dataset("users", User, Bulk(size=100, call=_users_call, parse=_users_parse, missing_alone=False))


# --- The graph ------------------------------------------------------------------------------------


@record("Filiale d'une entreprise.")
class Filiale:
    siren: strawberry.ID = _field()

    @opens(EXTRAIT, "Extrait de la filiale.")
    def extrait(self, info: strawberry.Info) -> Extrait | None:
        return load(info, EXTRAIT, self.siren)


@record("Entreprise.")
class Entreprise:
    siren: strawberry.ID = _field()
    siege: strawberry.ID = _field()
    denomination: str | None = _field()
    categorie: str | None = _field()
    creation: str | None = _field()
    active: bool | None = _field()
    effectif: int | None = _field()
    activite: Nomenclature | None = _field()
    forme: Nomenclature | None = _field()
    filiales: list[Filiale] | None = _field()

    @opens(RCS, "Extrait du registre du commerce.")
    def rcs(self, info: strawberry.Info) -> Extrait | None:
        return load(info, RCS, self.siege)

    @opens(FISCALE, "Attestation fiscale.")
    def fiscale(self, info: strawberry.Info) -> Extrait | None:
        return load(info, FISCALE, self.siege)

    @opens(VIGILANCE, "Attestation de vigilance.")
    def vigilance(self, info: strawberry.Info) -> Extrait | None:
        return load(info, VIGILANCE, self.siege)

    @opens(EFFECTIFS, "Effectifs.")
    def effectifs(self, info: strawberry.Info) -> Extrait | None:
        return load(info, EFFECTIFS, self.siege)

    @opens(QUALIOPI, "Certification Qualiopi.")
    def qualiopi(self, info: strawberry.Info) -> Extrait | None:
        return load(info, QUALIOPI, self.siege)

    @opens(ETABLISSEMENTS, "Établissements.")
    def etablissements(self, info: strawberry.Info) -> list[Etablissement] | None:
        return load(info, ETABLISSEMENTS, self.siren)


@record("Billet.")
class Post:
    id: int = _field()
    userId: int = _field()  # noqa: N815 - the wire's own name
    title: str | None = _field()

    @opens(USERS, "Auteur du billet.")
    def user(self, info: strawberry.Info) -> User | None:
        return load(info, USERS, str(self.userId))


@strawberry.type(description="Ce qui se demande.")
class Query:
    @opens(ENTREPRISE, "Une entreprise.")
    def entreprise(self, info: strawberry.Info, siren: str) -> Entreprise | None:
        return load(info, ENTREPRISE, siren)

    @opens(POSTS, "Les billets.")
    def posts(self, info: strawberry.Info) -> list[Post] | None:
        return load(info, POSTS, "")

    @public("n'ouvre aucune donnée", "Une salutation.")
    def greet(self) -> str:
        return GREETING


def _readable(type_: Any) -> None:
    """Tell msgspec that a field which only its resolver gives is no part of the wire (see `providers.record`)."""
    for name in [name for name in vars(type_)["__dataclass_fields__"] if name not in type_.__annotations__]:
        type_.__annotations__[name] = str


for _type in (Filiale, Entreprise, Post):
    _readable(_type)

_STRAWBERRY: Final = strawberry.Schema(query=Query, config=StrawberryConfig(auto_camel_case=False))
SCHEMA: Final[GraphQLSchema] = _STRAWBERRY._schema
REGISTRY: Final[Registry] = build(SCHEMA)
enforce(SCHEMA, REGISTRY)
