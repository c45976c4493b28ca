"""What the two sides of linked pairs have to tell each other: the table of changes, before anything is written.

Only touched pairs are looked at. Where both sides say the same, the base moves and nothing else happens, in
SQL for all at once; the few properties that differ go through the three-way rule one by one. What must not be
written yet is kept in the table with the reason (`plan.holds`); records without a counterpart are the
business of `plan.creates`.
"""

from collections.abc import Mapping
from typing import Any

from talk_pipeline.engine.kinds import HoldKind
from talk_pipeline.engine.match.parts import parts_at_hand
from talk_pipeline.engine.match.standing_in import look_at_referring, note_references
from talk_pipeline.engine.model import Decode
from talk_pipeline.engine.plan import edits
from talk_pipeline.engine.plan.concerned import find_concerned, find_touched
from talk_pipeline.engine.plan.creates import leave_out_wordless, plan_creates
from talk_pipeline.engine.plan.crossing import hold_crossed, take_up_agreeing
from talk_pipeline.engine.plan.disappearance import plan_disappearances
from talk_pipeline.engine.plan.holds import Withholding, withhold
from talk_pipeline.engine.plan.lone_children import plan_lone_children
from talk_pipeline.engine.plan.merge import Holding, Merged, Pair, merge
from talk_pipeline.engine.plan.misfits import withhold_misfits
from talk_pipeline.engine.plan.pairs import AS_AGREED, SAME, find_pairs
from talk_pipeline.engine.plan.status import rewrite_status
from talk_pipeline.engine.plan.unanswered import gather
from talk_pipeline.engine.plan.undo import plan_undo
from talk_pipeline.engine.plan.workspace import (
    Agreeing,
    Concerned,
    Pairs,
    Unlinked,
)
from talk_pipeline.engine.snapshot.columns import Company
from talk_pipeline.engine.snapshot.dirty import any_dirty, note_planned
from talk_pipeline.engine.state.connection import Connection, now, transaction
from talk_pipeline.engine.state.rows import insert, rows_of
from talk_pipeline.engine.state.tables import ChangeRow
from talk_pipeline.flows.loading import Flows
from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.values import UnmappableError
from talk_pipeline.flows.vocabulary import Flow, Part

AT_ONCE = 50_000  # rows of pairs, that is properties
MISMATCHES = 3  # answers in a row that were not what was sent, before a property counts as oscillating


def plan(
    db: Connection,
    flows: Flows,
    flow: Flow,
    *,
    company: Company,
    later: frozenset[str] = frozenset(),
    undo: str | None = None,
    run_id: str | None = None,
    read: Decode | None = None,
) -> None:
    """Rewrites the flow's changes and the states of its records from what is held now, in one transaction.

    Args:
        db: the state.
        flows: all flows, for references between them.
        flow: the one to plan.
        company: what the meaning of values depends on.
        later: flows that run after this one in the same run; their new records go before whatever would
            make a record they refer to unusable.
        undo: a run whose updates are put back, where nobody has edited since.
        run_id: the run at work.
        read: what reads the payloads of Business Central.
    """
    with transaction(db):
        note_planned(db, flows, flow)
        note_references(db, flow)
        look_at_referring(db, flow)
        db.execute("delete from change where flow = ?", [flow.name])
        on_their_way = gather(db, flow)
        unlinked: Unlinked | None = None
        concerned: Concerned | None = None
        if any_dirty(db, flow.name):
            plan_disappearances(db, flow)
            parts = parts_at_hand(db, flow)
            take_up_agreeing(db, flow)
            concerned = find_concerned(db, flow)
            touched, links, held = find_touched(db, flow, parts, concerned)
            for part in parts if touched else ():
                pairs = find_pairs(db, part, touched=touched, links=links, held=held)
                if part.parent:
                    plan_lone_children(
                        db, flow, part, touched=touched, links=links, held=held, company=company
                    )
                else:
                    hold_crossed(db, flow, concerned=concerned, touched=touched, pairs=pairs)
                _plan_part(db, flow, part, pairs=pairs, company=company, run_id=run_id)
            unlinked = plan_creates(
                db, flows, flow, parts=parts, concerned=concerned, on_their_way=on_their_way
            )
            leave_out_wordless(db, flow)
            withhold_misfits(db, flow, read, children=parts[1:])
        if undo:
            plan_undo(db, flow, undo, company=company)
        withhold(db, Withholding(flows=flows, flow=flow, on_their_way=on_their_way, later=later))
        if concerned is not None and unlinked is not None:
            rewrite_status(db, flow, concerned=concerned, unlinked=unlinked)


# nothing is agreed yet where there is no base either
_AGREE = f"""
select shop_id, property, shop_raw, bc_raw from pair
where {SAME}
  and (agreed_at is null or shop_raw is distinct from shop_base or bc_raw is distinct from bc_base
       or mismatches > 0 or resend is not null)
"""

_AGREED_BY_RULE = """
select shop_id, property, shop_raw, bc_raw from pair
join (select unnest($ids::varchar[]) as shop_id, unnest($properties::varchar[]) as property)
using (shop_id, property)
"""

_DIFFERING = f"""
select * from pair
where nth > $after and nth <= $upto and not ({SAME})
  and not ({AS_AGREED} and shop_problem is null and bc_problem is null)
order by shop_id
"""


