"""A person who is erased in a system: open orders keep their address, and nothing personal is kept by us."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import dagster as dg
import duckdb
import pytest

from talk_pipeline.dagster.execute import execute
from talk_pipeline.dagster.instance import open_home
from talk_pipeline.engine.manual import forgetting
from talk_pipeline.engine.manual.lookup import find
from talk_pipeline.engine.model import ByHandError
from talk_pipeline.engine.report.history import history
from talk_pipeline.engine.state import traces as state_traces
from talk_pipeline.engine.state.connection import StateBusyError
from talk_pipeline.engine.state.database import State
from talk_pipeline.engine.state.lease import LeaseHeldError
from talk_pipeline.engine.state.traces import MASK
from talk_pipeline.flows.sides import Side
from talk_pipeline.installation import forget
from talk_pipeline.run.session import Options
from talk_pipeline.settings import Settings
from talk_pipeline_tests.cli.command_line import run
from talk_pipeline_tests.flow_files import edited_flows, flows_in
from talk_pipeline_tests.pipeline.by_hand import unlink
from talk_pipeline_tests.pipeline.records import customer, line, order, product
from talk_pipeline_tests.proof.killing import Place, cut, interrupted, surviving
from talk_pipeline_tests.world import World

STREET = "dir: <->, bc: shipToAddressLine1,      type: text(100)"


@pytest.mark.slow
def test_an_erased_customer_does_not_empty_the_address_of_an_open_order(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    edited_flows(tmp_path, monkeypatch, order=(STREET, f"{STREET}, blank_keeps: true"))
    item = world.shop.post("products", product())["id"]
    buyer = world.shop.post("customers", customer())["id"]
    key = world.shop.post("orders", order("O1", buyer, [line(item)]))["id"]
    world.step()
    address = world.shop.get("orders", key)["shipping_address"]
    erased = address | {"line1": None, "name": None}
    world.shop.patch("orders", key, {"shipping_address": erased})
    run = world.step()
    assert not run.failed()
    (held,) = world.bc.orders().values()
    assert (held["shipToAddressLine1"], held["shipToName"]) == (address["line1"], "")
    for full in (False, True):
        run = world.step(full=full)
        assert not run.failed(), "what is kept is in step"
        assert run.writes() == 0
    world.bc.patch("salesOrders", held["id"], {"shipToAddressLine1": "Other Street 2"})
    assert not world.step().failed()
    assert world.shop.get("orders", key)["shipping_address"]["line1"] == "Other Street 2"
    world.shop.patch("orders", key, {"shipping_address": erased | {"line1": "Third Street 3"}})
    assert not world.step().failed()
    assert next(iter(world.bc.orders().values()))["shipToAddressLine1"] == "Third Street 3"


CANARIES = ("Zyxwvut", "61 72 83 94", "61728394", "Bækkestræde")
NAME, MAIL, PHONE = "Quillon Zyxwvut", "quillon.zyxwvut@private.example", "+45 61 72 83 94"


def traces(folder: Path) -> list[str]:
    """Where a canary is: files by their bytes, also as JSON writes them, and tables by their rows."""
    spelled = {form for word in CANARIES for form in (word, json.dumps(word)[1:-1])}
    words = [form.lower().encode() for form in spelled]
    found = [
        str(file.relative_to(folder))
        for file in sorted(folder.rglob("*"))
        if file.is_file() and any(word in file.read_bytes().lower() for word in words)
    ]
    with duckdb.connect(str(folder / "talk.duckdb")) as db:
        for (table,) in db.execute("select table_name from duckdb_tables()").fetchall():
            rows = db.execute(f"select cast(x as varchar) from {table} x").fetchall()
            found += [
                f"{table}: {row}" for (row,) in rows if any(word.lower() in row.lower() for word in CANARIES)
            ]
    return found


def real_run(world: World) -> dg.ExecuteInProcessResult:
    """One that Dagster's home keeps."""
    flows = flows_in()
    with open_home(world.data) as instance:
        return execute(flows, tuple(flows), options=Options(), instance=instance)


