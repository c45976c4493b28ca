"""The checklist as one run left it: of every check the verdict of that run, or why there is none.

A verdict of an earlier run is never taken for one of this run; it is told beside it, as what it is.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from talk_pipeline.engine.report import run_summary, runs
from talk_pipeline.engine.report.checklist import checks
from talk_pipeline.engine.report.findings import Check, Finding
from talk_pipeline.engine.report.run_summary import CheckResult
from talk_pipeline.engine.state.connection import Connection
from talk_pipeline.engine.state.tables import RunRow
from talk_pipeline.flows.loading import Flows
from talk_pipeline.flows.vocabulary import Flow

Word = Literal["passed", "warned", "failed", "not run"]
Overall = Literal["passed", "warned", "failed", "incomplete"]

WORDS: tuple[Word, ...] = ("passed", "warned", "failed", "not run")


@dataclass(frozen=True, slots=True)
class Line:
    """One check of the checklist.

    Attributes:
        result: the verdict of this run, None where the check did not run.
        why_not: why it did not run.
        earlier: the last verdict that there is of a check that did not run.
    """

    check: Check
    result: CheckResult | None = None
    why_not: str | None = None
    earlier: CheckResult | None = None

    @property
    def verdict(self) -> Word:
        """The outcome in a word."""
        return self.result.finding.verdict if self.result else "not run"

    @property
    def finding(self) -> Finding | None:
        """What this run found, if it looked."""
        return self.result.finding if self.result else None


@dataclass(frozen=True, slots=True)
class Section:
    """One flow's checklist; `ran` is None where the run was not to synchronize it."""

    flow: Flow
    ran: RunRow | None
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Sheet:
    """The checklist of one run."""

    runs: Mapping[str, RunRow]
    sections: tuple[Section, ...]

    @property
    def run(self) -> RunRow:
        """The run, as its first flow knows it."""
        return next(iter(self.runs.values()))

    @property
    def lines(self) -> Iterator[Line]:
        """All checks of all flows."""
        return (line for section in self.sections for line in section.lines)

    @property
    def stopped(self) -> tuple[Section, ...]:
        """The flows whose part of the run a blocking check stopped."""
        return tuple(one for one in self.sections if one.ran and one.ran.stopped_by)

    @property
    def broken_off(self) -> tuple[Section, ...]:
        """The flows whose part of the run something broke off."""
        return tuple(one for one in self.sections if one.ran and one.ran.problem)

    def counted(self, word: Word) -> int:
        """How many checks have that verdict."""
        return sum(line.verdict == word for line in self.lines)

    @property
    def verdict(self) -> Overall:
        """The run in a word; a failure that an earlier run found and nobody looked at since is one still."""
        unexplained = any(line.verdict == "not run" for one in self.sections if one.ran for line in one.lines)
        if self.broken_off or (unexplained and not self.stopped):
            return "incomplete"
        earlier = any(line.earlier and line.earlier.finding.verdict == "failed" for line in self.lines)
        if self.stopped or self.counted("failed") or earlier:
            return "failed"
        return "warned" if self.counted("warned") else "passed"


def sheet_of(
    db: Connection, flows: Flows, *, names: Iterable[str] | None = None, run_id: str | None = None
) -> Sheet | None:
    """The checklist of a run, the last one by default; None where there is none.

    Args:
        db: the state.
        flows: all flows.
        names: the flows to tell of; by default all.
        run_id: the run.
    """
    run_id = run_id or runs.latest(db)
    ran = runs.runs_of(db, run_id) if run_id else {}
    if not ran:
        return None
    sections = (_section(db, flows[name], runs=ran) for name in names or flows)
    return Sheet(ran, tuple(sections))


def _section(db: Connection, flow: Flow, *, runs: Mapping[str, RunRow]) -> Section:
    verdicts = run_summary.check_results(db, flow.name)
    run_id = next(iter(runs.values())).run_id
    why_not = _why_not(flow, runs)
    lines = []
    for check in checks(flow):
        result = verdicts.get(check.key)
        if result and result.run_id == run_id:
            lines.append(Line(check, result=result))
        else:
            lines.append(Line(check, why_not=why_not, earlier=result))
    return Section(flow, runs.get(flow.name), tuple(lines))


def _why_not(flow: Flow, runs: Mapping[str, RunRow]) -> str:
    ran = runs.get(flow.name)
    if ran is None:
        return f"the run was of {', '.join(runs)} alone"
    if ran.stopped_by:
        title = next(check.title for check in checks(flow) if check.name == ran.stopped_by)
        return f"the run stopped at “{title}”: {ran.stopped}"
    if ran.problem:
        return f"the run broke off: {ran.problem}"
    for name in flow.refers_to:
        other = runs.get(name)
        if other and other.stopped_by:
            return f"it waits for {name}, which was stopped: {other.stopped}"
        if other and other.problem:
            return f"it waits for {name}, which broke off: {other.problem}"
    if ran.ended_at is None:
        return "the run has not come so far: it goes on, or its process was ended"
    return "the run ended without it"
