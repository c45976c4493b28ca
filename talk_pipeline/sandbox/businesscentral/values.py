"""How each kind of value is written in a body, stored, and shown.

Stored values are what comparisons work on: `Decimal` for numbers with places, milliseconds for times, text
in lower case for ids, the member's name for enums, ISO text for dates. A blank is a value of its kind, never
None.
"""

from __future__ import annotations

import datetime as dt
import re
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from talk_pipeline.sandbox.businesscentral import errors
from talk_pipeline.sandbox.businesscentral.schema import DECIMALS, Property
from talk_pipeline.sandbox.clock import BLANK_MS, from_datetime, to_datetime
from talk_pipeline.sandbox.settings import Settings

NO_ID = "00000000-0000-0000-0000-000000000000"
NO_DATE = "0001-01-01"
BLANK_MEMBER = "_x0020_"
_BLANK_SPELLINGS = ("", " ", BLANK_MEMBER)
_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_INT_RANGE = {"Int32": 2**31, "Int64": 2**63}
_FIRST_YEAR = 1753
_DECIMAL_LIMIT = Decimal(10) ** 15


def is_guid(text: str) -> bool:
    """Whether the text is a bare GUID."""
    return _GUID.fullmatch(text) is not None


def units(text: str) -> int:
    """The length of a text in UTF-16 units, as columns and limits have it: an emoji takes two."""
    return len(text) + sum(character > "\uffff" for character in text)


def upper(text: str) -> str:
    """Upper case without regard to language: one character becomes one, and none becomes ASCII."""
    return text.upper() if text.isascii() else "".join(map(_upper, text))


def _upper(character: str) -> str:
    for other in (character.upper(), character.title()):
        if len(other) == 1 and other.isascii() == character.isascii():
            return other
    return character


def blank(entry: Property) -> Any:
    """The value of a property nobody set."""
    match entry.kind:
        case "Code" | "Text":
            return ""
        case "Guid":
            return NO_ID
        case "Boolean":
            return False
        case "Int32" | "Int64":
            return 0
        case "Date":
            return NO_DATE
        case "DateTime":
            return BLANK_MS
        case "Enum":
            return BLANK_MEMBER if BLANK_MEMBER in entry.members else entry.members[0]
        case _:
            return Decimal(0)


def default(entry: Property) -> Any:
    """The value of a property that was not sent on create."""
    if entry.default is None:
        return blank(entry)
    return Decimal(entry.default) if entry.kind in DECIMALS else entry.default


def rounded(value: Decimal, places: int) -> Decimal:
    """Rounded half away from zero and without superfluous zeros."""
    return trimmed(value.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP))


def trimmed(value: Decimal) -> Decimal:
    """The same number without trailing zeros or an exponent."""
    value = value.normalize()
    exponent = value.as_tuple().exponent
    return value.quantize(Decimal(1)) if isinstance(exponent, int) and exponent > 0 else value + 0


def accept(entry: Property, raw: Any, settings: Settings) -> Any:
    """The stored value of what a body holds; raises `errors.ApiError` when it does not fit."""
    if raw is None:
        if settings["null_on_write"] == "refused":
            raise errors.bad_request(f"A null value was found for '{entry.name}'.")
        return blank(entry)
    match entry.kind:
        case "Code" | "Text":
            return _text(entry, raw, settings)
        case "Guid":
            if isinstance(raw, str) and is_guid(raw):
                return raw.lower()
        case "Boolean":
            if isinstance(raw, bool):
                return raw
        case "Int32" | "Int64":
            limit = _INT_RANGE[entry.kind]
            if isinstance(raw, int) and not isinstance(raw, bool) and -limit <= raw < limit:
                return raw
        case "Date":
            if isinstance(raw, str) and _is_date(raw):
                return raw
        case "DateTime":
            moment = parse_moment(raw) if isinstance(raw, str) else None
            if moment is not None:
                return moment
        case "Enum":
            return _member(entry, raw, settings)
        case _:
            if isinstance(raw, int | Decimal) and not isinstance(raw, bool):
                return _decimal(entry, Decimal(raw))
    raise errors.bad_request(f"Cannot convert the value of '{entry.name}' to {entry.kind}.")


def show(entry: Property, value: Any) -> Any:
    """The stored value as it goes over the wire."""
    return show_moment(value) if entry.kind == "DateTime" else value


def restore(entry: Property, stored: Any) -> Any:
    """The stored value again from what the state file gave back."""
    return Decimal(stored) if entry.kind in DECIMALS else stored


def length_of(entry: Property, settings: Settings) -> int | None:
    """UTF-16 units the property takes."""
    if entry.name == "website" and entry.length == 80:
        return int(settings["website_length"])
    return entry.length


def parse_moment(text: str) -> int | None:
    """Milliseconds of an ISO time with zone, or None."""
    try:
        value = dt.datetime.fromisoformat(text)
    except ValueError:
        return None
    return from_datetime(value if value.tzinfo else value.replace(tzinfo=dt.UTC))


def show_moment(moment: int) -> str:
    """UTC with ``Z`` and as many of three fraction digits as are not trailing zeros."""
    value = to_datetime(moment)
    text = value.strftime("%Y-%m-%dT%H:%M:%S") if value.year >= 1000 else value.isoformat()[:19]
    millis = moment % 1000
    return f"{text}.{millis:03d}".rstrip("0") + "Z" if millis else f"{text}Z"


def _text(entry: Property, raw: Any, settings: Settings) -> str:
    if not isinstance(raw, str):
        raise errors.bad_request(f"Cannot convert the value of '{entry.name}' to text.")
    text = upper(raw.strip()) if entry.kind == "Code" else raw
    maximum = length_of(entry, settings)
    if maximum is not None and units(text) > maximum:
        raise errors.too_long(entry.name, actual=units(text), maximum=maximum)
    return text


def _member(entry: Property, raw: Any, settings: Settings) -> str:
    if isinstance(raw, str):
        if raw in entry.members:
            return raw
        blank_ok = BLANK_MEMBER in entry.members and settings["blank_enum_input"] == "any"
        if blank_ok and raw in _BLANK_SPELLINGS:
            return BLANK_MEMBER
    raise errors.ApiError(
        400,
        "Unknown",
        f"'{raw}' is not a member of {entry.enum}; the members are {', '.join(entry.members)}.",
    )


def _decimal(entry: Property, value: Decimal) -> Decimal:
    if not value.is_finite() or abs(value) >= _DECIMAL_LIMIT:
        raise errors.bad_request(f"The value of '{entry.name}' is too large.")
    if entry.min is not None and value < entry.min:
        raise errors.field_rule(f"{entry.name} must not be less than {entry.min}.")
    return rounded(value, DECIMALS[entry.kind])


def _is_date(text: str) -> bool:
    if not _DATE.fullmatch(text):
        return False
    try:
        day = dt.date.fromisoformat(text)
    except ValueError:
        return False
    return day.year >= _FIRST_YEAR or text == NO_DATE
