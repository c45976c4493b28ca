"""Addresses with names to fill in, such as `{item}/lines`; other braces, such as those of JSON in a query, stay."""

import re
from collections.abc import Iterator
from urllib.parse import quote

from talk_pipeline.systems.customwebshop.spec import paths
from talk_pipeline.systems.customwebshop.spec.paths import Json

Located = Iterator[tuple[tuple[str | int, ...], str]]
"""Mistakes, each with the keys that lead to it."""

_NAME = re.compile(r"\{(\w+|record:[^{}]+)\}")
_RECORD = "record:"
# what may be meant as a name; JSON has quotes, commas or more braces
_BRACED = re.compile(r"""\{([^{}"',\s]+)\}""")


class NoPlaceError(ValueError):
    """An address names a place that the record does not have."""


def filled(template: str, *, record: Json = None, **values: str) -> str:
    """The address with each name's value; `{record:a.b}` is what the record has there. Others stay as they are.

    Raises:
        NoPlaceError: the record has nothing there.
    """

    def fill(found: re.Match[str]) -> str:
        name = found[1]
        if not name.startswith(_RECORD):
            return values.get(name, found[0])
        text = paths.text_of(paths.get(record, name.removeprefix(_RECORD)))
        if text is None:
            raise NoPlaceError(f"{template}: the record has nothing at {name.removeprefix(_RECORD)}")
        return quote(text, safe="")

    return _NAME.sub(fill, template)


def unknown(template: str, allowed: tuple[str, ...]) -> bool:
    """Whether an address names anything else; `record:` among the allowed stands for any place of the record."""
    names = (_RECORD if name.startswith(_RECORD) else name for name in _BRACED.findall(template))
    return any(name not in allowed for name in names)


def misnamed(at: tuple[str | int, ...], text: str | None, allowed: tuple[str, ...]) -> Located:
    """What stands in braces must be one of these names."""
    if unknown(text or "", allowed):
        names = ", ".join("{" + name + ("place" if name.endswith(":") else "") + "}" for name in allowed)
        yield at, f"{text!r} may name {names} only"
