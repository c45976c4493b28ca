"""What a check found holds until something is written, and never longer."""

import random
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from talk_pipeline.engine.manual import links as by_hand
from talk_pipeline.engine.plan.status import clear_dirty
from talk_pipeline.engine.report import lasting
from talk_pipeline.engine.report.checklist import checks
from talk_pipeline.engine.report.findings import Check, CheckContext, Finding
from talk_pipeline.engine.report.lasting import find
from talk_pipeline.engine.snapshot.dirty import is_at_rest
from talk_pipeline.engine.snapshot.reprojection import reproject
from talk_pipeline.engine.state.connection import Cursor
from talk_pipeline.engine.state.content import ASIDE, FOUND
from talk_pipeline.engine.state.meta import get_meta, set_meta
from talk_pipeline.flows.sides import Side
from talk_pipeline_tests.engine.book import Book
from talk_pipeline_tests.flow_files import copied_flows, flows_in

PROPERTY = "sync.property_website"


def found(book: Book, flow: str = "customer", *, dry_run: bool = False) -> dict[str, Finding]:
    context = CheckContext(book.db, book.flows[flow], "run", dry_run)
    return {check.key: finding for check, finding in find(context, checks(context.flow))}


def anew(book: Book) -> dict[str, Finding]:
    context = CheckContext(book.db, book.flows["customer"], "run")
    return {check.key: check.run(context) for check in checks(context.flow)}


def kept(book: Book) -> bool:
    return get_meta(book.db, f"{FOUND}customer") is not None


