"""One Dagster run in this process, on any instance: what the command line and the tests start."""

import warnings
from typing import Any

import dagster as dg
from dagster._core.events import RunFailureReason
from dagster._core.execution.plan.objects import ErrorSource

from talk_pipeline.dagster.asset_keys import selected_keys
from talk_pipeline.dagster.build import build_defs
from talk_pipeline.dagster.company import Partitions
from talk_pipeline.dagster.failures import problems_of
from talk_pipeline.dagster.jobs import EVERYTHING, RESOURCE
from talk_pipeline.flows.loading import Flows
from talk_pipeline.run.session import Options


def execute(
    flows: Flows,
    names: tuple[str, ...],
    *,
    options: Options,
    instance: dg.DagsterInstance,
    company: str | None = None,
) -> dg.ExecuteInProcessResult:
    """Runs the named flows, of a company where there are several, with their checks; the result has what failed."""
    config: dict[str, Any] = {
        "resources": {
            RESOURCE: {
                "config": {
                    "full": options.full,
                    "dry_run": options.dry_run,
                    "approve": options.approve,
                    "undo": options.undo or "",
                    "restored": options.restored.value if options.restored else "",
                }
            }
        },
        "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
    }
    companies = Partitions((company,)) if company else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Dagster's own, about itself
        return (
            build_defs(flows, with_audit=False, companies=companies)
            .resolve_job_def(EVERYTHING)
            .execute_in_process(
                instance=instance,
                run_config=config,
                asset_selection=None if len(names) == len(flows) else selected_keys(flows, names),
                partition_key=company,
                tags={"trigger": "command line"},
                raise_on_error=False,
            )
        )


def interrupted(run: dg.ExecuteInProcessResult) -> bool:
    """Whether a signal ended the run."""
    for event in run.all_events:
        if event.is_step_failure and event.step_failure_data.error_source is ErrorSource.INTERRUPT:
            return True
        if event.is_job_failure and event.job_failure_data.failure_reason is _TERMINATED:
            return True
    return False


_TERMINATED = RunFailureReason.UNEXPECTED_TERMINATION


def problems(run: dg.ExecuteInProcessResult) -> list[str]:
    """Why steps failed, in the words of the first cause; a failed check speaks for itself."""
    return problems_of(run.all_events)
