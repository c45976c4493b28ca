"""What is told of one record: every state has its reason and its next step, and nothing is asked of the systems."""

import time
from typing import Any

import pytest

from talk_pipeline.engine.manual.lookup import find
from talk_pipeline.engine.model import ByHandError
from talk_pipeline.engine.report.explain import explanation
from talk_pipeline.engine.report.history import history
from talk_pipeline.flows.sides import Side
from talk_pipeline.settings import Settings
from talk_pipeline.states import known_state
from talk_pipeline_tests.flow_files import edited_flows, flows_in
from talk_pipeline_tests.pipeline.by_hand import bc_customer, keep_apart, link, unlink
from talk_pipeline_tests.pipeline.decisions.test_resolutions import resolve, retry
from talk_pipeline_tests.pipeline.records import customer, line, order, product
from talk_pipeline_tests.world import World

Row = dict[str, Any]


def explain(flow: str, text: str) -> Row:
    flows = flows_in(Settings.load().talk_flows_dir)
    with known_state(Settings.load()).once() as db:
        return explanation(db, flows, flows[flow], find(db, flows[flow], text))


def told(flow: str, text: str) -> list[Row]:
    flows = flows_in(Settings.load().talk_flows_dir)
    with known_state(Settings.load()).once() as db:
        events: list[Row] = history(db, flows[flow], find(db, flows[flow], text))["events"]
    return events


def one(rows: list[Row], **wanted: object) -> Row:
    (row,) = (row for row in rows if all(row[key] == value for key, value in wanted.items()))
    return row


def prop(document: Row, name: str, *, part: int = 0, record: int = 0) -> Row:
    return one(document["parts"][part]["records"][record]["properties"], property=name)


def test_a_pair_in_step(world: World) -> None:
    shop_id = world.shop.post("customers", customer())["id"]
    world.step("customer")
    bc_id = world.counterpart("customer", shop_id)
    world.forget_requests()
    document = explain("customer", shop_id)
    assert not world.shop.requests()["by_path"]
    assert not world.bc.requests()["by_path"]
    assert document == explain("customer", bc_id) == explain("customer", "c1") == explain("customer", "C1")
    assert (document["state"], document["reason"]) == ("active", None)
    assert document["next_step"] == "nothing: both sides are in step"
    assert document["link"]["bc_id"] == bc_id
    assert document["link"]["how"] == "created there by a sync"
    run_id = world.sql("select run_id from run")[0][0]
    assert document["link"]["by"] == f"run {run_id}"
    email = prop(document, "email")
    assert email["shop_value"] == email["bc_value"] == email["shop_base"] == email["bc_base"]
    assert email["agrees"] is True
    assert email["agreed_at"]
    for name, side in document["sides"].items():
        assert side["fetched_at"]
        assert side["read_at"]
        if name == "businesscentral" or world.tells_times():
            assert side["modified_at"] >= "2026"
            assert side["edited_at"]
    assert document["sides"]["businesscentral"]["last_written_at"]
    assert document["sides"]["customwebshop"]["last_written_at"] is None
    (write,) = document["journal"]
    assert (write["run_id"], write["operation"], write["outcome"]) == (run_id, "create", "done")
    assert write["sent"][0]["properties"]["email"]["after"] == "c1@company.example"


def test_matched_by_a_rule(world: World) -> None:
    bc_customer(world, "B1", email="c1@company.example")
    world.shop.post("customers", customer())
    world.step("customer")
    made = explain("customer", "c1")["link"]
    assert (made["rule"], made["how"], made["by"]) == ("email", "matched by email", "the match rules")


