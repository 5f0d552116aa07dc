"""The scalars of the schema: identifiers that are checked at the door, amounts and instants."""

from decimal import Decimal
from typing import Any

import strawberry
from graphql import GraphQLError, StringValueNode, ValueNode
from graphql.utilities import value_from_ast_untyped
from strawberry.schema.config import StrawberryConfig
from strawberry.types.scalar import ScalarDefinition

from providers import identifiers
from providers.identifiers import InvalidIdentifier, Siren, Siret

_JSON_MAX_DEPTH = 20


def _checked(check: Any) -> Any:
    def parse(value: object) -> object:
        if not isinstance(value, str):
            raise GraphQLError("Donnez l'identifiant comme une chaîne de caractères, entre guillemets.")
        try:
            return check(value)
        except InvalidIdentifier as error:
            raise GraphQLError(str(error), extensions={"codeApiEntreprise": error.code_api}) from None

    return parse


def _literal(check: Any) -> Any:
    parse = _checked(check)

    def parse_literal(node: ValueNode, _variables: object = None) -> object:
        return parse(node.value if isinstance(node, StringValueNode) else None)

    return parse_literal


def _identifier(name: str, check: Any, description: str) -> ScalarDefinition:
    return strawberry.scalar(
        name=name,
        description=description,
        serialize=str,
        parse_value=_checked(check),
        parse_literal=_literal(check),
        specified_by_url=None,
    )


def _plain_json(node: ValueNode, variables: object = None) -> object:
    return value_from_ast_untyped(node, variables if isinstance(variables, dict) else None)


JSON = strawberry.scalar(
    name="JSON", description="Valeur JSON quelconque.", serialize=lambda value: value, parse_value=lambda value: value,
    parse_literal=_plain_json,
)  # fmt: skip


class Json:
    """Marker of a JSON value in annotations."""


SCALARS: dict[object, ScalarDefinition] = {
    Siren: _identifier("Siren", identifiers.siren, "Numéro SIREN d'une entreprise : neuf chiffres, clé de Luhn juste."),
    Siret: _identifier(
        "Siret", identifiers.siret,
        "Numéro SIRET d'un établissement : quatorze chiffres, clé de Luhn juste (sauf établissements de La Poste).",
    ),
    Decimal: strawberry.scalar(
        name="Decimal", description="Nombre décimal exact, écrit comme une chaîne (par exemple « 12500.50 »).",
        serialize=str, parse_value=Decimal,
    ),
    Json: JSON,
}  # fmt: skip

CONFIG = StrawberryConfig(scalar_map=SCALARS, auto_camel_case=True)
