"""Values that Business Central took and set anew with the next one, each by the other: a city and a postal code.

One such value goes again once (`engine.recalculation`). Where telling it undoes the one that undid it, the two
cannot be had side by side, and telling them in turns would never end: the first is refused for this version of the
data, and what is held instead counts as what the two sides last agreed on. So an edit there is told from it.
"""

from collections.abc import Iterator, Mapping, Sequence

from talk_pipeline.engine.apply.confirmed import Confirmed, stored_records
from talk_pipeline.engine.apply.unheeded import Answer
from talk_pipeline.engine.model import SEND_WITH, UnkeptValue
from talk_pipeline.engine.snapshot.projection import Projector
from talk_pipeline.engine.state.connection import Connection
from talk_pipeline.engine.state.rows import is_any
from talk_pipeline.flows.properties import Property
from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.values import UnmappableError, Value


def give_up_unkept(
    db: Connection, projector: Projector, *, run_id: str, confirmed: Sequence[Confirmed]
) -> list[UnkeptValue]:
    """Finds what was told in this run and is undone by what it had undone; in the caller's transaction."""
    suspects = [(one, prop, beside) for one in confirmed for prop, beside in _in_turns(projector, one)]
    if not suspects:
        return []
    stored = stored_records(db, projector, [one for one, _, _ in suspects])
    unkept = []
    for one, prop, beside in suspects:
        raw, canon = stored.get((one.part, one.bc_id), ({}, {}))
        told = one.sent[prop.name].sent
        if not Answer(Side.BC, raw, canon, projector.company).differs(prop, told):
            continue
        if _was_told(db, run_id, one, prop, beside=beside):
            unkept.append(UnkeptValue(one.part, one.shop_id, prop.name, beside, told, raw.get(prop.name)))
            _agree_on(db, projector, one, prop, raw=raw)
    return unkept


def _in_turns(projector: Projector, one: Confirmed) -> Iterator[tuple[Property, tuple[str, ...]]]:
    """What went along with a value and is set anew by it, as that value is by it."""
    if one.target is not Side.BC or one.operation != "update":
        return
    part = projector.flow.part(one.part)
    written = [name for name, sent in one.sent.items() if sent.rule != SEND_WITH]
    for name, sent in one.sent.items():
        prop = part.by_name[name]
        beside = tuple(other for other in written if name in part.by_name[other].send_with)
        if sent.rule == SEND_WITH and not prop.refers_to and set(beside) & set(prop.send_with):
            yield prop, beside


_TOLD = f"""
from written w
join written along using (intent_id, place)
where w.run_id = $run_id and w.target = 'businesscentral' and w.outcome = 'done' and w.operation = 'update'
  and w.part = $part and w.shop_id = $shop_id and w.property = $property and w.rule <> '{SEND_WITH}'
  and list_contains($beside::varchar[], along.property) and along.rule = '{SEND_WITH}'
"""


def _was_told(
    db: Connection, run_id: str, one: Confirmed, prop: Property, *, beside: tuple[str, ...]
) -> bool:
    """Whether it was written in this run, with one of the others going along."""
    place = {"part": one.part, "shop_id": one.shop_id, "property": prop.name}
    return is_any(db, _TOLD, place | {"run_id": run_id, "beside": list(beside)})


def _agree_on(
    db: Connection, projector: Projector, one: Confirmed, prop: Property, *, raw: Mapping[str, Value]
) -> None:
    """What Business Central holds is where edits of both sides start from: what the shop says stays its edit."""
    held = raw.get(prop.name)
    context = projector.company.context(raw, toward_shop=True)
    try:
        meant = prop.convert(Side.SHOP, value=held, context=context)
    except UnmappableError:
        meant = None
    db.execute(
        "update base set shop_value = ?, bc_value = ?, resend = null"
        " where part = ? and shop_id = ? and property = ?",
        [meant, held, one.part, one.shop_id, prop.name],
    )
