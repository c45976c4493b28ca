"""The document for a terminal: what is not ok first, what passed in a line a section, the verdict last.

Lines are as wide as the terminal; nothing is a table, so that it reads at any width.
"""

from collections.abc import Iterator
from io import StringIO

from rich.console import Console
from rich.text import Text

from talk_pipeline.cli.document.tree import Document, Halt, Judged, Section, Table
from talk_pipeline.cli.tables import TEXT_WIDTH
from talk_pipeline.cli.terminal import Terminal, in_a_line, visible
from talk_pipeline.engine.report.sheet import WORDS, Overall, Word
from talk_pipeline.wording import counted

_MARKS: dict[Word, tuple[str, str]] = {
    "passed": ("green", "ok"),
    "warned": ("yellow", "WARN"),
    "failed": ("red", "FAIL"),
    "not run": ("magenta", "not run"),
}
_COLOURS: dict[Overall | None, str] = {
    "passed": "bold green",
    "warned": "bold yellow",
    "failed": "bold red",
    "incomplete": "bold magenta",
}
_WORST_FIRST: tuple[Word, ...] = ("failed", "not run", "warned")
INDENT = 9


def written(document: Document) -> str:
    """The document for a file."""
    paper = Terminal(highlight=False, record=True, file=StringIO(), width=TEXT_WIDTH)
    show(paper, document)
    return paper.export_text()


def show(console: Console, document: Document, *, rows: int | None = None) -> None:
    """Prints the document.

    Args:
        console: where to.
        document: what.
        rows: how many rows of each table at most; by default all that are listed.
    """
    _say(console, document.title, "bold")
    _say(console, f"Generated: {document.generated_at:%Y-%m-%d %H:%M:%S}")
    for label, text in document.facts:
        _say(console, f"{label}: {text}")
    if document.headline:
        _say(console, document.headline, _COLOURS[document.verdict])
    for notice in document.notices:
        _say(console, notice, "bold")
    for halt in document.halts:
        _halt(console, halt)
    if document.verdict is None:
        for section in document.sections:
            _specified(console, section)
        return
    for section in document.sections:
        _not_ok(console, section, rows=rows)
    for section in document.sections:
        _open(console, section, rows=rows)
    console.print()
    for section in document.sections:
        _say(console, f"{section.title}: {_folded(section)}")
    _say(console, document.headline, _COLOURS[document.verdict])


def _say(console: Console, text: str, style: str = "", *, indent: int = 0) -> None:
    _put(console, Text(visible(text), style=style), indent=indent)


def _put(console: Console, text: Text, *, indent: int = 0) -> None:
    for line in text.wrap(console, max(console.width - indent, 1)):
        line.rstrip()
        console.print(Text(" " * indent) + line)


def _halt(console: Console, halt: Halt) -> None:
    console.print()
    _say(console, halt.headline, "bold red")
    if halt.largest:
        _say(console, halt.largest.caption, indent=2)
        _rows(console, halt.largest, indent=4)
    for what, how in halt.ways:
        console.print(Text(in_a_line(f"{what}: {how}")), soft_wrap=True)  # to be copied as one line


def _not_ok(console: Console, section: Section, *, rows: int | None) -> None:
    found = [(title, judged) for title, judged in section.judged if not judged.fine]
    if not found:
        return
    console.print()
    _say(console, section.title, "bold")
    for title, judged in sorted(found, key=lambda one: _WORST_FIRST.index(one[1].verdict)):
        _judged(console, title, judged, rows=rows)


def _judged(console: Console, title: str, judged: Judged, *, rows: int | None) -> None:
    colour, mark = _MARKS[judged.verdict]
    _put(console, Text.assemble((mark.ljust(INDENT), colour), in_a_line(title)))
    when = f" [{judged.checked}]" if judged.checked else ""
    _say(console, f"{judged.found}{when}", indent=INDENT)
    if judged.rows:
        _rows(console, judged.rows, indent=INDENT, most=rows)


def _open(console: Console, section: Section, *, rows: int | None) -> None:
    if section.open_items and section.open_items.items:
        console.print()
        _say(console, f"{section.title}: {counted(section.open_items.total, 'open item')}", "bold")
        _rows(console, section.open_items.table, indent=2, most=rows)


def _rows(console: Console, table: Table, *, indent: int, most: int | None = None) -> None:
    for row in table.rows[:most]:
        cells = [f"{name} {value}" for name, value in zip(table.columns, row, strict=True) if value]
        _say(console, in_a_line(" · ".join(cells)), indent=indent)
    if left := table.total - len(table.rows[:most]):
        _say(console, f"... and {left} more", indent=indent)


def _folded(section: Section) -> str:
    """What passed, and how much did not, in a line."""
    counts = [f"{section.counted(word)} {word}" for word in WORDS if section.counted(word)]
    return ", ".join(counts)


def _specified(console: Console, section: Section) -> None:
    console.print()
    _say(console, section.title, "bold")
    for sentence in _sentences(section):
        _say(console, sentence)
    for line in section.properties:
        _say(console, f"{line.shop} · {line.bc} · {line.bc_type} · {line.direction}", indent=2)
    for rule in section.rules:
        _say(console, rule.title, "bold")
        for sentence in rule.sentences:
            _say(console, sentence, indent=2)
            if rule.table and sentence is rule.sentences[0]:
                for row in rule.table.rows:
                    _say(console, in_a_line(" · ".join(row)), indent=4)
    _say(console, "Steps for a tester", "bold")
    for step in section.steps:
        _say(console, f"[ ] {step.do} {step.expect}", indent=2)


def _sentences(section: Section) -> Iterator[str]:
    yield section.every
    yield from (f"  {limit}" for limit in section.every_limits)
    yield section.in_step
    yield from (f"  {limit}" for limit in section.in_step_limits)
    yield section.table_sentence
