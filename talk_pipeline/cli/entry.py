"""The console script: whoever stops it while it is loading gets a line, and no trace of what was being imported.

Loading takes a second. Nothing is imported here before signals are taken, but for what Python has at hand.
"""

import atexit
import os
import signal
import sys
from types import FrameType

_STOPS = (signal.SIGINT, signal.SIGTERM)
_TOLD = b"error: stopped while it was loading; nothing was begun\n"


def run() -> None:
    """The program; until a command begins, which takes signals itself, they end it with 128 and their number."""
    heeded = [number for number in _STOPS if signal.getsignal(number) is not signal.SIG_IGN]
    for number in heeded:
        signal.signal(number, _end)
    statuses: list[int] = []
    atexit.register(_leave, statuses)  # before any other, so that it is called after all of them
    from talk_pipeline.cli.streams import settle

    settle()
    from talk_pipeline.garbage import put_off

    put_off()
    from talk_pipeline.cli.main import run as program

    try:
        program()
    except SystemExit as ended:
        if isinstance(ended.code, int):
            statuses.append(ended.code)
        raise
    finally:
        for number in heeded:  # all is said: whoever will not wait for what is being put away need not
            signal.signal(number, signal.SIG_DFL)


def _leave(statuses: list[int]) -> None:
    """Ends at once: to put away all that was imported, one by one, takes as long as Dagster's import."""
    if not statuses:
        return  # it did not end by itself: Python tells why
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:
        return  # Python tells of that too
    os._exit(statuses[0])


def _end(number: int, _frame: FrameType | None) -> None:
    os.write(2, _TOLD)
    os._exit(128 + number)
