"""Why runs failed, in the words of the first cause."""

from collections.abc import Iterable

import dagster as dg

from talk_pipeline.dagster.assets.sync import StoppedByBreaker
from talk_pipeline.engine.state.lease import LeaseHeldError, LeaseLostError


def problems_of(events: Iterable[dg.DagsterEvent]) -> list[str]:
    """Why steps failed; a failed check speaks for itself, and so does a plan that the circuit breaker stopped."""
    found: list[str] = []
    stopped = StoppedByBreaker.__name__
    leased = (LeaseHeldError.__name__, LeaseLostError.__name__)
    for event in events:
        if not event.is_step_failure:
            continue
        data = event.step_failure_data
        failure, error = data.user_failure_data, data.error
        while error is not None and error.cause is not None and error.cls_name not in leased:
            error = error.cause
        if error is not None and ("AssetCheck" in (error.cls_name or "") or stopped == error.cls_name):
            continue
        if failure is not None and failure.description:
            found.append(failure.description)
        elif error is not None:
            found.append(error.message.split(": ", 1)[-1].strip())
    return list(dict.fromkeys(found))
