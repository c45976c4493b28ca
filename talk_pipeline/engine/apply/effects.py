"""What successful requests made: links of created records and children, children written singly or removed.

For a whole batch at once; the answers have landed before.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from talk_pipeline.engine.apply.confirmed import Confirmed
from talk_pipeline.engine.kinds import LinkState
from talk_pipeline.engine.model import Child, Intended, Intent, Outcome
from talk_pipeline.engine.snapshot.dirty import mark_again
from talk_pipeline.engine.snapshot.projection import Projected, Projector, keep
from talk_pipeline.engine.state.connection import Connection, now
from talk_pipeline.engine.state.rows import insert
from talk_pipeline.engine.state.tables import LinkRow
from talk_pipeline.flows.properties import Property
from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.values import Context, UnmappableError, Value

Done = Sequence[tuple[Intent, Outcome]]
Fresh = Mapping[tuple[str, str], list[tuple[str, dict[str, Any]]]]
"""By part and record: the children that no link knows, in their order, with their values."""


def carry_over(db: Connection, projector: Projector, done: Done) -> list[Confirmed]:
    """Puts links, children and removals in place; returns what was confirmed.

    In the transaction of the outcomes, by which the flow has changed in any case.
    """
    made = _Made(projector)
    for intent, outcome in done:
        if intent.main.part == intent.flow:
            made.record(intent, outcome)
        else:
            made.child(intent, child=outcome.child)
    made.children(*_children(db, projector, roots=list(made.waiting)))
    made.write(db)
    return made.confirmed


# links that are there already of children just created: one end of each is gone
_REPLACED = """
with made as (select unnest($parts::varchar[]) as part, unnest($shop_ids::varchar[]) as shop_id,
                     unnest($bc_ids::varchar[]) as bc_id)
