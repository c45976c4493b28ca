"""The requests that write one record with its children, in the order the receiving system needs.

A system that embeds children gets one request. Elsewhere the record goes first, then children removed, changed
and added one by one, and last what the system would recalculate after them.
"""

from collections.abc import Mapping
from dataclasses import replace

from talk_pipeline.engine.apply.changesets import Body, Changeset, Composer, RecordChanges
from talk_pipeline.engine.apply.intents import intended, intent_for, target_child_id
from talk_pipeline.engine.model import (
    Child,
    ChildEdit,
    Contents,
    Intended,
    Outcome,
    Record,
    Result,
    Sent,
    Write,
)
from talk_pipeline.engine.recalculation import makes_children_anew, moves_parent
from talk_pipeline.flows.sides import Side
from talk_pipeline.run.fetch import land_records
from talk_pipeline.run.sender import Sender
from talk_pipeline.run.session import Session

GO_ON = (Result.DONE, Result.REFUSED)


class ChangesetWriter:
    """Writes one changeset."""

    def __init__(self, session: Session, sender: Sender, changeset: Changeset) -> None:
        self._session = session
        self._sender = sender
        self.changeset = changeset
        self._system = session.systems[changeset.target]
        self._composer = Composer(changeset.flow, changeset.target, session.company)
        self._version = changeset.version
        self._others_move = False
        self._answered: list[tuple[RecordChanges, Child | None]] = []
        self.needs_reread = False
        self.failed = False

    async def run(self) -> None:
        """Every step, until one shows that the record is no longer what was planned for."""
        if self.changeset.root.operation == "create":
            await self._create()
        elif self.changeset.root.operation == "delete":
            await self._send(
                self._write(self.changeset.root, Body({}, {})), intended(self.changeset.root, {})
            )
        elif self._system.embeds_children:
            await self._update_whole()
        else:
            await self._update_in_steps()

    async def _create(self) -> None:
        changeset = self.changeset
        body = self._composer.create(changeset.root)
        children = [(edit, self._composer.create(edit)) for edit in changeset.children]
        write = self._write(changeset.root, body, children=self._child_edits(children))
        key = changeset.flow.root.by_name[changeset.flow.create_key]
        natural_key = (
            body.values.get(key.bc) if changeset.target is Side.BC else body.values.get(key.shop_paths[0])
        )
        await self._send(
            write, intended(changeset.root, body.sent), children=children, natural_key=natural_key
        )

    async def _update_whole(self) -> None:
        changeset = self.changeset
        body = self._merged(
            self._composer.update(changeset.root, contents=self._contents()),
            self._composer.last(changeset.root),
        )
        children = [(edit, self._child_body(edit)) for edit in changeset.children]
        write = self._write(changeset.root, body, children=self._child_edits(children))
        await self._send(write, intended(changeset.root, body.sent), children=children)

    async def _update_in_steps(self) -> None:
        changeset = self.changeset
        body = self._composer.update(changeset.root, contents=self._contents())
        if body.values:
            outcome = await self._send(self._write(changeset.root, body), intended(changeset.root, body.sent))
            if outcome.result not in GO_ON:
                return
        if makes_children_anew(changeset.root.part, changeset.root.changes):
            return  # its children are other ones now: they are planned anew
        if not body.values and not await self._as_planned():
            self.needs_reread = True
            return
        for edit in changeset.children:
            if not await self._write_child(edit):
                return
        await self._write_last()

    async def _as_planned(self) -> bool:
        """Whether what writing children recalculates in the record itself is what the plan knows of it.

        A child's version says nothing of its record: an edit made there meanwhile would count as recalculated.
        """
        if not any(moves_parent(edit.part) for edit in self.changeset.children):
            return True
        record = await self._system.get(self.changeset.flow.name, self.changeset.target_id or "")
        if record is None:
            return False
        if record.version is None and self.changeset.payload is not None:
            return self._read(record.payload) == self._contents()
        return record.version == self._version

    async def _write_child(self, edit: RecordChanges) -> bool:
        """One child; where it has no version, or writing others moves that, it is looked at before its turn."""
        version = edit.version
        if edit.operation != "create" and (self._others_move or version is None):
            known, version = await self._unmoved(edit)
            if not known:
                self.needs_reread = True
                return False
        if await self._send_child(edit, version):
            return True
        if self._others_move or not self.needs_reread or edit.operation == "create":
            return False
        known, version = await self._unmoved(edit)
        if not known:
            return False
        self._others_move, self.needs_reread = True, False
        return await self._send_child(edit, version)

    async def _send_child(self, edit: RecordChanges, version: str | None) -> bool:
        body = self._child_body(edit)
        write = Write(
            entity=self.changeset.flow.businesscentral.entity,
            operation=edit.operation,
            id=target_child_id(self.changeset, edit),
            version=version,
            values=body.values,
            idempotency_key="",
            child=edit.part.paths[self.changeset.target],
            parent_id=self.changeset.root.id_on(self.changeset.target),
        )
        outcome = await self._send(write, intended(edit, body.sent))
        if outcome.result is Result.DONE:
            self._answered.append((edit, outcome.child))
        return outcome.result in GO_ON

    async def _unmoved(self, edit: RecordChanges) -> tuple[bool, str | None]:
        """Whether a child still holds what the plan knows of it, and its version now."""
        changeset, side = self.changeset, self.changeset.target
        record = await self._system.get(changeset.flow.name, changeset.target_id or "")
        if record is None:
            return False, None
        contents = self._session.decode(changeset.flow, side)(record.payload)
        key = target_child_id(changeset, edit)
        child = next((c for c in contents.children[edit.part.paths[side]] if c.id == key), None)
        if child is None:
            return False, None
        # read as what the plan knows was: references say by what they are told, split texts are laid out
        projector = self._session.projector(changeset.flow, side)
        held = projector.project_child(edit.part, record.id, child).raw
        names = [prop.name for prop in edit.part.properties if prop.dir != "="]
        return all(edit.target.get(name) == held[name] for name in names), child.version

    async def _write_last(self) -> None:
        """What the system recalculates when children change, against the record as it is after them."""
        changeset = self.changeset
        if changeset.children:
            record = await self._system.get(changeset.flow.name, changeset.target_id or "")
            if record is None or self._is_of_before(record):
                return
            land_records(self._session, changeset.flow, changeset.target, records=[record], own=True)
            self._version = record.version
        body = self._composer.last(changeset.root)
        if body.values:
            await self._send(self._write(changeset.root, body), intended(changeset.root, body.sent))

    def _is_of_before(self, record: Record) -> bool:
        """Whether it lacks what was just written, as a cache's answer does: the next fetch tells how it is."""
        contents = self._read(record.payload)
        for edit, answer in self._answered:
            path = edit.part.paths[self.changeset.target]
            shown = {child.id: child.version for child in contents.children[path]}
            key = target_child_id(self.changeset, edit) or ""
            if edit.operation == "delete":
                before = key in shown
            elif answer is None:
                continue
            elif edit.operation == "create":
                before = answer.id not in shown
            else:
                before = edit.version is not None and shown.get(key) == edit.version != answer.version
            if before:
                return True
        return False

    def _child_body(self, edit: RecordChanges) -> Body:
        if edit.operation == "create":
            return self._composer.create(edit)
        if edit.operation == "update":
            return self._composer.update(edit)
        return self._composer.removal(edit)

    def _contents(self) -> Contents | None:
        if self.changeset.payload is None:
            return None
        return self._read(self.changeset.payload)

    def _read(self, payload: str) -> Contents:
        return self._session.decode(self.changeset.flow, self.changeset.target)(payload)

    def _write(
        self, edit: RecordChanges, body: Body, *, children: Mapping[str, tuple[ChildEdit, ...]] | None = None
    ) -> Write:
        return Write(
            entity=self.changeset.flow.entity(self.changeset.target).entity,
            operation=edit.operation,
            id=self.changeset.target_id,
            version=self._version if edit.operation != "create" else None,
            values=body.values,
            idempotency_key="",
            children=children or {},
            current=self.changeset.payload,
        )

    def _child_edits(self, children: list[tuple[RecordChanges, Body]]) -> dict[str, tuple[ChildEdit, ...]]:
        edits: dict[str, list[ChildEdit]] = {}
        for edit, body in children:
            path = edit.part.paths[self.changeset.target]
            one = ChildEdit(edit.operation, target_child_id(self.changeset, edit), body.values)
            edits.setdefault(path, []).append(one)
        return {path: tuple(listed) for path, listed in edits.items()}

    async def _send(
        self,
        write: Write,
        main: Intended,
        *,
        children: list[tuple[RecordChanges, Body]] | None = None,
        natural_key: str | None = None,
    ) -> Outcome:
        along = tuple(intended(edit, body.sent) for edit, body in children or ())
        intent = intent_for(self.changeset, main, children=along, natural_key=natural_key)
        outcome = await self._sender.send(intent, replace(write, idempotency_key=intent.intent_id))
        self._understand(outcome)
        return outcome

    def _understand(self, outcome: Outcome) -> None:
        if outcome.record is not None:
            self._version = outcome.record.version
        if outcome.result in (Result.STALE, Result.GONE):
            self.needs_reread = True
        self.failed = self.failed or outcome.result in (Result.FAILED, Result.UNKNOWN)

    @staticmethod
    def _merged(*bodies: Body) -> Body:
        values: dict[str, str | None] = {}
        sent: dict[str, Sent] = {}
        for body in bodies:
            values |= body.values
            sent |= body.sent
        return Body(values, sent)
