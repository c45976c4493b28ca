"""How far a long upsert has come, told now and then: whoever waits sees how fast it goes, and how long it will."""

import logging
from collections import deque
from collections.abc import Callable
from datetime import timedelta
from time import monotonic

from talk_pipeline.flows.sides import Side
from talk_pipeline.wording import counted

log = logging.getLogger(__name__)

TELL_SECONDS = 10.0
LOOKED_BACK = 12
"""Lines back to which a rate is reckoned: what a limit allows at once, at the start, is soon no part of it."""


class Pace:
    """Counts the records of an upsert that had their turn, whatever came of them.

    Args:
        flow: whose records they are.
        target: the side that is written to.
        records: how many there are to write.
        clock: seconds, from any moment on.
    """

    def __init__(
        self, flow: str, target: Side, *, records: int, clock: Callable[[], float] = monotonic
    ) -> None:
        self._flow = flow
        self._target = target
        self._records = records
        self._clock = clock
        self._done = 0
        self._told = deque([(clock(), 0)], maxlen=LOOKED_BACK)

    def note(self) -> None:
        """One more had its turn."""
        self._done += 1
        at = self._clock()
        if at - self._told[-1][0] < TELL_SECONDS:
            return
        began, before = self._told[0]
        self._told.append((at, self._done))
        a_second = (self._done - before) / (at - began)
        log.info(
            "%s: %d of %s sent to %s, %.1f a second, %s left",
            self._flow,
            self._done,
            counted(self._records, "record"),
            self._target,
            a_second,
            _about(timedelta(seconds=(self._records - self._done) / a_second)),
        )


_UNITS = (("hour", timedelta(hours=1)), ("minute", timedelta(minutes=1)), ("second", timedelta(seconds=1)))


def _about(left: timedelta) -> str:
    """In the largest unit that it is two of."""
    for unit, long in _UNITS:
        if left >= 2 * long:
            return f"about {counted(round(left / long), unit)}"
    return "a second or two"
