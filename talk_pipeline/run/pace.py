"""How far a long run has come, told now and then: whoever waits sees how fast it goes, and how long it will."""

import logging
from collections import deque
from collections.abc import Callable
from time import monotonic

from talk_pipeline.wording import counted, unit_of

log = logging.getLogger(__name__)

TELL_SECONDS = 10.0
LOOKED_BACK = 12
"""Lines back to which a rate is reckoned: what a limit allows at once, at the start, is soon no part of it."""
NAMED_SECONDS = 2
"""What is shorter is no number to look at."""


class Pace:
    """Counts the records that had their turn, whatever came of them.

    Args:
        flow: whose records they are.
        what: is done with them, such as `sent to businesscentral`.
        records: how many there are, where that is known.
        clock: seconds, from any moment on.
    """

    def __init__(
        self, flow: str, what: str, *, records: int | None = None, clock: Callable[[], float] = monotonic
    ) -> None:
        self._flow = flow
        self._what = what
        self._records = records
        self._clock = clock
        self._done = 0
        self._told = deque([(clock(), 0)], maxlen=LOOKED_BACK)

    def note(self, records: int = 1) -> None:
        """So many more had their turn."""
        self._done += records
        at = self._clock()
        if at - self._told[-1][0] < TELL_SECONDS:
            return
        began, before = self._told[0]
        self._told.append((at, self._done))
        a_second = (self._done - before) / (at - began)
        log.info("%s: %s, %.1f a second%s", self._flow, self._so_far(), a_second, self._left(a_second))

    def _so_far(self) -> str:
        if self._records is None:
            return f"{counted(self._done, 'record')} {self._what}"
        return f"{self._done} of {counted(self._records, 'record')} {self._what}"

    def _left(self, a_second: float) -> str:
        if self._records is None or not a_second:
            return ""
        return f", {_about((self._records - self._done) / a_second)} left"


def _about(seconds: float) -> str:
    if seconds < NAMED_SECONDS:
        return "a second or two"
    unit, length = unit_of(seconds)
    return f"about {counted(round(seconds / length), unit)}"
