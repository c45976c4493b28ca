"""Addresses with names to fill in, such as `{item}/lines`; other braces, such as those of JSON in a query, stay."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Self
from urllib.parse import quote

from talk_pipeline.flows.mistakes import Located, Location
from talk_pipeline.systems.customwebshop.spec import paths
from talk_pipeline.systems.customwebshop.spec.paths import Json

_WHOSE = {"record": "the record", "begun": "the answer that began it"}
"""What is known whole, so that a place in it may be named."""

SHOP = "{shop}"
"""The shop's address, in a template of values."""

_NAME = re.compile(r"\{(\+?)(\w+|(?:record|begun):[^{}]+)\}")
VERSION, KEY = "version", "key"
"""Names of the version that a record was read with, and of what a new one may be told apart by."""
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
    documents = {"record": record, "begun": begun}
    return _filled(template, documents, values, written=partial(quote, safe=""), link=_followed)


def filled_query(
    query: Mapping[str, Json], *, record: Json = None, begun: Json = None, **values: str
) -> dict[str, Json]:
    """Parameters of an address, filled as it is; what is special in them is not written yet.

    Raises:
        NoPlaceError: as for an address.
    """
    fill = partial(
        _filled, documents={"record": record, "begun": begun}, values=values, written=str, link=str
    )
    return {name: fill(said) if isinstance(said, str) else said for name, said in query.items()}


@dataclass(frozen=True, slots=True)
class Known:
    """What names stand for in what is sent.

    Attributes:
        ids: of the record and of the entry, as they are known: within a longer text, as in an address.
        told: the same as the shop says them, which may be numbers: where a text is the name alone.
        documents: what is known whole, by name.
    """

    ids: Mapping[str, str] = field(default_factory=dict)
    told: Mapping[str, Json] = field(default_factory=dict)
    documents: Mapping[str, Json] = field(default_factory=dict)

    def beside(self, **documents: Json) -> Self:
        """The same with further documents."""
        return replace(self, documents={**self.documents, **documents})


NOTHING = Known()
"""Of what names nothing."""


def filled_values(said: Json, known: Known) -> Json:
    """A body, or a part of it, in which each name in braces has its value.

    A text that is a name alone becomes what it stands for, be it a number, or nothing where the record has nothing
    there. In a longer text every sign stands for itself. A text with any other brace stays, since
    queries that go in bodies are full of them.

    Raises:
        NoPlaceError: a longer text names a place that is not there, or any text one of the answer that began it.
    """
    if isinstance(said, Mapping):
        return {key: filled_values(inner, known) for key, inner in said.items()}
    if isinstance(said, list | tuple):
        return [filled_values(inner, known) for inner in said]
    if not isinstance(said, str) or not is_template(said):
        return said
    if _NAME.fullmatch(said):
        return _alone(said, known)
    documents = {name: known.documents.get(name) for name in _WHOSE}
    return _filled(said, documents, known.ids, written=str, link=str)


def is_template(text: str) -> bool:
    """Whether all braces of a text are those of names."""
    return "{" in text and not set("{}") & set(_NAME.sub("", text))


def texts_in(said: Json) -> Iterator[str]:
    """All texts of a body, or of a part of it."""
    if isinstance(said, Mapping):
        said = list(said.values())
    if isinstance(said, list | tuple):
        for inner in said:
            yield from texts_in(inner)
    elif isinstance(said, str):
        yield said


def _alone(text: str, known: Known) -> Json:
    name, colon, place = text[1:-1].removeprefix("+").partition(":")
    if not colon:
        _check_told(text, name, known.told)
        return known.told.get(name, text)
    value = paths.get(known.documents[name], place) if name in known.documents else text
    if value is paths.MISSING and name == "begun":
        raise NoPlaceError(f"{text}: {_WHOSE[name]} has nothing at {place}")
    return None if value is paths.MISSING else value


def _check_told(template: str, name: str, values: Mapping[str, Json]) -> None:
    if name == VERSION and name not in values:
        raise NoPlaceError(f"{template}: neither the record nor the last answer tells its version")


def within(template: str, text: str) -> str | None:
    """What stands in a text where its template has {}; None where it is another text."""
    before, after = template.split("{}")
    fits = len(text) > len(before) + len(after) and text.startswith(before) and text.endswith(after)
    return text[len(before) : len(text) - len(after)] if fits else None


def _followed(link: str) -> str:
    return _LEFT_OPEN.sub("", link)


def _filled(
    template: str,
    documents: Mapping[str, Json],
    values: Mapping[str, str],
    *,
    written: Callable[[str], str],
    link: Callable[[str], str],
) -> str:
    def fill(found: re.Match[str]) -> str:
        what, _, place = found[2].partition(":")
        as_it_is = found[1] or not found.start()
        if not place:
            _check_told(template, what, values)
            if what not in values or what in _ADDRESSES:
                return values.get(what, found[0])
            return link(values[what]) if as_it_is else written(values[what])
        text = paths.text_of(paths.get(documents[what], place))
        if text is None:
            raise NoPlaceError(f"{template}: {_WHOSE[what]} has nothing at {place}")
        return link(text) if as_it_is else written(text)

    return _NAME.sub(fill, template)


def unknown(template: str, allowed: tuple[str, ...]) -> bool:
    """Whether an address names anything else; `record:` among the allowed stands for any place of the record."""
    parts = (name.removeprefix("+").partition(":") for name in _BRACED.findall(template))
    return any(f"{what}{colon}" not in allowed for what, colon, _ in parts)


def misnamed(at: Location, text: str | None, allowed: tuple[str, ...]) -> Located:
    """What stands in braces must be one of these names."""
    if unknown(text or "", allowed):
        names = ", ".join("{" + name + ("place" if name.endswith(":") else "") + "}" for name in allowed)
        yield at, f"{text!r} may name {names} only"
