"""Many companies on workers that come and go: nothing is lost, nothing is there twice, and two do what two can.

Figures are printed as `name value`. COMPANIES says how many there are, 50 by default.
"""

import os
import signal
import time
from collections.abc import Iterator
from statistics import median

import dagster as dg
import pytest
from dagster._grpc.types import ExecuteRunArgs
from dagster._serdes import pack_value
from dagster_celery.tags import DAGSTER_CELERY_TASK_ID_TAG
from dagster_celery.tasks import create_execute_job_task

from talk_pipeline.dagster.celery_launcher import CeleryLauncher
from talk_pipeline_tests.pipeline.records import customer
from talk_pipeline_tests.scale.rig import Rig, Run
from talk_pipeline_tests.scale.servers import ended

COMPANIES = int(os.environ.get("COMPANIES", "50"))
ENOUGH = 20
"""Of fewer, the first and the last run of each worker, which no other goes beside, are too many for a ratio."""
CUSTOMERS = 6
SLOW_SECONDS = 2.0
"""For each answer: the systems are the limit, not the cores that workers, systems and servers share here."""
OF_ONE = 20
"""So many runs tell the pace of one worker, which has one at a time: more of them only take longer."""
RUN_SECONDS = 120
"""No run takes longer, on a machine that does other things too."""
HELD = {"match": {"method": "POST", "path": "customers"}, "fault": {"hold": True}, "times": None}
"""What is asked for arrives, and is carried out once this rule has gone, whether anybody waits for it or not."""


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    rig = Rig(tmp_path_factory.mktemp("rig"), COMPANIES, size=CUSTOMERS)
    try:
        rig.start()
        yield rig
    finally:
        rig.stop()


def figure(name: str, value: float) -> None:
    print(f"{name} {value:.2f}")


def creates(rig: Rig, company: str) -> int:
    """How many customers Business Central has made, by whatever request."""
    _, central = rig.control(company)
    made = central.requests()["writes"].get("customers", {}).get("create", 0)
    return int(made)


def newcomers(rig: Rig, company: str, count: int) -> None:
    """Customers who registered with the shop."""
    shop, _ = rig.control(company)
    for _ in range(count):
        shop.post("customers", customer(f"N{time.monotonic_ns()}"))


def test_two_workers_do_what_two_can_and_each_company_has_its_turn(rig: Rig) -> None:
    companies, longest = list(rig.environments), COMPANIES * RUN_SECONDS
    queues = {name: ("one", "two")[at % 2] for at, name in enumerate(companies)}
    workers = [rig.worker(queue, queue) for queue in ("one", "two")]
    try:
        began = rig.done([rig.run(name, queue=queue) for name, queue in queues.items()], seconds=longest)
        assert {run.status for run in began} == {"SUCCESS"}
        assert [name for name in companies if rig.unexplained(name)] == []
        for name in companies:
            rig.slow(name, SLOW_SECONDS)
        by_one = rig.done([rig.run(name, queue="one") for name in companies[:OF_ONE]], seconds=longest)
        asked = [rig.run(name, queue=queue) for _ in range(2) for name, queue in queues.items()]
        by_two = rig.done(asked, seconds=2 * longest)
    finally:
        for worker in workers:
            ended(worker)
        for name in companies:
            rig.slow(name, 0)
    assert {run.status for run in [*by_one, *by_two]} == {"SUCCESS"}
    figure("runs_a_minute_by_one_worker", a_minute(by_one))
    figure("runs_a_minute_by_two_workers", a_minute(by_two))
    ratio = a_minute(by_two) / a_minute(by_one)
    figure("throughput_of_two_workers", ratio)
    turns = [
        late["endTime"] - soon["endTime"] for soon, late in zip(by_two, by_two[COMPANIES:], strict=False)
    ]
    fairness = max(turns) / median(turns)
    figure("fairness_slowest_to_median", fairness)
    if COMPANIES >= ENOUGH:
        assert fairness <= 1.5
        assert ratio >= 1.9


def a_minute(runs: list[Run]) -> float:
    began, ended_at = min(run["startTime"] for run in runs), max(run["endTime"] for run in runs)
    return 60 * len(runs) / float(ended_at - began)


