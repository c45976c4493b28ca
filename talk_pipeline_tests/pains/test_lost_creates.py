"""What a create without an answer may have become: nobody else's counterpart, and copied back as nobody else."""

from pathlib import Path

import pytest

from talk_pipeline_tests.flow_files import copied_flows, replaced
from talk_pipeline_tests.pipeline.by_hand import bc_customer, keep_apart, link
from talk_pipeline_tests.pipeline.mishaps import cut_short
from talk_pipeline_tests.pipeline.records import customer
from talk_pipeline_tests.pipeline.second_opinion import unexplained
from talk_pipeline_tests.slowness import longest
from talk_pipeline_tests.variants import variants
from talk_pipeline_tests.world import World

VAT = "25313763"
BOTH = ("create: always", "create: both")
SERIES = ("number: shop #", "number: series #")


@pytest.fixture(autouse=True)
def _slow(world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    longest(monkeypatch, tmp_path, seconds=600)


def flows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *edits: tuple[str, str]) -> None:
    """The flow of customers, edited in several places."""
    folder = copied_flows(tmp_path / "flows")
    file = folder / "customer.yaml"
    file.write_text(replaced(file.read_text(encoding="utf-8"), *edits), encoding="utf-8")
    monkeypatch.setenv("TALK_FLOWS_DIR", str(folder))


def lost(world: World, number: str = "C1", **values: str) -> tuple[str, str]:
    """A customer that is created with no answer, and what a clerk has made of it since: the ids of both."""
    key = world.shop.post("customers", customer(number, **values))["id"]
    before = set(world.bc.all("customers"))
    cut_short(world, "customer")
    (made,) = set(world.bc.all("customers")) - before
    world.bc.patch("customers", made, {"phoneNumber": "+45 44 44 44 44"})
    world.step("customer")  # from here on it is known until when it may be at work
    return key, made


def over(world: World) -> None:
    """Nothing that was sent is at work any more."""
    world.sql("update journal set open_until = open_until - interval 1 hour")


def standing(world: World, key: str) -> tuple[str, str]:
    return world.state("customer", key) or ("in step", "")


def test_it_is_matched_with_nobody_else_while_a_person_has_not_said_what_it_is(world: World) -> None:
    first, made = lost(world, organization_number=VAT)
    second = world.shop.post("customers", customer("C2", organization_number=VAT))["id"]
    assert not world.step("customer").failed()
    assert standing(world, second)[0] == "waiting"
    over(world)
    for full in (False, True, False):
        world.step("customer", full=full)
        assert standing(world, first)[0] == "quarantined"
        state, reason = standing(world, second)
        assert state == "waiting"
        assert f"organization_number {VAT} is that of {made}, which may be what {first} was" in reason
        (there,) = world.bc.all("customers").values()
        assert (there["displayName"], there["phoneNumber"]) == ("Company C1", "+45 44 44 44 44")
    link(first, made)
    assert not world.step("customer").failed()
    assert world.counterpart("customer", first) == made
    assert standing(world, second)[0] == "ambiguous"


def test_whom_a_person_keeps_apart_is_free_for_others(world: World) -> None:
    first, made = lost(world, organization_number=VAT)
    over(world)
    second = world.shop.post("customers", customer("C2", organization_number=VAT))["id"]
    world.step("customer")
    assert standing(world, second)[0] == "waiting"
    keep_apart(first, made)
    assert not world.step("customer").failed()
    assert world.counterpart("customer", second) == made


@variants("number", ["c-1001", "C1"], first=2)
def test_it_is_not_copied_back_however_its_number_is_written(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: str
) -> None:
    """While the answer may come it waits, and then a person is asked; codes are kept in capitals there."""
    flows(tmp_path, monkeypatch, BOTH)
    key, made = lost(world, number)
    assert world.bc.get("customers", made)["number"] == number.upper()
    for full in (False, True):
        world.step("customer", full=full)
        assert list(world.shop.all("customers")) == [key]
        assert standing(world, key)[0] == "waiting"
        assert not unexplained("customer")
    over(world)
    for full in (False, True):
        world.step("customer", full=full)
        assert list(world.shop.all("customers")) == [key]
        assert standing(world, key)[0] == "quarantined"
        assert not unexplained("customer")
    assert list(world.bc.all("customers")) == [made]


def test_one_that_got_its_number_there_is_not_copied_back(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be any that came since as long as an answer may come; whoever else that may be waits as long."""
    flows(tmp_path, monkeypatch, BOTH, SERIES)
    world.bc.control("settings", {"customer_numbers": "series"})
    key, made = lost(world)
    other = world.shop.post("customers", customer("C2"))["id"]
    came = bc_customer(world, "", email="c2@company.example")
    for full in (False, True):
        world.step("customer", full=full)
        assert set(world.shop.all("customers")) == {key, other}
        assert (standing(world, key)[0], standing(world, other)[0]) == ("waiting", "waiting")
        assert f"is that of {came}, which may be what {key} was created as" in standing(world, other)[1]
        assert not unexplained("customer")
    over(world)
    for full in (False, True):
        assert not world.step("customer", full=full).failed()
    assert set(world.shop.all("customers")) == {key, other}
    assert (world.counterpart("customer", key), world.counterpart("customer", other)) == (made, came)


@variants("change", [{"number": "C7"}, None], first=2, ids=["renumbered", "deleted"])
def test_it_comes_to_the_shop_once_it_can_be_nothing_else(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: dict[str, str] | None
) -> None:
    flows(tmp_path, monkeypatch, BOTH)
    key, made = lost(world)
    world.bc.patch("customers", made, {"email": "there@company.example"})
    over(world)
    world.step("customer")
    assert list(world.shop.all("customers")) == [key]
    assert standing(world, key)[0] == "quarantined"
    if change:
        world.shop.patch("customers", key, change)
    else:
        world.shop.delete("customers", key)
    for _ in range(2):
        assert not world.step("customer").failed()
    there = {
        row["number"]: row["id"] for row in world.shop.all("customers").values() if not row["deleted_at"]
    }
    assert there.pop("C1") != key
    assert there == ({"C7": key} if change else {})
    assert len(world.bc.all("customers")) == (2 if change else 1)
