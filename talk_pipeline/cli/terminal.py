"""The one way to a terminal: what records and servers say is shown there, and is never a command to it.

A value may hold what moves the cursor, sets a title, turns the direction of writing or begins another line, all of
which would let it say what we do not. No other module of the command line prints; a test holds that.
"""

import re
import sys
from collections.abc import Iterable
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from talk_pipeline.disks import written_to
from talk_pipeline.wording import counted

OUTPUT = "what is printed"
LONGEST_LINE = 20_000
"""A shop may send megabytes as a name; to draw them takes minutes. Nothing that fits a field is as long."""
_BREAKS = "\n\t"
# controls of both kinds, separators that end a line, what turns the direction, halves of characters
_OBEYED = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def visible(text: str) -> str:
    r"""A text of lines with what a terminal would obey written out: `\x1b` for an escape."""
    return _OBEYED.sub(lambda found: found[0] if found[0] in _BREAKS else _written_out(found[0]), text)


def in_a_line(text: str) -> str:
    r"""The same of what is one line, such as a value: line breaks and tabs in it are `\n` and `\t`.

    Of one that nobody reads to its end the beginning, and how long it is.
    """
    if len(text) > LONGEST_LINE:
        text = f"{text[:LONGEST_LINE]} ... ({LONGEST_LINE} of {counted(len(text), 'character')})"
    return _OBEYED.sub(lambda found: _written_out(found[0]), text)


def _written_out(character: str) -> str:
    return character.encode("unicode_escape").decode()


def say(text: object = "", *, err: bool = False) -> None:
    """Prints lines at once, to standard error on demand."""
    with written_to(OUTPUT):
        print(visible(str(text)), file=sys.stderr if err else sys.stdout, flush=True)


class Terminal(Console):
    """Prints tables and styled texts; colours are its own alone."""

    def print(self, *what: Any, **how: Any) -> None:
        """At once, as `say` does."""
        with written_to(OUTPUT):
            super().print(*what, **how)

    def render_str(self, text: str, **how: Any) -> Text:
        """Strings as they are shown."""
        return super().render_str(visible(text), **how)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Whatever else holds text is shown so as well."""
        for one in super().render(renderable, options):
            yield one if one.control else Segment(visible(one.text), one.style)
