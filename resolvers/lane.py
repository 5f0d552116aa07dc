"""One provider's lane: what every call to it goes through between the road and the wire.

In order: the circuit, the provider's own word on its budget, a place, the budget, the call (tried again when it never left),
and the reading of its answer, which feeds the circuit. Logins take the same way, but for the place that their caller holds.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractContextManager, AsyncExitStack, asynccontextmanager, nullcontext
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import httpx
from tenacity import AsyncRetrying, retry_if_exception, wait_random

from auth.instants import Clock
from providers.declaration import Access, Call, Download, Probe, Provider, Timeouts
from providers.errors import (
    InMaintenance,
    Misidentified,
    NotFound,
    Overloaded,
    ProviderError,
    TimedOut,
    Unavailable,
    Unreadable,
)
from resolvers.addresses import refuse_foreign
from resolvers.alerts import unreadable
from resolvers.budgets import Budget
from resolvers.bulkheads import Bulkhead
from resolvers.circuits import Circuit, Ticket
from resolvers.http_client import Answer, Client, NotConnected, Severed
from resolvers.sessions import SessionKeeper
from resolvers.spans import CallSpan, Spans
from resolvers.traffic import Traffic

ATTEMPTS: Final = 3
"""Of a call whose connection could not be opened: nothing left, so that nothing is asked twice."""
_READING: Final = frozenset({"GET", "HEAD"})
HEAVY: Final = 1 << 18
"""An answer of so many bytes is read in a thread: the other requests of this process go on meanwhile."""
_LOGIN_MAX_BYTES: Final = 1_000_000
_LOGIN: Final = "connexion"
_PROBE: Final = "sonde"
_PROBE_MAX_BYTES: Final = 1_000_000
PROBE_TIMEOUTS: Final = Timeouts(connect=timedelta(seconds=5), read=timedelta(seconds=5), total=timedelta(seconds=5))
"""The status pages of the ecosystem take a check of more than five seconds for a failure."""
_NO_SPAN: Final[AbstractContextManager[None]] = nullcontext()

Timing = Callable[[Timeouts], Timeouts]


class _SessionRefused(Exception):
    """The provider no longer takes our session."""


class Lane:
    """What is kept for one provider."""

    def __init__(
        self,
        *,
        provider: Provider,
        settings: Mapping[str, str],
        client: Client,
        circuit: Circuit,
        budget: Budget,
        traffic: Traffic,
        clock: Clock,
        timing: Timing,
        spans: Spans | None,
    ) -> None:
        self.provider = provider
        self.settings = settings
        self.client = client
        self.circuit = circuit
        self.budget = budget
        self.bulkhead = Bulkhead(provider.max_concurrency)
        self.downloads = {how: Bulkhead(how.max_concurrency) for how in downloads_of(provider)}
        """The places of downloads: a file that takes minutes holds none of those of the calls for data."""
        self.traffic = traffic
        self.session: SessionKeeper | None = None
        self._clock = clock
        self._timing = timing
        self._spans = spans
        self._login = f"{provider.id}.{_LOGIN}"

    async def exchange(
        self,
        build: Callable[[Access], Call],
        read: Callable[[httpx.Response], Any],
        *,
        label: str,
        access: Access,
        timeouts: Timeouts,
        max_bytes: int,
        ends: float,
    ) -> Any:
        """What `read` makes of the answer to a call. A refused session is renewed, and the call replayed once.

        `label` names the call in traces: the dataset that it is for.
        Waits before the call leaves end at `ends`, of the event loop's clock. Raises `ProviderError`.
        """
        self.circuit.refuse_if_open()
        judged = self._judged(read)
        async with self.bulkhead.place(min(left(ends), self._timing(timeouts).total)):
            session = await _within(ends, self._session())
            try:
                call = build(replace(access, session=session))
                return await self._transmit(label, call, timeouts, max_bytes, ends, judged)
            except _SessionRefused:
                session = await _within(ends, self._renewed(session))
            try:
                call = build(replace(access, session=session))
                return await self._transmit(label, call, timeouts, max_bytes, ends, judged)
            except _SessionRefused:
                raise self._still_refused() from None

    async def log_in(self, call: Call, timeouts: Timeouts, read: Callable[[httpx.Response], Any]) -> Any:
        """The answer to a login, as `SessionKeeper` asks for it: its caller holds the place."""
        ends = asyncio.get_running_loop().time() + self._timing(timeouts).total.total_seconds()
        return await self._transmit(self._login, call, timeouts, _LOGIN_MAX_BYTES, ends, read)

    @asynccontextmanager
    async def download(
        self, how: Download, label: str, reference: str, access: Access, ends: float
    ) -> AsyncIterator[Answer]:
        """The answer to a download, its body still at the provider. Raises `ProviderError`."""
        self.circuit.refuse_if_open()
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self.downloads[how].place(left(ends)))
            session = await self._session()
            call = how.call(reference, replace(access, session=session))
            answer = await self._reached(stack, how, label, call, ends)
            if self._refuses(answer.head):
                await answer.drop()
                session = await self._renewed(session)
                call = how.call(reference, replace(access, session=session))
                answer = await self._reached(stack, how, label, call, ends)
                if self._refuses(answer.head):
                    raise self._still_refused()
            yield answer

    async def probe(self, declared: Probe, access: Access) -> bool | None:
        """Whether the provider's probe finds it up; `None` when it could not be made: that tells nothing of the provider.

        It takes the way of a call, and a place and a share of the budget like one. It reads nothing of any company, and
        is no traffic: the figures don't count it. One that fails keeps an open circuit open for longer; one that succeeds
        leaves it to a real call to close it. See docs/decisions/0066.
        """
        try:
            self.circuit.refuse_if_open()
            async with self.bulkhead.place(self._timing(PROBE_TIMEOUTS).total):
                session = await self._session()
                try:
                    return await self._probed(declared, replace(access, session=session))
                except _SessionRefused:
                    session = await self._renewed(session)
                return await self._probed(declared, replace(access, session=session))
        except (ProviderError, _SessionRefused):
            return None

    async def _probed(self, declared: Probe, access: Access) -> bool | None:
        """What one call of the probe tells. Raises `ProviderError` when it was not made."""
        call = declared.call(access)
        if not call.url.startswith("http"):
            return None  # this provider is not configured here
        ends = asyncio.get_running_loop().time() + self._timing(PROBE_TIMEOUTS).total.total_seconds()
        ticket = await self.circuit.admit()
        try:
            await self.budget.take(left(ends))
            try:
                with self._span(f"{self.provider.id}.{_PROBE}", call) as span:
                    response = await self._sent(call, self._timing(PROBE_TIMEOUTS), _PROBE_MAX_BYTES, ends, span)
            except ProviderError:
                await ticket.failed()
                return False
            if self._refuses(response):
                raise _SessionRefused
            await self.budget.learn(response, None)
            if response.status_code == 429:
                return None
            if response.status_code >= 500:
                await ticket.failed()
            try:
                return declared.healthy(response)
            except ProviderError:
                return False
        finally:
            await ticket.given_up()

    async def _reached(self, stack: AsyncExitStack, how: Download, label: str, call: Call, ends: float) -> Answer:
        """What `_opened` gives, asked once more when the connection broke before any answer: a download only reads."""
        try:
            return await self._opened(stack, how, label, call, ends)
        except Severed:
            return await self._opened(stack, how, label, call, ends)

    async def _opened(self, stack: AsyncExitStack, how: Download, label: str, call: Call, ends: float) -> Answer:
        """The head of a download's answer; the body is read until `stack` unwinds."""
        await refuse_foreign(call.url, self.settings.values())
        ticket = await self.circuit.admit()
        started = asyncio.get_running_loop().time()
        try:
            await self.budget.take(left(ends))
            with self._span(label, call) as span:
                leaving = call if span is None else span.carried(call)
                answer = await stack.enter_async_context(
                    self.client.stream(leaving, self._timing(how.timeouts), how.max_bytes)
                )
                if span is not None:
                    span.answered(answer.head)
                try:
                    how.refuse(answer.head)
                except ProviderError as error:
                    if not self._refuses(answer.head):
                        await self._settle(ticket, answer.head, error, asyncio.get_running_loop().time() - started)
                        raise
            await self._settle(ticket, answer.head, None, asyncio.get_running_loop().time() - started)
        except ProviderError as error:
            await self._settle(ticket, None, error, asyncio.get_running_loop().time() - started)
            raise
        finally:
            await ticket.given_up()
        return answer

    # --- Inside ------------------------------------------------------------------------------------

    async def _transmit(
        self,
        label: str,
        call: Call,
        timeouts: Timeouts,
        max_bytes: int,
        ends: float,
        read: Callable[[httpx.Response], Any],
    ) -> Any:
        """One call through the circuit and the budget, and what `read` makes of its answer."""
        ticket = await self.circuit.admit()
        try:
            await self.budget.take(left(ends))
            if left(ends) == timedelta():
                raise TimedOut  # nobody waits any more
            self.circuit.refuse_if_open()  # it may have opened while this call waited for its turn
            with self._span(label, call) as span:
                return await self._called(label, ticket, call, self._timing(timeouts), max_bytes, ends, read, span)
        finally:
            await ticket.given_up()

    async def _called(
        self,
        label: str,
        ticket: Ticket,
        call: Call,
        timeouts: Timeouts,
        max_bytes: int,
        ends: float,
        read: Callable[[httpx.Response], Any],
        span: CallSpan | None,
    ) -> Any:
        clock = asyncio.get_running_loop().time
        started = clock()
        response: httpx.Response | None = None
        try:
            response = await self._sent(call, timeouts, max_bytes, ends, span)
            spent = clock() - started
            found = await _read(read, response)
        except _SessionRefused:
            await ticket.succeeded()
            raise
        except ProviderError as error:
            if isinstance(error, Unreadable) and response is not None:
                unreadable(self.provider.id, response)
            await self._settle(ticket, response, error, clock() - started)
            raise
        if label == self._login:
            # It says nothing of the data behind it: no figure counts it, and the call that it is for is the trial.
            await ticket.given_up()
            await self.budget.learn(response, None)
        else:
            await self._settle(ticket, response, None, spent)
        return found

    def _span(self, label: str, call: Call) -> AbstractContextManager[CallSpan | None]:
        return _NO_SPAN if self._spans is None else self._spans.call(self.provider.id, label, call.method)

    async def _sent(
        self, call: Call, timeouts: Timeouts, max_bytes: int, ends: float, span: CallSpan | None
    ) -> httpx.Response:
        """The answer. A call whose connection could not be opened is tried again, with jitter, until `ends`.

        So is, once, one that only reads and whose connection broke before any answer: as a call of its own in the budget.
        """
        leaving = call if span is None else span.carried(call)
        try:
            response = await self.client.send(leaving, timeouts, max_bytes)
        except (NotConnected, Severed) as error:
            response = await self._sent_again(error, leaving, timeouts, max_bytes, ends, span)
        if span is not None:
            span.answered(response)
        return response

    async def _sent_again(
        self,
        failure: NotConnected | Severed,
        leaving: Call,
        timeouts: Timeouts,
        max_bytes: int,
        ends: float,
        span: CallSpan | None,
    ) -> httpx.Response:
        """The answer to a call whose first attempt failed so: it is replayed as the first of tenacity's, which counts and waits.

        Nearly every call succeeds at once, and costs none of that.
        """
        attempts = 0
        severed = False

        def again(error: BaseException) -> bool:
            nonlocal severed
            first, severed = not severed, severed or isinstance(error, Severed)
            return isinstance(error, NotConnected) or (severed and first and leaving.method in _READING)

        async def sent() -> httpx.Response:
            nonlocal attempts
            attempts += 1
            if attempts == 1:
                raise failure
            if severed:
                try:
                    await self.budget.take(left(ends))
                except Overloaded:
                    raise Severed from None
            return await self.client.send(leaving, timeouts, max_bytes)

        trying = AsyncRetrying(
            retry=retry_if_exception(again),
            stop=lambda state: state.attempt_number >= ATTEMPTS or left(ends) == timedelta(),
            wait=wait_random(0.02, 0.2),
            reraise=True,
        )
        try:
            response: httpx.Response = await trying(sent)
        finally:
            if span is not None:
                span.attempts = attempts
        return response

    async def _settle(
        self, ticket: Ticket, response: httpx.Response | None, error: ProviderError | None, spent: float
    ) -> None:
        """What the end of a call teaches: the circuit, the budget, the figures."""
        if ticket.told:
            return
        if broken(response, error):
            await ticket.failed()
        else:
            await ticket.succeeded()
        if response is not None:
            await self.budget.learn(response, error)
        self.traffic.note(self._clock(), spent, failure_of(error))

    async def _session(self) -> str:
        return "" if self.session is None else await self.session.current()

    async def _renewed(self, refused: str) -> str:
        assert self.session is not None  # noqa: S101 - only a session can be refused
        return await self.session.renewed(refused)

    def _refuses(self, response: httpx.Response) -> bool:
        declared = self.provider.session
        return self.session is not None and declared is not None and declared.refused(response)

    def _judged(self, read: Callable[[httpx.Response], Any]) -> Callable[[httpx.Response], Any]:
        """`read`, after a look at whether the session was taken."""

        def judge(response: httpx.Response) -> Any:
            if self._refuses(response):
                raise _SessionRefused
            return read(response)

        return read if self.session is None else judge

    def _still_refused(self) -> ProviderError:
        declared = self.provider.session
        return Misidentified() if declared is None else declared.still_refused()


