"""What a person decides outranks the rules: links, pairs kept apart, open conflicts, and what was given up on."""

from pathlib import Path

import duckdb
import pytest

from talk_pipeline.engine.manual import links
from talk_pipeline.engine.manual.links import Decision
from talk_pipeline.engine.model import ByHandError
from talk_pipeline.engine.state.connection import StateMismatchError
from talk_pipeline.engine.state.database import State
from talk_pipeline.engine.state.lease import LeaseHeldError, leases
from talk_pipeline.engine.state.migrations import SCHEMA_VERSION
from talk_pipeline.installation import carry_out
from talk_pipeline.settings import Settings
from talk_pipeline_tests.flow_files import edited_flows
from talk_pipeline_tests.pipeline.records import customer, line, order, product
from talk_pipeline_tests.pipeline.test_disappearance import gone
from talk_pipeline_tests.world import World

WHO = "Ann"


def link(shop_id: str, bc_id: str, flow: str = "customer") -> Decision:
    return carry_out(Settings.load(), flow, lambda hand: links.link(hand, shop_id, bc_id), by=WHO)


def unlink(shop_id: str, flow: str = "customer", *, recreate: bool = False) -> Decision:
    return carry_out(
        Settings.load(), flow, lambda hand: links.unlink(hand, shop_id, recreate=recreate), by=WHO
    )


def keep_apart(shop_id: str, bc_id: str) -> Decision:
    return carry_out(Settings.load(), "customer", lambda hand: links.keep_apart(hand, shop_id, bc_id), by=WHO)


def bc_customer(world: World, number: str, **values: object) -> str:
    row = {"number": number, "displayName": f"Customer {number}", "type": "Company"} | values
    return str(world.bc.post("customers", row)["id"])


@pytest.fixture
def pair(world: World) -> tuple[str, str]:
    shop_id = world.shop.post("customers", customer())["id"]
    world.step("customer")
    return shop_id, world.counterpart("customer", shop_id)


def test_unlinked_records_stay_apart_and_nothing_is_created(world: World, pair: tuple[str, str]) -> None:
    shop_id, bc_id = pair
    assert bc_id in unlink(shop_id).message
    assert world.state("customer", shop_id) == ("held", "unlinked by hand")
    world.shop.patch("customers", shop_id, {"website": "www.shop.example"})
    world.bc.patch("customers", bc_id, {"email": "bc@company.example"})
    for full in (False, True):
        run = world.step("customer", full=full)
        assert not run.failed()
        assert run.writes() == 0
        assert (run["customer"]["held"], run["customer"]["linked"]) == (1, 0)
    assert run.finding("customer", "no_held_records").rows[0]["shop_id"] == shop_id
    assert len(world.bc.all("customers")) == 1


def test_a_flow_that_creates_both_ways_creates_neither(
    world: World, monkeypatch: pytest.MonkeyPatch, pair: tuple[str, str]
) -> None:
    shop_id, bc_id = pair
    edited_flows(world.data.parent, monkeypatch, customer=("create: always #", "create: both #"))
    unlink(shop_id)
    world.bc.patch("customers", bc_id, {"email": "bc@company.example"})
    assert world.step("customer", full=True).writes() == 0
    assert len(world.shop.all("customers")) == len(world.bc.all("customers")) == 1


def test_linked_again_they_meet_for_the_first_time(world: World, pair: tuple[str, str]) -> None:
    shop_id, bc_id = pair
    unlink(shop_id)
    world.bc.patch("customers", bc_id, {"website": "www.bc.example", "addressLine2": "Back door"})
    world.step("customer")
    link(shop_id, bc_id)
    run = world.step("customer")
    assert not run.failed()
    shop, bc = world.shop.get("customers", shop_id), world.bc.get("customers", bc_id)
    # with the old base this would be an edit of Business Central; as a first meeting the master wins
    assert shop["website"] == bc["website"] == "www.c1.example"
    assert shop["address"]["line2"] == "Back door", "an empty value overwrites nothing"
    (row,) = run.finding("customer", "conflicts_listed").rows
    assert (row["rule"], row["bc_value"]) == ("initial", "www.bc.example")
    assert world.sql("select rule, state from link") == [("by hand", "active")]
    assert world.step("customer").writes() == 0


