"""How a number of things, and how long something takes, is said to people, so that one is never "1 records"."""

import re

_UNITS = (("day", 86_400), ("hour", 3_600), ("minute", 60))


def counted(number: int, what: str) -> str:
    """A number of things in words, such as `2 linked records`; `what` is one of them, its noun last."""
    plural = f"{what[:-1]}ies" if re.search(r"[^aeiou]y$", what) else f"{what}s"
    return f"{number} {what if number == 1 else plural}"


def unit_of(seconds: float) -> tuple[str, int]:
    """The unit to tell a time in, and its seconds: the largest that it is two of, since one may be nearly two."""
    return next(((unit, length) for unit, length in _UNITS if seconds >= 2 * length), ("second", 1))