def downloads_of(provider: Provider) -> frozenset[Download]:
    """How the files that stay at this provider are fetched; several sources may share one."""
    return frozenset(how for dataset in provider.datasets if (how := dataset.source.download) is not None)


def broken(response: httpx.Response | None, error: ProviderError | None) -> bool:
    """Whether a call ended as calls to a provider in trouble do: no answer, or a 5xx that says nothing else."""
    if not isinstance(error, Unavailable) or isinstance(error, (InMaintenance, Misidentified)):
        return False
    return response is None or response.status_code >= 500 or isinstance(error, TimedOut)


def failure_of(error: ProviderError | None) -> str | None:
    """The code that the figures count an error under; a "not found" is an answer."""
    return None if error is None or isinstance(error, NotFound) or not error.retryable else error.code


async def _within(ends: float, session: Awaitable[str]) -> str:
    """A login may wait for that of another, and that for one more: not beyond the end of those who wait for the call."""
    try:
        async with asyncio.timeout(left(ends).total_seconds()):
            return await session
    except TimeoutError:
        raise TimedOut from None


async def _read(read: Callable[[httpx.Response], Any], response: httpx.Response) -> Any:
    if len(response.content) < HEAVY and "pdf" not in response.headers.get("content-type", ""):
        return read(response)
    return await asyncio.to_thread(read, response)


_A_DAY: Final = 86_400.0


def left(ends: float) -> timedelta:
    """The time left until an instant of the event loop's clock; a day when there is no end."""
    return timedelta(seconds=min(max(ends - asyncio.get_running_loop().time(), 0), _A_DAY))
