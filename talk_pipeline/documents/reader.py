"""Reads a data-flow document: reStructuredText, with "A to B Dataflow" as its title and sections "A X to B Y".

docutils reads the markup. Names are taken as they are written, before inline markup: `name_` is a name here, and no
reference.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from docutils import frontend, nodes, utils
from docutils.parsers.rst import Parser, directives
from docutils.parsers.rst.directives.tables import ListTable

from talk_pipeline.documents.directions import DIRECTION
from talk_pipeline.documents.headings import joined, plain, systems
from talk_pipeline.documents.model import Document, DocumentError, Row, Says, Section, Sentence, Table
from talk_pipeline.documents.phrases import Phrases
from talk_pipeline.flows.sides import Side

_FAMILY = 'a data-flow document is titled such as "Customwebshop to Businesscentral Dataflow"'
# a heading that begins with a system without a name begins with a space, which is a quotation to docutils
_INDENTED_HEADING = re.compile(r"^[ \t]+(?=\S[^\n]*\n([-=~^*+])\1{3,}[ \t]*$)", re.MULTILINE)
_ERROR, _NEVER = 3, 5  # levels of docutils
_SHOWN = 3  # mistakes in one message


class _Rows(nodes.table):
    """A table as it is written: rows of the file, each with the texts of its cells."""


class _TableAsWritten(ListTable):
    """A list-table that may have a head and no rows, as many of the family do, and rows of unequal length."""

    has_content: ClassVar[bool] = True

    def run(self) -> list[nodes.table | nodes.system_message]:
        """The table, or the line where it is none."""
        holder = nodes.Element()
        self.state.nested_parse(self.content, self.content_offset, holder)
        lists = [child for child in holder.children if not isinstance(child, nodes.comment)]
        if len(lists) != 1 or not isinstance(lists[0], nodes.bullet_list):
            raise self.error("the table is not one list of rows, each a list of cells")
        rows = []
        for item in lists[0].findall(nodes.list_item):
            if item.parent is not lists[0]:
                continue
            if len(item.children) != 1 or not isinstance(item[0], nodes.bullet_list):
                raise self.directive_error(_ERROR, f"the row in line {item.line} is not a list of cells")
            rows.append((item.line, tuple(_written(cell) for cell in item[0].children)))
        table = _Rows(rows=rows, head=self.options.get("header-rows", 0))
        table.line = self.lineno
        return [table]


def read_document(file: Path) -> Document:
    """The document in a file.

    Raises:
        DocumentError: the file cannot be read, is no text in UTF-8, no reStructuredText or no data-flow document.
    """
    try:
        text = file.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DocumentError(
            f"{file}: is no text in UTF-8 (byte {error.start + 1}); save it as UTF-8"
        ) from None
    except OSError as error:
        raise DocumentError(f"{file}: cannot be read: {error.strerror}; name one document (*.rst)") from None
    return read_text(text, name=str(file))


def read_text(text: str, *, name: str) -> Document:
    """The document in a text; the name is for messages.

    Raises:
        DocumentError: it is no reStructuredText or no data-flow document.
    """
    if not text.strip():
        raise DocumentError(f"{name}: is empty; {_FAMILY}")
    parsed = _parsed(text, name)
    for table in parsed.findall(_Rows):
        if _tells_results(table):
            raise DocumentError(
                f"{name}:{table.line}: the table holds verdicts of a run; name the document without them:"
                " talk-pipeline checklist --format rst --without-results"
            )
    sections = list(_sections(parsed))
    if not sections:
        raise DocumentError(f"{name}: has no headings; {_FAMILY}")
    (first, title, preface), *others = sections
    named = systems(title)
    if named is None:
        raise DocumentError(f"{name}:{first}: the title is {title!r}; {_FAMILY}")
    before = [node for node in parsed.children if not isinstance(node, nodes.section)]
    read = [_section(first, title, [*before, *preface], None)]
    read += [_section(line, heading, body, named) for line, heading, body in others]
    return Document(*named, tuple(section for section in read if section))


def _parsed(text: str, name: str) -> nodes.document:
    settings = frontend.get_default_settings(Parser)
    settings.report_level = settings.halt_level = _NEVER
    settings.file_insertion_enabled = settings.raw_enabled = False
    document = utils.new_document(name, settings)
    mistakes: list[str] = []

    def note(message: nodes.system_message) -> None:
        if message["level"] >= _ERROR:
            said = message.children[0].astext() if message.children else "not understood"
            mistakes.append(
                f"{name}:{message.get('line', 1)}: not reStructuredText: {' '.join(said.split())}"
            )

    document.reporter.attach_observer(note)
    # docutils knows directives by name for the whole process: others are to find its own again
    directives.register_directive("list-table", _TableAsWritten)
    try:
        Parser().parse(_INDENTED_HEADING.sub("", "\n".join(text.splitlines())), document)
    finally:
        directives.register_directive("list-table", ListTable)
    if mistakes:
        more = f"\nand {len(mistakes) - _SHOWN} more" if len(mistakes) > _SHOWN else ""
        raise DocumentError("\n".join(mistakes[:_SHOWN]) + more)
    for table in [one for one in document.findall(nodes.table) if not isinstance(one, _Rows)]:
        table.replace_self(_drawn(table))
    return document


def _drawn(table: nodes.table) -> _Rows:
    """A table that is drawn, with lines or in columns, or given as CSV: what docutils has found in it."""
    rows = []
    for row in table.findall(nodes.row):
        cells = tuple(" ".join(map(_written, cell.children)) for cell in row.findall(nodes.entry))
        lines = [node.line for node in row.findall(nodes.paragraph) if node.line]
        # docutils counts the lines of CSV by themselves
        if any(cells):  # a table in columns that has but a head has a row of blanks
            rows.append((max(min(lines, default=0), table.line or 0), cells))
    head = sum(len(one.children) for one in table.findall(nodes.thead))
    if not head and rows and all(cell.lower().endswith(" property") for cell in rows[0][1][:2]):
        head = 1  # what is drawn with lines has no head where no row follows
    drawn = _Rows(rows=rows, head=head)
    drawn.line = table.line or (rows[0][0] if rows else None)
    return drawn


def _sections(parent: nodes.Element) -> Iterator[tuple[int, str, list[nodes.Node]]]:
    """Every heading in the order of the file, with its line and what stands below it."""
    for section in parent.children:
        if not isinstance(section, nodes.section):
            continue
        title = section[0]
        body = [node for node in section.children[1:] if not isinstance(node, nodes.section)]
        # docutils tells the line of what underlines it
        yield (title.line or 2) - 1, _written(title), body
        yield from _sections(section)


def _section(
    line: int, heading: str, body: list[nodes.Node], named: tuple[str, str] | None
) -> Section | None:
    """One section; None for an introduction and for what stands before the first one, unless they have rows."""
    sides = joined(heading, *named) if named else None
    phrases = Phrases(sides.source, sides.target) if sides else None
    toward = sides.toward if sides else None
    sentences: list[Sentence] = []
    rows: list[Row] = []
    kind = Table.PROPERTIES
    for node in _flat(body):
        if isinstance(node, _Rows):
            rows += _rows(node, kind, toward)
            kind = Table.PROPERTIES
        elif isinstance(node, nodes.paragraph) and phrases:
            sentences += phrases.sentences(_written(node), line=node.line or line)
            kind = Table.MERGE if sentences[-1].says is Says.MERGES else Table.PROPERTIES
        elif not isinstance(node, nodes.comment | nodes.system_message):
            text = _plain(node.astext()) or "something that is no text"
            sentences.append(Sentence(node.line or line, text, Says.UNKNOWN))
    if sides is None and not rows and (named is None or plain(heading) == "introduction"):
        return None
    if sides is None:
        return Section(line, heading, None, "", "", (), tuple(rows))
    return Section(line, heading, toward, sides.shop, sides.bc, tuple(sentences), tuple(rows))


def _flat(body: list[nodes.Node]) -> Iterator[nodes.Node]:
    """What stands in a section; points of a list, and tables within something else, come out of it."""
    for node in body:
        if isinstance(node, _Rows):
            yield node
        elif isinstance(node, nodes.bullet_list | nodes.list_item) or any(node.findall(_Rows)):
            yield from _flat(list(node.children))
        else:
            yield node


def _tells_results(table: _Rows) -> bool:
    """Whether it is a property table of ours that goes on with what a run found."""
    return any(cells[3:4] == (DIRECTION,) and len(cells) > 4 for _, cells in table["rows"][: table["head"]])


def _rows(table: _Rows, kind: Table, toward: Side | None) -> Iterator[Row]:
    every: list[tuple[int, tuple[str, ...]]] = table["rows"]
    head = every[: table["head"]]
    titles = head[0][1] if head else ()
    columns = len(titles) if head else 3 if kind is Table.PROPERTIES else 2
    directed = kind is Table.PROPERTIES and titles[3:] == (DIRECTION,)
    for line, cells in every[len(head) :]:
        if len(cells) != columns or not (directed or columns in (2, 3)):
            yield Row(line, Table.UNKNOWN, "", "", "", cells)
            continue
        left, right = cells[:2]
        shop, bc = (right, left) if toward is Side.SHOP else (left, right)
        of_type = _unquoted(cells[2]) if columns > 2 else ""
        yield Row(line, kind, shop, bc, of_type, cells, cells[3] if directed else "")


def _written(cell: nodes.Node) -> str:
    return _plain(cell.rawsource if isinstance(cell, nodes.Element) else cell.astext())


def _plain(raw: str) -> str:
    """A text as it is meant: on one line, without the signs that only keep markup away."""
    return re.sub(r"\\(.)", r"\1", " ".join(raw.split()))


def _unquoted(text: str) -> str:
    return text.strip("\"'`“”‘’ ")
