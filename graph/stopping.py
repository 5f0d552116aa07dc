"""The end of a process, told to whoever sends it requests before it comes."""

import asyncio
import signal
from types import FrameType


class Stopping:
    """Whether this process was told to stop. It goes on answering for a while: `/pret` says first that it will not for long."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self.asked = False

    def listen(self) -> None:
        """Take SIGTERM from the server that runs us: its own handling comes `seconds` later, or at a second SIGTERM."""
        loop = asyncio.get_running_loop()
        stop = signal.getsignal(signal.SIGTERM)

        def told(number: int, frame: FrameType | None) -> None:
            first, self.asked = not self.asked, True
            if not callable(stop):
                raise SystemExit(128 + number)
            if first and self._seconds:
                loop.call_soon_threadsafe(loop.call_later, self._seconds, stop, number, None)
            else:
                stop(number, frame)

        signal.signal(signal.SIGTERM, told)
