"""What one request cost a started server: processor time, and calls to providers."""

from typing import Any

import httpx

from tests.conftest import Providers
from tests.surface.server import Server

CPU_SECONDS = 0.25


class Watched:
    """What one request cost the server."""

    def __init__(self, server: Server, providers: Providers) -> None:
        self._server = server
        self._providers = providers
        server.token()
        server.ask("{ __typename }")
        self._calls = self._total()
        self.cpu_before = server.cpu()

    def _total(self) -> int:
        return sum(sum(conduct.calls.values()) for conduct in self._providers.sandbox.conducts.values())

    def check(self, response: httpx.Response) -> dict[str, Any]:
        """A JSON refusal without data, below the processor's budget, that reached no provider."""
        spent = self._server.cpu() - self.cpu_before
        assert response.status_code < 500, response.text[:500]
        body: dict[str, Any] = response.json()
        assert "data" not in body
        assert self._total() == self._calls
        assert spent <= CPU_SECONDS, f"{spent} s of processor time"
        assert "Traceback" not in response.text
        return body