def test_an_edit_on_its_way(world: World) -> None:
    shop_id = world.shop.post("customers", customer())["id"]
    world.step("customer")
    world.shop.patch("customers", shop_id, {"website": "www.new.example"})
    world.sync("customer", dry_run=True)
    document = explain("customer", shop_id)
    pending = one(document["pending"], property="website")
    assert (pending["before"], pending["after"]) == ("www.c1.example", "www.new.example")
    assert document["next_step"] == "the next sync writes 1 property"
    website = prop(document, "website")
    assert (website["shop_value"], website["shop_base"], website["agrees"]) == (
        "www.new.example",
        "www.c1.example",
        False,
    )
    world.step("customer")
    latest = explain("customer", shop_id)["journal"][0]
    assert latest["sent"][0]["properties"]["website"] == {
        "before": "www.c1.example",
        "after": "www.new.example",
        "rule": "edit",
    }


def test_children_are_told_in_pairs(world: World) -> None:
    buyer = world.shop.post("customers", customer())["id"]
    item, other = (world.shop.post("products", product(sku))["id"] for sku in ("P1", "P2"))
    placed = world.shop.post("orders", order("O1", buyer, [line(item), line(item, "7")]))
    world.step()
    document = explain("order", "O1")
    lines = document["parts"][1]["records"]
    assert [row["shop_id"] for row in lines] == [f"{placed['id']}/{row['id']}" for row in placed["lines"]]
    assert all(row["bc_id"].startswith(document["bc_id"]) for row in lines)
    assert prop(document, "quantity", part=1, record=1)["bc_value"] == "7"
    assert prop(document, "quantity", part=1, record=1)["bc_base"] == "7"
    assert prop(document, "product_id", part=1)["agrees"] is True
    assert prop(document, "customer_id")["agrees"] is True
    assert prop(document, "total_excl_tax")["agrees"] is True
    writes = [sent["part"] for write in document["journal"] for sent in write["sent"]]
    assert writes.count("order.lines") == 2
    world.shop.patch("orders", placed["id"], {"lines": [{"id": placed["lines"][0]["id"]}, line(other)]})
    world.sync("order", dry_run=True)
    document = explain("order", "O1")
    lines = document["parts"][1]["records"]
    assert [row["bc_id"] is None for row in lines] == [False, True, False]
    assert lines[2]["properties"][0]["shop_value"] is None, "gone from the shop"
    assert {row["operation"] for row in document["pending"]} == {"create", "delete"}


def state(document: Row) -> tuple[str, str]:
    return document["state"], document["next_step"]


def test_every_state_has_a_reason_and_a_next_step(world: World) -> None:
    item = world.shop.post("products", product())["id"]
    twins = [bc_customer(world, number, email="twin@company.example") for number in ("T1", "T2")]
    ambiguous = world.shop.post("customers", customer("A1", email="twin@company.example"))["id"]
    bad = world.shop.post("customers", customer("BAD", phone="x" * 40))["id"]
    waiting = world.shop.post("orders", order("O1", bad, [line(item)]))["id"]
    shipped = world.shop.post("orders", order("O2", bad, [line(item)], status="completed"))["id"]
    held = world.shop.post("customers", customer("H1"))["id"]
    lonely = bc_customer(world, "LONELY")
    world.step()
    unlink(held)
    world.step()

    document = explain("customer", "A1")
    assert document["state"] == "ambiguous"
    assert {row["bc_id"] for row in document["candidates"]} == set(twins)
    assert f"talk-pipeline link customer {ambiguous} ID" in document["next_step"]
    assert twins[0] in document["next_step"]

    document = explain("customer", bad)
    assert document["state"] == "quarantined"
    assert "phone" in document["reason"]
    assert "retry" not in document["next_step"], "only an edit mends a value"
    assert "customwebshop" in prop(document, "phone")["problem"]

    document = explain("order", waiting)
    assert document["state"] == "waiting"
    assert f"{bad} is not linked (quarantined: phone" in document["reason"]
    assert f"talk-pipeline explain customer {bad}" in document["next_step"]
    assert "explain product" not in document["next_step"]

    name, step = state(explain("order", shipped))
    assert (name, "the flow does not create it" in step) == ("excluded", True)
    name, step = state(explain("customer", held))
    assert (name, f"unlink customer {held} --recreate" in step) == ("held", True)
    assert explain("customer", held)["link"]["by"] == "Ann"
    assert explain("customer", held)["parts"][0]["records"][0]["link"] is None
    document = explain("customer", lonely)
    assert (*state(document), document["shop_id"]) == ("unlinked", "nothing", None)
    assert "left alone" in document["reason"]


