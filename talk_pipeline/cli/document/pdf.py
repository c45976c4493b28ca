"""The document as PDF: pages across, with an outline to move about in, and text that can be searched and copied."""

from importlib.resources import files
from typing import Any

from fpdf import FPDF
from fpdf.enums import XPos, YPos
from fpdf.fonts import FontFace, TTFFont

from talk_pipeline.cli.document.tree import BOX, Document, Halt, Judged, Rule, Section, Table

FONT = "Noto Sans"
_FILE = files("fontpkg_noto_sans").joinpath("files", "NotoSans[wdth,wght].ttf")
_NARROWEST, _WIDEST = 8, 42
"""What a column counts as by the letters of its longest cell."""


def written(document: Document) -> bytes:
    """The file."""
    paper = _Paper(document)
    paper.add_page()
    _head(paper, document)
    for section in document.sections:
        _section(paper, section)
    return bytes(paper.output())


class _Paper(FPDF):
    """Pages with a number and the run at their foot."""

    def __init__(self, document: Document) -> None:
        super().__init__(orientation="landscape", format="A4")
        self._foot = document.headline or document.title
        self.add_font(FONT, fname=str(_FILE))
        self.set_title(document.title)
        self.set_lang("en")
        self.set_auto_page_break(True, margin=16)
        self.set_font(FONT, size=9)
        assert isinstance(self.current_font, TTFFont)
        self._glyphs = frozenset(self.current_font.cmap)

    def known(self, text: str) -> str:
        """What the font has no form for is told by its code."""
        plain = text.replace(BOX, "[   ]")
        return "".join(one if ord(one) in self._glyphs else f"<U+{ord(one):04X}>" for one in plain)

    def footer(self) -> None:
        """Called by the library at the end of each page."""
        self.set_y(-12)
        self.set_font(FONT, size=7)
        self.cell(0, 5, self.known(f"{self._foot}, page {self.page_no()} of {{nb}}"), align="C")

    def say(self, text: str, *, size: float = 9, indent: float = 0) -> None:
        """A paragraph."""
        self.set_font(FONT, size=size)
        self.set_x(self.l_margin + indent)
        self.multi_cell(0, size * 0.55, self.known(text), align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self.ln(0.8)

    def heading(self, text: str, *, level: int) -> None:
        """A heading that is in the outline too."""
        self.ln(2)
        if self.will_page_break(25):
            self.add_page()
        self.start_section(self.known(text), level=level)
        self.say(text, size=13 if level == 0 else 10)

    def rows(self, table: Table, *, captioned: bool = True) -> None:
        """A table, its head on every page."""
        if captioned and table.title:
            self.say(table.caption, size=8)
        self.set_font(FONT, size=7.5)
        head = FontFace(fill_color=(226, 231, 238))  # bold letters would be cut from the font anew: seconds
        with self.table(
            col_widths=_widths(table), text_align="LEFT", headings_style=head, line_height=4, padding=0.8
        ) as told:
            for row in (table.columns, *table.rows):
                drawn: Any = told.row()
                for cell in row:
                    drawn.cell(self.known(cell))
        self.ln(2)


def _widths(table: Table) -> tuple[int, ...]:
    columns = zip(*(table.columns, *table.rows), strict=True)
    return tuple(min(max(_NARROWEST, *map(len, column)), _WIDEST) for column in columns)


def _head(paper: _Paper, document: Document) -> None:
    paper.say(document.title, size=18)
    paper.say(f"Generated: {document.generated_at:%Y-%m-%d %H:%M:%S}")
    if document.headline:
        paper.say(document.headline, size=11)
    for label, text in document.facts:
        paper.say(f"{label}: {text}")
    for notice in document.notices:
        paper.say(notice, size=11)
    for halt in document.halts:
        _halt(paper, halt)
    paper.heading("Introduction", level=0)
    for paragraph in document.introduction:
        paper.say(paragraph)


def _halt(paper: _Paper, halt: Halt) -> None:
    paper.say(halt.headline, size=11)
    if halt.largest:
        paper.rows(halt.largest)
    for what, how in halt.ways:
        paper.say(f"• {what}: {how}", indent=3)


def _section(paper: _Paper, section: Section) -> None:
    paper.heading(section.title, level=0)
    paper.say(section.every)
    _bullets(paper, section.every_limits)
    paper.say(section.in_step)
    _bullets(paper, section.in_step_limits)
    paper.say(section.table_sentence)
    paper.rows(section.property_table)
    for line in section.properties:
        _listed(paper, line.judged)
    for rule in section.rules:
        _rule(paper, rule)
    if section.checks:
        paper.heading("General checks", level=1)
        paper.rows(section.check_table, captioned=False)
        for check in section.checks:
            _listed(paper, check.judged)
    if section.open_items:
        paper.heading("Open items", level=1)
        if section.open_items.items:
            paper.rows(
                section.open_items.table, captioned=section.open_items.total > len(section.open_items.items)
            )
        else:
            paper.say("Nothing is open.")
    paper.heading("Steps for a tester", level=1)
    paper.rows(section.step_table, captioned=False)


def _listed(paper: _Paper, judged: Judged | None) -> None:
    if judged and judged.rows:
        paper.rows(judged.rows)


def _rule(paper: _Paper, rule: Rule) -> None:
    paper.heading(rule.title, level=1)
    sentences = rule.sentences
    if rule.table:
        paper.say(sentences[0])
        paper.rows(rule.table)
        sentences = sentences[1:]
    _bullets(paper, sentences)


def _bullets(paper: _Paper, sentences: tuple[str, ...]) -> None:
    for sentence in sentences:
        paper.say(f"• {sentence}", indent=3)
