"""The copy that reads are sent to which ask for it: behind the original by a set time.

Only collections and single records are read from it, not what they expand to. Nothing is remembered while the
lag is 0.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping

from talk_pipeline.sandbox.clock import Clock
from talk_pipeline.sandbox.store import Change, Row, Store, Table


class Replica:
    """Knows what rows held a while ago."""

    def __init__(self, store: Store, clock: Clock, lag: Callable[[], float]) -> None:
        self._clock = clock
        self._lag = lag
        self._recent: deque[tuple[int, Change]] = deque()
        store.listen(self._seen)

    def earlier(self, table: Table) -> Mapping[str, Row | None]:
        """Rows that were different as of the copy, by id; None for those that were not there yet."""
        self._forget()
        result: dict[str, Row | None] = {}
        for _, change in reversed(self._recent):
            row = change.old or change.new
            if change.table == table.name and row is not None:
                result[row["id"]] = change.old
        return result

    def _seen(self, changes: list[Change]) -> None:
        if self._lag():
            now = self._clock.now_ms()
            self._recent.extend((now, change) for change in changes)
            self._forget()

    def _forget(self) -> None:
        oldest = self._clock.now_ms() - int(self._lag() * 1000)
        while self._recent and self._recent[0][0] <= oldest:
            self._recent.popleft()
