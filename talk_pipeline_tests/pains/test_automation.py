"""The daemon beside both systems: killed runs, a system that is away, decisions by hand; and nobody helps."""

import os
import signal
import time
from collections.abc import Iterator

import dagster as dg
import pytest

from talk_pipeline_tests.automation import HANG, Automation, power_cut
from talk_pipeline_tests.world import World

pytestmark = [pytest.mark.slow, pytest.mark.long]

MINUTE = 60.0


@pytest.fixture
def automation(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Automation]:
    monkeypatch.setenv("TALK_POLL_SECONDS", "1")
    opened = Automation(world)
    yield opened
    opened.instance.dispose()


def test_killed_runs_are_over_within_a_minute_and_others_do_their_work(automation: Automation) -> None:
    took: dict[str, float] = {}
    with automation.daemon() as process:
        automation.wait("the first sync", lambda: automation.arrived("www.c1.example"))
        automation.wait("quiet", automation.quiet)

        os.kill(automation.stuck(at="www.one.example"), signal.SIGKILL)
        failed = dg.DagsterRunStatus.FAILURE
        took["run killed: over"] = automation.wait("over", lambda: automation.runs(failed), seconds=MINUTE)
        took["run killed: edit there"] = automation.wait(
            "the edit", lambda: automation.arrived("www.one.example")
        )
        automation.wait("quiet", automation.quiet)

        automation.stuck(at="www.two.example")
        power_cut(process)

    automation.world.bc.no_faults()
    automation.world.bc.faults(HANG)
    with automation.command("sync", "--flow", "customer") as by_hand:
        automation.wait("a write that hangs", automation.hangs)
        by_hand.kill()
    dead = automation.runs(dg.DagsterRunStatus.STARTED)
    assert len(dead) == 2, "one of the sensors', one of the command line"
    with automation.daemon():
        took["all killed: over"] = automation.wait(
            "over", lambda: dead <= automation.runs(failed), seconds=MINUTE
        )
        took["all killed: edit there"] = automation.wait(
            "the edit", lambda: automation.arrived("www.two.example")
        )
    print({what: round(seconds, 1) for what, seconds in took.items()})
    assert len(automation.world.bc.all("customers")) == 1


@pytest.mark.variant
def test_an_edit_and_a_decision_are_carried_out_though_business_central_was_away(
    automation: Automation,
) -> None:
    """In one process `test_sensors` shows the same: here the daemon does it by itself."""
    world, took = automation.world, {}
    with automation.daemon():
        automation.wait("the first sync", lambda: automation.arrived("www.c1.example"))
        automation.wait("quiet", automation.quiet)
        full = world.sql("select max(full_at) from watermark where flow = 'customer'")

        automation.edit("www.one.example")
        world.bc.faults({"match": {"path": "$batch|customers"}, "fault": {"status": 503}, "times": None})
        failed = dg.DagsterRunStatus.FAILURE
        automation.wait("a run that fails", lambda: automation.runs(failed))
        time.sleep(10)
        assert len(automation.runs(failed)) <= 4, "no storm"
        world.bc.no_faults()
        took["away: edit there"] = automation.wait("the edit", lambda: automation.arrived("www.one.example"))
        automation.wait("quiet", automation.quiet)
        assert world.sql("select max(full_at) from watermark where flow = 'customer'") == full

        (bc_id,) = world.bc.all("customers")
        assert automation.command("unlink", "customer", automation.buyer).wait() == 0
        automation.edit("www.two.example")
        time.sleep(5)
        automation.wait("quiet", automation.quiet)
        assert automation.arrived("www.one.example"), "they are apart"
        assert automation.command("link", "customer", automation.buyer, bc_id).wait() == 0
        took["linked: edit there"] = automation.wait(
            "the edit", lambda: automation.arrived("www.two.example")
        )
    print({what: round(seconds, 1) for what, seconds in took.items()})
