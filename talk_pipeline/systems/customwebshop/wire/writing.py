"""Writing one record: the calls this shop needs for it, in their order, each conditional where that is possible."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from urllib.parse import urljoin

from talk_pipeline.engine.model import ChildEdit, Contents, Outcome, Record, Result, Write
from talk_pipeline.systems.customwebshop.spec import paths
from talk_pipeline.systems.customwebshop.spec.addresses import call_headers, call_path, id_at
from talk_pipeline.systems.customwebshop.spec.calls import Call
from talk_pipeline.systems.customwebshop.spec.lines import Lines
from talk_pipeline.systems.customwebshop.spec.paths import Json
from talk_pipeline.systems.customwebshop.spec.places import header_of, read_place
from talk_pipeline.systems.customwebshop.spec.templates import NoPlaceError
from talk_pipeline.systems.customwebshop.wire.answers import (
    denied,
    document_in,
    is_own_word,
    record_in,
    refusal,
    refused_by,
)
from talk_pipeline.systems.customwebshop.wire.bodies import CONTENT, Composer
from talk_pipeline.systems.customwebshop.wire.choosing import Choice
from talk_pipeline.systems.customwebshop.wire.entries import Entries
from talk_pipeline.systems.customwebshop.wire.later import ACCEPTED, SEVERAL, UNSAID, accepted, judged
from talk_pipeline.systems.customwebshop.wire.naming import Names
from talk_pipeline.systems.customwebshop.wire.records import Reader, parse
from talk_pipeline.systems.customwebshop.wire.replacing import refuse_replaced
from talk_pipeline.systems.customwebshop.wire.showing import kept, shows_all
from talk_pipeline.systems.errors import SystemFault
from talk_pipeline.systems.http import Answer, Http, OutcomeUnknownError
from talk_pipeline.systems.protocol import Leaving, unheard

_DEFAULT_PATH = {"create": "{path}", "update": "{item}", "delete": "{item}"}
_DEFAULT_METHOD = {"create": "POST", "update": "PATCH", "delete": "DELETE"}
_NO_ID = Outcome(Result.UNKNOWN, reason="carried out, and the answer does not tell the id")


class Writer:
    """Writes records of one flow."""

    def __init__(
        self,
        http: Http,
        reader: Reader,
        get: Callable[[str], Awaitable[Record | None]],
        *,
        leaving: Leaving = unheard,
    ) -> None:
        self._http = http
        self.address = http.base_url
        self.content_type = http.content_type or CONTENT[reader.entity.bodies]
        self._leaving = leaving
        self._entity = reader.entity
        self.composer = Composer(reader)
        self.reader = reader
        self.get = get
        self.accepted: set[str] = set()  # the keys of writes that are carried out later

    async def write(self, write: Write) -> Outcome:
        """One record, lists included."""
        version, current = write.version, write.current
        if write.operation != "create" and self._look_first(version):
            try:
                record = await self.get(write.id or "")
            except SystemFault as fault:
                return Outcome(Result.FAILED, reason=str(fault))
            if record is None:
                return Outcome(
                    Result.DONE if write.operation == "delete" else Result.GONE, reason="the record is gone"
                )
            if current is None or self._contents(record.payload) != self._contents(current):
                return Outcome(Result.STALE, reason="the record changed since it was read")
            version, current = record.version, record.payload
        return await _Sequence(self, write, version, current).run()

    def _look_first(self, version: str | None) -> bool:
        """Whether a fresh read must show that nothing is newer; a time to the second does not tell."""
        declared = self._entity.version
        condition = (declared.condition or "").lower() if declared else ""
        return declared is None or version is None or condition == "if-unmodified-since"

    def _contents(self, payload: str) -> Contents:
        return self.reader.contents(payload)

    async def send(
        self, call: Call, method: str, path: str, *, key: str, content: bytes, headers: Mapping[str, str]
    ) -> Answer | Outcome:
        """One request of the write that goes by a key; an outcome instead of an answer when none came."""
        try:
            answer = await self._http.write(
                method,
                path,
                content=content,
                headers=headers,
                leaving=lambda: self._leaving([key]),
                own_word=lambda answer: is_own_word(self._entity, call, answer),
            )
        except OutcomeUnknownError as error:
            return Outcome(Result.UNKNOWN, reason=str(error))
        said = denied(self._entity, call, answer) or judged(call, answer)
        if isinstance(said, Answer) and said.status == ACCEPTED:
            self.accepted.add(key)
        return said

    def version_in(self, answer: Answer, record_id: str) -> str | None:
        """The version of the record, where an answer about it tells it."""
        payload = record_in(answer, self._entity)
        told = self.reader.record(payload, headers=answer.headers) if payload else None
        return told.version if told and told.id == record_id else None

    async def confirmed(self, record_id: str) -> Outcome:
        """A write that was carried out, with the record read again."""
        try:
            record = await self.get(record_id)
        except SystemFault as fault:
            return Outcome(Result.UNKNOWN, reason=f"carried out, and not readable since: {fault}")
        if record is None:
            return Outcome(Result.UNKNOWN, reason="carried out, and the record is not there")
        return Outcome(Result.DONE, record=record)


class _Sequence:
    """The calls of one write."""

    def __init__(self, writer: Writer, write: Write, version: str | None, current: str | None) -> None:
        self._writer = writer
        self._reader = writer.reader
        self._entity = writer._entity
        self._composer = writer.composer
        self._write = write
        self._version = version
        self._current = parse(current) if current else None
        self._id = write.id
        self._last: Answer | None = None
        self._partial = False
        self._before = current
        self._made: Json = {}
        self._begun = False
        self._choice = Choice(
            getattr(self._entity, write.operation),
            operation=write.operation,
            values=write.values,
            writable=self._reader.writable(write.values),
        )
        self._untold: dict[str, str] = {}

    async def run(self) -> Outcome:
        """Every call, until one does not succeed; what was made or accepted before that is looked for."""
        try:
            outcome = await self._all()
        except SystemFault as fault:
            if not (self._begun or self._accepted):
                raise
            outcome = Outcome(Result.FAILED, reason=str(fault))
        if self._accepted and outcome.result is not Result.DONE:
            return replace(outcome, result=Result.UNKNOWN, ended=False, awaited=True)
        if self._begun and outcome.result not in (Result.DONE, Result.UNKNOWN):
            return Outcome(Result.UNKNOWN, reason=f"begun, and then: {outcome.reason}", ended=True)
        return outcome

    async def _all(self) -> Outcome:
        calls = self._calls()
        if self._write.operation != "delete":
            self._untold = self._choice.unsaid()
            if self._untold and not calls and not any(self._apart()):
                return _refused(self._untold)
        for call in calls:
            if self._begun and self._id is None and (call.where_named("id") or call.where_named("item")):
                return _NO_ID
            outcome = await self._call(call)
            if call.when and outcome and outcome.result is Result.REFUSED and len(calls) > 1:
                self._untold |= dict.fromkeys(call.when, outcome.reason)  # the rest goes on
            elif outcome is not None:
                return outcome
            if self._write.operation == "create" and self._accepted:
                # what follows has nothing to go to yet: it is told once the record is there
                untold = call is not calls[-1] or any(self._apart())
                return await self._later(known_by=None if untold else self._id)
        for name, lines, edits in self._apart():
            if self._id is None:
                return _NO_ID
            if not (self._current or self._made) and "record:" in (lines.url or ""):
                seen = await self._writer.confirmed(self._id)  # the answer told no more than the id
                if seen.record is None:
                    return seen
                self._made = parse(seen.record.payload)
            self._last, entries = None, Entries(self._writer, self._write, names=self._names)
            outcome = await entries.write(name, lines, edits)
            self._version = entries.names.version
            if outcome is not None:
                return outcome
        if self._accepted:
            return await self._later(known_by=self._id)
        if self._write.operation == "delete":
            return Outcome(Result.DONE)
        outcome = await self._result()
        if self._write.operation == "update" and outcome.record:
            self._version, told = outcome.record.version, [(one, self._choice.names(one)) for one in calls]
            await refuse_replaced(told, self._call, self._reader, before=self._current, after=outcome.record)
        return replace(outcome, untold=self._untold)

    @property
    def _accepted(self) -> bool:
        """Whether the shop said of any of its calls that it will carry it out."""
        return self._write.idempotency_key in self._writer.accepted

    async def _later(self, *, known_by: str | None) -> Outcome:
        """What was accepted, as it shows now; a new record that nobody told the id of shows by what it was sent."""
        said = list(self._choice.writable)
        if self._write.operation == "create":  # what made the record said the rest
            said = [name for call in self._calls()[1:] for name in (*call.when, *self._choice.names(call))]
        values = {name: self._write.values[name] for name in said if name not in self._untold}
        write = replace(self._write, values=values)
        outcome = await accepted(
            self._writer.get, write, self._reader, record_id=known_by, before=self._before
        )
        return replace(outcome, untold=self._untold)

    def _calls(self) -> Sequence[Call]:
        """Those that have something to say."""
        return self._choice.made(
            embeds=lambda call: bool(self._embedded(call)),
            fills=lambda call: any(self._embedded(call).values()),
        )

    @property
    def _names(self) -> Names:
        """What calls may name, as far as it is known by now."""
        key, record = self._write.idempotency_key, self._current or self._made
        return Names(self._entity, key, record_id=self._id, record=record, version=self._version)

    def _embedded(self, call: Call) -> dict[str, tuple[ChildEdit, ...]]:
        """Edits of lists that are part of the record."""
        lists = dict(self._reader.lists())
        return {
            name: edits
            for name, edits in self._write.children.items()
            if not lists[name].singly and self._choice.carrier(name) is call
        }

    def _apart(self) -> Iterable[tuple[str, Lines, tuple[ChildEdit, ...]]]:
        """Edits of lists behind a path of their own."""
        lists = dict(self._reader.lists())
        for name, edits in self._write.children.items():
            if lists[name].singly and edits:
                yield name, lists[name], edits

    async def _call(self, call: Call, instead_of: Call | None = None) -> Outcome | None:
        """One request; `instead_of` is the call that carries what it says."""
        operation, carrier = self._write.operation, instead_of or call
        if call.otherwise and any(paths.get(self._current, one) is paths.MISSING for one in call.along):
            return await self._call(call.otherwise, instead_of=carrier)
        try:
            default, ids = _DEFAULT_PATH[operation], self._names.ids
            path = call_path(self._entity, call, ids, default=default, record=self._current)
            content, headers = self._content(call, carrier), self._headers(call)
        except NoPlaceError as error:
            if call.otherwise:
                return await self._call(call.otherwise, instead_of=carrier)
            return Outcome(Result.REFUSED, reason=str(error))
        asked = call.body is not None or instead_of is not None or bool(call.when)
        method = "POST" if asked else _DEFAULT_METHOD[operation]
        answer = await self._writer.send(
            call,
            call.method or method,
            path,
            key=self._write.idempotency_key,
            content=content,
            headers=headers,
        )
        if isinstance(answer, Outcome):
            return answer
        if refused := refused_by(self._entity, call, answer):
            return refusal(refused, operation, answer)
        self._understand(call, answer)
        return None

    def _content(self, call: Call, carrier: Call) -> bytes:
        """Its body, which says what `carrier` carries."""
        if call.empty or (self._write.operation == "delete" and not call.speaks):
            return b""
        return self._composer.body(
            call,
            names=self._choice.names(carrier),
            values=self._write.values,
            children=self._embedded(carrier),
            current=self._current,
            known=self._names.known,
        )

    def _headers(self, call: Call) -> dict[str, str]:
        own = call_headers(call, self._names.ids, record=self._current)
        headers = {"Content-Type": self._writer.content_type, **own}
        key = self._entity.idempotency_header
        if self._write.operation == "create" and key and self._last is None:
            headers[key] = self._write.idempotency_key
        declared = self._entity.version
        if declared and declared.condition and self._version is not None:
            headers[declared.condition] = self._version
        return headers

    def _understand(self, call: Call, answer: Answer) -> None:
        """What an answer tells for the calls after it: the id of what was made, and its version."""
        open_still = answer.status in (ACCEPTED, SEVERAL)
        self._last, self._partial = answer, call.partial or bool(call.when) or open_still
        if answer.status == SEVERAL:
            self._untold |= dict.fromkeys(self._choice.names(call), UNSAID)
        self._begun = self._write.operation == "create"
        payload = record_in(answer, self._entity)
        answered = self._reader.record(payload).id if payload is not None else None
        if self._id is not None and call.id is None and answered not in (None, self._id):
            self._version = None  # it is about something else, such as an address of the record
            return
        if self._write.operation != "update":
            self._know(call, answer, answered, payload=payload)
        header = header_of(self._entity.version.at) if self._entity.version else None
        told = self._writer.version_in(answer, self._id or "")
        self._version = answer.headers.get(header) if header else told

    def _know(self, call: Call, answer: Answer, answered: str | None, *, payload: str | None) -> None:
        """The id of what was made, from where this answer tells it."""
        if call.id is not None:
            self._id = self._entity.id.told(read_place(call.id, answer.headers, document_in(answer)))
        elif answer.status == ACCEPTED:
            return  # what is told there is the id of the order to make it, or its place, as likely as not
        elif answered is not None:
            self._id, self._made = answered, parse(payload or "")
        elif self._id is None and (location := answer.headers.get("Location")):
            self._id = id_at(self._entity, urljoin(self._writer.address, location))

    async def _result(self) -> Outcome:
        """The record as it is now: from the last answer where that holds all of it, else read again."""
        payload = record_in(self._last, self._entity) if self._last else None
        whole = payload and shows_all(payload, self._write, self._reader, current=self._current)
        if payload is not None and self._last is not None and whole and not self._partial:
            record = self._reader.record(payload, headers=self._last.headers)
            if self._id in (None, record.id):
                return kept(record, self._write, self._reader) or Outcome(Result.DONE, record=record)
        if self._id is None:
            return _NO_ID
        outcome = await self._writer.confirmed(self._id)
        return (kept(outcome.record, self._write, self._reader) if outcome.record else None) or outcome


def _refused(untold: Mapping[str, str]) -> Outcome:
    return Outcome(Result.REFUSED, reason="; ".join(f"{name}: {why}" for name, why in untold.items()))
