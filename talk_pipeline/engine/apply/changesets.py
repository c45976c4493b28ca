"""Planned changes gathered into what is written together, and the values that go into each request.

A changeset is one record of the flow with its children, towards one side. Composing knows what goes along,
blanks, references and the order of properties; sending is the business of `run`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from talk_pipeline.engine.model import UNDO, Contents, Operation, Sent
from talk_pipeline.engine.recalculation import sent_along
from talk_pipeline.engine.snapshot.columns import Company
from talk_pipeline.engine.state.connection import Connection
from talk_pipeline.flows.properties import Property
from talk_pipeline.flows.referring import told_by, written
from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.splitting import Group, in_one
from talk_pipeline.flows.values import Value, tidy
from talk_pipeline.flows.vocabulary import Flow, Part


@dataclass(frozen=True, slots=True)
class Change:
    """One property to be written."""

    before: Value
    after: Value
    rule: str
    conflict: bool


@dataclass(frozen=True, slots=True)
class RecordChanges:
    """What is to be written of one record or child.

    Attributes:
        source: raw values of the side it comes from; empty on delete.
        target: raw values of the side it goes to; empty on create.
        version: the child's own version on the target side.
        references: property -> the referenced record, as the target side is told it.
        position: among its siblings on the side it comes from.
    """

    part: Part
    operation: Operation
    shop_id: str | None
    bc_id: str | None
    changes: Mapping[str, Change]
    source: Mapping[str, Value]
    target: Mapping[str, Value]
    version: str | None
    references: Mapping[str, str]
    position: int

    def id_on(self, side: Side) -> str | None:
        """The record's id on a side."""
        return self.shop_id if side is Side.SHOP else self.bc_id


@dataclass(frozen=True, slots=True)
class Changeset:
    """One record of a flow with its children, as it is to be written to one side.

    Attributes:
        version: of the target's record, the condition of the write.
        payload: the target's record as last seen.
    """

    flow: Flow
    target: Side
    root_shop_id: str | None
    root_bc_id: str | None
    root: RecordChanges
    children: tuple[RecordChanges, ...]
    version: str | None
    payload: str | None

    @property
    def target_id(self) -> str | None:
        """The id of the record written, None before it is created."""
        return None if self.root.operation == "create" else self.root.id_on(self.target)

    @property
    def name(self) -> str:
        """The record for a person."""
        return f"{self.flow.name} {self.root_shop_id or self.root_bc_id}"


@dataclass(frozen=True, slots=True)
class Body:
    """The values of one request by target path, and what they mean by property."""

    values: Mapping[str, Value]
    sent: Mapping[str, Sent]


_IN_TURN = ("delete", "update", "create")

_PENDING_ROOTS = """
select root_shop_id, root_bc_id from change
where flow = $flow and target = $target and hold_kind is null
group by all order by root_shop_id, root_bc_id
"""


def pending_roots(db: Connection, flow: Flow, target: Side) -> list[tuple[str | None, str | None]]:
    """The records with something to write to a side, as (shop id, Business Central id)."""
    return db.execute(_PENDING_ROOTS, {"flow": flow.name, "target": target}).fetchall()


def pending_changesets(
    db: Connection, flow: Flow, target: Side, *, roots: list[tuple[str | None, str | None]]
) -> list[Changeset]:
    """The changesets of some of the pending records, in their order."""
    return _Loader(db, flow, target).load(roots)


