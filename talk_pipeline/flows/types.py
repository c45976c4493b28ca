"""Canonical types: how a value is compared, checked and carried to the other side.

Each obeys one law: a value carried to the other side and back has the same canonical form. What a property is
called is the flow's business.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from functools import lru_cache

from talk_pipeline.flows.values import Context, UnmappableError, Value, instant, number, tidy

LONGEST = 250  # of a text whose type names no length
BC_DECIMAL_PLACES = 5


@dataclass(frozen=True, slots=True)
class Text:
    """Free text of at most ``limit`` characters."""

    limit: int = LONGEST

    def canonical(self, value: Value, context: Context) -> Value:
        """The form compared; raises UnmappableError when the text is too long."""
        text = tidy(value)
        if text is not None and len(text) > self.limit:
            raise UnmappableError(f"{len(text)} characters, at most {self.limit} fit: {text!r}")
        return text

    def convert(self, value: Value, context: Context) -> Value:
        """The form sent to the other side."""
        self.canonical(value, context)
        return tidy(value)

    def equal(self, shop: Value, bc: Value) -> bool:
        """Whether two canonical forms say the same."""
        return shop == bc


class Code(Text):
    """A key such as a number or a postal code: Business Central stores it in upper case."""

    def canonical(self, value: Value, context: Context) -> Value:
        """Upper case; the form written by the shop is what is sent."""
        text = Text.canonical(self, value, context)
        return text and text.upper()


class Email(Text):
    """An e-mail address, or several separated by semicolons, compared without regard to case."""

    def canonical(self, value: Value, context: Context) -> Value:
        """Case-folded; raises UnmappableError when it is no address."""
        text = Text.canonical(self, value, context)
        if text is None:
            return None
        for address in text.split(";"):
            _require_address(address.strip())
        return text.casefold()


@lru_cache(maxsize=100_000)
def _require_address(address: str) -> None:
    from email_validator import EmailNotValidError, validate_email

    try:
        validate_email(address, check_deliverability=False, test_environment=True)
    except EmailNotValidError as error:
        raise UnmappableError(f"{address!r} is not an e-mail address: {error}") from error


@dataclass(frozen=True, slots=True)
class Phone(Text):
    """A phone number, compared as E.164 where it parses in the record's country, else as text."""

    limit: int = 30
    country: str | None = None

    def canonical(self, value: Value, context: Context) -> Value:
        """E.164 or the text itself; raises UnmappableError on letters, which Business Central refuses."""
        text = Text.canonical(self, value, context)
        if text is None:
            return None
        if any(character.isalpha() for character in text):
            raise UnmappableError(f"{text!r} holds letters; a phone number may not")
        country = context.sibling(self.country) if self.country else None
        return _e164(text, country and country.strip().upper()) or " ".join(text.split())


@lru_cache(maxsize=100_000)
def _e164(text: str, region: Value) -> Value:
    import phonenumbers

    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    form = str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))
    # a leading zero that would be dropped again and again belongs to the number: then the text itself counts
    again = phonenumbers.parse(form, None)
    return form if phonenumbers.format_number(again, phonenumbers.PhoneNumberFormat.E164) == form else None


# where the prefix of a VAT number is not the country's ISO code
_VAT_PREFIXES = {"GR": ("EL", "GR"), "CH": ("CHE", "CH")}
_PUNCTUATION = re.compile(r"[^0-9A-Z]")
_PREFIXED = re.compile(r"[A-Z]{2,3}(?=[0-9])")


@dataclass(frozen=True, slots=True)
class Registration(Text):
    """A company's registration or VAT number, compared without spaces, punctuation and country prefix."""

    limit: int = 20
    country: str | None = None

    def canonical(self, value: Value, context: Context) -> Value:
        """Digits and letters only, in upper case."""
        text = Text.canonical(self, value, context)
        if text is None:
            return None
        plain = _PUNCTUATION.sub("", text.upper())
        country = (context.sibling(self.country) or "").strip().upper() if self.country else ""
        if not country:
            return _PREFIXED.sub("", plain, count=1) or None
        for prefix in _VAT_PREFIXES.get(country, (country,)):
            if plain.startswith(prefix) and len(plain) > len(prefix):
                return plain[len(prefix) :]
        return plain or None


class Country(Text):
    """An ISO 3166 alpha-2 country code."""

    def canonical(self, value: Value, context: Context) -> Value:
        """Upper case; raises UnmappableError when no country has that code."""
        text = Text.canonical(self, value, context)
        if text is None:
            return None
        if not _is_country(text.upper()):
            raise UnmappableError(f"{text!r} is not an ISO 3166 alpha-2 country code")
        return text.upper()

    def convert(self, value: Value, context: Context) -> Value:
        """Upper case on both sides."""
        return self.canonical(value, context)


@lru_cache(maxsize=1000)
def _is_country(code: str) -> bool:
    import pycountry

    return pycountry.countries.get(alpha_2=code) is not None


class Currency(Text):
    """An ISO 4217 currency; blank is the local currency, which travels by its code."""

    def canonical(self, value: Value, context: Context) -> Value:
        """Upper case, never blank; raises UnmappableError when no currency has that code."""
        text = (tidy(value) or context.lcy).upper()
        if not _is_currency(text):
            raise UnmappableError(f"{text!r} is not an ISO 4217 currency code")
        return text

    def convert(self, value: Value, context: Context) -> Value:
        """The code, also for the local currency."""
        return self.canonical(value, context)


