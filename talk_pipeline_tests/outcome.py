"""What came of a run, as the tests look at it."""

from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from talk_pipeline.engine.report.checklist import checks
from talk_pipeline.engine.report.findings import CheckContext, Finding
from talk_pipeline.engine.report.lasting import find
from talk_pipeline.engine.state.connection import Connection
from talk_pipeline.engine.state.database import FILE
from talk_pipeline.flows.vocabulary import Flow

Row = dict[str, Any]


class Seen(NamedTuple):
    """What the database says of a run."""

    numbers: dict[str, Any]
    findings: dict[str, dict[str, Finding]]


class Run:
    """What came of a run.

    The checks are made when somebody asks for them, or at the latest before the next run: most runs of the tests
    are but the way to the next one, and nobody asks.

    Args:
        data: the data folder, which nobody may have written to in between.
        look: makes the checks.

    Attributes:
        success: whether nothing stopped it.
        problems: what did.
    """

    def __init__(
        self, run_id: str, problems: list[str], *, success: bool, data: Path, look: Callable[[], Seen]
    ) -> None:
        self.run_id = run_id
        self.problems = problems
        self.success = success
        self._file = data / FILE
        self._left = self._stamp()
        self._look = look

    @cached_property
    def seen(self) -> Seen:
        assert self._stamp() == self._left, "ask for what a run found before something else writes"
        return self._look()

    def _stamp(self) -> tuple[int, int] | None:
        if not self._file.exists():
            return None
        stat = self._file.stat()
        return stat.st_mtime_ns, stat.st_size

    @property
    def numbers(self) -> dict[str, Any]:
        return self.seen.numbers

    @property
    def findings(self) -> dict[str, dict[str, Finding]]:
        return self.seen.findings

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
    listed = find(CheckContext(db, flow, run_id), checks(flow))
    anew = CheckContext(db, flow, run_id)
    assert [one for one in listed if one[0].lasts and one[0].run(anew) != one[1]] == []
    return {check.key: finding for check, finding in listed}
