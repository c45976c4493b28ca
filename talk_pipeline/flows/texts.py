"""Canonical types of text: free text, keys, addresses and numbers that are compared by what they mean.

Each obeys the law of `types`, where they are named.
"""

import re
from dataclasses import dataclass
from functools import cache, lru_cache

from talk_pipeline.flows.values import (
    BROKEN,
    Context,
    UnmappableError,
    Value,
    excerpt,
    folded,
    length,
    tidy,
    upper,
)
from talk_pipeline.wording import counted

LONGEST = 250  # of a text whose type names no length

# what XML 1.0 cannot carry, and with it no report, export or message that Business Central makes of a text
_NO_TEXT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class Text:
    """Free text of at most ``limit`` characters."""

    limit: int = LONGEST

    def canonical(self, value: Value, context: Context) -> Value:
        """The form compared; raises UnmappableError when the text is too long, or holds what is no text."""
        text = tidy(value)
        if text is not None:
            _require_text(text)
            _require_room(text, self.limit)
        return text

    def convert(self, value: Value, context: Context) -> Value:
        """The form sent to the other side."""
        self.canonical(value, context)
        return tidy(value)

    def equal(self, shop: Value, bc: Value, before: Value = None) -> bool:
        """Whether two canonical forms say the same, whatever the shop said before."""
        return shop == bc


def _require_text(text: str) -> None:
    if text.isprintable():
        return
    found = _NO_TEXT.search(text)
    if found:
        what = f"the control character U+{ord(found[0]):04X}" if found[0] < " " else f"U+{ord(found[0]):04X}"
        what = "half a character (a lone surrogate)" if found[0] == BROKEN else what
        raise UnmappableError(
            f"{excerpt(text)} holds {what} at position {found.start() + 1}, which is no text"
        )


def _require_room(text: str, limit: int) -> None:
    taken = length(text)
    if taken > limit:
        emoji = "" if taken == len(text) else " (an emoji counts as two)"
        raise UnmappableError(f"{counted(taken, 'character')}{emoji}, at most {limit} fit: {excerpt(text)}")


class Code(Text):
    """A key such as a number or a postal code: Business Central stores it in upper case."""

    def canonical(self, value: Value, context: Context) -> Value:
        """Upper case; the form written by the shop is what is sent."""
        text = Text.canonical(self, value, context)
        return text and upper(text)


class Email(Text):
    """An e-mail address, or several separated by semicolons, compared without regard to case."""

    def canonical(self, value: Value, context: Context) -> Value:
        """Without regard to case; raises UnmappableError when it is no address."""
        text = Text.canonical(self, value, context)
        if text is None:
            return None
        for address in map(str.strip, text.split(";")):
            if not _PLAIN_ADDRESS.fullmatch(address):
                _require_address(address, text)
        return folded(text)


# an address that is right without a doubt, as nearly all are: the library takes a hundred times as long to say so
_PLAIN_ADDRESS = re.compile(
    r"(?=.{6,250}\Z)[a-z0-9_+-]+(\.[a-z0-9_+-]+)*@"
    r"([a-z0-9]{1,20}(-[a-z0-9]{1,20}){0,2}\.)+(?!(arpa|invalid|local|localhost|onion|test)\Z)[a-z]{2,63}",
    re.ASCII | re.IGNORECASE,
)


@lru_cache(maxsize=1000)
def _require_address(address: str, text: str) -> None:
    from email_validator import EmailNotValidError, validate_email

    try:
        validate_email(address, check_deliverability=False, test_environment=True)
    except EmailNotValidError as error:
        raise UnmappableError(f"{excerpt(text)} is not an e-mail address: {error}") from error


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
        if plain := plain_e164(text):
            return plain
        if any(character.isalpha() for character in text):
            raise UnmappableError(f"{excerpt(text)} holds letters; a phone number may not")
        country = context.sibling(self.country) if self.country else None
        return _e164(text, country and country.strip().upper()) or " ".join(text.split())


# digits with what people write between them, and nothing that could be an extension
_PLAIN_NUMBER = re.compile(r"\+[1-9][0-9 ().-]*[0-9]", re.ASCII)
_NO_DIGITS = re.compile(r"[^0-9]")


def plain_e164(text: str) -> Value:
    """E.164 of a number that is its digits as they stand, as nearly all with a country's code are; else None.

    The library takes ten times as long to say the same.
    """
    if not _PLAIN_NUMBER.fullmatch(text):
        return None
    digits = _NO_DIGITS.sub("", text)
    for size in (1, 2, 3):
        if plan := _plan(digits[:size]):
            national = digits[size:]
            if len(national) not in plan.lengths or (plan.prefix and plan.prefix.match(national)):
                return None
            return f"+{digits}"
    return None


@dataclass(frozen=True, slots=True)
class _Plan:
    """How a country's numbers are made.

    Attributes:
        lengths: digits behind its code.
        prefix: what may stand before a number and belongs not to it.
    """

    lengths: frozenset[int]
    prefix: re.Pattern[str] | None


