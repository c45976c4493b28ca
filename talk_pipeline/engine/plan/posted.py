"""What the shop said of a record that was posted in Business Central before it was carried over there.

Nothing can be written to it any more. What was never carried over becomes a conflict that the shop has lost, and so
stays in sight until a person has taken note of it: what is billed is not what the shop says. So does a number that
came to something else in the end, whoever changed what it is made of, and whether or not a run ever saw that.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from talk_pipeline.engine.kinds import Gone, HoldKind
from talk_pipeline.engine.match.scopes import ended
from talk_pipeline.engine.model import UNDO
from talk_pipeline.engine.plan.workspace import Unfinished
from talk_pipeline.engine.snapshot.dirty import touch
from talk_pipeline.engine.snapshot.holding import agree
from talk_pipeline.engine.state.connection import Connection, now
from talk_pipeline.engine.state.rows import insert_columns, is_any, rows_of
from talk_pipeline.flows.endings import summed
from talk_pipeline.flows.properties import Property
from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.values import Value
from talk_pipeline.flows.vocabulary import Flow

POSTED = "posted"
"""The rule of a conflict whose Business Central record was posted before the shop's edit was carried over."""

OWED_BY_NOBODY = "0"
"""What a sum is held against where the shop itself has given the record up, whatever total that still bears."""

# an open conflict stays one: a person's word on it is worth having. What was sent and not answered may be there
_WITHHOLD = f"""
update change set hold_kind = '{HoldKind.POSTED}', hold_reason = 'it was posted in Business Central before'
where flow = $flow and target = '{Side.BC}' and rule <> '{UNDO}'
  and (hold_kind is null or hold_kind not in ('{HoldKind.MANUAL}', '{HoldKind.WAITING}'))
  and root_bc_id in (select id from snapshot where flow = $flow and side = '{Side.BC}' and gone = '{Gone.POSTED}')
"""

_ENDING = f"""
part = $flow and state = 'active' and shop_id not in (select shop_id from unfinished where shop_id is not null)
  and bc_id in (select id from snapshot where flow = $flow and side = '{Side.BC}' and gone = '{Gone.POSTED}')
"""

_LOST = f"""
from change where flow = $flow and hold_kind = '{HoldKind.POSTED}'
  and root_shop_id not in (select shop_id from unfinished where shop_id is not null)
"""

GUARDED = """case when part = $flow then property in (select unnest($own::varchar[]))
     else operation <> 'update' or property in (select unnest($lines::varchar[])) end"""
"""Whether a change is of what stays as it is while its record is not open there, with what `guarded` gives."""

# of a child that was added or removed, every value that it had; of a record that is closed already, what may be
# about the sum that was billed, and once
_KEEP_IN_SIGHT = f"""
insert into conflict (flow, part, shop_id, bc_id, property, rule, winner, shop_value, bc_value, shop_edited_at,
  bc_edited_at, shop_version, bc_version, run_id, recorded_at)
select $flow, c.part, c.shop_id, c.bc_id, c.property, '{POSTED}', '{Side.BC}', c.after, c.before,
       s.edited_at, b.edited_at, s.version, b.version, $run_id, $at
from (
  select * {_LOST} and before is distinct from after
    and ({GUARDED} or root_shop_id in (select shop_id from link where {_ENDING}))
) c
left join edit s on s.part = c.part and s.shop_id = c.shop_id and s.property = c.property
  and s.side = '{Side.SHOP}'
left join edit b on b.part = c.part and b.shop_id = c.shop_id and b.property = c.property and b.side = '{Side.BC}'
anti join (from conflict where flow = $flow and rule = '{POSTED}') known
  on known.part = c.part and known.shop_id is not distinct from c.shop_id and known.property = c.property
  and known.bc_id is not distinct from c.bc_id
  and known.shop_value is not distinct from c.after and known.bc_value is not distinct from c.before
"""

# one that was deleted in the shop or lies outside its scope was told as that until now
_AS_BEFORE = f"""
delete from status where flow = $flow and shop_id in (select shop_id from link where {_ENDING})
"""

_CLOSED = f"""
insert into status (flow, shop_id, state, reason, since)
select $flow, shop_id, 'closed', 'posted in Business Central: its story ended there', $at from link where {_ENDING}
"""


def _billed(flow: Flow) -> dict[str, list[str]]:
    """What a bill rests on: what a guard withholds, and what is taken off the sum, or decides what it comes to."""
    made = [prop.composed_of for prop in _summed(flow) if prop.composed_of]
    rests_on = (name for one in made for name in (*one.less, *one.known_while))
    asked = guarded(flow)
    return asked | {"own": list(dict.fromkeys([*asked["own"], *rests_on]))}


def guarded(flow: Flow) -> dict[str, list[str]]:
    """The properties that a flow's guard withholds, of the record itself and of its children."""
    guard = flow.guard
    return {
        "own": list(guard.withholds) if guard else [],
        "lines": list(guard.withholds_lines) if guard else [],
    }


def withhold_posted(db: Connection, flow: Flow) -> None:
    """What can be told to no record any more, since it was posted."""
    db.execute(_WITHHOLD, {"flow": flow.name})


