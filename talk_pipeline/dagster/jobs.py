"""Jobs and the schedule: what is run together, when without being asked, and what is told when one fails."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

import dagster as dg

from talk_pipeline.dagster.asset_keys import ATTENTION, selected_keys, sync_key
from talk_pipeline.dagster.assets.attention import attention_metadata
from talk_pipeline.dagster.company import Partitions
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
FULL_SCANS = "nightly_full_scan"
RESOURCE = "pipeline"


@dg.failure_hook(required_resource_keys={RESOURCE})
def tell_what_waits(context: dg.HookContext) -> None:
    """What waits for a person, and what was not checked, where a run is stopped or breaks off before it tells."""
    pipeline = getattr(context.resources, RESOURCE)
    metadata = attention_metadata(pipeline, context.run_id)
    told = dg.AssetMaterialization(
        ATTENTION,
        metadata=metadata,
        description=f"as run {context.run_id} left it",
        partition=pipeline.partition,
    )
    context.instance.report_runless_asset_event(told)
    with pipeline.state.once() as db:
        sheet = sheet_of(db, pipeline.flows, run_id=context.run_id)
    run = context.instance.get_run_by_id(context.run_id)
    if sheet and run:
        tell_what_did_not_run(context.instance, pipeline.flows, sheet, run=run, partition=pipeline.partition)


def job_name(flow: str) -> str:
    """The job of one flow."""
    return f"sync_{flow}"


def sync_jobs(flows: Flows, *, with_audit: bool, companies: Partitions | None = None) -> "list[AssetJob]":
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
            config=_config(companies),
            hooks={tell_what_waits},
            executor_def=dg.in_process_executor,
        ),
        dg.define_asset_job(
            EVERY_NIGHT,
            selection=ours,
            description="The same, and then both systems are read once more and audited.",
            config=_config(companies, full=True),
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
                config=_config(companies),
                hooks={tell_what_waits},
                executor_def=dg.in_process_executor,
                description=f"Synchronizes {flow.title.lower()}"
                + (f"; reads {reads} too." if reads else "."),
            )
        )
    return jobs


def _config(companies: Partitions | None, **otherwise: bool) -> Any:
    given = opens_with(**otherwise)
    if companies is None:
        return given
    return dg.PartitionedConfig(
        partitions_def=companies.defined,
        run_config_for_partition_key_fn=lambda _company: given,
        tags_for_partition_key_fn=companies.tags,
    )


def opens_with(**otherwise: bool) -> dict[str, Any]:
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


def full_scans(
    every_night: "AssetJob", flows: Flows, companies: Partitions | None
) -> list[dg.ScheduleDefinition]:
    """Every night everything is read in full, so that what was missed or has gone is found, and then audited."""
    if companies is None:
        return [_full_scan_schedule(every_night)]
    at: dict[str, list[str]] = {}
    for name in companies.names:
        at.setdefault(companies.schedules.get(name) or NIGHTLY, []).append(name)
    return [_full_scans_at(cron, names, every_night, flows, companies) for cron, names in at.items()]


_READS = "Reads both systems in full, finds what disappeared, and audits the whole"


def _full_scan_schedule(every_night: "AssetJob") -> dg.ScheduleDefinition:
    return dg.ScheduleDefinition(
        name=FULL_SCANS,
        job=every_night,
        cron_schedule=NIGHTLY,
        run_config=opens_with(full=True),
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description=f"{_READS}.",
    )


def _full_scans_at(
    cron: str, names: list[str], every_night: "AssetJob", flows: Flows, companies: Partitions
) -> dg.ScheduleDefinition:
    """One for all companies of a time."""
    schedule = (
        FULL_SCANS if cron == NIGHTLY else f"full_scan_{''.join(_SPELLED.get(one, one) for one in cron)}"
    )

    def request(name: str, at: datetime) -> dg.RunRequest:
        chosen = companies.flows.get(name, flows)
        return dg.RunRequest(
            run_key=f"{name}:{at:%Y-%m-%d %H:%M}",
            partition_key=name,
            run_config=opens_with(full=True),
            tags={"trigger": schedule, **companies.tags(name)},
            asset_selection=[*selected_keys(chosen, tuple(chosen)), ATTENTION],
        )

    @dg.schedule(
        name=schedule,
        job=every_night,
        cron_schedule=cron,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description=f"{_READS}, of {', '.join(names)}.",
    )
    def scans(context: dg.ScheduleEvaluationContext) -> list[dg.RunRequest]:
        return [request(name, context.scheduled_execution_time) for name in names]

    return scans


_SPELLED = {" ": "_", "*": "x", "/": "by", "-": "to", ",": "and"}
