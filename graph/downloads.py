"""Downloads of stored documents: the link's signature is checked, the access traced, the bytes streamed."""

from collections.abc import AsyncIterator

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from uuid_utils import uuid7

from auth.tokens import TokenRefused
from graph.answers import refusal
from graph.service import Service
from providers.errors import Unavailable
from resolvers.documents import Link, LinkRefused
from tracing.entry import Entry, Issue, Nature, Origin
from tracing.journal import JournalUnavailable


class Downloads:
    """`GET /documents/{signed}`: no token is sent, the link names the one that read it."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def answer(self, request: Request) -> Response:
        request_id = str(uuid7())
        try:
            link = self._service.files.read_link(request.path_params["signed"])
        except LinkRefused as error:
            code, status = ("00403", 410) if error.expired else ("00314", 422)
            return _refused(str(error), status, code, request_id)
        try:
            caller = await self._service.tokens.still_valid(link.token)
        except TokenRefused as error:
            return _refused(error.message, error.status, error.code_api, request_id)
        origin = Origin(
            requete=request_id,
            habilitation=caller.habilitation,
            jeton=caller.jeton,
            siret_habilite=caller.siret,
            agent=None,
            contexte=None,
            objet=None,
            destinataire=None,
            operation=None,
            document=link.document,
            adresse=request.client.host if request.client is not None else "",
            agent_utilisateur=request.headers.get("user-agent", "")[:200],
        )
        try:
            size, chunks = await self._service.files.stream(link.document)
        except LookupError:
            await self._trace(link, origin, Issue.INTROUVABLE, 404)
            return _refused(
                "Ce document n'est plus conservé : redemandez-le par une requête.", 404, "00403", request_id
            )
        except Unavailable as error:
            await self._trace(link, origin, Issue.ECHEC, 503)
            return _refused(error.message, 503, "00502", request_id)
        try:
            await self._trace(link, origin, Issue.REPONDU, 200)
        except JournalUnavailable:
            return _refused("Le téléchargement ne peut pas être journalisé : réessayez.", 503, "00500", request_id)
        return StreamingResponse(
            _bytes(chunks),
            media_type=link.media_type,
            headers={
                "Content-Length": str(size),
                "Content-Disposition": f'attachment; filename="{link.name}"',
                "Cache-Control": "no-store",
                "X-Content-Type-Options": "nosniff",
                "X-Request-Id": request_id,
            },
        )

    async def _trace(self, link: Link, origin: Origin, issue: Issue, status: int) -> None:
        entry = Entry(
            id=str(uuid7()),
            nature=Nature.DOCUMENT,
            instant=self._service.clock(),
            origine=origin,
            sujet=link.subject,
            jeu_de_donnees=link.dataset,
            fournisseur=link.dataset.partition(".")[0],
            champs=("document",),
            issue=issue,
            code=None,
            portees_manquantes=(),
            cache=False,
            perimee=False,
            duree_ms=None,
            statut_http=status,
            intention=None,
        )
        await self._service.journal.commit([entry])


async def _bytes(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    async for chunk in chunks:
        yield chunk


def _refused(message: str, status: int, code_api: str, request_id: str) -> Response:
    body = refusal(
        message, "BAD_REQUEST" if status < 500 else "SERVICE_UNAVAILABLE", request_id, codeApiEntreprise=code_api
    )
    return JSONResponse(body, status, {"X-Request-Id": request_id, "Cache-Control": "no-store"})
