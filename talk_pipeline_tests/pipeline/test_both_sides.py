"""Edits on both sides of a pair: different properties merge, the same one follows the policy, nothing is lost."""

import time

import pytest

from talk_pipeline_tests.flow_files import edited_flows
from talk_pipeline_tests.pipeline.records import customer, line, order, product
from talk_pipeline_tests.world import World


def test_different_properties_both_survive(world: World, pair: tuple[str, str]) -> None:
    shop_id, bc_id = pair
    world.shop.patch("customers", shop_id, {"website": "www.shop.example"})
    world.bc.patch("customers", bc_id, {"phoneNumber": "+45 55 55 55 55"})
    run = world.step("customer")
    assert not run.failed()
    shop, bc = world.shop.get("customers", shop_id), world.bc.get("customers", bc_id)
    assert (shop["website"], bc["website"]) == ("www.shop.example", "www.shop.example")
    assert (shop["phone"], bc["phoneNumber"]) == ("+45 55 55 55 55", "+45 55 55 55 55")
    assert run["customer"]["conflicts"] == 0
    assert world.step("customer").writes() == 0


def test_the_last_writer_wins_and_the_loser_is_recorded(world: World, pair: tuple[str, str]) -> None:
    shop_id, bc_id = pair
    world.let_time_pass()
    world.bc.patch("customers", bc_id, {"website": "www.earlier.example"})
    world.let_time_pass()
    world.shop.patch("customers", shop_id, {"website": "www.later.example"})
    run = world.step("customer")
    assert not run.failed()
    assert world.shop.get("customers", shop_id)["website"] == "www.later.example"
    assert world.bc.get("customers", bc_id)["website"] == "www.later.example"
    assert run["customer"]["conflicts"] == 1
    (row,) = run.finding("customer", "conflicts_listed").rows
    assert row["rule"] == "last_writer"
    assert row["winner"] == "customwebshop"
    assert row["bc_value"] == "www.earlier.example"
    ((times,),) = world.sql("select shop_edited_at > bc_edited_at from conflict")
    assert times
    assert world.step("customer").writes() == 0


def test_a_later_edit_in_business_central_wins_too(world: World, pair: tuple[str, str]) -> None:
    shop_id, bc_id = pair
    world.let_time_pass()
    world.shop.patch("customers", shop_id, {"website": "www.earlier.example"})
    world.let_time_pass()
    world.bc.patch("customers", bc_id, {"website": "www.later.example"})
    assert not world.step("customer").failed()
    assert world.shop.get("customers", shop_id)["website"] == "www.later.example"


def test_our_own_write_is_no_later_edit(world: World, pair: tuple[str, str]) -> None:
    """A conflict is decided by when users wrote, not by when we did."""
    shop_id, bc_id = pair
    world.shop.patch("customers", shop_id, {"website": "www.shop.example"})
    world.let_time_pass()
    world.bc.patch("customers", bc_id, {"phoneNumber": "+45 55 55 55 55"})
    world.step("customer")  # writes to both, after either edit
    world.bc.patch("customers", bc_id, {"email": "bc@company.example"})
    world.shop.patch("customers", shop_id, {"email": "shop@company.example"})
    world.step("customer")
    assert world.bc.get("customers", bc_id)["email"] == "shop@company.example"


def test_equal_edits_need_no_write(world: World, pair: tuple[str, str]) -> None:
    shop_id, bc_id = pair
    world.shop.patch("customers", shop_id, {"email": "SAME@company.example"})
    world.bc.patch("customers", bc_id, {"email": "same@company.example"})
    assert world.step("customer").writes() == 0
    assert world.shop.get("customers", shop_id)["email"] == "SAME@company.example"


def test_the_clock_of_a_server_does_not_decide(world: World, pair: tuple[str, str]) -> None:
    shop_id, bc_id = pair
    world.bc.control("clock", {"offset": 600})
    world.bc.patch("customers", bc_id, {"website": "www.earlier.example"})
    time.sleep(2.2)  # the Date header tells seconds
    world.shop.patch("customers", shop_id, {"website": "www.later.example"})
    world.step("customer")
    assert world.bc.get("customers", bc_id)["website"] == "www.later.example"


