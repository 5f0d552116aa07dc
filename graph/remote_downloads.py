"""Downloads of files that stay at their provider: relayed as they come, never kept, traced before the first byte."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from uuid_utils import uuid7

from auth.caller import Caller
from auth.tokens import TokenRefused
from graph.answers import refusal
from graph.service import Service, datasets
from providers.errors import InMaintenance, NotFound, Overloaded, ProviderError, TimedOut
from resolvers.decision import AnyDataset, Level, level
from resolvers.documents import LinkRefused, RemoteClaims
from resolvers.errors import ProviderFailed
from resolvers.http_client import Answer
from tracing.entry import Entry, Issue, Nature, Origin
from tracing.journal import JournalUnavailable

_DATASETS = {dataset.id: dataset for dataset in datasets()}
_STATUSES: tuple[tuple[type[ProviderError], int], ...] = (
    (NotFound, 404),
    (Overloaded, 503),
    (InMaintenance, 503),
    (TimedOut, 504),
)


@dataclass(frozen=True, slots=True)
class _Begun:
    """A download whose first bytes came: what it is, and how to go on."""

    start: bytes
    media_type: str
    answer: Answer


class RemoteDownloads:
    """`GET /documents/distants/{sealed}`: no token is sent, the link names the one that read it."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def answer(self, request: Request) -> Response:
        request_id = str(uuid7())
        spans = self._service.spans
        if spans is None:
            return await self._answered(request, request_id)
        with spans.request("document", request.headers, request_id) as span:
            response = await self._answered(request, request_id)
            span.set_attribute("http.response.status_code", response.status_code)
            return response

    async def _answered(self, request: Request, request_id: str) -> Response:
        try:
            claims = self._service.files.read_remote_link(request.path_params["sealed"])
            caller = await self._service.tokens.still_valid(claims.token)
        except LinkRefused as error:
            code, status = ("00403", 410) if error.expired else ("00314", 422)
            return _refused(str(error), "BAD_REQUEST", status, code, request_id)
        except TokenRefused as error:
            return _refused(error.message, error.code, error.status, error.code_api, request_id)
        dataset = _DATASETS[claims.dataset]
        if level(caller, dataset, declared=True) is Level.NONE:
            message = "Votre jeton n'ouvre plus ce document."
            return _refused(message, "UNAUTHORIZED_FIELD_OR_TYPE", 403, "00100", request_id)
        origin = _origin(request, request_id, caller, claims)
        try:
            return await self._relayed(dataset, claims, origin)
        except JournalUnavailable:
            message = "Le téléchargement ne peut pas être journalisé : réessayez."
            return _refused(message, "JOURNAL_UNAVAILABLE", 503, "00500", request_id)

    async def _relayed(self, dataset: AnyDataset, claims: RemoteClaims, origin: Origin) -> Response:
        intention = await self._trace(claims, origin, Nature.INTENTION, Issue.EN_COURS, None, None)
        stack = AsyncExitStack()
        try:
            begun = await self._begun(stack, dataset, claims, origin)
            await self._trace(claims, origin, Nature.DOCUMENT, Issue.REPONDU, 200, intention)
        except ProviderError as error:
            await stack.aclose()
            status = next((status for kind, status in _STATUSES if isinstance(error, kind)), 502)
            issue = Issue.INTROUVABLE if isinstance(error, NotFound) else Issue.ECHEC
            await self._trace(claims, origin, Nature.DOCUMENT, issue, status, intention)
            told = ProviderFailed(error, self._service.road.provider(dataset.provider_id), dataset.id)
            body = refusal(told.message, error.code, origin.requete)
            body["errors"][0]["extensions"].update(told.extensions)
            return JSONResponse(body, status, {"X-Request-Id": origin.requete, "Cache-Control": "no-store"})
        except BaseException:
            await stack.aclose()
            raise
        length = begun.answer.length
        return StreamingResponse(
            _bytes(stack, begun),
            media_type=begun.media_type,
            headers={
                **({} if length is None else {"Content-Length": str(length)}),
                "Content-Disposition": f'attachment; filename="{_plain(claims.name)}"',
                "Cache-Control": "no-store",
                "X-Content-Type-Options": "nosniff",
                "X-Request-Id": origin.requete,
            },
        )

    async def _begun(self, stack: AsyncExitStack, dataset: AnyDataset, claims: RemoteClaims, origin: Origin) -> _Begun:
        how = dataset.source.download
        answer = await stack.enter_async_context(
            self._service.road.download(dataset, claims.reference, claims.recipient, origin.requete)
        )
        start = b""
        async for chunk in answer.chunks:
            start = chunk
            if start:
                break
        judge = None if how is None else how.media_type
        return _Begun(start, claims.media_type if judge is None else judge(start), answer)

    async def _trace(
        self,
        claims: RemoteClaims,
        origin: Origin,
        nature: Nature,
        issue: Issue,
        status: int | None,
        intention: str | None,
    ) -> str:
        entry = Entry(
            id=str(uuid7()),
            nature=nature,
            instant=self._service.clock(),
            origine=origin,
            sujet=claims.subject,
            jeu_de_donnees=claims.dataset,
            fournisseur=claims.dataset.partition(".")[0],
            champs=("document",),
            issue=issue,
            code=None,
            portees_manquantes=(),
            cache=False,
            perimee=False,
            duree_ms=None,
            statut_http=status,
            intention=intention,
        )
        await self._service.journal.commit([entry])
        return entry.id


async def _bytes(stack: AsyncExitStack, begun: _Begun) -> AsyncIterator[bytes]:
    """The rest of the file as it comes. A failure on the way cuts the answer: its length shows that it is not whole."""
    async with stack:
        yield begun.start
        async for chunk in begun.answer.chunks:
            yield chunk


def _plain(name: str) -> str:
    """A name that is safe in a header."""
    return "".join(letter if letter.isascii() and (letter.isalnum() or letter in "-_. ") else "_" for letter in name)


def _origin(request: Request, request_id: str, caller: Caller, claims: RemoteClaims) -> Origin:
    return Origin(
        requete=request_id,
        habilitation=caller.habilitation,
        jeton=caller.jeton,
        siret_habilite=caller.siret,
        agent=None,
        contexte=None,
        objet=None,
        destinataire=claims.recipient,
        operation=None,
        document=claims.document,
        adresse=request.client.host if request.client is not None else "",
        agent_utilisateur=request.headers.get("user-agent", "")[:200],
    )


def _refused(message: str, code: str, status: int, code_api: str | None, request_id: str) -> Response:
    body = refusal(message, code, request_id, codeApiEntreprise=code_api)
    return JSONResponse(body, status, {"X-Request-Id": request_id, "Cache-Control": "no-store"})
