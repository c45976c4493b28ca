"""What a person reads when the circuit breaker stopped a run: what tripped, what was to change, how to go on."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from talk_pipeline.engine.report.checklist import VOLUME
from talk_pipeline.engine.report.sheet import Sheet, sheet_of
from talk_pipeline.engine.state.connection import Connection
from talk_pipeline.engine.state.tables import RunRow
from talk_pipeline.flows.loading import Flows


@dataclass(frozen=True, slots=True)
class Way:
    """A way on: what it is for, and what to type or where to look.

    Attributes:
        first: told where there is room for few.
    """

    what: str
    how: str
    first: bool = False


@dataclass(frozen=True, slots=True)
class Stop:
    """A flow that the circuit breaker stopped.

    Attributes:
        reason: what tripped.
        total: how many changes were planned.
        largest: the largest of them, as `preview.largest` gives them.
    """

    flow: str
    run: RunRow
    reason: str
    total: int
    largest: tuple[Mapping[str, Any], ...]

    @property
    def headline(self) -> str:
        """What happened, in a sentence."""
        would = (
            "a run would be stopped by the circuit breaker"
            if self.run.dry_run
            else "the circuit breaker stopped it"
        )
        return f"{self.flow}: nothing was written; {would}: {self.reason}"

    @property
    def ways(self) -> tuple[Way, ...]:
        """How to look and how to go on."""
        return tuple(ways(self.run))


def stops_of(sheet: Sheet) -> tuple[Stop, ...]:
    """The flows that the circuit breaker stopped in a run."""
    return tuple(
        Stop(section.flow.name, section.ran, section.ran.stopped or "", finding.found, finding.rows)
        for section in sheet.stopped
        if section.ran and section.ran.stopped_by == VOLUME.name
        for line in section.lines
        if line.check.key == VOLUME.key and (finding := line.finding)
    )


def stop_of(db: Connection, flows: Flows, name: str, *, run_id: str) -> Stop | None:
    """How the circuit breaker stopped one flow in a run, if it did."""
    sheet = sheet_of(db, flows, names=[name], run_id=run_id)
    return next(iter(stops_of(sheet)), None) if sheet else None


def ways(run: RunRow) -> Iterator[Way]:
    """How to look at what a run was stopped with, and how to go on."""
    flow = run.flow
    command = f"talk-pipeline undo {run.undoes}" if run.undoes else "talk-pipeline sync"
    full = " --full" if run.full_scan and not run.undoes else ""
    yield Way(
        "all changes, nothing written", f"{command} --flow {flow}{full} --dry-run --plan plan.csv", first=True
    )
    yield Way("one record", f"talk-pipeline explain {flow} NUMBER")
    yield Way("in Dagster", f"table `changes` of asset diffs/{flow}, and its check {VOLUME.name}")
    yield Way("if they are right", f"{command} --flow {flow}{full} --approve", first=True)
    yield Way("or in the launchpad", f"job sync_{flow} with the config {launchpad_config(run)}")
    yield Way(
        "if they are wrong", f"mend them where they were made; the next {command.split()[1]} looks anew"
    )
    yield Way("if so many are usual", f"raise settings.breaker in the file of flow {flow}")


def launchpad_config(run: RunRow) -> str:
    """The config of a run that is approved, as one line of YAML."""
    options = {"approve": "true"}
    if run.full_scan:
        options["full"] = "true"
    if run.undoes:
        options["undo"] = run.undoes
    inner = ", ".join(f"{name}: {value}" for name, value in options.items())
    return f"{{resources: {{pipeline: {{config: {{{inner}}}}}}}}}"