def test_released_it_gets_a_counterpart_and_never_the_old_one(world: World) -> None:
    bc_id = bc_customer(world, "OTHER", email="same@company.example")
    shop_id = world.shop.post("customers", customer("C1", email="same@company.example"))["id"]
    world.step("customer")
    assert world.counterpart("customer", shop_id) == bc_id
    unlink(shop_id)
    world.step("customer")
    assert unlink(shop_id, recreate=True).action == "released"
    assert not world.step("customer").failed()
    made = world.counterpart("customer", shop_id)
    assert made != bc_id
    assert world.bc.get("customers", made)["number"] == "C1"
    assert world.step("customer", full=True).writes() == 0
    assert len(world.bc.all("customers")) == 2


def test_at_once_released(world: World, pair: tuple[str, str]) -> None:
    shop_id, bc_id = pair
    world.bc.patch("customers", bc_id, {"number": "OLD", "email": ""})
    unlink("C1", recreate=True)
    world.step("customer")
    made = world.counterpart("customer", shop_id)
    assert (made != bc_id, world.bc.get("customers", made)["number"]) == (True, "C1")


@pytest.mark.parametrize("at_once", [True, False])
def test_released_beside_a_counterpart_of_its_number_they_meet_anew(
    world: World, pair: tuple[str, str], at_once: bool
) -> None:
    shop_id, bc_id = pair
    if not at_once:
        unlink(shop_id)
        world.step("customer")
    message = unlink(shop_id, recreate=True).message
    assert f"{bc_id} (number C1) is still there under its key" in message
    run = world.step("customer")
    assert not run.failed()
    assert run.writes() == 0
    assert world.counterpart("customer", shop_id) == bc_id
    assert world.sql("select rule, state from link") == [("number", "active")]
    assert len(world.bc.all("customers")) == 1


def test_what_could_neither_be_matched_nor_created_is_not_released(
    world: World, pair: tuple[str, str]
) -> None:
    shop_id, bc_id = pair
    keep_apart(shop_id, bc_id)
    with pytest.raises(ByHandError, match=f"under the same number.*talk-pipeline link customer {shop_id}"):
        unlink(shop_id, recreate=True)
    assert world.state("customer", shop_id) == ("held", "unlinked by hand")
    link(shop_id, bc_id)
    world.bc.patch("customers", bc_id, {"type": "Person"})
    world.step("customer", full=True)
    with pytest.raises(ByHandError, match="is outside the flow, which is for type = Company"):
        unlink(shop_id, recreate=True)


def test_a_sales_order_that_is_still_there_is_not_made_twice(world: World) -> None:
    buyer = world.shop.post("customers", customer())["id"]
    item = world.shop.post("products", product())["id"]
    placed = world.shop.post("orders", order("O1", buyer, [line(item)]))["id"]
    world.step()
    bc_id = world.counterpart("order", placed)
    unlink(placed, "order", recreate=True)
    run = world.step()
    assert not run.failed()
    assert world.counterpart("order", placed) == bc_id
    assert len(world.bc.orders()) == 1


def test_a_number_follows_the_order_that_is_made_anew(world: World) -> None:
    buyer = world.shop.post("customers", customer())["id"]
    item = world.shop.post("products", product(stock="12"))["id"]
    placed = world.shop.post("orders", order("O1", buyer, [line(item)]))["id"]
    world.step()
    old = world.shop.get("orders", placed)["erp_number"]
    world.bc.delete("salesOrders", world.counterpart("order", placed))
    world.step("order", full=True)
    unlink(placed, "order", recreate=True)
    run = world.step()
    assert not run.failed()
    made = world.bc.get("salesOrders", world.counterpart("order", placed))
    assert made["number"] != old
    assert world.shop.get("orders", placed)["erp_number"] == made["number"]
    assert run.finding("order", "property_erp_number").passed
    assert world.step().writes() == 0


