"""Answers that leave open what became of a write: accepted and carried out later, or several statuses in one.

An answer is no proof there: the record that is read afterwards is.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal, InvalidOperation

from talk_pipeline.engine.model import Child, ChildEdit, Outcome, Record, Result, Write
from talk_pipeline.flows.values import Value
from talk_pipeline.systems.customwebshop.spec.calls import Call
from talk_pipeline.systems.customwebshop.spec.lines import Lines
from talk_pipeline.systems.customwebshop.spec.places import read_place
from talk_pipeline.systems.customwebshop.wire.answers import document_in
from talk_pipeline.systems.customwebshop.wire.records import Reader
from talk_pipeline.systems.customwebshop.wire.showing import kept
from talk_pipeline.systems.errors import SystemFault
from talk_pipeline.systems.http import Answer

ACCEPTED, SEVERAL = 202, 207
NOT_SHOWN = f"accepted ({ACCEPTED}), and not shown yet"
UNSAID = (
    "answered 207, which has a status for each part: say where this one's is, `status` of the call, in "
    "CUSTOMWEBSHOP_CONNECTOR"
)


def judged(call: Call, answer: Answer) -> Answer | Outcome:
    """An answer by the status that it has for this very write, where the call says its place."""
    if call.status is None or not answer.ok:
        return answer
    said = read_place(call.status, answer.headers, document_in(answer))
    if said is None or not said.isdigit():
        reason = f"answered {answer.status} with no status at {call.status!r}: {answer.excerpt(200)}"
        return Outcome(Result.UNKNOWN, reason=reason)
    return replace(answer, status=int(said))


async def accepted(
    get: Callable[[str], Awaitable[Record | None]],
    write: Write,
    reader: Reader,
    *,
    record_id: str | None,
    before: str | None,
) -> Outcome:
    """What became of a write that was accepted (202): done as soon as the record shows it.

    Args:
        get: reads a record.
        write: what was accepted, with the values that the record may not hold though it is there.
        reader: of the records.
        record_id: none of a new one whose id nobody told: it is looked up by what it was sent.
        before: the record as it was.
    """
    if record_id is None:
        return Outcome(Result.UNKNOWN, reason=NOT_SHOWN, awaited=True)
    try:
        record = await get(record_id)
    except SystemFault as fault:
        reason = f"accepted ({ACCEPTED}), and not readable since: {fault}"
        return Outcome(Result.UNKNOWN, reason=reason, awaited=True)
    if not _shows(record, write, reader, before=before) or (record and kept(record, write, reader)):
        return Outcome(Result.UNKNOWN, reason=NOT_SHOWN, awaited=True)
    return Outcome(Result.DONE, record=record)


def _shows(record: Record | None, write: Write, reader: Reader, *, before: str | None) -> bool:
    """Whether a record is as it was to be: of one that was there, what was to change is not what it was."""
    if record is None or write.operation == "delete":
        return record is None and write.operation == "delete"
    held = reader.contents(before) if before is not None else None
    holds = reader.contents(record.payload)
    if not _took(holds.values, write.values, before=held.values if held else None):
        return False
    lists = dict(reader.lists())
    edited = {name: edits for name, edits in write.children.items() if edits and not lists[name].single}
    return all(
        _lists_all(
            lists[name], edits, held.children.get(name, ()) if held else (), holds.children.get(name, ())
        )
        for name, edits in edited.items()
    )


def _lists_all(
    lines: Lines, edits: Sequence[ChildEdit], before: Sequence[Child], now: Sequence[Child]
) -> bool:
    """Whether a list has the entries that it was to get, and holds of others what was to change in them."""
    was = {one.id: one.values for one in before}
    new = [one.values for one in now if one.id not in was]
    made = [edit for edit in edits if edit.operation == "create"]
    gone = [edit for edit in edits if edit.operation == "delete"]
    if len(now) < len(was) + len(made) - len(gone):
        return False
    for edit in made if lines.made_in_steps else ():  # one that is there may be told the rest yet
        found = next((values for values in new if _took(values, edit.values)), None)
        if found is None:
            return False
        new.remove(found)
    changed = {edit.id: edit.values for edit in edits if edit.operation == "update"}
    return all(_took(one.values, changed.get(one.id, {}), before=was.get(one.id)) for one in now)


def _took(
    holds: Mapping[str, Value], sent: Mapping[str, Value], *, before: Mapping[str, Value] | None = None
) -> bool:
    """Whether what was sent is held, or, where something was held before, no more that."""
    return all(
        _same(holds.get(name), value) or (before is not None and holds.get(name) != before.get(name))
        for name, value in sent.items()
    )


def _same(held: Value, sent: Value) -> bool:
    """Whether the two are one value: a shop spells numbers as it likes."""
    try:
        return held == sent or Decimal(held or "") == Decimal(sent or "")
    except InvalidOperation:
        return False
