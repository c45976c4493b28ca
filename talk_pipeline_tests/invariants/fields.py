"""What the players edit, and when two values say the same: written here, not taken from the flows.

Few values each, so that equal edits, returns and clashes are common; some are the same but for case or blanks.
"""

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

Row = Mapping[str, Any]


def text(value: Any) -> Any:
    """Blanks around a text say nothing, nor does how an accent is written."""
    return unicodedata.normalize("NFC", str(value or "")).strip() or None


def folded(value: Any) -> Any:
    """Case says nothing."""
    plain = text(value)
    return plain and plain.upper()


def phone(value: Any) -> Any:
    """The digits behind the Danish prefix."""
    digits = "".join(c for c in str(value or "") if c.isdigit())
    return digits.removeprefix("45") if len(digits) > 8 else digits or None


def registration(value: Any) -> Any:
    """The digits."""
    return "".join(c for c in str(value or "") if c.isdigit()) or None


def gtin(value: Any) -> Any:
    """Padding says nothing."""
    return str(value or "").strip().lstrip("0") or None


def number(value: Any) -> Any:
    """Nothing said is zero."""
    return Decimal(str(value or 0)).normalize() or None


def money(value: Any) -> Any:
    """Of what the shop keeps to the cent."""
    return number(round(Decimal(str(value or 0)), 2))


def day(value: Any) -> Any:
    """The day of an instant; Business Central's first day is none."""
    plain = str(value or "")[:10]
    return None if plain in ("", "0001-01-01") else plain


def currency(value: Any) -> Any:
    """No currency is the company's."""
    return None if folded(value) in (None, "DKK") else folded(value)


def yes(value: Any) -> Any:
    """True, or nothing."""
    return bool(value) or None


def active(value: Any) -> Any:
    """Nothing said is active."""
    return None if value is None or value is True else "inactive"


def blocked(value: Any) -> Any:
    """Of a customer or an item, as the shop would say it."""
    return "inactive" if value is True or text(value) in ("All", "Ship", "Invoice") else None


def to_text(value: Any) -> Any:
    """Business Central has no null."""
    return value or ""


def to_number(value: Any) -> Any:
    """Numbers are numbers there."""
    return float(value or 0)


def to_day(value: Any) -> Any:
    """A date without a time."""
    return str(value)[:10] if value else "0001-01-01"


@dataclass(frozen=True)
class Field:
    """One two-way property.

    Attributes:
        name: what the flow calls it.
        shop: path in the shop's record.
        bc: field in Business Central.
        pool: values that a user of the shop may give it.
        same: the form in which two values are compared.
        there: the same, of a value of Business Central.
        put: a value of the pool as a user of Business Central would give it.
        extra: further values that only a user of Business Central can give.
    """

    name: str
    shop: str
    bc: str
    pool: tuple[Any, ...]
    same: Callable[[Any], Any] = text
    there: Callable[[Any], Any] | None = None
    put: Callable[[Any], Any] = to_text
    extra: tuple[Any, ...] = ()

    def of(self, side: str, row: Row) -> Any:
        """The comparable value a record of a side holds."""
        if side == "bc":
            return (self.there or self.same)(row.get(self.bc))
        found: Any = row
        for step in self.shop.split("."):
            found = (found or {}).get(step)
        if self.name == "company_name" and not text(found):
            found = row.get("contact_name")
        return self.same(found)


LONG = "x" * 120
FINE = (12.346, 0.004)
_PHONES = (None, "+45 11 11 11 11", "+4511111111", "+45 22 22 22 22", "33333333")
_MAILS = (None, "a@one.example", "A@One.example", "b@two.example", "at home")
_LINES = (None, "North Road 1", "South Road 2", "north road 1", "  North Road 1 ")
_CITIES = (None, "Middelby", "MIDDELBY", "Aarhus C", "Odense C")
_CODES = (None, "1234", "8000", "5000", "sw1a")
_REGIONS = (None, "Region A", "Region B")
_COUNTRIES = (None, "DK", "dk", "SE", "DE")

