"""How the GraphQL endpoint receives the world: its named profiles, and the limits of what one request may ask."""

from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class Profile(StrEnum):
    """One word for a coherent set of choices; see `graph.profiles` for what each means."""

    OUVERT = "ouvert"
    """For exploration and for tools: queries are also answered by GET."""
    PRODUCTION = "production"
    """POST only; any document within the limits, registered documents only for the tokens locked on them."""
    VERROUILLE = "verrouille"
    """Registered documents only, whoever asks."""


class Limits(BaseModel):
    """The largest request that is answered. `GRAPHE_LIMITS='{"depth": 15}'` changes one and keeps the others."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    body_bytes: Annotated[int, Field(ge=1_000, description="Octets du corps de la requête HTTP")] = 200_000
    source_bytes: Annotated[int, Field(ge=500, description="Octets du document GraphQL")] = 100_000
    tokens: Annotated[int, Field(ge=50, description="Lexèmes du document")] = 5_000
    depth: Annotated[int, Field(ge=2, description="Profondeur des champs")] = 12
    list_depth: Annotated[int, Field(ge=1, description="Listes imbriquées")] = 3
    node_depth: Annotated[int, Field(ge=1, description="Entreprises et établissements imbriqués")] = 4
    aliases: Annotated[int, Field(ge=0, description="Alias")] = 30
    root_fields: Annotated[int, Field(ge=1, description="Champs à la racine")] = 20
    node_directives: Annotated[int, Field(ge=1, description="Directives sur un même élément")] = 4
    directives: Annotated[int, Field(ge=1, description="Directives en tout")] = 40
    fields: Annotated[int, Field(ge=10, description="Champs hors des listes")] = 400
    list_fields: Annotated[int, Field(ge=10, description="Champs dans les éléments de listes")] = 400
    fragment_depth: Annotated[int, Field(ge=1, le=60, description="Fragments imbriqués")] = 20
    introspections: Annotated[int, Field(ge=0, description="Lectures du schéma")] = 4
    introspection_fields: Annotated[int, Field(ge=0, description="Champs à la lecture du schéma")] = 600
    introspection_depth: Annotated[int, Field(ge=0, description="Profondeur à la lecture du schéma")] = 20
    page_size: Annotated[int, Field(ge=1, le=100, description="Éléments d'une page ou d'une liste d'identifiants")] = (
        100
    )
    values: Annotated[int, Field(ge=100, description="Valeurs dans toute la réponse")] = 100_000
    calls: Annotated[int, Field(ge=1, description="Appels à des fournisseurs")] = 2_000
    validation_errors: Annotated[int, Field(ge=1, le=20, description="Erreurs de validation décrites")] = 20
    validation_ms: Annotated[int, Field(ge=10, description="Temps de calcul de la validation, en millisecondes")] = 250
