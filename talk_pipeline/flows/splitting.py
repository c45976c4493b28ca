"""Texts that go on in further properties where one is too short for them, and are one text again when read.

What the shop says is laid out over the properties of Business Central, and compared, merged and written there like
any other value. A shop with one place for what are several in Business Central has the whole text in it; then both
sides are laid out alike, whatever line somebody broke it at.
"""

from collections.abc import Iterable, Mapping, Sequence

from talk_pipeline.flows.mistakes import Located, Location
from talk_pipeline.flows.properties import Property
from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.texts import LONGEST, Text
from talk_pipeline.flows.types import split_type
from talk_pipeline.flows.values import UnmappableError, Value, excerpt, length
from talk_pipeline.wording import counted

Group = Sequence[Property]


def laid_out(group: Group, side: Side, values: Mapping[str, Value]) -> Mapping[str, Value]:
    """What each of the properties holds, from what a side says at their places.

    Raises:
        UnmappableError: there is no room for all of it, or a word is longer than a line.
    """
    held = {prop.name: values[prop.name] for prop in group}
    fits = all(length(held[prop.name] or "") <= _room(prop) for prop in group)
    if fits and not in_one_place(group):
        return held
    texts = {prop.paths(side): held[prop.name] for prop in group}
    lines = _lines(in_one(texts.values()) or "", [_room(prop) for prop in group])
    return {prop.name: line for prop, line in zip(group, lines, strict=True)}


def in_one(texts: Iterable[Value]) -> Value:
    """Several parts of a text as the one that they are."""
    return " ".join(text for text in texts if text) or None


def in_one_place(group: Group) -> bool:
    """Whether the shop has fewer places than there are properties."""
    return len({prop.shop for prop in group}) < len(group)


def _room(prop: Property) -> int:
    return getattr(prop.value_type, "limit", LONGEST)


def _lines(text: str, rooms: Sequence[int]) -> list[Value]:
    """A text over lines of so many characters: each takes as many whole words as fit."""
    if length(text) <= rooms[0]:
        return [text or None, *(None for _ in rooms[1:])]
    lines, words = list[Value](), text.split()
    for room in rooms:
        line = ""
        while words and length(longer := f"{line} {words[0]}".strip()) <= room:
            line = longer
            del words[0]
        lines.append(line or None)
    if words:
        wide = " + ".join(map(str, rooms))
        raise UnmappableError(
            f"{counted(length(text), 'character')}, at most {wide} fit, split between words: {excerpt(text)}"
        )
    return lines


def split_problems(at: Location, prop: Property, known: Mapping[str, Property]) -> Located:
    """What keeps a text from going on there, as (key path, message)."""
    names, at = prop.split, (*at, "split")
    if not names:
        return
    if names[0] != prop.name or len(set(names)) < max(len(names), 2):
        yield at, f"says over which properties: {prop.name} first, then those it goes on in, each once"
    in_order = [name for name in known if name in names]
    for name in names:
        other = known.get(name)
        if other is None:
            yield at, f"nothing is called {name!r}; allowed: {', '.join(known)}"
        elif split_type(other.type)[0] != "text" or not isinstance(other.value_type, Text) or other.values:
            yield at, f"{name} is no free text: type text(N), without values"
        elif other.dir != prop.dir or other.only != prop.only or len(other.shop_paths) != 1:
            yield (
                at,
                f"{name} does not travel as {prop.name} does: dir and only are the same, with one shop path",
            )
        elif other is not prop and other.split:
            yield at, f"{name} is split itself: say it once, at the first"
        elif [one for one in known.values() if one is not prop and name in one.split]:
            yield at, f"{name} belongs to another split"
    if set(names) == set(in_order) and list(names) != in_order:
        yield at, f"the properties stand in another order: {', '.join(in_order)}"
