"""Answers that leave open what became of a write: accepted and carried out later, or several statuses in one.

An answer is no proof there: the record that is read afterwards is.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace

from talk_pipeline.engine.model import Outcome, Record, Result, Write
from talk_pipeline.systems.customwebshop.spec.calls import Call
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
        write: what was accepted.
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
    if not _shows(record, write, reader, before=before):
        return Outcome(Result.UNKNOWN, reason=NOT_SHOWN, awaited=True)
    return (kept(record, write, reader) if record else None) or Outcome(Result.DONE, record=record)


def _shows(record: Record | None, write: Write, reader: Reader, *, before: str | None) -> bool:
    """Whether a record holds no more what it held before, where that was to change."""
    if write.operation == "delete":
        return record is None
    if before is None or record is None:
        return record is not None
    held, holds = reader.contents(before), reader.contents(record.payload)
    values = (
        holds.values.get(name) != held.values.get(name) or holds.values.get(name) == value
        for name, value in write.values.items()
    )
    lists = (
        holds.children.get(name) != held.children.get(name) for name, edits in write.children.items() if edits
    )
    return all(values) and all(lists)