CUSTOMER = (
    Field(
        "company_name",
        "company_name",
        "displayName",
        ("Alpha", "ALPHA", "Beta ", "Søn é", "Søn e\u0301", None, LONG),
    ),
    Field(
        "organization_number",
        "organization_number",
        "taxRegistrationNumber",
        (None, "12345678", "DK12345678", "12 34 56 78", "87654321"),
        registration,
    ),
    Field("email", "email", "email", _MAILS, folded),
    Field("phone", "phone", "phoneNumber", _PHONES, phone),
    Field("website", "website", "website", (None, "www.one.example", "WWW.one.example", "www.two.example ")),
    Field("address.line1", "address.line1", "addressLine1", _LINES),
    Field("address.line2", "address.line2", "addressLine2", (None, "3rd floor", "c/o B")),
    Field("address.city", "address.city", "city", _CITIES),
    Field("address.region", "address.region", "state", _REGIONS),
    Field("address.postal_code", "address.postal_code", "postalCode", _CODES, folded),
    Field("address.country", "address.country", "country", _COUNTRIES, folded),
    Field("currency", "currency", "currencyCode", (None, "DKK", "EUR", "dkk"), currency),
    Field(
        "active",
        "active",
        "blocked",
        (True, False),
        active,
        blocked,
        lambda v: "_x0020_" if v else "All",
        ("Ship", "Invoice"),
    ),
)
PRODUCT = (
    Field("name", "name", "displayName", ("Axe", "axe", "Box ", "Cup é", None, LONG)),
    Field("gtin", "gtin", "gtin", (None, "5701234567899", "4006381333931", "036000291452"), gtin),
    Field("category", "category", "itemCategoryCode", (None, "CHAIRS", "chairs", "TABLES"), folded),
    Field(
        "price", "price", "unitPrice", ("10.00", "10", "20.50", "0.00", "99.95"), money, None, to_number, FINE
    ),
    Field("cost", "cost", "unitCost", ("5.00", "7.25", "0.00", "60.00"), money, None, to_number, FINE),
    Field(
        "price_includes_tax", "price_includes_tax", "priceIncludesTax", (True, False), yes, put=lambda v: v
    ),
    Field("active", "active", "blocked", (True, False), active, blocked, lambda v: not v),
)


def _address(path: str, prefix: str) -> tuple[Field, ...]:
    return (
        Field(f"{path}.line1", f"{path}.line1", f"{prefix}AddressLine1", _LINES),
        Field(f"{path}.line2", f"{path}.line2", f"{prefix}AddressLine2", (None, "3rd floor", "c/o B")),
        Field(f"{path}.city", f"{path}.city", f"{prefix}City", _CITIES),
        Field(f"{path}.region", f"{path}.region", f"{prefix}State", _REGIONS),
        Field(f"{path}.postal_code", f"{path}.postal_code", f"{prefix}PostCode", _CODES, folded),
        Field(f"{path}.country", f"{path}.country", f"{prefix}Country", _COUNTRIES, folded),
    )


_DAYS = ("2026-03-02T10:11:12.000Z", "2026-03-02T23:59:59.000Z", "2026-04-01T00:00:00.000Z")
_WANTED = (None, "2026-05-01", "2026-06-01")
_SHIP_TO = "shipping_address.name"
ORDER = (
    Field("ordered_at", "ordered_at", "orderDate", _DAYS, day, put=to_day),
    Field(
        "requested_delivery_date",
        "requested_delivery_date",
        "requestedDeliveryDate",
        _WANTED,
        day,
        put=to_day,
    ),
    Field("currency", "currency", "currencyCode", ("DKK", "EUR", None), currency),
    Field(
        "prices_include_tax", "prices_include_tax", "pricesIncludeTax", (True, False), yes, put=lambda v: v
    ),
    Field("email", "email", "email", _MAILS, folded),
    Field("phone", "phone", "phoneNumber", _PHONES, phone),
    *_address("billing_address", "sellTo"),
    Field(_SHIP_TO, _SHIP_TO, "shipToName", (None, "Reception", "Stores", "stores")),
    *_address("shipping_address", "shipTo"),
    Field(
        "discount_amount", "discount_amount", "discountAmount", ("0.00", "5.00", "7.5"), number, put=to_number
    ),
)
LINE = (
    Field("description", "description", "description", ("One", "one", "Two", "Three ")),
    Field("quantity", "quantity", "quantity", ("1", "2", "5", "0.5"), number, put=to_number),
    Field("unit_price", "unit_price", "unitPrice", ("10.00", "20.00", "99.95"), money, None, to_number, FINE),
    Field(
        "discount_percent",
        "discount_percent",
        "discountPercent",
        ("0", "10", "33.33"),
        number,
        put=to_number,
    ),
)
FIELDS = {"customer": CUSTOMER, "product": PRODUCT, "order": ORDER, "order.lines": LINE}
SETS = {"customer": "customers", "product": "products", "order": "orders"}
ENTITIES = {"customer": "customers", "product": "items", "order": "salesOrders"}
