"""The words documents have for types, and which types of Business Central each fits."""

import re
from enum import Enum, auto

_TEXTS = ("text", "code", "enum", "guid")

# word of a document -> names of types in the descriptions of entity sets
_FITTING = {
    "string": _TEXTS,
    "text": ("text", "code"),
    "code": ("code",),
    "enum": ("enum",),
    "option": ("enum",),
    "guid": ("guid",),
    "uuid": ("guid",),
    "float": ("decimal",),
    "double": ("decimal",),
    "decimal": ("decimal",),
    "money": ("decimal",),
    "number": ("decimal", "int"),
    "integer": ("int",),
    "int": ("int",),
    "boolean": ("bool",),
    "bool": ("bool",),
    "date": ("date",),
    "datetime": ("datetime",),
    "timestamp": ("datetime",),
    "duration": ("duration",),
    "array": (),
    "list": (),
    "object": (),
    "dict": (),
}
_UNSAID = ("", "n/a", "na", "-", "none", "null", "unknown", "?")


class Fit(Enum):
    """How the type a document gives stands to Business Central's."""

    FITS = auto()
    UNSAID = auto()
    DIFFERS = auto()
    UNKNOWN = auto()


def fit(written: str, kind: str) -> Fit:
    """How a type as it is written, such as `string` or `N/A`, stands to one of a description, such as `code`."""
    # what follows the word tells more of it, such as how long it may be
    word = re.split(r"[(,]", written.casefold())[0].strip().removeprefix("edm.")
    if word in _UNSAID:
        return Fit.UNSAID
    if word not in _FITTING:
        return Fit.UNKNOWN
    return Fit.FITS if kind in _FITTING[word] else Fit.DIFFERS
