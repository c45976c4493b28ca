"""A record that left: what each policy makes of it, and of its return."""

from pathlib import Path
from typing import Any

import pytest

from talk_pipeline.engine.report.waiting import Kind
from talk_pipeline_tests.flow_files import edited_flows
from talk_pipeline_tests.pipeline.decisions.test_attention import explained, of
from talk_pipeline_tests.pipeline.decisions.test_resolutions import retry
from talk_pipeline_tests.pipeline.faults import rule
from talk_pipeline_tests.pipeline.records import customer, line, order, product
from talk_pipeline_tests.world import World


def gone(
    world: World, side: str, policy: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[str, str]:
    """A linked customer that left one side, and a run under the policy."""
    new = f"disappearance: {{{side}: {policy}}} #"
    edited_flows(tmp_path, monkeypatch, customer=("disappearance: flag #", new))
    shop_id = world.shop.post("customers", customer())["id"]
    world.shop.post("customers", customer("C2"))
    for _ in range(2):
        assert not world.step("customer").failed()
    bc_id = world.counterpart("customer", shop_id)
    if side == "customwebshop":
        world.shop.delete("customers", shop_id)
    else:
        world.bc.delete("customers", bc_id)
    run = world.step("customer", full=True)
    assert run.success, run.problems
    assert not run.failed()
    return shop_id, bc_id


@pytest.mark.parametrize("side", ["customwebshop", "businesscentral"])
def test_by_default_it_is_listed_and_nothing_else(
    world: World, side: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop_id, _ = gone(world, side, "flag", tmp_path, monkeypatch)
    state = world.state("customer", shop_id)
    assert state is not None
    assert state[0] == "broken"
    assert world.step("customer", full=True).writes() == 0


def test_gone_from_business_central_and_unlinked_it_is_held_and_never_made_again(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop_id, _ = gone(world, "businesscentral", "unlink", tmp_path, monkeypatch)
    assert world.state("customer", shop_id) == (
        "held",
        "unlinked: the Business Central record is vanished",
    )
    world.shop.patch("customers", shop_id, {"website": "www.still.example"})
    for _ in range(2):
        assert world.step("customer", full=True).writes() == 0
    assert len(world.bc.all("customers")) == 1


def test_gone_from_the_shop_and_unlinked_the_other_is_free(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop_id, bc_id = gone(world, "customwebshop", "unlink", tmp_path, monkeypatch)
    assert bc_id in world.bc.all("customers")
    again = world.shop.post("customers", customer())["id"]
    assert not world.step("customer", full=True).failed()
    assert world.counterpart("customer", again) == bc_id
    assert again != shop_id
    assert len(world.bc.all("customers")) == 2


def test_a_deletion_that_is_refused_is_told_with_its_reason_and_tried_again_when_asked(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    edited_flows(tmp_path, monkeypatch, customer=("disappearance: flag #", "disappearance: delete #"))
    buyer, *_ = (world.shop.post("customers", customer(f"C{n}"))["id"] for n in range(4))
    item = world.shop.post("products", product())["id"]
    world.shop.post("orders", order("O1", buyer, [line(item)]))
    assert not world.step().failed()
    there = world.counterpart("customer", buyer)
    world.shop.delete("customers", buyer)
    run = world.step("customer", full=True)
    assert run["customer"]["failed"] == 1
    state, reason = world.state("customer", buyer) or ("", "")
    assert state == "broken"
    assert reason.startswith("the shop record is deleted; Application_DialogException: ")
    (row,) = run.finding("customer", "no_broken_links").rows
    assert row["reason"] == reason
    step = f"mend what the reason names, then: talk-pipeline retry customer {buyer}; or "
    (waiting,) = of(Kind.BROKEN)
    assert waiting.next_step.startswith(step)
    assert explained(waiting)["next_step"] == waiting.next_step
    world.bc.delete("salesOrders", next(iter(world.bc.orders())))
    retry(buyer)
    assert not world.step("customer").failed()
    assert there not in world.bc.all("customers")


def test_what_was_refused_of_a_record_before_it_left_is_no_matter_any_more(
    world: World, pair: tuple[str, str]
) -> None:
    shop_id, _ = pair
    body = {"error": {"code": "Application_X", "message": "no"}}
    world.bc.faults(rule("PATCH", "customers", times=None, status=400, body=body))
    world.shop.patch("customers", shop_id, {"website": "www.other.example"})
    assert world.step("customer")["customer"]["quarantined"] == 1
    world.shop.delete("customers", shop_id)
    world.step("customer", full=True)
    assert world.state("customer", shop_id) == ("broken", "the shop record is deleted")
    (waiting,) = of(Kind.BROKEN)
    assert waiting.next_step.startswith("to let the missing side go: ")
    assert explained(waiting)["next_step"] == waiting.next_step


def test_gone_from_the_shop_it_is_blocked_there(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop_id, bc_id = gone(world, "customwebshop", "block", tmp_path, monkeypatch)
    assert world.bc.get("customers", bc_id)["blocked"] == "All"
    state = world.state("customer", shop_id)
    assert state is not None
    assert state[0] == "broken"
    assert world.step("customer", full=True).writes() == 0


def test_gone_from_business_central_it_is_made_inactive_here(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop_id, _ = gone(world, "businesscentral", "block", tmp_path, monkeypatch)
    assert world.shop.get("customers", shop_id)["active"] is False
    assert world.step("customer", full=True).writes() == 0


def test_gone_from_the_shop_it_is_deleted_there(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop_id, bc_id = gone(world, "customwebshop", "delete", tmp_path, monkeypatch)
    assert bc_id not in world.bc.all("customers")
    assert len(world.bc.all("customers")) == 1
    assert world.state("customer", shop_id) == ("closed", "gone on both sides")
    for _ in range(2):
        assert world.step("customer", full=True).writes() == 0


def test_gone_from_business_central_it_is_deleted_here(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop_id, _ = gone(world, "businesscentral", "delete", tmp_path, monkeypatch)
    left = [row["id"] for row in world.shop.all("customers").values() if row["deleted_at"] is None]
    assert shop_id not in left
    assert len(left) == 1
    for _ in range(2):
        run = world.step("customer", full=True)
        assert run.writes() == 0
        assert not run.failed()


def test_a_deletion_that_is_refused_is_listed_with_the_reason(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    edited_flows(
        tmp_path, monkeypatch, customer=("disappearance: flag #", "disappearance: {customwebshop: delete} #")
    )
    buyer = world.shop.post("customers", customer())["id"]
    item = world.shop.post("products", product())["id"]
    world.shop.post("orders", order("O1", buyer, [line(item)]))
    for _ in range(2):
        assert not world.step().failed()
    world.shop.delete("customers", buyer)
    world.step(full=True)
    assert len(world.bc.all("customers")) == 1, "Business Central keeps a customer with orders"
    state = world.state("customer", buyer)
    assert state is not None
    assert state[0] in ("broken", "quarantined")
    assert world.step().writes() == 0


def hidden(world: World, *shown: Any, direct: bool) -> None:
    """Business Central lists these customers only, and denies the others where it is asked for them directly."""
    page = {"status": 200, "body": {"value": list(shown)}, "content_type": "application/json"}
    rules = [{"match": {"method": "GET", "path": "*/customers"}, "fault": page, "times": None}]
    if direct:
        asked = {"method": "GET", "path": "*/customers({id})"}
        rules.append({"match": asked, "fault": {"status": 404}, "times": None})
    world.bc.faults(*rules)


def test_what_a_listing_leaves_out_is_asked_for_directly_before_it_counts_as_gone(world: World) -> None:
    keys = [world.shop.post("customers", customer(f"C{n}"))["id"] for n in range(3)]
    for _ in range(2):
        world.step("customer")
    hidden(world, direct=False)
    run = world.step("customer", full=True)
    assert run.success, run.problems
    assert (run["customer"]["broken"], run["customer"]["linked"]) == (0, len(keys))
    world.bc.no_faults()


@pytest.mark.parametrize("policy", ["flag", "unlink"])
def test_a_record_that_comes_back_is_recognised(
    world: World, policy: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = f"disappearance: {{businesscentral: {policy}}} #"
    edited_flows(tmp_path, monkeypatch, customer=("disappearance: flag #", new))
    key = world.shop.post("customers", customer())["id"]
    for _ in range(2):
        world.step("customer")
    bc_id = world.counterpart("customer", key)
    hidden(world, direct=True)
    world.shop.patch("customers", key, {"website": "www.away.example"})
    assert world.step("customer", full=True).writes() == 0
    state, _ = world.state("customer", key) or ("", "")
    assert state == ("broken" if policy == "flag" else "held")

    world.bc.no_faults()
    assert not world.step("customer", full=True).failed()
    assert world.counterpart("customer", key) == bc_id
    assert world.state("customer", key) is None
    assert world.bc.get("customers", bc_id)["website"] == "www.away.example"
    assert len(world.bc.all("customers")) == 1


def test_one_that_comes_back_after_both_were_gone_is_shown_and_not_taken_for_posted(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy = "disappearance: {customwebshop: delete} #"
    edited_flows(tmp_path, monkeypatch, customer=("disappearance: flag #", policy))
    key = world.shop.post("customers", customer())["id"]
    for _ in range(2):
        world.step("customer")
    theirs = world.bc.get("customers", world.counterpart("customer", key))
    world.shop.delete("customers", key)
    world.step("customer", full=True)
    assert world.state("customer", key) == ("closed", "gone on both sides")
    hidden(world, theirs, direct=False)
    assert world.step("customer", full=True).writes() == 0
    state, reason = world.state("customer", key) or ("", "")
    assert state == "broken"
    told = "its Business Central record is back, and the shop record is"
    assert reason in (f"{told} deleted", f"{told} vanished")  # some shops say so themselves
    world.bc.no_faults()
