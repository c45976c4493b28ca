"""What is being created by requests without an answer: it waits, and what it may be is taken for nothing else.

A request that is not answered may be at work at its receiver for minutes. Until that is over (`open_until`), what
it creates is neither created again nor matched; a new record or child on the other side that may be it is not
copied back. Looking at the receiver, and what follows, is the business of `run.recover`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar

from talk_pipeline.engine.kinds import HoldKind
from talk_pipeline.engine.match.becoming import may_meet
from talk_pipeline.engine.match.workspace import MayBeMade, MayMeet
from talk_pipeline.engine.model import Intent, Outcome, Result
from talk_pipeline.engine.plan.workspace import OnTheirWay, Unlinked
from talk_pipeline.engine.state import journal
from talk_pipeline.engine.state.connection import Connection, now
from talk_pipeline.engine.state.rows import Row, insert
from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.vocabulary import Flow


def gather(db: Connection, flow: Flow) -> OnTheirWay:
    """The records and children that may be on their way."""
    OnTheirWay.empty(db)
    rows = [
        row
        for target in Side
        for intent in journal.open_intents(db, flow.name, target)
        for row in _rows(flow, intent)
    ]
    insert(db, rows)
    return OnTheirWay(db, len(rows))


@dataclass(frozen=True, slots=True)
class _Made(Row):
    """A record or child that a request may be creating."""

    TABLE: ClassVar[str] = OnTheirWay.NAME
    part: str
    target: Side
    source_id: str | None
    root_id: str | None
    value: str | None
    reason: str


def _rows(flow: Flow, intent: Intent) -> list[_Made]:
    rows: list[_Made] = []
    for one in intent.made:
        if intent.creates_record and one is not intent.main:
            continue  # goes with its record
        source = one.source_id(intent.target)
        match = flow.part(one.part).match if one.part != flow.name else ()
        sent = one.sent.get(match[0]) if match else None
        value = intent.natural_key if one.part == flow.name else sent.sent if sent else None
        rows.append(_Made(one.part, intent.target, source, intent.target_root_id, value, reason_for(intent)))
    return rows


def reason_for(intent: Intent) -> str:
    """What happens with a request, for a person."""
    left, until = intent.left_at or intent.at, intent.open_until
    told = f": {intent.reason}" if intent.reason else " and not answered"
    sent = f"sent to {intent.target} at {left:%Y-%m-%d %H:%M:%S} UTC{told}" if left else "sent"
    return f"{sent}; it may be at work there until {until:%Y-%m-%d %H:%M:%S} UTC" if until else sent


def looked_up(intent: Intent, outcome: Outcome) -> Outcome:
    """What became of a request, where it was not done with what was said of it when it was sent."""
    if intent.reason is None or outcome.result in (Result.DONE, Result.UNKNOWN):
        return outcome
    return replace(outcome, reason=f"{outcome.reason}; {intent.reason}")


_ON_THEIR_WAY = """
update unlinked set state = 'waiting', reason = m.reason from on_their_way m
where m.part = $flow and unlinked.state is null and unlinked.side <> m.target and unlinked.id = m.source_id
"""

_BECOMING = """
update unlinked set state = 'waiting', reason = m.reason
from (
  select b.side, b.id, o.reason from may_be_made b
  join on_their_way o on o.part = $flow and o.target = b.side and o.source_id = b.source_id
  where b.awaited
) m
where unlinked.state is null and unlinked.side = m.side and unlinked.id = m.id
"""


def wait_with_creates(
    db: Connection, flow: Flow, unlinked: Unlinked, on_their_way: OnTheirWay, made: MayBeMade
) -> None:
    """Records on their way are not created again, and those that they may have become not copied back."""
    if not on_their_way:
        return
    for statement in (_ON_THEIR_WAY, _BECOMING) if made else (_ON_THEIR_WAY,):
        db.execute(statement, {"flow": flow.name})


_DOUBTED = """
update unlinked set state = 'ambiguous', reason = 'may be what ' || m.source_id || ' was created as: ' || m.reason
from may_be_made m
where unlinked.state is null and unlinked.side = m.side and unlinked.id = m.id and not m.awaited
"""

_MEETING = """
update unlinked set state = 'waiting', reason = m.reason from may_meet m
where unlinked.state is null and unlinked.side = m.side and unlinked.id = m.id
"""


def doubt_creates(db: Connection, flow: Flow, unlinked: Unlinked, made: MayBeMade) -> None:
    """What a record may have become is not copied back meanwhile, nor is what may be its counterpart created.

    A person says which it is, or the answer that is due.
    """
    if not (unlinked and made):
        return
    db.execute(_DOUBTED)
    meeting: MayMeet = may_meet(db, flow, made)
    if meeting:
        db.execute(_MEETING)


def withhold_unanswered(db: Connection, flow: Flow, on_their_way: OnTheirWay) -> None:
    """The same for children of linked records; whether one fits is asked once it is known which one it is.

    One that was matched meanwhile may be told the rest of what it is made from: what it holds is nobody's edit yet.
    """
    for part in flow.parts[1:] if on_their_way else ():
        db.execute(
            f"""
            update change set hold_kind = '{HoldKind.WAITING}', hold_reason = m.reason from on_their_way m
            where change.flow = $flow and change.part = $part and change.operation in ('create', 'update')
              and coalesce(change.hold_kind, '{HoldKind.QUARANTINED}') = '{HoldKind.QUARANTINED}'
              and m.part = $part and case when change.operation = 'update'
                then if(m.target = 'customwebshop', change.bc_id, change.shop_id) = m.source_id
                when change.target = m.target then coalesce(change.shop_id, change.bc_id) = m.source_id
                else coalesce(change.shop_id, change.bc_id) in (
                  select r.id from record r where r.part = $part and r.side = m.target and r.root_id = m.root_id
                    and ($match is null or r.raw[$match] = m.value)) end
            """,
            {"flow": flow.name, "part": part.name, "match": part.match[0] if part.match else None},
        )


def withhold_while_awaited(db: Connection, flow: Flow) -> None:
    """A record that was told something is told nothing more until it is known whether that was carried out.

    What it shows meanwhile is what it was before: the same would be told twice, and without what is held of it.
    """
    db.execute(
        f"""
        update change set hold_kind = '{HoldKind.WAITING}', hold_reason = j.reason
        from (select target, root_shop_id, root_bc_id,
                     'told at ' || strftime(max(left_at), '%Y-%m-%d %H:%M:%S') || ' UTC: '
                       || coalesce(max_by(reason, left_at), 'not answered') as reason
              from journal where flow = $flow and operation <> 'create' and is_open(outcome)
                and open_until is not null group by all) j
        where change.flow = $flow and change.target = j.target
          and case when j.target = 'customwebshop' then change.root_shop_id = j.root_shop_id
                   else change.root_bc_id = j.root_bc_id end
        """,
        {"flow": flow.name},
    )


_WAITING = """
select coalesce(root_shop_id, bc_id) as record, part, target, operation, left_at as sent_at, open_until as until,
       reason
from journal where flow = $flow and is_open(outcome) and open_until is not null
"""

LISTED = f"{_WAITING} order by until, record"
"""Requests without an answer that may still be at work."""


def waits_until(
    db: Connection, flows: Sequence[str], *, shop_id: str | None = None, bc_id: str | None = None
) -> datetime | None:
    """When the next unanswered request is certainly over, UTC without offset.

    Args:
        db: the state.
        flows: those whose requests count.
        shop_id: only requests about this record of the shop,
        bc_id: or this one of Business Central.
    """
    about = "and (root_shop_id = $shop_id or root_bc_id = $bc_id)" if shop_id or bc_id else ""
    parameters: dict[str, object] = {"flows": list(flows)}
    if about:
        parameters |= {"shop_id": shop_id, "bc_id": bc_id}
    row = db.execute(
        "select min(open_until) from journal"
        f" where list_contains($flows::varchar[], flow) and is_open(outcome) {about}",
        parameters,
    ).fetchone()
    found: datetime | None = row[0] if row else None
    return found


def may_be_at_work(intent: Intent) -> bool:
    """Whether the receiver may still be at it."""
    return intent.open_until is not None and now() < intent.open_until
