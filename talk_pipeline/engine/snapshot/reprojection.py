"""What is held, read anew: after what payloads mean has changed.

That depends on the flow's definition, the shop's description, the company and the canonical forms.
"""

from talk_pipeline.engine.model import Decode
from talk_pipeline.engine.snapshot.batch import pieces, uncollected
from talk_pipeline.engine.snapshot.dirty import mark_dirty
from talk_pipeline.engine.snapshot.landing import requested_fields
from talk_pipeline.engine.snapshot.projection import Projector, Told, keep, understood
from talk_pipeline.engine.snapshot.workspace import Stored
from talk_pipeline.engine.state.connection import Connection, transaction
from talk_pipeline.engine.state.meta import get_meta, joined_meta, set_meta
from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.vocabulary import Flow

PROJECTION_VERSION = "1"  # raise when a canonical form changes: every record is then read anew


_STORED = """
select row_number() over () as place, id, version, gone, payload from snapshot where flow = $flow and side = $side
"""


def reproject(db: Connection, projector: Projector, decode: Decode, *, reading: str) -> bool:
    """Reads every held record anew when payloads mean something else; `reading` tells one `decode` from another."""
    flow, side = projector.flow.name, projector.side
    company = projector.company
    read_as = (projector.flow.fingerprint, company.currency, company.zone.key, reading)
    wanted = " ".join((PROJECTION_VERSION, *read_as)).rstrip()
    key = _key(flow, side)
    if get_meta(db, key) == wanted:
        return False
    ids: list[str] = []
    with transaction(db):
        parts = [part.name for part in projector.flow.parts]
        db.execute("delete from record where part in (select unnest(?)) and side = ?", [parts, side])
        stored = Stored.made(db, _STORED, {"flow": flow, "side": side})
        for rows in pieces(stored):
            with uncollected():
                told = [
                    Told(row["id"], row["version"], understood(decode, row["payload"]), row["gone"])
                    for row in rows
                ]
                keep(db, (one for found in projector.project_all(told) for one in found))
            ids += [row["id"] for row in rows]
        Stored.dropped(db)
        mark_dirty(db, flow, side, ids=ids)
        set_meta(db, key, wanted)
    return bool(ids)


def read_as(db: Connection, flow: Flow) -> str:
    """How both sides of a flow are read now: another text after any of that has changed."""
    return joined_meta(db, [_key(flow.name, side) for side in Side])


def _key(flow: str, side: Side) -> str:
    return f"projection:{flow}:{side}"


def asks_for_more(db: Connection, flow: Flow, side: Side) -> bool:
    """Whether the flow reads a field that was not asked for when everything was read: held records lack it."""
    known = get_meta(db, f"asked:{flow.name}:{side}")
    return known is None or not set(requested_fields(flow, side).split()) <= set(known.split())
