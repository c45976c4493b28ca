"""Changes that are planned but must not be written yet, and why: kept in the table of changes with the reason.

Each has a kind (`HoldKind`), by which code decides, and a reason in words for a person.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from talk_pipeline.engine import recalculation
from talk_pipeline.engine.kinds import HoldKind
from talk_pipeline.engine.match.outdated import forget_outdated
from talk_pipeline.engine.match.scopes import inside, outside
from talk_pipeline.engine.model import UNDO
from talk_pipeline.engine.plan.creates import SYNCHRONIZED, UNUSABLE, asked
from talk_pipeline.engine.plan.flapping import withhold_flapping
from talk_pipeline.engine.plan.posted import GUARDED, guarded, withhold_posted
from talk_pipeline.engine.plan.refusals import withhold_refused
from talk_pipeline.engine.plan.rivals import withhold_rivals
from talk_pipeline.engine.plan.totals import withhold_differing
from talk_pipeline.engine.plan.unanswered import withhold_unanswered, withhold_while_awaited
from talk_pipeline.engine.plan.workspace import OnTheirWay
from talk_pipeline.engine.recalculation import Where
from talk_pipeline.engine.state.connection import Connection, now
from talk_pipeline.engine.state.rows import is_any
from talk_pipeline.flows.loading import Flows
from talk_pipeline.flows.properties import Property
from talk_pipeline.flows.vocabulary import Flow, Part


@dataclass(frozen=True, slots=True)
class Withholding:
    """What withholding one flow's changes depends on."""

    flows: Flows
    flow: Flow
    on_their_way: OnTheirWay
    later: frozenset[str] = frozenset()


def withhold(db: Connection, of: Withholding) -> None:
    """Puts a reason on every change that must wait; what the plan has nothing of is not looked for."""
    forget_outdated(db, of.flow)
    planned = db.execute(_PLANNED, [of.flow.name]).fetchall()
    if not planned:
        return
    said = {(part, name) for part, _, name in planned}
    edited = {name for _, operation, name in planned if operation == "update"}
    made = {part for part, operation, _ in planned if operation == "create"}
    withhold_unanswered(db, of.flow, of.on_their_way)
    withhold_while_awaited(db, of.flow)
    withhold_posted(db, of.flow)
    for part in of.flow.parts:
        for prop in part.references:
            if (part.name, prop.name) in said:
                _unresolved(db, of, part, prop=prop)
        if part.name in made:
            _problems_of_new_children(db, part)
    if of.flow.settings.scope:
        _out_of_scope(db, of.flow)
    _quiet(db, of.flow)
    _guarded(db, of.flow)
    withhold_refused(db, of.flow)
    withhold_flapping(db, of.flow)
    _recalculated_first(db, of.flow, said)
    for other in of.flows.values():
        if other.name in of.later:
            _deferred(db, of.flow, other, edited)
    if of.flow.name in made:
        withhold_rivals(db, of.flow, of.on_their_way)
    withhold_differing(db, of.flow)
    if of.flow.name in made:
        db.execute(_WHOLE_CREATES, [of.flow.name])


_PLANNED = "select distinct part, operation, property from change where flow = ?"

# a record that must not be created yet takes its children with it: they too have the id of their own side alone
_WHOLE_CREATES = """
update change set hold_kind = root.hold_kind, hold_reason = root.hold_reason
from (select root_shop_id, root_bc_id, min_by(hold_kind, property) as hold_kind,
             min_by(hold_reason, property) as hold_reason
      from change where flow = $1 and part = $1 and operation = 'create' and hold_kind is not null
      group by all) root
where change.flow = $1 and change.operation = 'create'
  and change.root_shop_id is not distinct from root.root_shop_id
  and change.root_bc_id is not distinct from root.root_bc_id
"""


def _unresolved(db: Connection, of: Withholding, part: Part, *, prop: Property) -> None:
    """A reference to a record without a usable counterpart; a new child with one waits as a whole."""
    assert prop.refers_to is not None
    db.execute(
        f"""
        with asked as (
          select after as shop_id from change where flow = $flow and part = $part and property = $property
            and target = 'businesscentral' and operation <> 'delete'
        ),
        {UNUSABLE},
        stuck as (
          select c.operation, c.target, c.shop_id, c.bc_id, c.property || ' ' || c.after
                 || coalesce(' (' || $key || ' ' || named.key || ')', '') || ' '
                 || case when l.id is null then 'is not linked' else u.why end as reason
          from change c
          left join (  -- people know the shop's ids, and what Business Central's stand for
            select id, raw[$key] as key from record where rowid in (select rowid from record
              where part = $refers_to and side = 'businesscentral' and id in (select after from change
                where flow = $flow and part = $part and property = $property and target = 'customwebshop'))
          ) named on named.id = c.after and c.target = 'customwebshop'
          left join counterpart l on l.part = $refers_to and l.id = c.after
            and l.side = case c.target when 'businesscentral' then 'customwebshop' else 'businesscentral' end
          left join unusable u on u.shop_id = l.id and c.target = 'businesscentral'
          where c.flow = $flow and c.part = $part and c.property = $property and c.operation <> 'delete'
            and c.after is not null and (l.id is null or u.shop_id is not null) and c.rule <> '{UNDO}'
        )
        update change set hold_kind = '{HoldKind.WAITING}', hold_reason = stuck.reason from stuck
        where change.part = $part and change.hold_kind is null and change.target = stuck.target
          and change.operation = stuck.operation
          and change.shop_id is not distinct from stuck.shop_id
          and change.bc_id is not distinct from stuck.bc_id
          and (stuck.operation = 'create' or change.property = $property)
        """,
        {
            "flow": of.flow.name,
            "part": part.name,
            "property": prop.name,
            "refers_to": prop.refers_to,
            "key": of.flows[prop.refers_to].create_key,
            **asked(prop, part, of.flows),
        },
    )


