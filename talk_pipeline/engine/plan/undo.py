"""Putting back what a run overwrote: each value it replaced, where nobody has edited since; the rest is told.

Worked out anew from the journal whenever a plan is made, so that nothing is kept between: a value counts as put
back as soon as the journal says so. It is written to the side that the run wrote to. To the pair that is an edit
there, which the three-way rule carries to the other side; both end up with what was overwritten.

Whole records are left as they are: what a run created or deleted has been seen, referred to and shipped since.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from talk_pipeline.engine.model import SEND_WITH, UNDO
from talk_pipeline.engine.plan.merge import INITIAL
from talk_pipeline.engine.snapshot.columns import Company
from talk_pipeline.engine.snapshot.holding import holds
from talk_pipeline.engine.state.connection import Connection
from talk_pipeline.engine.state.rows import insert, rows_of, select
from talk_pipeline.engine.state.tables import ChangeRow, WrittenRow
from talk_pipeline.flows.loading import Flows
from talk_pipeline.flows.properties import Property
from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.values import Value, quoted
from talk_pipeline.flows.vocabulary import Flow

Key = tuple[str, str, str]
"""Part, shop id and property."""


@dataclass(frozen=True, slots=True)
class Written:
    """What a run wrote of one property of one pair, its first write and its last taken together.

    Attributes:
        target: the side that was written first, and is to get its value back.
        before: what that side held before, in its own words.
        left: what each side was left with.
        rule: why it was written.
        root_bc_id: what the pair's other half was then.
    """

    root_shop_id: str
    root_bc_id: str | None
    target: Side
    before: Value
    left: Mapping[Side, Value]
    rule: str | None


@dataclass(frozen=True, slots=True)
class Case:
    """One thing that a run did, and what becomes of it.

    Attributes:
        property: None where a whole record or child was created or deleted.
        now: what the written side holds.
        before: what it held before the run.
        reason: why it is left as it is; None where it is put back.
        done: it has been put back by the run that asks.
    """

    flow: str
    part: str
    shop_id: str | None
    bc_id: str | None
    root_shop_id: str | None
    root_bc_id: str | None
    target: Side
    property: str | None
    now: Value
    before: Value
    reason: str | None
    done: bool = False

    def document(self) -> dict[str, Any]:
        """For scripts: `flow`, `part`, both ids, `target`, `property`, `now`, `before`, and any `reason`."""
        document: dict[str, Any] = {
            "flow": self.flow,
            "part": self.part,
            "shop_id": self.shop_id,
            "bc_id": self.bc_id,
        }
        document |= {
            "target": str(self.target),
            "property": self.property,
            "now": self.now,
            "before": self.before,
        }
        return document | ({"reason": self.reason} if self.reason else {})


def flows_written(db: Connection, flows: Flows, run_id: str) -> tuple[str, ...]:
    """The flows in which a run wrote anything, in running order."""
    rows = db.execute("select distinct flow from journal where run_id = ? and outcome = 'done'", [run_id])
    names = {row[0] for row in rows.fetchall()}
    return tuple(name for name in flows if name in names)


def plan_undo(db: Connection, flow: Flow, run_id: str, *, company: Company) -> None:
    """Adds what is to be put back to the flow's changes, inside the caller's transaction."""
    found = [case for case in examine(db, flow, run_id, company=company) if case.reason is None]
    planned = set(
        db.execute("select part, shop_id, property from change where flow = ?", [flow.name]).fetchall()
    )
    insert(
        db,
        [
            ChangeRow(
                flow=case.flow,
                part=case.part,
                target=case.target,
                operation="update",
                shop_id=case.shop_id,
                bc_id=case.bc_id,
                root_shop_id=case.root_shop_id,
                root_bc_id=case.root_bc_id,
                property=case.property or "",
                before=case.now,
                after=case.before,
                base=None,
                rule=UNDO,
                conflict=False,
            )
            for case in found
            if (case.part, case.shop_id, case.property) not in planned
        ],
    )


def examine(
    db: Connection, flow: Flow, run_id: str, *, company: Company, by: str | None = None
) -> list[Case]:
    """All that a run did in a flow: what can be put back, and what cannot, with the reason.

    Args:
        db: the state.
        flow: the one looked at.
        run_id: the run that did it.
        company: what the meaning of values depends on.
        by: the run that is to put it back; what it has put back already counts as done.
    """
    writes = _writes(db, flow, "run_id = $run_id", run_id=run_id)
    written = _gather(flow, writes)
    since = _since(db, flow, run_id, writes)
    current = _current(db, flow, written)
    cases = list(_whole_records(flow, writes))
    for key, one in written.items():
        case = _case(flow, key, one, current[key], company=company)
        later = since.get(key)
        if later and later[0] == by and later[1] == UNDO:
            case = replace(case, reason=None, done=True, now=one.left[one.target])
        elif later:
            case = replace(case, reason=f"written again since, by run {later[0]}")
        if case.done or case.reason or case.now != case.before:
            cases.append(case)
    return cases


def outcome(
    db: Connection, flow: Flow, run_id: str, *, company: Company, by: str, dry_run: bool
) -> tuple[list[Case], list[Case]]:
    """What a run put back, or would with nothing written, and what is left as it is, each with its reason."""
    rows = db.execute(
        "select part, shop_id, property, withheld(hold_kind, hold_reason) from change where rule = ?", [UNDO]
    ).fetchall()
    planned = {(part, shop_id, name): withheld for part, shop_id, name, withheld in rows}
    back, left = [], []
    for case in examine(db, flow, run_id, company=company, by=by):
        withheld = planned.get((case.part, case.shop_id, case.property), "not carried out")
        if case.done or (case.reason is None and dry_run and withheld is None):
            back.append(case)
        else:
            left.append(replace(case, reason=case.reason or withheld or "not carried out"))
    return back, left


def _writes(db: Connection, flow: Flow, which: str, **parameters: object) -> list[WrittenRow]:
    """What was carried out, oldest first."""
    return select(
        db,
        WrittenRow,
        f"where flow = $flow and outcome = 'done' and {which} order by intent_at, place, nth",
        {"flow": flow.name, **parameters},
    )


def _gather(flow: Flow, writes: Sequence[WrittenRow]) -> dict[Key, Written]:
    """What was updated, by property; a record that the run created itself has no former values."""
    created = {(one.target, one.part, one.shop_id) for one in writes if one.operation == "create"}
    made = {shop_id for _, part, shop_id in created if part == flow.name}
    found: dict[Key, Written] = {}
    for one in writes:
        if one.operation != "update" or (one.target, one.part, one.shop_id) in created:
            continue
        prop = flow.part(one.part).by_name.get(one.property or "")
        if prop is None or one.rule == SEND_WITH:
            continue
        if not prop.two_way and one.root_shop_id in made:
            continue  # what a new record says of itself belongs to its creation
        key = (one.part, one.shop_id or "", prop.name)
        left = {one.target: one.sent}
        if one.rule != UNDO:
            left[one.target.other] = one.source
        first = found.get(key)
        found[key] = (
            Written(one.root_shop_id or "", one.root_bc_id, one.target, one.before, left, one.rule)
            if first is None
            else replace(first, left={**first.left, **left})
        )
    return found


def _since(
    db: Connection, flow: Flow, run_id: str, writes: Sequence[WrittenRow]
) -> dict[Key, tuple[str, str | None]]:
    """The properties of these records that other runs wrote later: by which run, and why."""
    if not writes:
        return {}
    later = _writes(
        db,
        flow,
        "run_id <> $run_id and intent_at > $first and root_shop_id in (select unnest($roots::varchar[]))",
        run_id=run_id,
        first=writes[0].intent_at,
        roots=sorted({one.root_shop_id for one in writes if one.root_shop_id}),
    )
    found: dict[Key, tuple[str, str | None]] = {}
    for one in later:
        if one.rule == SEND_WITH:
            continue
        key = (one.part, one.shop_id or "", one.property or "")
        # what an undo put back is carried to the other side by the same run
        put_back = found.get(key) == (one.run_id, UNDO)
        found[key] = (one.run_id, UNDO if put_back else one.rule)
    return found


_CURRENT = """
select w.part, w.shop_id, w.property, l.bc_id, root.bc_id as root_bc_id,
       s.raw[w.property] as shop_raw, s.canon[w.property] as shop_canon, s.raw as shop_record,
       b.raw[w.property] as bc_raw, b.canon[w.property] as bc_canon, b.raw as bc_record,
       l.part is not null and root.part is not null as linked,
       s.part is not null and b.part is not null and ss.gone is null and bs.gone is null as there
