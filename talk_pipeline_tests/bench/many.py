"""What few and many edits cost in books of any size, made by SQL of one pair of customers that was read.

`python -m talk_pipeline_tests.bench.many SIZE...`: no server and no Dagster, each size in a process of its own, CPU
seconds and the most memory of each stage. Ids of Business Central are in no order, as those of a company are.
`TALK_MEMORY` bounds it.
"""

import argparse
import hashlib
import json
import multiprocessing
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from talk_pipeline.engine.match import links
from talk_pipeline.engine.model import Record
from talk_pipeline.engine.plan import status
from talk_pipeline.engine.snapshot.dirty import mark_found
from talk_pipeline.engine.state.database import FILE
from talk_pipeline.flows.sides import Side
from talk_pipeline_tests.bench import books
from talk_pipeline_tests.bench.engine import JOIN, Book
from talk_pipeline_tests.bench.large import Times, tell

FLOW = "customer"
SAMPLE = 7_777_777  # the pair that is read: its digits stand where those of the others go
SLICE = 1_000_000  # pairs made at once
TOUCHED = 100
ROUNDS = 3

_DIGEST = "md5('customer ' || i)"
_VARIED = {  # what the sample says -> SQL of what the pair i says in its place
    f"{1:08d}-0000-4000-8000-{SAMPLE:012d}": f"concat_ws('-', {_DIGEST}[:8], {_DIGEST}[9:12],"
    f" '4' || {_DIGEST}[14:16], '8' || {_DIGEST}[18:20], {_DIGEST}[21:])",
    "+45 37 77 77 77": "printf('+45 %02d %02d %02d %02d', 20 + i % 80, i % 100, i // 100 % 100, i // 10000 % 100)",
    "+4537777777": "printf('+45%02d%02d%02d%02d', 20 + i % 80, i % 100, i // 100 % 100, i // 10000 % 100)",
    str(10_000 + SAMPLE): "(10000 + i)",
    str(SAMPLE): "i",
    f"Town {SAMPLE % 97}": "'Town ' || i % 97",
    f"Street {SAMPLE % 140}": "'Street ' || i % 140",
    str(1000 + SAMPLE % 8000): "(1000 + i % 8000)",
}
_PLACES = re.compile("|".join(f"({re.escape(said)})" for said in _VARIED))


def central_id(at: int) -> str:
    """The id that the pair at a position has in Business Central."""
    digest = hashlib.md5(f"customer {at}".encode(), usedforsecurity=False).hexdigest()
    return f"{digest[:8]}-{digest[8:12]}-4{digest[13:16]}-8{digest[17:20]}-{digest[20:]}"


def met(folder: Path, size: int) -> Book:
    """Books of so many customers, in step: what is read, matched and agreed is the sample's, in other words."""
    book = Book(folder, FLOW, 0)
    book.land(FLOW, *books.pairs(books.customer, range(SAMPLE, SAMPLE + 1)))
    book.plan(FLOW)
    status.clear_dirty(book.db, book.flow)
    assert status.states(book.db, FLOW)["active"] == 1
    for table in ("snapshot", "record", "link", "base"):
        rows = book.db.execute(f"select * from {table}")
        names = [column[0] for column in rows.description]
        samples = [dict(zip(names, row, strict=True)) for row in rows.fetchall()]
        book.db.execute(f"delete from {table}")
        together = [samples] if table in ("link", "base") else [[one] for one in samples]
        for after in range(0, size, SLICE):
            for some in together:
                _make(book, table, some, positions=range(after, min(size, after + SLICE)))
    book.db.execute("checkpoint")
    return book


def _make(book: Book, table: str, samples: Sequence[Mapping[str, Any]], *, positions: range) -> None:
    rows = ", ".join(_said(sample) for sample in samples)
    order = "order by md5(i::varchar)" if samples[0].get("side") == Side.BC else ""
    book.db.execute(
        f"insert into {table} by name select made.* from (select unnest([{rows}]) as made from"
        f" (select i from range({positions.start}, {positions.stop}) r(i) {order}))"
    )