def test_a_worker_is_killed_and_another_goes_on(rig: Rig) -> None:
    """With its whole machine: nobody says that it is gone, and its lease lies where it lay."""
    company, queue = "c00", "killed"
    _, central = rig.control(company)
    before = creates(rig, company)
    newcomers(rig, company, 5)
    central.faults(HELD)
    doomed = rig.worker("doomed", queue)
    run = rig.run(company, queue=queue)
    rig.until(lambda: central.rules()[0]["fired"], seconds=RUN_SECONDS)
    os.killpg(doomed.pid, signal.SIGKILL)
    killed_at = time.time()
    central.no_faults()
    spare = rig.worker("spare", queue)
    try:
        rig.until(lambda: retry_of(rig, run), seconds=RUN_SECONDS * 2)
        (other,) = rig.done([retry_of(rig, run)], seconds=RUN_SECONDS)
    finally:
        ended(spare)
    assert rig.status(run) == "FAILURE"
    assert other.status == "SUCCESS"
    assert rig.unexplained(company) == []
    assert creates(rig, company) - before == 5
    figure("takeover_seconds", other["startTime"] - killed_at)


def retry_of(rig: Rig, run: str) -> str:
    return next((one.id for one in rig.runs().values() if one.id != run and one["rootRunId"] == run), "")


def test_a_task_that_is_delivered_twice_is_done_once(rig: Rig) -> None:
    """Both wait in the queue, and two workers take them at the same moment."""
    company, queue = "c01", "twice"
    before = creates(rig, company)
    newcomers(rig, company, 5)
    run = rig.run(company, queue=queue)
    rig.until(lambda: rig.runs()[run].tag(DAGSTER_CELERY_TASK_ID_TAG), seconds=RUN_SECONDS)
    deliver_again(rig, run, queue)
    workers = [rig.worker(name, queue, awaited=False) for name in ("left", "right")]
    try:
        rig.done([run], seconds=RUN_SECONDS)
        rig.until(lambda: not waiting(rig, queue), seconds=RUN_SECONDS)
    finally:
        for worker in workers:
            ended(worker)
    assert creates(rig, company) - before == 5
    assert rig.unexplained(company) == []


def deliver_again(rig: Rig, run: str, queue: str) -> None:
    with rig.acting_for("c01"), dg.DagsterInstance.get() as instance:
        known = instance.get_run_by_id(run)
        assert known
        assert known.job_code_origin
        args = ExecuteRunArgs(
            job_origin=known.job_code_origin,
            run_id=run,
            instance_ref=instance.get_ref(),
            set_exit_code_on_failure=True,
        )
        launcher = instance.run_launcher
        assert isinstance(launcher, CeleryLauncher)
        task = create_execute_job_task(launcher.celery)
        task.si(execute_job_args_packed=pack_value(args)).apply_async(queue=queue)


def waiting(rig: Rig, queue: str) -> int:
    import redis

    with redis.Redis.from_url(rig.redis.url) as client:
        return sum(client.llen(key) for key in client.scan_iter(f"{queue}*"))


def test_the_servers_are_restarted_while_runs_are_at_work(rig: Rig) -> None:
    companies = list(rig.environments)[:4]
    before = {name: creates(rig, name) for name in companies}
    centrals = {name: rig.control(name)[1] for name in companies}
    for name, central in centrals.items():
        newcomers(rig, name, 3)
        central.faults(HELD)
    workers = [rig.worker(name, name) for name in ("red", "blue")]
    try:
        runs = [rig.run(name, queue=("red", "blue")[at % 2]) for at, name in enumerate(companies)]
        at_work = [centrals[name] for name in companies[:2]]
        rig.until(lambda: all(one.rules()[0]["fired"] for one in at_work), seconds=RUN_SECONDS)
        rig.redis.stop()
        time.sleep(1)
        rig.redis.start()
        time.sleep(2)
        rig.postgres.stop()
        rig.postgres.start()
        for central in centrals.values():
            central.no_faults()
        ends = rig.done(runs, seconds=RUN_SECONDS * 4)
        rig.until(
            lambda: all(retry_of(rig, run.id) or run.status == "SUCCESS" for run in ends), seconds=RUN_SECONDS
        )
        again = [retry_of(rig, run.id) or run.id for run in ends]
        assert {run.status for run in rig.done(again, seconds=RUN_SECONDS * 2)} == {"SUCCESS"}
    finally:
        for worker in workers:
            ended(worker)
    figure("runs_that_survived_the_restarts", sum(run.status == "SUCCESS" for run in ends))
    assert [name for name in companies if rig.unexplained(name)] == []
    assert {name: creates(rig, name) - before[name] for name in companies} == dict.fromkeys(companies, 3)
