"""Why a request is made: context, object and recipient, by headers or by the request's `extensions`.

Source: the traceability parameters of the "API Entreprise" bouquet. The recipient defaults to the SIRET of the
habilitated body. An agent's identifier, when given, is kept as a keyed hash only.
"""

import hmac
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from auth.caller import Caller
from providers.identifiers import InvalidIdentifier, siret
from resolvers.operation import Reason

_HEADERS = {"contexte": "x-contexte", "objet": "x-objet", "destinataire": "x-destinataire", "agent": "x-agent"}
_MAX_LENGTH = 500


class BadReason(ValueError):
    """A reason was given and can't be taken; the message says what to do."""

    def __init__(self, message: str, code_api: str) -> None:
        super().__init__(message)
        self.code_api = code_api


def reason_of(headers: Mapping[str, str], extensions: Mapping[str, Any], caller: Caller, secret: str) -> Reason:
    """The declared reason. Raises `BadReason` for a recipient that is no SIRET or a value that is no text."""
    declared = extensions.get("tracabilite") or {}
    if not isinstance(declared, dict):
        raise BadReason("« extensions.tracabilite » doit être un objet.", "00401")
    given = {name: _text(name, declared.get(name, _header(headers, header))) for name, header in _HEADERS.items()}
    recipient = given["destinataire"] or caller.siret
    try:
        siret(recipient)
    except InvalidIdentifier:
        raise BadReason(
            "Le destinataire doit être le SIRET (quatorze chiffres) de l'organisme qui a droit aux données.", "00210"
        ) from None
    return Reason(
        contexte=given["contexte"],
        objet=given["objet"],
        destinataire=recipient,
        agent=None if given["agent"] is None else hashed_agent(given["agent"], secret),
        missing=tuple(name for name in ("contexte", "objet") if given[name] is None),
    )


def _header(headers: Mapping[str, str], name: str) -> str | None:
    """HTTP headers carry ASCII safely: accents may come percent-encoded."""
    value = headers.get(name)
    return None if value is None else unquote(value)


def _text(name: str, value: object) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or len(value) > _MAX_LENGTH or not value.isprintable():
        raise BadReason(f"« {name} » doit être un texte d'une ligne, de {_MAX_LENGTH} caractères au plus.", "00401")
    return value.strip() or None


def hashed_agent(agent: str, secret: str) -> str:
    """What is kept of an agent's identifier: the same hash for the same agent, worth nothing without the secret."""
    return hmac.new(f"agent:{secret}".encode(), agent.encode(), "sha256").hexdigest()[:32]
