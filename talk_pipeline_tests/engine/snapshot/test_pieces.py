"""Records land piece by piece, and all the same as at once: whatever the pieces, the books are complete."""

import gc
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from talk_pipeline.engine.kinds import Gone
from talk_pipeline.engine.model import Contents, Record
from talk_pipeline.engine.snapshot import batch, landing, reprojection, spooling, watermarks
from talk_pipeline.engine.snapshot.batch import Landing
from talk_pipeline.engine.snapshot.columns import Company
from talk_pipeline.engine.snapshot.landing import Landed
from talk_pipeline.engine.snapshot.projection import Projector
from talk_pipeline.engine.state.connection import Connection
from talk_pipeline.engine.state.database import State
from talk_pipeline.flows.sides import Side
from talk_pipeline_tests.flow_files import flows_in

FLOW = flows_in()["customer"]
PROJECTOR = Projector(FLOW, Side.SHOP, Company("DKK", ZoneInfo("UTC")))
START = datetime(2026, 3, 3, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch, "AT_ONCE", 3)
    monkeypatch.setattr(landing, "FEW", 0)


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Connection]:
    with State(tmp_path).open() as opened:
        yield opened


def record(key: str, name: str = "A", *, minutes: int = 0, deleted: bool = False) -> Record:
    """A customer of the shop; one that was deleted says no more than its id."""
    payload = "" if deleted else json.dumps({"company_name": name})
    return Record(key, None, START + timedelta(minutes=minutes), deleted, payload)


def land(db: Connection, *records: Record, **how: Any) -> Landed:
    spooling.spool(db, records)
    return landing.land(
        db, PROJECTOR, lambda payload: Contents(json.loads(payload)), landing=Landing(fetched=True, **how)
    )


def names(db: Connection) -> dict[str, tuple[str | None, str | None]]:
    """Name and the reason of having left, by id."""
    rows = db.execute(
        "select id, r.raw['company_name'], s.gone from snapshot s join record r using (id)"
        " where s.side = r.side and s.flow = r.part order by id"
    ).fetchall()
    assert len({key for key, _, _ in rows}) == len(rows)
    return {key: (name, gone) for key, name, gone in rows}


@pytest.mark.parametrize("size", [2, 3, 7])
def test_all_records_land_once_whatever_the_pieces(db: Connection, size: int) -> None:
    first = land(db, *(record(str(at)) for at in range(size)), full=True)
    again = land(
        db, *(record(str(at), "B" if at % 2 else "A", minutes=at % 2) for at in range(size)), full=True
    )
    assert (first.changed, again.changed) == (size, size // 2)
    assert names(db) == {str(at): ("B" if at % 2 else "A", None) for at in range(size)}
    assert db.execute("select count(*) from dirty").fetchone() == (size,)


def test_of_a_record_that_comes_twice_the_later_counts(db: Connection) -> None:
    landed = land(
        db,
        record("1", "late", minutes=2),
        *(record(str(at)) for at in range(2, 6)),
        record("1", "early", minutes=1),
        record("9", deleted=True),
    )
    assert (landed.read, landed.changed) == (6, 5)
    assert names(db)["1"] == ("late", None)
    assert "9" not in names(db)


def test_what_is_deleted_or_left_keeps_what_it_said(db: Connection) -> None:
    land(db, *(record(str(at)) for at in range(9)), full=True)
    land(
        db,
        *(record(str(at), minutes=1, deleted=True) for at in range(4)),
        gone={str(at): Gone.VANISHED for at in (4, 5)},
    )
    told = names(db)
    assert [told[str(at)] for at in range(9)] == [("A", "deleted")] * 4 + [("A", "vanished")] * 2 + [
        ("A", None)
    ] * 3


def test_nothing_of_a_fetch_that_went_back_lands(db: Connection) -> None:
    land(db, *(record(str(at), minutes=60) for at in range(7)), full=True)
    before = db.execute("select * from snapshot order by id").fetchall()
    mark = watermarks.watermark(db, FLOW.name, Side.SHOP)
    landed = land(db, *(record(str(at), "older") for at in range(7)), record("new"), full=True)
    assert (landed.changed, len(landed.reversals)) == (0, 7)
    assert db.execute("select * from snapshot order by id").fetchall() == before
    assert watermarks.watermark(db, FLOW.name, Side.SHOP) == mark
    assert db.execute("select count(*) from reversal").fetchone() == (7,)
    assert land(db, record("later", minutes=90)).read == 1  # nothing of it waits for the next


def test_everything_held_is_read_anew_whatever_the_pieces(db: Connection) -> None:
    land(db, *(record(str(at)) for at in range(7)), full=True)
    db.execute("delete from record where id <> '3'")
    decode = lambda payload: Contents(json.loads(payload) | {"company_name": "anew"})  # noqa: E731
    assert reprojection.reproject(db, PROJECTOR, decode, reading="")
    assert names(db) == {str(at): ("anew", None) for at in range(7)}


def test_nobody_looks_for_what_is_not_held_while_records_are_read_and_whatever_happens_afterwards_again(
    db: Connection,
) -> None:
    looked: list[bool] = []

    def decode(payload: str) -> Contents:
        looked.append(gc.isenabled())
        if payload == "broken":
            raise ValueError(payload)
        return Contents(json.loads(payload))

    assert gc.isenabled()
    spooling.spool(db, [record(str(at)) for at in range(7)])
    landing.land(db, PROJECTOR, decode, landing=Landing(fetched=True))
    assert gc.isenabled()
    spooling.spool(db, [replace(record("8"), payload="broken")])
    with pytest.raises(ValueError, match="broken"):
        landing.land(db, PROJECTOR, decode, landing=Landing(fetched=True))
    assert gc.isenabled()
    assert looked == [False] * 8
