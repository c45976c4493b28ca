"""Jobs and the schedule: what is run together, when without being asked, and what is told when one fails."""

from typing import TYPE_CHECKING, Any

import dagster as dg

from talk_pipeline.dagster.asset_keys import ATTENTION, selected_keys, sync_key
from talk_pipeline.dagster.assets.attention import attention_metadata
from talk_pipeline.dagster.not_run import tell_what_did_not_run
from talk_pipeline.dagster.resources import Pipeline
from talk_pipeline.engine.report.sheet import sheet_of
from talk_pipeline.flows.loading import Flows

if TYPE_CHECKING:
    from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

    AssetJob = UnresolvedAssetJobDefinition

EVERYTHING = "sync_all"
EVERY_NIGHT = "sync_and_audit"
AUDITED = "audited"
NIGHTLY = "0 3 * * *"
RESOURCE = "pipeline"


@dg.failure_hook(required_resource_keys={RESOURCE})
def tell_what_waits(context: dg.HookContext) -> None:
    """What waits for a person, and what was not checked, where a run is stopped or breaks off before it tells."""
    pipeline = getattr(context.resources, RESOURCE)
    metadata = attention_metadata(pipeline, context.run_id)
    told = dg.AssetMaterialization(
        ATTENTION, metadata=metadata, description=f"as run {context.run_id} left it"
    )
    context.instance.report_runless_asset_event(told)
    with pipeline.state.once() as db:
        sheet = sheet_of(db, pipeline.flows, run_id=context.run_id)
    run = context.instance.get_run_by_id(context.run_id)
    if sheet and run:
        tell_what_did_not_run(context.instance, pipeline.flows, sheet, run=run)


def job_name(flow: str) -> str:
    """The job of one flow."""
    return f"sync_{flow}"


def sync_jobs(flows: Flows, *, with_audit: bool) -> "list[AssetJob]":
    """One job for everything, one for the night, and one a flow."""
    audited = flows.values() if with_audit else ()
    audits = dg.AssetSelection.checks(*(dg.AssetCheckKey(sync_key(one), AUDITED) for one in audited))
    # by name: beside them a project may have assets of its own
    ours = dg.AssetSelection.assets(*selected_keys(flows, tuple(flows)), ATTENTION)
    jobs = [
        dg.define_asset_job(
            EVERYTHING,
            selection=ours - audits,
            description="Synchronizes every flow, and runs the whole checklist.",
            config=_opens_with(),
            hooks={tell_what_waits},
            executor_def=dg.in_process_executor,
        ),
        dg.define_asset_job(
            EVERY_NIGHT,
            selection=ours,
            description="The same, and then both systems are read once more and audited.",
            config=_opens_with(full=True),
            hooks={tell_what_waits},
            executor_def=dg.in_process_executor,
        ),
    ]
    for name, flow in flows.items():
        reads = ", ".join(flow.refers_to)
        jobs.append(
            dg.define_asset_job(
                job_name(name),
                selection=dg.AssetSelection.assets(*selected_keys(flows, (name,))) - audits,
                tags={"flow": name},
                config=_opens_with(),
                hooks={tell_what_waits},
                executor_def=dg.in_process_executor,
                description=f"Synchronizes {flow.title.lower()}"
                + (f"; reads {reads} too." if reads else "."),
            )
        )
    return jobs


def _opens_with(**otherwise: bool) -> dict[str, Any]:
    """What the launchpad of a job opens with: every key of a run, as it is unless a person says otherwise."""
    given = {name: field.default for name, field in Pipeline.model_fields.items()}
    return {"resources": {RESOURCE: {"config": given | otherwise}}}


def flows_of(run: dg.DagsterRun, flows: Flows) -> set[str]:
    """The flows a run synchronizes, whoever started it."""
    if run.asset_selection:
        return {name for name, flow in flows.items() if sync_key(flow) in run.asset_selection}
    if run.job_name in (EVERYTHING, EVERY_NIGHT):
        return set(flows)
    return {name for name in flows if run.job_name == job_name(name)}


def full_scan_schedule(every_night: "AssetJob") -> dg.ScheduleDefinition:
    """Every night everything is read in full, so that what was missed or has gone is found, and then audited."""
    return dg.ScheduleDefinition(
        name="nightly_full_scan",
        job=every_night,
        cron_schedule=NIGHTLY,
        run_config=_opens_with(full=True),
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Reads both systems in full, finds what disappeared, and audits the whole.",
    )
