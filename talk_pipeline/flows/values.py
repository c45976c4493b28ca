"""Values and what their meaning depends on.

Every value is text or None: numbers keep their exact digits, booleans are ``true`` and ``false``, and blank, null,
missing and the systems' own spellings of "empty" have already become None. How a system writes a value on the
wire is the system's business; the canonical types are in `types`.
"""

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from zoneinfo import ZoneInfo

Value = str | None

INTEGER_DIGITS = 15


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
    return unicodedata.normalize("NFC", value).strip() or None


def number(value: Value) -> Decimal:
    """The exact decimal of a text; blank is zero, as Business Central has no blank numbers.

    Raises:
        UnmappableError: not a finite number, or too large to keep every digit.
    """
    text = tidy(value)
    if text is None:
        return Decimal(0)
    try:
        amount = Decimal(text)
    except InvalidOperation:
        raise UnmappableError(f"{text!r} is not a number") from None
    if not amount.is_finite() or amount.adjusted() >= INTEGER_DIGITS:
        raise UnmappableError(f"{text!r} is out of range: at most {INTEGER_DIGITS} digits before the point")
    return amount


def instant(text: str) -> datetime:
    """An RFC 3339 instant as an aware datetime in UTC; without an offset it is taken as UTC.

    Raises:
        UnmappableError: not an instant.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UnmappableError(f"{text!r} is not an instant (RFC 3339)") from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
