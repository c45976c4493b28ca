"""What is shown after a write: what an answer leaves out of the record, and what was to go and is there still."""

from talk_pipeline.engine.model import Outcome, Record, Result, Write
from talk_pipeline.systems.customwebshop.spec import paths
from talk_pipeline.systems.customwebshop.spec.paths import Json
from talk_pipeline.systems.customwebshop.wire.records import Reader, parse, rows_of


def kept(record: Record, write: Write, reader: Reader) -> Outcome | None:
    """A refusal where entries of a list that were to go are still there: a shop may merge, and not say so."""
    data = parse(record.payload)
    for name, lines in reader.lists():
        if lines.single:
            continue  # what says that there is none was written like any value
        there = {lines.id.read(row) for row in rows_of(data, name, lines)}
        for edit in write.children.get(name, ()):
            if edit.operation == "delete" and edit.id in there:
                reason = f"{name}: the shop says yes and keeps {edit.id}: `remove` is how it lets one go"
                return Outcome(Result.REFUSED, reason=reason)
    return None


def shows_all(payload: str, write: Write, reader: Reader, *, current: Json) -> bool:
    """Whether an answer has the record as reading it has."""
    apart = reader.entity.parts or any(lines.url or lines.paging for _, lines in reader.lists())
    return not (apart or _left_out(payload, write, reader, current=current))


def _left_out(payload: str, write: Write, reader: Reader, *, current: Json) -> list[str]:
    """What an answer leaves out of the record, by what was read before or, of a new one, sent."""
    data = parse(payload)
    if current is not None:
        return reader.hidden(data, other=current)
    fields = reader.fields()
    filled = [name for name, value in write.values.items() if value is not None and name in fields]
    places = [place for name in filled for place in fields[name].sources(name)]
    places += [lines.path for name, lines in reader.lists() if lines.path and write.children.get(name)]
    return [place for place in places if paths.get(data, place) is paths.MISSING]
