"""The schema, finished: built by strawberry, ruled by the registry, executed by graphql-core."""

import strawberry
from graphql import GraphQLSchema

from auth.registry import Registry, build
from graph.arguments import describe
from graph.guard import enforce
from graph.scalars import CONFIG
from graph.types.requete import Query

STRAWBERRY = strawberry.Schema(query=Query, config=CONFIG)


def _finished(schema: GraphQLSchema) -> Registry:
    registry = build(schema)
    enforce(schema, registry)
    describe(schema)
    return registry


SCHEMA: GraphQLSchema = STRAWBERRY._schema  # strawberry offers no public way to the schema it builds
REGISTRY: Registry = _finished(SCHEMA)


def sdl() -> str:
    """The schema as it is committed in `schema.graphql`."""
    return STRAWBERRY.as_str() + "\n"
