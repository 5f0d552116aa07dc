"""One line from a field of the graph to its dataset."""

from collections.abc import Callable
from inspect import isawaitable
from typing import TYPE_CHECKING, TypeVar

import strawberry

from providers.declaration import Dataset
from providers.errors import NotFound, ProviderError
from providers.identifiers import Siren, Siret
from providers.insee.siege import SIEGE
from providers.insee.sirene import EtablissementSirene
from resolvers.later import Later
from resolvers.operation import Operation

if TYPE_CHECKING:
    from graph.service import Service

K = TypeVar("K")
S = TypeVar("S")
R = TypeVar("R")
T = TypeVar("T")
N = TypeVar("N")


def operation_of(info: strawberry.Info) -> Operation:
    """The request being answered."""
    operation: Operation = info.context
    return operation


def service_of(info: strawberry.Info) -> "Service":
    """The process that answers: for what speaks of the service itself."""
    service: Service = operation_of(info).house
    return service


def load(info: strawberry.Info, dataset: Dataset[K, S, R], key: K) -> R | None:
    """The record of `dataset` for `key`, for a field to return as it is (see `Operation.load`)."""
    return operation_of(info).load(info._raw_info, dataset, key)


async def loaded(info: strawberry.Info, dataset: Dataset[K, S, R], key: K) -> R | None:
    """The same, for a field that needs the record to go on."""
    found = load(info, dataset, key)
    if isawaitable(found):
        record: R | None = await found
        return record
    return found


def then(found: T | None, make: Callable[[T], N]) -> N | None:
    """What `make` makes of a loaded record: at once when it is there, else when it comes; nothing of nothing."""
    if isawaitable(found):

        async def later() -> N | None:
            record = await found
            return None if record is None else await settled(make(record))

        return Later(later)  # type: ignore[return-value]  # awaited by the executor, like what `load` gives
    return None if found is None else make(found)


async def settled(value: N) -> N:
    """A value, awaited when it is one to come."""
    if isawaitable(value):
        awaited: N = await value
        return awaited
    return value


def head_office(info: strawberry.Info, siren: Siren) -> Siret | None:
    """The SIRET of a company's head office, as `load` gives a record; `None` when INSEE knows none.

    Raises INSEE's failure.
    """
    operation = operation_of(info)

    def siret_in(found: EtablissementSirene | ProviderError) -> Siret | None:
        if isinstance(found, NotFound):
            return None
        if isinstance(found, ProviderError):
            raise operation.failure(SIEGE, found)
        return found.siret

    return then(operation.consult(SIEGE, siren), siret_in)  # type: ignore[arg-type]
