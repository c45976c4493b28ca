"""What the checklist says, against what was done to the state."""

import pytest

from talk_pipeline.engine.report import run_summary, runs
from talk_pipeline.engine.report.checklist import checks
from talk_pipeline.engine.report.findings import CheckContext, Finding
from talk_pipeline.engine.report.frames import changes_frame, links_frame, snapshot_frame
from talk_pipeline.flows.sides import Side
from talk_pipeline_tests.engine.book import Book


def finding(book: Book, name: str) -> Finding:
    (check,) = (one for one in checks(book.flows["customer"]) if one.name == name)
    return check.run(CheckContext(book.db, book.flows["customer"], "run"))


def test_a_book_in_step_passes(book: Book) -> None:
    book.pair("customer", "C1")
    failed = {
        check.name: check.run(CheckContext(book.db, book.flows["customer"], "run")).summary
        for check in checks(book.flows["customer"])
        if not check.run(CheckContext(book.db, book.flows["customer"], "run")).passed
    }
    assert failed == {}


def test_two_records_of_one_key_are_found(book: Book) -> None:
    book.pair("customer", "C1")
    book.say("customer", Side.BC, "b2", {"number": "C1"})
    found = finding(book, "create_keys_unique")
    assert (found.verdict, found.found) == ("failed", 1)


def test_what_was_planned_and_left_is_found(book: Book) -> None:
    shop, _ = book.pair("customer", "C1", {"website": "www.a.example"})
    book.say("customer", Side.SHOP, shop, {"website": "www.b.example"})
    book.plan("customer")
    found = finding(book, "nothing_left_to_do")
    assert (found.verdict, found.found) == ("failed", 1)


def test_results_are_kept_and_read_with_their_run(book: Book) -> None:
    book.pair("customer", "C1")
    (check,) = (one for one in checks(book.flows["customer"]) if one.name == "create_keys_unique")
    run_summary.record_check_results(
        book.db, "customer", run_id="run", findings=[(check, finding(book, "create_keys_unique"))]
    )
    kept = run_summary.check_results(book.db, "customer")[check.key]
    assert (kept.run_id, kept.finding) == ("run", finding(book, "create_keys_unique"))


def test_a_run_is_known_by_its_flows(book: Book) -> None:
    runs.begin(book.db, ["customer"], run_id="run", full=True)
    runs.broke_off(book.db, "customer", run_id="run", problem="the shop is away")
    runs.ended(book.db, run_id="run")
    [run] = runs.runs_of(book.db, "run").values()
    assert (run.flow, run.full_scan, run.problem) == ("customer", True, "the shop is away")
    assert run.ended_at is not None
    assert runs.latest(book.db) == "run"


@pytest.mark.parametrize("side", list(Side))
def test_frames_have_a_row_a_record(book: Book, side: Side) -> None:
    shop, _ = book.pair("customer", "C1", {"website": "www.a.example"})
    book.say("customer", Side.SHOP, shop, {"website": "www.b.example"})
    book.plan("customer")
    flow = book.flows["customer"]
    assert list(snapshot_frame(book.db, flow, side)["id"]) == [f"{'s' if side is Side.SHOP else 'b'}C1"]
    assert list(links_frame(book.db, flow)["bc_id"]) == ["bC1"]
    assert list(changes_frame(book.db, flow)["property"]) == ["website"]
