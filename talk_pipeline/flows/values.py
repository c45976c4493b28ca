"""Values and what their meaning depends on.

Every value is text or None: numbers keep their exact digits, booleans are ``true`` and ``false``, and blank, null,
missing and the systems' own spellings of "empty" have already become None. How a system writes a value on the
wire is the system's business; the canonical types are in `types`.
"""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from zoneinfo import ZoneInfo

Value = str | None

BROKEN = "\uffff"
"""Stands for half a surrogate pair, which is in some shop's JSON but can be neither kept nor sent."""

_HALVES = re.compile("[\ud800-\udfff]")


class UnmappableError(ValueError):
    """A value that the other side cannot represent: the record is quarantined with this reason."""


def _nothing(_name: str) -> Value:
    return None


@dataclass(frozen=True, slots=True)
class Context:
    """What the meaning of a value may depend on.

    Attributes:
        lcy: the company's local currency, ISO 4217.
        zone: the company's time zone, in which instants become dates.
        sibling: the value of another property of the same record, by property name.
        current: what the receiving side holds now; conversions keep from it what the source cannot say.
        toward_shop: a conversion is meant for the shop.
    """

    lcy: str = "EUR"
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))
    sibling: Callable[[str], Value] = _nothing
    current: Value = None
    toward_shop: bool = False


def tidy(value: Value) -> Value:
    """Text in composed Unicode form without surrounding space, or None when nothing is left."""
    if value is None:
        return None
    if not value.isascii():
        value = unicodedata.normalize("NFC", _HALVES.sub(BROKEN, value))
    return value.strip() or None


def length(text: str) -> int:
    """What a text takes of a limit: Business Central counts UTF-16 units, two for an emoji."""
    return len(text) if text.isascii() else len(text) + sum(character > BROKEN for character in text)


def upper(text: str) -> str:
    """Upper case as Business Central writes it: one character for each, whatever language is spoken.

    So ß stays (SS would be longer, and another word), and neither ı nor ſ becomes an ASCII letter.
    """
    return text.upper() if text.isascii() else _composed("".join(map(_upper, text)))


def folded(text: str) -> str:
    """Without regard to case, one character for each."""
    return text.lower() if text.isascii() else _composed("".join(map(_lower, upper(text))))


def excerpt(text: str) -> str:
    """A value for a person, with what cannot be seen spelled out; a long one by its beginning."""
    return repr(text) if len(text) <= LONGEST_EXCERPT else f"{text[:LONGEST_EXCERPT]!r} ..."


LONGEST_EXCERPT = 300


def _composed(text: str) -> str:
    return unicodedata.normalize("NFC", text)


@lru_cache(maxsize=10_000)
def _upper(character: str) -> str:
    return _single(character, character.upper(), character.title())


@lru_cache(maxsize=10_000)
def _lower(character: str) -> str:
    return _single(character, character.lower())


def _single(character: str, *others: str) -> str:
    for other in others:
        if len(other) == 1 and other.isascii() == character.isascii():
            return other
    return character


def quoted(value: str | None) -> str:
    """A value for a person: blank is not nothing said."""
    return "blank" if value is None else repr(value)
