"""The login of a provider: one session for all workers, one login at a time, renewed ahead of its end.

Providers lock the accounts that insist: a refused login is remembered, longer each time, and logins in a row are bounded.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Protocol

import httpx
import msgspec

from auth.instants import Clock
from providers.declaration import Access, Call, Follow, Session, SessionToken, Timeouts
from providers.errors import Misidentified, Unreadable
from resolvers.shared import SharedState


class Send(Protocol):
    """Sends one call and gives what `read` makes of its answer."""

    async def __call__(self, call: Call, timeouts: Timeouts, read: Callable[[httpx.Response], Any]) -> Any: ...


BARRED: Final = timedelta(minutes=5)
"""How long a first refused login keeps us from trying again; each further one doubles it."""
LONGEST_BARRED: Final = timedelta(hours=1)
IN_A_ROW: Final = 4
ROW: Final = timedelta(seconds=30)
"""No more logins than `IN_A_ROW` in `ROW`: the strictest provider bans for ten minutes at five in thirty seconds."""
_STEPS: Final = 3
_POLL: Final = 0.05


@dataclass(frozen=True, slots=True)
class _Held:
    value: str
    until: datetime


class SessionKeeper:
    """Keeps the session of one provider and logs in when it must."""

    def __init__(
        self,
        provider: str,
        session: Session,
        settings: Mapping[str, str],
        send: Send,
        shared: SharedState,
        clock: Clock,
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self._session = session
        self._settings = settings
        self._send = send
        self._shared = shared
        self._clock = clock
        self._sleep = sleep
        self._held: _Held | None = None
        self._lock = asyncio.Lock()
        self._barred_until: datetime | None = None
        self._barred_for = timedelta()
        self._logins: deque[datetime] = deque()
        self._session_key = shared.key(provider, "session")
        self._login_key = shared.key(provider, "connexion")
        self._barred_key = shared.key(provider, "refus")

    async def current(self) -> str:
        """The session's value; logs in when there is none or when it is about to end."""
        held = self._valid()
        if held is not None:
            return held.value
        async with self._lock:
            held = self._valid() or await self._recalled("")
            return held.value if held is not None else await self._log_in_for_all("")

    async def renewed(self, refused: str) -> str:
        """A session other than the one that the provider refused; somebody else may have renewed it already."""
        async with self._lock:
            held = self._valid()
            if held is None or held.value == refused:
                held = await self._recalled(refused)
            return held.value if held is not None else await self._log_in_for_all(refused)

    def _valid(self) -> _Held | None:
        return self._held if self._held is not None and self._clock() < self._held.until else None

    # --- SharedState by the workers ---------------------------------------------------------------------

    async def _recalled(self, refused: str) -> _Held | None:
        """The session that another worker obtained, other than the one that the provider refused."""
        sealed = await self._shared.get(self._session_key)
        plain = None if sealed is None else self._shared.seal.open(self._session_key, sealed)
        if plain is None:
            return None
        value, until = msgspec.json.decode(plain, type=tuple[str, float])
        self._held = _Held(value, datetime.fromtimestamp(until, tz=UTC))
        return None if value == refused else self._valid()

    async def _log_in_for_all(self, refused: str) -> str:
        await self._refuse_if_barred()
        longest = self._session.timeouts.total * self._session.attempts

        async def take(redis: Any) -> bool:
            return bool(await redis.set(self._login_key, b"1", nx=True, px=int(longest.total_seconds() * 1000)))

        if not await self._shared.attempt(take, otherwise=True):
            held = await self._awaited(refused, longest)
            await self._refuse_if_barred()
            if held is not None:
                return held.value
        try:
            # Another worker may have ended its login between our look and our turn.
            held = await self._recalled(refused)
            return held.value if held is not None else await self._log_in()
        finally:
            await self._shared.attempt(lambda redis: redis.delete(self._login_key), 0)

    async def _awaited(self, refused: str, longest: timedelta) -> _Held | None:
        """The session that another worker is logging in for; `None` when it gave up."""
        for _ in range(int(longest.total_seconds() / _POLL)):
            held = await self._recalled(refused)
            if held is not None:
                return held
            if not await self._shared.attempt(lambda redis: redis.exists(self._login_key), 0):
                break
            await self._sleep(_POLL)
        return None

    async def _refuse_if_barred(self) -> None:
        """Raises `Misidentified` while a refused login is remembered, here or by another worker."""
        found = await self._shared.get(self._barred_key)
        if found is not None:
            self._barred_until = datetime.fromtimestamp(float(found), tz=UTC)
        if self._barred_until is not None and (left := self._barred_until - self._clock()) > timedelta():
            raise Misidentified(retry_in=left)

    async def _bar(self) -> None:
        self._barred_for = min(self._barred_for * 2 or BARRED, LONGEST_BARRED)
        until = self._barred_until = self._clock() + self._barred_for
        span = int(self._barred_for.total_seconds())
        await self._shared.attempt(lambda redis: redis.set(self._barred_key, str(until.timestamp()), ex=span), None)

    # --- Logging in --------------------------------------------------------------------------------

    async def _log_in(self) -> str:
        self._bound_logins()
        try:
            token = await self._insisted()
        except Misidentified:
            self._logins.append(self._clock())
            await self._bar()
            raise
        self._logins.append(self._clock())
        self._barred_for, self._barred_until = timedelta(), None
        # A life shorter than the margin still serves the call at hand.
        span = max(token.expires_in - self._session.margin, timedelta(seconds=1))
        held = self._held = _Held(token.value, self._clock() + span)
        sealed = self._shared.seal.close(self._session_key, msgspec.json.encode([held.value, held.until.timestamp()]))
        await self._shared.attempt(
            lambda redis: redis.set(self._session_key, sealed, px=int(span.total_seconds() * 1000)), None
        )
        return held.value

    def _bound_logins(self) -> None:
        now = self._clock()
        while self._logins and now - self._logins[0] >= ROW:
            self._logins.popleft()
        if len(self._logins) >= IN_A_ROW:
            raise self._session.still_refused()

    async def _insisted(self) -> SessionToken:
        """A login, asked again when its answer can't be read."""
        for attempt in range(self._session.attempts):
            if attempt:
                await self._sleep(self._session.pause.total_seconds())
            try:
                return await self._exchanged()
            except Unreadable:
                if attempt + 1 == self._session.attempts:
                    raise
        raise Unreadable

    async def _exchanged(self) -> SessionToken:
        """One login, of as many calls as the room says."""
        access = Access(settings=self._settings, session="", recipient="", now=self._clock())
        call, read = self._session.call(access), self._session.parse
        for _ in range(_STEPS):
            found: SessionToken | Follow[SessionToken] = await self._send(call, self._session.timeouts, read)
            if isinstance(found, SessionToken):
                return found
            call, read = found.call(access), found.parse  # type: ignore[assignment]  # a login delivers no file
        raise Unreadable
