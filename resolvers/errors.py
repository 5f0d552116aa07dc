"""Why a field is null when it isn't the data that say so: failures of ours, beside the providers' own.

FieldError
├── Denied              the token's scopes don't open this field
├── TraceabilityMissing a protected dataset was asked without saying why
├── DeadlineExceeded    the operation's time is over; the provider may still be answering
├── BudgetExceeded      the habilitation's quota of calls is used up for this minute
├── JournalDown         the access can't be traced, so it isn't given
├── RightsUnchecked     the token's rights can't be checked now: public data only
└── ProviderFailed      the provider's own failure, with its name and its code
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from providers.declaration import Provider
from providers.errors import ProviderError


@dataclass(eq=False)
class FieldError(Exception):
    """An expected reason for a null field, told to the client as one typed error."""

    message: str
    extensions: Mapping[str, Any] = field(default_factory=dict)

    code: ClassVar[str] = "INTERNAL_SERVER_ERROR"
    retryable: ClassVar[bool] = False
    code_api: ClassVar[str | None] = None

    def __str__(self) -> str:
        return self.message


class Denied(FieldError):
    """The word shared by the gateways of the field for "not for you"."""

    code = "UNAUTHORIZED_FIELD_OR_TYPE"
    code_api = "00100"


class TraceabilityMissing(FieldError):
    code = "TRACEABILITY_REQUIRED"
    code_api = "00201"


class DeadlineExceeded(FieldError):
    code = "DEADLINE_EXCEEDED"
    retryable = True


class BudgetExceeded(FieldError):
    code = "BUDGET_EXCEEDED"
    retryable = True
    code_api = "00429"


class JournalDown(FieldError):
    code = "JOURNAL_UNAVAILABLE"
    retryable = True


class RightsUnchecked(FieldError):
    code = "SERVICE_UNAVAILABLE"
    retryable = True
    code_api = "00500"


class ProviderFailed(FieldError):
    """A `ProviderError` on its way to the client: which provider, which dataset, whether to try again."""

    def __init__(self, error: ProviderError, provider: Provider, dataset: str) -> None:
        extensions: dict[str, Any] = {
            "code": error.code,
            "codeApiEntreprise": error.code_api or provider.code + error.subcode,
            "fournisseur": provider.id,
            "fournisseurNom": provider.label,
            "jeuDeDonnees": dataset,
            "reessayable": error.retryable,
        }
        if error.retry_in is not None:
            extensions["reessayerDans"] = round(error.retry_in.total_seconds())
        super().__init__(error.message, extensions)
