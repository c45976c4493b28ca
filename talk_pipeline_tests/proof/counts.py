"""How much was proven, counted where it is: in each process of the tests, and added up at the end.

A proof that fails is a violation and nothing else, so that no number tells of what does not hold.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Self

KINDS = ("plans", "scenarios", "cells", "faults")


class Counts:
    """What was proven, and which states were reached meanwhile."""

    def __init__(self) -> None:
        self.proven: Counter[str] = Counter()
        self.violations = 0
        self.reached: set[str] = set()

    @contextmanager
    def proving(self, kind: str, number: int = 1) -> Iterator[None]:
        """Counts so many of a kind once the block has ended, or a violation where it fails."""
        assert kind in KINDS, kind
        try:
            yield
        except Exception:
            self.violations += 1
            raise
        self.proven[kind] += number

    def add(self, other: Self) -> None:
        """Takes over what another process counted."""
        self.proven.update(other.proven)
        self.violations += other.violations
        self.reached |= other.reached

    def document(self) -> dict[str, Any]:
        """As plain data, to be sent to another process."""
        return {
            "proven": dict(self.proven),
            "violations": self.violations,
            "reached": sorted(self.reached),
        }

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> Self:
        """What `document` gave."""
        counts = cls()
        counts.proven.update(document["proven"])
        counts.violations = document["violations"]
        counts.reached.update(document["reached"])
        return counts

    def line(self) -> str:
        """For people: `plans 22000, scenarios 12, cells 72, faults 40, states 38, violations 0`."""
        numbers = {kind: self.proven[kind] for kind in KINDS}
        numbers |= {"states": len(self.reached), "violations": self.violations}
        return ", ".join(f"{name} {number}" for name, number in numbers.items())


COUNTS = Counts()
"""Those of this process."""
