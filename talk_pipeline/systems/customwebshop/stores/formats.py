"""What the files of a shop look like: rows of bytes, and bytes of rows. Values are as they were written.

What is not whole is not read: a line without its end, a row with fewer values than columns, a document that breaks
off, a number of records that is not the number it says.
"""

import codecs
import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from talk_pipeline.systems.customwebshop.spec import paths
from talk_pipeline.systems.customwebshop.spec.files import Csv, Files, JsonLines
from talk_pipeline.systems.customwebshop.spec.paths import MISSING, Json
from talk_pipeline.systems.customwebshop.spec.xml import Xml
from talk_pipeline.systems.customwebshop.stores.store import RefusedError, Row
from talk_pipeline.systems.customwebshop.wire.records import parse
from talk_pipeline.systems.customwebshop.wire.xml import XmlWire
from talk_pipeline.wording import counted

if TYPE_CHECKING:  # the name of its type is there alone
    import _csv

_MARKS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


class UnwholeError(ValueError):
    """What a file has is not all that it was to have, or not in its form; the text says where."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """What one file says.

    Attributes:
        rows: the records, or the entries of a list.
        columns: in their order, where all rows have the same.
        line_end: how its lines end.
    """

    rows: list[Row]
    columns: tuple[str, ...] = ()
    line_end: str = "\n"


class Form:
    """The form of the files of one kind: of an entity, or of a list that has files of its own.

    Args:
        files: what is said of all files.
        xml: what is said of XML.
        records: where a document has its records.
        columns: of files without a header.
    """

    def __init__(self, files: Files, xml: Xml | None, *, records: str | None, columns: Sequence[str]) -> None:
        self._said = files.format
        self._count = files.count
        self._records = records or ""
        self._columns = tuple(columns)
        self._wire = XmlWire(xml or Xml())

    def read(self, content: bytes) -> Sheet:
        """What a file says.

        Raises:
            UnwholeError: it is not whole, or not in this form.
        """
        if isinstance(self._said, Csv):
            return self._read_csv(self._text(content, self._said.encoding), self._said)
        if isinstance(self._said, JsonLines):
            return self._read_lines(self._text(content, self._said.encoding))
        return self._read_xml(content)

    def written(self, rows: Sequence[Row], *, like: Sheet) -> bytes:
        """A file that says these.

        Args:
            rows: what it is to say.
            like: a file of the shop's own, whose columns come first.

        Raises:
            RefusedError: it cannot be said in this form.
        """
        if isinstance(self._said, Csv):
            return self._csv(rows, self._said, like)
        if isinstance(self._said, JsonLines):
            lines = [paths.encoded(row).decode() + like.line_end for row in rows]
            return _encoded("".join(lines), self._said.encoding)
        document: Row = {}
        paths.put(document, self._records, rows[0] if len(rows) == 1 else list(rows))
        return self._wire.told(paths.encoded(document))

    def _text(self, content: bytes, encoding: str) -> str:
        for mark, other in _MARKS.items():  # where each byte is a letter, nothing else would tell
            if content.startswith(mark) and mark.decode(encoding, "replace") not in ("", "\ufeff"):
                raise UnwholeError(
                    f"it begins with the mark of {other}, and is no {encoding}: say encoding: {other}"
                )
        try:
            return content.decode(encoding).removeprefix("\ufeff")
        except UnicodeDecodeError as error:
            line = content.count(b"\n", 0, error.start) + 1
            raise UnwholeError(f"line {line} is no {encoding}: {error.reason}") from None

    def _read_csv(self, text: str, said: Csv) -> Sheet:
        line_end = _line_end(text)
        if not text:
            raise UnwholeError("it is empty, without so much as a header" if said.header else "it is empty")
        if not said.open_end and not text.endswith(line_end):
            raise UnwholeError("its last line has no end, as if it broke off")
        number = None
        if self._count is not None:
            text, number = _trailer(text, self._count)
        reader = csv.reader(
            io.StringIO(text, newline=""), delimiter=said.delimiter, quotechar=said.quote, strict=True
        )
        try:
            columns, rows = _table(reader, None if said.header else self._columns)
        except csv.Error as error:
            raise UnwholeError(f"line {reader.line_num}: {error}") from None
        return Sheet(_counted(rows, number), columns, line_end)

    def _read_lines(self, text: str) -> Sheet:
        rows = list[Row]()
        for at, line in enumerate(text.split("\n"), 1):
            if not line.strip():
                continue
            try:
                row = parse(line)
            except ValueError as error:
                raise UnwholeError(f"line {at} is no JSON: {error}") from None
            if not isinstance(row, dict):
                raise UnwholeError(f"line {at} is no object")
            rows.append(row)
        if self._count is None:
            return Sheet(rows)
        last = rows.pop() if rows else {}
        return Sheet(_counted(rows, _number(last, self._count)))

    def _read_xml(self, content: bytes) -> Sheet:
        understood = self._wire.understood(content)
        if understood is content:
            raise UnwholeError("it is no XML that is whole" if content else "it is empty")
        document = parse(understood)
        within = self._records.rpartition(".")[0]
        if within and paths.get(document, within) is MISSING:
            root = ", ".join(document) if isinstance(document, dict) else ""
            raise UnwholeError(f"it has nothing at {within}; its root is {root}")
        found = paths.get(document, self._records)
        rows = found if isinstance(found, list) else [] if found in (MISSING, None) else [found]
        if any(not isinstance(row, dict) for row in rows):
            raise UnwholeError(f"what it has at {self._records} are no records")
        number = _number(document, self._count) if self._count is not None else None
        return Sheet(_counted([row for row in rows if isinstance(row, dict)], number))

    def _csv(self, rows: Sequence[Row], said: Csv, like: Sheet) -> bytes:
        known = like.columns or self._columns
        columns = [*known, *dict.fromkeys(key for row in rows for key in row if key not in known)]
        if not said.header and len(columns) > len(known):
            raise RefusedError(f"files without a header have no place for {', '.join(columns[len(known) :])}")
        out = io.StringIO(newline="")
        writer = csv.writer(out, delimiter=said.delimiter, quotechar=said.quote, lineterminator=like.line_end)
        if said.header:
            writer.writerow(columns)
        for row in rows:
            writer.writerow([paths.text_of(row.get(column)) or "" for column in columns])
        return _encoded(out.getvalue(), said.encoding)


def _line_end(text: str) -> str:
    """How lines end: as the last one does, and where that has no end as the first; others may stand in a value."""
    ended = text if text.endswith("\n") else text[: text.find("\n") + 1]
    return "\r\n" if ended.endswith("\r\n") else "\n"


def _table(reader: "_csv.Reader", columns: tuple[str, ...] | None) -> tuple[tuple[str, ...], list[Row]]:
    """The columns and rows of a table, whose first row names them unless they are given."""
    rows = list[Row]()
    for values in filter(None, reader):
        if columns is None:
            columns = _header(values)
            continue
        if len(values) != len(columns):
            what = f"{counted(len(values), 'value')} for {counted(len(columns), 'column')}"
            raise UnwholeError(f"line {reader.line_num} has {what}")
        rows.append(dict(zip(columns, values, strict=True)))
    return columns or (), rows


def _header(values: Sequence[str]) -> tuple[str, ...]:
    if twice := sorted({one for one in values if values.count(one) > 1}):
        raise UnwholeError(f"its header has {', '.join(map(repr, twice))} twice")
    return tuple(values)


def _trailer(text: str, form: str) -> tuple[str, str]:
    """A text without its last line, and the number in that."""
    bare = text.rstrip("\r\n")
    start = max(bare.rfind("\n"), bare.rfind("\r")) + 1
    before, after = map(re.escape, form.split("{count}", 1))
    found = re.fullmatch(rf"{before}(\d+){after}", bare[start:])
    if found is None:
        raise UnwholeError(f"its last line is not {form}, as if it broke off: {bare[start:]!r}")
    return text[:start], found[1]


def _number(data: Json, place: str) -> str:
    found = paths.text_of(paths.get(data, place))
    if found is None or not found.isdigit():
        raise UnwholeError(f"it does not say at {place} how many records it has")
    return found


def _counted(rows: list[Row], number: str | None) -> list[Row]:
    if number is not None and int(number) != len(rows):
        raise UnwholeError(f"it says that it has {counted(int(number), 'record')}, and has {len(rows)}")
    return rows


def _encoded(text: str, encoding: str) -> bytes:
    try:
        return text.encode(encoding)
    except UnicodeEncodeError as error:
        what = text[error.start : error.end]
        raise RefusedError(
            f"{what!r} cannot be written in {encoding}, which is the encoding of the files"
        ) from None
