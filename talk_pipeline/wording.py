"""How a number of things is said to people: one helper, so that one of them is never "1 records"."""

import re


def counted(number: int, what: str) -> str:
    """A number of things in words, such as `2 linked records`; `what` is one of them, its noun last."""
    plural = f"{what[:-1]}ies" if re.search(r"[^aeiou]y$", what) else f"{what}s"
    return f"{number} {what if number == 1 else plural}"