def test_a_number_follows_the_order_that_is_linked_by_hand(world: World) -> None:
    buyer = world.shop.post("customers", customer())["id"]
    item = world.shop.post("products", product())["id"]
    placed = world.shop.post("orders", order("O1", buyer, [line(item)]))["id"]
    world.step()
    unlink(placed, "order")
    other = world.bc.post("salesOrders", {"customerId": world.counterpart("customer", buyer)})
    world.step("order")
    link(placed, other["id"], "order")
    assert not world.step("order").failed()
    assert world.shop.get("orders", placed)["erp_number"] == other["number"]


def test_a_one_way_value_that_differs_is_seen_whatever_was_noted(world: World) -> None:
    item = world.shop.post("products", product(stock="12"))["id"]
    run = world.step("product")
    finding = run.finding("product", "property_stock")
    if "stock" in world.shop_lacks("product"):
        pytest.skip("this shop keeps no stock")
    assert (finding.verdict, finding.rows[0]["shop_id"]) == ("warned", item)


def test_a_freed_record_may_be_matched_with_another(world: World) -> None:
    bc_id = bc_customer(world, "B1", email="right@company.example")
    wrong = world.shop.post("customers", customer("W1", email="right@company.example"))["id"]
    world.step("customer")
    unlink(wrong)
    right = world.shop.post("customers", customer("R1", email="right@company.example"))["id"]
    world.step("customer")
    assert world.counterpart("customer", right) == bc_id
    assert world.state("customer", wrong) == ("held", "unlinked by hand")
    assert len(world.bc.all("customers")) == 1


def test_a_never_linked_pair_is_never_matched_and_leaves_the_other_candidate(world: World) -> None:
    twins = [bc_customer(world, number, email="twin@company.example") for number in ("T1", "T2")]
    shop_id = world.shop.post("customers", customer("C1", email="twin@company.example"))["id"]
    world.step("customer")
    state, _reason = world.state("customer", shop_id) or ("", "")
    assert state == "ambiguous"
    keep_apart(shop_id, twins[0])
    assert not world.step("customer").failed()
    assert world.counterpart("customer", shop_id) == twins[1]
    unlink(shop_id, recreate=True)
    world.step("customer")
    assert world.counterpart("customer", shop_id) not in twins, "both are ruled out by now"
    assert keep_apart(shop_id, twins[0]).message.endswith("so it was already")


def test_keeping_a_linked_pair_apart_unlinks_it(world: World, pair: tuple[str, str]) -> None:
    shop_id, bc_id = pair
    assert keep_apart(shop_id, bc_id).action == "unlinked"
    assert world.step("customer").writes() == 0
    assert world.state("customer", shop_id) == ("held", "unlinked by hand")


def test_an_ambiguous_record_is_linked_by_hand(world: World) -> None:
    twins = [bc_customer(world, number, email="twin@company.example") for number in ("T1", "T2")]
    shop_id = world.shop.post("customers", customer("C1", email="twin@company.example"))["id"]
    world.step("customer")
    link("C1", "T2")
    assert not world.step("customer", full=True).failed()
    assert world.counterpart("customer", shop_id) == twins[1]
    assert world.bc.get("customers", twins[1])["displayName"] == "Company C1"
    assert world.bc.get("customers", twins[0])["displayName"] == "Customer T1"


def test_a_moved_link_moves_what_refers_to_it(world: World) -> None:
    buyer = world.shop.post("customers", customer())["id"]
    item = world.shop.post("products", product())["id"]
    placed = world.shop.post("orders", order("O1", buyer, [line(item)]))["id"]
    world.step()
    other = bc_customer(world, "B2")
    world.step("customer")
    unlink(buyer)
    run = world.step()
    assert not run.failed()
    state, reason = world.state("order", placed) or ("", "")
    assert (state, "is not linked" in reason) == ("waiting", True)
    assert link(buyer, other).action == "linked"
    assert not world.step().failed()
    assert world.bc.get("salesOrders", world.counterpart("order", placed))["customerId"] == other
    assert world.state("order", placed) is None
    assert world.step().writes() == 0


