"""What sensors say and do where a system is silent, a clock is set back, or what they are told makes no sense."""

import shutil
import time
from datetime import timedelta
from pathlib import Path

import pytest

from talk_pipeline.dagster import sensors
from talk_pipeline.dagster.sensors import TICK_SECONDS
from talk_pipeline_tests.clocks import ahead
from talk_pipeline_tests.dagster.test_sensors import (
    BROKEN,
    Watch,
)
from talk_pipeline_tests.dagster.test_sensors import _every_tick_looks as _every_tick_looks  # noqa: PLC0414
from talk_pipeline_tests.dagster.test_sensors import defs as defs  # noqa: PLC0414
from talk_pipeline_tests.dagster.test_sensors import folder as folder  # noqa: PLC0414
from talk_pipeline_tests.dagster.test_sensors import watch as watch  # noqa: PLC0414
from talk_pipeline_tests.pipeline.records import customer
from talk_pipeline_tests.world import World


def test_a_clock_that_is_set_back_makes_no_pause_longer(
    world: World, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.shop.post("customers", customer())
    world.sync()
    world.bc.faults(BROKEN)
    assert not world.sync("customer").success
    assert watch.flows() == {"customer"}
    assert watch.tick() is None
    monkeypatch.setattr(sensors, "datetime", ahead(-timedelta(hours=1)))
    assert watch.flows() == {"customer"}, watch.skipped


def test_a_system_that_does_not_answer_is_named_in_time(
    world: World, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dagster gives up on a tick after a minute, and then no reason is known."""
    assert TICK_SECONDS < 60
    monkeypatch.setattr(sensors, "TICK_SECONDS", 0.5)
    world.shop.faults({"match": {}, "fault": {"delay": 30}, "times": None})
    began = time.monotonic()
    assert watch.tick() is None
    assert watch.skipped == "customwebshop did not answer in time"
    assert time.monotonic() - began < 15


def test_a_flow_file_that_is_no_more_one_is_named(
    world: World, watch: Watch, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    edited = Path(shutil.copytree(folder, tmp_path / "edited"))
    monkeypatch.setenv("TALK_FLOWS_DIR", str(edited))
    (edited / "customer.yaml").write_text("flow: 7\n", encoding="utf-8")
    assert watch.tick() is None
    assert str(edited / "customer.yaml") in watch.skipped


def test_a_sensor_says_why_it_skips(world: World, watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUSTOMWEBSHOP_URL")
    assert watch.tick() is None
    assert "CUSTOMWEBSHOP_URL" in watch.skipped