select l.part, l.shop_id, m.shop_id from link l join made m on m.part = l.part and m.shop_id = l.shop_id
union
select l.part, l.shop_id, m.shop_id from link l join made m on m.part = l.part and m.bc_id = l.bc_id
"""


class _Made:
    """What a batch of outcomes adds and removes."""

    def __init__(self, projector: Projector) -> None:
        self.projector = projector
        self.side = projector.side
        self.links: list[LinkRow] = []
        self.rows: list[Projected] = []
        self.removed: list[tuple[str, Intended]] = []
        self.deleted: list[Intended] = []
        self.confirmed: list[Confirmed] = []
        # root id on the written side -> its shop id, the request, and the children created along with it
        self.waiting: dict[str, tuple[str, str, list[Intended]]] = {}

    def record(self, intent: Intent, outcome: Outcome) -> None:
        main = intent.main
        if main.operation == "delete":
            self.deleted.append(main)
            return
        if main.operation == "create" and outcome.record is not None:
            main = self._linked(main, key=outcome.record.id, root_shop_id=intent.root_shop_id)
        self._confirm(intent.intent_id, main)
        for child in intent.children:
            if child.operation == "delete":
                self.removed.append((intent.intent_id, child))
            elif child.operation == "update":
                self._confirm(intent.intent_id, child)
            else:
                place = (main.shop_id or "", intent.intent_id, list[Intended]())
                self.waiting.setdefault(main.id_on(self.side) or "", place)[2].append(child)

    def child(self, intent: Intent, *, child: Child | None) -> None:
        main = intent.main
        if main.operation == "delete":
            self.removed.append((intent.intent_id, main))
            return
        if child is not None:
            part = self.projector.flow.part(main.part)
            row = self.projector.project_child(part, intent.target_root_id or "", child)
            self.rows.append(row)
            if main.operation == "create":
                main = self._linked(main, key=row.id, root_shop_id=intent.root_shop_id)
        self._confirm(intent.intent_id, main)

    def children(self, fresh: Fresh, matched: Mapping[tuple[str, str], str]) -> None:
        """Links created children, in their order, to the new ones of the answer whose match value is the one sent.

        Others are some other child's, and left to be matched. One that was matched meanwhile keeps its counterpart.
        """
        for root, (root_shop_id, intent_id, created) in self.waiting.items():
            for child in created:
                if known := matched.get((child.part, child.source_id(self.side) or "")):
                    self._confirm(intent_id, self._placed(child, known))
                    continue
                rows = fresh.get((child.part, root), [])
                part = self.projector.flow.part(child.part)
                match = [part.by_name[prop] for prop in part.match if prop in child.sent]
                for row in rows:
                    key, raw = row
                    if all(_says(prop, raw.get(prop.name), child.sent[prop.name].sent) for prop in match):
                        rows.remove(row)
                        self._confirm(intent_id, self._linked(child, key=key, root_shop_id=root_shop_id))
                        break

    def write(self, db: Connection) -> None:
        removed = [one for _, one in self.removed]
        gone = [(one.part, one.id_on(self.side)) for one in removed]
        replaced = [(row.part, row.id) for row in self.rows]
        _delete(db, "record", "id", pairs=[*gone, *replaced], extra=f" and side = '{self.side}'")
        for table in ("link", "base"):
            _delete(db, table, "shop_id", pairs=[(one.part, one.shop_id) for one in removed])
        for intent_id, one in self.removed:
            self._confirm(intent_id, one)
        self._make_anew(db)
        keep(db, self.rows)
        insert(db, self.links)
        flow = self.projector.flow.name
        mark_again(db, flow, Side.SHOP, ids=[row.shop_id for row in self.links if row.part == flow])
        self._close_deleted(db, flow)

    def _make_anew(self, db: Connection) -> None:
        """A child that was removed on one side and is there again takes the place of the one it was."""
        children = [row for row in self.links if row.part != self.projector.flow.name]
        if not children:
            return
        replaced = db.execute(
            _REPLACED,
            {
                "parts": [row.part for row in children],
                "shop_ids": [row.shop_id for row in children],
                "bc_ids": [row.bc_id for row in children],
            },
        ).fetchall()
        if not replaced:
            return
        for part, old, new in replaced:
            db.execute("update edit set shop_id = ? where part = ? and shop_id = ?", [new, part, old])
        for table in ("base", "link"):
            _delete(db, table, "shop_id", pairs=[(part, old) for part, old, _ in replaced])

    def _close_deleted(self, db: Connection, flow: str) -> None:
        """Both have left now: the link stays as it was, so that nothing is made anew."""
        if not self.deleted:
            return
        ids = [one.id_on(self.side) for one in self.deleted]
        db.execute(
            "update snapshot set gone = 'deleted' where flow = ? and side = ?"
            " and id in (select unnest(?::varchar[]))",
            [flow, str(self.side), ids],
        )
        # should one come back, that is a change
        db.execute(
            "update record set row_hash = null where part = ? and side = ? and id in (select unnest(?::varchar[]))",
            [flow, str(self.side), ids],
        )
        shop_ids = [one.shop_id for one in self.deleted]
        db.execute(
            "update link set state = 'closed' where part = ? and shop_id in (select unnest(?::varchar[]))",
            [flow, shop_ids],
        )
        mark_again(db, flow, Side.SHOP, ids=[shop_id for shop_id in shop_ids if shop_id])

    def _linked(self, one: Intended, *, key: str, root_shop_id: str | None) -> Intended:
        linked = self._placed(one, key)
        root = root_shop_id or linked.shop_id
        self.links.append(
            LinkRow(
                part=linked.part,
                shop_id=linked.shop_id or "",
                bc_id=linked.bc_id,
                root_shop_id=root or "",
                rule="created",
                state=LinkState.ACTIVE,
                linked_at=now(),
            )
        )
        return linked

    def _placed(self, one: Intended, key: str) -> Intended:
        """With the id it has on the side that was written to."""
        return replace(one, shop_id=key) if self.side is Side.SHOP else replace(one, bc_id=key)

    def _confirm(self, intent_id: str, one: Intended) -> None:
        if one.shop_id is not None and one.bc_id is not None:
            self.confirmed.append(
                Confirmed(intent_id, one.part, one.shop_id, one.bc_id, self.side, one.operation, one.sent)
            )


def _says(prop: Property, found: Value, sent: Value) -> bool:
    """Whether what came back is what was sent; a number may come back in another form, such as 3 for 3.0."""
    if found == sent or not prop.is_number:
        return found == sent
    try:
        one, other = (prop.value_type.canonical(value, Context()) for value in (found, sent))
    except UnmappableError:
        return False
    return one == other


def _children(
    db: Connection, projector: Projector, *, roots: list[str]
) -> tuple[Fresh, Mapping[tuple[str, str], str]]:
    """The children of answered records: those that no link knows; of the others the id, by part and counterpart."""
    if not roots:
        return {}, {}
    own, other = projector.side.short, projector.side.other.short
    rows = db.execute(
        f"select r.part, r.root_id, r.id, r.raw, l.{other}_id from record r"
        f" left join link l on l.part = r.part and l.{own}_id = r.id"
        " where r.rowid in (select rowid from record where side = ?"
        " and list_contains(?::varchar[], part) and root_id in (select unnest(?::varchar[]))) order by r.position",
        [projector.side, [part.name for part in projector.flow.parts[1:]], roots],
    ).fetchall()
    found: dict[tuple[str, str], list[tuple[str, dict[str, Any]]]] = {}
    matched: dict[tuple[str, str], str] = {}
    for part, root, key, raw, counterpart in rows:
        if counterpart is None:
            found.setdefault((part, root), []).append((key, raw))
        else:
            matched[part, counterpart] = key
    return found, matched


def _delete(
    db: Connection, table: str, key: str, *, pairs: Sequence[tuple[str, str | None]], extra: str = ""
) -> None:
    if pairs:
        # as a join: to put the two together for each row that there is costs four times as much, or eight
        db.execute(
            f"delete from {table} using (select unnest(?::varchar[]) as part, unnest(?::varchar[]) as {key}) m"
            f" where m.part = {table}.part and m.{key} = {table}.{key}{extra}",
            [[part for part, _ in pairs], [one for _, one in pairs]],
        )
