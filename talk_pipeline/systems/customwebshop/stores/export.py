"""What a shop exports of one entity, as of one moment: files that belong together, read while none of them changes.

A shop that is just writing is not a shop whose records were deleted. So an export is believed only if the files
are the same before and after they are read and were not written to lately, if each is whole by its own form, by its
mark and by its count where there are such, if each line has its record and each record its lines, and if there is
anything in it at all. Else nothing is read, and the next run looks again.
"""

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from talk_pipeline.systems.customwebshop.spec import paths
from talk_pipeline.systems.customwebshop.spec.description import Entity
from talk_pipeline.systems.customwebshop.spec.files import Files, marked
from talk_pipeline.systems.customwebshop.spec.lines import Lines
from talk_pipeline.systems.customwebshop.spec.xml import Xml
from talk_pipeline.systems.customwebshop.stores.folders import Folder, Seen, beside
from talk_pipeline.systems.customwebshop.stores.formats import Form, Sheet, UnwholeError
from talk_pipeline.systems.customwebshop.stores.store import Row
from talk_pipeline.systems.errors import UnavailableFault

TRIES = 3
"""How often files that change while they are read are read again, before the next run looks."""
SURELY_OLD = 24 * 3600.0
"""A file so many seconds old is no young one: a server's clock may be off by a time zone, and hardly by a day."""
_SINCE: dict[tuple[str, str], tuple["Found", float]] = {}
"""Since when which files are as they are, where a server dates them: sensors ask every half minute."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of file.

    Attributes:
        pattern: by which its files are found.
        form: what they look like.
    """

    pattern: str
    form: Form

    def stamp(self, name: str) -> str:
        """What stands in a name where the pattern has a sign for anything."""
        last = self.pattern.rpartition("/")[2]
        sign = re.search(r"[*?]|\[.*?\]", last)
        if sign is None:
            return ""
        before, after = last[: sign.start()], re.search(r"[^*?\]]*$", last)
        end = len(after[0]) if after else 0
        own = name.rpartition("/")[2]
        return own[len(before) : len(own) - end]


@dataclass(frozen=True, slots=True)
class Found:
    """What there is: files of each kind in the order of their stamps, and the marks that say which are whole."""

    files: Mapping[str, Sequence[Seen]]
    marks: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Export:
    """The records of an entity by id, lists inside them, and a file of each kind: what is written is like it."""

    found: Found
    rows: Mapping[str, Row]
    like: Mapping[str, Sheet]


