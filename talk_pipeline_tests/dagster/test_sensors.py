"""Sensors, tick by tick: what they ask for, when again, and when not; the runs between the ticks are real ones."""

import time
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
from dagster._daemon.sensor import MIN_INTERVAL_LOOP_TIME

from talk_pipeline.dagster import remembered
from talk_pipeline.dagster.asset_keys import selected_keys
from talk_pipeline.dagster.build import build_defs
from talk_pipeline.dagster.remembered import Cursor
from talk_pipeline.dagster.sensors import INTERVAL_SECONDS, is_to_look
from talk_pipeline.engine.manual.resolutions import retry
from talk_pipeline.flows.sides import Side
from talk_pipeline.installation import carry_out
from talk_pipeline.settings import Settings
from talk_pipeline.systems.protocol import MOST_STAMPS
from talk_pipeline.webhooks.wakeups import wake
from talk_pipeline_tests.flow_files import flows_alone, flows_in
from talk_pipeline_tests.pipeline.mishaps import edited_before_intending
from talk_pipeline_tests.pipeline.records import customer
from talk_pipeline_tests.world import World

BROKEN = {"match": {"path": "customers"}, "fault": {"status": 503, "retry_after": 0}, "times": None}


class Watch:
    """One sensor, which remembers its cursor from tick to tick."""

    def __init__(self, defs: dg.Definitions, instance: dg.DagsterInstance, side: Side = Side.SHOP) -> None:
        self.defs = defs
        self.instance = instance
        self.sensor = defs.resolve_sensor_def(f"{side}_changes")
        self.cursor: str | None = None
        self.skipped = ""

    def tick(self) -> dg.RunRequest | None:
        """What one tick asks for; the cursor moves as the daemon moves it."""
        with dg.build_sensor_context(
            instance=self.instance, cursor=self.cursor, definitions=self.defs
        ) as context:
            told = self.sensor.evaluate_tick(context)
        self.cursor, self.skipped = told.cursor or self.cursor, told.skip_message or ""
        requests = told.run_requests or ()
        assert len(requests) <= 1
        return requests[0] if requests else None

    def flows(self) -> set[str]:
        """The flows that one tick asks for."""
        request = self.tick()
        return set(request.tags["flow"].split("+")) if request else set()


