"""How values look on the wire of Business Central.

It never says null: every type has its own blank, enum members are escaped, numbers must keep their digits. All of
that is translated to and from text values here, and nowhere else.

What is said of values is from the service's `$metadata` and from recorded answers of live services. The samples on
the API pages print a blank enum member as a space; it is read as a blank too, and never written so.
"""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple, Self

import msgspec

from talk_pipeline.flows.moments import can_be_of_a_record
from talk_pipeline.flows.values import Value, length

ZERO_GUID = "00000000-0000-0000-0000-000000000000"
BLANK_ENUM = "_x0020_"

_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
_TO_ESCAPE = re.compile(r"^[0-9]|[^0-9A-Za-z_]")
"""What a member of an enumeration cannot be called on the wire, where no name begins with a digit."""
_TRUTH = {"true": True, "false": False}
_LARGEST = 2**63
"""No whole number of any type there has as much."""
_WRITTEN = re.compile(r"(\w+)(?:\((\d+)\))?( read)?")

# what a type says when nothing was said
_BLANKS: Mapping[str, object] = {
    "text": "",
    "code": "",
    "guid": ZERO_GUID,
    "decimal": Decimal(0),
    "int": 0,
    "bool": False,
    "date": "0001-01-01",
    "datetime": "0001-01-01T00:00:00Z",
    "duration": "PT0S",
    "enum": BLANK_ENUM,
}
_READ_AS_BLANK: Mapping[str, tuple[str, ...]] = {
    "guid": (ZERO_GUID,),
    "date": ("0001-01-01",),
    "datetime": ("0001-01-01T00:00:00Z",),
    "duration": ("PT0S",),
    "enum": (BLANK_ENUM, " "),
}

CALLED: Mapping[str, str] = {
    "text": "String",
    "code": "String",
    "guid": "Guid",
    "decimal": "Decimal",
    "int": "Int32",
    "bool": "Boolean",
    "date": "Date",
    "datetime": "DateTimeOffset",
    "duration": "Duration",
    "enum": "Enum",
}
"""What the service's `$metadata` calls each type."""

_encoder = msgspec.json.Encoder(decimal_format="number")
_decoder = msgspec.json.Decoder(float_hook=str)


class UnwritableError(ValueError):
    """A value is none of the type that it is to be written as."""


class Kind(NamedTuple):
    """A property's type on the wire."""

    name: str
    size: int | None = None
    read_only: bool = False

    @classmethod
    def written(cls, text: object) -> Self:
        """A type as descriptions write it, such as ``code(20)`` or ``decimal read``.

        Raises:
            ValueError: it is none.
        """
        if isinstance(text, cls):
            return text
        match = _WRITTEN.fullmatch(text) if isinstance(text, str) else None
        if match is None or match[1] not in CALLED:
            allowed = ", ".join(CALLED)
            raise ValueError(
                f"no type; allowed: {allowed}, with a length such as text(50), and read behind it"
            )
        return cls(match[1], int(match[2]) if match[2] else None, bool(match[3]))

    def __str__(self) -> str:
        size = f"({self.size})" if self.size is not None else ""
        return f"{self.name}{size}{' read' if self.read_only else ''}"

    @property
    def described(self) -> str:
        """The type as people and the service's `$metadata` call it, such as ``String(20), code``."""
        size = f"({self.size})" if self.size is not None else ""
        notes = [
            note for note, holds in (("code", self.name == "code"), ("read-only", self.read_only)) if holds
        ]
        return ", ".join([f"{CALLED[self.name]}{size}", *notes])

    @property
    def read_as_blank(self) -> tuple[str, ...]:
        """What the type says where there is nothing."""
        return _READ_AS_BLANK.get(self.name, ())

    def write(self, value: Value) -> object:
        """A text value as it goes over the wire.

        Raises:
            UnwritableError: it is none of this type.
        """
        if not value:
            return _BLANKS[self.name]
        if self.name in ("decimal", "int"):
            return self._number(value)
        if self.name == "bool":
            if value not in _TRUTH:
                raise UnwritableError(f"{value!r} is no {CALLED[self.name]}: true or false")
            return _TRUTH[value]
        if self.name == "enum":
            return _TO_ESCAPE.sub(lambda match: f"_x{ord(match[0]):04X}_", value)
        return value

    def _number(self, value: str) -> Decimal | int:
        try:
            number = Decimal(value)
        except InvalidOperation:
            raise UnwritableError(f"{value!r} is no {CALLED[self.name]}") from None
        if not number.is_finite():
            raise UnwritableError(f"{value!r} is no {CALLED[self.name]}")
        if self.name == "decimal":
            return number
        if abs(number) >= _LARGEST or number != int(number):
            raise UnwritableError(f"{value!r} is no {CALLED[self.name]}, which is a whole number")
        return int(number)

    def exact(self, value: str) -> str:
        """A value that Business Central has shown as a filter literal."""
        return quoted(value) if self.name in ("text", "code", "enum") else value

    def addressed(self, value: str) -> str:
        """A value as it stands in the address of a record."""
        return quoted(str(self.write(value))) if self.name == "enum" else self.exact(value)

    def literal(self, value: str) -> str | None:
        """A value as a filter literal; None where it is too long for the field.

        Business Central does not find such a value, it refuses the filter: 400 `Application_FilterErrorException`
        (page `dynamics-error-codes`).
        """
        if self.size is not None and length(value) > self.size:
            return None
        return self.exact(value)


def text_of(value: Any, blanks: Sequence[str], is_enum: bool) -> Value:
    """A wire value as a text value; None for its type's blank. Called for every value that is read."""
    if value is None or value == "" or value in blanks:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    return unescaped(str(value)) if is_enum else str(value)


def unescaped(member: str) -> str:
    """A member of an enumeration as people write it."""
    return _ESCAPED.sub(lambda match: chr(int(match[1], 16)), member)


def quoted(text: str) -> str:
    """A text as a literal."""
    return "'" + text.replace("'", "''") + "'"


def moment(text: object) -> datetime | None:
    """A wire instant as an aware datetime; the blank one as None.

    Raises:
        ValueError: it is none, or in no year that Business Central knows.
    """
    if text is None or text == "" or str(text).startswith("0001-01-01"):
        return None
    try:
        found = datetime.fromisoformat(str(text))
        found = found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise ValueError(f"{str(text)[:60]!r} is no moment") from None
    if not can_be_of_a_record(found):
        raise ValueError(f"{text!r} is in no year that a record can be of")
    return found


def parse(payload: str | bytes) -> Any:
    """JSON with every number as its exact text."""
    return json.loads(payload, parse_float=str, parse_int=str)


def read_numbers(payload: str) -> Any:
    """JSON with every fraction as its exact text, and whole numbers, which are exact, as they are.

    Records are read with it: it takes a quarter of the time.
    """
    try:
        return _decoder.decode(payload)
    except ValueError:
        return parse(payload)  # which takes more for JSON


def dump(value: object) -> bytes:
    """JSON with every decimal as a number of exactly its digits."""
    return _encoder.encode(value)