@cache
def _plan(code: str) -> _Plan | None:
    """That of the country, or the first of the countries, with a code; None where it is nobody's."""
    import phonenumbers

    region = phonenumbers.region_code_for_country_code(int(code))
    told = phonenumbers.PhoneMetadata.metadata_for_region(region)
    if told is None or told.general_desc is None:
        return None
    prefix = told.national_prefix_for_parsing
    lengths = told.general_desc.possible_length
    return _Plan(frozenset(lengths), re.compile(prefix) if prefix else None)


@lru_cache(maxsize=100_000)
def _e164(text: str, region: Value) -> Value:
    """E.164, and the extension after a #; None where it is no number that could be dialled."""
    import phonenumbers

    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    form = str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))
    # a leading zero that would be dropped again and again belongs to the number: then the text itself counts; where
    # nothing was dropped, the form reads as the text did
    if text.startswith("+") and _PUNCTUATION.sub("", text) == form[1:]:
        return form
    again = phonenumbers.parse(form, None)
    if phonenumbers.format_number(again, phonenumbers.PhoneNumberFormat.E164) != form:
        return None
    return f"{form}#{number.extension}" if number.extension else form


# the prefixes of VAT numbers where they are not the country's ISO code alone
_PREFIXES = {"GR": ("EL", "GR"), "CH": ("CHE", "CH"), "GB": ("GB", "XI")}
_VAT_COUNTRIES = (
    "AT BE BG CHE CH CY CZ DE DK EE EL ES FI FR GB GR HR HU IE IT LT LU LV MT NL NO PL PT RO SE SI SK XI"
)
_SUFFIXES = {"NO": "MVA", "CH": "MWST|TVA|IVA|TPV"}
_PUNCTUATION = re.compile(r"[\W_]")


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
        country = (context.sibling(self.country) or "").strip().upper() if self.country else ""
        return _affixes(country).sub("", _PUNCTUATION.sub("", upper(text))) or None


@lru_cache(maxsize=1000)
def _affixes(country: str) -> re.Pattern[str]:
    """What says only that it is a VAT number, and of which country; of any, where the country is unknown.

    Something always remains, and nothing more to remove.
    """
    prefixes = _PREFIXES.get(country, (country,)) if country else _VAT_COUNTRIES.split()
    before = "|".join(map(re.escape, prefixes))
    after = _SUFFIXES.get(country)
    return re.compile(rf"^(?:{before})+(?=.)" + (rf"|(?<=[0-9])(?:{after})+$" if after else ""))


class Country(Text):
    """An ISO 3166 alpha-2 country code."""

    def canonical(self, value: Value, context: Context) -> Value:
        """Upper case; raises UnmappableError when no country has that code."""
        text = Text.canonical(self, value, context)
        if text is None:
            return None
        if not _is_country(upper(text)):
            raise UnmappableError(f"{excerpt(text)} is not an ISO 3166 alpha-2 country code")
        return upper(text)

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
        text = upper(tidy(value) or context.lcy)
        if not _is_currency(text):
            raise UnmappableError(f"{excerpt(text)} is not an ISO 4217 currency code")
        return text

    def convert(self, value: Value, context: Context) -> Value:
        """The code, also for the local currency."""
        return self.canonical(value, context)


@lru_cache(maxsize=1000)
def _is_currency(code: str) -> bool:
    import pycountry

    return pycountry.currencies.get(alpha_3=code) is not None


@cache
def minor_digits(currency: str) -> int:
    """How many decimals a currency has by ISO 4217; two where that says nothing of the code."""
    import iso4217  # reads its table when it is imported

    try:
        exponent = iso4217.Currency(currency).exponent
    except ValueError:
        return 2
    return 2 if exponent is None else exponent


class Gtin(Text):
    """A trade item number of 8, 12, 13 or 14 digits, compared in its 14-digit form."""

    def canonical(self, value: Value, context: Context) -> Value:
        """Padded to 14 digits; raises UnmappableError on a wrong check digit."""
        digits = _digits(value)
        if digits is None:
            return None
        if not _is_gtin(digits):
            raise UnmappableError(
                f"{excerpt(tidy(value) or '')} is not a GTIN: 8, 12, 13 or 14 digits with a valid check digit"
            )
        _require_room(digits, self.limit)
        return digits.zfill(14)

    def convert(self, value: Value, context: Context) -> Value:
        """Digits only, as many as were written."""
        self.canonical(value, context)
        return _digits(value)


def _digits(value: Value) -> Value:
    text = tidy(value)
    return text and "".join(text.split()).replace("-", "")


def _is_gtin(digits: str) -> bool:
    from stdnum import ean

    known = len(digits) in (8, 12, 13, 14) and digits.isascii() and digits.isdigit()
    return known and bool(ean.is_valid(digits.zfill(13)))
