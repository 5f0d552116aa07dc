"""GraphQL over HTTP: one request, from its bytes to its answer.

A plain route, outside of the framework's own stack. The order is the road's: who, what, may, execute, trace,
answer. Nothing is answered untraced: the journal holds the entries before the first byte leaves.
Source: the GraphQL-over-HTTP specification; both media types.
"""

import asyncio
import logging
from collections.abc import Callable, Hashable, Mapping
from dataclasses import replace
from inspect import isawaitable
from typing import Any

import orjson
from graphql import ExecutionResult, OperationDefinitionNode
from opentelemetry.trace import get_current_span
from starlette.requests import Request
from starlette.responses import Response
from uuid_utils import uuid4

from auth.caller import Caller
from auth.tokens import TokenRefused
from graph.answers import Body, encode, error_body, errors_of, extensions_of, is_foreseen, refusal
from graph.asking import (
    LEGACY,
    MODERN,
    Asked,
    BadRequest,
    address_of,
    bearer_of,
    body_of,
    from_json,
    from_query_string,
    headers_of,
    negotiated,
)
from graph.cost import Estimate, Reader, estimate, excess_in, excess_of_calls
from graph.documents import Prepared, is_query, name_of
from graph.execution import run
from graph.freshness import oldest_accepted
from graph.leaving import GONE, ClientGone, unless_gone
from graph.limits import Excess
from graph.modes import MY_RIGHTS, STRICT, schema_answer, strict_refusal
from graph.profiles import SURFACES
from graph.reason import BadReason, reason_of
from graph.responses import json_answer, too_many
from graph.rights import protected_fields
from graph.service import DIFFUSION, Service
from graph.sharing import Flights, identity
from graph.trusted.ready import READY, READY_TEXTS
from providers.declaration import Ouverture
from resolvers.decision import AnyDataset, Level, level
from resolvers.operation import Operation, Reason
from resolvers.quotas import Meter
from resolvers.refusals import UNTRACED
from resolvers.spans import name_operation
from resolvers.trace import Trace
from tracing.entry import Origin
from tracing.journal import JournalUnavailable

logger = logging.getLogger(__name__)

_MAX_COSTS = 1_000