def test_a_contested_record_shows_who_else_claims_it(world: World) -> None:
    bc_id = bc_customer(world, "T", email="twin@company.example")
    twins = [
        world.shop.post("customers", customer(n, email="twin@company.example"))["id"] for n in ("A", "B")
    ]
    world.step("customer")
    document = explain("customer", twins[1])
    assert [(row["shop_id"], row["bc_id"]) for row in document["candidates"]] == [
        (twins[1], bc_id),
        (twins[0], bc_id),
    ]
    assert document["next_step"].endswith(f"ID is one of {bc_id} (number T)")
    one = f"more than one candidate by email: {bc_id} (number T), claimed by {twins[0]} too"
    assert document["reason"] == one
    world.shop.post("customers", customer("C", email="twin@company.example"))
    world.step("customer")
    others = f"more than one candidate by email: {bc_id} (number T), claimed by 2 others too"
    assert explain("customer", twins[1])["reason"] == others


def test_what_was_given_up_on_and_what_broke(world: World) -> None:
    refused = world.shop.post("customers", customer("C1"))["id"]
    world.bc.faults({"match": {"method": "POST", "path": "customers"}, "fault": {"status": 400}, "times": 1})
    broken = world.shop.post("products", product())["id"]
    world.step("customer", "product")
    document = explain("customer", refused)
    assert document["state"] == "quarantined"
    assert f"talk-pipeline retry customer {refused}" in document["next_step"]
    assert "email" in document["refusals"][0]["properties"]
    assert document["withheld"]
    retry(refused)
    assert explain("customer", refused)["next_step"].startswith("retried by Ann at 2")
    world.bc.delete("items", world.counterpart("product", broken))
    world.step("customer", "product", full=True)
    assert explain("customer", refused)["state"] == "active"
    name, step = state(explain("product", broken))
    assert (name, f"unlink product {broken} --recreate" in step) == ("broken", True)
    unlink(broken, "product", recreate=True)
    world.step("product")
    assert explain("product", broken)["state"] == "active"


def test_a_closed_story(world: World) -> None:
    buyer = world.shop.post("customers", customer())["id"]
    item = world.shop.post("products", product())["id"]
    world.shop.post("orders", order("O1", buyer, [line(item)]))
    world.step()
    bc_id = explain("order", "O1")["bc_id"]
    for action in ("release", "ship", "invoice"):
        world.bc.control(f"sales-orders/{bc_id}/{action}")
    world.step("order", full=True)
    world.step("order")
    assert state(explain("order", "O1")) == ("closed", "nothing: its story ended")
    with pytest.raises(ByHandError, match="is closed"):
        unlink("O1", "order")


