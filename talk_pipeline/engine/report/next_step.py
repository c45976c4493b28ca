"""What a person may do next about one entity: its state, the reasons it carries, and a sentence that helps."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from talk_pipeline.engine.manual.lookup import Entity
from talk_pipeline.engine.match.scopes import outside
from talk_pipeline.engine.plan.creates import CREATED
from talk_pipeline.engine.plan.losses import loss_of
from talk_pipeline.engine.plan.unanswered import reason_for
from talk_pipeline.engine.state.connection import Connection, stamp
from talk_pipeline.engine.state.journal import open_intents
from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.vocabulary import Flow
from talk_pipeline.wording import counted

LOST = "lost"  # a restored system does not have it any more, and no pair came of what is left
UNLINKED = "unlinked"  # a Business Central record without a shop record
UNJUDGED = "not judged yet"  # read, and no sync has planned since

# why a record gets no counterpart in the shop, as it was planned; of one that is to be created there, and is not,
# what makes a state of a shop record makes one of it too
_UNPAIRED = """
select state, reason from bc_status where flow = $flow and bc_id = $bc_id
union all
select hold_label(hold_kind) as state, hold_reason from change
where flow = $flow and part = $flow and operation = 'create' and root_shop_id is null and root_bc_id = $bc_id
  and state in ('quarantined', 'waiting')
