"""How much a plan would do, counted by record: what counts as what, and what does not count."""

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from talk_pipeline.engine.kinds import HoldKind
from talk_pipeline.engine.plan.circuit_breaker import Volume, volume
from talk_pipeline.flows.sides import Side
from talk_pipeline_tests.engine.book import Book
from talk_pipeline_tests.engine.given import CHANGE, linked, of_record, planned
from talk_pipeline_tests.flow_files import copied_flows, flows_in

LINES = "order.lines"


def counted(book: Book, flow: str = "customer") -> dict[str, Any]:
    """The numbers of the volume that are not zero."""
    return {name: value for name, value in asdict(volume(book.db, book.flows[flow])).items() if value}


def test_a_record_counts_once_however_much_of_it_changes(book: Book) -> None:
    linked(book, "customer", "1", "b1")
    change = of_record("update", "1", "b1")
    planned(book, change, replace(change, property="phone"), replace(change, target=Side.SHOP))
    assert counted(book) == {"touched": 1, "links": 1, "updates": 1}


def test_a_pair_that_meets_for_the_first_time_is_counted_apart(book: Book) -> None:
    linked(book, "customer", "1", "b1", met=False)
    linked(book, "customer", "2", "b2", met=False)
    linked(book, "customer", "3", "b3")
    planned(book, of_record("update", "1", "b1"))
    assert counted(book) == {"links": 1, "meeting": 1, "meetings": 2, "updates": 1}


def test_a_share_is_of_all_pairs_whether_they_met_before_or_not(tmp_path: Path) -> None:
    limited = ("minimum: 25", "minimum: 1, creates: {share: 0.5}")
    with Book.opened(tmp_path / "state", flows_in(copied_flows(tmp_path / "flows", order=limited))) as book:
        for key, met in (("1", True), ("2", False), ("3", False)):
            linked(book, "order", key, f"b{key}", met=met)
        create = replace(of_record("create", "4"), flow="order", part="order")
        planned(book, create)
        assert volume(book.db, book.flows["order"]).reason is None
        planned(book, replace(create, shop_id="5", root_shop_id="5"))
        reason = volume(book.db, book.flows["order"]).reason
        assert reason
        assert "2 records would be created, with 3 linked pairs" in reason


def test_the_rest_of_a_create_is_no_change_and_an_edit_of_what_was_made_is_one(book: Book) -> None:
    for key in ("1", "2"):
        linked(book, "customer", key, f"b{key}", met=False, rule="created")
    planned(book, replace(of_record("update", "1", "b1"), rule="initial"), of_record("update", "2", "b2"))
    assert counted(book) == {"touched": 1, "links": 2, "updates": 2}


def test_what_is_called_alike_elsewhere_says_nothing_of_whether_they_met(book: Book) -> None:
    linked(book, "customer", "1", "b1")
    linked(book, "product", "1", "b1", met=False)
    linked(book, "customer", "2", "b2", met=False)
    book.db.execute("update link set state = 'closed' where shop_id = '2'")
    planned(book, of_record("update", "1", "b1"), of_record("update", "2", "b2"))
    assert counted(book) == {"touched": 2, "links": 1, "updates": 2}


def test_a_create_is_no_update_of_a_pair(book: Book) -> None:
    planned(book, of_record("create", "1"), replace(of_record("create", None, "b2"), target=Side.SHOP))
    assert counted(book) == {"creates": 2}


def test_a_deletion_is_no_update_and_loses_a_record(book: Book) -> None:
    linked(book, "customer", "1", "b1")
    planned(book, of_record("delete", "1", "b1"))
    assert counted(book) == {"touched": 1, "links": 1, "deletes": 1, "lost": 1}


def test_pairs_of_other_flows_and_states_are_none_of_it(book: Book) -> None:
    linked(book, "product", "1", "b1")
    linked(book, "product", "2", "b2", met=False)
    linked(book, "customer", "3", "b3")
    linked(book, "customer", "4", "b4", met=False)
    book.db.execute("update link set state = 'held' where part = 'customer'")
    planned(book, replace(of_record("update", "1", "b1"), flow="product", part="product"))
    assert counted(book) == {}


@pytest.mark.parametrize(
    ("hold", "counts"), [(None, 1), (HoldKind.DEFERRED, 1), (HoldKind.QUARANTINED, 0), (HoldKind.REFUSED, 0)]
)
def test_what_is_withheld_does_not_count_unless_it_goes_later_in_the_run(
    book: Book, hold: HoldKind | None, counts: int
) -> None:
    linked(book, "customer", "1", "b1")
    planned(book, replace(of_record("update", "1", "b1"), hold_kind=hold))
    found = volume(book.db, book.flows["customer"])
    assert (found.touched, found.updates) == (counts, counts)