def erased(world: World) -> tuple[str, str]:
    """A customer with an order, edited, disputed, refused, and erased in both systems."""
    item = world.shop.post("products", product())["id"]
    address = customer()["address"] | {"line1": "Bækkestræde 17"}
    buyer = world.shop.post(
        "customers", customer(company_name=NAME, contact_name=NAME, email=MAIL, phone=PHONE, address=address)
    )["id"]
    world.shop.post("customers", customer("C2"))
    shipping = {**address, "name": NAME}
    key = world.shop.post(
        "orders",
        order("O1", buyer, [line(item)], email=MAIL, shipping_address=shipping, billing_address=address),
    )["id"]
    assert world.step().success
    bc_id = world.counterpart("customer", buyer)
    world.bc.patch("customers", bc_id, {"website": "www.zyxwvut.example"})
    world.shop.patch("customers", buyer, {"website": "zyxwvut.example/shop", "email": f"new.{MAIL}"})
    assert real_run(world).success
    (world.data / "plan.csv").write_text(f"email,{MAIL}\n", encoding="utf-8")
    assert len(traces(world.data)) > 10
    (bc_order,) = world.bc.orders()
    world.bc.delete("salesOrders", bc_order)
    world.bc.delete("customers", bc_id)
    gone = dict.fromkeys(address)
    world.shop.patch(
        "orders",
        key,
        {
            "email": None,
            "phone": None,
            "status": "cancelled",
            "shipping_address": gone | {"name": None},
            "billing_address": gone,
        },
    )
    blank = {"company_name": None, "contact_name": None, "email": None, "phone": None, "website": None}
    world.shop.patch("customers", buyer, blank | {"address": gone})
    world.shop.delete("customers", buyer)
    world.step(full=True)
    return buyer, key


@pytest.mark.parametrize(
    "parted", [False, pytest.param(True, marks=pytest.mark.slow)], ids=["linked", "unlinked"]
)
def test_an_erased_person_is_in_no_file(world: World, *, parted: bool) -> None:
    buyer, key = erased(world)
    if parted:
        unlink(buyer)  # the order's story has ended
    _, others, _ = forget(Settings.load(), "customer", buyer, by="Ann")
    assert f"{key} (number O1)" in others
    assert traces(world.data), "the order's own"
    done = run("forget", "customer", buyer, "--with-orders")
    assert done.returncode == 0, done.stderr
    assert "customwebshop still has it, with nothing personal in it" in done.stdout
    assert traces(world.data) == []

    counted = len(world.bc.all("customers")), len(world.bc.orders()), len(world.shop.all("customers"))
    for full in (True, False):
        again = world.step(full=full)
        assert again.success, again.problems
        assert again.writes() == 0
    assert (
        len(world.bc.all("customers")),
        len(world.bc.orders()),
        len(world.shop.all("customers")),
    ) == counted
    assert traces(world.data) == []
    flow = flows_in()["customer"]
    with State(world.data).once() as db:
        events = history(db, flow, find(db, flow, buyer))["events"]
    assert [event["by"] for event in events if event["event"] == "forgotten"][0] == "Ann"
    with open_home(world.data) as instance:
        (kept,) = instance.get_runs()
        shown = [one for one in instance.all_logs(kept.run_id) if MASK in str(one)]
        assert shown, "all else of Dagster's home is as it was"


def test_what_a_system_still_says_stays_and_is_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    buyer = world.shop.post("customers", customer(email=MAIL, phone=PHONE))["id"]
    world.step("customer")
    world.shop.patch("customers", buyer, {"email": "other@company.example"})
    world.step("customer")
    with open_home(world.data):
        pass
    done, others, unread = forget(Settings.load(), "customer", "C1", by="Ann")
    assert (others, unread) == ("", [])
    assert set(done[0].there) == set(Side)
    assert "phone" in done[0].there[Side.BC]
    assert "erase it there, sync, and forget it again" in str(done[0])
    assert not [one for one in traces(world.data) if MAIL in one], "what it said before is gone"
    assert world.step("customer", full=True).writes() == 0
    world.shop.patch("customers", buyer, {"phone": None})
    assert world.step("customer").writes() == 1, "it goes on as before"
    world.shop.patch("customers", buyer, {"website": None})
    with monkeypatch.context() as patch, world.held("order"):
        patch.setenv("TALK_WAIT_SECONDS", "0.1")
        with pytest.raises(LeaseHeldError):
            forget(Settings.load(), "customer", "C1", by="Ann")
    with pytest.raises(ByHandError, match="no customer of .* is known as 'C9'"):
        forget(Settings.load(), "customer", "C9", by="Ann")
    world.sql("update journal set outcome = null where intent_id = (select min(intent_id) from journal)")
    with pytest.raises(ByHandError, match="not known yet what became of 1 write"):
        forget(Settings.load(), "customer", "C1", by="Ann")
    world.sql("update journal set outcome = 'done'")
    world.sync("customer", dry_run=True)
    with pytest.raises(ByHandError, match="has something to be written yet; first: talk-pipeline sync"):
        forget(Settings.load(), "customer", "C1", by="Ann")


