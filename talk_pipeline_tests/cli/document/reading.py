"""A document in reStructuredText as docutils reads it: its sections, and the tables in them."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from io import StringIO

from docutils import nodes
from docutils.core import publish_doctree


@dataclass
class Read:
    """A section: its paragraphs, and its tables by their titles; the one of the properties has none."""

    title: str
    paragraphs: list[str] = field(default_factory=list)
    tables: list[tuple[str, list[list[str]]]] = field(default_factory=list)

    def table(self, title: str = "") -> list[list[str]]:
        """The first table of that title."""
        return next(rows for told, rows in self.tables if told == title)

    def headed(self, column: str) -> list[list[str]]:
        """The first table whose first column is called so."""
        return next(rows for _, rows in self.tables if rows[0][0] == column)


def tree(text: str) -> nodes.document:
    """The text, which must be without a single remark of docutils."""
    remarks = StringIO()
    found = publish_doctree(text, settings_overrides={"report_level": 1, "warning_stream": remarks})
    assert not remarks.getvalue(), remarks.getvalue()
    return found


def sections(text: str) -> dict[str, Read]:
    """The sections by title."""
    return {read.title: read for read in map(_section, tree(text).findall(nodes.section))}


def _section(node: nodes.section) -> Read:
    title = node[0].astext()
    paragraphs = [one.astext() for one in node.findall(nodes.paragraph) if not _in_table(one)]
    return Read(title, paragraphs, [_table(one) for one in node.findall(nodes.table)])


def _table(node: nodes.table) -> tuple[str, list[list[str]]]:
    title = next((one.astext() for one in node.findall(nodes.title)), "")
    return title, [[cell.astext() for cell in row.findall(nodes.entry)] for row in node.findall(nodes.row)]


def _in_table(node: nodes.Node) -> bool:
    return any(isinstance(one, nodes.entry) for one in _above(node))


def _above(node: nodes.Node) -> Iterator[nodes.Node]:
    while node.parent is not None:
        node = node.parent
        yield node