class _Loader:
    """Reads all that a set of changesets needs in a handful of queries."""

    def __init__(self, db: Connection, flow: Flow, target: Side) -> None:
        self.db = db
        self.flow = flow
        self.target = target
        self.order = {part.name: at for at, part in enumerate(flow.parts)}

    def load(self, roots: list[tuple[str | None, str | None]]) -> list[Changeset]:
        shop_ids = [shop_id for shop_id, _ in roots if shop_id]
        bc_ids = [bc_id for _, bc_id in roots if bc_id]
        self.records = self._records(Side.SHOP, shop_ids) | self._records(Side.BC, bc_ids)
        self.links = self._links()
        target_ids = shop_ids if self.target is Side.SHOP else bc_ids
        rows = self.db.execute(
            "select id, version, payload from snapshot where rowid in ("
            "select rowid from snapshot where flow = ? and side = ? and id in (select unnest(?::varchar[])))",
            [self.flow.name, self.target, target_ids],
        ).fetchall()
        snapshots = {row[0]: row[1:] for row in rows}
        changes = self._changes(roots)
        return [self._unit(root, changes[root], snapshots) for root in roots]

    def _records(self, side: Side, roots: list[str]) -> dict[tuple[str, str, str], tuple[Any, ...]]:
        rows = self.db.execute(
            "select part, side, id, version, raw, position from record where rowid in ("
            "select rowid from record where side = ? and list_contains(?::varchar[], part)"
            " and root_id in (select unnest(?::varchar[])))",
            [side, [part.name for part in self.flow.parts], roots],
        ).fetchall()
        return {(row[0], row[1], row[2]): row for row in rows}

    def _links(self) -> dict[tuple[str, str, str], str]:
        """(flow, what it is told by, id on the source side) -> as the target is told, for every reference."""
        source, wanted = self.target.other, set()
        for row in self.records.values():
            for prop in self.flow.part(row[0]).references:
                if row[1] == source and row[4].get(prop.name):
                    wanted.add((prop.refers_to, told_by(prop, self.target), row[4][prop.name]))
        if not wanted:
            return {}
        # where all are told by the id, as most are, what else a record is called is not looked for
        by_id = "from (select *, '' as told_by from counterpart)"
        rows = self.db.execute(
            f"select part, told_by, id, other_id {'from said' if any(one[1] for one in wanted) else by_id}"
            " where side = ? and list_contains(?::varchar[], part) and id in (select unnest(?::varchar[]))",
            [source, *(list({one[at] for one in wanted}) for at in (0, 2))],
        ).fetchall()
        return {tuple(row[:3]): row[3] for row in rows}

    def _changes(self, roots: list[tuple[str | None, str | None]]) -> dict[Any, dict[Any, dict[str, Change]]]:
        rows = self.db.execute(
            "select root_shop_id, root_bc_id, part, operation, shop_id, bc_id, property, before, after, rule,"
            " conflict from change where flow = ? and target = ? and hold_kind is null"
            " and coalesce(root_shop_id, root_bc_id) in (select unnest(?::varchar[])) order by all",
            [self.flow.name, self.target, [shop_id or bc_id for shop_id, bc_id in roots]],
        ).fetchall()
        gathered: dict[Any, dict[Any, dict[str, Change]]] = {root: {} for root in roots}
        for root_shop, root_bc, part, operation, shop_id, bc_id, prop, *change in rows:
            edits = gathered.get((root_shop, root_bc))
            if edits is not None:
                edits.setdefault((part, operation, shop_id, bc_id), {})[prop] = Change(*change)
        return gathered

    def _unit(
        self,
        root: tuple[str | None, str | None],
        edits: dict[Any, dict[str, Change]],
        snapshots: Mapping[str, tuple[str | None, str]],
    ) -> Changeset:
        shop_id, bc_id = root
        target_id = shop_id if self.target is Side.SHOP else bc_id
        version, payload = snapshots.get(target_id or "", (None, None))
        own = [self._edit(key, changes) for key, changes in edits.items() if key[0] == self.flow.name]
        children = [self._edit(key, changes) for key, changes in edits.items() if key[0] != self.flow.name]
        untouched = self._edit((self.flow.name, "update", shop_id, bc_id), {})
        children.sort(key=self._line_order)
        return Changeset(
            self.flow,
            self.target,
            shop_id,
            bc_id,
            root=own[0] if own else untouched,
            children=tuple(children),
            version=version,
            payload=payload,
        )

    def _line_order(self, edit: RecordChanges) -> tuple[int, int, int]:
        """Deletions, updates, additions; each collection by collection, as the source has them."""
        return _IN_TURN.index(edit.operation), self.order[edit.part.name], edit.position

    def _edit(
        self, key: tuple[str, Operation, str | None, str | None], changes: dict[str, Change]
    ) -> RecordChanges:
        name, operation, shop_id, bc_id = key
        part = self.flow.part(name)
        source_id, target_id = (shop_id, bc_id) if self.target is Side.BC else (bc_id, shop_id)
        source = self.records.get((name, str(self.target.other), source_id or ""))
        target = self.records.get((name, str(self.target), target_id or ""))
        raw = source[4] if source else {}
        references = {
            prop.name: self.links[told]
            for prop in part.references
            if (told := (prop.refers_to or "", told_by(prop, self.target), raw.get(prop.name) or ""))
            in self.links
        }
        return RecordChanges(
            part,
            operation,
            shop_id,
            bc_id,
            changes=changes,
            source=raw,
            target=target[4] if target else {},
            version=target[3] if target else None,
            references=references,
            position=source[5] if source else 0,
        )


