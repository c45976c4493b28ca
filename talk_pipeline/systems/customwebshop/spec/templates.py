"""Addresses with names to fill in, such as `{item}/lines`; other braces, such as those of JSON in a query, stay."""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from urllib.parse import quote

from talk_pipeline.systems.customwebshop.spec import paths
from talk_pipeline.systems.customwebshop.spec.paths import Json

Located = Iterator[tuple[tuple[str | int, ...], str]]
"""Mistakes, each with the keys that lead to it."""

DOCUMENTS = ("record", "begun")
"""What is known whole, so that a place in it may be named."""

SHOP = "{shop}"
"""The shop's address, in a template of values."""

_NAME = re.compile(r"\{(\+?)(\w+|(?:record|begun):[^{}]+)\}")
_ADDRESSES = ("path", "item", "lines")
"""Names of what is an address already."""
_LEFT_OPEN = re.compile(r"\{[^{}]*\}")
"""What a link leaves to be filled in, such as `{?page,size}`."""
# what may be meant as a name; JSON has quotes, commas or more braces
_BRACED = re.compile(r"""\{([^{}"',\s]+)\}""")


class NoPlaceError(ValueError):
    """An address names a place that the record does not have."""


def filled(template: str, *, record: Json = None, begun: Json = None, **values: str) -> str:
    """The address with each name's value; others stay as they are.

    A value with which the address begins is an address itself, and stands as it is; so does one that is named with
    a plus, as in `{+id}`. Elsewhere each sign of it stands for itself.

    Args:
        template: `{record:a.b}` is what the record has there, `{begun:a.b}` the answer that began what goes on.
        record: the record.
        begun: that answer.
        values: of the names.

    Raises:
        NoPlaceError: the record, or the answer, has nothing there.
    """
    return _filled(template, record, begun, values, written=partial(quote, safe=""), link=_followed)


def filled_in_body(template: str, *, begun: Json, **values: str) -> str:
    """The same for a value of a body, in which every sign stands for itself."""
    return _filled(template, None, begun, values, written=str, link=str)


def filled_values(said: Json, known: Mapping[str, Json]) -> Json:
    """A body in which each text that is a name in braces, and nothing else, has its value; others stay.

    Braces within a text stay, since queries that go in bodies are full of them. `{record:place}` is what `record`
    of the known ones says there, and `{begun:place}` what `begun` does: nothing where it does not.
    """
    if isinstance(said, Mapping):
        return {key: filled_values(inner, known) for key, inner in said.items()}
    if isinstance(said, list | tuple):
        return [filled_values(inner, known) for inner in said]
    if not (isinstance(said, str) and said.startswith("{") and said.endswith("}")):
        return said
    name, colon, place = said[1:-1].partition(":")
    if not colon:
        return said if name in DOCUMENTS else known.get(name, said)
    if name not in DOCUMENTS or name not in known:
        return said
    value = paths.get(known[name], place)
    return None if value is paths.MISSING else value


def within(template: str, text: str) -> str | None:
    """What stands in a text where its template has {}; None where it is another text."""
    before, after = template.split("{}")
    fits = len(text) > len(before) + len(after) and text.startswith(before) and text.endswith(after)
    return text[len(before) : len(text) - len(after)] if fits else None


def _followed(link: str) -> str:
    return _LEFT_OPEN.sub("", link)


def _filled(
    template: str,
    record: Json,
    begun: Json,
    values: Mapping[str, str],
    *,
    written: Callable[[str], str],
    link: Callable[[str], str],
) -> str:
    def fill(found: re.Match[str]) -> str:
        what, _, place = found[2].partition(":")
        as_it_is = found[1] or not found.start()
        if not place:
            if what not in values or what in _ADDRESSES:
                return values.get(what, found[0])
            return link(values[what]) if as_it_is else written(values[what])
        text = paths.text_of(paths.get(record if what == "record" else begun, place))
        if text is None:
            whose = "the record" if what == "record" else "the answer that began it"
            raise NoPlaceError(f"{template}: {whose} has nothing at {place}")
        return link(text) if as_it_is else written(text)

    return _NAME.sub(fill, template)


def unknown(template: str, allowed: tuple[str, ...]) -> bool:
    """Whether an address names anything else; `record:` among the allowed stands for any place of the record."""
    parts = (name.removeprefix("+").partition(":") for name in _BRACED.findall(template))
    return any(f"{what}{colon}" not in allowed for what, colon, _ in parts)


def misnamed(at: tuple[str | int, ...], text: str | None, allowed: tuple[str, ...]) -> Located:
    """What stands in braces must be one of these names."""
    if unknown(text or "", allowed):
        names = ", ".join("{" + name + ("place" if name.endswith(":") else "") + "}" for name in allowed)
        yield at, f"{text!r} may name {names} only"
