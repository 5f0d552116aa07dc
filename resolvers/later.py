"""A value to come, whose work begins when it is awaited and not before.

A coroutine that nobody awaits is an error of the program; here it is ordinary: an executor may find that a value is to
come and prefer to start again otherwise.
"""

from collections.abc import Awaitable, Callable, Generator
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Later(Generic[T]):
    """Awaitable once or more; each time `begin` is called anew."""

    __slots__ = ("_begin",)

    def __init__(self, begin: Callable[[], Awaitable[T]]) -> None:
        self._begin = begin

    def __await__(self) -> Generator[Any, Any, T]:
        return self._begin().__await__()
