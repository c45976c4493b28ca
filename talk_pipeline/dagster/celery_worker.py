"""What a worker of Celery runs: `celery -A talk_pipeline.dagster.celery_worker worker -Q QUEUE --concurrency=1`.

Dagster's own command starts Celery as a child and does not pass on that it is told to end, so that a run would be
killed instead of stopped. It needs the extra `deploy`, `CELERY_BROKER_URL` and
`CELERY_RESULT_BACKEND`, which Celery takes from the environment.
"""

from typing import Any

from dagster_celery.make_app import make_app
from dagster_celery.tasks import create_execute_job_task

DAY = 86_400

_make: Any = make_app
app = _make({"backend": None})
app.conf.update(
    # longer than a run: what was handed out and is not done by then is handed out again
    broker_transport_options={"visibility_timeout": DAY},
    broker_connection_retry_on_startup=True,
    result_expires=2 * DAY,
    # a worker at work takes no further run, which would wait there while another worker is idle
    worker_disable_prefetch=True,
    worker_prefetch_multiplier=1,
    # a fresh process now and then: what a library keeps for good is given back
    worker_max_tasks_per_child=50,
    worker_hijack_root_logger=False,
    # told to stop, it lets a run go on for so long, then has it stop at its next request;
    # it does not answer meanwhile, and would be taken for lost after half a minute
    worker_soft_shutdown_timeout=20,
)
execute_job = create_execute_job_task(app)
