"""What waits for a person: all of it, once, in the words in which a record is explained, counted as it is held."""

from datetime import timedelta

import pytest

from talk_pipeline.cli.attention import print_attention
from talk_pipeline.engine.manual.lookup import find
from talk_pipeline.engine.report.attention import attention
from talk_pipeline.engine.report.explain import explanation
from talk_pipeline.engine.report.waiting import Item, Kind, Waiting
from talk_pipeline.engine.state.connection import now
from talk_pipeline.flows.sides import Side
from talk_pipeline.settings import Settings
from talk_pipeline.states import known_state
from talk_pipeline_tests.flow_files import edited_flows, flows_in
from talk_pipeline_tests.pipeline.by_hand import bc_customer, unlink
from talk_pipeline_tests.pipeline.decisions.test_resolutions import resolve
from talk_pipeline_tests.pipeline.records import customer, line, order, product
from talk_pipeline_tests.users import Row
from talk_pipeline_tests.world import World


def looked() -> Waiting:
    flows = flows_in(Settings.load().talk_flows_dir)
    with known_state(Settings.load()).once() as db:
        return attention(db, flows)


def waiting() -> list[Item]:
    return looked().items


def of(kind: Kind, items: list[Item] | None = None) -> list[Item]:
    return [one for one in (waiting() if items is None else items) if one.kind is kind]


def explained(item: Item) -> Row:
    flows = flows_in(Settings.load().talk_flows_dir)
    flow = flows[item.flow]
    with known_state(Settings.load()).once() as db:
        return explanation(db, flows, flow, find(db, flow, item.shop_id or item.bc_id or ""))


def counted(world: World, query: str) -> int:
    ((number,),) = world.sql(query)
    return int(number)


# of each kind what the database holds of it, asked without the code that is tested
HELD = {
    Kind.AMBIGUOUS: "select count(*) from status where state = 'ambiguous'",
    Kind.QUARANTINED: "select count(*) from status where state = 'quarantined' and (flow, shop_id) not in"
    " (select (flow, root_shop_id) from refusal)",
    Kind.REFUSED: "select count(distinct (flow, root_shop_id)) from refusal",
    Kind.HELD: "select count(*) from status where state = 'held'",
    Kind.BROKEN: "select count(*) from status where state = 'broken'",
    Kind.UNDECIDED: "select count(*) from change where hold_kind = 'manual'",
    Kind.UNACKNOWLEDGED: "select count(*) from conflict where acknowledged_at is null",
    Kind.UNANSWERED: "select count(*) from journal where coalesce(outcome, 'unknown') = 'unknown'",
    Kind.LOST: "select count(*) from loss where acknowledged_at is null",
    Kind.STOPPED: "select 0",
    Kind.FAILED: "select 0",
    Kind.FLAGGED: "select 0",
}
BY_STATE = (Kind.AMBIGUOUS, Kind.QUARANTINED, Kind.REFUSED, Kind.HELD, Kind.BROKEN, Kind.UNDECIDED)


def test_nothing_waits_where_all_is_in_step(world: World, pair: tuple[str, str]) -> None:
    assert world.step().writes() == 0
    assert looked() == Waiting([], dict.fromkeys(map(str, Kind), 0))


