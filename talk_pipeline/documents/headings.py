"""Headings: which systems a document joins, and which records a section does.

Names of systems and of records may hold anything, " to " included, and may be blank.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from talk_pipeline.flows.properties import Side

_TITLE = re.compile(r"(.*\S)?\s*\bdataflow", re.IGNORECASE)
_TO = re.compile(r"(?:^|(?<=\s))to(?=\s|$)", re.IGNORECASE)


class Joined(NamedTuple):
    """The two sides of a heading.

    Attributes:
        source, target: what stands on its left and its right, systems included.
        toward: the side that gets counterparts; None where not exactly one of the systems is Business Central.
        shop, bc: what the records are called, without the systems.
    """

    source: str
    target: str
    toward: Side | None
    shop: str
    bc: str


def plain(name: str) -> str:
    """A name without case, spaces and signs: the form in which names are compared."""
    return "".join(filter(str.isalnum, name.casefold()))


def systems(title: str) -> tuple[str, str] | None:
    """The two systems of a title such as "A to B Dataflow"; None where it is no such title."""
    match = _TITLE.fullmatch(title.strip())
    if match is None:
        return None
    pairs = list(_splits(match[1] or ""))
    one_sided = [pair for pair in pairs if _is_bc(pair[0]) != _is_bc(pair[1])]
    # what belongs to a name with " to " in it belongs to the other system's
    return min(one_sided, key=lambda pair: len(next(filter(_is_bc, pair))), default=next(iter(pairs), None))


def joined(heading: str, source: str, target: str) -> Joined | None:
    """What a heading such as "A X to B Y" joins; None where it is none of these two systems."""
    for first, second in ((source, target), (target, source)):
        for left, right in _splits(heading):
            records = _after(left, first), _after(right, second)
            if not all(records):
                continue
            if _is_bc(first) == _is_bc(second):
                return Joined(left, right, None, *records)
            if _is_bc(second):
                return Joined(left, right, Side.BC, *records)
            return Joined(left, right, Side.SHOP, *records[::-1])
    return None


def _splits(text: str) -> Iterator[tuple[str, str]]:
    for match in _TO.finditer(text):
        yield text[: match.start()].strip(), text[match.end() :].strip()


def _after(text: str, system: str) -> str:
    """What follows the system's name; blank where the text does not begin with it."""
    words, name = text.split(), system.split()
    if [word.casefold() for word in words[: len(name)]] != [word.casefold() for word in name]:
        return ""
    return " ".join(words[len(name) :])


def _is_bc(system: str) -> bool:
    return "businesscentral" in plain(system)
