"""`POST /webhooks/datapass`: the habilitation service's deliveries. Signed, or refused and logged without content."""

import logging

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from auth.datapass import Unprocessable, receive, signature_holds
from graph.service import Service

logger = logging.getLogger(__name__)

_MAX_BODY = 1_000_000


class Webhook:
    """Takes one delivery. Closed (404) as long as no secret is shared with the habilitation service."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def answer(self, request: Request) -> Response:
        secret = self._service.settings.datapass_secret.get_secret_value()
        if not secret:
            return _refusal("Ce service ne reçoit pas de livraison du service des habilitations.", 404)
        body = await _bounded(request)
        if body is None:
            return _refusal(f"Livraison trop grosse : {_MAX_BODY} octets au plus.", 413)
        if not signature_holds(body, request.headers.get("x-hub-signature-256", ""), secret):
            logger.warning("datapass: a delivery of %d bytes with a wrong signature was refused", len(body))
            return _refusal("Signature absente ou invalide.", 401)
        environment = request.headers.get("x-app-environment")
        if environment not in (None, self._service.settings.environment.value):
            logger.warning("datapass: a delivery of another environment was refused")
            return _refusal("Cette livraison vient d'un autre environnement.", 422)
        try:
            outcome = await receive(self._service.engine, body, self._service.clock())
        except Unprocessable as error:
            logger.warning("datapass: a signed delivery could not be applied")
            return _refusal(str(error), 422)
        self._service.tokens.forget()
        answer = {"effet": outcome.effet.value, "dejaRecu": outcome.deja_recu}
        return JSONResponse(answer if outcome.jeton is None else {**answer, "token_id": outcome.jeton})


async def _bounded(request: Request) -> bytes | None:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MAX_BODY:
            return None
    return bytes(body)


def _refusal(message: str, status: int) -> Response:
    return JSONResponse({"erreur": message}, status)
