"""The record of what a server was asked since the start, the last reset or the last clearing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from talk_pipeline.sandbox.exchange import Write


class Traffic:
    """Counts calls, writes and how many were in flight at once."""

    def __init__(self) -> None:
        self._open = 0
        self._running = 0
        self._forget()

    def _forget(self) -> None:
        self.requests: Counter[str] = Counter()
        self.parts: Counter[str] = Counter()
        self.writes: dict[str, Counter[str]] = {}
        self.callers: Counter[str] = Counter()
        self.statuses: Counter[int] = Counter()
        self.reads = 0
        self.throttled = 0
        self.faults = 0
        self.highest_open = self._open
        self.highest_running = self._running

    def clear(self) -> None:
        """Start counting anew."""
        self._forget()

    @contextmanager
    def open(self) -> Iterator[None]:
        """Count a call as waiting for its answer, queued or worked on."""
        self._open += 1
        self.highest_open = max(self.highest_open, self._open)
        try:
            yield
        finally:
            self._open -= 1

    @contextmanager
    def running(self) -> Iterator[None]:
        """Count a call as being worked on."""
        self._running += 1
        self.highest_running = max(self.highest_running, self._running)
        try:
            yield
        finally:
            self._running -= 1

    def count_call(self, method: str, template: str, *, part: bool = False) -> None:
        """Count one call, or one part of a batch, by method and path template."""
        (self.parts if part else self.requests)[f"{method} {template}"] += 1
        if method == "GET":
            self.reads += 1

    def answered(self, status: int) -> None:
        """Count an answer."""
        self.statuses[status] += 1
        if status in (420, 429):  # 420: what a few services say instead
            self.throttled += 1

    def wrote(self, writes: Iterable[Write]) -> None:
        """Count records really written, each line of an order by itself."""
        for write in writes:
            self.writes.setdefault(write.entity, Counter())[write.operation] += write.count

    def report(self) -> dict[str, Any]:
        """What ``GET /_sandbox/requests`` shows."""
        return {
            "total": self.requests.total(),
            "by_path": dict(sorted(self.requests.items())),
            "batch_parts": dict(sorted(self.parts.items())),
            "callers": dict(sorted(self.callers.items())),
            "statuses": {str(status): count for status, count in sorted(self.statuses.items())},
            "reads": self.reads,
            "writes": {
                entity: {verb: counts[verb] for verb in ("create", "update", "delete")}
                for entity, counts in sorted(self.writes.items())
            },
            "writes_total": sum(counts.total() for counts in self.writes.values()),
            "highest_concurrency": self.highest_open,
            "highest_running": self.highest_running,
            "throttled": self.throttled,
            "faults": self.faults,
        }
