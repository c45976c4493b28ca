"""Children that the other side has no place for: those beyond the room that is left, and no others."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from talk_pipeline.declarations import checked_files
from talk_pipeline.engine.kinds import HoldKind
from talk_pipeline.engine.model import Child, Contents, Decode, Operation
from talk_pipeline.engine.plan.misfits import withhold_misfits
from talk_pipeline.engine.state.rows import insert_columns
from talk_pipeline.flows.sides import Side
from talk_pipeline.settings import Settings
from talk_pipeline_tests.engine import given
from talk_pipeline_tests.engine.book import Book
from talk_pipeline_tests.engine.given import CHANGE

SHOP, BC = Side.SHOP, Side.BC
FREIGHT, FEES = "order.shipping", "order.fees"
OTHERWISE = pytest.mark.parametrize(
    "more", [{"part": FEES}, {"target": BC}, {"operation": "update"}, {"flow": "product"}]
)
"""What makes a change no new charge of the shop's."""


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Book]:
    """Of a shop whose orders have one amount for freight, as the reference shop's have."""
    with Book.opened(tmp_path, checked_files(Settings.load())[0]) as opened:
        yield opened


def planned(
    book: Book,
    operation: Operation,
    order: str,
    /,
    *,
    shop_id: str | None = None,
    bc_id: str | None = None,
    **more: Any,
) -> None:
    """A change of a charge is planned, of freight towards the shop unless said otherwise."""
    freight = replace(CHANGE, flow="order", part=FREIGHT, target=SHOP, operation=operation, property="amount")
    of = replace(freight, shop_id=shop_id, bc_id=bc_id, root_shop_id=order, root_bc_id=f"b{order}")
    given.planned(book, replace(of, **more))


def known(book: Book, side: Side, order: str, keys: Sequence[str], part: str = FREIGHT) -> None:
    """A side has these charges, in this order."""
    given.known(book, part, side, order, keys, {"amount": "40"})


def held(book: Book) -> set[str | None]:
    """The charges whose changes are withheld as misfits, by the id they have there or here."""
    rows = book.rows(
        "select coalesce(bc_id, shop_id) from change where hold_kind = ?", str(HoldKind.QUARANTINED)
    )
    return {key for (key,) in rows}


def misfits(book: Book, read: Decode | None = None) -> set[str | None]:
    flow = book.flows["order"]
    withhold_misfits(book.db, flow, read, children=flow.parts[1:])
    return held(book)


def test_there_is_room_for_one_and_it_is_the_first(book: Book) -> None:
    known(book, BC, "b1", ["x", "y"])
    for key in ("y", "x"):
        planned(book, "create", "1", bc_id=key)
    assert misfits(book) == {"y"}
    [(reason,)] = book.rows("select distinct hold_reason from change where hold_reason is not null")
    assert reason == "shipping: the shop has room for 1, and Business Central has 40 besides; leave 1 there"


def test_an_amount_that_is_not_known_is_told_as_another(book: Book) -> None:
    known(book, BC, "b1", ["x", "y"])
    book.alone()
    book.db.execute("update record set raw = map()")
    for key in ("x", "y"):
        planned(book, "create", "1", bc_id=key)
    misfits(book)
    [(reason,)] = book.rows("select distinct hold_reason from change where hold_reason is not null")
    assert "has another besides" in reason


@OTHERWISE
def test_what_else_is_planned_of_the_same_id_is_left_alone(book: Book, more: dict[str, Any]) -> None:
    known(book, BC, "b1", ["x", "y"])
    for key in ("x", "y"):
        planned(book, "create", "1", bc_id=key)
    planned(book, "create", "1", bc_id="y", before="of another kind", **more)
    misfits(book)
    assert book.rows("select before from change where hold_kind is not null") == [(None,)]


def test_a_charge_of_several_properties_is_one(book: Book) -> None:
    known(book, BC, "b1", ["x"])
    for name in ("amount", "charge_quantity"):
        planned(book, "create", "1", bc_id="x", property=name)
    assert misfits(book) == set()


@pytest.mark.parametrize(
    ("side", "order", "key", "part"),
    [
        (SHOP, "1", "1/1", FEES),  # another collection of the order
        (BC, "1", "z", FREIGHT),  # an order of Business Central that is called as the shop's
        (BC, "b1", "x", FEES),  # a fee that is called as the charge
        (SHOP, "9", "x", FREIGHT),  # a charge of the shop that is called as the one of Business Central
    ],
)
def test_what_is_only_called_alike_takes_no_room(
    book: Book, side: Side, order: str, key: str, part: str
) -> None:
    known(book, BC, "b1", ["x"])
    known(book, side, order, [key], part=part)
    planned(book, "create", "1", bc_id="x")
    assert misfits(book) == set()


