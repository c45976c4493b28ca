"""The forms in which values are compared, by the types that flow files name: written a second time on purpose.

What a type cannot understand is compared as the text it is; whether it fits is not asked here.
"""

import re
import unicodedata
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from zoneinfo import ZoneInfo

import phonenumbers

_VAT = "AT BE BG CHE CH CY CZ DE DK EE EL ES FI FR GB GR HR HU IE IT LT LU LV MT NL NO PL PT RO SE SI SK XI"
_PREFIXES = {"": _VAT, "GR": "EL GR", "CH": "CHE CH", "GB": "GB XI"}
_SUFFIXES = {"NO": "MVA", "CH": "MWST|TVA|IVA|TPV"}
NUMBERS = ("decimal", "money")


def tidy(value: str | None) -> str | None:
    """Composed Unicode without surrounding space; a blank is nothing."""
    return unicodedata.normalize("NFC", re.sub("[\ud800-\udfff]", "\uffff", value or "")).strip() or None


def canonical(
    kind: str, value: str | None, *, currency: str, zone: ZoneInfo, country: str | None
) -> str | None:
    """What a value means to a type such as `phone(30)`, in a company's currency and zone and a record's country."""
    name, land = kind.partition("(")[0].strip(), (country or "").strip().upper()
    said = tidy(value) or {"bool": "false", "currency": currency}.get(name, "0" if name in NUMBERS else None)
    if said is None or (name.endswith(("date", "moment")) and said.startswith("0001-01-01")):
        return None
    try:
        match name:
            case "bool":
                return said.lower()
            case "code" | "country" | "currency":
                return _upper(said)
            case "email":
                return _cased(_upper(said), str.lower)
            case "decimal" | "money":
                return format(Decimal(said).normalize() + 0, "f")
            case "gtin":
                return "".join(said.split()).replace("-", "").zfill(14)
            case "phone":
                return _dialled(said, land or None) or " ".join(said.split())
            case "registration":
                return _registered(re.sub(r"[\W_]", "", _upper(said)), land) or None
            case "instant_date" if len(said) > 10:
                moment = datetime.fromisoformat(said)
                moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
                return moment.astimezone(zone).date().isoformat()
            case "moment":
                moment = datetime.fromisoformat(said)
                moment = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
                kept = 10 ** (6 - int(kind.partition("(")[2].strip(" )") or 3))
                return moment.replace(microsecond=moment.microsecond // kept * kept).isoformat()
            case "date" | "instant_date":
                return date.fromisoformat(said[:10]).isoformat()
    except (InvalidOperation, ValueError, OverflowError):
        pass
    return said


def same(
    kind: str, shop: str | None, bc: str | None, within: str | None = None, before: str | None = None
) -> bool:
    """Whether two forms agree: numbers to the decimals that the shop shows or showed, or within a tolerance."""
    name, _, size = kind.partition("(")
    try:
        left, right = Decimal(shop or 0), Decimal(bc or 0)
    except InvalidOperation:
        return shop == bc
    if name.strip() not in NUMBERS:
        return shop == bc
    kept = max(len((one or "").partition(".")[2]) for one in (shop, before))
    places = max(int(size.strip(" )") or 2), kept)
    return abs(left - right) <= (Decimal(within) if within else Decimal(1).scaleb(-places) / 2)


def _upper(said: str) -> str:
    return _cased(said, str.upper, str.title)


def _cased(said: str, *ways: Callable[[str], str]) -> str:
    """Character by character, so that ß stays, and none outside ASCII becomes an ASCII letter."""

    def one(character: str) -> str:
        forms = (way(character) for way in ways)
        return next((f for f in forms if len(f) == 1 and f.isascii() == character.isascii()), character)

    return unicodedata.normalize("NFC", "".join(map(one, said)))


def _registered(said: str, land: str) -> str:
    """A number without the letters that say its country before it, or its register behind it."""
    bare = re.sub(rf"^(?:{'|'.join(_PREFIXES.get(land, land).split())})+(?=.)", "", said)
    return re.sub(rf"(?<=[0-9])(?:{_SUFFIXES[land]})+$", "", bare) if land in _SUFFIXES else bare


def _dialled(said: str, land: str | None) -> str | None:
    e164 = phonenumbers.PhoneNumberFormat.E164
    try:
        number = phonenumbers.parse(said, land)
        form = phonenumbers.format_number(number, e164)
        again = phonenumbers.format_number(phonenumbers.parse(form), e164)
    except phonenumbers.NumberParseException:
        return None
    known = phonenumbers.is_possible_number(number) and again == form
    return f"{form}#{number.extension or ''}" if known else None
