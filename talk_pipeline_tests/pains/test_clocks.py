"""Clocks that are put right, set back, or wrong for one run: every edit is seen, by the runs and by the sensors."""

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from talk_pipeline.dagster.build import build_defs
from talk_pipeline_tests.cli import command_line
from talk_pipeline_tests.flow_files import flows_in
from talk_pipeline_tests.pipeline.records import customer, line, order, product
from talk_pipeline_tests.variants import variants
from talk_pipeline_tests.world import World, opened_world

HOUR = 3600
SIDES = ("customwebshop", "businesscentral")


def edit(world: World, side: str, key: str, word: str) -> None:
    """By the back office: a token does not survive a clock that is set."""
    api = world.shop if side == "customwebshop" else world.bc
    record = key if side == "customwebshop" else world.counterpart("customer", key)
    api.back_office("PATCH", f"customers/{record}", {"website": word})


def held(world: World, key: str) -> tuple[Any, Any]:
    bc = world.bc.back_office("GET", f"customers/{world.counterpart('customer', key)}")
    return world.shop.get("customers", key)["website"], bc["website"]


def set_clock(world: World, side: str, offset: float) -> None:
    (world.shop if side == "customwebshop" else world.bc).control("clock", {"offset": offset})


def assert_seen(world: World, side: str, key: str, *, rounds: int = 2) -> None:
    """Several edits in a row: the watermark must not stand where the next one is behind it."""
    for at in range(rounds):
        word = f"www.edit{at}.example"
        edit(world, side, key, word)
        run = world.step("customer")
        assert run.success, run.problems
        assert held(world, key) == (word, word)
    assert world.step("customer").writes() == 0


@variants("side", SIDES)
@variants("before_and_after", [(HOUR, 0), (0, -HOUR), (86_400, -HOUR), (-HOUR, 0)], ids=str)
def test_edits_are_seen_after_a_servers_clock_was_set(
    world: World, side: str, before_and_after: tuple[int, int]
) -> None:
    before, after = before_and_after
    set_clock(world, side, before)
    key = world.shop.post("customers", customer())["id"]
    for word in ("www.one.example", "www.two.example"):
        assert world.step("customer").success
        edit(world, side, key, word)
    assert world.step("customer").success
    set_clock(world, side, after)
    assert_seen(world, side, key)


@variants("side", SIDES)
def test_a_clock_that_was_wrong_for_a_single_edit_hides_no_other(world: World, side: str) -> None:
    keys = [world.shop.post("customers", customer(f"C{n}"))["id"] for n in range(2)]
    assert world.step("customer").success
    set_clock(world, side, HOUR)
    edit(world, side, keys[0], "www.ahead.example")
    set_clock(world, side, 0)
    assert world.step("customer").success
    assert_seen(world, side, keys[1], rounds=3)


@variants("side", SIDES)
def test_a_watermark_that_an_earlier_release_left_in_the_future_heals(world: World, side: str) -> None:
    """Such a database measured no wrong clock in its last run."""
    key = world.shop.post("customers", customer())["id"]
    assert world.step("customer").success
    with world.database() as db:
        db.execute(
            "update watermark set modified_at = modified_at + interval 1 day, skew_seconds = 0 where side = ?",
            [side],
        )
    assert_seen(world, side, key)
    future = world.sql("select count(*) from watermark where modified_at > now() at time zone 'UTC'")
    assert future == [(0,)]


@variants("side", SIDES)
def test_a_jump_of_our_own_clock_hides_nothing(world: World, side: str) -> None:
    """As if the last run had believed that it is tomorrow: with the watermark, and with the time of the scan."""
    key = world.shop.post("customers", customer())["id"]
    assert world.step("customer").success
    with world.database() as db:
        db.execute(
            "update watermark set modified_at = modified_at + interval 1 day,"
            " fetched_at = fetched_at + interval 1 day, full_at = full_at + interval 1 day,"
            " skew_seconds = 0 where side = ?",
            [side],
        )
    assert_seen(world, side, key)


@pytest.mark.slow
@variants("side", SIDES)
def test_a_sensor_sees_edits_behind_a_change_from_the_future(
    world: World, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch, side: str
) -> None:
    """The record that a wrong clock stamped stays the one modified last for an hour."""
    monkeypatch.setenv("TALK_POLL_SECONDS", "0")
    defs = build_defs(flows_in())
    keys = [world.shop.post("customers", customer(f"C{n}"))["id"] for n in range(2)]
    assert world.sync("customer").success
    set_clock(world, side, HOUR)
    edit(world, side, keys[0], "www.ahead.example")
    set_clock(world, side, 0)
    assert world.sync("customer").success
    cursor: str | None = None

    def asked_for() -> set[str]:
        nonlocal cursor
        sensor = defs.resolve_sensor_def(f"{side}_changes")
        with dg.build_sensor_context(instance=instance, cursor=cursor, definitions=defs) as context:
            tick = sensor.evaluate_tick(context)
        cursor = tick.cursor or cursor
        return {request.tags["flow"] for request in tick.run_requests or ()}

    asked_for()  # of the flows that no run has read yet
    assert not any("customer" in flows for flows in asked_for())
    edit(world, side, keys[1], "www.now.example")
    assert any("customer" in flows for flows in asked_for())
    assert world.sync("customer").success
    assert held(world, keys[1]) == ("www.now.example", "www.now.example")
    assert not any("customer" in flows for flows in asked_for())


def test_a_slow_answer_is_not_taken_for_a_wrong_clock(world: World) -> None:
    """Its Date header is as old as the answer was long under way."""
    key = world.shop.post("customers", customer())["id"]
    assert world.step("customer").success
    world.bc.faults({"match": {"method": "GET", "path": "customers"}, "fault": {"delay": 6}, "times": 1})
    assert world.step("customer").success
    assert world.sql("select skew_seconds from watermark where side = 'businesscentral'") == [(0.0,)]
    assert_seen(world, "businesscentral", key, rounds=1)


def test_an_hour_that_comes_twice_is_no_restored_system(
    tmp_path: Path, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where clocks are set back, a shop that tells local times shows later edits with earlier ones."""

    def it_is(world: World, hour: str) -> None:
        moment = datetime.fromisoformat(f"2026-10-25T{hour}:00").replace(tzinfo=UTC)
        set_clock(world, "customwebshop", moment.timestamp() - time.time())

    with opened_world(tmp_path, instance=instance, profile="enveloped", patch=monkeypatch) as world:
        it_is(world, "00:20")
        key = world.shop.post("customers", customer())["id"]
        item = world.shop.post("products", product())["id"]
        placed = world.shop.post("orders", order("A", key, [line(item)]))["id"]
        assert world.step().success
        for hour in ("00:50", "01:10", "01:30", "02:40"):
            it_is(world, hour)
            word = f"www.at-{hour[:2]}-{hour[3:]}.example"
            edit(world, "customwebshop", key, word)
            world.shop.patch("orders", placed, {"email": f"orders@{word}"})
            run = world.step()
            assert run.success, run.problems
            assert held(world, key) == (word, word)
            assert (
                world.bc.get("salesOrders", world.counterpart("order", placed))["email"] == f"orders@{word}"
            )
            assert command_line.run("audit").returncode == 0
        assert world.step(full=True).writes() == 0
