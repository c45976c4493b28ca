"""Texts in files that people open in spreadsheets."""

import re

_NUMBER = re.compile(r"-\d+(\.\d+)?")
_BEGINS = re.compile(r"""(^|[;\t\r\n]"*)(?=[=+@'\t\r-])""")
"""Where a cell begins that a spreadsheet would reckon: also within a value, if it divides lines at `;` or a tab."""


def as_text(value: str) -> str:
    """A value as a cell of a CSV file in which nothing is a formula: an apostrophe stands before what would be one.

    One that stands there already gets a second, so that they can be taken off again.
    """
    return value if _NUMBER.fullmatch(value) else _BEGINS.sub(r"\1'", value)