def test_lines_meet_anew_with_their_order(world: World) -> None:
    buyer = world.shop.post("customers", customer())["id"]
    item = world.shop.post("products", product())["id"]
    placed = world.shop.post("orders", order("O1", buyer, [line(item), line(item, "7")]))["id"]
    world.step()
    bc_id = world.counterpart("order", placed)
    unlink(placed, "order")
    assert world.sql("select count(*) from link where part = 'order.lines'") == [(0,)]
    told = world.sql("select property, bc_value from base where part in ('order', 'order.lines') order by 1")
    assert told == [("erp_number", None), ("status", None)], (
        "what the shop was told goes when it is told anew"
    )
    assert world.step().writes() == 0
    link("O1", bc_id, "order")
    run = world.step()
    assert not run.failed()
    assert run.writes() == 0, "they hold the same lines"
    assert world.sql("select count(*) from link where part = 'order.lines'") == [(2,)]
    assert len(world.bc.orders()) == 1


def test_what_cannot_be_linked_is_told(world: World, pair: tuple[str, str]) -> None:
    shop_id, bc_id = pair
    person = world.bc.post("customers", {"number": "P1", "displayName": "Person", "type": "Person"})["id"]
    lonely = bc_customer(world, "B2")
    second = world.shop.post("customers", customer("C2"))["id"]
    gone = world.shop.post("customers", customer("C3"))["id"]
    world.step("customer")
    world.shop.delete("customers", gone)
    world.step("customer", full=True)
    refusals = [
        (("nobody", lonely), "no customer of customwebshop is known as 'nobody'"),
        ((second, "nobody"), "no customer of businesscentral is known as 'nobody'"),
        ((second, person), "only those with type = Company"),
        ((shop_id, lonely), f"{shop_id} is linked with {bc_id} .*talk-pipeline unlink customer {shop_id}"),
        ((second, bc_id), f"{second} is linked with .*unlink customer {second}"),
        ((gone, lonely), "is gone"),
    ]
    before = world.sql("from link order by all")
    for (one, other), message in refusals:
        with pytest.raises(ByHandError, match=message):
            link(one, other)
    unlink(second)
    with pytest.raises(ByHandError, match=f"{bc_id} is linked with {shop_id} "):
        link(second, bc_id)
    with pytest.raises(ByHandError, match="unlinked by hand already"):
        unlink(second)
    with pytest.raises(ByHandError, match="is not linked"):
        unlink(lonely)
    assert link(shop_id, bc_id).message.endswith("are linked already")
    assert world.sql("from link where shop_id <> ? order by all", second) == [
        row for row in before if row[1] != second
    ]


def test_a_person_that_was_a_company_is_not_linked(world: World, pair: tuple[str, str]) -> None:
    _, bc_id = pair
    second = bc_customer(world, "B2")
    shop_id = world.shop.post("customers", customer("C2"))["id"]
    world.step("customer")
    unlink(shop_id)
    world.bc.patch("customers", second, {"type": "Person"})
    world.step("customer", full=True)
    with pytest.raises(ByHandError, match="outside the flow, which is for type = Company"):
        link(shop_id, second)
    assert bc_id


def test_the_database_keeps_links_one_to_one(world: World, pair: tuple[str, str]) -> None:
    shop_id, bc_id = pair
    copies = ((shop_id, "another"), ("another", bc_id))
    for one, other in copies:
        with pytest.raises(duckdb.ConstraintException):
            world.sql(
                "insert into link (part, shop_id, bc_id, root_shop_id) values ('customer', ?, ?, ?)",
                *(one, other, one),
            )


