"""A person decides, and the process ends before anybody is told: sensors ask for the run all the same."""

import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from talk_pipeline.dagster.remembered import Cursor
from talk_pipeline.dagster.sensors import wanted_of
from talk_pipeline.engine.manual import acknowledging
from talk_pipeline.engine.model import ByHandError
from talk_pipeline.flows.sides import Side
from talk_pipeline.installation import carry_out
from talk_pipeline.settings import Settings
from talk_pipeline_tests.flow_files import flows_in
from talk_pipeline_tests.pipeline.by_hand import WHO, unlink
from talk_pipeline_tests.pipeline.records import customer
from talk_pipeline_tests.world import World

DECIDED_AND_KILLED = f"""
import os, sys
from talk_pipeline.engine.manual import links
from talk_pipeline.installation import carry_out
from talk_pipeline.settings import Settings

def decision(hand):
    links.unlink(hand, sys.argv[1], recreate=False)
    os.kill(os.getpid(), {signal.SIGKILL})

carry_out(Settings.load(), "customer", decision, by="Ann")
"""


@pytest.fixture
def pair(world: World) -> str:
    shop_id = str(world.shop.post("customers", customer())["id"])
    assert world.sync().success
    assert wanted() == ()
    return shop_id


def wanted() -> tuple[str, ...]:
    """The flows for which the shop's sensor would start a run."""
    now = datetime.now(UTC)
    found = wanted_of(
        Settings.load(), flows_in(), Side.SHOP, cursor=Cursor(), looks=None, under_way=list, now=now
    )
    return found.names


def test_a_decision_whose_process_is_killed_gets_its_run(world: World, pair: str) -> None:
    command = [sys.executable, "-c", DECIDED_AND_KILLED, pair]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    assert subprocess.run(command, env=environment, check=False).returncode == -signal.SIGKILL
    assert world.sql("select state from link where part = 'customer'") == [("held",)]
    assert "customer" in wanted()
    assert world.sync().success
    assert wanted() == ()


@pytest.mark.usefixtures("pair")
def test_what_is_refused_or_needs_no_run_gets_none() -> None:
    with pytest.raises(ByHandError):
        unlink("no such record")
    assert wanted() == ()
    carry_out(Settings.load(), "customer", acknowledging.acknowledge, by=WHO)
    assert wanted() == ()
