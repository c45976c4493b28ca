"""What an answer of the shop holds: the record in it, or the reason of a refusal."""

import re

import msgspec

from talk_pipeline.engine.model import Outcome, Result
from talk_pipeline.systems.customwebshop.spec import paths
from talk_pipeline.systems.customwebshop.spec.asking import Emptiness
from talk_pipeline.systems.customwebshop.spec.calls import Call
from talk_pipeline.systems.customwebshop.spec.description import Entity
from talk_pipeline.systems.customwebshop.spec.paths import Json, JsonOrMissing
from talk_pipeline.systems.customwebshop.spec.places import Place, Said, header_of
from talk_pipeline.systems.customwebshop.spec.refusals import ErrorShape
from talk_pipeline.systems.customwebshop.wire.records import parse
from talk_pipeline.systems.errors import ConfigurationFault
from talk_pipeline.systems.http import Answer

FORBIDDEN = 403
NOT_BEGUN = (421, 425, 429)
"""Turned away by whoever holds the line: another connection, too early, too many."""


class UnexpectedShapeFault(ConfigurationFault):
    """An answer is not as the description says; `key` names what does not hold, such as children.lines."""

    def __init__(self, key: str, message: str) -> None:
        super().__init__(message)
        self.key = key


def raw_at(body: bytes, path: str | None) -> str | None:
    """The JSON at a path as it was received; None where there is none."""
    raw: bytes = body
    for step in paths.steps(path) if path else ():
        if not isinstance(step, str):
            found = paths.get(parse(body), path or "")
            return None if found is paths.MISSING else paths.encoded(found).decode()
        try:
            inner = msgspec.json.decode(raw, type=dict[str, msgspec.Raw]).get(step)
        except msgspec.DecodeError:
            return None
        if inner is None:
            return None
        raw = bytes(inner)
    text = raw.decode().strip()
    return text or None


def said_at(answer: Answer, place: Place) -> Said:
    """What an answer says at a place; nothing else of it is read, since a page holds all its records."""
    if header := header_of(place):
        return answer.headers.get(header, paths.MISSING)
    raw = raw_at(answer.body, place)
    return paths.MISSING if raw is None else paths.text_of(parse(raw))


def document_in(answer: Answer) -> Json:
    """All that an answer says; None where that is no JSON."""
    try:
        return parse(answer.body)
    except ValueError:
        return None


def entries(listed: str, key: str | None) -> list[msgspec.Raw]:
    """The entries of a list; an object of objects is one that is keyed by something, such as their ids.

    Args:
        listed: as received.
        key: where an entry has its id, which tells an object of records from any other object.

    Raises:
        msgspec.DecodeError: it is no list.
    """
    try:
        return msgspec.json.decode(listed, type=list[msgspec.Raw])
    except msgspec.ValidationError:
        rows = list(msgspec.json.decode(listed, type=dict[str, msgspec.Raw]).values())
        if not rows or not all(bytes(row).lstrip().startswith(b"{") for row in rows):
            raise
        if key is not None and any(paths.get(parse(bytes(row)), key) is paths.MISSING for row in rows):
            raise
        return rows


def record_in(answer: Answer, entity: Entity) -> str | None:
    """The record an answer holds, as received; None where it holds none."""
    try:
        text = raw_at(answer.body, entity.record)
        data = parse(text) if text else None
    except ValueError:
        return None
    if not isinstance(data, dict) or entity.id.read(data) is None:
        return None
    return text


def shows_error(entity: Entity, answer: Answer) -> bool:
    """Whether an answer of success is a refusal all the same."""
    where = entity.error.shown_by
    if where is None or not answer.ok:
        return False
    try:
        found = paths.get(parse(answer.body), where)
    except ValueError:
        return False
    if found is paths.MISSING or found is None or found in ("", [], {}):
        return False
    unless = entity.error.unless
    return paths.text_of(found) not in unless if unless else found is not True


def refused_by(entity: Entity, call: Call, answer: Answer) -> Entity | None:
    """The entity as it tells what is wrong, where the answer to a call is a refusal."""
    shapes = [entity, *([entity.but(error=call.error)] if call.error else [])]
    if not answer.ok:
        return shapes[-1] if call.status else entity  # what is said of a part the call alone knows
    return next((one for one in shapes if shows_error(one, answer)), None)


def is_own_word(entity: Entity, call: Call, answer: Answer) -> bool:
    """Whether an answer without success is the shop's own, known by its error code, and nobody's before it."""
    refused = refused_by(entity, call, answer)
    return refused is not None and _codes(refused.error, answer) != {None}


def denied(entity: Entity, call: Call, answer: Answer) -> Outcome | None:
    """What follows from a 403, unless the description says what its code is about.

    It is about the record or about who asks, which only the shop knows. This one write fails: it is tried again by
    the next run, and the others go on.
    """
    if answer.status != FORBIDDEN:
        return None
    shape, version = (refused_by(entity, call, answer) or entity).error, entity.version
    known = {*shape.refused, *shape.missing, *([version.stale_code] if version else [])}
    if not known.isdisjoint(_codes(shape, answer) - {None}):
        return None
    return Outcome(Result.FAILED, reason=status_and_reason(shape, answer))


def says_missing(entity: Entity, answer: Answer) -> bool:
    """Whether an answer says by one of the shop's own codes that there is none."""
    if answer.ok and not shows_error(entity, answer):
        return False
    return not _codes(entity.error, answer).isdisjoint(entity.error.missing)