def website(world: World) -> str:
    """Of the only customer of Business Central."""
    (row,) = world.bc.all("customers").values()
    return str(row["website"])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Customers alone, since most of what a sensor does is the same for every flow."""
    return flows_alone(tmp_path_factory.mktemp("alone") / "flows", "customer")


@pytest.fixture(scope="module")
def defs(folder: Path) -> dg.Definitions:
    return build_defs(flows_in(folder))


@pytest.fixture(autouse=True)
def _every_tick_looks(world: World, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TALK_POLL_SECONDS", "0")
    monkeypatch.setenv("TALK_FLOWS_DIR", str(folder))


@pytest.fixture
def watch(defs: dg.Definitions, instance: dg.DagsterInstance) -> Watch:
    return Watch(defs, instance)


@pytest.fixture(scope="module")
def all_defs() -> dg.Definitions:
    return build_defs(flows_in())


@pytest.mark.parametrize("side", list(Side))
def test_a_sensor_starts_a_run_for_the_flows_concerned_once(
    world: World,
    all_defs: dg.Definitions,
    instance: dg.DagsterInstance,
    monkeypatch: pytest.MonkeyPatch,
    *,
    side: Side,
) -> None:
    monkeypatch.delenv("TALK_FLOWS_DIR")
    watch = Watch(all_defs, instance, side)
    assert watch.sensor.default_status is dg.DefaultSensorStatus.RUNNING
    buyer = world.shop.post("customers", customer())["id"]
    world.sync()
    assert watch.tick() is None, "what the first sync wrote is nothing new"

    if side is Side.SHOP:
        world.shop.patch("customers", buyer, {"website": "www.new.example"})
    else:
        world.bc.patch("customers", world.counterpart("customer", buyer), {"website": "www.new.example"})
    request = watch.tick()
    assert request is not None, watch.skipped
    assert set(request.asset_selection or ()) == set(selected_keys(flows_in(), ("customer",)))
    checked = {key.name for key in request.asset_check_keys or ()}
    assert "audited" not in checked
    assert len(checked) > 10
    assert request.tags["flow"] == "customer"
    assert request.run_key

    world.forget_requests()
    assert watch.tick() is None
    api = world.shop if side is Side.SHOP else world.bc
    assert api.requests()["total"] <= 6, "a sensor asks one cheap question a flow"


@pytest.mark.slow
def test_an_edit_whose_run_failed_is_asked_for_until_one_succeeds(
    world: World, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remembered, "FIRST_PAUSE", timedelta(seconds=0.5))
    buyer = world.shop.post("customers", customer())["id"]
    world.sync()
    world.shop.patch("customers", buyer, {"website": "www.late.example"})
    world.bc.faults(BROKEN)
    keys = []
    for pause in (0.5, 1.0, 2.0):
        request = watch.tick()
        assert request is not None, watch.skipped
        keys.append(request.run_key)
        asked = time.monotonic()
        assert not world.sync("customer").success
        while time.monotonic() - asked < pause - 0.2:
            assert watch.tick() is None, "not before the pause is over"
            assert "without success, again in" in watch.skipped
            time.sleep(0.1)
        time.sleep(max(0.0, asked + pause + 0.1 - time.monotonic()))
    assert len(set(keys)) == 3, "Dagster starts a run of one key once"
    world.bc.no_faults()
    assert watch.flows() == {"customer"}
    assert world.sync("customer").success
    assert watch.tick() is None
    assert website(world) == "www.late.example"
    assert not world.sync()["customer"]["changes"]


def test_a_run_that_was_killed_half_way_is_asked_for_though_nothing_changed_since(
    world: World, watch: Watch
) -> None:
    """What it leaves behind, such as a write of unknown outcome, no modified time tells."""
    world.shop.post("customers", customer())
    world.sync()
    assert watch.tick() is None
    world.bc.faults(BROKEN)
    assert not world.sync("customer").success
    assert watch.flows() == {"customer"}


def test_while_a_run_is_under_way_none_is_asked_for(
    world: World, watch: Watch, instance: dg.DagsterInstance
) -> None:
    world.shop.post("customers", customer())
    run = dg.DagsterRun(job_name="sync_all", run_id=str(uuid.uuid4()), status=dg.DagsterRunStatus.STARTED)
    instance.add_run(run)
    try:
        assert watch.tick() is None
        assert "a run is under way" in watch.skipped
    finally:
        instance.delete_run(run.run_id)
    assert watch.flows() == {"customer"}


def test_a_decision_by_hand_is_asked_for_until_a_run_has_carried_it_out(
    world: World, all_defs: dg.Definitions, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TALK_FLOWS_DIR")
    watch = Watch(all_defs, instance)
    world.shop.post("customers", customer())
    world.sync()
    assert watch.tick() is None
    carry_out(Settings.load(), "customer", lambda hand: retry(hand, None), by="Ann")
    assert watch.flows() == {"customer", "order"}, "orders refer to customers"
    world.sync("customer")
    world.sync("order")
    assert watch.tick() is None


def test_a_dry_run_does_not_pass_for_the_run_that_an_edit_needs(world: World, watch: Watch) -> None:
    buyer = world.shop.post("customers", customer())["id"]
    world.sync()
    world.shop.patch("customers", buyer, {"website": "www.new.example"})
    world.sync(dry_run=True)
    assert watch.flows() == {"customer"}


@pytest.mark.slow
def test_a_write_that_did_not_get_through_is_tried_again_though_the_run_went_well(
    world: World, watch: Watch
) -> None:
    buyer = world.shop.post("customers", customer())["id"]
    world.sync()
    world.shop.patch("customers", buyer, {"website": "www.new.example"})
    refused = {"match": {"method": "PATCH", "path": "customers"}, "fault": {"status": 500}, "times": None}
    world.bc.faults(refused)
    run = world.sync("customer")
    assert run["customer"]["failed"]
    world.bc.no_faults()
    assert watch.flows() == {"customer"}
    assert '"left undone"' in (watch.cursor or "")
    world.sync("customer")
    assert website(world) == "www.new.example"
    assert watch.tick() is None


@pytest.mark.parametrize("side", list(Side))
def test_a_change_that_shows_late_is_asked_for_though_a_later_one_was_read(
    world: World, defs: dg.Definitions, instance: dg.DagsterInstance, *, side: Side
) -> None:
    """As of a long transaction, whose times are those of its beginning; looking for it costs no request more."""
    watch = Watch(defs, instance, side)
    buyers = [world.shop.post("customers", customer(number))["id"] for number in ("C1", "C2")]
    world.sync()
    api = world.shop if side is Side.SHOP else world.bc
    late, last = buyers if side is Side.SHOP else [world.counterpart("customer", one) for one in buyers]
    assert watch.tick() is None
    began = time.monotonic()
    time.sleep(1)
    api.patch("customers", last, {"website": "www.last.example"})
    assert watch.flows() == {"customer"}
    world.sync("customer")
    assert watch.tick() is None

    ago = time.monotonic() - began - 0.5
    api.back_office("PATCH", f"customers/{late}", {"website": "www.late.example"}, ago=ago)
    assert watch.flows() == {"customer"}, watch.skipped
    world.sync("customer")
    assert world.shop.get("customers", buyers[0])["website"] == "www.late.example"
    assert (
        world.bc.get("customers", world.counterpart("customer", buyers[0]))["website"] == "www.late.example"
    )
    world.forget_requests()
    assert watch.tick() is None
    assert api.requests()["total"] <= 2, "as many as without it"


@pytest.mark.parametrize("side", list(Side))
def test_of_more_than_a_look_shows_what_a_run_wrote_is_nothing_new(
    world: World, defs: dg.Definitions, instance: dg.DagsterInstance, *, side: Side
) -> None:
    watch = Watch(defs, instance, side)
    for number in range(MOST_STAMPS + 10):
        world.shop.post("customers", customer(f"C{number}"))
    world.sync("customer")
    world.forget_requests()
    assert watch.tick() is None
    assert (world.shop if side is Side.SHOP else world.bc).requests()["total"] <= 2


@pytest.mark.slow
def test_an_edit_that_hides_behind_our_own_later_write_is_asked_for(
    world: World, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the latest time a system tells, nobody can say that nothing came before it."""
    buyers = [world.shop.post("customers", customer(number))["id"] for number in ("C1", "C2")]
    world.sync()
    world.shop.patch("customers", buyers[0], {"website": "www.plain.example"})
    world.sync("customer")
    assert watch.tick() is None, "an answer to our own write is no edit"

    world.shop.patch("customers", buyers[0], {"website": "www.later.example"})
    other = world.counterpart("customer", buyers[1])

    def edit() -> None:
        world.bc.patch("customers", other, {"website": "www.hidden.example"})
        world.let_time_pass()

    edited_before_intending(monkeypatch, edit)
    assert world.sync("customer").success
    assert watch.flows() == {"customer"}
    assert world.sync("customer").success
    assert world.shop.get("customers", buyers[1])["website"] == "www.hidden.example"
    assert watch.tick() is None