@lru_cache(maxsize=1000)
def _is_currency(code: str) -> bool:
    import pycountry

    return pycountry.currencies.get(alpha_3=code) is not None


def _plain(amount: Decimal) -> str:
    return format(amount.normalize(), "f") if amount else "0"


@dataclass(frozen=True, slots=True)
class Amount:
    """A decimal number, compared at ``places`` decimals, or at more where the shop writes more.

    Attributes:
        places: decimals at which the shop keeps the value.
        padded: it is money, and written with all of them.
    """

    places: int = 2
    padded: bool = False

    def canonical(self, value: Value, context: Context) -> Value:
        """The exact number without trailing zeros; raises UnmappableError beyond five decimals."""
        amount = number(value)
        exponent = amount.normalize().as_tuple().exponent
        if isinstance(exponent, int) and -exponent > BC_DECIMAL_PLACES:
            raise UnmappableError(f"{value!r} has {-exponent} decimals, at most {BC_DECIMAL_PLACES} fit")
        return _plain(amount)

    def convert(self, value: Value, context: Context) -> Value:
        """The number as written; money with at least the places the shop keeps."""
        self.canonical(value, context)
        amount = number(value)
        exponent = amount.as_tuple().exponent
        missing = self.padded and isinstance(exponent, int) and -exponent < self.places
        return format(amount.quantize(Decimal(1).scaleb(-self.places)) if missing else amount, "f")

    def equal(self, shop: Value, bc: Value) -> bool:
        """Equal once Business Central's finer decimals are rounded to those the shop keeps."""
        if shop is None or bc is None:
            return shop == bc
        left, right = Decimal(shop), Decimal(bc)
        exponent = left.as_tuple().exponent
        places = max(self.places, -exponent if isinstance(exponent, int) else 0)
        return left == right or left == round(right, places)


class Day(Text):
    """A calendar date, ``YYYY-MM-DD``."""

    def canonical(self, value: Value, context: Context) -> Value:
        """The date; raises UnmappableError when it is none."""
        text = tidy(value)
        if text is None:
            return None
        try:
            return date.fromisoformat(text[:10]).isoformat()
        except ValueError:
            raise UnmappableError(f"{text!r} is not a date (YYYY-MM-DD)") from None

    def convert(self, value: Value, context: Context) -> Value:
        """The date on both sides."""
        return self.canonical(value, context)


class InstantDay(Text):
    """An instant in the shop that is a date in Business Central, in the company's time zone."""

    def canonical(self, value: Value, context: Context) -> Value:
        """The date in the company's time zone; raises UnmappableError when it is neither."""
        text = tidy(value)
        if text is None:
            return None
        if len(text) <= len("2026-01-31"):
            return Day().canonical(text, context)
        return instant(text).astimezone(context.zone).date().isoformat()

    def convert(self, value: Value, context: Context) -> Value:
        """To Business Central the date; to the shop that date at the time of day the shop already has."""
        day = self.canonical(value, context)
        if day is None or not context.toward_shop:
            return day
        current = tidy(context.current)
        known = current is not None and len(current) > len("2026-01-31")
        clock = instant(current).astimezone(context.zone).time() if current and known else time(0)
        moment = datetime.combine(date.fromisoformat(day), clock, context.zone).astimezone(UTC)
        return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


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


class Gtin(Text):
    """A trade item number of 8, 12, 13 or 14 digits, compared in its 14-digit form."""

    def canonical(self, value: Value, context: Context) -> Value:
        """Padded to 14 digits; raises UnmappableError on a wrong check digit."""
        from stdnum import ean

        text = Text.canonical(self, value, context)
        if text is None:
            return None
        digits = text.replace(" ", "").replace("-", "")
        if not (digits.isdigit() and len(digits) in (8, 12, 13, 14) and ean.is_valid(digits.zfill(13))):
            raise UnmappableError(f"{text!r} is not a GTIN: 8, 12, 13 or 14 digits with a valid check digit")
        return digits.zfill(14)

    def convert(self, value: Value, context: Context) -> Value:
        """Digits only, as many as were written."""
        self.canonical(value, context)
        text = tidy(value)
        return text and text.replace(" ", "").replace("-", "")


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
    "bool": lambda _size, _country: Flag(),
    "gtin": lambda size, _country: Gtin(limit=size or LONGEST),
    "reference": lambda _size, _country: Reference(),
}


def split_type(expression: str) -> tuple[str, str | None]:
    """The name and the argument of a type expression, such as ``("text", "100")``.

    Raises:
        ValueError: not of the form ``name`` or ``name(argument)``, or no such name.
    """
    match = re.fullmatch(r"\s*(\w+)\s*(?:\(\s*([\w-]+)\s*\))?\s*", expression)
    if match is None:
        raise ValueError(f"{expression!r} is not a type; write name or name(argument), such as text(100)")
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
    if argument is not None and not argument.isdigit():
        raise ValueError(f"{expression!r}: the argument of {name} is a number")
    return TYPES[name](int(argument) if argument else None, country)
