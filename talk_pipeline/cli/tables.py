"""Tables and lines for a terminal: whatever a value holds is shown as it is, and no width is lost in a pipe."""

import shutil
from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from talk_pipeline.cli.terminal import Terminal, in_a_line

TEXT_WIDTH = 140


def console() -> Console:
    """As wide as what it is read on, which COLUMNS may say; of a fixed width where nothing does."""
    return Terminal(highlight=False, width=shutil.get_terminal_size((TEXT_WIDTH, 24)).columns)


def print_table(
    out: Console, title: str | None, columns: Sequence[str], rows: Iterable[Sequence[str | list[str]]]
) -> None:
    """A table, or nothing where there are no rows; a cell may have several lines."""
    rows = list(rows)
    if not rows:
        return
    table = Table(title=escape(in_a_line(title)) if title else None, title_justify="left")
    for name in columns:
        table.add_column(name, overflow="fold", no_wrap=name in ("id", "system"))
    for row in rows:
        table.add_row(*(_cell(cell) for cell in row))
    out.print(table)


def _cell(lines: str | list[str]) -> str:
    return escape("\n".join(map(in_a_line, [lines] if isinstance(lines, str) else lines)))


def print_items(out: Console, title: str, items: Iterable[tuple[str, Sequence[str]]]) -> None:
    """Things of many words below a title, each a head and its lines; nothing where there are none.

    They read at any width, and a command in them is copied whole: the terminal alone wraps lines.
    """
    for number, (head, lines) in enumerate(items):
        if number == 0:
            out.print(title, markup=False, style="italic")
        out.print(in_a_line(head), markup=False, soft_wrap=True, style="bold")
        for text in lines:
            line(out, f"    {text}")


def line(out: Console, text: str) -> None:
    """A line as it is, however long."""
    out.print(in_a_line(text), markup=False, soft_wrap=True)


def value(text: str | None) -> str:
    """A value, or a dash where there is none."""
    return "-" if text is None else text
