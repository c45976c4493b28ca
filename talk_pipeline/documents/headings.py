"""Headings: which systems a document joins, and which records a section does.

Names of systems and of records may hold anything, " to " included, and may be blank.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from talk_pipeline.flows.sides import Side

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
    """What a heading such as "A X to B Y" joins; None where it is none of these two systems.

    Where it names Business Central on one side and no system that is known on the other, all of that other side is
    what the records are called.
    """
    if _is_bc(source) == _is_bc(target):
        for first, second in ((source, target), (target, source)):
            for left, right in _splits(heading):
                if (x := _after(left, first)) and (y := _after(right, second)):
                    return Joined(left, right, None, x, y)
        return None
    shop, central = (target, source) if _is_bc(source) else (source, target)
    for named in (shop, ""):
        for left, right in _splits(heading):
            if (own := _after(left, named)) and (there := _after(right, central)):
                return Joined(left, right, Side.BC, own, there)
            if (there := _after(left, central)) and (own := _after(right, named)):
                return Joined(left, right, Side.SHOP, own, there)
    return None


def _splits(text: str) -> Iterator[tuple[str, str]]:
    for match in _TO.finditer(text):
        yield text[: match.start()].strip(), text[match.end() :].strip()


def _after(text: str, system: str) -> str:
    """What follows the system's name, however it is spaced; blank where the text does not begin with it."""
    words = text.split()
    wanted = plain(system) or system.strip()
    for count in range(len(words)):
        begin = "".join(words[:count])
        if wanted in (plain(begin), begin) or not wanted:
            return " ".join(words[count:])
    return ""


def _is_bc(system: str) -> bool:
    return "businesscentral" in plain(system)
