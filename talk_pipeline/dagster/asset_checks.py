"""The QA checklist as asset checks: a step a flow, one a stage for those that block, and the audit.

A check reads the state and gives a verdict; an exception here is a bug, never a finding.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import dagster as dg

from talk_pipeline.audit import NotAuditableError, UnreachableError
from talk_pipeline.dagster.asset_keys import stage_key, sync_key
from talk_pipeline.dagster.assets.metadata import stop_metadata, table
from talk_pipeline.dagster.company import Partitions, partitioned
from talk_pipeline.dagster.jobs import AUDITED
from talk_pipeline.dagster.resources import Pipeline
from talk_pipeline.engine.report.agreement import LISTED_ROWS
from talk_pipeline.engine.report.checklist import VOLUME, checks
from talk_pipeline.engine.report.findings import Check, CheckContext, Finding
from talk_pipeline.engine.report.lasting import find
from talk_pipeline.engine.report.stops import stop_of
from talk_pipeline.flows.vocabulary import Flow


def flow_checks(flow: Flow, companies: Partitions | None = None) -> list[dg.AssetChecksDefinition]:
    """Every check of a flow; where companies declare it differently, those of any of them."""
    declared = companies.declared(flow) if companies else (flow,)
    by_name = {_name(check): check for one in reversed(declared) for check in checks(one)}
    listed = [by_name.pop(_name(check)) for check in checks(flow)]
    listed += by_name.values()
    steps: dict[str, list[Check]] = {}
    for check in sorted(listed, key=lambda one: not one.blocking):
        steps.setdefault(_step(flow, check), []).append(check)
    return [_checked_together(flow, some, companies, step=step) for step, some in steps.items()]


def _step(flow: Flow, check: Check) -> str:
    """The step of a run that finds it."""
    if not check.blocking:
        return f"checklist_{flow.name}"
    return "__".join((*stage_key(flow, check.stage).path, "blocking"))


def _name(check: Check) -> tuple[str, str]:
    return check.stage, check.name


def audit_check(flow: Flow, companies: Partitions | None = None) -> dg.AssetChecksDefinition:
    """The second opinion, once the flow is synchronized; in the run of the night alone."""

    @dg.asset_check(
        asset=sync_key(flow),
        name=AUDITED,
        description="Both systems, read once more by other code, agree, or it is on record why not.",
        **partitioned(companies),
    )
    def audited(pipeline: Pipeline) -> dg.AssetCheckResult:
        from talk_pipeline.audit.audit import audit  # reads by other libraries, and once a night

        try:
            (judged,) = audit(pipeline.connections.settings, (flow.name,))
        except (NotAuditableError, UnreachableError) as error:
            severity = dg.AssetCheckSeverity.WARN
            return dg.AssetCheckResult(passed=False, severity=severity, description=f"not judged: {error}")
        counts, rows = judged.counts, [one._asdict() for one in judged.unexplained[:LISTED_ROWS]]
        summary = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in counts.items())
        metadata: dict[str, Any] = {**counts, **({"rows": table(rows, list(rows[0]))} if rows else {})}
        return dg.AssetCheckResult(passed=not rows, description=summary, metadata=metadata)

    return audited


def _checked_together(
    flow: Flow, listed: list[Check], companies: Partitions | None, *, step: str
) -> dg.AssetChecksDefinition:
    """Checks of a flow as one step: what a step costs, and opening the state, is most of what a check does."""
    order = [dg.AssetCheckKey(stage_key(flow, check.stage), check.name) for check in listed]

    @dg.multi_asset_check(
        name=step,
        specs=[
            dg.AssetCheckSpec(
                check.name,
                asset=stage_key(flow, check.stage),
                description=check.description,
                blocking=check.blocking,
                **partitioned(companies),
            )
            for check in listed
        ],
        can_subset=True,
    )
    def checked(context: dg.AssetCheckExecutionContext, pipeline: Pipeline) -> Iterator[dg.AssetCheckResult]:
        declared = checks(pipeline.flow(flow.name))  # as the run's company declares the flow
        known = {dg.AssetCheckKey(stage_key(flow, check.stage), check.name): check for check in declared}
        selected = [known[key] for key in order if key in context.selected_asset_check_keys and key in known]
        findings = _find(context, pipeline, flow, selected)
        for check, finding in zip(selected, findings, strict=True):
            yield _result(flow, check, finding, more=_stop(context, pipeline, flow, check, finding))

    return checked


def _stop(
    context: dg.AssetCheckExecutionContext, pipeline: Pipeline, flow: Flow, check: Check, finding: Finding
) -> Mapping[str, Any]:
    """What a person may do about a plan that is not plausible, told in the log as well."""
    if finding.passed or check is not VOLUME:
        return {}
    with pipeline.state.once() as db:
        stop = stop_of(db, pipeline.flows, flow.name, run_id=context.run.run_id)
    if not stop:
        return {}
    # on the run's page a line of the log is read before the trace with which Dagster ends the step
    context.log.error("\n".join([stop.headline, *(f"* {way.what}: {way.how}" for way in stop.ways)]))
    return stop_metadata(stop)


def _find(
    context: dg.AssetCheckExecutionContext, pipeline: Pipeline, flow: Flow, selected: list[Check]
) -> list[Finding]:
    run_id = context.run.run_id
    pipeline.checking(context, flow)
    with pipeline.noting(run_id, flow), pipeline.state.once() as db:
        options = pipeline.options
        decided = options.approve and not options.dry_run
        about = CheckContext(db, pipeline.flows[flow.name], run_id, options.dry_run, options.approve, decided)
        listed = find(about, selected)
    for check, finding in listed:
        if check.blocking and not finding.passed:
            pipeline.stopped(run_id, flow, by=check.name, reason=finding.summary)
    return [finding for _, finding in listed]


def _result(flow: Flow, check: Check, finding: Finding, *, more: Mapping[str, Any]) -> dg.AssetCheckResult:
    metadata: dict[str, Any] = {"found": finding.found, **more}
    if finding.rows:
        metadata["rows"] = table(finding.rows, list(finding.rows[0]))
    return dg.AssetCheckResult(
        asset_key=stage_key(flow, check.stage),
        check_name=check.name,
        passed=finding.passed,
        severity=dg.AssetCheckSeverity[finding.severity],
        description=finding.summary,
        metadata=metadata,
    )
