"""The connections of a process that stops: none is closed on a request that is on its way."""

from typing import Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

LINGERS: Final = 1.0
"""How long a connection that nobody uses stays open once its process stops, in seconds."""


class Lingering(HttpToolsProtocol):
    """What the server speaks on one connection.

    The server itself closes idle connections the moment it stops, those whose request has left its caller and not arrived
    included: that request would be lost. Here the next answer says `Connection: close`, and only silence closes sooner.
    """

    _leaving = False

    def shutdown(self) -> None:
        if self.cycle is None or self.cycle.response_complete:
            self._leaving = True
            self.loop.call_later(LINGERS, super().shutdown)
        else:
            super().shutdown()

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        if self._leaving and self.cycle is not None:
            self.cycle.keep_alive = False
