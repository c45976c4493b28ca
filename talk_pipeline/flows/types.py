"""Canonical types: how a value is compared, checked and carried to the other side.

Each obeys one law: a value carried to the other side and back has the same canonical form. Here are numbers and
booleans, and the names by which flow files call all types; what is text is in `texts`, what is a day in
`moments`. What a property is called is the flow's business.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from talk_pipeline.flows.moments import MILLISECONDS, Day, InstantDay, Moment
from talk_pipeline.flows.texts import (
    LONGEST,
    Code,
    Country,
    Currency,
    Email,
    Gtin,
    Phone,
    Registration,
    Text,
)
from talk_pipeline.flows.values import Context, UnmappableError, Value, excerpt, tidy

BC_INTEGER_DIGITS = 15
BC_DECIMAL_PLACES = 5

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Amount:
    """A decimal number, compared at ``places`` decimals, or at more where the shop writes, or wrote, more.

    Attributes:
        places: decimals at which the shop keeps the value.
        padded: it is money, and written with all of them.
    """

    places: int = 2
    padded: bool = False

    def canonical(self, value: Value, context: Context) -> Value:
        """The exact number without trailing zeros; raises UnmappableError on what cannot be held exactly."""
        return format(self._amount(value).normalize(), "f")

    def convert(self, value: Value, context: Context) -> Value:
        """The exact number; money with at least the places the shop keeps."""
        amount = self._amount(value)
        if self.padded and _places(amount) < self.places:
            amount = amount.quantize(Decimal(1).scaleb(-self.places))
        return format(amount, "f")

    def equal(self, shop: Value, bc: Value, before: Value = None) -> bool:
        """Equal where the shop's is what Business Central's finer decimals round to, a half either way.

        Shops differ in where a half goes. One that rounds 0.125 to 0.12 and one that makes it 0.13 have both
        understood it, and neither has edited it. One that said 1.2345 and says 1.23 keeps more decimals, and has.

        Args:
            shop: the canonical form of the shop's.
            bc: that of Business Central's.
            before: what the shop said when the two last agreed.
        """
        if shop is None or bc is None:
            return shop == bc
        left, right = Decimal(shop), Decimal(bc)
        return abs(left - right) * 2 <= Decimal(1).scaleb(
            -max(self.places, _places(left), self._kept(before))
        )

    def _kept(self, before: Value) -> int:
        """How many decimals the shop was seen to keep; none of what is no number, as before a type was changed."""
        try:
            return _places(self._amount(before).normalize())
        except UnmappableError:
            return 0

    def _amount(self, value: Value) -> Decimal:
        """The number: most fields there keep five decimals, one whose flow says more of them keeps as many."""
        return _number(value, max(BC_DECIMAL_PLACES, self.places))


def _number(value: Value, most: int) -> Decimal:
    """The exact decimal of a text; blank is zero, as Business Central has no blank numbers.

    Raises:
        UnmappableError: not a number, or one with more digits than Business Central keeps.
    """
    text = tidy(value)
    if text is None:
        return Decimal(0)
    if not _NUMBER.fullmatch(text):
        raise UnmappableError(f"{excerpt(text)} is not a number")
    try:
        amount = Decimal(text)
    except InvalidOperation:
        raise UnmappableError(f"{excerpt(text)} is out of range") from None
    if not amount:
        return Decimal(0)
    if amount.adjusted() >= BC_INTEGER_DIGITS:
        raise UnmappableError(
            f"{excerpt(text)} is out of range: at most {BC_INTEGER_DIGITS} digits before the point"
        )
    digits = "".join(map(str, amount.as_tuple().digits))
    needed = _places(amount) - (len(digits) - len(digits.rstrip("0")))
    if needed > most:
        raise UnmappableError(f"{excerpt(text)} has {needed} decimals, at most {most} fit")
    return amount.quantize(Decimal(1).scaleb(-max(0, min(_places(amount), most))))


def _places(amount: Decimal) -> int:
    exponent = amount.as_tuple().exponent
    return -exponent if isinstance(exponent, int) else 0


class Flag(Text):
    """A boolean; blank is false unless the property says otherwise."""

    def canonical(self, value: Value, context: Context) -> Value:
        """``true`` or ``false``; raises UnmappableError otherwise."""
        text = (tidy(value) or "false").lower()
        if text not in ("true", "false"):
            raise UnmappableError(f"{value!r} is neither true nor false")
        return text

    def convert(self, value: Value, context: Context) -> Value:
        """The same on both sides."""
        return self.canonical(value, context)


class Reference(Text):
    """The id of a record of another flow; the engine translates it through that flow's links."""


ValueType = Text | Amount

# name in a flow file -> its type, from the argument (a length or decimals) and the country property
TYPES: dict[str, Callable[[int | None, str | None], ValueType]] = {
    "text": lambda size, _country: Text(limit=size or LONGEST),
    "code": lambda size, _country: Code(limit=size or LONGEST),
    "email": lambda size, _country: Email(limit=size or LONGEST),
    "phone": lambda size, country: Phone(limit=size or LONGEST, country=country),
    "registration": lambda size, country: Registration(limit=size or LONGEST, country=country),
    "country": lambda size, _country: Country(limit=size or LONGEST),
    "currency": lambda size, _country: Currency(limit=size or LONGEST),
    "decimal": lambda size, _country: Amount(places=2 if size is None else size),
    "money": lambda size, _country: Amount(places=2 if size is None else size, padded=True),
    "date": lambda _size, _country: Day(),
    "instant_date": lambda _size, _country: InstantDay(),
    "moment": lambda size, _country: Moment(places=MILLISECONDS if size is None else min(size, MILLISECONDS)),
    "bool": lambda _size, _country: Flag(),
    "gtin": lambda size, _country: Gtin(limit=size or LONGEST),
    "reference": lambda _size, _country: Reference(),
}

COUNT_DECIMALS = ("decimal", "money", "moment")
"""What the argument of these says; of others it is a length."""


def split_type(expression: str) -> tuple[str, str | None]:
    """The name and the argument of a type expression, such as ``("text", "100")``.

    Raises:
        ValueError: not of the form ``name`` or ``name(argument)``, or no such name.
    """
    match = re.fullmatch(r"\s*(\w+)\s*(?:\(\s*([\w-]+)\s*\))?\s*", expression)
    if match is None:
        raise ValueError(
            f"{expression!r} is not a type; write name or name(argument), such as text(100); how the shop spells a"
            " value, such as a text with HTML entities, is told in its description"
        )
    if match[1] not in TYPES:
        raise ValueError(f"no type {match[1]!r}; allowed: {', '.join(TYPES)}")
    return match[1], match[2]


def parse_type(expression: str, *, country: str | None = None) -> ValueType:
    """The type written as ``name`` or ``name(argument)`` in a flow file.

    Raises:
        ValueError: no such type, or an argument that does not fit it.
    """
    name, argument = split_type(expression)
    if name == "reference":
        if argument is None:
            raise ValueError("reference needs the flow it refers to: reference(flow)")
        return TYPES[name](None, None)
    if argument is None:
        return TYPES[name](None, country)
    if not (argument.isascii() and argument.isdigit()):
        raise ValueError(f"{expression!r}: the argument of {name} is a number")
    if int(argument) == 0 and name not in COUNT_DECIMALS:
        raise ValueError(f"{expression!r} has room for nothing; write {name}, or how many characters fit")
    return TYPES[name](int(argument), country)
