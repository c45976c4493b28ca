"""What a person decides outranks the rules: links, pairs kept apart, open conflicts, and what was given up on."""

from pathlib import Path

import duckdb
import pytest

from talk_pipeline.engine.model import ByHandError
from talk_pipeline.engine.state.connection import StateMismatchError
from talk_pipeline.engine.state.database import State
from talk_pipeline.engine.state.lease import LeaseHeldError, leases
from talk_pipeline.engine.state.migrations import RENAMED, SCHEMA_VERSION
from talk_pipeline_tests.flow_files import edited_flows
from talk_pipeline_tests.pipeline.by_hand import WHO, bc_customer, keep_apart, link, unlink
from talk_pipeline_tests.pipeline.records import customer, line, order, product
from talk_pipeline_tests.pipeline.test_disappearance import gone
from talk_pipeline_tests.variants import variants
from talk_pipeline_tests.world import World


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
    stays = "the value of customwebshop stays until businesscentral says something else"
    begins = "businesscentral says what its new record began with, which is no edit"
    assert finding.rows[0]["reason"] == f"{begins}: {stays}"

    world.bc.control(f"items/{world.counterpart('product', item)}/stock", {"quantity": 30})
    assert world.step("product", full=True).finding("product", "property_stock").verdict == "passed"
    world.shop.patch("products", item, {"stock": "29"})
    finding = world.step("product").finding("product", "property_stock")
    ((agreed_at,),) = world.sql("select agreed_at from base where part = 'product' and property = 'stock'")
    agreed = (
        f"businesscentral says what it did when the two last agreed, on {agreed_at:%Y-%m-%d %H:%M:%S} UTC"
    )
    assert [row["reason"] for row in finding.rows] == [f"{agreed}: {stays}"]


@variants("held", [False, True], ids=["at once", "held before"])
def test_what_comes_back_before_it_is_created_anew_is_not_created_beside(
    world: World, pair: tuple[str, str], held: bool
) -> None:
    """A person has it made anew, since it is gone; until the next run somebody brings it back."""
    shop_id, bc_id = pair
    world.bc.control("backup")
    world.bc.delete("customers", bc_id)
    assert world.step("customer", full=True).success
    assert world.state("customer", shop_id) == ("broken", "the Business Central record is vanished")
    if held:
        unlink(shop_id)
    unlink(shop_id, recreate=True)
    world.bc.control("restore")
    world.shop.patch("customers", shop_id, {"website": "www.meanwhile.example"})
    assert not world.step("customer", full=True).failed()
    assert world.counterpart("customer", shop_id) == bc_id
    assert world.bc.get("customers", bc_id)["website"] == "www.meanwhile.example"


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
    decided = world.sql("select count(*) from decision")
    assert keep_apart(shop_id, twins[0]).message.endswith("so it was already")
    assert world.sql("select count(*) from decision") == decided


def test_a_pair_that_was_unlinked_is_kept_apart_on_record(world: World, pair: tuple[str, str]) -> None:
    shop_id, bc_id = pair
    unlink(shop_id)
    told = keep_apart(shop_id, bc_id).message
    assert told.endswith(
        f"it stays unlinked until linked again, or: talk-pipeline unlink customer {shop_id} --recreate"
    )
    assert "already" not in told
    actions = "select action, done_by, bc_id from decision order by done_at desc limit 1"
    assert world.sql(actions) == [("kept apart", WHO, bc_id)]
    assert world.sql("select never, held from apart") == [(True, True)]
    assert keep_apart(shop_id, bc_id).message.endswith("so it was already")


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


def test_a_decision_waits_for_the_run_and_for_what_became_of_its_writes(
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


def test_a_database_of_the_version_before_goes_on(
    world: World, pair: tuple[str, str], tmp_path: Path
) -> None:
    world.sql("alter table conflict drop column decided_by")
    world.sql("alter table conflict drop column decided_at")
    for table in ("apart", "resolution", "decision"):
        world.sql(f"drop table {table}")
    for old, new in RENAMED.items():
        world.sql(f"alter table if exists {new} rename to {old}")
    world.sql("alter table candidate drop column linked")
    world.sql("alter table change drop column hold_kind")
    world.sql("alter table change drop column hold_reason")
    world.sql("alter table change add column withheld varchar")
    world.sql("alter table base rename column mismatches to bounces")
    world.sql("alter table journal add column details json")
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
