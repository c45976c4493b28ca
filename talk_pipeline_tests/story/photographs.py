"""What a run really did to both systems: every field of every record before it and after, compared.

Nothing of the pipeline is asked. A run may change mapped fields and what a system works out from them itself, and
may ask for one write a record (or order line) that it changes, and no more.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from talk_pipeline_tests.story.checker import CUSTOMER, LINE, ORDER, PRODUCT
from talk_pipeline_tests.world import World

Row = dict[str, Any]
Record = tuple[str, str]
"""Collection and id."""

_ADDRESSES = ("line1", "line2", "city", "region", "postal_code", "country")
# what the flows write beside the compared properties, by collection
_WRITTEN: Mapping[str, set[str]] = {
    "customers": {"company_name", "contact_name", "active"},
    "products": {"unit", "stock"},
    "orders": {"customer_id", "prices_include_tax", "status"}
    | {f"{kind}_address.{name}" for kind in ("billing", "shipping") for name in _ADDRESSES},
    "orders.lines": {"product_id"},
    "bc customers": {"displayName", "blocked"},
    "items": {"baseUnitOfMeasureCode"},
    "salesOrders": {"customerId", "pricesIncludeTax"}
    | {
        f"{to}{name}"
        for to in ("sellTo", "shipTo")
        for name in ("AddressLine2", "State", "PostCode", "Country")
    },
    "salesOrderLines": {"itemId"},
}
# what a system works out itself when it is written, or stamps on whatever is written
_COMPUTED = {
    "updated_at",
    "total_excl_tax",
    "total_tax",
    "total_incl_tax",
    "line_total",
    "sku",
    "lastModifiedDateTime",
    "@odata.etag",
}
_COMPUTED_THERE: Mapping[str, set[str]] = {
    "bc customers": {"currencyId", "taxAreaDisplayName"},
    "items": {"itemCategoryId", "baseUnitOfMeasureId"},
    "salesOrders": {
        "currencyId",
        "totalAmountExcludingTax",
        "totalTaxAmount",
        "totalAmountIncludingTax",
        "status",
    }
    | {"customerNumber", "customerName", "fullyShipped", "discountAppliedBeforeTax"},
    "salesOrderLines": {
        "amountExcludingTax",
        "amountIncludingTax",
        "totalTaxAmount",
        "netAmount",
        "netTaxAmount",
    }
    | {"netAmountIncludingTax", "discountAmount", "unitOfMeasureId", "lineObjectNumber", "description2"}
    | {"discountAppliedBeforeTax", "taxPercent", "taxCode", "sequence", "documentId"}
    | {"invoiceQuantity", "shipQuantity"},
}
LINES = ("orders.lines", "salesOrderLines")


@dataclass(frozen=True)
class Photograph:
    """Both systems at one moment: each record's fields, by system."""

    shop: Mapping[Record, Row]
    bc: Mapping[Record, Row]


def photograph(world: World) -> Photograph:
    """Everything that is there."""
    shop: dict[Record, Row] = {}
    for collection in ("customers", "products", "orders"):
        for key, row in world.shop.all(collection).items():
            for line in row.pop("lines", None) or ():
                shop["orders.lines", f"{key}/{line['id']}"] = _flat(line)
            shop[collection, key] = _flat(row)
    bc: dict[Record, Row] = {}
    for entity, name in (("customers", "bc customers"), ("items", "items")):
        bc |= {(name, key): row for key, row in world.bc.all(entity).items()}
    for key, row in world.bc.orders().items():
        bc |= {("salesOrderLines", line["id"]): line for line in row.pop("salesOrderLines")}
        bc["salesOrders", key] = row
    return Photograph(shop, bc)


def misdeeds(world: World, before: Photograph, after: Photograph) -> Iterator[str]:
    """What a run did that it must not, by what changed and by how many writes the systems saw."""
    for name, was, now, asked in (
        ("customwebshop", before.shop, after.shop, world.shop.requests()),
        ("businesscentral", before.bc, after.bc, world.bc.requests()),
    ):
        changed = {record: _changed(was.get(record), row) for record, row in now.items()}
        changed = {record: fields for record, fields in changed.items() if fields}
        for record in was.keys() - now.keys():
            changed[record] = {"gone"}
            if record[0] not in LINES:
                yield f"{name}: {record[0]} {record[1]} is gone"
        for record, fields in changed.items():
            if record in was and record in now and (unmapped := fields - _allowed(record[0])):
                yield f"{name}: {record[0]} {record[1]}: nobody maps {', '.join(sorted(unmapped))}, and it changed"
        yield from _wasted(name, changed, asked)


def _wasted(name: str, changed: Mapping[Record, set[str]], asked: Row) -> Iterator[str]:
    """More writes than records that changed, by collection; a shop's lines travel with their order."""
    needed = Counter(collection for collection, _ in changed)
    if name == "customwebshop":
        orders = {key.partition("/")[0] for collection, key in changed if collection.startswith("orders")}
        needed["orders"], needed["order_lines"] = len(orders), needed["orders.lines"]
    written = {entity: sum(counts.values()) for entity, counts in asked["writes"].items()}
    if name == "businesscentral":
        needed["customers"] = needed["bc customers"]
    for entity, count in written.items():
        if count > needed[entity]:
            yield f"{name}: {count} writes of {entity}, though only {needed[entity]} changed"


def _allowed(collection: str) -> set[str]:
    compared = {
        "customers": {shop for shop, _, _ in CUSTOMER},
        "products": {shop for shop, _, _ in PRODUCT},
        "orders": {shop for shop, _, _ in ORDER},
        "orders.lines": {shop for shop, _, _ in LINE},
        "bc customers": {bc for _, bc, _ in CUSTOMER},
        "items": {bc for _, bc, _ in PRODUCT},
        "salesOrders": {bc for _, bc, _ in ORDER},
        "salesOrderLines": {bc for _, bc, _ in LINE},
    }
    there = _COMPUTED_THERE.get(collection, set())
    return compared[collection] | _WRITTEN[collection] | _COMPUTED | there


def _changed(was: Row | None, now: Row) -> set[str]:
    if was is None:
        return {"new"}
    return {name for name in was.keys() | now.keys() if was.get(name) != now.get(name)}


def _flat(row: Row, prefix: str = "") -> Row:
    flat: Row = {}
    for name, value in row.items():
        flat |= _flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {f"{prefix}{name}": value}
    return flat
