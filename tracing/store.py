"""What the journal asks of a database; `tracing.sqlite` and `tracing.postgres` answer.

Both keep the same tables, one pair a month (`origines_202605`, `entrees_202605`), and read the same SQL, with
`$1`, `$2`... for the values.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from tracing.chain import Seal
from tracing.rows import Month, Row


class StoreError(Exception):
    """The database did not do it. Nothing, or all, of the batch was committed."""


class Refused(StoreError):
    """The database is well, but this batch can't be stored."""


@dataclass(frozen=True, slots=True)
class MonthBatch:
    """The rows of one flush that belong to one month."""

    origins: list[Row] = field(default_factory=list)
    entries: list[Row] = field(default_factory=list)


class Store(Protocol):
    """One per process. Every method may raise `StoreError`."""

    @property
    def indexes_datasets(self) -> bool:
        """Whether the entries of a dataset are found by an index, or by walking the requests from the newest."""
        ...

    @property
    def connected(self) -> bool:
        """Whether the connection that writes stands, as far as is known without using it."""
        ...

    async def connect(self) -> None:
        """Open, or open again, and bring the schema to its version."""
        ...

    async def register(self, name: str, instant: int) -> int:
        """A new writer's number, held alive until `close` or the death of the process."""
        ...

    async def resume(self, writer: int) -> bool:
        """Hold a writer again after a lost connection; false when others have taken it for dead."""
        ...

    async def head(self, writer: int) -> tuple[int, bytes] | None:
        """The position and digest of the writer's last link."""
        ...

    async def append(self, batch: Mapping[Month, MonthBatch]) -> None:
        """All rows in one durable transaction."""
        ...

    async def seal(self, make: Callable[[Seal | None], Seal]) -> Seal:
        """Add to the one chain of seals what `make` answers to the last one, alone in doing so."""
        ...

    async def mark(self, writer: int, low: int) -> None:
        """Every intention of the writer below the sequence number `low` has its outcome."""
        ...

    async def dead(self) -> list[tuple[int, int]]:
        """Writers neither retired nor alive, with their `low`; they are held until `retire`."""
        ...

    async def retire(self, writer: int, instant: int) -> None:
        """The writer will write no more and has no open intention."""
        ...

    async def months(self) -> list[Month]:
        """The months that have tables, oldest first."""
        ...

    async def drop(self, month: Month, links: int) -> bool:
        """Remove a month; false, and nothing done, when it does not hold exactly that number of links."""
        ...

    async def fetch(self, sql: str, *values: Any) -> list[Row]: ...

    def stream(self, sql: str, *values: Any) -> AsyncIterator[Sequence[Row]]:
        """The same for answers too long for the memory: by pieces."""
        ...

    async def plan(self, sql: str, *values: Any) -> str:
        """How the database would answer."""
        ...

    async def close(self) -> None: ...
