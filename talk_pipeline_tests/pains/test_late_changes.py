"""A change that a shop carries out late: where nothing in it stops that, only time tells that it is over."""

from pathlib import Path

import pytest

from talk_pipeline_tests.flow_files import replaced
from talk_pipeline_tests.pipeline.faults import rule
from talk_pipeline_tests.pipeline.records import customer
from talk_pipeline_tests.slowness import longest, patience
from talk_pipeline_tests.variants import variants
from talk_pipeline_tests.world import World

VERSION = "version: {at: header:ETag, condition: If-Match}"


@pytest.fixture(autouse=True)
def _slow(world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    if world.profile != "reference":
        pytest.skip("of one shop, with its versions and without")
    longest(monkeypatch, tmp_path, seconds=600)
    patience(monkeypatch, seconds=1)


@pytest.fixture
def pair(world: World) -> tuple[str, str]:
    shop_id = world.shop.post("customers", customer())["id"]
    world.step("customer")
    return shop_id, world.counterpart("customer", shop_id)


def without_versions(tmp_path: Path) -> None:
    file = tmp_path / "connector.yaml"
    file.write_text(replaced(file.read_text(encoding="utf-8"), (VERSION, "")), encoding="utf-8")


def unanswered_without_versions(world: World, bc_id: str, tmp_path: Path, *, late: bool) -> None:
    """What the next run tells the shop is carried out late, or never; nothing is left to do before."""
    without_versions(tmp_path)
    assert world.step("customer").writes() == 0
    world.bc.patch("customers", bc_id, {"website": "www.first.example"})
    world.shop.faults(rule("PATCH", "customers", **({"hold": True} if late else {"drop": "before"})))


@variants("late", [True, False], first=2, ids=["carried out late", "never carried out"])
def test_what_a_shop_without_versions_carries_out_late_undoes_no_later_edit(
    world: World, pair: tuple[str, str], tmp_path: Path, late: bool
) -> None:
    """Until it can come no more, or is there, the record is told nothing else; all other records go on."""
    shop_id, bc_id = pair
    unanswered_without_versions(world, bc_id, tmp_path, late=late)
    assert not world.step("customer").failed()
    world.bc.patch("customers", bc_id, {"website": "www.second.example"})
    for full in (False, True):
        run = world.step("customer", full=full)
        assert run.success, run.problems
        assert run.writes() == 0
    ((target, hold, reason),) = world.sql("select target, hold_kind, hold_reason from change")
    assert (target, hold) == ("customwebshop", "waiting")
    assert reason.startswith("told at ")
    world.shop.no_faults()  # what was held arrives
    if not late:
        world.sql("update journal set open_until = open_until - interval 1 hour")
    for _ in range(2):
        run = world.step("customer", full=True)
        assert not run.failed()
    assert run.writes() == 0
    assert world.bc.get("customers", bc_id)["website"] == "www.second.example"
    assert world.shop.get("customers", shop_id)["website"] == "www.second.example"


@variants("late", [True, False], ids=["carried out late", "never carried out"])
def test_what_waits_costs_a_run_no_request_of_its_own(
    world: World, pair: tuple[str, str], tmp_path: Path, late: bool
) -> None:
    """What the run reads anyway says whether a look can prove anything: it is asked then, and once it is over."""
    shop_id, bc_id = pair
    unanswered_without_versions(world, bc_id, tmp_path, late=late)
    world.step("customer")
    for full in (False, True, False):
        world.forget_requests()
        world.step("customer", full=full)
        assert looks(world) == 0
        assert world.sql("select outcome from journal where target = 'customwebshop'")[-1] == ("unknown",)
    world.shop.no_faults()  # what was held arrives
    if not late:
        world.sql("update journal set open_until = open_until - interval 1 hour")
    world.forget_requests()
    world.step("customer")
    assert looks(world)
    assert world.step("customer").writes() == 0
    assert world.shop.get("customers", shop_id)["website"] == "www.first.example"


def looks(world: World) -> int:
    """How often the shop was asked for a customer by itself."""
    return int(world.shop.requests()["by_path"].get("GET /api/v1/customers/{id}", 0))


def test_what_carries_the_version_need_not_wait(world: World, pair: tuple[str, str]) -> None:
    """A late one is turned away: it was made for a version that is no more."""
    shop_id, bc_id = pair
    world.bc.patch("customers", bc_id, {"website": "www.first.example"})
    world.shop.faults(rule("PATCH", "customers", hold=True))
    world.step("customer")
    world.bc.patch("customers", bc_id, {"website": "www.second.example"})
    assert not world.step("customer").failed()
    assert world.shop.get("customers", shop_id)["website"] == "www.second.example"
    world.shop.no_faults()
    for _ in range(2):
        assert world.step("customer", full=True).writes() == 0
    assert world.shop.get("customers", shop_id)["website"] == "www.second.example"
    assert world.bc.get("customers", bc_id)["website"] == "www.second.example"
