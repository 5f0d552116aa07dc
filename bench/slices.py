"""A slice of a core for a process, on Linux with the first cgroups and the rights of root.

On a machine of few cores the load, the databases and the workers take each other's time, so that a second worker adds little
whatever it is worth. With as small a slice for each worker as leaves the rest of the machine free, it shows what it is worth.
"""

import contextlib
from collections.abc import Iterator
from pathlib import Path

_CONTROLLER = Path("/sys/fs/cgroup/cpu")
_PERIOD_US = 10_000


class NoSlices(Exception):
    """This machine does not give them."""


@contextlib.contextmanager
def sliced(pids: list[int], share: float) -> Iterator[None]:
    """Each of these processes on its own slice, `share` of a core; on the whole machine again at the end. Raises `NoSlices`."""
    with contextlib.ExitStack() as stack:
        for pid in pids:
            stack.enter_context(_slice(pid, share))
        yield


@contextlib.contextmanager
def _slice(pid: int, share: float) -> Iterator[None]:
    folder = _CONTROLLER / f"graphe-banc-{pid}"
    try:
        folder.mkdir()
        (folder / "cpu.cfs_period_us").write_text(str(_PERIOD_US))
        (folder / "cpu.cfs_quota_us").write_text(str(int(_PERIOD_US * share)))
        (folder / "cgroup.procs").write_text(str(pid))
    except OSError as error:
        with contextlib.suppress(OSError):
            folder.rmdir()
        raise NoSlices(str(error)) from error
    try:
        yield
    finally:
        with contextlib.suppress(OSError):  # it may have ended
            (_CONTROLLER / "cgroup.procs").write_text(str(pid))
        folder.rmdir()