def _problems_of_new_children(db: Connection, part: Part) -> None:
    """A new child that the other side cannot represent is withheld as a whole."""
    db.execute(
        f"""
        with bad as (
          select side, id, string_agg(e.key || ': ' || e.value, '; ' order by e.key) as reason
          from (select side, id, unnest(map_entries(problems)) as e from record
                where cardinality(problems) > 0 and rowid in (select rowid from record
                  where part = $part and id in (select coalesce(shop_id, bc_id) from change
                                                where part = $part and operation = 'create')))
          group by side, id
        )
        update change set hold_kind = '{HoldKind.QUARANTINED}', hold_reason = bad.reason from bad
        where change.part = $part and change.operation = 'create'
          and change.hold_kind is null and coalesce(change.shop_id, change.bc_id) = bad.id
          and change.target <> bad.side
        """,
        {"part": part.name},
    )


def _out_of_scope(db: Connection, flow: Flow) -> None:
    """A linked record that left the flow's scope is left alone, both ways, until it is back."""
    reason = outside(flow, flow.settings.scope, "r", meaning=SYNCHRONIZED)
    db.execute(
        f"""
        update change set hold_kind = '{HoldKind.EXCLUDED}', hold_reason = r.reason
        from (select id, {reason} as reason from record r where rowid in (select rowid from record
                where part = $flow and side = 'customwebshop'
                  and id in (select root_shop_id from change where flow = $flow))) r
        where change.flow = $flow and change.root_shop_id = r.id and r.reason is not null
        """,
        {"flow": flow.name},
    )


def _quiet(db: Connection, flow: Flow) -> None:
    """Somebody may still be at it: a record rests for a while before its edits travel."""
    rest = flow.settings.quiet_seconds
    if not rest:
        return
    db.execute(
        f"""
        update change set hold_kind = '{HoldKind.RESTING}',
               hold_reason = 'edited ' || strftime(s.edited_at, '%H:%M:%S') || ' UTC, and rests {rest} s'
        from snapshot s
        where change.flow = $flow and change.hold_kind is null and change.rule <> '{UNDO}'
          and s.flow = $flow
          and s.side = case change.target when 'businesscentral' then 'customwebshop' else 'businesscentral' end
          and s.id = case change.target when 'businesscentral' then change.root_shop_id else change.root_bc_id end
          and s.edited_at > $after
        """,
        {"flow": flow.name, "after": now() - timedelta(seconds=rest)},
    )


def quiet_at(db: Connection, flow: Flow) -> datetime | None:
    """When the last of the edits that rest may travel, UTC without offset."""
    row = db.execute(
        "select max(s.edited_at) from change c join snapshot s on s.flow = c.flow"
        " and s.side = case c.target when 'businesscentral' then 'customwebshop' else 'businesscentral' end"
        " and s.id = case c.target when 'businesscentral' then c.root_shop_id else c.root_bc_id end"
        " where c.flow = ? and c.hold_kind = ?",
        [flow.name, HoldKind.RESTING],
    ).fetchone()
    return row[0] + timedelta(seconds=flow.settings.quiet_seconds) if row and row[0] else None


def _guarded(db: Connection, flow: Flow) -> None:
    """While the record is not open in Business Central, guarded properties stay as they are there."""
    guard = flow.guard
    if guard is None:
        return
    db.execute(
        f"""
        update change set hold_kind = '{HoldKind.GUARDED}', hold_reason = $reason
        where flow = $flow and target = 'businesscentral' and hold_kind is null
          and root_bc_id in (select id from record where part = $flow and side = 'businesscentral' and not open)
          and {GUARDED}
        """,
        {"flow": flow.name, "reason": guard.reason, **guarded(flow)},
    )