class Lines:
    """An order with three lines, and changes of them."""

    def __init__(self, book: Book) -> None:
        self.book = book
        linked(book, "order", "1", "b1")
        for n in "123":
            linked(book, LINES, f"1/{n}", f"b1/{n}", root="1")

    def gone(self, *numbers: str, **more: Any) -> None:
        for n in numbers:
            removed = replace(CHANGE, flow="order", part=LINES, operation="delete", shop_id=f"1/{n}")
            planned(self.book, replace(replace(removed, root_shop_id="1", root_bc_id="b1"), **more))

    def made(self, *, shop_id: str | None = None, bc_id: str | None = None, **more: Any) -> None:
        made = replace(CHANGE, flow="order", part=LINES, operation="create", shop_id=shop_id, bc_id=bc_id)
        planned(self.book, replace(replace(made, root_shop_id="1", root_bc_id="b1"), **more))

    def volume(self) -> tuple[int, int]:
        """Deletions, and records that lose all."""
        found = volume(self.book.db, self.book.flows["order"])
        return found.deletes, found.lost


@pytest.fixture
def lines(book: Book) -> Lines:
    return Lines(book)


def test_lines_count_by_number_and_their_order_is_lost_with_the_last(lines: Lines) -> None:
    lines.gone("1", "2")
    assert lines.volume() == (2, 0)
    lines.gone("3")
    assert lines.volume() == (3, 1)


def test_a_line_of_several_properties_goes_once(lines: Lines) -> None:
    lines.gone("1")
    lines.gone("1", property="phone")
    assert lines.volume() == (1, 0)


@pytest.mark.parametrize("made", [{"shop_id": "1/9"}, {"bc_id": "b1/9"}])
def test_one_that_is_made_anew_takes_the_place_of_another(lines: Lines, made: dict[str, str]) -> None:
    lines.gone("1", "2", "3")
    lines.made(**made)
    lines.made(**made, property="phone")
    assert lines.volume() == (2, 0)


@pytest.mark.parametrize(
    "more",
    [
        {"target": Side.SHOP},
        {"part": "order.fees"},
        {"root_shop_id": "2", "root_bc_id": "b2"},
        {"operation": "update"},
        {"hold_kind": HoldKind.QUARANTINED},
        {"root_bc_id": None},
        {"root_shop_id": None},
        {"flow": "product"},
    ],
)
def test_what_is_made_elsewhere_or_not_now_takes_no_place(lines: Lines, more: dict[str, Any]) -> None:
    lines.gone("1", "2", "3")
    lines.made(shop_id="1/9", **more)
    assert lines.volume() == (3, 1)


@pytest.mark.parametrize(
    "more",
    [
        {"flow": "product"},
        {"operation": "update"},
        {"hold_kind": HoldKind.REFUSED},
        {"root_bc_id": None},
        {"root_shop_id": None},
    ],
)
def test_lines_that_do_not_go_now_are_not_counted(lines: Lines, more: dict[str, Any]) -> None:
    lines.gone("1")
    lines.gone("2", **more)
    assert lines.volume() == (1, 0)


def test_a_line_whose_order_is_not_there_any_more_is_not_lost_again(lines: Lines) -> None:
    lines.gone("1", root_bc_id=None)
    assert lines.volume() == (0, 0)


def test_a_record_that_goes_does_not_count_as_its_lines(lines: Lines) -> None:
    planned(lines.book, replace(of_record("delete", "1", "b1"), flow="order", part="order"))
    lines.gone("1")
    assert lines.volume() == (2, 1)


def test_more_than_one_meet(book: Book) -> None:
    found = {n: told(book, meetings=n) for n in (1, 2)}
    assert "of 1 pair that meets for the first time" in found[1]
    assert "of 2 pairs that meet for the first time" in found[2]


def told(book: Book, *, meetings: int) -> str:
    """Why it is too much where so many meet, and none may change."""
    flow = book.flows["customer"]
    breaker = flow.settings.breaker.model_copy(
        update={"first_meetings": flow.settings.breaker.first_meetings.model_copy(update={"count": 0})}
    )
    strict = flow.model_copy(update={"settings": flow.settings.model_copy(update={"breaker": breaker})})
    book.alone()
    book.db.execute("delete from link")
    for n in range(meetings):
        linked(book, "customer", f"{n}", f"b{n}", met=False)
        planned(book, of_record("update", f"{n}", f"b{n}"))
    found: Volume = volume(book.db, strict)
    assert not found.safe
    return found.reason or ""