def test_each_kind_is_told_once_and_counted_as_it_is_held(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    edited_flows(world.data.parent, monkeypatch, customer=("conflict: last_writer #", "conflict: manual #"))
    ids = {n: world.shop.post("customers", customer(n))["id"] for n in ("A1", "B1", "M1", "H1")}
    item = world.shop.post("products", product("P1"))["id"]
    assert not world.step().failed()
    mail = customer("S1")["email"]
    for number in ("S8", "S9"):
        bc_customer(world, number, email=mail)
    ids["S1"] = world.shop.post("customers", customer("S1"))["id"]  # two candidates
    ids["Q1"] = world.shop.post("customers", customer("Q1", currency="DKR"))["id"]
    ids["R1"] = world.shop.post("customers", customer("R1"))["id"]
    world.bc.delete("customers", world.counterpart("customer", ids["B1"]))
    world.shop.patch("customers", ids["M1"], {"website": "www.shop.example", "email": "shop@company.example"})
    other = {"website": "www.bc.example", "email": "bc@company.example"}
    world.bc.patch("customers", world.counterpart("customer", ids["M1"]), other)
    world.bc.patch("items", world.counterpart("product", item), {"displayName": "Theirs"})
    world.let_time_pass()
    world.shop.patch("products", item, {"name": "Ours"})
    unlink(ids["H1"])
    refused = {"match": {"method": "POST", "path": "customers"}, "fault": {"status": 400}, "times": 1}
    world.bc.faults(refused)
    world.step(full=True)

    told = looked()
    items = told.items
    assert told.total == len(items)
    assert told.counts == {str(kind): counted(world, HELD[kind]) for kind in Kind}
    found = {(one.kind, one.number) for one in items}
    assert found == {
        (Kind.AMBIGUOUS, "S1"),
        (Kind.QUARANTINED, "Q1"),
        (Kind.REFUSED, "R1"),
        (Kind.BROKEN, "B1"),
        (Kind.HELD, "H1"),
        (Kind.UNDECIDED, "M1"),
        (Kind.UNACKNOWLEDGED, "P1"),
    }
    assert len(of(Kind.UNDECIDED, items)) == 2
    assert [one.kind for one in items] == sorted((one.kind for one in items), key=list(Kind).index)
    for one in items:
        document = explained(one)
        assert one.state == document["state"], one
        assert one.name == f"{'Ours' if one.flow == 'product' else f'Company {one.number}'}"
        if one.kind in BY_STATE:
            assert one.next_step == document["next_step"], one
        if one.kind is not Kind.UNDECIDED and one.kind is not Kind.UNACKNOWLEDGED:
            assert one.reason == document["reason"], one
            (since,) = world.sql("select since from status where shop_id = ?", one.shop_id)
            assert one.since == since[0]
    lost = of(Kind.UNACKNOWLEDGED, items)[0]
    assert lost.reason == "name: 'Theirs' of businesscentral lost to 'Ours' by last_writer"
    assert f"talk-pipeline acknowledge product {item}" in lost.next_step

    # what a person does about it takes it off the list
    resolve(ids["M1"], Side.SHOP)
    assert of(Kind.UNDECIDED) == []
    world.sql("update conflict set acknowledged_at = recorded_at")
    assert of(Kind.UNACKNOWLEDGED) == []


def test_those_that_wait_since_the_same_moment_are_told_in_the_same_order_each_time(world: World) -> None:
    ids = [world.shop.post("customers", customer(f"Q{n}", email="none"))["id"] for n in range(3)]
    assert world.step("customer").success
    assert len({one.since for one in of(Kind.QUARANTINED)}) == 1
    for lying in (ids, list(reversed(ids))):
        with world.database() as db:  # which tells them as they lie, and they lie as they were written last
            db.execute("create temp table was as from status")
            db.execute("delete from status")
            for key in lying:
                db.execute("insert into status from was where shop_id = ?", [key])
        assert [one.shop_id for one in of(Kind.QUARANTINED)] == sorted(ids)


def test_a_case_that_nothing_acts_on_is_listed(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    buyer = world.shop.post("customers", customer())["id"]
    item = world.shop.post("products", product())["id"]
    placed = world.shop.post("orders", order("O1", buyer, [line(item)]))
    world.step()
    world.shop.patch("orders", placed["id"], {"status": "cancelled"})
    run = world.step("order")
    assert [(one.number, one.reason) for one in of(Kind.FLAGGED)] == [
        ("O1", "cancelled in the shop while the sales order lives on")
    ]
    assert run.finding("order", "no_flagged_records").found == 1
    print_attention(as_json=False)
    assert ": order O1\n" in capsys.readouterr().out, "since when is not known"


def test_a_write_without_an_answer_waits_for_its_time_first(world: World, pair: tuple[str, str]) -> None:
    def left(until: str, run_id: str) -> None:
        world.sql("delete from journal where intent_id = 'i1'")
        world.sql(
            "insert into journal (intent_id, run_id, flow, part, target, operation, root_shop_id, root_bc_id,"
            f" intent_at, left_at, open_until) values ('i1', ?, 'customer', 'customer', 'businesscentral',"
            f" 'update', ?, ?, ?, ?, {until})",
            *(run_id, *pair, now(), now()),
        )

    ((run_id,),) = world.sql("select run_id from run")
    left("now()::timestamp + interval 1 day", run_id)
    assert waiting() == [], "it may be at work there"
    left("now()::timestamp - interval 2 day", run_id)
    (one,) = waiting()
    assert (one.kind, one.number, one.state) == (Kind.UNANSWERED, "C1", "active")
    assert one.reason.startswith("update in businesscentral, sent at ")
    assert one.next_step.startswith("talk-pipeline sync --flow customer")
    assert one.since is not None
    assert one.since < now() - timedelta(days=1)
    left("null", run_id)
    assert waiting() == [], "its run may be at it"
    world.sql("update run set ended_at = started_at")
    assert len(of(Kind.UNANSWERED)) == 1


def test_what_the_breaker_stopped_waits_until_it_is_approved(world: World) -> None:
    buyers = [world.shop.post("customers", customer(f"C{n}"))["id"] for n in range(30)]
    world.step("customer")
    for buyer in buyers:
        world.shop.patch("customers", buyer, {"website": "www.wrong.example"})
    assert not world.step("customer").success
    (one,) = waiting()
    ((reason, started_at),) = world.sql("select stopped, started_at from run where stopped is not null")
    assert (one.kind, one.flow, one.number, one.reason, one.since) == (
        Kind.STOPPED,
        "customer",
        None,
        reason,
        started_at,
    )
    assert "talk-pipeline sync --flow customer --dry-run --plan plan.csv" in one.next_step
    assert "talk-pipeline sync --flow customer --approve" in one.next_step
    world.sync("customer", dry_run=True)
    assert len(waiting()) == 1, "a dry run does nothing about it"
    world.sql(
        "insert into run (run_id, flow, started_at, full_scan, dry_run, problem)"
        " values ('later', 'customer', ?, false, false, 'the shop is away')",
        now(),
    )
    assert len(waiting()) == 1, "nor does one that got nowhere"
    assert world.step("customer", approve=True).success
    assert waiting() == []


def test_a_check_that_fails_waits_for_a_person_where_no_record_tells_of_it(world: World) -> None:
    buyer = world.shop.post("customers", customer("C1"))["id"]
    item = world.shop.post("products", product("P1"))["id"]
    key = world.shop.post("orders", order("O1", buyer, [line(item)]))["id"]
    assert not world.sync().failed()
    there = world.bc.get("salesOrders", world.counterpart("order", key))
    said = {"customerId": there["customerId"], "externalDocumentNumber": "O1"}
    twin = world.bc.post("salesOrders", said)["id"]
    world.sync()
    (one,) = of(Kind.FAILED)
    held = "select name, checked_at from check_result where not passed and severity = 'ERROR'"
    assert world.sql(held) == [("sync.create_keys_unique", one.since)]
    assert (one.flow, one.reason) == (
        "order",
        "No two records carry one create key: 1 create key carried by several records",
    )
    assert "talk-pipeline checklist" in one.next_step
    world.bc.delete("salesOrders", twin)
    assert not world.sync(full=True).failed()
    assert not of(Kind.FAILED)