def of_an_empty_list(answer: Answer, path: str) -> bool:
    """Whether a path goes into a list of the answer that has no entries."""
    try:
        data = parse(answer.body) if answer.body.strip() else None
    except ValueError:
        return False
    for way in paths.ways(path):
        if isinstance(paths.steps(way)[-1], int):
            where = way.rpartition("[")[0]
            if (paths.get(data, where) if where else data) == []:
                return True
    return False


def blank_word(value: JsonOrMissing) -> Emptiness | None:
    """The word for something that may stand for "none"; nothing for what says something."""
    if value is paths.MISSING:
        return "missing"
    return "null" if value is None else "{}" if value == {} else None


def blank_text(word: Emptiness) -> str:
    """The same for a person."""
    return "nothing" if word == "missing" else str(word)


def is_missing(entity: Entity, answer: Answer) -> bool:
    """Whether an answer about one record says that there is none."""
    if answer.status in (404, 410):
        return True
    if not answer.ok or shows_error(entity, answer):
        return says_missing(entity, answer)
    return _says_none(answer, entity) or _lists_nothing(answer, entity.record)


def _says_none(answer: Answer, entity: Entity) -> bool:
    """Whether what stands where the record is to be says that there is none."""
    try:
        data = parse(answer.body)
    except ValueError:
        return False
    return blank_word(paths.get(data, entity.record) if entity.record else data) in entity.read.empty


def _lists_nothing(answer: Answer, record: str | None) -> bool:
    """Whether the list that one record is taken from is empty."""
    if record is None or not isinstance(paths.steps(record)[-1], int):
        return False
    where = record.rpartition("[")[0]
    try:
        data = parse(answer.body) if answer.body.strip() else []
    except ValueError:
        return False
    return (paths.get(data, where) if where else data) in ([], {})


def reason(shape: ErrorShape, answer: Answer) -> str:
    """What the shop says is wrong: code, field and message where it names them, else the status."""
    told = [_said(shape, answer, one) for one in _wrong(shape, answer)]
    return "; ".join(f"{code or answer.status}: {text}".strip() for code, text in dict.fromkeys(told))


def status_and_reason(shape: ErrorShape, answer: Answer) -> str:
    """The same behind the status, which is not told twice."""
    why, status = reason(shape, answer), f"{answer.status}: "
    return why if why.startswith(status) else f"{status}{why}"


def _wrong(shape: ErrorShape, answer: Answer) -> list[Json]:
    """What has code, message and field: the document, or each entry of the list of all that is wrong."""
    document = document_in(answer)
    listed = paths.get(document, shape.each) if shape.each else None
    return listed if isinstance(listed, list) and listed else [document]


def _said(shape: ErrorShape, answer: Answer, one: Json) -> tuple[str | None, str]:
    """The code, and all else."""
    code, message = _text_at(one, shape.code), _text_at(one, shape.message)
    field = paths.get(one, shape.field) if shape.field else None
    where = ".".join(map(str, field)) if isinstance(field, list) else paths.text_of(field)
    if code is None and message is None:
        return None, answer.excerpt(200)
    text = _in_place(message or "", paths.get(one, shape.parameters))
    return code, f"{f'{where}: ' if where else ''}{text}"


def _codes(shape: ErrorShape, answer: Answer) -> set[str | None]:
    """The codes of all that is wrong; of an answer that tells none there is none."""
    return {_text_at(one, shape.code) for one in _wrong(shape, answer)}


def _text_at(one: Json, path: str | None) -> str | None:
    return paths.text_of(paths.get(one, path)) if path else None


_NAMED = re.compile(r"%(\w+)|\{\{? ?(\w+) ?\}?\}")


def _in_place(message: str, parameters: JsonOrMissing) -> str:
    """A message with the values that stand beside it in its places; a list of them is counted from one."""
    listed = enumerate(parameters, 1) if isinstance(parameters, list) else ()
    values = parameters if isinstance(parameters, dict) else {str(at): one for at, one in listed}
    return _NAMED.sub(lambda found: paths.text_of(values.get(found[1] or found[2])) or found[0], message)


def refusal(entity: Entity, operation: str, answer: Answer) -> Outcome:
    """The outcome that follows from an answer without success.

    Where the shop's own errors have a code, a page is a gateway's: that does not know what became of the write.
    """
    why = reason(entity.error, answer)
    if answer.status in NOT_BEGUN:
        return Outcome(Result.FAILED, reason=why)
    if answer.shows_page and entity.error.code:
        return Outcome(Result.UNKNOWN, reason=why)
    version = entity.version
    if version and answer.status in version.stale:
        return Outcome(Result.STALE, reason=why)
    codes = _codes(entity.error, answer)
    if version and version.stale_code in codes - {None}:
        return Outcome(Result.STALE, reason=why)
    if is_missing(entity, answer):
        if operation == "create":
            return Outcome(Result.FAILED, reason=why)
        return Outcome(Result.DONE if operation == "delete" else Result.GONE, reason=why)
    if not codes.isdisjoint(entity.error.later):
        return Outcome(Result.FAILED, reason=why)
    if (answer.status == 408 or answer.status >= 500) and codes.isdisjoint(entity.error.refused):
        # what a gateway says of a request that it passed on is no word of the shop's, known by its error code
        ended = codes != {None} and answer.status not in (502, 504)
        return Outcome(Result.UNKNOWN, reason=why, ended=ended)
    # a conflict is with something else in the shop, such as a record that has the number: that may go
    return Outcome(Result.REFUSED, reason=why, about_another=answer.status == 409)