class Endpoint:
    """Answers GraphQL requests with one service."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._surface = SURFACES[service.settings.profil]
        self._flights = Flights()

    async def __call__(self, request: Request) -> Response:
        """The answer to a request whose token travels in its headers."""
        headers = headers_of(request)
        return await self._traced(request, headers, bearer_of(headers))

    async def answer(self, request: Request, bearer: str | None) -> Response:
        """The answer to a request made with this token."""
        return await self._traced(request, headers_of(request), bearer)

    async def _traced(self, request: Request, headers: Mapping[str, str], bearer: str | None) -> Response:
        request_id = str(uuid4())
        spans = self._service.spans
        if spans is None:
            return await self._answered(request, headers, request_id, bearer)
        with spans.request("graphql", headers, request_id) as span:
            response = await self._answered(request, headers, request_id, bearer)
            span.set_attribute("http.response.status_code", response.status_code)
            return response

    async def _answered(
        self, request: Request, headers: Mapping[str, str], request_id: str, bearer: str | None
    ) -> Response:
        try:
            media_type = negotiated(headers.get("accept"))
        except BadRequest as error:
            return json_answer(refusal(error.message, error.code, request_id), error.status or 406, LEGACY, request_id)
        wait = self._service.addresses.seconds_to_wait(address_of(request))
        if wait is not None:
            return too_many(wait, media_type, request_id)
        try:
            caller = await self._service.tokens.resolve(bearer, address_of(request))
            asked = await self._asked(request, headers)
            status, body = await self._execute(request, headers, request_id, caller, asked, media_type)
        except TokenRefused as error:
            body = refusal(error.message, error.code, request_id, raison=error.reason, codeApiEntreprise=error.code_api)
            response = json_answer(body, error.status, media_type, request_id)
            if error.status == 401:
                response.headers["WWW-Authenticate"] = 'Bearer realm="graphe-entreprise"'
            return response
        except BadRequest as error:
            body = refusal(error.message, error.code, request_id, **error.extensions)
            response = json_answer(body, error.status or _failed(media_type), media_type, request_id)
            if error.allow is not None:
                response.headers["Allow"] = error.allow
            return response
        except ClientGone:
            return Response(status_code=GONE)
        except JournalUnavailable:
            body = refusal(UNTRACED, "JOURNAL_UNAVAILABLE", request_id, reessayable=True)
            return json_answer(body, 503, media_type, request_id)
        response = json_answer(body, status, media_type, request_id)
        meter: Meter | None = getattr(request.state, "meter", None)
        if meter is not None:
            response.headers.update(meter.headers())
        return response

    # --- What is asked ------------------------------------------------------------------------------

    async def _asked(self, request: Request, headers: Mapping[str, str]) -> Asked:
        if request.method == "GET" and self._surface.get:
            return from_query_string(request)
        if request.method != "POST":
            allow = "GET, POST" if self._surface.get else "POST"
            raise BadRequest("Envoyez la requête par POST, en JSON.", 405, allow=allow)
        return from_json(await body_of(request, headers, self._service.settings.limits.body_bytes))

    def _text(self, asked: Asked, caller: Caller) -> str:
        """The document to run. Raises `BadRequest` for an unknown identifier, or a text that a lock keeps out."""
        trusted = self._service.trusted
        if asked.query is None:
            identifier = asked.document_id or ""
            text = trusted.text(caller.habilitation, identifier) or READY.get(identifier)
            if text is None:
                # Apollo's clients read this very message, and send the text in their next request.
                raise BadRequest("PersistedQueryNotFound", None, "PERSISTED_QUERY_NOT_FOUND")
            return text
        locked = self._surface.locked or trusted.locks(caller.jeton)
        if locked and not trusted.holds(caller.habilitation, asked.query) and asked.query not in READY_TEXTS:
            raise BadRequest(
                "Ce jeton n'exécute que des documents enregistrés : envoyez « documentId », ou faites enregistrer "
                "ce document par l'exploitant du service.",
                None,
                "QUERY_NOT_IN_SAFELIST",
            )
        return asked.query

    def _prepared(self, asked: Asked, caller: Caller) -> tuple[Prepared, Asked]:
        """The document to run, and the request with the literals of its text among its variables."""
        prepared = self._service.documents.lifted(self._text(asked, caller))
        if prepared.literals:
            asked = replace(asked, variables={**asked.variables, **prepared.literals})
        return prepared, asked

    def _operation(self, prepared: Prepared, asked: Asked, method: str) -> OperationDefinitionNode:
        """The one operation to run: several without a name are refused, never guessed at."""
        named = [node for node in prepared.operations if asked.operation_name in (None, node.name and node.name.value)]
        if not named:
            raise BadRequest(
                "Le document ne contient pas l'opération demandée par « operationName ».",
                400,
                "OPERATION_RESOLUTION_FAILURE",
            )
        if len(named) > 1:
            raise BadRequest(
                "Le document contient plusieurs opérations : dites laquelle par « operationName ».",
                400,
                "OPERATION_RESOLUTION_FAILURE",
            )
        if method == "GET" and not is_query(named[0]):
            raise BadRequest("Par GET, seules les opérations « query » sont acceptées.", 405, allow="POST")
        return named[0]

    # --- Execution ----------------------------------------------------------------------------------

    async def _execute(
        self,
        request: Request,
        headers: Mapping[str, str],
        request_id: str,
        caller: Caller,
        asked: Asked,
        media_type: str,
    ) -> tuple[int, Body]:
        service = self._service
        failed = _failed(media_type)
        prepared, asked = self._prepared(asked, caller)
        if prepared.document is None:
            return failed, {"errors": errors_of(prepared.errors, request_id, prepared.code)}
        chosen = self._operation(prepared, asked, request.method)
        name = name_of(chosen)
        if self._service.spans is not None:
            name_operation(get_current_span(), chosen.operation.value, name)
        other = self._other_way(prepared, chosen, caller, asked, request_id)
        if other is not None:
            return 200, other
        try:
            reason = reason_of(headers, asked.extensions, caller, service.settings.secret.get_secret_value())
            oldest = oldest_accepted(headers, asked.extensions)
        except BadReason as error:
            return failed, refusal(str(error), "BAD_USER_INPUT", request_id, codeApiEntreprise=error.code_api)
        announced, excess = self._cost(prepared, name, caller, reason, asked.variables)
        if excess is not None:
            return failed, refusal(excess.message, "BAD_USER_INPUT", request_id, **excess.extensions)
        operation = self._begun(request, headers, request_id, caller, reason, prepared, asked, name)
        if oldest is not None:
            operation.refuse_older_than(oldest)
        key = None if oldest is not None else identity(prepared, name, caller, reason, asked.variables)
        shared = await self._shared(request, operation, key, failed, announced)
        if shared is not None:
            return shared
        with self._flights.leading(key) as flight:
            result = await self._ran(request, operation, prepared, chosen, asked)
            status, body = _completed(result, operation, request_id, failed, announced)
            if name in prepared.on_schema and "errors" not in body:
                prepared.schema_answers[name] = encode(body["data"])
            entries = operation.trace.entries(status)
            flight.land(result, operation, entries)
            if entries:
                await service.commit(entries)
        return status, body

    async def _shared(
        self, request: Request, operation: Operation, key: Hashable | None, failed: int, announced: Estimate
    ) -> tuple[int, Body] | None:
        """The answer that an identical request in flight gives to this one too; `None` when there is none."""
        while (flight := self._flights.joined(key)) is not None:
            if flight.result is None:
                await unless_gone(request, flight.landing())
            if flight.result is None or flight.operation is None:
                continue  # given up: its caller has left
            operation.share(flight.operation)
            status, body = _completed(flight.result, operation, operation.trace.origin.requete, failed, announced)
            if flight.data is not None:
                body["data"] = flight.data
            await self._service.commit(operation.trace.told_again(flight.entries))
            return status, body
        return None

    def _cost(
        self, prepared: Prepared, name: str | None, caller: Caller, reason: Reason, variables: Mapping[str, Any]
    ) -> tuple[Estimate, Excess | None]:
        """The calls that this request may need, and the limit that it passes, if any."""
        plan = prepared.plans[name]
        declared = not reason.missing
        reference = (name, plan.chosen(variables), caller.scopes, caller.usage, declared)
        known = prepared.costs.get(reference)
        if known is None:
            limits = self._service.settings.limits
            reader = Reader(self._service.registry.denied(caller), _level_of(caller, reason), DIFFUSION.dataset)
            announced = estimate(plan, variables, reader)
            known = announced, excess_in(plan, variables, limits) or excess_of_calls(announced, limits)
            if len(prepared.costs) >= _MAX_COSTS:
                prepared.costs.clear()
            prepared.costs[reference] = known
        return known

    def _begun(
        self,
        request: Request,
        headers: Mapping[str, str],
        request_id: str,
        caller: Caller,
        reason: Reason,
        prepared: Prepared,
        asked: Asked,
        name: str | None,
    ) -> Operation:
        """The state of this request: who asks, why, and what has been traced so far (nothing)."""
        service = self._service
        origin = Origin(
            requete=request_id,
            habilitation=caller.habilitation,
            jeton=caller.jeton,
            siret_habilite=caller.siret,
            agent=reason.agent,
            contexte=reason.contexte,
            objet=reason.objet,
            destinataire=reason.destinataire,
            operation=name,
            document=prepared.digest,
            adresse=address_of(request),
            agent_utilisateur=headers.get("user-agent", "")[:200],
        )
        operation = Operation(
            caller=caller,
            reason=reason,
            road=service.road,
            documents=service.files,
            trace=Trace(origin, service.clock),
            select=lambda info, op: service.documents.selection(prepared, info, op),
            denied=service.registry.denied(caller),
            denied_datasets=service.registry.denied_datasets(caller),
            diffusion=DIFFUSION,
            clock=service.clock,
            deadline=asyncio.get_running_loop().time() + service.settings.operation_seconds,
            meter=Meter(service.counters, caller, service.clock, service.settings.quotas),
        )
        request.state.meter = operation.meter
        operation.variables = asked.variables
        operation.house = service
        return operation

    async def _ran(
        self,
        request: Request,
        operation: Operation,
        prepared: Prepared,
        chosen: OperationDefinitionNode,
        asked: Asked,
    ) -> ExecutionResult:
        """The result of the execution; when it is given up, what was asked of providers is written all the same."""
        service = self._service
        try:
            result = run(service.schema, prepared, chosen, operation, asked.variables)
            if isawaitable(result):
                return await unless_gone(request, asyncio.ensure_future(result))
        except BaseException:
            # The caller left, or the process is told to stop.
            await asyncio.shield(service.commit(operation.trace.entries(GONE)))
            raise
        return result

    def _other_way(
        self, prepared: Prepared, chosen: OperationDefinitionNode, caller: Caller, asked: Asked, request_id: str
    ) -> Body | None:
        """The answer that needs no execution: another way, asked by the request's `extensions`, or a schema read before."""
        service = self._service
        denied = service.registry.denied(caller)
        name = chosen.name.value if chosen.name else None
        if asked.extensions.get("introspection") == MY_RIGHTS and name in prepared.on_schema:
            mine = schema_answer(service.schema, denied, prepared, name, asked.variables)
            return {"data": mine, "extensions": {"idRequete": request_id}}
        if denied and asked.extensions.get("autorisation") == STRICT:
            wanted = protected_fields(service.schema, service.registry, chosen, prepared.fragments, asked.variables)
            refused = [one for one in wanted if one.coordinate in denied]
            if refused:
                return strict_refusal(refused, caller, request_id)
        known = prepared.schema_answers.get(name)
        return None if known is None else {"data": orjson.Fragment(known), "extensions": {"idRequete": request_id}}


