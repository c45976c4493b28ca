"""A signal ends a run within seconds, with what is under way put on disk, and a line that says how far it came."""

import os
import signal
import subprocess
import sys
import time

import pytest

from talk_pipeline_tests.pipeline.records import customer, line, order, product
from talk_pipeline_tests.users import Row
from talk_pipeline_tests.world import World

pytestmark = pytest.mark.slow

SECONDS = 300  # a slow machine needs some for Dagster alone
SOON = 45


def _started(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "talk_pipeline", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=dict(os.environ),
        preexec_fn=_heeding,
    )


def _heeding() -> None:
    """A shell that starts the tests in the background has them ignore Ctrl-C, and whoever they start."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _stopped(world: World, process: subprocess.Popen[str], number: int, *, at: str) -> tuple[str, str, float]:
    """Sends a signal once Business Central was asked for something."""
    try:
        deadline = time.monotonic() + SECONDS
        while not any(at in call for call in world.bc.requests()["by_path"]):
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline, world.bc.requests()
            time.sleep(0.05)
        sent = time.monotonic()
        process.send_signal(number)
        out, err = process.communicate(timeout=SECONDS)
    finally:
        process.kill()
        process.communicate()
    return out, err, time.monotonic() - sent


def _filled(world: World) -> None:
    buyers = [world.shop.post("customers", customer(f"C{n}"))["id"] for n in range(3)]
    items = [world.shop.post("products", product(f"P{n}"))["id"] for n in range(3)]
    for n in range(3):
        world.shop.post("orders", order(f"O{n}", buyers[n], [line(items[n])]))


def _slow(path: str, method: str, seconds: float) -> Row:
    return {"match": {"path": path, "method": method}, "fault": {"delay": seconds}, "times": None}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
def test_a_signal_while_writing_ends_the_run_with_the_outcome_on_disk(world: World, number: int) -> None:
    _filled(world)
    world.bc.faults(_slow("*/customers", "POST", 2))
    process = _started("sync")
    out, err, seconds = _stopped(world, process, number, at="POST /companies({id})/customers")
    assert process.returncode == 3, err
    assert "Traceback" not in out + err
    assert seconds < SOON
    told = [text for text in err.splitlines() if text.startswith("error: ")]
    assert len(told) == 1, err
    assert "customer begun (3 writes done)" in told[0]
    assert "product planned, nothing written" in told[0]
    assert "order not begun" in told[0]
    assert world.sql("select outcome, count(*) from journal group by 1") == [("done", 3)]
    assert not world.bc.all("items")
    world.bc.no_faults()
    run = world.sync()
    assert run.success, run.problems
    assert len(world.bc.all("customers")) == 3


def test_a_write_that_takes_too_long_is_left_and_looked_up(world: World) -> None:
    _filled(world)
    world.bc.faults(_slow("*/customers", "POST", 100))
    process = _started("sync", "--flow", "customer", "--json")
    _, err, seconds = _stopped(world, process, signal.SIGINT, at="POST /companies({id})/customers")
    assert process.returncode == 3, err
    assert "Traceback" not in err
    assert seconds < SOON
    assert "unknown outcome" in err
    assert world.sql("select coalesce(outcome, 'unknown'), count(*) from journal group by 1") == [
        ("unknown", 3)
    ]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
def test_a_signal_while_reading_ends_the_run(world: World, number: int) -> None:
    _filled(world)
    world.bc.faults(_slow("*/customers", "GET", 100))
    process = _started("sync")
    _, err, seconds = _stopped(world, process, number, at="GET /companies({id})/customers")
    assert process.returncode == 3, err
    assert "Traceback" not in err
    assert "customer not begun" in err
    assert seconds < SOON
    assert world.sql("select count(*) from journal") == [(0,)]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
def test_a_signal_before_the_run_begins(world: World, number: int) -> None:
    world.bc.faults(_slow("companies", "GET", 100))
    process = _started("sync")
    _, err, seconds = _stopped(world, process, number, at="companies")
    assert process.returncode == 3, err
    assert "Traceback" not in err
    assert err.strip().splitlines()[-1].startswith("error: stopped")
    assert seconds < SOON
