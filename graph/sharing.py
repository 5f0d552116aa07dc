"""Identical operations in flight share one execution: of their caller's own, never of another's.

Two requests are identical when one token asks the same document with the same variables, declares as much, and names the
same recipient, while the first has not been answered yet. Each keeps what is its own: its identifier, its quotas, and its
entries in the journal, committed before its own answer leaves. See docs/decisions/0090-identical-operations-share-one-execution.md.
"""

import asyncio
from collections.abc import Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import orjson
from graphql import ExecutionResult

from auth.caller import Caller
from graph.documents import Prepared
from resolvers.operation import Operation, Reason
from tracing.entry import Entry


class Flight:
    """One execution: `result`, `operation` and `entries` are its own once it has landed."""

    __slots__ = ("_data", "_landed", "entries", "operation", "result")

    def __init__(self) -> None:
        self.result: ExecutionResult | None = None
        self.operation: Operation | None = None
        self.entries: Sequence[Entry] = ()
        self._data: orjson.Fragment | None = None
        self._landed: asyncio.Future[None] | None = None

    def land(self, result: ExecutionResult, operation: Operation, entries: Sequence[Entry]) -> None:
        self.result, self.operation, self.entries = result, operation, entries
        self.end()

    def end(self) -> None:
        """Nobody waits any longer: it has landed, or was given up."""
        if self._landed is not None and not self._landed.done():
            self._landed.set_result(None)

    def landing(self) -> "asyncio.Future[None]":
        """Done once `result` is known, or will never be. Whoever stops waiting takes nothing from the others."""
        if self._landed is None:
            self._landed = asyncio.get_running_loop().create_future()
        return asyncio.shield(self._landed)

    @property
    def data(self) -> orjson.Fragment | None:
        """The data of the answer, encoded once for all that share it."""
        if self._data is None and self.result is not None and self.result.data is not None:
            self._data = orjson.Fragment(orjson.dumps(self.result.data))
        return self._data


class Flights:
    """The executions of this process that identical requests may join."""

    def __init__(self) -> None:
        self._flights: dict[Hashable, Flight] = {}

    def joined(self, key: Hashable | None) -> Flight | None:
        return None if key is None else self._flights.get(key)

    @contextmanager
    def leading(self, key: Hashable | None) -> Iterator[Flight]:
        """A flight that others may join until the block ends; nobody can when there is no key."""
        flight = Flight()
        if key is None:
            yield flight
            return
        self._flights[key] = flight
        try:
            yield flight
        finally:
            if self._flights.get(key) is flight:
                del self._flights[key]
            flight.end()


def identity(
    prepared: Prepared, name: str | None, caller: Caller, reason: Reason, variables: Mapping[str, Any]
) -> Hashable | None:
    """What two requests must have in common to share an execution; `None` for one that asks providers nothing."""
    if not prepared.plans[name].asks:
        return None
    return (
        prepared.digest,
        name,
        orjson.dumps(variables),
        caller.jeton,
        caller.scopes,
        caller.usage,
        caller.checked,
        reason.destinataire,
        not reason.missing,
    )
