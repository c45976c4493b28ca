"""Entries of a list written one by one, between the calls that begin and end such changes where a shop has them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from talk_pipeline.engine.model import ChildEdit, Outcome, Result, Write
from talk_pipeline.flows.values import Value
from talk_pipeline.systems.customwebshop.spec.addresses import call_headers, line_path
from talk_pipeline.systems.customwebshop.spec.calls import Call
from talk_pipeline.systems.customwebshop.spec.ids import Id
from talk_pipeline.systems.customwebshop.spec.lines import Lines
from talk_pipeline.systems.customwebshop.spec.places import read_place
from talk_pipeline.systems.customwebshop.spec.templates import NoPlaceError
from talk_pipeline.systems.customwebshop.wire.answers import document_in, refusal, refused_by
from talk_pipeline.systems.customwebshop.wire.bodies import Composer
from talk_pipeline.systems.customwebshop.wire.choosing import Choice
from talk_pipeline.systems.customwebshop.wire.later import ACCEPTED, NOT_SHOWN
from talk_pipeline.systems.customwebshop.wire.naming import Names
from talk_pipeline.systems.customwebshop.wire.records import Reader
from talk_pipeline.systems.errors import SystemFault
from talk_pipeline.systems.http import Answer


class Sender(Protocol):
    """What sends the requests of one write."""

    reader: Reader
    composer: Composer
    content_type: str

    async def send(
        self, call: Call, method: str, path: str, *, key: str, content: bytes, headers: Mapping[str, str]
    ) -> Answer | Outcome:
        """One request; an outcome instead of an answer when none came."""

    def version_in(self, answer: Answer, record_id: str) -> str | None:
        """The version of the record, where an answer tells it."""


class Entries:
    """The entries of one record's lists.

    Attributes:
        names: what the calls may name; the version in them is that of the last answer that tells it.
    """

    def __init__(self, sender: Sender, write: Write, *, names: Names) -> None:
        self._sender = sender
        self._entity = sender.reader.entity
        self._write = write
        self._id = names.record_id or ""
        self._current = names.record
        self._begun = False
        self.names = names

    async def write(self, name: str, lines: Lines, edits: tuple[ChildEdit, ...]) -> Outcome | None:
        """All edits of a list; None when all were taken. One that is refused gives up what was begun."""
        for call in lines.before:
            answer = await self._about(lines, call)
            if isinstance(answer, Outcome):
                return answer
            self.names = self.names.but(begun=document_in(answer))
        try:
            outcome = await self._changed(name, lines, edits)
        except SystemFault as fault:
            if not (lines.abandon or self._begun):
                raise
            outcome = Outcome(Result.FAILED, reason=str(fault))
        if outcome is None or outcome.result is Result.UNKNOWN:  # which may still be at work
            return outcome
        if self._begun:
            why = f"{name}: a new entry was begun, and then: {outcome.reason}"
            return Outcome(Result.UNKNOWN, reason=why, ended=True)
        return await self._given_up(lines, outcome)

    async def _changed(self, name: str, lines: Lines, edits: tuple[ChildEdit, ...]) -> Outcome | None:
        for at, edit in enumerate(edits):
            outcome = await self._entry(name, lines, edit, key=f"{name}/{at}")
            if outcome is not None:
                return outcome
        for call in lines.after:
            answer = await self._about(lines, call)
            if isinstance(answer, Outcome):
                return answer
        return None

    async def _given_up(self, lines: Lines, outcome: Outcome) -> Outcome:
        for call in lines.abandon:
            try:
                answer = await self._about(lines, call)
            except SystemFault as fault:
                answer = Outcome(Result.FAILED, reason=str(fault))
            if isinstance(answer, Outcome):
                open_still = f"what was begun stays open: {answer.reason}"
                return replace(outcome, reason=f"{outcome.reason}; and {open_still}")
        return outcome

    async def _entry(self, name: str, lines: Lines, edit: ChildEdit, *, key: str) -> Outcome | None:
        """All calls about one entry, which goes by a key of its own; None when all were taken."""
        reader, composer = self._sender.reader, self._sender.composer
        root = reader.values(self._current or {}) | dict(self._write.values)
        said = composer.spoken(name, lines, edit, current=self._current, root=root)
        declared: Sequence[Call] = getattr(lines, edit.operation)
        choice = Choice(declared, operation=edit.operation, values=edit.values, writable=said)
        if not declared or (edit.operation != "delete" and choice.unsaid()):
            why = "; ".join(f"{one}: {text}" for one, text in choice.unsaid().items())
            return Outcome(Result.REFUSED, reason=f"{name}: {why or _untaken(edit.operation)}")
        entry, line = edit, (edit.id, lines.id) if edit.id else None
        for call in choice.made():
            self._begun = lines.made_in_steps and edit.id is None and line is not None
            names = self.names.about(key).but(line=line)
            said = choice.names(call)
            answer = await self._carried(name, lines, call, entry, carried=said, names=names, root=root)
            if isinstance(answer, Outcome):
                return answer
            if answer.status == ACCEPTED and lines.made_in_steps and line is None:
                # what follows has nothing to go to yet: it is told once the entry is there
                return Outcome(Result.UNKNOWN, reason=f"{name}: a new entry {NOT_SHOWN}", awaited=True)
            if call.id is not None:
                line = _made(lines, read_place(call.id, answer.headers, document_in(answer)))
                if line is None:
                    return Outcome(Result.UNKNOWN, reason=f"{name}: the answer has no id at {call.id!r}")
                entry = replace(edit, id=line[0])
        self._begun = False
        return None

    async def _carried(
        self,
        name: str,
        lines: Lines,
        call: Call,
        edit: ChildEdit,
        *,
        carried: Sequence[str],
        names: Names,
        root: Mapping[str, Value],
    ) -> Answer | Outcome:
        """One call about an entry, and the properties that it carries."""
        content = b""
        if edit.operation != "delete" or call.speaks:
            try:
                content = self._sender.composer.line(
                    name,
                    lines,
                    call,
                    edit=edit,
                    current=self._current,
                    root=root,
                    names=carried,
                    known=names.known,
                )
            except NoPlaceError as error:
                return Outcome(Result.REFUSED, reason=str(error))
        method = {"create": "POST", "update": "PATCH", "delete": "DELETE"}[edit.operation]
        if call.body is not None or call.when:
            method = "POST"
        gone = (404, 410) if edit.operation == "delete" else ()
        return await self._sent(lines, call, content, names=names, method=method, well=gone)

    async def _about(self, lines: Lines, call: Call) -> Answer | Outcome:
        """A call that begins changes of a list, carries them out or gives them up."""
        try:
            content = self._sender.composer.around(call, known=self.names.known)
        except NoPlaceError as error:
            return Outcome(Result.REFUSED, reason=str(error))
        return await self._sent(lines, call, content, names=self.names)

    async def _sent(
        self,
        lines: Lines,
        call: Call,
        content: bytes,
        *,
        names: Names,
        method: str = "POST",
        well: tuple[int, ...] = (),
    ) -> Answer | Outcome:
        """An answer that is one; `well` are statuses that say that nothing was left to do."""
        try:
            known = {"record": names.record, "begun": names.begun}
            path = line_path(self._entity, lines, call, names.ids, **known)
            headers = call_headers(call, names.ids, **known)
        except NoPlaceError as error:
            return Outcome(Result.REFUSED, reason=str(error))
        answer = await self._sender.send(
            call,
            call.method or method,
            path,
            key=self._write.idempotency_key,
            content=content,
            headers={"Content-Type": self._sender.content_type, **headers},
        )
        if isinstance(answer, Outcome) or answer.status in well:
            return answer
        if refused := refused_by(self._entity, call, answer):
            return refusal(refused, "update", answer)
        if told := self._sender.version_in(answer, self._id):
            self.names = self.names.but(version=told)
        return answer


def _made(lines: Lines, told: str | None) -> tuple[str, Id] | None:
    """How an entry that was made is called: as others are, or, where an answer says it otherwise, by that."""
    known = lines.id.told(told)
    return (known, lines.id) if known else (told, Id()) if told else None


def _untaken(operation: str) -> str:
    what = {"create": "new entry", "update": "change of an entry", "delete": "removal of an entry"}[operation]
    return f"this shop takes no {what}"