@pytest.mark.parametrize(
    ("policy", "winner"), [("customwebshop", "www.shop.example"), ("businesscentral", "www.bc.example")]
)
def test_a_side_may_always_win(
    world: World, monkeypatch: pytest.MonkeyPatch, policy: str, *, winner: str
) -> None:
    edited_flows(
        world.data.parent, monkeypatch, customer=("conflict: last_writer #", f"conflict: {policy} #")
    )
    shop_id = world.shop.post("customers", customer())["id"]
    world.step("customer")
    bc_id = world.counterpart("customer", shop_id)
    world.shop.patch("customers", shop_id, {"website": "www.shop.example"})
    world.bc.patch("customers", bc_id, {"website": "www.bc.example"})
    world.step("customer")
    assert world.shop.get("customers", shop_id)["website"] == winner
    assert world.bc.get("customers", bc_id)["website"] == winner


def test_a_manual_conflict_stays_open(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    edited_flows(world.data.parent, monkeypatch, customer=("conflict: last_writer #", "conflict: manual #"))
    shop_id = world.shop.post("customers", customer())["id"]
    world.step("customer")
    bc_id = world.counterpart("customer", shop_id)
    world.shop.patch("customers", shop_id, {"website": "www.shop.example"})
    world.bc.patch("customers", bc_id, {"website": "www.bc.example", "email": "new@company.example"})
    for _ in range(2):
        run = world.step("customer")
        assert not run.failed()
        assert world.shop.get("customers", shop_id)["website"] == "www.shop.example"
        assert world.bc.get("customers", bc_id)["website"] == "www.bc.example"
        (row,) = run.finding("customer", "conflicts_listed").rows
        assert (row["winner"], row["shop_value"], row["bc_value"]) == (
            "open",
            "www.shop.example",
            "www.bc.example",
        )
    assert world.shop.get("customers", shop_id)["email"] == "new@company.example"


def test_a_first_meeting_fills_and_never_empties(world: World) -> None:
    world.bc.post("customers", {"number": "C1", "displayName": "Theirs", "website": "www.bc.example"})
    shop_id = world.shop.post("customers", customer("C1", website=None, company_name="Ours"))["id"]
    run = world.step("customer")
    assert not run.failed()
    bc = world.bc.get("customers", world.counterpart("customer", shop_id))
    assert bc["displayName"] == "Ours"
    assert bc["email"] == "c1@company.example"
    assert bc["website"] == world.shop.get("customers", shop_id)["website"] == "www.bc.example"
    (row,) = run.finding("customer", "conflicts_listed").rows
    assert (row["rule"], row["bc_value"]) == ("initial", "Theirs")
    assert world.step("customer").writes() == 0


def test_the_name_goes_back_to_the_field_that_supplied_it(world: World) -> None:
    shop_id = world.shop.post("customers", customer(company_name=None, contact_name="Sole Trader"))["id"]
    world.step("customer")
    bc_id = world.counterpart("customer", shop_id)
    assert world.bc.get("customers", bc_id)["displayName"] == "Sole Trader"
    world.bc.patch("customers", bc_id, {"displayName": "Sole Trader II"})
    world.step("customer")
    shop = world.shop.get("customers", shop_id)
    assert (shop["company_name"], shop["contact_name"]) == (None, "Sole Trader II")


def test_what_is_not_mapped_survives(world: World, pair: tuple[str, str]) -> None:
    shop_id, bc_id = pair
    world.bc.patch("customers", bc_id, {"creditLimit": 5000})
    world.shop.patch("customers", shop_id, {"note": "call before noon", "website": "www.new.example"})
    world.bc.patch("customers", bc_id, {"email": "new@company.example"})
    world.step("customer")
    assert world.bc.get("customers", bc_id)["creditLimit"] == 5000
    assert world.shop.get("customers", shop_id)["note"] == "call before noon"


def test_lossy_blocks_survive_an_echo(world: World, pair: tuple[str, str]) -> None:
    shop_id, bc_id = pair
    world.bc.patch("customers", bc_id, {"blocked": "Ship"})
    world.step("customer")
    assert world.shop.get("customers", shop_id)["active"] is False
    world.shop.patch("customers", shop_id, {"website": "www.new.example"})
    world.step("customer")
    assert world.bc.get("customers", bc_id)["blocked"] == "Ship"


def test_lines_edited_on_both_sides_merge(world: World) -> None:
    buyer = world.shop.post("customers", customer())["id"]
    item = world.shop.post("products", product())["id"]
    placed = world.shop.post("orders", order("O1", buyer, [line(item), line(item, "5", "20.00")]))
    world.step()
    bc_id = world.counterpart("order", placed["id"])
    first, second = sorted(
        world.bc.get("salesOrders", bc_id)["salesOrderLines"], key=lambda row: row["sequence"]
    )
    world.bc.patch("salesOrderLines", second["id"], {"quantity": 6})
    lines = placed["lines"]
    world.shop.patch(
        "orders", placed["id"], {"lines": [{"id": lines[0]["id"], "quantity": "3"}, {"id": lines[1]["id"]}]}
    )
    run = world.step("order")
    assert not run.failed()
    assert [row["quantity"] for row in world.shop.get("orders", placed["id"])["lines"]] == ["3", "6"]
    held = {row["id"]: row for row in world.bc.get("salesOrders", bc_id)["salesOrderLines"]}
    assert (held[first["id"]]["quantity"], held[second["id"]]["quantity"]) == (3, 6)
    assert run["order"]["conflicts"] == 0
    assert world.step("order").writes() == 0


def test_a_line_added_there_is_not_taken_for_the_one_removed_there(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy = ("conflict: last_writer", "conflict: businesscentral")  # so that the removal stands
    edited_flows(world.data.parent, monkeypatch, order=policy)
    buyer = world.shop.post("customers", customer())["id"]
    items = [world.shop.post("products", product(f"P{n}"))["id"] for n in range(2)]
    key = world.shop.post("orders", order("O1", buyer, [line(items[0]), line(items[1], "5")]))["id"]
    world.step()
    first, second = world.shop.get("orders", key)["lines"]
    edited = [{"id": first["id"], "quantity": "3"}, {"id": second["id"]}]
    world.shop.patch("orders", key, {"lines": edited})
    removed = world.counterpart("order.lines", f"{key}/{first['id']}").split("/")[1]
    world.bc.delete("salesOrderLines", removed)
    added = {"itemId": world.counterpart("product", items[0]), "quantity": 9, "unitPrice": 100}
    world.bc.post(f"salesOrders({world.counterpart('order', key)})/salesOrderLines", added)
    run = world.step(full=True)
    assert not run.failed()
    (held,) = world.bc.orders().values()
    assert sorted(row["quantity"] for row in held["salesOrderLines"]) == [5, 9]
    assert sorted(float(row["quantity"]) for row in world.shop.get("orders", key)["lines"]) == [5, 9]
    (row,) = run.finding("order", "conflicts_listed").rows
    assert float(row["shop_value"]) == 3, "what was said of the removed one is kept"
    assert world.step(full=True).writes() == 0


def test_an_edit_that_was_taken_back_does_not_date_the_next_one(world: World, pair: tuple[str, str]) -> None:
    shop_id, bc_id = pair
    before = world.shop.get("customers", shop_id)["website"]
    away = {"match": {"method": "PATCH", "path": "customers"}, "fault": {"status": 503}, "times": None}
    world.bc.faults(away)
    world.shop.patch("customers", shop_id, {"website": "www.early.example"})
    world.step("customer")  # seen, and not carried over
    world.shop.patch("customers", shop_id, {"website": before})
    world.bc.no_faults()
    assert world.step("customer").writes() == 0
    world.let_time_pass()
    world.bc.patch("customers", bc_id, {"website": "www.earlier.example"})
    world.let_time_pass()
    world.shop.patch("customers", shop_id, {"website": "www.later.example"})
    assert not world.step("customer").failed()
    assert world.bc.get("customers", bc_id)["website"] == "www.later.example"