def _failed(media_type: str) -> int:
    """The status of a request that is refused before execution."""
    return 400 if media_type == MODERN else 200


def _completed(
    result: ExecutionResult, operation: Operation, request_id: str, failed: int, announced: Estimate
) -> tuple[int, Body]:
    errors = result.errors or []
    if result.data is None and errors and all(error.path is None for error in errors):
        # The variables were refused before anything ran: no `data` key, says the specification.
        return failed, {"errors": errors_of(errors, request_id, "BAD_USER_INPUT")}
    body: Body = {"data": result.data}
    if errors:
        for error in errors:
            if not is_foreseen(error):
                logger.error("request %s: unforeseen error", request_id, exc_info=error.original_error)
        body["errors"] = [error_body(error, request_id, "BAD_USER_INPUT") for error in errors]
    body["extensions"] = extensions_of(operation, request_id, announced)
    return 200, body


def _level_of(caller: Caller, reason: Reason) -> Callable[[AnyDataset], Level]:
    """How much a caller reads of each dataset; nothing of a protected one without a declared reason."""
    declared = not reason.missing

    def read(dataset: AnyDataset) -> Level:
        if dataset.ouverture is Ouverture.PROTEGEE and not declared:
            return Level.NONE
        return level(caller, dataset, declared=declared)

    return read
