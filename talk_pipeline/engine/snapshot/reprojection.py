"""What is held, read anew: after what payloads mean has changed.

That depends on the flow's definition, the shop's description, the company and the canonical forms.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from talk_pipeline.engine.kinds import Gone
from talk_pipeline.engine.model import Contents, Decode
from talk_pipeline.engine.snapshot.batch import pieces, uncollected
from talk_pipeline.engine.snapshot.dirty import mark_dirty
from talk_pipeline.engine.snapshot.landing import requested_fields
from talk_pipeline.engine.snapshot.projection import Projector, Told, keep, understood
from talk_pipeline.engine.snapshot.workspace import Stored
from talk_pipeline.engine.state.connection import Connection, transaction
from talk_pipeline.engine.state.meta import get_meta, joined_meta, set_meta
from talk_pipeline.flows.endings import summed
from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.values import Value
from talk_pipeline.flows.vocabulary import Flow

PROJECTION_VERSION = "1"  # raise when a canonical form changes: every record is then read anew


_STORED = """
select row_number() over () as place, id, version, gone, payload from snapshot where flow = $flow and side = $side
"""


# the payload of a record that has ended does not say what it came to: that was told once, and counts until the pair
# is closed
_CAME_TO = f"""
select id, list_transform($properties::varchar[], lambda name: raw[name]) from record
where part = $flow and side = $side and id in (
  select s.id from snapshot s join link l on l.part = s.flow and l.bc_id = s.id
  where s.flow = $flow and s.side = $side and s.gone = '{Gone.POSTED}' and l.state = 'active')
"""


def _came_to(db: Connection, flow: Flow, side: Side) -> dict[str, dict[str, Value]]:
    """What the records came to that have ended and whose pairs are still open, by id and path."""
    sums = summed(flow.businesscentral.closed_by, flow.properties) if side is Side.BC else ()
    if not sums:
        return {}
    asked = {"flow": flow.name, "side": side, "properties": [prop.name for prop in sums]}
    paths = [str(prop.bc) for prop in sums]
    found = db.execute(_CAME_TO, asked).fetchall()
    return {record_id: dict(zip(paths, said, strict=True)) for record_id, said in found}


def _told(row: Mapping[str, Any], contents: Contents, came_to: Mapping[str, Value]) -> Told:
    if came_to:
        contents = replace(contents, values={**contents.values, **came_to})
    return Told(row["id"], row["version"], contents, row["gone"])


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
        came_to = _came_to(db, projector.flow, side)
        parts = [part.name for part in projector.flow.parts]
        db.execute("delete from record where part in (select unnest(?)) and side = ?", [parts, side])
        stored = Stored.made(db, _STORED, {"flow": flow, "side": side})
        for rows in pieces(stored):
            with uncollected():
                told = [
                    _told(row, understood(decode, row["payload"]), came_to.get(row["id"], {})) for row in rows
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
