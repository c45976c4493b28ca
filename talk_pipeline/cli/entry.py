"""The console script: whoever stops it while it is loading gets a line, and no trace of what was being imported.

Loading takes a second. Nothing is imported here before signals are taken, but for what Python has at hand.
"""

import os
import signal
from types import FrameType

_STOPS = (signal.SIGINT, signal.SIGTERM)
_TOLD = b"error: stopped while it was loading; nothing was begun\n"


def run() -> None:
    """The program; until a command begins, which takes signals itself, they end it with 128 and their number."""
    heeded = [number for number in _STOPS if signal.getsignal(number) is not signal.SIG_IGN]
    for number in heeded:
        signal.signal(number, _end)
    from talk_pipeline.garbage import put_off

    put_off()
    from talk_pipeline.cli.main import run as program

    try:
        program()
    finally:
        for number in heeded:  # all is said: whoever will not wait for what is being put away need not
            signal.signal(number, signal.SIG_DFL)


def _end(number: int, _frame: FrameType | None) -> None:
    os.write(2, _TOLD)
    os._exit(128 + number)
