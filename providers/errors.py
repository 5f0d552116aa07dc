"""What can go wrong at a provider, named for what the caller can do about it.

    ProviderError
    ├── NotFound              it knows nothing of this key, or the key is out of its perimeter: data, not a failure
    ├── LegalRestriction      the law closes this entity to everyone
    ├── Overloaded            its quota is used up: ask again later
    ├── Unavailable           it can't answer now: ask again later
    │   ├── TimedOut          … because it was too slow
    │   ├── InMaintenance     … because it said so, or its calendar does
    │   └── Misidentified     … because it refused our own credentials: the operator is alerted
    └── Unreadable            it answered something that we don't understand: the team is alerted

A room raises these; nothing else leaves `parse`. The subcode is the last three digits of the
ecosystem's error code, the provider's own prefix being the first two (`02` Infogreffe, `003` not
found: `02003`). Messages are ours: no byte of a provider's answer is ever put in one.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar


@dataclass(eq=False)
class ProviderError(Exception):
    """Base of the tree. `retry_in` is the provider's own advice when it gives one."""

    message: str = ""
    subcode: str = ""
    retry_in: timedelta | None = None
    code_api: str | None = None
    """The whole five-digit code, for the few that don't carry the provider's prefix (00501)."""

    code: ClassVar[str] = "INTERNAL_SERVER_ERROR"
    default_subcode: ClassVar[str] = "999"
    default_message: ClassVar[str] = "Le fournisseur n'a pas pu répondre."
    retryable: ClassVar[bool] = False

    def __post_init__(self) -> None:
        self.message = self.message or self.default_message
        self.subcode = self.subcode or self.default_subcode
        super().__init__(self.message)

    def __str__(self) -> str:
        return self.message


class NotFound(ProviderError):
    """The provider knows nothing of this key. Never a sign that a company is at fault."""

    code = "INTROUVABLE"
    default_subcode = "003"
    default_message = "Le fournisseur ne connaît pas cet identifiant, ou il est hors de son périmètre."


class LegalRestriction(ProviderError):
    """HTTP 451 of today's REST API: no public body has access to this entity."""

    code = "LEGAL_RESTRICTION"
    default_subcode = "005"
    default_message = "Cette entité n'est ouverte à aucune administration, pour des raisons légales."


class Overloaded(ProviderError):
    """The provider's quota, ours or that of the company asked, is used up."""

    code = "PROVIDER_RATE_LIMITED"
    default_subcode = "008"
    default_message = "Le quota d'appels auprès du fournisseur est atteint. Réessayez plus tard."
    retryable = True


class Unavailable(ProviderError):
    """The provider is down, broken or unreachable."""

    code = "PROVIDER_UNAVAILABLE"
    default_subcode = "001"
    default_message = "Le fournisseur est momentanément indisponible. Réessayez plus tard."
    retryable = True


class TimedOut(Unavailable):
    """The provider did not answer within its declared timeouts."""

    code = "PROVIDER_TIMEOUT"
    default_subcode = "002"
    default_message = "Le fournisseur n'a pas répondu dans le délai imparti. Réessayez plus tard."


class InMaintenance(Unavailable):
    """The provider is in a maintenance window, declared by its calendar or by itself."""

    code = "PROVIDER_MAINTENANCE"
    default_subcode = "020"
    default_message = "Le fournisseur est en maintenance. Réessayez après la fenêtre de maintenance."


class Misidentified(Unavailable):
    """The provider refused the credentials of this service: the caller can't do anything about it."""

    default_subcode = "006"
    default_message = "Le fournisseur a refusé l'identification de notre service. L'exploitant est alerté."


class Unreadable(ProviderError):
    """The provider's answer has none of the documented forms. Raised loudly, never guessed around."""

    code = "PROVIDER_INVALID_RESPONSE"
    default_subcode = "999"
    default_message = "Le fournisseur a envoyé une réponse que nous ne savons pas lire. L'équipe est alertée."
    retryable = True


def internal_error(retry_in: timedelta | None = None) -> Unavailable:
    """Subcode 000: the provider itself reports a fault of its own (HTTP 500 and the like)."""
    return Unavailable("Le fournisseur signale une erreur interne. Réessayez plus tard.", "000", retry_in)
