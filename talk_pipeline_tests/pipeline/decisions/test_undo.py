"""A run is undone: what its updates replaced is put back on both sides, where nobody has edited since."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

import pytest

from talk_pipeline.engine.model import ByHandError
from talk_pipeline.engine.plan.undo import Case, flows_written, outcome
from talk_pipeline.engine.report.runs import named_run
from talk_pipeline.engine.snapshot.columns import Company
from talk_pipeline.installation import Connections
from talk_pipeline.settings import Settings
from talk_pipeline_tests.outcome import Run
from talk_pipeline_tests.pipeline.by_hand import bc_customer, link, unlink
from talk_pipeline_tests.pipeline.records import customer, line, order, product
from talk_pipeline_tests.world import World


@dataclass
class Undone:
    """A run that undid another, and what it says of it."""

    run: Run
    back: list[Case]
    left: list[Case]

    def reasons(self) -> set[str]:
        return {f"{case.property}: {case.reason}" for case in self.left}


def undo(world: World, run: Run, flow: str = "customer") -> Undone:
    ran = world.step(flow, undo=run.run_id)
    connections = Connections(Settings.load())
    company = Company("DKK", ZoneInfo("UTC"))
    with connections.state.once() as db:
        told = outcome(db, connections.flows[flow], run.run_id, company=company, by=ran.run_id, dry_run=False)
    return Undone(ran, *told)


def settled(world: World, *flows: str) -> None:
    """Two more runs have nothing to write, and nothing to complain of."""
    world.step(*flows)
    world.forget_requests()
    run = world.step(*flows)
    assert not run.failed()
    assert set(world.writes().values()) == {0}


def test_what_an_update_replaced_is_back_on_both_sides(world: World, pair: tuple[str, str]) -> None:
    shop_id, bc_id = pair
    world.shop.patch("customers", shop_id, {"website": "www.wrong.example"})
    world.bc.patch("customers", bc_id, {"email": "wrong@company.example"})
    run = world.step("customer")
    undone = undo(world, run)
    shop, bc = world.shop.get("customers", shop_id), world.bc.get("customers", bc_id)
    assert (shop["website"], bc["website"]) == ("www.c1.example", "www.c1.example")
    assert (shop["email"], bc["email"]) == ("c1@company.example", "c1@company.example")
    assert {(case.property, case.now, case.before) for case in undone.back} == {
        ("website", "www.wrong.example", "www.c1.example"),
        ("email", "wrong@company.example", "c1@company.example"),
    }
    assert not undone.left
    settled(world, "customer")


def test_what_was_edited_since_is_left_and_told(world: World, pair: tuple[str, str]) -> None:
    shop_id, bc_id = pair
    wrong = {"website": "www.wrong.example", "email": "wrong@company.example", "phone": "+45 11 11 11 11"}
    world.shop.patch("customers", shop_id, wrong)
    run = world.step("customer")
    world.shop.patch("customers", shop_id, {"website": "www.newer.example"})
    world.bc.patch("customers", bc_id, {"phoneNumber": "+45 22 22 22 22"})
    undone = undo(world, run)
    shop, bc = world.shop.get("customers", shop_id), world.bc.get("customers", bc_id)
    assert (shop["website"], bc["website"]) == ("www.newer.example", "www.newer.example")
    assert (shop["phone"], bc["phoneNumber"]) == ("+45 22 22 22 22", "+45 22 22 22 22")
    assert (shop["email"], bc["email"]) == ("c1@company.example", "c1@company.example")
    assert [case.property for case in undone.back] == ["email"]
    assert undone.reasons() == {
        f"website: written again since, by run {undone.run.run_id}",
        f"phone: written again since, by run {undone.run.run_id}",
    }
    settled(world, "customer")


@pytest.mark.parametrize("side", ["shop", "bc"])
def test_what_is_gone_on_a_side_since_is_left_and_told(
    world: World, pair: tuple[str, str], side: str
) -> None:
    shop_id, bc_id = pair
    world.shop.patch("customers", shop_id, {"website": "www.wrong.example"})
    run = world.step("customer")
    if side == "shop":
        world.shop.delete("customers", shop_id)
    else:
        world.bc.delete("customers", bc_id)
    world.step("customer", full=True)
    world.forget_requests()
    undone = undo(world, run)
    assert set(world.writes().values()) == {0}
    assert not undone.back
    assert undone.reasons() == {"website: it is not there any more on both sides"}


def test_what_was_written_to_another_counterpart_is_left_and_told(
    world: World, pair: tuple[str, str]
) -> None:
    """The one that the record has now never held what was there before, though it holds what was written."""
    shop_id, bc_id = pair
    world.shop.patch("customers", shop_id, {"website": "www.new.example"})
    run = world.step("customer")
    run.look()
    unlink(shop_id)
    other = bc_customer(world, "B9", website="www.new.example")
    assert not world.pass_over("customer")
    link(shop_id, other)
    assert not world.pass_over("customer")
    undone = undo(world, run)
    assert not undone.back
    assert undone.reasons() == {"website: the two are not linked any more"}
    assert world.bc.get("customers", other)["website"] == "www.new.example"
    assert world.bc.get("customers", bc_id)["website"] == "www.new.example"


def test_an_undone_run_is_done_again_by_undoing_the_undoing(world: World, pair: tuple[str, str]) -> None:
    shop_id, bc_id = pair
    world.shop.patch("customers", shop_id, {"website": "www.right.example"})
    run = world.step("customer")
    undone = undo(world, run)
    assert world.bc.get("customers", bc_id)["website"] == "www.c1.example"
    again = undo(world, undone.run)
    assert [case.before for case in again.back] == ["www.right.example"]
    assert world.shop.get("customers", shop_id)["website"] == "www.right.example"
    assert world.bc.get("customers", bc_id)["website"] == "www.right.example"
    settled(world, "customer")


def test_undoing_twice_changes_nothing(world: World, pair: tuple[str, str]) -> None:
    world.shop.patch("customers", pair[0], {"website": "www.wrong.example"})
    run = world.step("customer")
    undo(world, run)
    world.forget_requests()
    twice = undo(world, run)
    assert set(world.writes().values()) == {0}
    assert not twice.back
    assert [str(case.reason).partition(",")[0] for case in twice.left] == ["written again since"]


def test_the_loser_of_a_conflict_gets_its_value_back(world: World, pair: tuple[str, str]) -> None:
    shop_id, bc_id = pair
    world.bc.patch("customers", bc_id, {"website": "www.bc.example"})
    world.let_time_pass()
    world.shop.patch("customers", shop_id, {"website": "www.shop.example"})
    run = world.step("customer")
    assert world.bc.get("customers", bc_id)["website"] == "www.shop.example"
    undo(world, run)
    assert world.bc.get("customers", bc_id)["website"] == "www.bc.example"
    assert world.shop.get("customers", shop_id)["website"] == "www.bc.example"
    settled(world, "customer")


def test_city_and_postal_code_go_back_together(world: World, pair: tuple[str, str]) -> None:
    """Business Central works each out from the other: what was put back is not taken for its doing."""
    shop_id, bc_id = pair
    address = world.shop.get("customers", shop_id)["address"]
    world.shop.patch("customers", shop_id, {"address": {**address, "city": "Andby", "postal_code": "4321"}})
    run = world.step("customer")
    undo(world, run)
    bc = world.bc.get("customers", bc_id)
    assert (bc["city"], bc["postalCode"]) == ("Middelby", "1234")
    shop = world.shop.get("customers", shop_id)["address"]
    assert (shop["city"], shop["postal_code"]) == ("Middelby", "1234")
    settled(world, "customer")


def test_what_the_two_brought_into_the_link_is_not_emptied(world: World) -> None:
    """A blank that was filled on the first meeting stays filled: it would empty the other side too."""
    bc = {"number": "C1", "displayName": "Another name", "type": "Company", "currencyCode": "DKK"}
    bc_id = world.bc.post("customers", bc)["id"]
    shop_id = world.shop.post("customers", customer())["id"]
    run = world.step("customer")
    undone = undo(world, run)
    assert world.bc.get("customers", bc_id)["website"] == "www.c1.example"
    assert world.shop.get("customers", shop_id)["website"] == "www.c1.example"
    assert any(
        reason.startswith("website: it was blank when the two first met") for reason in undone.reasons()
    )
    assert world.bc.get("customers", bc_id)["displayName"] == "Another name"
    assert world.shop.get("customers", shop_id)["company_name"] == "Another name"
    settled(world, "customer")


def test_whole_records_and_what_travels_one_way_are_left(world: World) -> None:
    product_id = world.shop.post("products", product())["id"]
    customer_id = world.shop.post("customers", customer())["id"]
    order_id = world.shop.post("orders", order("O1", customer_id, [line(product_id)]))["id"]
    run = world.step()
    undone = undo(world, run, "order")
    assert not undone.back
    assert undone.reasons() == {"None: the record was created by that run: whole records are not undone"}
    assert len(undone.left) == 1, "told once, and not by each of its values"
    assert world.shop.get("orders", order_id)["erp_number"]
    world.bc.control(f"items/{world.counterpart('product', product_id)}/stock", {"quantity": 30})
    run = world.step("product", full=True)
    undone = undo(world, run, "product")
    assert undone.reasons() == {"stock: it travels one way: customwebshop shows what businesscentral says"}
    assert float(world.shop.get("products", product_id)["stock"]) == 30
    settled(world)


def test_an_order_gets_its_lines_values_back(world: World) -> None:
    ids = [world.shop.post("products", product(sku))["id"] for sku in ("P1", "P2")]
    customer_id = world.shop.post("customers", customer())["id"]
    lines = [line(ids[0], "2", "100.00"), line(ids[1], "3", "10.00")]
    order_id = world.shop.post("orders", order("O1", customer_id, lines))["id"]
    world.step()
    held = world.shop.get("orders", order_id)["lines"]
    edited = [{**held[0], "quantity": "9", "unit_price": "90.00"}, held[1]]
    world.shop.patch("orders", order_id, {"lines": edited, "requested_delivery_date": "2026-06-01"})
    run = world.step("order")
    undone = undo(world, run, "order")
    assert {(case.part, case.property) for case in undone.back} == {
        ("order.lines", "quantity"),
        ("order.lines", "unit_price"),
        ("order", "requested_delivery_date"),
    }
    bc = world.bc.get("salesOrders", world.counterpart("order", order_id))
    assert [(row["quantity"], row["unitPrice"]) for row in bc["salesOrderLines"]] == [(2, 100), (3, 10)]
    shop = world.shop.get("orders", order_id)
    assert [(float(row["quantity"]), float(row["unit_price"])) for row in shop["lines"]] == [
        (2, 100),
        (3, 10),
    ]
    assert not shop["requested_delivery_date"]
    settled(world, "order")


def test_a_reference_goes_back_too(world: World) -> None:
    product_id = world.shop.post("products", product())["id"]
    ids = [world.shop.post("customers", customer(number))["id"] for number in ("C1", "C2")]
    order_id = world.shop.post("orders", order("O1", ids[0], [line(product_id)]))["id"]
    world.step()
    world.shop.patch("orders", order_id, {"customer_id": ids[1]})
    run = world.step("order")
    undo(world, run, "order")
    bc = world.bc.get("salesOrders", world.counterpart("order", order_id))
    assert bc["customerId"] == world.counterpart("customer", ids[0])
    assert world.shop.get("orders", order_id)["customer_id"] == ids[0]
    assert [(row["quantity"], row["unitPrice"]) for row in bc["salesOrderLines"]] == [(2, 100)]
    settled(world, "order")


@pytest.mark.slow
def test_a_mass_undo_needs_approval_and_a_dry_run_only_tells(world: World) -> None:
    ids = [world.shop.post("customers", customer(f"C{at}"))["id"] for at in range(30)]
    world.step("customer")
    for shop_id in ids:
        world.shop.patch("customers", shop_id, {"website": "www.wrong.example"})
    run = world.sync("customer", approve=True)
    world.forget_requests()
    told = world.sync("customer", undo=run.run_id, dry_run=True)
    assert told["customer"]["changes"] == 30
    stopped = world.sync("customer", undo=run.run_id)
    assert not stopped.success
    assert "30 of 30 linked pairs would change" in stopped.finding("customer", "change_volume_safe").summary
    assert set(world.writes().values()) == {0}
    unknown = world.sync("customer", undo="nonsense", approve=True)
    assert any("no run is known as 'nonsense'" in problem for problem in unknown.problems)
    done = world.sync("customer", undo=run.run_id[:8], approve=True)
    assert not done.failed()
    websites = {row["website"] for row in world.shop.all("customers").values()}
    assert websites == {f"www.c{at}.example" for at in range(30)}
    settled(world, "customer")


def test_a_run_is_named_by_its_beginning(world: World, pair: tuple[str, str]) -> None:
    world.shop.patch("customers", pair[0], {"website": "www.wrong.example"})
    run = world.step("customer")
    connections = Connections(Settings.load())
    with connections.state.once() as db:
        assert named_run(db, run.run_id[:12]) == run.run_id
        assert flows_written(db, connections.flows, run.run_id) == ("customer",)
        with pytest.raises(ByHandError, match=f"no run is known as 'nothing'; the latest .*\n  {run.run_id}"):
            named_run(db, "nothing")