def test_between_polls_only_a_notice_makes_a_sensor_look(
    world: World, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TALK_POLL_SECONDS", "3600")
    world.shop.post("customers", customer())
    assert watch.flows() == {"customer"}
    world.sync()
    world.shop.post("customers", customer("C2"))
    assert watch.tick() is None
    assert "no notice came" in watch.skipped
    wake(world.data, Side.SHOP)
    assert watch.flows() == {"customer"}


@pytest.mark.parametrize(("seconds_ago", "due"), [(4.9, True), (2.4, False), (5.1, True)])
def test_a_round_of_the_daemon_that_begins_a_hair_early_looks_all_the_same(
    world: World, monkeypatch: pytest.MonkeyPatch, seconds_ago: float, due: bool
) -> None:
    monkeypatch.setenv("TALK_POLL_SECONDS", "5")
    now = datetime.now(UTC)
    looked = Cursor(now - timedelta(seconds=seconds_ago))
    assert is_to_look(Settings.load(), Side.SHOP, looked, now=now) is due


@pytest.mark.parametrize("side", list(Side))
def test_the_daemon_sits_out_no_round(defs: dg.Definitions, side: Side) -> None:
    """It takes a sensor whose interval is not over for one that is not due, by the hundredth of a second."""
    assert INTERVAL_SECONDS == MIN_INTERVAL_LOOP_TIME
    least = defs.resolve_sensor_def(f"{side}_changes").minimum_interval_seconds
    assert least
    assert 1 <= least < MIN_INTERVAL_LOOP_TIME
