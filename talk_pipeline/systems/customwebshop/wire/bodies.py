"""What a write says: the values of a record on their places, wrapped as this shop wants them."""

import copy
from collections.abc import Iterable, Mapping
from urllib.parse import urlencode

from talk_pipeline.engine.model import ChildEdit
from talk_pipeline.flows.values import Value
from talk_pipeline.systems.customwebshop.spec import paths
from talk_pipeline.systems.customwebshop.spec.calls import Call
from talk_pipeline.systems.customwebshop.spec.fields import Field
from talk_pipeline.systems.customwebshop.spec.lines import Lines
from talk_pipeline.systems.customwebshop.spec.paths import MISSING, Json
from talk_pipeline.systems.customwebshop.spec.templates import NOTHING, Known
from talk_pipeline.systems.customwebshop.wire.answers import UnexpectedShapeFault
from talk_pipeline.systems.customwebshop.wire.records import APART, Reader, row_id, rows_of
from talk_pipeline.systems.customwebshop.wire.wrapping import accompanied, completed, pairs, wrapped

CONTENT = {"json": "application/json", "form": "application/x-www-form-urlencoded"}
"""What a body is, by how a description says that bodies are written."""


class Composer:
    """Bodies for one flow's records."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._entity = reader.entity

    def body(
        self,
        call: Call,
        *,
        names: Iterable[str],
        values: Mapping[str, Value],
        children: Mapping[str, tuple[ChildEdit, ...]],
        current: Json,
        known: Known = NOTHING,
    ) -> bytes:
        """The body of a call.

        Args:
            call: which call.
            names: the properties it carries.
            values: all that changes.
            children: edits of lists that are part of the record and carried by this call.
            current: the record as it is, or nothing.
            known: what names in braces stand for.
        """
        before = current if isinstance(current, dict) else {}
        body: dict[str, Json] = {}
        if call.whole:
            joined = {APART, *(f"@{name}" for name in self._entity.parts)}  # other @ are the record's own
            body = {key: copy.deepcopy(value) for key, value in before.items() if key not in joined}
        current_values = self._reader.values(before)
        wanted = current_values | dict(values)
        fields = self._reader.fields()
        if call.whole:
            names = [*_written_elsewhere(fields), *names]
        self._put(body, names, values=wanted, current_values=current_values, fields=fields, current=before)
        for name, lines in self._reader.lists():
            if lines.single:
                self._put_single(body, name, lines, children.get(name, ()), current=before, root=wanted)
            elif name in children or (call.whole and lines.path is not None):
                entries = rows_of(before, name, lines)
                rows = self._rows(name, lines, entries, children.get(name, ()), root=wanted)
                where = lines.write or lines.path or name
                # what stands where lines are only written is none of theirs, such as a link to them
                there = paths.get(before, where) if where == lines.path else None
                paths.put(body, where, _keyed(name, lines, rows, there) if isinstance(there, dict) else rows)
        if call.objects == "whole":
            body = {key: completed(value, before.get(key)) for key, value in body.items()}
        if call.whole or call.objects == "whole":
            for path in (*self._entity.read_only, *call.without):
                paths.drop(body, path)
        return self._encoded(
            call, accompanied(call, body, before, nothing=self._reader.nothing), known, before
        )

    def _put_single(
        self,
        body: dict[str, Json],
        name: str,
        lines: Lines,
        edits: tuple[ChildEdit, ...],
        *,
        current: Json,
        root: Mapping[str, Value],
    ) -> None:
        """Edits of the only entry on their places in the record; one that goes leaves what says so."""
        for edit in edits:
            if edit.operation == "delete":
                for path, value in (lines.remove or {}).items():
                    paths.put(body, path, value)
                continue
            before = self._reader.line_values(name, current, root=root) if current else {}
            self._put(
                body,
                edit.values,
                values=before | dict(edit.values),
                current_values=before,
                fields=self._reader.fields(name),
                current=current,
                known=root,
            )

    def line(
        self,
        name: str,
        lines: Lines,
        call: Call,
        *,
        edit: ChildEdit,
        current: Json,
        root: Mapping[str, Value],
        names: Iterable[str],
        known: Known,
    ) -> bytes:
        """The body of a call about one entry of a list behind a path of its own; `names` are what it carries."""
        row = self.row(name, lines, edit, current=current)
        body = self._line(name, lines, row, edit, root=root, whole=call.whole, names=names)
        if not call.whole:
            paths.drop(body, lines.id.path)  # the address names it, and many shops refuse it in the body
        if lines.parent and edit.id is None:
            paths.put(body, lines.parent, known.told["id"])
        if call.objects == "whole":
            before = row if isinstance(row, dict) else {}
            body = {key: completed(value, before.get(key)) for key, value in body.items()}
        if call.whole or call.objects == "whole":
            for path in (*lines.read_only, *call.without):
                paths.drop(body, path)
        return self._encoded(call, accompanied(call, body, row, nothing=self._reader.nothing), known)

    def row(self, name: str, lines: Lines, edit: ChildEdit, *, current: Json) -> Json:
        """The entry that an edit is about, as it is; an empty one where it is new."""
        rows = enumerate(rows_of(current, name, lines))
        return next((row for at, row in rows if row_id(lines, row, at) == edit.id), {})

    def spoken(
        self, name: str, lines: Lines, edit: ChildEdit, *, current: Json, root: Mapping[str, Value]
    ) -> list[str]:
        """The properties that an edit of an entry says: what changes, and what moves on the wire with that."""
        row = self.row(name, lines, edit, current=current)
        before = self._reader.line_values(name, row, root=root) if row else {}
        return self._spoken(name, edit, before)

    def _spoken(self, name: str, edit: ChildEdit, before: Mapping[str, Value]) -> list[str]:
        wanted = {**before, **edit.values}
        moved = _dependent(self._reader.fields(name), edit.values)
        filled = [one for one in moved if wanted.get(one) is not None]
        return self._reader.writable((*edit.values, *filled), name)

    def around(self, call: Call, *, known: Known) -> bytes:
        """The body of a call that begins or ends changes of a list, in which `{id}` is the record's."""
        return self._encoded(call, {}, known)

    def _encoded(self, call: Call, body: Json, known: Known, current: Json = None) -> bytes:
        """A body as this shop takes it."""
        if call.empty:
            return b""
        body = wrapped(call, body, known, current=current)
        if self._entity.bodies == "form":
            return urlencode([*pairs(body)]).encode()
        return paths.encoded(body)

    def _rows(
        self,
        name: str,
        lines: Lines,
        current: list[Json],
        edits: tuple[ChildEdit, ...],
        *,
        root: Mapping[str, Value],
    ) -> list[Json]:
        """The list as it is to be sent."""
        by_id = {edit.id: edit for edit in edits if edit.id is not None}
        rows: list[Json] = []
        for at, row in enumerate(current):
            edit = by_id.get(row_id(lines, row, at))
            if edit is None and lines.untouched == "omitted":
                continue
            if edit is not None and edit.operation == "delete":
                if lines.remove is not None:
                    rows.append(self._named(name, lines, row) | dict(lines.remove))
                continue
            whole = lines.untouched == "whole"
            rows.append(
                self._line(name, lines, row, edit, root=root, whole=whole)
                if edit
                else self._unchanged(name, lines, row, root=root, whole=whole)
            )
        added = [edit for edit in edits if edit.operation == "create"]
        return rows + [self._line(name, lines, {}, edit, root=root, whole=False) for edit in added]

    def _line(
        self,
        name: str,
        lines: Lines,
        row: Json,
        edit: ChildEdit,
        *,
        root: Mapping[str, Value],
        whole: bool,
        names: Iterable[str] | None = None,
    ) -> dict[str, Json]:
        body: dict[str, Json] = {}
        if row:
            body = self._unchanged(name, lines, row, root=root, whole=whole)
        elif edit.id is None:
            told = {path: value for path, value in lines.where.items() if value}
            for path, value in {**told, **lines.constants}.items():
                paths.put(body, path, value)
        current_values = self._reader.line_values(name, row, root=root) if row else {}
        self._put(
            body,
            self._spoken(name, edit, current_values) if names is None else names,
            values=current_values | dict(edit.values),
            current_values=current_values,
            fields=self._reader.fields(name),
            current=row,
            known=root,
        )
        return body

    def _unchanged(
        self, name: str, lines: Lines, row: Json, *, root: Mapping[str, Value], whole: bool
    ) -> dict[str, Json]:
        """An entry as it is, or no more of it than its id."""
        if not whole:
            return self._named(name, lines, row)
        entry = copy.deepcopy(row) if isinstance(row, dict) else {}  # which it is: reading checks that
        fields, values = self._reader.fields(name), self._reader.line_values(name, row, root=root)
        names = _written_elsewhere(fields)
        self._put(entry, names, values=values, current_values=values, fields=fields, current=row, known=root)
        for path in lines.read_only:
            paths.drop(entry, path)
        return entry

    def _named(self, name: str, lines: Lines, row: Json) -> dict[str, Json]:
        named: dict[str, Json] = {}
        entry_id = paths.get(row, lines.id.path)
        if entry_id is MISSING:
            text = f"{name}: an entry has no {lines.id}, by which alone it could be named"
            raise UnexpectedShapeFault(f"children.{name}.id", text)
        paths.put(named, lines.id.path, entry_id)
        return named

    def _put(
        self,
        body: dict[str, Json],
        names: Iterable[str],
        *,
        values: Mapping[str, Value],
        current_values: Mapping[str, Value],
        fields: Mapping[str, Field],
        current: Json,
        known: Mapping[str, Value] | None = None,
    ) -> None:
        """Puts properties on their places; one that held something and is blank now is said, wherever that is."""
        seen = {**(known or {}), **values}
        for name in names:
            field = fields[name]
            if not field.writable:
                continue
            if field.join:
                for path, part in field.parts(values[name]).items():
                    _place(body, path, part, current=current, emptied=current_values.get(name) is not None)
                    if part is None:
                        self._blank(body, path, "text")
                continue
            wire = field.encode(values[name], known=seen, times=self._reader.times)
            if wire is None and field.emptied:
                paths.put(body, field.emptied, None)
                continue
            for path in field.targets(name):
                _place(body, path, wire, current=current, emptied=current_values.get(name) is not None)
                if wire is None:
                    self._blank(body, path, field.type)

    def _blank(self, body: dict[str, Json], path: str, kind: str) -> None:
        """Makes nothing what the shop calls so, where there is a place for it."""
        said, texts = self._entity.blank, kind in ("text", "html")
        wire = False if said is False and kind != "bool" else "" if said == "empty" and texts else None
        if wire is not None and paths.get(body, path) is None:
            paths.put(body, path, wire)


