"""The lanes of one process: for each provider its settings, its client, its session, and what protects it and us."""

import asyncio
import ssl
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from auth.instants import Clock
from providers import PROVIDERS
from providers.declaration import Provider, Timeouts
from resolvers.budgets import Budget
from resolvers.circuits import Circuit
from resolvers.http_client import AiohttpClient, client_tls, shared_tls
from resolvers.lane import Lane, downloads_of
from resolvers.sessions import SessionKeeper
from resolvers.shared import SharedState
from resolvers.spans import Spans
from resolvers.traffic import Traffic
from settings import Environment, Settings, provider_settings

TimingByProvider = Callable[[str, Timeouts], Timeouts]
"""The timeouts that the calls of a provider really have, by its id and what is declared."""


def as_declared(_provider: str, timeouts: Timeouts) -> Timeouts:
    return timeouts


def lanes_of(
    settings: Settings, shared: SharedState, clock: Clock, timing: TimingByProvider, spans: Spans | None
) -> Mapping[str, Lane]:
    """One lane for each room, by its id."""
    tls = shared_tls()
    return {provider.id: _lane(provider, settings, tls, shared, clock, timing, spans) for provider in PROVIDERS}


def _lane(
    provider: Provider,
    settings: Settings,
    tls: ssl.SSLContext,
    shared: SharedState,
    clock: Clock,
    timing: TimingByProvider,
    spans: Spans | None,
) -> Lane:
    values = provider_settings(settings, provider)
    connections = provider.max_concurrency + sum(how.max_concurrency for how in downloads_of(provider))
    lane = Lane(
        provider=provider,
        settings=values,
        client=AiohttpClient(tls=_tls_of(provider, values, tls), max_concurrency=connections),
        circuit=Circuit(provider.id, shared, clock),
        budget=Budget(provider.id, provider.rates if _keeps_rates(settings) else (), values, shared, clock),
        traffic=Traffic(),
        clock=clock,
        timing=partial(timing, provider.id),
        spans=spans,
    )
    if provider.session is not None and provider.session.needed(values):
        lane.session = SessionKeeper(provider.id, provider.session, values, lane.log_in, shared, clock, asyncio.sleep)
    return lane


def _tls_of(provider: Provider, values: Mapping[str, str], ordinary: ssl.SSLContext) -> Any:
    certificate = provider.certificate
    if certificate is None or not values[certificate.certificate_setting]:
        return ordinary
    return client_tls(
        values[certificate.certificate_setting],
        values[certificate.key_setting],
        values[certificate.authority_setting],
    )


def _keeps_rates(settings: Settings) -> bool:
    """Simulated providers have no limits of their own: any volume can be tried there, unless the operator says so."""
    if settings.provider_rates is not None:
        return settings.provider_rates
    return settings.environment is not Environment.SANDBOX