order by all limit 1
"""

# of a decision: since the flow was last planned and carried through
SINCE_CARRIED_THROUGH = """done_at > coalesce((
    select max(started_at) from run
    where flow = $flow and planned is not null and stopped_by is null and not dry_run), timestamp '1970-01-01')"""


def status(db: Connection, flow: Flow, entity: Entity) -> tuple[str, str | None]:
    """The state of an entity and its reason: one of table `status`, `active`, or one of those named above."""
    if lost := loss_of(db, flow, shop_id=entity.shop_id, bc_id=entity.bc_id):
        return LOST, lost.reason
    if entity.shop_id is None:
        parted = db.execute(
            "select 1 from apart where flow = ? and bc_id = ? and held", [flow.name, entity.bc_id]
        ).fetchone()
        if parted:
            return "held", "unlinked by hand"
        sent = (one for one in open_intents(db, flow.name, Side.SHOP) if one.root_bc_id == entity.bc_id)
        if at_work := next((one for one in sent if one.open_until), None):
            return "waiting", reason_for(at_work)
        if not flow.settings.creates(Side.SHOP):
            return UNLINKED, "Business Central records without a shop record are left alone"
        if kept := db.execute(_UNPAIRED, {"flow": flow.name, "bc_id": entity.bc_id}).fetchone():
            return kept
        outside_why = outside(flow, flow.settings.created_while(Side.BC), "r", meaning=CREATED, side=Side.BC)
        told = f"select 'excluded', {outside_why} from record r where part = ? and side = ? and id = ?"
        row = db.execute(told, [flow.name, Side.BC, entity.bc_id]).fetchone()
        return row if row and row[1] else (UNLINKED, None)
    row = db.execute(
        "select state, reason from status where flow = ? and shop_id = ?", [flow.name, entity.shop_id]
    ).fetchone()
    if row:
        return row[0], row[1]
    linked = db.execute(
        "select 1 from link where part = ? and shop_id = ? and state = 'active'", [flow.name, entity.shop_id]
    ).fetchone()
    return ("active", None) if linked else (UNJUDGED, "it was read, and no sync has judged it since")


@dataclass(frozen=True, slots=True)
class Situation:
    """Of an entity, what the next step depends on beside its state.

    Attributes:
        changes: what is planned for it.
        undecided: how many open conflicts nobody decided.
        refused: whether a system refused a write.
        refused_still: whether that is what is planned for it as it is now.
        waits_for: the records it refers to that are not linked, as `flow id`.
        lacking: those of Business Central that it refers to there and that get no counterpart in the shop by
            themselves: as `flow ID id`, with the name of each.
        candidates: the other side's records that match it, as `id`, `name`, and whether they are `free`.
        decided: what was decided by hand since the last sync.
        remarks: what it shows though nothing is to be written.
        answer_until: when a write of it that was not answered is certainly over.
    """

    undecided: int
    refused: bool
    candidates: Sequence[Mapping[str, Any]]
    decided: str | None
    answer_until: datetime | None
    changes: Sequence[Mapping[str, Any]] = ()
    waits_for: Sequence[str] = ()
    lacking: Mapping[str, str] = field(default_factory=dict)
    refused_still: bool = False
    remarks: Sequence[str] = ()


def next_step(flow: Flow, entity: Entity, *, state: str, known: Situation) -> str:
    """What to do, in one sentence."""
    if known.undecided:
        conflicts = counted(known.undecided, "open conflict")
        return f"decide {conflicts}: talk-pipeline resolve {entity.name} --take customwebshop|businesscentral"
    if known.decided and state != "held":
        return f"{known.decided}: the next sync carries it out"
    if known.answer_until and state in ("waiting", "active"):
        again = f"and after {known.answer_until:%Y-%m-%d %H:%M:%S} UTC the next one sends it again"
        return f"nothing: each sync looks whether it was carried out, {again} if it is not there"
    if state == "waiting" and entity.shop_id and known.lacking:
        missing, joins = ", ".join(known.lacking.values()), " and ".join(known.lacking)
        return f"the shop has nothing for {missing}: make it there, or join it to what it is: {joins}"
    if state == "waiting":
        look = " and ".join(f"talk-pipeline explain {name}" for name in known.waits_for)
        there = f"what it refers to is there; see {look}" if look else "what the reason names is settled"
        return f"nothing: it goes when {there}"
    if state == "ambiguous" and entity.shop_id and entity.bc_id:
        return LEAD.format(flow=flow.name, bc_id=entity.bc_id)
    if state == "ambiguous":
        return _choose(flow, entity, known.candidates)
    if state == "quarantined":
        again = f"; or at once: talk-pipeline retry {entity.name}" if known.refused else ""
        return f"mend what the reason names: it is tried again by itself when the data changes{again}"
    if state == "broken" and known.refused_still:
        let_go = _STEPS[state].format(name=entity.name)
        return f"mend what the reason names, then: talk-pipeline retry {entity.name}; or {let_go}"
    if state == "excluded" and entity.shop_id and entity.bc_id:
        return "nothing: the link rests while the record is outside the flow"
    if state == "excluded" and not entity.shop_id:
        by_hand = f"talk-pipeline link {flow.name} ID {entity.bc_id} joins it to one that exists"
        return f"nothing: the flow does not create it in the shop; {by_hand}"
    if state == UNLINKED and known.changes:
        return _pending(known)
    if state == "closed" and known.remarks:
        return f"{SETTLE.format(name=entity.name)} ({'; '.join(known.remarks)})"
    if state == LOST and entity.bc_id:
        held = f"what is held of it: talk-pipeline explain {flow.name} {entity.bc_id}; "
        return held + _STEPS[LOST].format(name=entity.name)
    step = _STEPS.get(state, "").format(name=entity.name, flow=flow.name)
    return step or _pending(known)


def decided_text(row: Mapping[str, Any]) -> str:
    """What a person decided, in words: of `action`, `done_by` and `done_at`."""
    return f"{row['action']} by {row['done_by']} at {stamp(row['done_at'])}"


def _choose(flow: Flow, entity: Entity, candidates: Sequence[Mapping[str, Any]]) -> str:
    """A free candidate may be linked; one that is linked already rules itself out, unless a person says so.

    One without candidates may be what a create of which nobody knows has become.
    """
    if not candidates:
        ids = f"{entity.shop_id} ID" if entity.shop_id else f"ID {entity.bc_id}"
        return (
            f"if it is what the reason names, of that ID: talk-pipeline link {flow.name} {ids}; if it is not:"
            f" talk-pipeline unlink --never {flow.name} {ids}"
        )
    steps = []
    if free := [one["name"] for one in candidates if one["free"]]:
        ids = f"{entity.shop_id} ID" if entity.shop_id else f"ID {entity.bc_id}"
        listed = ", ".join(free)
        more = " (several may be linked with one: the first leads)" if flow.settings.shared else ""
        steps.append(
            f"link the right one{more}: talk-pipeline link {flow.name} {ids}, where ID is one of {listed}"
        )
    for one in candidates:
        if not one["free"]:
            ids = f"{entity.shop_id} {one['id']}" if entity.shop_id else f"{one['id']} {entity.bc_id}"
            if flow.settings.shared and entity.shop_id:
                steps.append(f"to let it share {one['name']}: talk-pipeline link {flow.name} {ids}")
            steps.append(
                f"if it is something else than {one['name']}: talk-pipeline unlink --never {flow.name} {ids}"
            )
    return "; ".join(steps)


LEAD = "let one of those that share {bc_id} lead: talk-pipeline link {flow} ID {bc_id} --lead"
SETTLE = "settle by hand what came after it was posted; then: talk-pipeline acknowledge {name}"

_STEPS = {
    "held": "talk-pipeline link {name} ID, or to match or create it anew: talk-pipeline unlink {name} --recreate",
    "excluded": "nothing: the flow does not create it; talk-pipeline link {name} ID pairs it with one that exists",
    "closed": "nothing: its story ended",
    "attached": "nothing: what refers to it goes there, and its own properties are left alone; to let it lead: "
    "talk-pipeline link {name} ID --lead; to give it one of its own: talk-pipeline unlink {name} --recreate",
    "broken": "to let the missing side go: talk-pipeline unlink {name} --recreate, and what is left starts anew",
    LOST: "make it again where it is missing, or let it go; then: talk-pipeline acknowledge {name}",
    UNLINKED: "nothing",
    UNJUDGED: "talk-pipeline sync --flow {flow}",
}


def _pending(known: Situation) -> str:
    ready = [change for change in known.changes if change["hold_kind"] is None]
    if ready:
        return f"the next sync writes {counted(len(ready), 'property')}"
    if known.changes:
        return f"nothing: {counted(len(known.changes), 'change')} withheld until the reason has passed"
    if known.remarks:
        return f"a person decides, nothing is left to write: {'; '.join(known.remarks)}"
    return "nothing: both sides are in step"