def _place(body: dict[str, Json], path: str, value: Json, *, current: Json, emptied: bool) -> None:
    """Sets one place; a list on the way is sent whole, since that is what every shop understands.

    Where a value is read elsewhere than it is written, the list at hand may lack the entry that is to be emptied.
    """
    names = paths.lists_on(path)
    if names:
        where = ".".join(f"['{name}']" if "." in name else name for name in names)
        if paths.get(body, where) is MISSING:
            current_list = paths.get(current, where)
            if value is None and not (emptied or isinstance(current_list, list)):
                return  # a list that would be made for nothing says that there are no entries
            paths.put(body, where, copy.deepcopy(current_list) if isinstance(current_list, list) else [])
    paths.put(body, path, value, adding=emptied)


def _keyed(name: str, lines: Lines, rows: Iterable[Json], there: Mapping[str, Json]) -> dict[str, Json]:
    """Entries as a shop has them that keys them by their ids."""
    keys = {lines.id.read(row): key for key, row in there.items()}
    keyed = {keys.get(lines.id.read(row)): row for row in rows}
    if None in keyed:
        text = f"{name}: the shop keys them by their ids, and a new one has none: say under `url` how it is added"
        raise UnexpectedShapeFault(f"children.{name}", text)
    return {key: row for key, row in keyed.items() if key is not None}


def _written_elsewhere(fields: Mapping[str, Field]) -> list[str]:
    """The properties a whole object must name at the place where they are written."""
    return [name for name, field in fields.items() if isinstance(field.write, str | tuple)]


def _dependent(fields: Mapping[str, Field], changed: Mapping[str, Value]) -> list[str]:
    """The properties whose place on the wire moves with those that change."""
    moved = [
        name
        for name, field in fields.items()
        if name not in changed and field.inputs and set(field.inputs) & set(changed)
    ]
    further = [
        name
        for name, field in fields.items()
        if name not in changed and name not in moved and set(field.inputs) & set(moved)
    ]
    return [*moved, *further]