def test_a_deed_waits_for_the_run_and_for_what_became_of_its_writes(
    world: World, pair: tuple[str, str]
) -> None:
    shop_id, bc_id = pair
    with (
        leases(world.data / "leases", ("order",), run_id="a run", wait_seconds=0),
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setenv("TALK_WAIT_SECONDS", "0.1")
        with pytest.raises(LeaseHeldError, match="'order' is held by run a run"):
            unlink(shop_id)
    world.sql("update journal set outcome = 'unknown'")
    with pytest.raises(ByHandError, match="not known yet what became of 1 write of"):
        unlink(shop_id)
    assert world.counterpart("customer", shop_id) == bc_id


def test_a_create_of_unknown_outcome_does_not_adopt_what_was_unlinked(world: World) -> None:
    bc_id = bc_customer(world, "OTHER", email="same@company.example")
    shop_id = world.shop.post("customers", customer("C1", email="same@company.example"))["id"]
    world.step("customer")
    unlink(shop_id, recreate=True)
    world.bc.patch("customers", bc_id, {"number": "C1"})
    world.bc.faults(
        {"match": {"method": "POST", "path": "customers"}, "fault": {"drop": "before"}, "times": 1}
    )
    world.step("customer")
    world.bc.no_faults()
    world.step("customer")
    rows = world.sql("select bc_id from link where shop_id = ?", shop_id)
    assert (bc_id,) not in rows


def test_a_record_outside_the_scope_is_not_linked(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    edited_flows(tmp_path, monkeypatch, customer=("settings:", "settings:\n  scope: {active: [true]}"))
    shop_id = world.shop.post("customers", customer(active=False))["id"]
    bc_id = bc_customer(world, "B2")
    world.step("customer")
    with pytest.raises(ByHandError, match=f"{shop_id} of customwebshop is outside the flow: active is false"):
        link(shop_id, bc_id)


def test_what_lost_its_counterpart_is_linked_with_another(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop_id, gone_id = gone(world, "businesscentral", "unlink", tmp_path, monkeypatch)
    other = bc_customer(world, "B2")
    world.step("customer")
    with pytest.raises(ByHandError, match="is gone"):
        link(shop_id, gone_id)
    assert link(shop_id, other).action == "linked"
    assert not world.step("customer").failed()
    assert world.counterpart("customer", shop_id) == other
    assert world.bc.get("customers", other)["displayName"] == "Company C1"


def test_what_lost_its_counterpart_is_held_by_hand_too(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop_id, gone_id = gone(world, "businesscentral", "unlink", tmp_path, monkeypatch)
    unlink(shop_id)
    world.step("customer", full=True)
    assert world.state("customer", shop_id) == ("held", "unlinked by hand")
    assert world.sql("select bc_id from link where shop_id = ?", shop_id) == [(None,)]
    assert world.sql("select bc_id from apart") == [(gone_id,)]


def test_a_database_of_the_version_before_goes_on(
    world: World, pair: tuple[str, str], tmp_path: Path
) -> None:
    world.sql("alter table conflict drop column decided_by")
    world.sql("alter table conflict drop column decided_at")
    for table in ("apart", "resolution", "decision"):
        world.sql(f"drop table {table}")
    world.sql("alter table candidate drop column linked")
    world.sql("alter table change drop column hold_kind")
    world.sql("alter table change drop column hold_reason")
    world.sql("alter table change add column withheld varchar")
    world.sql("update meta set value = '1' where key = 'schema'")
    shop_id, bc_id = pair
    world.bc.patch("customers", bc_id, {"website": "www.earlier.example"})
    world.shop.patch("customers", shop_id, {"website": "www.later.example"})
    run = world.step("customer")
    assert (run["customer"]["conflicts"], run.failed()) == (1, [])
    assert unlink(shop_id).action == "unlinked"
    assert world.sql("select value from meta where key = 'schema'") == [(SCHEMA_VERSION,)]
    world.sql("update meta set value = '99' where key = 'schema'")
    with pytest.raises(StateMismatchError, match="has schema version 99"), State(world.data).once():
        pass
