"""Everything that waits for a person, over all flows, each with its age and what to do about it.

From the database alone. What is found here is what the checklist warns of, flow by flow; the next step is in the
words in which one record is explained. Each kind is asked for all at once, however many records there are.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from talk_pipeline.engine.kinds import HoldKind, Status
from talk_pipeline.engine.manual.lookup import Entity, labels
from talk_pipeline.engine.match.claims import newcomers
from talk_pipeline.engine.plan.losses import losses
from talk_pipeline.engine.plan.posted import POSTED
from talk_pipeline.engine.report import steps
from talk_pipeline.engine.report.checklist import NOT_RESTORED, VOLUME, failing
from talk_pipeline.engine.report.conflicts import UNDECIDED, unacknowledged
from talk_pipeline.engine.report.flagged import flagged
from talk_pipeline.engine.report.history import by_rule
from talk_pipeline.engine.report.next_step import LOST, SETTLE
from talk_pipeline.engine.report.not_created import NOT_CREATED
from talk_pipeline.engine.report.stops import ways
from talk_pipeline.engine.report.waiting import Item, Kind, Waiting
from talk_pipeline.engine.state.connection import Connection, now
from talk_pipeline.engine.state.rows import rows_of, select
from talk_pipeline.engine.state.tables import RunRow
from talk_pipeline.flows.loading import Flows
from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.values import quoted
from talk_pipeline.flows.vocabulary import Flow


def attention(
    db: Connection,
    flows: Flows,
    *,
    names: Iterable[str] | None = None,
    most: int | None = None,
    run_id: str | None = None,
) -> Waiting:
    """What waits for a person.

    Args:
        db: the state.
        flows: all flows.
        names: those that are asked about, by default all.
        most: how many are told of, by default all; the rest is counted.
        run_id: the run that asks, if one does: it is done with its writes.
    """
    order = {kind: at for at, kind in enumerate(Kind)}
    found = [
        one for name in names or flows for one in sorted(_found(db, flows[name], run_id), key=_record_of)
    ]
    found.sort(key=lambda one: (order[one.kind], one.since or now()))
    counted = Counter(one.kind for one in found)
    told = found[:most]
    tellers = {
        name: _Teller(db, flows[name], [one.entity for one in told if one.entity.flow == name])
        for name in dict.fromkeys(one.entity.flow for one in told)
    }
    items = [tellers[one.entity.flow].item(one) for one in told]
    return Waiting(items, {str(kind): counted[kind] for kind in Kind})


@dataclass(frozen=True, slots=True)
class _Found:
    """Something that waits, before it is known what it is called; `step` where its kind says what to do."""

    kind: Kind
    entity: Entity
    reason: str
    since: datetime | None
    state: str | None = None
    step: str | None = None


# most flows have nothing of it most of the time
_ANYTHING = f"""
select exists (from status where flow = $flow and state in
         ('{Status.AMBIGUOUS}', '{Status.QUARANTINED}', '{Status.HELD}', '{Status.BROKEN}'))
    or exists (from change where flow = $flow and hold_kind in ('{HoldKind.MANUAL}', '{HoldKind.REFUSED}'))
    or exists (from bc_status where flow = $flow and state = '{Status.QUARANTINED}')
    or exists (from journal where flow = $flow and is_open(outcome))
    or exists (from conflict where flow = $flow and acknowledged_at is null)
    or exists (from candidate where flow = $flow)
    or exists (from loss where flow = $flow and acknowledged_at is null)