def looked_for(book: Book, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is asked of the database from now on."""
    asked: list[str] = []
    execute = book.db.execute

    def told(query: str, parameters: Any = None) -> Cursor:
        asked.append(query)
        return execute(query, parameters)

    monkeypatch.setattr(book.db, "execute", told)
    return asked


def comparing(asked: list[str]) -> bool:
    return any("differing as materialized" in query for query in asked)


def test_what_holds_is_not_looked_for_again(book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    shop, _ = book.pair("customer", "C1", {"website": "www.a.example"})
    book.say("customer", Side.SHOP, shop, {"website": "www.b.example"})
    first = found(book)
    assert not first[PROPERTY].passed
    asked = looked_for(book, monkeypatch)
    assert found(book) == first
    assert not comparing(asked)
    book.plan("customer")
    assert found(book) == anew(book)
    assert comparing(asked)


def test_the_end_of_a_run_with_nothing_to_do_leaves_it(book: Book) -> None:
    book.pair("customer", "C1")
    found(book)
    clear_dirty(book.db, book.flows["customer"])
    assert kept(book)


def test_a_full_scan_has_everything_looked_for(book: Book) -> None:
    book.pair("customer", "C1")
    found(book)
    book.tell("customer", Side.SHOP, [], fetched=True)
    assert kept(book)
    book.tell("customer", Side.SHOP, [], fetched=True, full=True)
    assert not kept(book)


def test_a_flow_without_records_is_read_in_full_and_leaves_it(book: Book) -> None:
    """Whatever others hold: of none there is no latest change to ask from."""
    book.pair("customer", "C1")
    for flow in ("product", "order"):
        for side in Side:
            book.tell(flow, side, [], fetched=True, full=True)
    for flow in ("product", "order"):
        book.plan(flow)
    found(book)
    for flow in ("product", "order"):
        for side in Side:
            book.tell(flow, side, [], fetched=True, full=True)
        assert is_at_rest(book.db, book.flows, book.flows[flow])
    assert kept(book)


def test_the_first_full_scan_of_an_empty_side_is_news(book: Book) -> None:
    book.tell("customer", Side.SHOP, [], fetched=True, full=True)
    book.plan("customer")
    assert is_at_rest(book.db, book.flows, book.flows["customer"])
    book.tell("customer", Side.BC, [], fetched=True, full=True)
    assert not is_at_rest(book.db, book.flows, book.flows["customer"])


def test_what_a_dry_run_finds_is_not_kept(book: Book) -> None:
    shop, _ = book.pair("customer", "C1", {"website": "www.a.example"})
    book.say("customer", Side.SHOP, shop, {"website": "www.b.example"})
    book.plan("customer")
    found(book)
    assert found(book, dry_run=True)[PROPERTY].passed
    assert not kept(book)
    assert found(book) == anew(book)


def test_another_direction_in_the_flow_file_is_judged_anew(book: Book, tmp_path: Path) -> None:
    shop, _ = book.pair("customer", "C1", {"website": "www.a.example"})
    book.say("customer", Side.SHOP, shop, {"website": "www.b.example"})
    assert found(book)[PROPERTY].severity == "ERROR"
    line = "{shop: website,                     dir: "
    book.flows = flows_in(copied_flows(tmp_path / "flows", customer=(f"{line}<->", f"{line}->")))
    assert found(book)[PROPERTY].severity == "WARN"


def test_another_setting_in_the_flow_file_is_judged_anew(book: Book, tmp_path: Path) -> None:
    order, _ = book.pair("order", "1", {"total_tax": "10.00"})
    book.say("order", Side.SHOP, order, {"total_tax": "10.03"})
    book.db.execute("delete from status")  # it has no customer, which is another matter
    assert found(book, "order")["sync.property_total_tax"].passed
    edit = ("tolerance: 0.05", "tolerance: 0.01")
    book.flows = flows_in(copied_flows(tmp_path / "flows", order=edit))
    assert not found(book, "order")["sync.property_total_tax"].passed


def test_what_is_noted_of_references_since_is_judged_anew(book: Book) -> None:
    book.pair("customer", "C1")
    before = found(book)
    set_meta(book.db, "told_by:customer:number", "noted")
    book.db.execute("update check_result set summary = 'as it was found before'")
    assert found(book) == before


def test_what_an_edited_program_finds_is_not_what_another_found(
    book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    book.pair("customer", "C1")
    before = found(book)
    book.db.execute("update check_result set summary = 'as the other found it'")
    assert found(book)[PROPERTY].summary == "as the other found it"
    monkeypatch.setattr(lasting, "CODE", "of an edited program")
    assert found(book) == before


def test_where_a_check_breaks_off_nothing_that_another_program_found_is_left(
    book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    book.pair("customer", "C1")
    found(book)
    monkeypatch.setattr(lasting, "CODE", "of an edited program")
    broken = Check("broken", "It breaks off", "sync", lambda _: 1 / 0, lasts=True)  # type: ignore[arg-type,return-value]
    with pytest.raises(ZeroDivisionError):
        find(CheckContext(book.db, book.flows["customer"], "run"), [broken])
    assert not kept(book)


def test_nothing_is_kept_by_a_connection_that_would_not_forget_it(book: Book) -> None:
    book.pair("customer", "C1")
    book.db.keeps_findings = False
    found(book)
    assert not kept(book)


def test_nothing_that_lasts_hangs_on_what_is_told_of_runs(
    book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    book.pair("customer", "C1")
    asked = looked_for(book, monkeypatch)
    for name in ("customer", "product", "order"):
        context = CheckContext(book.db, book.flows[name], "run")
        for check in checks(context.flow):
            if check.lasts:
                check.run(context)
    assert asked
    assert not [query for query in asked if re.search(r"run_id|now\(|current_|today", query)]
    assert not [query for query in asked if set(re.findall(r"(?:from|join)\s+(\w+)", query)) & ASIDE]


def _edit(book: Book, chance: random.Random) -> None:
    side, number = chance.choice(list(Side)), f"C{chance.randrange(3)}"
    site = f"www.{chance.choice('abc')}.example"
    record = f"{'s' if side is Side.SHOP else 'b'}{number}"
    book.say("customer", side, record, {"number": number, "company_name": "A", "website": site})


def _carry_out(book: Book, chance: random.Random) -> None:
    book.plan("customer")
    book.write("customer", chance.choice(list(Side)))


def _take_apart(book: Book, chance: random.Random) -> None:
    rows = book.rows("select shop_id from link where part = 'customer' and state = 'active'")
    if rows:
        by_hand.unlink(book.hand("customer"), chance.choice(rows)[0])


def _renumber(book: Book, chance: random.Random) -> None:
    book.say("customer", Side.BC, f"bC{chance.randrange(3)}", {"number": f"C{chance.randrange(3)}"})


WRITERS: tuple[Callable[[Book, random.Random], object], ...] = (
    _edit,
    _edit,
    _renumber,
    _carry_out,
    _take_apart,
    lambda book, _: book.plan("customer"),
    lambda book, _: book.in_step("customer"),
    lambda book, _: book.tell("customer", Side.BC, [], full=True),
    lambda book, chance: reproject(
        book.db,
        book.projector("customer", Side.SHOP),
        book.decode("customer", Side.SHOP),
        reading=str(chance.random()),
    ),
    lambda book, _: None,
)


@pytest.mark.parametrize("seed", range(8))
def test_whatever_is_written_what_is_told_is_what_is_found(book: Book, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 (a test's edits)
    for _ in range(25):
        chance.choice(WRITERS)(book, chance)
        book.alone()
        told, seen = found(book), anew(book)
        lasting_ones = [check.key for check in checks(book.flows["customer"]) if check.lasts]
        assert [key for key in lasting_ones if told[key] != seen[key]] == []
