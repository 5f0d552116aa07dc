"""What a caller chooses when a dataset wants more than a SIREN: an establishment, a year, a month."""

from collections.abc import Callable
from datetime import date
from typing import TypeVar

import strawberry
from graphql import GraphQLError

from graph.loading import head_office, operation_of
from providers.declaration import PARIS
from providers.dgfip.liasse import ExerciceDeclare, annees_ouvertes
from providers.identifiers import InvalidIdentifier, Siren, Siret, siren_of

K = TypeVar("K")


def bad_input(message: str, code_api: str | None = None) -> GraphQLError:
    """A client's fault, told so that it can be mended."""
    extensions = {"code": "BAD_USER_INPUT"}
    if code_api is not None:
        extensions["codeApiEntreprise"] = code_api
    return GraphQLError(message, extensions=extensions)


def checked(make: Callable[[], K]) -> K:
    """The key that `make` gives; an invalid identifier becomes the client's fault."""
    try:
        return make()
    except InvalidIdentifier as error:
        raise bad_input(str(error), error.code_api) from None


def today(info: strawberry.Info) -> date:
    """The day of the request, in Paris."""
    return operation_of(info).now().astimezone(PARIS).date()


def chosen_site(info: strawberry.Info, siren: Siren, siret: Siret | None) -> Siret | None:
    """The establishment that a dataset keyed by SIRET is asked for: the one given, else the head office."""
    if siret is None:
        return head_office(info, siren)
    if siren_of(siret) != siren:
        raise bad_input("Le SIRET donné n'est pas celui d'un établissement de cette entreprise.", "00302")
    return siret


def declared_year(info: strawberry.Info, siren: Siren, annee: int) -> ExerciceDeclare:
    """A fiscal year that the DGFIP may be asked for."""
    open_years = annees_ouvertes(today(info))
    if annee not in open_years:
        raise bad_input(f"« annee » doit être comprise entre {open_years[0]} et {open_years[-1]}.", "00315")
    return ExerciceDeclare(sujet=siren, annee=annee)
