"""The only place where the parts of the code location are put together; tests and the command line use it too."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import dagster as dg

from talk_pipeline.dagster.alerts import alert_sensor, is_anybody_told
from talk_pipeline.dagster.asset_checks import audit_check, flow_checks
from talk_pipeline.dagster.assets.attention import attention_asset
from talk_pipeline.dagster.assets.diffs import diffs_asset
from talk_pipeline.dagster.assets.links import links_asset
from talk_pipeline.dagster.assets.raw import raw_asset
from talk_pipeline.dagster.assets.sync import sync_asset
from talk_pipeline.dagster.company import Partitions, partitions_of, without_preview_warnings
from talk_pipeline.dagster.io_manager import TABLES, Tables
from talk_pipeline.dagster.jobs import RESOURCE, full_scans, sync_jobs
from talk_pipeline.dagster.launchpad import by_hand_job
from talk_pipeline.dagster.lineage import description_of, system_specs
from talk_pipeline.dagster.resources import Pipeline
from talk_pipeline.dagster.retention import prune_job, prune_schedule
from talk_pipeline.dagster.sensors import change_sensor
from talk_pipeline.declarations import flows_of
from talk_pipeline.flows.loading import Flows
from talk_pipeline.flows.sides import Side
from talk_pipeline.settings import Settings


def build_all(settings: Settings, *, with_audit: bool = True, guest: bool = False) -> dg.Definitions:
    """The code location of an installation: of its one company, or of all.

    Raises:
        SettingsError: no company can be acted for.
        FlowError: a flow file has a mistake.
    """
    several = partitions_of(settings)
    flows, companies = several or (flows_of(settings), None)
    return build_defs(flows, settings=settings, with_audit=with_audit, guest=guest, companies=companies)


def build_defs(
    flows: Flows,
    *,
    settings: Settings | None = None,
    resources: Mapping[str, Any] | None = None,
    with_audit: bool = True,
    guest: bool = False,
    companies: Partitions | None = None,
) -> dg.Definitions:
    """The code location for these flows.

    Args:
        flows: what to synchronize.
        settings: where the systems and the state are, and who answers for them, as far as assets show it.
        resources: to replace those of the same name, or beside them.
        guest: in a project that has assets, runs and an executor of its own: of those nothing is touched.
        companies: where there are several, each a partition of all that is here.
        with_audit: with the check of the night; a run of some assets has all of their checks, that one too.
    """
    jobs = sync_jobs(flows, with_audit=with_audit, companies=companies)
    everything, every_night, *_ = jobs
    pruning = prune_job(runs_too=not guest)
    with without_preview_warnings():
        checks = [check for flow in flows.values() for check in flow_checks(flow, companies)]
        audits = [audit_check(flow, companies) for flow in flows.values()] if with_audit else []
    keys = [key for check in checks for key in check.check_keys]
    described = description_of(flows, settings, companies=companies)
    assets = [
        *(raw_asset(flow, side, flows) for flow in flows.values() for side in Side),
        *(links_asset(flow, flows) for flow in flows.values()),
        *(diffs_asset(flow) for flow in flows.values()),
        *(sync_asset(flow, flows) for flow in flows.values()),
        attention_asset(flows),
    ]
    watch: Callable[..., dg.SensorDefinition] = change_sensor
    if companies is not None:
        from talk_pipeline.dagster.company_sensors import company_sensor

        watch = partial(company_sensor, companies=companies)
    sensors = [watch(flows, side, everything=everything, checks=keys) for side in Side]
    if settings and is_anybody_told(settings):
        sensors.append(alert_sensor(flows))
    return dg.Definitions(
        assets=[*system_specs(settings), *(asset.map_asset_specs(described) for asset in assets)],
        asset_checks=[*checks, *audits],
        jobs=[*jobs, by_hand_job(next(iter(flows)), companies=companies), pruning],
        schedules=[*full_scans(every_night, flows, companies), prune_schedule(pruning)],
        sensors=sensors,
        resources={RESOURCE: Pipeline.configure_at_launch(), TABLES: Tables()} | dict(resources or {}),
        executor=None if guest else dg.in_process_executor,
    )
