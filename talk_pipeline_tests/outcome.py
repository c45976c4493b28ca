"""What came of a run, as the tests look at it."""

from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from talk_pipeline.engine.report.checklist import checks
from talk_pipeline.engine.report.findings import CheckContext, Finding
from talk_pipeline.engine.report.lasting import find
from talk_pipeline.engine.state.connection import Connection
from talk_pipeline.engine.state.content import FOUND
from talk_pipeline.engine.state.database import FILE
from talk_pipeline.engine.state.meta import get_meta
from talk_pipeline.flows.vocabulary import Flow

T = TypeVar("T")
Row = dict[str, Any]
Numbers = dict[str, Any]
"""What a run prints for scripts."""
Findings = dict[str, dict[str, Finding]]
"""What the checks of a run found, by flow and key."""


class Run:
    """What came of a run.

    The checks are made when somebody asks for them, or at the latest before the next run: most runs of the tests
    are but the way to the next one, and nobody asks.

    Args:
        data: the data folder, which nobody may have written to in between.
        numbers: counts what it did.
        findings: makes the checks.

    Attributes:
        success: whether nothing stopped it.
        problems: what did.
    """

    def __init__(
        self,
        run_id: str,
        problems: list[str],
        *,
        success: bool,
        data: Path,
        numbers: Callable[[], Numbers],
        findings: Callable[[], Findings],
    ) -> None:
        self.run_id = run_id
        self.problems = problems
        self.success = success
        self._file = data / FILE
        self._left = self._stamp()
        self._count, self._check = numbers, findings

    def look(self) -> None:
        """At all that may still be asked for, before something else writes."""
        _ = self.numbers, self.findings

    @cached_property
    def numbers(self) -> Numbers:
        return self._looked(self._count)

    @cached_property
    def findings(self) -> Findings:
        return self._looked(self._check)

    def _looked(self, look: Callable[[], T]) -> T:
        assert self._stamp() == self._left, "ask for what a run found before something else writes"
        seen = look()
        self._left = self._stamp()  # the checks note what they found
        return seen

    def _stamp(self) -> tuple[int, int] | None:
        if not self._file.exists():
            return None
        stat = self._file.stat()
        return stat.st_mtime_ns, stat.st_size

    def __getitem__(self, flow: str) -> Row:
        numbers: Row = self.numbers["flows"][flow]
        return numbers

    def writes(self, flow: str | None = None) -> int:
        flows = [flow] if flow else list(self.numbers["flows"])
        return sum(n for name in flows for side in self[name]["writes"].values() for n in side.values())

    def finding(self, flow: str, check: str) -> Finding:
        return next(f for name, f in self.findings[flow].items() if name.split(".", 1)[1] == check)

    def failed(self) -> list[str]:
        return [
            f"{flow}.{name}: {finding.summary} {finding.rows}"
            for flow, listed in self.findings.items()
            for name, finding in listed.items()
            if finding.verdict == "failed"
        ]


def found(db: Connection, flow: Flow, run_id: str) -> dict[str, Finding]:
    """What the checks find, by their keys; what was found before and holds is what would be found now."""
    held = (get_meta(db, FOUND + flow.name) or "").split()
    listed = find(CheckContext(db, flow, run_id), checks(flow))
    anew = CheckContext(db, flow, run_id)
    assert [(one, it) for one, it in listed if one.key in held and one.lasts and one.run(anew) != it] == []
    return {check.key: finding for check, finding in listed}
