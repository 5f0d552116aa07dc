"""The simulated providers in a process of their own, each call written down: when, to whom, about which company.

`python -m bench.chaos.simulators FILE`: the sandbox of `graphe sandbox`, on the ports of the settings, with a recorder before
each simulator. A line is `instant provider company,company path`; it is written before the simulator sees the call.
"""

import asyncio
import re
import sys
import time
from pathlib import Path
from typing import TextIO

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from providers import PROVIDERS
from sandbox.serve import SIMULATORS, Sandbox, serve
from settings import Settings, sandbox_port

_COMPANY = re.compile(rb"(?<![0-9])([0-9]{9})(?:[0-9]{5})?(?![0-9])")


class Recorder:
    """In front of one simulator."""

    def __init__(self, provider: str, app: ASGIApp, lines: TextIO) -> None:
        self.provider = provider
        self.app = app
        self.lines = lines

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        instant = time.time()
        body, messages = b"", []
        while True:
            message = await receive()
            messages.append(message)
            body += message.get("body", b"")
            if message["type"] != "http.request" or not message.get("more_body"):
                break
        text = scope["path"].encode() + b" " + scope["query_string"] + b" " + body
        companies = sorted({found.decode() for found in _COMPANY.findall(text)})
        self.lines.write(f"{instant:.6f} {self.provider} {','.join(companies) or '-'} {scope['path']}\n")

        async def again() -> Message:
            return messages.pop(0) if messages else await receive()

        # `send` goes on as it is: faults reach the socket through it.
        await self.app(scope, again, send)


async def main(path: str) -> None:
    settings = Settings()
    ports = {provider.id: sandbox_port(settings, provider) for provider in PROVIDERS if provider.id in SIMULATORS}
    sandbox = Sandbox()
    with Path(path).open("a", buffering=1, encoding="utf-8") as lines:  # noqa: ASYNC230 - a line at a time
        sandbox.apps = {name: Recorder(name, app, lines) for name, app in sandbox.apps.items()}
        await serve(sandbox, settings.sandbox_host, settings.sandbox_port, ports)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
