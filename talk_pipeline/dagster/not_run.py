"""Checks that a run did not come to, since it was stopped or broke off: told as what they are.

Dagster plans every check when a run begins, and shows those of a failed run that have no verdict as failed. Here
each gets one: a warning that says it did not run, and why. What is asked of our own state knows them by itself.
"""

from collections.abc import Iterator

import dagster as dg

from talk_pipeline.dagster.asset_keys import diffs_key, sync_key
from talk_pipeline.engine.report.sheet import Sheet
from talk_pipeline.flows.loading import Flows

DID_NOT_RUN = "did not run"
"""The metadata by which such a verdict is told from one that a check gave."""

_TOLD = {dg.DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED, dg.DagsterEventType.ASSET_CHECK_EVALUATION}


def tell_what_did_not_run(
    instance: dg.DagsterInstance,
    flows: Flows,
    sheet: Sheet,
    *,
    run: dg.DagsterRun,
    partition: str | None = None,
) -> None:
    """Gives a verdict to each planned check that cannot run any more."""
    planned, judged = set(), set()
    for entry in instance.all_logs(run.run_id, of_type=_TOLD):
        event = entry.get_dagster_event()
        if event.event_type is dg.DagsterEventType.ASSET_CHECK_EVALUATION:
            judged.add(event.asset_check_evaluation_data.asset_check_key)
        else:
            planned.add(event.asset_check_planned_data.asset_check_key)
    why = {key: reason for name, reason in _halted(flows, sheet) for key in _behind(flows, name)}
    for key in sorted(planned - judged, key=lambda one: one.to_user_string()):
        if reason := why.get(key.asset_key):
            instance.report_dagster_event(_did_not_run(key, reason, run.job_name, partition), run.run_id)


def _halted(flows: Flows, sheet: Sheet) -> Iterator[tuple[str, str]]:
    """The flows that go no further, and why: what stopped or broke off, and in running order what waits for it."""
    names: set[str] = set()
    sections = {section.flow.name: section for section in sheet.sections}
    for name, section in sections.items():
        ran = section.ran
        if (ran and (ran.stopped_by or ran.problem)) or names.intersection(flows[name].refers_to):
            names.add(name)
            yield name, next(filter(None, (line.why_not for line in section.lines)), "")


def _behind(flows: Flows, name: str) -> tuple[dg.AssetKey, ...]:
    """The assets that wait for all that is read of a flow."""
    return diffs_key(flows[name]), sync_key(flows[name])


def _did_not_run(key: dg.AssetCheckKey, why: str, job: str, partition: str | None) -> dg.DagsterEvent:
    verdict = dg.AssetCheckEvaluation(
        asset_key=key.asset_key,
        check_name=key.name,
        passed=False,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"did not run: {why}",
        metadata={DID_NOT_RUN: dg.MetadataValue.bool(True)},
        partition=partition,
    )
    return dg.DagsterEvent(
        event_type_value=dg.DagsterEventType.ASSET_CHECK_EVALUATION.value,
        job_name=job,
        event_specific_data=verdict,
    )
