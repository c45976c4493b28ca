"""How far each side of a flow has been read, and what is wrong with the last time it was."""

from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime

from talk_pipeline.engine.state.connection import Connection, transaction
from talk_pipeline.engine.state.rows import insert
from talk_pipeline.engine.state.tables import WatermarkRow
from talk_pipeline.flows.sides import Side


@dataclass(frozen=True, slots=True)
class Watermark:
    """How far a side of a flow has been read.

    Attributes:
        modified_at: latest modified time the server gave, UTC without offset.
        full_at: when a full scan last ended.
        complete: the last fetch ended without error.
        problem: why it did not, or what is implausible about it.
    """

    modified_at: datetime | None = None
    fetched_at: datetime | None = None
    full_at: datetime | None = None
    complete: bool = False
    problem: str | None = None
    skew_seconds: float = 0.0


_SET = ", ".join(f"{one.name} = ?" for one in fields(Watermark))
_REPLACED = f"update watermark set {_SET} where flow = ? and side = ?"


def watermark(db: Connection, flow: str, side: Side) -> Watermark:
    """The watermark of a side, or an empty one."""
    row = db.execute(
        "select modified_at, fetched_at, full_at, complete, problem, skew_seconds from watermark"
        " where flow = ? and side = ?",
        [flow, side],
    ).fetchone()
    return Watermark(*row) if row else Watermark()


def fetch_problems(db: Connection, flow: str) -> list[tuple[str, str]]:
    """What is wrong with the last fetch of a flow, as (side, problem), the shop's first."""
    query = "select side, problem from watermark where flow = ? and problem is not null order by side desc"
    return db.execute(query, [flow]).fetchall()


def fetch_failed(db: Connection, flow: str, side: Side, *, problem: str) -> None:
    """Notes that a fetch broke off: what is held stays as it was, and is known to be old."""
    known = watermark(db, flow, side)
    with transaction(db):
        set_watermark(db, flow, side, replace(known, complete=False, problem=problem))


def set_watermark(db: Connection, flow: str, side: Side, watermark: Watermark) -> None:
    """Replaces it, in the caller's transaction."""
    # a third of what it costs to delete the row and insert another
    columns = asdict(watermark)
    replaced = db.execute(_REPLACED, [*columns.values(), flow, side]).fetchone()
    if not (replaced and replaced[0]):
        insert(db, [WatermarkRow(flow=flow, side=side, **columns)])
