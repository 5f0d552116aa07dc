"""Servers under measure: started on one core, measured from /proc, stopped."""

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

CORES = sorted(os.sched_getaffinity(0))
PEER_CORE, OTHER_CORE = CORES[0], CORES[-1]
"""Peers on the first; the upstream and the load on the last (the same one, where there is no other)."""
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Server:
    """A process that listens, with whatever it started."""

    name: str
    child: "subprocess.Popen[bytes]"
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def cpu(self) -> float:
        """Seconds of processor, of all its threads and children since their start."""
        return sum(_cpu(pid) for pid in _family(self.child.pid))

    def peak_memory(self) -> float:
        """Peak resident memory in MB."""
        return sum(_status(pid, "VmHWM") for pid in _family(self.child.pid)) / 1024


def _family(pid: int) -> list[int]:
    found = [pid]
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            found += _family(int(child))
    return found


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _status(pid: int, name: str) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))


def free_port() -> int:
    """A port that nobody holds now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@contextlib.contextmanager
def running(
    name: str, command: Sequence[str], environment: Mapping[str, str], *, port: int, core: int, folder: Path, log: Path
) -> Iterator[Server]:
    """A server that accepts connections; raises `RuntimeError` with the end of its log when it does not start.

    The core is chosen before the program starts: the threads of a runtime inherit it.
    """
    with log.open("wb") as output, _on(core):
        child = subprocess.Popen(
            command,
            env={**os.environ, **environment},
            cwd=folder,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _wait(name, child, port, log)
        yield Server(name, child, port)
    finally:
        child.send_signal(signal.SIGTERM)
        try:
            child.wait(20)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


@contextlib.contextmanager
def _on(core: int) -> Iterator[None]:
    """Whatever is started in the block stays on that core; we don't."""
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, CORES)


def _wait(name: str, child: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end and child.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    raise RuntimeError(f"{name} did not start: {log.read_text(errors='replace')[-2000:]}")
