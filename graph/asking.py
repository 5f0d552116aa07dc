"""What a request asks: its token, its media type, its body, read and checked before anything is executed.

Source: the GraphQL-over-HTTP specification; both media types.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import mimeparse
import orjson
from starlette.requests import Request

from graph.limits import Excess
from graph.trusted.manifests import digest_of

MODERN = "application/graphql-response+json"
LEGACY = "application/json"


@dataclass(eq=False)
class BadRequest(Exception):
    """The request can't be answered; `status` is `None` where the media type decides it."""

    message: str
    status: int | None = 400
    code: str = "BAD_REQUEST"
    allow: str | None = None
    extensions: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Asked:
    """A well-formed GraphQL request."""

    query: str | None
    document_id: str | None
    """The identifier of a registered document, in the place of its text."""
    operation_name: str | None
    variables: Mapping[str, Any]
    extensions: Mapping[str, Any]


def headers_of(request: Request) -> Mapping[str, str]:
    """The headers by name in lower case, read once; of one that is repeated, the first counts."""
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in reversed(request.scope["headers"])}


def bearer_of(headers: Mapping[str, str]) -> str | None:
    """The token of a request: `Authorization: Bearer`, then `X-Api-Key`. Another scheme counts as absent."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token.strip():
        return token.strip()
    return headers.get("x-api-key") or None


def negotiated(accept: str | None) -> str:
    """The media type of the answer. Raises `BadRequest` (406) when we have none that the client accepts."""
    if accept is None or not accept.strip() or accept.strip() == "*/*":
        return LEGACY
    try:
        # Among equals, mimeparse takes the last one supported.
        found: str = mimeparse.best_match([MODERN, LEGACY], accept)
    except (mimeparse.MimeTypeParseException, ValueError):
        found = ""
    if not found:
        raise BadRequest(f"Réponses possibles : {MODERN} ou {LEGACY}. Corrigez l'en-tête Accept.", 406)
    return found


async def body_of(request: Request, headers: Mapping[str, str], most: int) -> bytes:
    """The bytes of a JSON body of `most` bytes. Raises `BadRequest` for another type (415) or a longer one (413)."""
    media_type, _, parameters = headers.get("content-type", "").partition(";")
    if media_type.strip().lower() != "application/json" or not _is_utf8(parameters):
        raise BadRequest("Envoyez le corps en « Content-Type: application/json », encodé en UTF-8.", 415)
    if headers.get("content-encoding", "identity").lower() != "identity":
        raise BadRequest("Le corps compressé n'est pas accepté.", 415)
    size = 0
    chunks: list[bytes] = []
    async for chunk in request.stream():
        size += len(chunk)
        if size > most:
            excess = Excess("body_bytes", "octets de corps", size, most, at_least=True)
            raise BadRequest(excess.message, 413, extensions=excess.extensions)
        chunks.append(chunk)
    return b"".join(chunks)


def _is_utf8(parameters: str) -> bool:
    charset = parameters.lower().partition("charset=")[2].strip(' "')
    return charset in ("", "utf-8", "utf8")


def from_json(body: bytes) -> Asked:
    """What a JSON body asks. Raises `BadRequest`."""
    try:
        parsed = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise BadRequest("Le corps n'est pas du JSON valable, encodé en UTF-8.") from None
    if isinstance(parsed, list):
        raise BadRequest("Les lots de requêtes ne sont pas acceptés : envoyez une requête par appel.")
    if not isinstance(parsed, dict):
        raise BadRequest("Le corps doit être un objet JSON avec une clé « query ».")
    return _asked_of(parsed)


def from_query_string(request: Request) -> Asked:
    """What the query string of a GET asks. Raises `BadRequest`."""
    parameters: dict[str, Any] = dict(request.query_params)
    for name in ("variables", "extensions"):
        if name in parameters:
            try:
                parameters[name] = orjson.loads(parameters[name])
            except orjson.JSONDecodeError:
                raise BadRequest(f"Le paramètre « {name} » n'est pas du JSON valable.") from None
    return _asked_of(parameters)


def _asked_of(parameters: Mapping[str, Any]) -> Asked:
    query = parameters.get("query")
    if query is not None and not isinstance(query, str):
        raise BadRequest("« query » doit être une chaîne de caractères : le document GraphQL.")
    name = parameters.get("operationName")
    if name is not None and not isinstance(name, str):
        raise BadRequest("« operationName » doit être une chaîne de caractères.")
    for key in ("variables", "extensions"):
        value = parameters.get(key)
        if value is not None and not isinstance(value, dict):
            raise BadRequest(f"« {key} » doit être un objet JSON.")
    document_id = _document_id(parameters, query)
    if query is None and document_id is None:
        raise BadRequest("La clé « query » est obligatoire : le document GraphQL, en chaîne de caractères.")
    return Asked(
        query, document_id, name or None, parameters.get("variables") or {}, parameters.get("extensions") or {}
    )


def _document_id(parameters: Mapping[str, Any], query: str | None) -> str | None:
    """The identifier of a registered document: GraphQL over HTTP's `documentId`, Relay's `doc_id`, Apollo's hash."""
    for key in ("documentId", "doc_id", "id"):
        found = parameters.get(key)
        if isinstance(found, str) and found:
            return found
    match parameters.get("extensions"):
        case {"persistedQuery": {"sha256Hash": str(digest)}}:
            if query is not None and digest_of(query) != digest.lower():
                raise BadRequest("L'empreinte donnée par « persistedQuery » n'est pas celle de « query ».")
            return digest
    return None


def address_of(request: Request) -> str:
    """The address that the request comes from, as the server knows it."""
    return request.client.host if request.client is not None else ""