def _recalculated_first(db: Connection, flow: Flow, said: Collection[tuple[str, str]]) -> None:
    """What Business Central works out anew on a write is brought to the shop before it, where a user edited it.

    Sent along unchanged it would count as not sent, and the user's value would be gone on both sides. Where the
    shop refuses it, or it goes back and forth, the write waits for that to end, and says so. Children that are made
    anew are told apart by their order alone: what was added or removed, and what two users said of one, is settled
    before.
    """
    parts = {part for part, _ in said}
    rules = [
        rule
        for rule in recalculation.rules(flow)
        if (rule.follows_part, rule.follows) in said
        and (rule.part in parts if rule.property is None else (rule.part, rule.property) in said)
    ]
    if not rules:
        return
    db.execute(
        f"""
        update change
        set hold_kind = if(edited.first.kind is null, '{HoldKind.DEFERRED}', '{HoldKind.WAITING}'),
            hold_reason = edited.first.property
              || if(edited.first.target = 'customwebshop', ' goes to the shop first', ' is settled first')
              || coalesce(', and is ' || withheld(edited.first.kind, edited.first.reason), '')
        from (
          select r.part, r.property as written, r.same_row, o.root_shop_id, o.shop_id,
                 min({{'goes': o.hold_kind is null, 'property': o.property, 'kind': o.hold_kind,
                       'reason': o.hold_reason, 'target': o.target}}) as first
          from change o
          join (select unnest($parts::varchar[]) as part, unnest($properties::varchar[]) as property,
                       unnest($other_parts::varchar[]) as other_part,
                       unnest($other_properties::varchar[]) as other_property,
                       unnest($same_rows::boolean[]) as same_row, unnest($anew::boolean[]) as anew) r
            on r.other_part = o.part and r.other_property = o.property
          where o.flow = $flow
            and if(o.target = 'customwebshop',
                   coalesce(o.hold_kind, $refused) in ($refused, $flapping) and (r.anew or o.operation = 'update'),
                   r.anew and (o.operation = 'delete' or o.operation = 'update' and o.conflict))
          group by all
        ) edited
        where change.flow = $flow and change.target = 'businesscentral' and change.hold_kind is null
          and change.part = edited.part and change.root_shop_id = edited.root_shop_id
          and change.property = coalesce(edited.written, change.property)
          and (not edited.same_row or change.shop_id = edited.shop_id)
        """,
        {
            "flow": flow.name,
            "parts": [rule.part for rule in rules],
            "properties": [rule.property for rule in rules],
            "other_parts": [rule.follows_part for rule in rules],
            "other_properties": [rule.follows for rule in rules],
            "same_rows": [rule.where is Where.ITSELF for rule in rules],
            "anew": [rule.where is Where.CHILDREN for rule in rules],
            "refused": HoldKind.REFUSED,
            "flapping": HoldKind.FLAPPING,
        },
    )


def _deferred(db: Connection, flow: Flow, later: Flow, edited: Collection[str]) -> None:
    """Records of a later flow that are about to be created go before their reference becomes unusable."""
    for part in later.parts:
        for prop in part.references:
            if prop.refers_to != flow.name:
                continue
            for key, wanted in prop.usable_while.items():
                if key in edited:
                    _defer(db, flow, later, part=part, prop=prop, key=key, wanted=wanted)


# whoever is not looked for costs nothing; which of them they are is asked with all else
_MADE_UNUSABLE = "from change where flow = $flow and property = $key and after is distinct from $wanted"


def _defer(
    db: Connection, flow: Flow, later: Flow, *, part: Part, prop: Property, key: str, wanted: str
) -> None:
    lost = {"flow": flow.name, "key": key, "wanted": wanted}
    if not is_any(db, _MADE_UNUSABLE, lost):
        return
    settings = later.settings
    scope = f"{inside(later, settings.scope, 'root')} and {inside(later, settings.create_scope, 'root')}"
    db.execute(
        f"""
        update change set hold_kind = '{HoldKind.DEFERRED}',
               hold_reason = '{later.name} ' || pending.root_id || ' goes first'
        from (
          select coalesce(led.leader, r.raw[$property]) as shop_id, min(r.root_id) as root_id
          from record r
          left join led on led.part = $flow and led.shop_id = r.raw[$property]
          join record root on root.part = $later and root.side = r.side and root.id = r.root_id
          join snapshot s on s.flow = $later and s.side = r.side and s.id = r.root_id and s.gone is null
          left join link l on l.part = $later and l.shop_id = r.root_id
          left join status st on st.flow = $later and st.shop_id = r.root_id
          where r.part = $part and r.side = 'customwebshop' and l.part is null
            and coalesce(st.state, 'waiting') = 'waiting' and {scope}
          group by 1
        ) pending
        where change.flow = $flow and change.target = 'businesscentral' and change.operation = 'update'
          and change.property = $key and change.after is distinct from $wanted and change.hold_kind is null
          and change.shop_id = pending.shop_id
        """,
        {
            "flow": flow.name,
            "later": later.name,
            "part": part.name,
            "property": prop.name,
            "key": key,
            "wanted": wanted,
        },
    )


def deferred(db: Connection, flow: str) -> set[tuple[str | None, str | None]]:
    """The records that wait for something else to go first, as (shop id, Business Central id)."""
    query = "select distinct root_shop_id, root_bc_id from change where flow = ? and hold_kind = ?"
    return set(db.execute(query, [flow, HoldKind.DEFERRED]).fetchall())