@dataclass(frozen=True, slots=True)
class Composer:
    """Turns edits into the values of a request."""

    flow: Flow
    target: Side
    company: Company

    def create(self, edit: RecordChanges) -> Body:
        """Every writable property, blanks too: what is not said would be filled in from elsewhere.

        A blank that the flow has no word for is left to the receiver.
        """
        series = self.flow.settings.number == "series" and self.target is Side.BC
        props = [
            prop
            for prop in edit.part.properties
            if (prop.comes_with_new(self.target) or self._names_the_record(edit.part, prop))
            and prop.written is None
            and not (series and prop.name == self.flow.create_key)
            and not (prop.wordless(self.target) and edit.source.get(prop.name) is None)
        ]
        body = self._body(edit, props, contents=None)
        return replace(body, values=new_values(edit.part, self.target, body.values))

    def update(self, edit: RecordChanges, *, contents: Contents | None = None) -> Body:
        """The changed properties and what goes along with them; those written last are left out."""
        names = {name for name in edit.changes if edit.part.by_name[name].written is None}
        names |= sent_along(edit.part, names)
        for group in edit.part.splits:
            parts = {prop.name for prop in group}
            if names & parts and not self._stands_as_read(group, edit, contents):
                names |= parts
        props = [prop for prop in edit.part.properties if prop.name in names and self._takes(edit, prop)]
        return self._body(edit, props, contents=contents)

    def removal(self, edit: RecordChanges) -> Body:
        """Nothing is said; what goes with it is noted where somebody had just changed it."""
        lost = {name: one for name, one in edit.changes.items() if one.conflict}
        return Body(
            {}, {name: Sent(None, None, one.before, one.rule, conflict=True) for name, one in lost.items()}
        )

    def last(self, edit: RecordChanges) -> Body:
        """The properties that go after the children."""
        props = [prop for prop in edit.part.properties if prop.written and prop.name in edit.changes]
        return self._body(edit, props, contents=None)

    def _takes(self, edit: RecordChanges, prop: Property) -> bool:
        """A change of what comes with a new record alone is planned where that record was only begun."""
        return prop.comes_with_new(self.target) and (prop.only is None or prop.name in edit.changes)

    def _names_the_record(self, part: Part, prop: Property) -> bool:
        """A record new in the shop needs its key there, though later edits of it stay with each side."""
        return part.name == self.flow.name and prop.name == self.flow.create_key and bool(prop.shop_paths)

    def _body(self, edit: RecordChanges, props: list[Property], *, contents: Contents | None) -> Body:
        sent = {prop.name: self._sent(edit, prop) for prop in props}
        said = [(prop, self._path(prop, contents), sent[prop.name].sent) for prop in props]
        return Body(placed(edit.part, self.target, said), sent)

    def _stands_as_read(self, group: Group, edit: RecordChanges, contents: Contents | None) -> bool:
        """Whether each part of a text that is split is at a place of its own: else all of it is written."""
        return contents is not None and all(
            tidy(contents.values.get(path)) == edit.target.get(prop.name)
            for prop in group
            for path in prop.paths(self.target)
        )

    def _sent(self, edit: RecordChanges, prop: Property) -> Sent:
        change = edit.changes.get(prop.name)
        current = edit.target.get(prop.name)
        if change is None and edit.operation == "update":
            return Sent(source=None, sent=current, before=current)
        if change is not None and change.rule == UNDO:
            # what stands in for a blank is no record of the shop's
            said = None if self.target is Side.SHOP and prop.stands_in(change.after) else change.after
            return Sent(source=None, sent=said, before=current, rule=UNDO)
        source = edit.source.get(prop.name) if change is None else change.after
        if prop.refers_to:
            outgoing = edit.references.get(prop.name)
        else:
            toward_shop = self.target is Side.SHOP
            context = self.company.context(edit.source, current=current, toward_shop=toward_shop)
            outgoing = prop.convert(self.target, value=source, context=context)
        rule, conflict = (change.rule, change.conflict) if change else ("create", False)
        return Sent(source=source, sent=outgoing, before=current, rule=rule, conflict=conflict)

    def _path(self, prop: Property, contents: Contents | None) -> str:
        """Where to write: with several paths, the one that supplied the value the receiver has now."""
        paths = prop.paths(self.target)
        filled = (path for path in paths if contents and tidy(contents.values.get(path)) is not None)
        return next(filled, paths[0])


def placed(part: Part, target: Side, said: Iterable[tuple[Property, str, Value]]) -> dict[str, Value]:
    """What is said to a side, by path; of a text that is split the parts that share a place are one text there."""
    values: dict[str, Value] = {}
    split = {prop.name for group in part.splits for prop in group}
    for prop, path, value in said:
        before = values.get(path) if prop.name in split else None
        word = written(prop, target, value)
        values[path] = in_one((before, word)) if before else word
    return values


def new_values(part: Part, target: Side, values: Mapping[str, Value]) -> dict[str, Value]:
    """The values of a new record or child; one of a child collection gets what makes it belong there first."""
    belongs = part.parent is not None and target is Side.BC
    return {**({path: one[0] for path, one in part.alternatives.items()} if belongs else {}), **values}