def test_conflicts_open_decided_and_past(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    edited_flows(world.data.parent, monkeypatch, customer=("conflict: last_writer #", "conflict: manual #"))
    shop_id = world.shop.post("customers", customer())["id"]
    world.step("customer")
    bc_id = world.counterpart("customer", shop_id)
    world.shop.patch("customers", shop_id, {"website": "www.shop.example"})
    world.bc.patch("customers", bc_id, {"website": "www.bc.example"})
    world.step("customer")
    document = explain("customer", shop_id)
    conflict = {"label": "website", "shop_value": "www.shop.example", "bc_value": "www.bc.example"}
    assert document["conflicts"] == {"open": [conflict | {"decision": None}], "past": []}
    assert f"talk-pipeline resolve customer {shop_id} --take" in document["next_step"]
    assert one(document["withheld"], property="website")["withheld"].startswith("manual:")
    seen = [event for event in told("customer", shop_id) if event["event"] == "edited" and event["property"]]
    sides = {"customwebshop", "businesscentral"} if world.tells_times() else {"businesscentral"}
    assert {event["side"] for event in seen} == sides

    resolve(shop_id, Side.BC)
    document = explain("customer", shop_id)
    decision = document["conflicts"]["open"][0]["decision"]
    assert (decision["winner"], decision["decided_by"]) == ("businesscentral", "Ann")
    assert document["next_step"].startswith("resolved by Ann at ")
    world.step("customer")
    document = explain("customer", shop_id)
    assert document["conflicts"]["open"] == []
    (past,) = document["conflicts"]["past"]
    assert (past["rule"], past["winner"], past["decided_by"]) == ("manual", "businesscentral", "Ann")
    assert document["next_step"] == "nothing: both sides are in step"


def test_the_history_in_the_order_of_time(world: World) -> None:
    shop_id = world.shop.post("customers", customer())["id"]
    world.step("customer")
    bc_id = world.counterpart("customer", shop_id)
    world.bc.patch("customers", bc_id, {"website": "www.bc.example"})
    if world.tells_times():
        world.let_time_pass()
    world.shop.patch("customers", shop_id, {"website": "www.shop.example"})
    world.step("customer")
    unlink(shop_id)
    world.step("customer")
    link(shop_id, bc_id)
    world.step("customer")
    other = bc_customer(world, "B2")
    world.step("customer")
    keep_apart(shop_id, other)
    events = told("customer", shop_id)
    assert [event["at"] for event in events] == sorted(event["at"] for event in events)
    kinds = [event["event"] for event in events if event["event"] != "edited"]
    assert kinds == ["wrote", "linked", "wrote", "conflict", "unlinked", "linked", "kept apart"]
    created, changed = (event for event in events if event["event"] == "wrote")
    assert created["sent"][0]["operation"] == "create"
    assert changed["sent"][0]["properties"]["website"]["before"] == "www.bc.example"
    assert changed["sent"][0]["properties"]["website"]["after"] == "www.shop.example"
    assert changed["run_id"]
    first, second = (event for event in events if event["event"] == "linked")
    assert (first["rule"], second["by"]) == ("created", "Ann")
    edited = [event["text"] for event in events if event["event"] == "edited"]
    assert ("customwebshop: website to 'www.shop.example'" in edited) == world.tells_times()
    assert "businesscentral: website to 'www.bc.example'" in edited
    assert [event["event"] for event in told("customer", bc_id)] == [event["event"] for event in events]


def test_several_are_listed_and_one_can_be_named(world: World) -> None:
    twins = [
        world.shop.post("customers", customer(n, email="twin@company.example"))["id"] for n in ("1", "2")
    ]
    world.step("customer")
    with pytest.raises(ByHandError) as several:
        explain("customer", "TWIN@company.example")
    assert "2 records of customer are known as" in str(several.value)
    for shop_id in twins:
        assert f"customwebshop:{shop_id} (number" in str(several.value)
        assert explain("customer", f"customwebshop:{shop_id}")["shop_id"] == shop_id
    with pytest.raises(ByHandError, match="no customer of customwebshop or businesscentral is known as 'x'"):
        explain("customer", "x")


@pytest.fixture
def large(world: World) -> str:
    """A state of 50,000 customers and as many writes, without the systems' part in it."""
    shop_id: str = world.shop.post("customers", customer())["id"]
    world.step("customer")
    many = "range(50000) as many(n)"
    for table, columns in {
        "snapshot": ("id",),
        "record": ("id", "root_id"),
        "journal": ("intent_id", "root_shop_id", "bc_id"),
        "journal_value": ("intent_id",),
        "base": ("shop_id",),
        "link": ("shop_id", "bc_id", "root_shop_id"),
    }.items():
        other = ", ".join(f"{name} || '-' || n as {name}" for name in columns)
        world.sql(f"insert into {table} select {table}.* replace ({other}) from {table}, {many}")
    return shop_id


def test_it_is_told_in_under_a_second(large: str) -> None:
    started = time.process_time()  # what it costs, whatever else the machine is doing
    assert explain("customer", large)["state"] == "active"
    assert time.process_time() - started < 1