from (select unnest($parts::varchar[]) as part, unnest($shop_ids::varchar[]) as shop_id,
             unnest($properties::varchar[]) as property, unnest($roots::varchar[]) as root_shop_id) w
left join link l on l.part = w.part and l.shop_id = w.shop_id and l.state = 'active'
left join link root on root.part = $flow and root.shop_id = w.root_shop_id and root.state = 'active'
left join record s on s.part = w.part and s.side = 'customwebshop' and s.id = w.shop_id
left join record b on b.part = w.part and b.side = 'businesscentral' and b.id = l.bc_id
left join snapshot ss on ss.flow = $flow and ss.side = 'customwebshop' and ss.id = w.root_shop_id
left join snapshot bs on bs.flow = $flow and bs.side = 'businesscentral' and bs.id = root.bc_id
"""


def _current(db: Connection, flow: Flow, written: Mapping[Key, Written]) -> dict[Key, dict[str, Any]]:
    """What both sides hold now of what was written."""
    rows = rows_of(
        db,
        _CURRENT,
        {
            "flow": flow.name,
            "parts": [part for part, _, _ in written],
            "shop_ids": [shop_id for _, shop_id, _ in written],
            "properties": [name for _, _, name in written],
            "roots": [one.root_shop_id for one in written.values()],
        },
    )
    return {(row["part"], row["shop_id"], row["property"]): row for row in rows}


def _whole_records(flow: Flow, writes: Iterable[WrittenRow]) -> Iterator[Case]:
    mains: dict[str, str] = {}
    known: set[tuple[str, int]] = set()
    for one in writes:
        main = mains.setdefault(one.intent_id, one.operation)  # in order, so that the record comes first
        along = one.place > 0 and one.operation == main  # its parent says it
        if one.operation == "update" or along or (one.intent_id, one.place) in known:
            continue
        known.add((one.intent_id, one.place))
        what = "record" if one.part == flow.name else "line"
        reason = f"the {what} was {one.operation}d by that run: whole {what}s are not undone"
        ids = (one.shop_id, one.bc_id, one.root_shop_id, None)
        yield Case(flow.name, one.part, *ids, one.target, None, None, None, reason)


def _case(flow: Flow, key: Key, one: Written, current: Mapping[str, Any], *, company: Company) -> Case:
    part, shop_id, name = key
    prop = flow.part(part).by_name[name]
    now = current[f"{one.target.short}_raw"]
    ids = (shop_id, current["bc_id"], one.root_shop_id, current["root_bc_id"])
    reason = _reason(prop, one, current, company=company)
    return Case(flow.name, part, *ids, one.target, name, now, one.before, reason)


def _reason(prop: Property, one: Written, current: Mapping[str, Any], *, company: Company) -> str | None:
    """Why a value is not put back."""
    if not current["linked"] or one.root_bc_id not in (None, current["root_bc_id"]):
        return "the two are not linked any more"
    if not current["there"]:
        return "it is not there any more on both sides"
    for side in Side:
        if side in one.left and not _still(prop, side, one.left[side], current, company=company):
            now = current[f"{side.short}_raw"]
            return f"edited since: {side} says {quoted(now)}"
    if not prop.two_way:
        return f"it travels one way: {one.target} shows what {one.target.other} says"
    if one.rule == INITIAL and one.before is None:
        return "it was blank when the two first met, and a blank would empty the other side too"
    return None


def _still(prop: Property, side: Side, left: Value, current: Mapping[str, Any], *, company: Company) -> bool:
    """Whether a side holds what it was left with, however it spells it."""
    raw, record, canon = (current[f"{side.short}_{what}"] for what in ("raw", "record", "canon"))
    return bool(raw == left) or holds(prop, left, side, raw=record, canon=canon, company=company)
