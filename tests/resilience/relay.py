"""A relay before a server that others use too: a test cuts and mends its own connections, and stops nobody's server."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Relay:
    """Passes bytes both ways until told otherwise."""

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._port = port
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._passing = asyncio.Event()
        self._passing.set()
        self._refusing = False
        self.port = 0

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    def cut(self) -> None:
        """Break what is open, and whatever connects from now on."""
        self._refusing = True
        for writer in self._open:
            writer.transport.abort()

    def hang(self) -> None:
        """Connections stay, and nothing passes any more: a network that swallows everything."""
        self._passing.clear()

    def mend(self) -> None:
        self._refusing = False
        self._passing.set()

    async def close(self) -> None:
        self.mend()
        if self._server is not None:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._refusing:
            writer.transport.abort()
            return
        task = asyncio.ensure_future(self._relayed(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _relayed(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(self._host, self._port)
        both = {writer, back}
        self._open |= both
        try:
            await asyncio.gather(self._passed(reader, back), self._passed(there, writer))
        except OSError:
            pass  # an end broke: so does the other
        finally:
            self._open -= both
            for one in both:
                one.transport.abort()
                with contextlib.suppress(OSError):
                    await one.wait_closed()

    async def _passed(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        while piece := await source.read(1 << 16):
            await self._passing.wait()
            target.write(piece)
            await target.drain()
        target.transport.abort()


@asynccontextmanager
async def relayed(host: str, port: int) -> AsyncIterator[Relay]:
    relay = Relay(host, port)
    await relay.start()
    try:
        yield relay
    finally:
        await relay.close()