def close_posted(db: Connection, flow: Flow, unfinished: Unfinished, *, run_id: str | None) -> None:
    """Closes the pairs that were posted and have nothing left to tell the shop, and keeps in sight what was lost.

    In the caller's transaction.
    """
    asked = {"flow": flow.name, "at": now()}
    if is_any(db, _LOST, {"flow": flow.name}):
        db.execute(_KEEP_IN_SIGHT, asked | _billed(flow) | {"run_id": run_id})
        db.execute(f"delete {_LOST}", {"flow": flow.name})
    keep_differing(db, flow, _given_up_since(db, flow), run_id=run_id)
    if is_any(db, f"from link where {_ENDING}", {"flow": flow.name}):
        db.execute(_AS_BEFORE, {"flow": flow.name})
        db.execute(_CLOSED, asked)
        keep_differing(db, flow, _came_to(db, flow, _ENDING), run_id=run_id)
        db.execute(f"update link set state = 'closed' where {_ENDING}", {"flow": flow.name})
        touch(db, flow.name)


@dataclass(frozen=True, slots=True)
class CameTo:
    """What became of a shop record whose story ended.

    Attributes:
        bc_id: of the record that has ended, or of one in which it goes on.
        sums: what it came to, by path of Business Central's record.
    """

    shop_id: str
    bc_id: str
    sums: Mapping[str, Value]


def _summed(flow: Flow) -> list[Property]:
    """The properties that are compared with what a record came to."""
    return summed(flow.businesscentral.closed_by, flow.properties)


_CAME_TO = f"""
with closing as (select shop_id, bc_id from link where {{pairs}})
select c.shop_id, c.bc_id, list_transform($properties::varchar[], lambda name: r.raw[name]) as said
from closing c join (select id, raw from record where rowid in (select rowid from record
  where part = $flow and side = '{Side.BC}' and id in (select bc_id from closing))) r on r.id = c.bc_id
"""

# what was told before stays told, whatever the shop says in between
_GIVEN_UP_SINCE = f"""
part = $flow and state = 'closed'
  and shop_id in (select id from dirty where flow = $flow and side = '{Side.SHOP}')
  and shop_id in (select id from record r where part = $flow and side = '{Side.SHOP}' and {{ended}})
  and bc_id in (select id from snapshot where flow = $flow and side = '{Side.BC}' and gone = '{Gone.POSTED}')
  and shop_id not in (select shop_id from conflict where part = $flow and shop_id is not null
    and rule = '{POSTED}' and shop_value = '{OWED_BY_NOBODY}'
    and property in (select unnest($properties::varchar[])))
"""


def _given_up_since(db: Connection, flow: Flow) -> list[CameTo]:
    """The pairs whose story had ended before the shop gave its record up, and of which nobody was told so yet."""
    return _came_to(db, flow, _GIVEN_UP_SINCE.format(ended=ended(flow, "r")))


def _came_to(db: Connection, flow: Flow, pairs: str) -> list[CameTo]:
    """What records that have ended came to, which is what is held of them; `pairs`: of which links."""
    compared = _summed(flow)
    if not compared:
        return []
    asked = {"flow": flow.name, "properties": [prop.name for prop in compared]}
    paths = [str(prop.bc) for prop in compared]
    rows = db.execute(_CAME_TO.format(pairs=pairs), asked).fetchall()
    return [CameTo(shop_id, bc_id, dict(zip(paths, said, strict=True))) for shop_id, bc_id, said in rows]


_SAID = """
select id, version, raw, canon, {ended} as given_up from record r where rowid in (select rowid from record
  where part = $flow and side = 'customwebshop' and id in (select unnest($ids::varchar[])))
"""


def keep_differing(db: Connection, flow: Flow, ended_as: Iterable[CameTo], *, run_id: str | None) -> None:
    """Keeps in sight what the shop says otherwise than its records came to, by more than the flow's tolerance.

    In the caller's transaction. What either of them does not say differs from nothing. What the shop has given up
    was not to be billed at all: only what was cancelled there too comes to that.
    """
    compared, came_to = _summed(flow), {one.shop_id: one for one in ended_as}
    if not compared or not came_to:
        return
    differing: list[dict[str, object]] = []
    asked = {"flow": flow.name, "ids": list(came_to)}
    for row in rows_of(db, _SAID.format(ended=ended(flow, "r")), asked):
        one = came_to[row["id"]]
        for prop in compared:
            said, meant = row["raw"].get(prop.name), row["canon"].get(prop.name)
            if row["given_up"]:
                said = meant = OWED_BY_NOBODY
            billed = one.sums.get(prop.bc or "")
            if said is None or billed is None or agree(flow, prop, shop=meant, bc=billed, shop_raw=said):
                continue
            conflict: dict[str, object] = {
                "flow": flow.name,
                "part": flow.name,
                "shop_id": one.shop_id,
                "bc_id": one.bc_id,
                "property": prop.name,
                "rule": POSTED,
                "winner": str(Side.BC),
                "shop_value": said,
                "bc_value": billed,
                "shop_version": row["version"],
                "run_id": run_id,
                "recorded_at": now(),
            }
            differing.append(conflict)
    if differing:
        insert_columns(db, "conflict", {name: [one[name] for one in differing] for name in differing[0]})