def _plan_part(
    db: Connection, flow: Flow, part: Part, *, pairs: Pairs, company: Company, run_id: str | None
) -> None:
    if not pairs:
        return
    _move_bases(db, part, Agreeing.made(db, _AGREE))
    edits.forget_taken_back(db, part, pairs)
    for after in range(0, pairs.found, AT_ONCE):
        _plan_differing(db, flow, part, after=after, pairs=pairs, company=company, run_id=run_id)


def _plan_differing(
    db: Connection, flow: Flow, part: Part, *, after: int, pairs: Pairs, company: Company, run_id: str | None
) -> None:
    """Of a piece of the pairs what differs: where all do, the rows of all at once need gigabytes."""
    rows = rows_of(db, _DIFFERING, {"after": after, "upto": after + AT_ONCE})
    anew = edits.worked_out(db, part, pairs, differing=rows, run_id=run_id)
    changes: list[ChangeRow] = []
    agreed: list[edits.Place] = []
    seen: list[edits.Seen] = []
    silent: list[tuple[str, str, Side]] = []
    known: list[edits.Place] = []
    for row in rows:
        place = (row["shop_id"], row["property"])
        pair = _pair(part, row, worked_out_here=anew.get(place))
        seen += edits.newly_seen(row, pair, company=company)
        silent += edits.respelled(row, pair, company=company)
        merged = merge(flow, pair, company=company)
        if merged.agreed:
            agreed.append(place)
        elif (merged.target or merged.open) and not (row["over"] and merged.target is Side.SHOP):
            changes.append(_change(flow, part, row, pair=pair, merged=merged, company=company))
            if merged.target is pair.resend and anew.get(place):
                known.append(place)
    insert(db, changes)
    edits.sight(db, part, seen)
    edits.forget(db, part, silent)
    edits.start_from(db, part, pairs, known)
    if agreed:
        named = {"ids": [shop_id for shop_id, _ in agreed], "properties": [prop for _, prop in agreed]}
        _move_bases(db, part, Agreeing.made(db, _AGREED_BY_RULE, named))


def _move_bases(db: Connection, part: Part, agreeing: Agreeing) -> None:
    """Both sides say the same: that is what they last agreed on."""
    if not agreeing:
        return
    for table in ("base", "edit", "resolution"):
        db.execute(
            f"delete from {table} where rowid in (select t.rowid from {table} t join {agreeing.NAME} a"
            " on a.shop_id = t.shop_id and a.property = t.property where t.part = ?)",
            [part.name],
        )
    db.execute(
        "insert into base (part, shop_id, property, shop_value, bc_value, mismatches, resend, agreed_at)"
        f" select ?, shop_id, property, shop_raw, bc_raw, 0, null, ? from {agreeing.NAME}",
        [part.name, now()],
    )


def _pair(part: Part, row: Mapping[str, Any], *, worked_out_here: bool | None) -> Pair:
    prop = part.by_name[row["property"]]
    shop, bc = (
        Holding(
            raw=row[f"{side.short}_raw"],
            canon=row[f"{side.short}_canon"],
            problem=row[f"{side.short}_problem"],
            base=row[f"{side.short}_base"],
            beside={prop.country: row[f"{side.short}_read_in"]} if prop.country else {},
            edited_at=row[f"{side.short}_edited_at"],
        )
        for side in Side
    )
    return Pair(
        prop,
        shop=shop,
        bc=bc,
        has_base=row["has_base"],
        resend=row["resend"] and Side(row["resend"]),
        unsure=prop.two_way and worked_out_here is False,
        # what Business Central gave a new record by itself was never agreed on either: it makes each at once
        begun=(prop.two_way or prop.only is not None)
        and row["agreed_at"] is None
        and row["resend"] == Side.SHOP,
        taken=row["taken"] and Side(row["taken"]),
    )


def _change(
    flow: Flow, part: Part, row: Mapping[str, Any], *, pair: Pair, merged: Merged, company: Company
) -> ChangeRow:
    """What is to be written of a property; an open conflict is listed as a change towards the flow's master."""
    target = merged.target or flow.settings.master
    source, receiver = pair.holding(target.other), pair.holding(target)
    kind, why = (HoldKind.MANUAL, "both sides changed it; a person decides") if merged.open else (None, None)
    if row["mismatches"] and row["mismatches"] >= MISMATCHES:
        kind, why = (
            HoldKind.OSCILLATING,
            "the two systems keep storing it differently; make them equal by hand",
        )
    try:
        if pair.prop.refers_to is None:
            context = company.context(source.beside)
            pair.prop.convert(target, value=source.raw, context=context)
    except UnmappableError as error:
        kind, why = HoldKind.QUARANTINED, f"{pair.prop.name}: {error}"
    # an amount of one currency is no answer where the other side counts in another
    if problem := source.problem or (receiver.problem if pair.prop.in_currency else None):
        kind, why = HoldKind.QUARANTINED, f"{pair.prop.name}: {problem}"
    return ChangeRow(
        flow=flow.name,
        part=part.name,
        target=target,
        operation="update",
        shop_id=row["shop_id"],
        bc_id=row["bc_id"],
        root_shop_id=row["root_shop_id"],
        root_bc_id=row["root_bc_id"],
        property=pair.prop.name,
        before=receiver.raw,
        after=source.raw,
        base=source.base if row["has_base"] else None,
        rule=merged.rule,
        conflict=merged.conflict,
        hold_kind=kind,
        hold_reason=why,
    )