def test_what_the_shop_has_and_keeps_takes_the_room(book: Book) -> None:
    known(book, BC, "b1", ["x"])
    known(book, SHOP, "1", ["1/1"])
    planned(book, "create", "1", bc_id="x")
    assert misfits(book) == {"x"}


def test_what_the_shop_gives_up_makes_room(book: Book) -> None:
    known(book, BC, "b1", ["x"])
    known(book, SHOP, "1", ["1/1"])
    planned(book, "create", "1", bc_id="x")
    planned(book, "delete", "1", shop_id="1/1")
    assert misfits(book) == set()


@OTHERWISE
def test_only_its_own_removal_makes_room(book: Book, more: dict[str, Any]) -> None:
    known(book, BC, "b1", ["x"])
    known(book, SHOP, "1", ["1/1"])
    planned(book, "create", "1", bc_id="x")
    planned(book, "delete", "1", shop_id="1/1", **more)
    assert misfits(book) == {"x"}


def test_the_room_of_one_order_is_not_that_of_another(book: Book) -> None:
    for order in ("1", "2"):
        known(book, BC, f"b{order}", [f"x{order}"])
        planned(book, "create", order, bc_id=f"x{order}")
    known(book, SHOP, "2", ["2/1"])
    assert misfits(book) == {"x2"}


@OTHERWISE
def test_what_is_no_new_charge_takes_no_room(book: Book, more: dict[str, Any]) -> None:
    """Some other change of the same id, before it in the order."""
    known(book, BC, "b1", ["w", "x"])
    planned(book, "create", "1", bc_id="x")
    planned(book, "create", "1", bc_id="w", **more)
    assert misfits(book) == set()


def test_a_collection_with_room_for_all_has_no_misfits(book: Book) -> None:
    known(book, BC, "b1", ["x", "y"], part=FEES)
    for key in ("x", "y"):
        planned(book, "create", "1", bc_id=key, part=FEES)
    assert misfits(book) == set()


def moved(book: Book, *there: Child) -> Decode:
    """Two orders and what is called alike; of the first one's freight Business Central shows these lines now."""
    for order in ("1", "2"):
        given.linked(book, "order", order, f"b{order}")
        given.linked(book, FREIGHT, f"{order}/1", f"b{order}/x", root=order)
    given.linked(book, "product", "2", "b1")
    payloads = {
        ("order", BC, "b1"): "b1",
        ("order", BC, "b2"): "b2",
        ("order", SHOP, "b2"): "b1",
        ("product", BC, "b2"): "b1",
    }
    keys = {name: [key[n] for key in payloads] for n, name in enumerate(("flow", "side", "id"))}
    insert_columns(book.db, "snapshot", keys | {"payload": list(payloads.values())})
    path = book.flows["order"].part(FREIGHT).paths[BC]
    return lambda payload: Contents({}, {path: there if payload == "b1" else (AS_EVER,)})


AS_EVER = Child("x", None, {"lineType": "Account", "lineObjectNumber": ""})
ELSEWHERE = Child("x", None, {"lineType": "Account", "lineObjectNumber": "1010"})


def test_a_line_that_is_there_as_something_else_was_not_removed(book: Book) -> None:
    read = moved(book, ELSEWHERE)
    planned(book, "delete", "1", shop_id="1/1")
    planned(book, "create", "1", shop_id="1/1", target=BC)
    planned(book, "update", "1", shop_id="1/1")
    planned(book, "delete", "2", shop_id="2/1")
    misfits(book, read)
    rows = book.rows("select shop_id, operation from change where hold_kind is not null order by all")
    assert rows == [("1/1", "create"), ("1/1", "delete")]
    [(reason,)] = book.rows("select distinct hold_reason from change where hold_reason is not null")
    assert "now with" in reason
    assert "1010" in reason


@pytest.mark.parametrize(("operation", "target"), [("delete", BC), ("create", SHOP), ("update", SHOP)])
def test_what_is_not_to_be_made_anew_or_taken_away_needs_no_look(
    book: Book, operation: Operation, target: Side
) -> None:
    read = moved(book, ELSEWHERE)
    planned(book, operation, "1", shop_id="1/1", bc_id="x", target=target)
    assert misfits(book, read) == set()


def test_a_line_that_is_gone_was_removed(book: Book) -> None:
    read = moved(book)
    planned(book, "delete", "1", shop_id="1/1")
    assert misfits(book, read) == set()


def test_where_no_payload_can_be_read_every_line_counts_as_removed(book: Book) -> None:
    moved(book, ELSEWHERE)
    planned(book, "delete", "1", shop_id="1/1")
    assert misfits(book) == set()
