"""A folder of files as a shop's door: what it exports is read as a whole, and what is to change is put before it.

A write is a file, and its answer what the shop exports later. Until then it is awaited: it is not known whether it
was carried out, nothing more is told about that record, and what was told is not told again.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from datetime import datetime
from heapq import nlargest
from operator import itemgetter
from typing import get_args

from talk_pipeline.engine.model import Operation
from talk_pipeline.systems.customwebshop.spec import paths
from talk_pipeline.systems.customwebshop.spec.description import Description
from talk_pipeline.systems.customwebshop.spec.files import Files, Put, marked
from talk_pipeline.systems.customwebshop.spec.paths import Json
from talk_pipeline.systems.customwebshop.stores.export import Export, Exports, Found
from talk_pipeline.systems.customwebshop.stores.folders import Folder, beside
from talk_pipeline.systems.customwebshop.stores.formats import Sheet, UnwholeError
from talk_pipeline.systems.customwebshop.stores.store import (
    Change,
    GoneError,
    NotDoneError,
    PerhapsDoneError,
    RefusedError,
    Row,
    StaleError,
)
from talk_pipeline.systems.customwebshop.wire.evidence import Evidence, Probe
from talk_pipeline.systems.customwebshop.wire.records import Reader
from talk_pipeline.systems.errors import SystemFault
from talk_pipeline.systems.protocol import MOST_STAMPS, Stamps
from talk_pipeline.wording import counted

PAGE = 1000
_NEWEST: dict[tuple[str, str, str], tuple[Found, list[tuple[str, datetime]]]] = {}
"""What was modified last in which files: sensors ask every half minute, of files that seldom change."""


class FileStore:
    """The files of one shop.

    Args:
        folder: where they lie.
        shop: what is said of them.
    """

    knows_again = False

    def __init__(self, folder: Folder, shop: Description) -> None:
        assert shop.files is not None
        self._folder = folder
        self._said: Files = shop.files
        self._exports = {
            name: Exports(folder, shop.files, entity, shop.xml) for name, entity in shop.collections.items()
        }
        self.name = folder.name
        self.skew_seconds = 0.0

    def open(self) -> None:
        """Proves that the folder is there."""
        self._folder.open()

    def close(self) -> None:
        """Lets go of it."""
        self._folder.close()

    def pages(self, reader: Reader, *, since: datetime | None) -> Iterator[Sequence[Row]]:
        """The records of the export, or of them those modified at or after a moment."""
        rows = list(self._export(reader).rows.values())
        if since is not None:
            rows = [row for row in rows if (at := reader.modified_at(row)) is None or at >= since]
        for start in range(0, len(rows), PAGE):
            yield rows[start : start + PAGE]

    def newest(self, reader: Reader, *, most: int) -> Stamps:
        """When the records modified last were modified; files that are as they were are not read for it again."""
        asked = (self.name, reader.flow.name, reader.reading)
        if asked not in _NEWEST or _NEWEST[asked][0] != self._of(reader).look():
            export = self._of(reader).now()
            stamps = reader.stamps(export.rows.values())
            _NEWEST[asked] = export.found, nlargest(MOST_STAMPS, stamps.items(), key=itemgetter(1))
        return dict(_NEWEST[asked][1][:most])

    def get(self, reader: Reader, record_id: str) -> Row | None:
        """One record as it is exported now."""
        return self._export(reader).rows.get(record_id)

    def keyed(self, reader: Reader, path: str) -> Iterator[Row]:
        """All records."""
        yield from self._export(reader).rows.values()

    def carry_out(self, reader: Reader, change: Change) -> Row | None:
        """Puts one change before the shop.

        Raises:
            PerhapsDoneError: always, where nothing else is raised: what the shop exports later tells.
        """
        export = self._export(reader)
        before = export.rows.get(change.id or "")
        if change.operation != "create":
            if before is None:
                raise GoneError("the record is not among those that the shop exports")
            if not change.fits(before):
                raise StaleError("the shop exports another record than was read")
        after = deepcopy(before or {}) if change.operation == "delete" else change.after(before)
        name = self._put(reader, change, after, export)
        raise PerhapsDoneError(f"put as {name}, and awaited until the shop's export shows it")

    def heard(self, reader: Reader, keys: Sequence[str]) -> Mapping[str, NotDoneError]:
        """What the shop says of changes that its export does not show: what it refused, or left lying.

        A change was put before it once all its files are there: of those that a killed run left, nothing is said.
        """
        put = self._said.put
        if put is None or not keys:
            return {}
        wanted, found = set(keys), dict[str, NotDoneError]()
        told = {name: key for key in keys for name in self._names(reader, put, key)}
        there = {one.name for place in {beside(name) for name in told} for one in self._folder.listed(place)}
        for name, key in told.items():
            if there.issuperset(_and_mark(put, name)):
                found[key] = PerhapsDoneError(f"{name} still lies there")
        for one in self._folder.listed(put.rejected) if put.rejected else ():
            for key in _keys(one.name) & wanted:
                found[key] = RefusedError(self._reason(put, one.name))
        return found

    def look(self, reader: Reader) -> Iterator[Probe]:
        """Whether the files are there and whole, and have what the description says."""
        try:
            export = self._export(reader)
        except SystemFault as fault:
            yield Probe("problem", ("path",), str(fault))
            return
        yield Probe("ok", ("path",), f"{reader.entity.path}: {counted(len(export.rows), 'record')}")
        evidence = Evidence(reader.flow, reader.entity, reader, texts=self._said.format.type != "jsonl")
        sample = list(export.rows.values())[:PAGE]
        if sample:
            yield from evidence.ids(sample)
            yield from evidence.modified(sample)
            yield from evidence.properties(sample, ())
        if self._said.put is None:
            yield Probe("ok", ("path",), "nothing is ever written: the description says no `files.put`")
            return
        put, kinds = self._said.put, (None, *self._of(reader).lists)
        names = [name for kind in kinds for name in self._names(reader, put, "", kind)]
        for place in dict.fromkeys(beside(name) for name in filter(None, (*names, put.rejected))):
            try:
                self._folder.listed(place)
            except SystemFault as fault:
                yield Probe("problem", ("path",), str(fault))

    def _names(self, reader: Reader, put: Put, key: str, within: str | None = None) -> Iterator[str]:
        """What the file of a change may be called, of a record or of a list within, whatever is done with it."""
        entity = reader.flow.customwebshop.entity
        kind = f"{entity}_{within}" if within else entity
        for operation in get_args(Operation):
            if getattr(reader.entity, operation):
                yield _name(put, kind, put.operations.get(operation, operation), key)

    def _of(self, reader: Reader) -> Exports:
        return self._exports[reader.flow.customwebshop.entity]

    def _export(self, reader: Reader) -> Export:
        return self._of(reader).now()

    def _put(self, reader: Reader, change: Change, after: Row, export: Export) -> str:
        """Puts the record's file, after those of its lists: where it is there, they are."""
        put = self._said.put
        assert put is not None, "a shop that nothing is put before has no calls to write"
        kind = reader.flow.customwebshop.entity
        told = put.operations.get(change.operation, change.operation)
        row, contents = after, dict[str, bytes]()
        exports = self._exports[kind]
        for name, lines in exports.lists.items():
            entries = paths.get(row, lines.path or name)
            paths.drop(row, lines.path or name)
            if change.operation == "delete" or not isinstance(entries, list):
                continue
            rows = [
                self._named(entry, lines.parent or "", change.id)
                for entry in entries
                if isinstance(entry, dict)
            ]
            form, like = exports.kinds[name].form, export.like.get(name, Sheet([]))
            contents[_name(put, f"{kind}_{name}", told, change.key)] = form.written(rows, like=like)
        if put.operation is not None:
            paths.put(row, put.operation, told)
        own = _name(put, kind, told, change.key)
        form, like = exports.kinds[Exports.RECORDS].form, export.like.get(Exports.RECORDS, Sheet([]))
        contents[own] = form.written([row], like=like)
        contents |= dict.fromkeys(_and_mark(put, own)[1:], b"")
        *before, last = contents
        try:
            for name in before:
                self._folder.put(name, contents[name])
        except PerhapsDoneError as error:  # what is told is told by the last one
            raise NotDoneError(str(error)) from None
        self._folder.put(last, contents[last])
        return own

    def _named(self, entry: Row, parent: str, record_id: str | None) -> Row:
        """An entry that names its record."""
        if record_id is None or paths.text_of(paths.get(entry, parent)) is not None:
            return entry
        named: Row = dict(entry)
        paths.put(named, parent, record_id)
        return named

    def _reason(self, put: Put, name: str) -> str:
        """Why the shop refused what it was told."""
        where = f"the shop put it into {name}"
        if put.reason is None:
            return where
        content = self._folder.read(name) or b""
        if put.reason == "text":
            return f"{where}: {content.decode('utf-8', 'replace').strip()}"
        for exports in self._exports.values():
            try:
                rows = exports.kinds[Exports.RECORDS].form.read(content).rows
            except UnwholeError:
                continue
            said: Json | None = next((paths.text_of(paths.get(row, put.reason)) for row in rows), None)
            if said:
                return f"{where}: {said}"
        return f"{where}, and says nothing at {put.reason}"


def _keys(name: str) -> set[str]:
    """What may be a key in the name of a file: a word of it."""
    return set(re.split(r"[^0-9A-Za-z]+", name))


def _and_mark(put: Put, name: str) -> list[str]:
    """A record's file, and what marks it as whole where the shop waits for that."""
    return [name, *([marked(put.done, name)] if put.done is not None else [])]


def _name(put: Put, kind: str, told: str, key: str) -> str:
    return put.path.replace("{entity}", kind).replace("{operation}", told).replace("{key}", key)
