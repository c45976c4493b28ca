"""Entries of a list written one by one, between the calls that begin and end such changes where a shop has them."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Protocol

from talk_pipeline.engine.model import ChildEdit, Outcome, Result, Write
from talk_pipeline.systems.customwebshop.spec.addresses import line_path
from talk_pipeline.systems.customwebshop.spec.calls import Call
from talk_pipeline.systems.customwebshop.spec.lines import Lines
from talk_pipeline.systems.customwebshop.spec.paths import Json
from talk_pipeline.systems.customwebshop.spec.templates import NoPlaceError
from talk_pipeline.systems.customwebshop.wire.answers import document_in, refusal, refused_by
from talk_pipeline.systems.customwebshop.wire.bodies import Composer
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


class Entries:
    """The entries of one record's lists; `current` is the record as it is known."""

    def __init__(self, sender: Sender, write: Write, *, record_id: str, current: Json) -> None:
        self._sender = sender
        self._entity = sender.reader.entity
        self._write = write
        self._id = record_id
        self._current = current
        self._begun: Json = None

    async def write(self, name: str, lines: Lines, edits: tuple[ChildEdit, ...]) -> Outcome | None:
        """All edits of a list; None when all were taken. One that is refused gives up what was begun."""
        for call in lines.before:
            answer = await self._about(lines, call)
            if isinstance(answer, Outcome):
                return answer
            self._begun = document_in(answer)
        try:
            outcome = await self._changed(name, lines, edits)
        except SystemFault as fault:
            if not lines.abandon:
                raise
            outcome = Outcome(Result.FAILED, reason=str(fault))
        if outcome is None or outcome.result is Result.UNKNOWN:  # which may still be at work
            return outcome
        return await self._given_up(lines, outcome)

    async def _changed(self, name: str, lines: Lines, edits: tuple[ChildEdit, ...]) -> Outcome | None:
        for edit in edits:
            answer = await self._entry(name, lines, edit)
            if isinstance(answer, Outcome):
                return answer
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

    async def _entry(self, name: str, lines: Lines, edit: ChildEdit) -> Answer | Outcome | None:
        call: Call = getattr(lines, edit.operation)
        content = b""
        if edit.operation != "delete" or call.speaks:
            root = self._sender.reader.values(self._current or {}) | dict(self._write.values)
            try:
                content = self._sender.composer.line(
                    name,
                    lines,
                    call,
                    edit=edit,
                    current=self._current,
                    root=root,
                    record_id=self._id,
                    begun=self._begun,
                )
            except NoPlaceError as error:
                return Outcome(Result.REFUSED, reason=str(error))
        method = {"create": "POST", "update": "PATCH", "delete": "DELETE"}[edit.operation]
        if call.body is not None:
            method = "POST"
        gone = (404, 410) if edit.operation == "delete" else ()
        return await self._sent(lines, call, content, line_id=edit.id, method=method, well=gone)

    async def _about(self, lines: Lines, call: Call) -> Answer | Outcome:
        """A call that begins changes of a list, carries them out or gives them up."""
        try:
            content = self._sender.composer.around(call, record_id=self._id, begun=self._begun)
        except NoPlaceError as error:
            return Outcome(Result.REFUSED, reason=str(error))
        return await self._sent(lines, call, content)

    async def _sent(
        self,
        lines: Lines,
        call: Call,
        content: bytes,
        *,
        line_id: str | None = None,
        method: str = "POST",
        well: tuple[int, ...] = (),
    ) -> Answer | Outcome:
        """An answer that is one; `well` are statuses that say that nothing was left to do."""
        try:
            path = line_path(
                self._entity,
                lines,
                call,
                record_id=self._id,
                line_id=line_id,
                record=self._current,
                begun=self._begun,
            )
        except NoPlaceError as error:
            return Outcome(Result.REFUSED, reason=str(error))
        answer = await self._sender.send(
            call,
            call.method or method,
            path,
            key=self._write.idempotency_key,
            content=content,
            headers={"Content-Type": self._sender.content_type, **call.headers},
        )
        if isinstance(answer, Outcome) or answer.status in well:
            return answer
        refused = refused_by(self._entity, call, answer)
        return refusal(refused, "update", answer) if refused else answer
