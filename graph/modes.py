"""Two ways of asking, chosen by the request's `extensions`: all or nothing, and the schema cut down to one's rights."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import orjson
from cachetools import LRUCache
from graphql import GraphQLSchema, execute_sync

from auth.caller import Caller
from graph.answers import Body
from graph.documents import Prepared
from graph.rights import Protected, view
from resolvers.refusals import denied_field

STRICT: Final = "stricte"
"""`extensions.autorisation`: nothing is executed unless everything is granted."""
MY_RIGHTS: Final = "mesDroits"
"""`extensions.introspection`: the schema without what the token can't read."""


def strict_refusal(refused: Sequence[Protected], caller: Caller, request_id: str) -> Body:
    """The answer of strict mode when anything is refused: every field at fault at once, and no data."""
    errors = []
    for one in refused:
        error = denied_field(one.coordinate, one.rule.scopes)
        extensions = {"code": error.code, "codeApiEntreprise": error.code_api, "reessayable": False}
        errors.append(
            {
                "message": error.message,
                "path": list(one.path),
                "extensions": {**extensions, **error.extensions, "idRequete": request_id},
            }
        )
    missing = {one.coordinate: one.rule.scopes for one in refused}
    return {
        "data": None,
        "errors": errors,
        "extensions": {
            "idRequete": request_id,
            "authorization": {
                "missingScopes": [
                    {"coordinate": coordinate, "required": [[scope] for scope in sorted(scopes)]}
                    for coordinate, scopes in sorted(missing.items())
                ],
                "actualScopes": sorted(caller.scopes),
            },
        },
    }


_ANSWERS: LRUCache[tuple[Any, ...], bytes] = LRUCache(64)


def schema_answer(
    schema: GraphQLSchema,
    denied: frozenset[str],
    prepared: Prepared,
    name: str | None,
    variables: Mapping[str, Any],
) -> orjson.Fragment:
    """The data of an operation that only reads the schema, read from the view of what is not denied."""
    assert prepared.document is not None  # noqa: S101 - only valid documents are executed
    reference = (prepared.digest, name, denied, orjson.dumps(variables, option=orjson.OPT_SORT_KEYS))
    known = _ANSWERS.get(reference)
    if known is None:
        result = execute_sync(
            view(schema, denied), prepared.document, variable_values=dict(variables), operation_name=name
        )
        known = _ANSWERS[reference] = orjson.dumps(result.data)
    return orjson.Fragment(known)
