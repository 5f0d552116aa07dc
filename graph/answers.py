"""The JSON of an answer: data, typed errors, and what the extensions say of where each datum comes from."""

from collections.abc import Iterable, Mapping
from typing import Any

import orjson
from graphql import GraphQLError

from auth.instants import utc_text
from graph.cost import Estimate
from graph.french import in_french
from graph.notices import notices
from providers.errors import NotFound, ProviderError
from resolvers.errors import FieldError
from resolvers.operation import Operation, Provenance

Body = dict[str, Any]


def error_body(error: GraphQLError, request_id: str, fallback_code: str) -> Body:
    """One error as the client reads it. What we did not foresee says nothing of its cause."""
    original = error.original_error
    extensions: Body = {"code": fallback_code}
    message = error.message
    if isinstance(original, FieldError):
        extensions = {"code": original.code, **_code_api(original.code_api), "reessayable": original.retryable}
        extensions.update(original.extensions)
    elif original is not None and not isinstance(original, GraphQLError):
        message = "Erreur interne du service. Signalez-la avec l'identifiant de la requête."
        extensions = {"code": "INTERNAL_SERVER_ERROR", "codeApiEntreprise": "00500"}
    else:
        message = in_french(message)
        extensions.update(error.extensions or {})
    extensions["idRequete"] = request_id
    body: Body = {"message": message}
    if error.locations:
        body["locations"] = [{"line": place.line, "column": place.column} for place in error.locations]
    if error.path:
        body["path"] = error.path
    body["extensions"] = extensions
    return body


def _code_api(code: str | None) -> Body:
    return {} if code is None else {"codeApiEntreprise": code}


def is_foreseen(error: GraphQLError) -> bool:
    """Whether an error of the execution is one of ours, or of the client: anything else is a bug to log."""
    original = error.original_error
    return original is None or isinstance(original, (FieldError, GraphQLError))


def refusal(message: str, code: str, request_id: str, **more: Any) -> Body:
    """An answer without data: the request itself was refused."""
    return {"errors": [{"message": message, "extensions": {"code": code, **more, "idRequete": request_id}}]}


def extensions_of(operation: Operation, request_id: str, announced: Estimate) -> Body:
    """`extensions` of an answer with data."""
    body: Body = {
        "idRequete": request_id,
        "provenance": [_provenance(item) for item in operation.provenance],
        "cout": cost_body(
            announced,
            operation.trace.calls,
            {balance.name: balance.remaining for balance in operation.meter.balances.values()},
        ),
    }
    if operation.refusals:
        body["authorization"] = {
            "missingScopes": [
                {"coordinate": coordinate, "required": [[scope] for scope in sorted(scopes)]}
                for coordinate, scopes in sorted(operation.refusals.items())
            ],
            "actualScopes": sorted(operation.caller.scopes),
        }
    return body | notices(operation)


def cost_body(announced: Estimate, made: Mapping[str, int], remaining: Mapping[str, int]) -> Body:
    """`extensions.cout`: calls to providers, asked for before execution, really made, and left by counter."""
    providers = sorted({*announced.by_provider, *made})
    return {
        "demande": announced.total,
        "reel": sum(made.values()),
        "parFournisseur": {
            name: {"demande": announced.by_provider.get(name, 0), "reel": made.get(name, 0)} for name in providers
        },
        "restant": dict(remaining),
    }


def _provenance(item: Provenance) -> Body:
    line = item.line
    obtained = item.obtained
    return {
        "chemin": list(item.path),
        "jeuDeDonnees": line.dataset.id,
        "fournisseur": line.dataset.provider_id,
        "sujet": line.subject,
        "statut": _status(obtained.error if obtained is not None else None, line.issue.value),
        "obtenueLe": None if obtained is None else utc_text(obtained.at),
        "miseAJourSource": item.source_date,
        "cache": item.cache,
        "perimee": line.stale,
        "masquee": item.masked,
        "dureeMs": None if obtained is None or item.cache else round(obtained.duration_ms, 1),
    }


def _status(error: ProviderError | None, issue: str) -> str:
    if isinstance(error, NotFound):
        return "INTROUVABLE"
    return error.code if error is not None else issue


def encode(body: Mapping[str, Any]) -> bytes:
    return orjson.dumps(body)


def errors_of(errors: Iterable[GraphQLError], request_id: str, code: str) -> list[Body]:
    return [error_body(error, request_id, code) for error in errors]