class Exports:
    """What a shop exports of one entity.

    Args:
        folder: where it lies.
        files: what is said of all files.
        entity: what is said of the entity.
        xml: what is said of XML.
    """

    RECORDS = ""
    """The kind of file that has the records themselves; others are named as the list whose entries they have."""

    def __init__(self, folder: Folder, files: Files, entity: Entity, xml: Xml | None) -> None:
        self._folder = folder
        self._files = files
        self._entity = entity
        self.lists: dict[str, Lines] = {
            name: lines for name, lines in entity.children.items() if lines.file is not None
        }
        own = Form(files, xml, records=entity.records, columns=entity.columns)
        self.kinds = {self.RECORDS: Kind(entity.path, own)} | {
            name: Kind(lines.file or "", Form(files, xml, records=lines.records, columns=lines.columns))
            for name, lines in self.lists.items()
        }
        self._read: Export | None = None

    def now(self) -> Export:
        """What is exported now; read anew only where the files are others than before.

        Raises:
            UnavailableFault: it is not whole, or changes all the while.
        """
        for _ in range(TRIES):
            found = self.look()
            if self._read is not None and self._read.found == found:
                return self._read
            if not self._is_quiet(found):
                continue
            seen = [one for listed in found.files.values() for one in listed]
            contents = {one.name: self._folder.read(one.name) or b"" for one in seen}
            if all(len(contents[one.name]) == one.size for one in seen) and self.look() == found:
                self._read = self._made(found, contents)
                return self._read
        raise UnavailableFault(
            f"{self._named}: files change while they are read: they are read when they have come to rest"
        )

    @property
    def _named(self) -> str:
        return f"{self._folder.name}/{self._entity.path}"

    def look(self) -> Found:
        """The files that make the export, as they are at this moment.

        Raises:
            UnavailableFault: they are not all there.
        """
        listed = {
            name: sorted(self._folder.listed(kind.pattern), key=lambda one: _natural(one.name))
            for name, kind in self.kinds.items()
        }
        marks, there = self._marks(listed), bool(listed[self.RECORDS])
        if self._files.done is not None:
            unmarked = [one.name for seen in listed.values() for one in seen if not _marked(one, marks)]
            if unmarked and self._entity.take != "newest":
                raise UnavailableFault(
                    f"{self._folder.name}: {unmarked[0]} is not whole yet: it has no {self._mark(unmarked[0])}"
                    " that is as young as itself"
                )
            listed = {name: [one for one in seen if _marked(one, marks)] for name, seen in listed.items()}
        if self._entity.take != "all":
            listed = self._of_whole_stamps(listed)
        if not listed[self.RECORDS] and (there or not self._entity.may_be_empty):
            raise UnavailableFault(
                f"there is no whole file {self._named}: that is not taken for a shop without records"
            )
        for name, lines in self.lists.items():
            if listed[self.RECORDS] and not listed[name]:
                raise UnavailableFault(f"there is no whole file {self._folder.name}/{lines.file}")
        return Found(listed, marks)

    def _of_whole_stamps(self, listed: Mapping[str, list[Seen]]) -> dict[str, list[Seen]]:
        """The files of exports that have one of each kind: all, or those of the last alone."""
        stamps = {name: [kind.stamp(one.name) for one in listed[name]] for name, kind in self.kinds.items()}
        whole = [one for one in stamps[self.RECORDS] if all(one in others for others in stamps.values())]
        if self._entity.take == "newest":
            whole = whole[-1:]
        elif lacking := [one for one in stamps[self.RECORDS] if one not in whole]:
            raise UnavailableFault(f"{self._named}: not every kind of file is there yet for {lacking[0]!r}")
        return {
            name: [one for one in listed[name] if kind.stamp(one.name) in whole]
            for name, kind in self.kinds.items()
        }

    def _marks(self, listed: Mapping[str, Sequence[Seen]]) -> dict[str, float]:
        """When which files were marked as whole, by their names."""
        if self._files.done is None:
            return {}
        there = {
            one.name: one.modified
            for pattern in {beside(one.name) for seen in listed.values() for one in seen}
            for one in self._folder.listed(pattern)
        }
        wanted = {one.name: self._mark(one.name) for seen in listed.values() for one in seen}
        return {name: there[mark] for name, mark in wanted.items() if mark in there}

    def _mark(self, name: str) -> str:
        return marked(self._files.done or "", name)

    def _is_quiet(self, found: Found) -> bool:
        """Whether nobody has written to them for a while; where that is not sure, it is waited for once."""
        quiet = self._files.quiet_seconds
        if not quiet or self._files.done is not None:
            return True
        youngest = max((one.modified for seen in found.files.values() for one in seen), default=0.0)
        age = time.time() - youngest
        if not self._folder.own_clock and age < SURELY_OLD:
            age = self._known_for(found)
        if age >= quiet:
            return True
        time.sleep(min(quiet, quiet - age))
        return self.look() == found

    def _known_for(self, found: Found) -> float:
        """How long these very files have been known by our own clock: another's may be behind, or ahead."""
        asked = (self._folder.name, self._entity.path)
        if asked not in _SINCE or _SINCE[asked][0] != found:
            _SINCE[asked] = found, time.monotonic()
        return time.monotonic() - _SINCE[asked][1]

    def _made(self, found: Found, contents: Mapping[str, bytes]) -> Export:
        sheets = {
            name: [(one.name, self._sheet(kind, one.name, contents[one.name])) for one in found.files[name]]
            for name, kind in self.kinds.items()
        }
        rows: dict[str, Row] = {}
        if self._entity.take == "all":
            rows = self._joined(sheets)
        else:  # lines go with the records of the same export
            for file, _ in sheets[self.RECORDS]:
                stamp = self.kinds[self.RECORDS].stamp(file)
                rows |= self._joined({name: self._stamped(name, sheets, stamp) for name in self.kinds})
        if not rows and not self._entity.may_be_empty:
            raise UnavailableFault(
                f"{self._named} has no record: that is believed where `may_be_empty: true` says so"
            )
        return Export(found, rows, {name: read[-1][1] for name, read in sheets.items() if read})

    def _stamped(
        self, name: str, sheets: Mapping[str, Sequence[tuple[str, Sheet]]], stamp: str
    ) -> list[tuple[str, Sheet]]:
        return [one for one in sheets[name] if self.kinds[name].stamp(one[0]) == stamp]

    def _sheet(self, kind: Kind, name: str, content: bytes) -> Sheet:
        try:
            return kind.form.read(content)
        except UnwholeError as error:
            raise UnavailableFault(f"{self._folder.name}/{name} is not read: {error}") from None

    def _joined(self, sheets: Mapping[str, Sequence[tuple[str, Sheet]]]) -> dict[str, Row]:
        """Records with the lists that lie in files of their own."""
        rows: dict[str, Row] = {}
        for file, row in _of(sheets[self.RECORDS]):
            record_id = self._entity.id.read(row)
            if record_id is None:
                raise UnavailableFault(f"{self._folder.name}/{file}: a record has no {self._entity.id}")
            if record_id in rows:
                raise UnavailableFault(
                    f"{self._folder.name}/{file}: {record_id} is there a second time: if each file is a whole"
                    " export, say take: newest; if later files say something newer of a record, take: each"
                )
            rows[record_id] = row
        for name, lines in self.lists.items():
            self._join(rows, name, lines, sheets[name])
        return rows

    def _join(
        self, rows: Mapping[str, Row], name: str, lines: Lines, sheets: Sequence[tuple[str, Sheet]]
    ) -> None:
        found: dict[str, list[paths.Json]] = {record_id: [] for record_id in rows}
        for file, row in _of(sheets):
            parent = paths.text_of(paths.get(row, lines.parent or "")) or ""
            if parent not in found:
                raise UnavailableFault(
                    f"{self._folder.name}/{file}: {name} of {parent!r}, which is not in {self._entity.path}: one of"
                    " both is not whole"
                )
            found[parent].append(row)
        for record_id, listed in found.items():
            if not listed and not lines.may_be_empty:
                raise UnavailableFault(
                    f"{self._named}: {record_id} has no {name} in {lines.file}: that is believed where"
                    " `may_be_empty: true` says so"
                )
            paths.put(rows[record_id], lines.path or name, listed)


def _of(sheets: Sequence[tuple[str, Sheet]]) -> Iterator[tuple[str, Row]]:
    """Rows, each with the name of its file."""
    return ((file, row) for file, sheet in sheets for row in sheet.rows)


def _marked(one: Seen, marks: Mapping[str, float]) -> bool:
    return one.name in marks and marks[one.name] >= one.modified


def _natural(name: str) -> list[tuple[int, str]]:
    """Names in the order in which people count: orders_9 before orders_10."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name)]