"""


def _record_of(one: _Found) -> str:
    """What those that wait since the same moment are told in the order of, each time alike."""
    return one.entity.shop_id or one.entity.bc_id or ""


def _found(db: Connection, flow: Flow, run_id: str | None) -> Iterator[_Found]:
    yield from _stopped(db, flow)
    yield from _failed(db, flow)
    yield from _flagged(db, flow)
    if db.execute(_ANYTHING, {"flow": flow.name}).fetchone() == (True,):
        yield from _unanswered(db, flow, run_id)
        yield from _undecided(db, flow)
        yield from _by_state(db, flow)
        yield from _lost(db, flow)
        yield from _not_created(db, flow)
        yield from _unacknowledged(db, flow)


# one that broke off before it came so far says nothing of it
_LAST_RUN = """
where flow = $flow and not dry_run and (planned is not null or stopped_by is not null)
order by started_at desc limit 1
"""


def _stopped(db: Connection, flow: Flow) -> Iterator[_Found]:
    for run in select(db, RunRow, _LAST_RUN, {"flow": flow.name}):
        if run.stopped_by is None:
            continue
        if run.stopped_by == VOLUME.name:
            step = "; ".join(f"{way.what}: {way.how}" for way in ways(run) if way.first)
        elif run.stopped_by == NOT_RESTORED:
            step = steps.RESTORED
        else:
            step = steps.READ_AGAIN.format(flow=flow.name)
        reason = run.stopped or run.stopped_by
        yield _Found(Kind.STOPPED, Entity(flow.name, None, None), reason, run.started_at, "stopped", step)


def _failed(db: Connection, flow: Flow) -> Iterator[_Found]:
    step = steps.FAILED.format(flow=flow.name)
    for reason, since in failing(db, flow):
        yield _Found(Kind.FAILED, Entity(flow.name, None, None), reason, since, "failed", step)


# one that is on its way has a run that is not over
_UNANSWERED = """
select root_shop_id, root_bc_id, operation, target, reason, coalesce(left_at, intent_at) as sent_at,
       coalesce(open_until, intent_at) as since
from journal j
where flow = $flow and is_open(outcome)
  and (open_until <= $now or open_until is null and (run_id = $run_id or exists (
  from run r, run later where r.run_id = j.run_id and r.flow = j.flow and later.flow = j.flow
    and (r.ended_at is not null or later.started_at > r.started_at))))
"""


def _unanswered(db: Connection, flow: Flow, run_id: str | None) -> Iterator[_Found]:
    asked = {"flow": flow.name, "now": now(), "run_id": run_id}
    for row in rows_of(db, _UNANSWERED, asked):
        sent = f"{row['operation']} in {row['target']}, sent at {row['sent_at']:%Y-%m-%d %H:%M:%S} UTC"
        reason = f"{sent}: {row['reason']}" if row["reason"] else f"{sent} and not answered"
        entity = Entity(flow.name, row["root_shop_id"], row["root_bc_id"])
        step = steps.LOOK_UP.format(flow=flow.name)
        yield _Found(Kind.UNANSWERED, entity, reason, row["since"], step=step)


_UNDECIDED = f"""
select o.part, o.shop_id, o.root_shop_id, o.root_bc_id, o.property, o.shop_value, o.bc_value,
       (select max(edited_at) from edit e where e.part = o.part and e.shop_id = o.shop_id
        and e.property = o.property) as since
from ({UNDECIDED}) o order by o.root_shop_id, o.part, o.shop_id, o.property
"""


def _undecided(db: Connection, flow: Flow) -> Iterator[_Found]:
    for row in rows_of(db, _UNDECIDED, {"flow": flow.name}):
        label = labels(flow, row["part"], row["shop_id"], prop=row["property"])[0]
        values = f"shop {quoted(row['shop_value'])}, Business Central {quoted(row['bc_value'])}"
        entity = Entity(flow.name, row["root_shop_id"], row["root_bc_id"])
        yield _Found(Kind.UNDECIDED, entity, f"{label}: {values}", row["since"])


_BY_STATE = f"""
select st.shop_id, l.bc_id, st.state, st.reason, st.since,
       st.state = '{Status.QUARANTINED}' and st.shop_id in (
         select root_shop_id from change where flow = $flow and hold_kind = '{HoldKind.REFUSED}'
         and root_shop_id is not null) as refused
from status st left join link l on l.part = st.flow and l.shop_id = st.shop_id
where st.flow = $flow
  and st.state in ('{Status.AMBIGUOUS}', '{Status.QUARANTINED}', '{Status.HELD}', '{Status.BROKEN}')
