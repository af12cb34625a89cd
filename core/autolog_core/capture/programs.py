"""Running a program with a bound on its time and on what it may say."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_CHUNK = 65536
_COMPLAINT = 4096


@dataclass(frozen=True, slots=True)
class Output:
    """What a program said.

    Attributes:
        code: Exit code; negative when it was stopped.
        out: The first bytes of its standard output, up to the limit.
        complaint: The first 4 KiB of its standard error.
        cut: Whether it had more to say than the limit.
        late: Whether it was stopped because its time was up.
    """

    code: int
    out: bytes
    complaint: str
    cut: bool
    late: bool


def run(
    command: Sequence[str],
    folder: str,
    environment: Mapping[str, str],
    limit: int,
    seconds: float,
) -> Output:
    """Runs `command` without input and returns what it said; no more than `limit` bytes are held.

    Whatever it started is stopped with it.

    Args:
        limit: Bytes of standard output.
        seconds: After which it is stopped.

    Raises:
        OSError: The program or the folder is not there.
    """
    deadline = time.monotonic() + seconds
    with subprocess.Popen(
        command,
        cwd=folder,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        out, complaint = bytearray(), bytearray()
        try:
            late = not _read(process, out, complaint, limit, deadline)
            cut = len(out) > limit
            if not (late or cut):
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(max(deadline - time.monotonic(), 0.1))
                late = process.returncode is None
        finally:
            if process.poll() is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
    return Output(
        code=process.returncode,
        out=bytes(out[:limit]),
        complaint=complaint[:_COMPLAINT].decode(errors="replace").strip(),
        cut=cut,
        late=late,
    )


def _read(
    process: subprocess.Popen[bytes],
    out: bytearray,
    complaint: bytearray,
    limit: int,
    deadline: float,
) -> bool:
    """Fills both until both pipes end or `out` is over its limit; False when the time is up."""
    assert process.stdout is not None
    assert process.stderr is not None
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ, out)
        selector.register(process.stderr, selectors.EVENT_READ, complaint)
        while selector.get_map() and len(out) <= limit:
            ready = selector.select(max(deadline - time.monotonic(), 0))
            if not ready:
                return False
            for key, _ in ready:
                data = os.read(key.fd, _CHUNK)
                if not data:
                    selector.unregister(key.fileobj)
                elif key.data is out or len(complaint) < _COMPLAINT:
                    key.data.extend(data)
    return True
