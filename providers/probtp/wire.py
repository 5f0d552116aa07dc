"""The wire of PRO BTP, common to both operations: one request shape, and an envelope that holds the verdict.

Source: PRO BTP, service `mpsservices`. Functional errors come with HTTP 200: `entete.code` tells them apart.
"""

from typing import Any, Final, TypeVar

import httpx

from auth import scopes
from providers import reading
from providers.declaration import Access, Call, Opening
from providers.errors import Unreadable, internal_error
from providers.http_status import refuse_outage, retry_after
from providers.identifiers import Siret

Json = dict[str, Any]

R = TypeVar("R")

OPENING: Final[Opening[Any]] = Opening(
    scopes=frozenset({scopes.COTISATIONS_PROBTP, scopes.PROBTP}),
    unmasked_for=frozenset(),
    mask=None,
    by_diffusion=False,
)
SEED: Final = "attestations_cotisation_retraite_probtp"
PERIMETER: Final = (
    "Entreprises du bâtiment et des travaux publics, industrielles et artisanales, et industries connexes liées à PRO BTP "
    "par accord collectif ou par adhésion. Métropole seulement ; les associations n'en sont pas."
)

NOT_FOUND_MEANS: Final = "PRO BTP ne connaît pas cet établissement : ce n'est pas un manquement."
OPEN_QUESTIONS: Final = (
    "Valeurs de `entete.code` autres que 0, 4 et 8 : jamais vues, elles sont refusées.",
    "Un certificat client refusé se voit à l'échec de la négociation TLS : il est rendu avec le sous-code 009 ou 001.",
)

DONE: Final = "0"
TECHNICAL_FAULT: Final = "4"
NO_ANSWER: Final = "8"

NOT_UP_TO_DATE: Final = "01"
"""What PRO BTP's sentences start with when the account is known but late."""
UP_TO_DATE: Final = "00"

_SERVICES: Final = "/ws_ext/rest/certauth/mpsservices"


def post(operation: str, key: Siret, access: Access) -> Call:
    """Both operations take the bare SIRET, as a string."""
    return Call(
        method="POST",
        url=f"{access.settings['url']}{_SERVICES}/{operation}",
        headers=(("Content-Type", "application/json"),),
        json={"corps": key},
    )


def answered(response: httpx.Response) -> tuple[str, Json]:
    """The code of the envelope, `DONE` or `NO_ANSWER`, and the whole answer. Anything else is raised."""
    status = response.status_code
    refuse_outage(response)
    if status == 500:
        raise internal_error(retry_after(response))
    answer = reading.json_object(response.content)
    code = _code(answer)
    if code == TECHNICAL_FAULT:
        raise internal_error()
    if code == NO_ANSWER:
        return code, answer
    # Codes other than these were never seen: nothing tells what they would mean.
    if status != 200 or code != DONE:
        raise Unreadable
    return code, answer


def _code(answer: Json) -> str:
    """A string of digits, compared as such; a bare number says the same."""
    header = answer.get("entete")
    code = header.get("code") if isinstance(header, dict) else None
    if isinstance(code, bool) or not isinstance(code, str | int):
        raise Unreadable
    return str(code)


def message(answer: Json) -> str:
    """The sentence of the envelope. It may name the SIRET: it is read here and goes no further."""
    header = answer.get("entete")
    text = header.get("message") if isinstance(header, dict) else None
    return text if isinstance(text, str) else ""