def _said(value: Any) -> str:  # noqa: ANN401 whatever a column holds
    """A value of the sample as SQL of what the pair i holds there."""
    match value:
        case None:
            return "null"
        case bool() | int():
            return str(value)
        case str():
            pieces = [piece for piece in _PLACES.split(value) if piece]
            said = " || ".join(_VARIED.get(piece) or _quoted(piece) for piece in pieces)
            return f"({said or _quoted(value)})::varchar"
        case {"part": _} | {"flow": _}:
            return f"{{{', '.join(f'{name}: {_column(name, one)}' for name, one in value.items())}}}"
        case dict():
            keys, values = (", ".join(_said(one) for one in some) for some in (value, value.values()))
            return f"map([{keys}]::varchar[], [{values}]::varchar[])"
        case list():
            return f"[{', '.join(_said(one) for one in value)}]::varchar[]"
        case _:
            return f"'{value}'::timestamp"


def _column(name: str, value: Any) -> str:  # noqa: ANN401 whatever a column holds
    return f"md5('{value}' || i)" if name == "row_hash" else _said(value)  # no two records have the same


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _differing(size: int, side: Side) -> Iterator[Record]:
    """1 % of the books edited on each side, 0.1 % of them on both sides and otherwise."""
    moment = books.START + timedelta(days=9)
    for at in range(0, size, 10):
        shop, bc = books.customer(at, True)
        if at % 100 == (0 if side is Side.SHOP else 10) or at % 1000 == 990:
            said = json.loads(bc.payload) | {"id": central_id(at), "website": f"central.company-{at}.example"}
            there = replace(bc, id=said["id"], version='W/"2"', payload=json.dumps(said))
            yield replace(shop if side is Side.SHOP else there, modified_at=moment)


class Measured:
    """One size."""

    def __init__(self, folder: Path, size: int) -> None:
        self.size, self.times = size, Times()
        self.times.time("made by SQL", lambda: met(folder, size).db.close())
        self.book = Book(folder, FLOW, 0)
        self.times.counted["file, GiB"] = (folder / FILE).stat().st_size / 2**30

    def _match_and_plan(self) -> None:
        links.match(self.book.db, self.book.flow)
        self.book.plan(FLOW)

    def few(self) -> None:
        """A hundred edits in the shop, side by side and all over the books; then they are taken back."""
        apart = range(self.size // TOUCHED // 2, self.size, self.size // TOUCHED)
        for _ in range(ROUNDS):
            for name, positions in ("together", range(TOUCHED)), ("scattered", apart):
                for edit in (True, False):
                    self._save(positions, edit)
                    stage = f"{TOUCHED} touched, {name}" + ("" if edit else ", taken back")
                    self.times.time(stage, self._match_and_plan)
                    assert self.book.planned() == (TOUCHED if edit else 0), self.book.planned()
                status.clear_dirty(self.book.db, self.book.flow)

    def _save(self, positions: range, edit: bool) -> None:
        """The shop says these anew, each time later than before."""
        self.book.saved += 1
        moment = books.START + timedelta(days=1, hours=self.book.saved)
        shop, _ = books.pairs(books.customer, positions, edited=edit)
        self.book.land(FLOW, [replace(one, modified_at=moment) for one in shop], [])

    def many(self) -> None:
        """1 % edited on each side."""
        for side in Side:
            self.book.take(FLOW, side, _differing(self.size, side))
        links.match(self.book.db, self.book.flow)
        for _ in range(ROUNDS):
            self.times.time(
                "floor: join of the hashes", lambda: self.book.db.execute(JOIN, {"part": FLOW}).fetchall()
            )
            self.times.time("plan, 1 % edited on each side", lambda: self.book.plan(FLOW))
        assert self.book.planned() == self.size * 21 // 1000, self.book.planned()

    def all_again(self) -> None:
        """Every pair is looked at once more, with what was agreed of it."""
        every = "select shop_id as id from link where part = 'customer'"
        mark_found(self.book.db, FLOW, Side.SHOP, every)
        self.times.time("plan, all looked at again", self._match_and_plan)


def measure(folder: Path, size: int) -> Times:
    """All stages at one size, in this process."""
    one = Measured(folder, size)
    one.few()
    one.many()
    one.all_again()
    return one.times


def main() -> None:
    """Measures the sizes that are named."""
    parser = argparse.ArgumentParser()
    parser.add_argument("sizes", nargs="*", type=int, default=[10_000, 1_000_000])
    for size in parser.parse_args().sizes:
        with tempfile.TemporaryDirectory() as folder, multiprocessing.get_context("spawn").Pool(1) as pool:
            tell(size, pool.apply(measure, (Path(folder), size)))


if __name__ == "__main__":
    main()
