"""Whether the two systems are in step, by looking at both and at nothing of ours.

Pairs are found by their keys; values are compared by rules written here, not by those of the flows. What the
pipeline lists with a reason is exempt, as far as it lists it.
"""

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from talk_pipeline_tests.world import World

Row = dict[str, Any]
Compare = Callable[[Any, Any], bool]


def text(shop: Any, bc: Any) -> bool:
    """The same text, blanks alike."""
    return (str(shop or "")).strip() == (str(bc or "")).strip()


def folded(shop: Any, bc: Any) -> bool:
    """The same but for case."""
    return text(str(shop or "").upper(), str(bc or "").upper())


def digits(shop: Any, bc: Any) -> bool:
    """The same digits, a country's prefix left out on either side."""
    left, right = ("".join(c for c in str(v or "") if c.isdigit()) for v in (shop, bc))
    return left.endswith(right) if len(left) >= len(right) else right.endswith(left)


def number(shop: Any, bc: Any) -> bool:
    """The same number."""
    return Decimal(str(shop or 0)) == Decimal(str(bc or 0))


def day(shop: Any, bc: Any) -> bool:
    """The same day; Business Central's first day of all is none."""
    return str(shop or "")[:10] == ("" if bc == "0001-01-01" else str(bc or ""))


def local(shop: Any, bc: Any) -> bool:
    """The same currency; a blank one is the company's."""
    return (shop or "DKK").upper() == (bc or "DKK").upper()


CUSTOMER: tuple[tuple[str, str, Compare], ...] = (
    ("email", "email", folded),
    ("phone", "phoneNumber", digits),
    ("website", "website", text),
    ("address.line1", "addressLine1", text),
    ("address.line2", "addressLine2", text),
    ("address.city", "city", text),
    ("address.region", "state", text),
    ("address.postal_code", "postalCode", folded),
    ("address.country", "country", folded),
    ("currency", "currencyCode", local),
    ("organization_number", "taxRegistrationNumber", digits),
)
PRODUCT: tuple[tuple[str, str, Compare], ...] = (
    ("name", "displayName", text),
    ("gtin", "gtin", lambda shop, bc: text(str(shop or "").lstrip("0"), str(bc or "").lstrip("0"))),
    ("category", "itemCategoryCode", folded),
    ("price", "unitPrice", number),
    ("cost", "unitCost", number),
    ("price_includes_tax", "priceIncludesTax", lambda shop, bc: bool(shop) == bool(bc)),
    ("active", "blocked", lambda shop, bc: bool(shop) != bool(bc)),
)
ORDER: tuple[tuple[str, str, Compare], ...] = (
    ("ordered_at", "orderDate", day),
    ("requested_delivery_date", "requestedDeliveryDate", day),
    ("currency", "currencyCode", local),
    ("email", "email", folded),
    ("phone", "phoneNumber", digits),
    ("billing_address.line1", "sellToAddressLine1", text),
    ("billing_address.city", "sellToCity", text),
    ("shipping_address.line1", "shipToAddressLine1", text),
    ("shipping_address.city", "shipToCity", text),
    ("shipping_address.name", "shipToName", text),
    ("discount_amount", "discountAmount", number),
    ("erp_number", "number", text),
)
LINE: tuple[tuple[str, str, Compare], ...] = (
    ("description", "description", text),
    ("unit", "unitOfMeasureCode", folded),
    ("quantity", "quantity", number),
    ("unit_price", "unitPrice", number),
    ("discount_percent", "discountPercent", number),
)
KEYS = {
    "customer": ("customers", "number", "customers", "number", CUSTOMER),
    "product": ("products", "sku", "items", "number", PRODUCT),
    "order": ("orders", "number", "salesOrders", "externalDocumentNumber", ORDER),
}


def persons(world: World) -> Mapping[str, Row]:
    """The private customers of Business Central, of whom nothing may ever change."""
    return {key: row for key, row in world.bc.all("customers").items() if row["type"] == "Person"}


def violations(world: World, *, reasons: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    """What is not as it must be.

    Args:
        world: the two systems.
        reasons: by flow, the shop records that are listed, with the reason.
    """
    for flow, (resource, shop_key, entity, bc_key, compared) in KEYS.items():
        records = world.shop.all(resource)
        there = [row for row in world.bc.all(entity).values() if row.get("type") != "Person"]
        by_key: dict[str, list[Row]] = {}
        for row in there:
            by_key.setdefault(str(row[bc_key]).upper(), []).append(row)
        for key, rows in by_key.items():
            if key and len(rows) > 1:
                yield f"{flow}: {key} is in Business Central {len(rows)} times"
        for record in records.values():
            if record["deleted_at"] or record["id"] in reasons[flow]:
                continue
            found = by_key.get(str(record[shop_key]).upper(), [])
            if len(found) == 1:
                yield from _differences(world, flow, record, found[0], compared=compared)
            elif not found and not _linked_otherwise(world, flow, record):
                yield f"{flow}: {record[shop_key]} has no counterpart and no reason"


def _differences(
    world: World, flow: str, shop: Row, bc: Row, *, compared: tuple[tuple[str, str, Compare], ...]
) -> Iterator[str]:
    for path, field, same in compared:
        mine: Any = shop
        for step in path.split("."):
            mine = (mine or {}).get(step)
        if not same(mine, bc[field]):
            yield f"{flow}: {shop['id']} {path} is {mine!r}, in Business Central {bc[field]!r}"
    if flow != "order" or bc["status"] != "Draft":
        return
    held = world.bc.get("salesOrders", bc["id"])["salesOrderLines"]
    theirs = [row for row in held if row["lineType"] == "Item"]
    if len(theirs) != len(shop["lines"]):
        yield f"order: {shop['id']} has {len(shop['lines'])} lines, in Business Central {len(theirs)}"
        return
    free = list(theirs)
    for row in shop["lines"]:
        match = next((t for t in free if all(same(row[p], t[f]) for p, f, same in LINE)), None)
        if match is None:
            yield f"order: {shop['id']} line {row['id']} is not in Business Central as it is in the shop"
        else:
            free.remove(match)


def _linked_otherwise(world: World, flow: str, record: Row) -> bool:
    """Whether a later match rule paired it with a record of another number."""
    if flow == "order":
        return False
    rows = world.bc.all("customers" if flow == "customer" else "items").values()
    if flow == "customer":
        return any(
            digits(record["organization_number"], row["taxRegistrationNumber"])
            or folded(record["email"], row["email"])
            for row in rows
            if row["type"] == "Company"
        )
    return any(record["gtin"] and row["gtin"] == record["gtin"] for row in rows)
