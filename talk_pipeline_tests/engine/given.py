"""Rows that lie in the state as if an earlier step had put them there: a plan, records as they were read, links."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

from talk_pipeline.engine.kinds import LinkState
from talk_pipeline.engine.model import SEND_WITH, Operation
from talk_pipeline.engine.state.connection import now
from talk_pipeline.engine.state.rows import insert, insert_columns
from talk_pipeline.engine.state.tables import ChangeRow, JournalRow, LinkRow
from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.values import Value
from talk_pipeline_tests.engine.book import Book

CHANGE = ChangeRow(
    flow="customer",
    part="customer",
    target=Side.BC,
    operation="update",
    shop_id=None,
    bc_id=None,
    root_shop_id=None,
    root_bc_id=None,
    property="website",
    before=None,
    after=None,
    base=None,
    rule="edited",
    conflict=False,
)
"""A change to start from; `planned` puts others of its kind into the plan."""


def planned(book: Book, *rows: ChangeRow) -> None:
    """These changes are planned."""
    _put(book, lambda: insert(book.db, rows))


def of_record(operation: Operation, shop_id: str | None, bc_id: str | None = None) -> ChangeRow:
    """A change of a flow's own record, to Business Central."""
    return replace(
        CHANGE, operation=operation, shop_id=shop_id, bc_id=bc_id, root_shop_id=shop_id, root_bc_id=bc_id
    )


def known(
    book: Book, part: str, side: Side, root_id: str, keys: Sequence[str], raw: dict[str, Value] | None = None
) -> None:
    """A side has these records or children, in this order, each with the same values."""
    columns: dict[str, Sequence[object]] = {
        "part": [part] * len(keys),
        "side": [side] * len(keys),
        "id": list(keys),
        "root_id": [root_id] * len(keys),
        "position": list(range(len(keys))),
        "raw": [raw or {}] * len(keys),
        "canon": [raw or {}] * len(keys),
    }
    _put(book, lambda: insert_columns(book.db, "record", columns))


def linked(
    book: Book, part: str, shop_id: str, bc_id: str, *, root: str = "", met: bool = True, rule: str = ""
) -> None:
    """The two are a pair, which has met already unless said otherwise; one was made for the other if so."""
    row = LinkRow(
        part=part,
        shop_id=shop_id,
        bc_id=bc_id,
        root_shop_id=root or shop_id,
        rule=rule or ("created" if met else "number"),
        state=LinkState.ACTIVE,
        linked_at=now(),
        met_at=now() if met else None,
    )
    _put(book, lambda: insert(book.db, [row]))


def written(
    book: Book,
    change: ChangeRow,
    *,
    source: Value,
    minutes_ago: int,
    outcome: str = "done",
    rule: str = "edited",
    run_id: str = "run",
    along: Sequence[str] = (),
) -> None:
    """A request told this property of this record so long ago; `source` is the value that it was sent from.

    Properties in `along` went in it too, each with the rule of what only goes along.
    """
    intent, at = uuid4().hex, now() - timedelta(minutes=minutes_ago)
    row = JournalRow(
        intent_id=intent,
        run_id=run_id,
        flow=change.flow,
        part=change.part,
        target=change.target,
        operation=change.operation,
        shop_id=change.shop_id,
        bc_id=change.bc_id,
        root_shop_id=change.root_shop_id,
        root_bc_id=change.root_bc_id,
        natural_key=None,
        intent_at=at,
    )
    book.alone()
    insert(book.db, [row])
    book.db.execute("update journal set outcome = ? where intent_id = ?", [outcome, intent])
    told = [(change.property, source, rule), *((name, None, SEND_WITH) for name in along)]
    columns: dict[str, Sequence[object]] = {
        "intent_id": [intent] * len(told),
        "place": [0] * len(told),
        "property": [name for name, _, _ in told],
        "source": [value for _, value, _ in told],
        "rule": [why for _, _, why in told],
    }
    insert_columns(book.db, "journal_value", columns)
    book.crowded()


def _put(book: Book, rows: Callable[[], object]) -> None:
    """Among the namesakes of all that is there then."""
    book.alone()
    rows()
    book.crowded()
