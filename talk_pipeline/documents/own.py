"""What the flows' own document says: the one that `talk-pipeline checklist --without-results` writes.

It says more than the family does: rules in words, directions, steps for a tester. Another document that says
the same word for word is understood, though no rule of the family fits; a word more or less is for a person.
"""

from dataclasses import replace

from talk_pipeline.documents.headings import plain
from talk_pipeline.documents.model import Document, Row, Says, Section, Table


class Own:
    """The sentences and rows of the flows' own document, section by section."""

    def __init__(self, document: Document) -> None:
        self._sentences = {
            (plain(section.heading), sentence.text)
            for section in document.sections
            for sentence in section.sentences
        }
        self._rows = {(plain(section.heading), row.cells) for section, row in document.rows()}

    def has(self, section: Section, row: Row) -> bool:
        """Whether the flows' own document has that row in that section."""
        return (plain(section.heading), row.cells) in self._rows

    def beyond(self, document: Document) -> Document:
        """The document without what only the flows' own says so: sentences of no rule, and rows of steps."""
        return replace(
            document,
            sections=tuple(
                replace(
                    section,
                    sentences=tuple(
                        one
                        for one in section.sentences
                        if one.says is not Says.UNKNOWN
                        or (plain(section.heading), one.text) not in self._sentences
                    ),
                    rows=tuple(
                        row
                        for row in section.rows
                        if row.table is not Table.UNKNOWN or not self.has(section, row)
                    ),
                )
                for section in document.sections
            ),
        )
