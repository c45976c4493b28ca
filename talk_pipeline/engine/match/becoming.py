"""What creates may have become of which nobody knows: open ones, and those whose outcome a person has to say.

Such a record is nobody else's counterpart, and is not copied back as another one. It is known by the create key
that was sent, in the form in which keys are compared, since a side may store it otherwise. Where the receiver
numbers its records itself, it may be any that came or changed since; once the request is over and only a person's
word is missing, that would be more with every day, and only those count that say by a match rule what was sent.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from talk_pipeline.engine.kinds import RefusalKind
from talk_pipeline.engine.match.workspace import CreatesInDoubt, MayBeMade, MayMeet
from talk_pipeline.engine.model import Result
from talk_pipeline.engine.state.connection import Connection
from talk_pipeline.engine.state.rows import Row, insert
from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.values import Context, UnmappableError
from talk_pipeline.flows.vocabulary import Flow

_IN_DOUBT = f"""
select j.intent_id, r.reason from journal j
join refusal r on r.part = j.part and r.target = j.target and r.refusal_kind = '{RefusalKind.OUTCOME_UNKNOWN}'
  and r.record_id = case j.target when 'businesscentral' then j.shop_id else j.bc_id end
join snapshot s on s.flow = j.part and s.side <> j.target and s.id = r.record_id and s.gone is null
where j.operation = 'create' and j.outcome = '{Result.REFUSED}'
qualify row_number() over (partition by j.part, j.target, r.record_id order by j.intent_at desc) = 1
"""
"""Creates of which a person has to say what they became, the last one of each record that is there; and why."""

_CREATES = f"""
select j.intent_id, j.target, case j.target when 'businesscentral' then j.shop_id else j.bc_id end as source_id,
       j.natural_key, j.intent_at, abs(coalesce(j.skew_seconds, 0)) as skew, is_open(j.outcome) as awaited,
       d.reason
from journal j left join ({_IN_DOUBT}) d on d.intent_id = j.intent_id
where j.part = $flow and j.operation = 'create' and (is_open(j.outcome) or d.intent_id is not null)
"""

_SENT = """
select j.intent_id, j.target, v.property, v.sent from journal j join journal_value v using (intent_id)
where v.place = 0 and v.sent is not null and j.intent_id in (select unnest($ids::varchar[]))
  and list_contains($properties::varchar[], v.property)
"""

# where a side tells no times, a record came when it was first seen, or seen to have changed, and is not settled yet
_UNPAIRED = """
select r.rowid as place, r.side, r.id, coalesce(s.modified_at, d.marked_at) as at
from record r
join snapshot s on s.flow = $flow and s.side = r.side and s.id = r.id and s.gone is null
left join dirty d on d.flow = $flow and d.side = r.side and d.id = r.id
where r.part = $flow and r.side in (select target from create_in_doubt)
  and not exists (from link_end l where l.part = $flow and l.side = r.side and l.id = r.id)
"""

_FOUND = f"""
with unpaired as materialized ({_UNPAIRED}),
carried as (
  select u.*, coalesce(r.canon[$key], r.raw[$key]) as key from unpaired u join record r on r.rowid = u.place
),
found as (
  select c.side, c.id, c.place, m.source_id, m.awaited, m.reason
  from carried c join create_in_doubt m on m.target = c.side and m.key = c.key
  union all
  select c.side, c.id, c.place, m.source_id, m.awaited, m.reason
  from unpaired c join create_in_doubt m on m.target = c.side and m.key is null and c.at >= m.since
  join record r on r.rowid = c.place
  where m.awaited or cardinality(m.told) = 0
    or len(list_filter(map_entries(m.told), lambda e: r.canon[e.key] = e.value)) > 0
)
from found f
where not exists (  -- whom a person keeps apart
  from apart a where a.flow = $flow and a.shop_id = if(f.side = 'businesscentral', f.source_id, f.id)
    and a.bc_id = if(f.side = 'businesscentral', f.id, f.source_id))
qualify row_number() over (partition by side, id order by awaited desc, source_id) = 1
"""


@dataclass(frozen=True, slots=True)
class _Create(Row):
    TABLE: ClassVar[str] = CreatesInDoubt.NAME
    target: Side
    source_id: str
    key: str | None
    since: datetime
    awaited: bool
    reason: str | None
    told: dict[str, str]


def may_be_made(db: Connection, flow: Flow) -> MayBeMade:
    """The unlinked records that may be what was to be created, each with what it may be."""
    rows = db.execute(_CREATES, {"flow": flow.name}).fetchall()
    if not rows:
        return MayBeMade.empty(db)
    told = _told(db, flow, [row[0] for row in rows if row[3] is None])
    overlap = timedelta(minutes=flow.settings.overlap_minutes)
    creates: Sequence[_Create] = [
        _Create(
            target=Side(target),
            source_id=source_id,
            key=key and _compared(flow, flow.create_key, Side(target), key),
            since=at - overlap - timedelta(seconds=skew),
            awaited=awaited,
            reason=reason,
            told=told.get(intent_id, {}),
        )
        for intent_id, target, source_id, key, at, skew, awaited, reason in rows
    ]
    CreatesInDoubt.empty(db)
    insert(db, creates)
    return MayBeMade.made(db, _FOUND, {"flow": flow.name, "key": flow.create_key})


# who says by a match rule what it says, but for whom a person keeps apart
_MEETING = """
with asked as (
  select m.*, p.property, r.canon[p.property] as key from may_be_made m
  join record r on r.rowid = m.place
  cross join (select unnest($properties::varchar[]) as property) p
),
dirtied as (
  select u.side, u.id, u.raw, u.canon from dirty d
  join record u on u.part = $flow and u.side = d.side and u.id = d.id
  anti join (from link_end where part = $flow) l on l.side = d.side and l.id = d.id
  where d.flow = $flow
)
select u.side, u.id, min(s.property || ' ' || u.raw[s.property] || ' is that of ' || s.id
    || ', which may be what ' || s.source_id || ' was created as' || coalesce(': ' || s.reason, '')) as reason
from dirtied u join asked s on s.side <> u.side and s.source_id <> u.id and s.key = u.canon[s.property]
where not exists (
  from apart a where a.flow = $flow and a.shop_id = if(u.side = 'customwebshop', u.id, s.id)
    and a.bc_id = if(u.side = 'customwebshop', s.id, u.id))
group by u.side, u.id
"""


def may_meet(db: Connection, flow: Flow, made: MayBeMade) -> MayMeet:
    """Who would be matched with what another may have become: not created beside it until that is known."""
    if not made:
        return MayMeet.empty(db)
    return MayMeet.made(db, _MEETING, {"flow": flow.name, "properties": list(flow.match)})


def _told(db: Connection, flow: Flow, intent_ids: Sequence[str]) -> dict[str, dict[str, str]]:
    """What match rules go by of what was sent, as it is compared, by request."""
    told: dict[str, dict[str, str]] = {}
    rows = db.execute(_SENT, {"ids": list(intent_ids), "properties": list(flow.match)}).fetchall()
    for intent_id, target, name, sent in rows:
        told.setdefault(intent_id, {})[name] = _compared(flow, name, Side(target), sent)
    return told


def _compared(flow: Flow, name: str, side: Side, value: str) -> str:
    """A value as it is compared; one that the other side could not represent stays as it is."""
    try:
        return flow.root.by_name[name].canonical(side, value=value, context=Context()) or value
    except UnmappableError:
        return value