"""


def _by_state(db: Connection, flow: Flow) -> Iterator[_Found]:
    """Records of the shop by their state, and of Business Central those that would come to the shop."""
    for row in rows_of(db, _BY_STATE, {"flow": flow.name}):
        kind = Kind.REFUSED if row["refused"] else Kind(row["state"])
        entity = Entity(flow.name, row["shop_id"], row["bc_id"])
        yield _Found(kind, entity, row["reason"] or "", row["since"], row["state"])
    for one in newcomers(db, flow):
        entity = Entity(flow.name, None, one.id)
        yield _Found(Kind.AMBIGUOUS, entity, one.reason, None, str(Status.AMBIGUOUS))


def _not_created(db: Connection, flow: Flow) -> Iterator[_Found]:
    for row in rows_of(db, NOT_CREATED, {"flow": flow.name}):
        kind = Kind.REFUSED if row["refused"] else Kind.QUARANTINED
        entity = Entity(flow.name, None, row["bc_id"])
        yield _Found(kind, entity, row["reason"], row["since"], str(Status.QUARANTINED))


def _flagged(db: Connection, flow: Flow) -> Iterator[_Found]:
    for row in flagged(db, flow):
        entity = Entity(flow.name, row["shop_id"], row["bc_id"])
        yield _Found(Kind.FLAGGED, entity, row["reason"], None, step=steps.FLAGGED)


def _lost(db: Connection, flow: Flow) -> Iterator[_Found]:
    for one in losses(db, flow):
        entity = Entity(flow.name, one.shop_id, one.bc_id)
        yield _Found(Kind.LOST, entity, one.reason, one.lost_at, LOST)


def _unacknowledged(db: Connection, flow: Flow) -> Iterator[_Found]:
    for one in unacknowledged(db, [flow]):
        entity = Entity(flow.name, one.shop_id, one.bc_id)
        won = one.bc_value if one.loser is Side.SHOP else one.shop_value
        lost = f"{one.prop}: {quoted(one.lost)} of {one.loser} lost to {quoted(won)} {by_rule(one.rule)}"
        step = (SETTLE if one.rule == POSTED else steps.ACKNOWLEDGE).format(name=entity.name)
        yield _Found(Kind.UNACKNOWLEDGED, entity, lost, one.recorded_at, step=step)


_NAMES = """
select side, id, raw[$key] as number, raw[$label] as name from record where rowid in (
  select rowid from record where part = $flow and id in (select unnest($ids::varchar[])))
"""

_KNOWN_STATES = """
select w.id, coalesce(st.state, case when l.state = 'active' then 'active' end) as state
from (select distinct unnest($ids::varchar[]) as id) w
left join status st on st.flow = $flow and st.shop_id = w.id
left join link l on l.part = $flow and l.shop_id = w.id
"""


class _Teller:
    """What the entities of a flow are called, the states that they are in, and what to do about them."""

    def __init__(self, db: Connection, flow: Flow, entities: list[Entity]) -> None:
        label = flow.shown_by
        ids = [one for entity in entities for one in (entity.shop_id, entity.bc_id) if one]
        asked: dict[str, Any] = {"flow": flow.name, "ids": ids, "key": flow.create_key, "label": label}
        names, states = (rows_of(db, query, asked) if ids else [] for query in (_NAMES, _KNOWN_STATES))
        self._called = {(row["side"], row["id"]): (row["number"], row["name"]) for row in names}
        self._states = {row["id"]: row["state"] for row in states}
        self._facts = steps.Facts(db, flow)

    def item(self, one: _Found) -> Item:
        """What was found, as a person is told of it."""
        entity = one.entity
        state = one.state or self._states.get(entity.shop_id) or steps.stateless(entity)
        # under the shop id of what was lost somebody else may be shown
        sides = (Side.BC,) if one.kind is Kind.LOST else Side
        names = [self._called[key] for side in sides if (key := (side, entity.id_on(side))) in self._called]
        step = one.step or self._facts.next_step(entity, state=state)
        return Item(
            kind=one.kind,
            flow=entity.flow,
            shop_id=entity.shop_id,
            bc_id=entity.bc_id,
            number=next((number for number, _ in names if number), None),
            name=next((name for _, name in names if name), None),
            state=state,
            reason=one.reason,
            since=one.since,
            next_step=step,
        )