def test_a_deletion_that_goes_on_telling_all_there_was_brings_nobody_back(world: World) -> None:
    """A shop may show a deleted record as it was, and shows it again with every read since the last edit."""
    if not world.shows_deletions():
        pytest.skip("this shop does not show what was deleted")
    person = world.shop.post("customers", customer(company_name=NAME, email=MAIL))["id"]
    assert world.step("customer").success
    world.bc.delete("customers", world.counterpart("customer", person))
    world.shop.delete("customers", person)
    assert world.step("customer", full=True).success
    assert run("forget", "customer", person).returncode == 0
    for full in (False, True):
        assert world.step("customer", full=full).success
        assert world.state("customer", person) == ("closed", "gone on both sides")
        assert traces(world.data) == []
    assert NAME not in run("attention").stdout


@pytest.mark.slow
def test_a_file_in_use_is_named_and_until_it_is_free_the_words_to_look_for_are_known(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    buyer, _ = erased(world)
    monkeypatch.setattr(state_traces, "WAIT_SECONDS", 0.1)
    index = world.data / "dagster_home" / "history" / "runs" / "index.db"
    with closing(sqlite3.connect(index, isolation_level=None)) as somebody:
        somebody.execute("begin exclusive")
        with pytest.raises(StateBusyError, match=r"index\.db is in use"):
            forget(Settings.load(), "customer", buyer, by="Ann", with_referring=True)
    forget(Settings.load(), "customer", buyer, by="Ann", with_referring=True)
    assert traces(world.data) == []


def test_who_was_half_forgotten_when_all_ended_is_forgotten_by_the_next(world: World) -> None:
    """What is left to look for is known by nobody once the record itself says nothing."""
    buyer = world.shop.post("customers", customer(company_name=NAME, email=MAIL))["id"]
    other = world.shop.post("customers", customer("C2"))["id"]
    assert world.step("customer").success
    refused = {"status": 400, "body": {"error": {"code": "BadRequest", "message": f"That is {NAME}'s."}}}
    world.bc.faults({"match": {"method": "PATCH", "path": "customers"}, "fault": refused})
    world.shop.patch("customers", other, {"phone": "+45 11 22 33 44"})
    world.bc.delete("customers", world.counterpart("customer", buyer))
    world.shop.delete("customers", buyer)
    world.step("customer", full=True)
    assert world.sql("select 1 from refusal where contains(reason, ?)", NAME)
    with surviving(), interrupted(Place(forgetting, "forget", after=True), 1, by=cut):
        forget(Settings.load(), "customer", buyer, by="Ann")
    forget(Settings.load(), "customer", buyer, by="Ann")
    assert traces(world.data) == []


def test_who_is_known_again_by_a_backup_is_told_and_can_be_forgotten_again(
    world: World, tmp_path: Path
) -> None:
    file = tmp_path / "before.duckdb"
    buyer = world.shop.post("customers", customer(company_name=NAME, contact_name=NAME, email=MAIL))["id"]
    assert world.step("customer").success
    assert run("backup", str(file)).returncode == 0
    later = world.shop.post("customers", customer("C2"))["id"]
    assert world.step("customer").success
    for one in (buyer, later):
        world.bc.delete("customers", world.counterpart("customer", one))
        world.shop.delete("customers", one)
    world.step("customer", full=True)
    for one in (buyer, later):
        assert run("forget", "customer", one).returncode == 0
    assert traces(world.data) == []

    done = run("restore", str(file))
    assert done.returncode == 0, done.stderr
    (told,) = (text for text in done.stdout.splitlines() if "known again" in text)
    assert f"talk-pipeline forget customer {buyer}" in told, "the other one came after the backup"
    (aside,) = world.data.glob("*.replaced-*")
    aside.unlink()
    assert traces(world.data)
    world.step("customer")
    again = run("forget", "customer", buyer)
    assert again.returncode == 0, again.stderr
    assert traces(world.data) == []
