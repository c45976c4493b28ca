"""Who may work on a flow: one run at a time, whoever started it.

A lease is a lock the kernel drops with its process, so a killed run leaves nothing to clean up; beside it
lies a note that says who holds it.
"""

import json
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from talk_pipeline.engine.state.connection import now


class LeaseHeldError(RuntimeError):
    """Another run works on the flow."""


@contextmanager
def leases(folder: Path, flows: tuple[str, ...], *, run_id: str, wait_seconds: float) -> Iterator[None]:
    """Holds the lease of every named flow; taken in the order of their names, so that two runs never cross.

    Raises:
        LeaseHeldError: naming the flow, the run that has it and its process.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        for flow in sorted(flows):
            lock = FileLock(folder / f"{flow}.lock")
            note = folder / f"{flow}.json"
            try:
                lock.acquire(timeout=wait_seconds)
            except Timeout as error:
                raise LeaseHeldError(_holder_message(flow, note)) from error
            stack.callback(lock.release)
            note.write_text(
                json.dumps({"run": run_id, "process": os.getpid(), "since": f"{now():%Y-%m-%d %H:%M:%S} UTC"})
            )
            stack.callback(note.unlink, missing_ok=True)
        yield


def _holder_message(flow: str, note: Path) -> str:
    holder: dict[str, object] = {}
    with suppress(OSError, ValueError):
        holder = json.loads(note.read_text())
    return (
        f"flow {flow!r} is held by run {holder.get('run', 'unknown')} "
        f"(process {holder.get('process', 'unknown')}, since {holder.get('since', 'unknown')}); "
        "start this run again when that one has ended"
    )
