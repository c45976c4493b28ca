"""What is held, read anew: after the flow's definition, the company or the canonical forms changed."""

from talk_pipeline.engine.model import Decode
from talk_pipeline.engine.snapshot.landing import asked, mark_dirty, set_meta
from talk_pipeline.engine.snapshot.projection import Projector
from talk_pipeline.engine.state.connection import Connection, transaction
from talk_pipeline.engine.state.rows import insert, rows_of
from talk_pipeline.flows.properties import Side
from talk_pipeline.flows.vocabulary import Flow

PROJECTION_VERSION = "1"  # raise when a canonical form changes: every record is then read anew


def reproject(db: Connection, projector: Projector, decode: Decode) -> bool:
    """Reads every held record anew when the flow's definition, the company or the canonical forms changed."""
    flow, side = projector.flow.name, projector.side
    company = projector.company
    wanted = f"{PROJECTION_VERSION} {projector.flow.fingerprint} {company.currency} {company.zone.key}"
    key = f"projection:{flow}:{side}"
    known = db.execute("select value from meta where key = ?", [key]).fetchone()
    if known and known[0] == wanted:
        return False
    columns = "id, version, modified_at, gone, payload, edited_at"
    held_rows = rows_of(
        db,
        f"select {columns} from snapshot where flow = $flow and side = $side",
        {"flow": flow, "side": side},
    )
    rows = [
        projected
        for row in held_rows
        for projected in projector.project(
            row["id"], version=row["version"], contents=decode(row["payload"]), gone=row["gone"]
        )
    ]
    with transaction(db):
        parts = [part.name for part in projector.flow.parts]
        db.execute("delete from record where part in (select unnest(?)) and side = ?", [parts, side])
        insert(db, rows)
        mark_dirty(db, flow, side, ids=[row["id"] for row in held_rows])
        set_meta(db, key, wanted)
    return bool(held_rows)


def asks_for_more(db: Connection, flow: Flow, side: Side) -> bool:
    """Whether the flow reads a field that was not asked for when everything was read: held records lack it."""
    known = db.execute("select value from meta where key = ?", [f"asked:{flow.name}:{side}"]).fetchone()
    return known is None or not set(asked(flow, side).split()) <= set(str(known[0]).split())
