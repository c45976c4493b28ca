"""Every two-way property, edited on either side, is on the other one after a run, at the cost of one write.

One record a property, so that a single run proves them all.
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest

from talk_pipeline.systems.customwebshop.wire.fitting import ABSENT
from talk_pipeline_tests.flow_files import flows_in
from talk_pipeline_tests.pipeline.records import customer, line, order, product
from talk_pipeline_tests.world import World

Row = dict[str, Any]


@dataclass(frozen=True)
class Edit:
    """One property, edited in the shop and seen in Business Central, then the other way round."""

    prop: str
    shop: Any
    bc: Row
    back_bc: Row
    back_shop: Any


CUSTOMER = [
    Edit("company_name", "New name", {"displayName": "New name"}, {"displayName": "Newer"}, "Newer"),
    Edit(
        "organization_number",
        "DK12345674",
        {"taxRegistrationNumber": "DK12345674"},
        {"taxRegistrationNumber": "25313763"},
        "25313763",
    ),
    Edit(
        "email",
        "New@Company.example",
        {"email": "New@Company.example"},
        {"email": "b@c.example"},
        "b@c.example",
    ),
    Edit(
        "phone",
        "+45 44 44 44 44",
        {"phoneNumber": "+45 44 44 44 44"},
        {"phoneNumber": "55555555"},
        "55555555",
    ),
    Edit("website", "www.new.example", {"website": "www.new.example"}, {"website": "b.example"}, "b.example"),
    Edit("address.line1", "New 1", {"addressLine1": "New 1"}, {"addressLine1": "Newer 2"}, "Newer 2"),
    Edit("address.line2", "Floor 2", {"addressLine2": "Floor 2"}, {"addressLine2": ""}, None),
    Edit("address.city", "Newtown", {"city": "Newtown"}, {"city": "Oldtown"}, "Oldtown"),
    Edit("address.region", "North", {"state": "North"}, {"state": "South"}, "South"),
    Edit("address.postal_code", "ab12 3cd", {"postalCode": "AB12 3CD"}, {"postalCode": "77777"}, "77777"),
    Edit("address.country", "SE", {"country": "SE"}, {"country": "NO"}, "NO"),
    Edit("currency", "EUR", {"currencyCode": "EUR"}, {"currencyCode": "DKK"}, "DKK"),
    Edit("active", False, {"blocked": "All"}, {"blocked": "_x0020_"}, True),
]

PRODUCT = [
    Edit("name", "New name", {"displayName": "New name"}, {"displayName": "Newer"}, "Newer"),
    Edit("gtin", "5701234567899", {"gtin": "5701234567899"}, {"gtin": "96385074"}, "96385074"),
    Edit("category", "TOOLS", {"itemCategoryCode": "TOOLS"}, {"itemCategoryCode": "KITCHEN"}, "KITCHEN"),
    Edit("unit", "box", {"baseUnitOfMeasureCode": "BOX"}, {"baseUnitOfMeasureCode": "SET"}, "set"),
    Edit("price", "123.45", {"unitPrice": Decimal("123.45")}, {"unitPrice": 99.5}, Decimal("99.5")),
    Edit("cost", "12.30", {"unitCost": Decimal("12.3")}, {"unitCost": 45}, Decimal(45)),
    Edit("price_includes_tax", True, {"priceIncludesTax": True}, {"priceIncludesTax": False}, False),
    Edit("active", False, {"blocked": True}, {"blocked": False}, True),
]

ORDER = [
    Edit(
        "ordered_at",
        "2026-04-05T08:00:00.000Z",
        {"orderDate": "2026-04-05"},
        {"orderDate": "2026-05-06"},
        "2026-05-06T08:00:00.000Z",
    ),
    Edit(
        "requested_delivery_date",
        "2026-06-07",
        {"requestedDeliveryDate": "2026-06-07"},
        {"requestedDeliveryDate": "0001-01-01"},
        None,
    ),
    Edit("currency", "EUR", {"currencyCode": "EUR"}, {"currencyCode": "DKK"}, "DKK"),
    Edit("prices_include_tax", True, {"pricesIncludeTax": True}, {"pricesIncludeTax": False}, False),
    Edit("email", "n@c.example", {"email": "n@c.example"}, {"email": "m@c.example"}, "m@c.example"),
    Edit(
        "phone",
        "+45 44 44 44 44",
        {"phoneNumber": "+45 44 44 44 44"},
        {"phoneNumber": "55555555"},
        "55555555",
    ),
    *(
        edit
        for shop, bc in (("billing_address", "sellTo"), ("shipping_address", "shipTo"))
        for edit in (
            Edit(
                f"{shop}.line1",
                "New 1",
                {f"{bc}AddressLine1": "New 1"},
                {f"{bc}AddressLine1": "Old 2"},
                "Old 2",
            ),
            Edit(f"{shop}.line2", "Door 2", {f"{bc}AddressLine2": "Door 2"}, {f"{bc}AddressLine2": "x"}, "x"),
            Edit(f"{shop}.city", "Newtown", {f"{bc}City": "Newtown"}, {f"{bc}City": "Oldtown"}, "Oldtown"),
            Edit(f"{shop}.region", "North", {f"{bc}State": "North"}, {f"{bc}State": "South"}, "South"),
            Edit(
                f"{shop}.postal_code", "6666", {f"{bc}PostCode": "6666"}, {f"{bc}PostCode": "77777"}, "77777"
            ),
            Edit(f"{shop}.country", "SE", {f"{bc}Country": "SE"}, {f"{bc}Country": "NO"}, "NO"),
        )
    ),
    Edit("shipping_address.name", "Gate 4", {"shipToName": "Gate 4"}, {"shipToName": "Gate 5"}, "Gate 5"),
    Edit("discount_amount", "12.50", {"discountAmount": Decimal("12.5")}, {"discountAmount": 7}, Decimal(7)),
]

LINES = [
    Edit("description", "New text", {"description": "New text"}, {"description": "Newer"}, "Newer"),
    Edit("quantity", "7.5", {"quantity": Decimal("7.5")}, {"quantity": 9}, Decimal(9)),
    Edit("unit", "box", {"unitOfMeasureCode": "BOX"}, {"unitOfMeasureCode": "PCS"}, "pcs"),
    Edit("unit_price", "77.77", {"unitPrice": Decimal("77.77")}, {"unitPrice": 88.8}, Decimal("88.8")),
    Edit(
        "discount_percent", "12.5", {"discountPercent": Decimal("12.5")}, {"discountPercent": 0}, Decimal(0)
    ),
]


def test_every_two_way_property_is_edited_here() -> None:
    flows = flows_in()
    references = {prop.name for flow in flows.values() for part in flow.parts for prop in part.references}
    for part, edits in (
        (flows["customer"].root, CUSTOMER),
        (flows["product"].root, PRODUCT),
        (flows["order"].root, ORDER),
        (flows["order"].parts[1], LINES),
    ):
        two_way = {prop.name for prop in part.properties if prop.two_way} - references
        assert {edit.prop for edit in edits} == two_way


def body(prop: str, value: Any) -> Row:
    head, _, rest = prop.partition(".")
    return {head: {rest: value} if rest else value}


def at(row: Row, prop: str) -> Any:
    for step in prop.split("."):
        row = row[step]
    return row


def same(found: Any, wanted: Any) -> bool:
    if isinstance(wanted, Decimal):
        return Decimal(found) == wanted
    return bool((found or None) == (wanted or None)) or found == wanted


@dataclass
class Pairs:
    """Linked records, one a property."""

    world: World
    resource: str
    entity: str
    flow: str
    keys: dict[str, str]

    def bc_id(self, prop: str) -> str:
        return self.world.counterpart(self.flow, self.keys[prop])


Seeder = Callable[[World], Pairs]


def customers(world: World) -> Pairs:
    keys = {e.prop: world.shop.post("customers", customer(f"C{n}"))["id"] for n, e in enumerate(CUSTOMER)}
    return Pairs(world, "customers", "customers", "customer", keys)


def products(world: World) -> Pairs:
    keys = {e.prop: world.shop.post("products", product(f"P{n}"))["id"] for n, e in enumerate(PRODUCT)}
    return Pairs(world, "products", "items", "product", keys)


def orders(world: World, edits: list[Edit] = ORDER) -> Pairs:
    buyer = world.shop.post("customers", customer("C1"))["id"]
    item = world.shop.post("products", product("P1"))["id"]
    keys = {
        e.prop: world.shop.post("orders", order(f"O{n}", buyer, [line(item), line(item, "5", "20.00")]))["id"]
        for n, e in enumerate(edits)
    }
    return Pairs(world, "orders", "salesOrders", "order", keys)


CASES: list[tuple[str, Seeder, list[Edit]]] = [
    ("customer", customers, CUSTOMER),
    ("product", products, PRODUCT),
    ("order", orders, ORDER),
]


@pytest.mark.parametrize(("flow", "seed", "edits"), CASES, ids=[case[0] for case in CASES])
def test_edits_reach_the_other_side(world: World, flow: str, seed: Seeder, edits: list[Edit]) -> None:
    lacks = world.shop_lacks(flow)
    edits = [edit for edit in edits if lacks.get(edit.prop) != ABSENT]
    pairs = seed(world)
    assert not world.step().failed()

    world.forget_requests()
    for edit in edits:
        world.shop.patch(pairs.resource, pairs.keys[edit.prop], body(edit.prop, edit.shop))
    made = world.writes()["customwebshop"]
    run = world.step(flow)
    assert not run.failed()
    for edit in edits:
        held = world.bc.get(pairs.entity, pairs.bc_id(edit.prop))
        for name, value in edit.bc.items():
            assert same(held[name], value), f"{edit.prop}: {name} is {held[name]!r}, not {value!r}"
    # lines are made anew with another currency: their prices are sent again
    companions = 2 if flow == "order" else 0
    assert world.writes()["customwebshop"] == made
    assert len(edits) <= world.writes()["businesscentral"] <= len(edits) + companions
    assert world.step(flow).writes() == 0

    edits = [edit for edit in edits if edit.prop not in lacks]
    for edit in edits:
        world.bc.patch(pairs.entity, pairs.bc_id(edit.prop), edit.back_bc)
    world.forget_requests()
    run = world.step(flow, full=True)
    assert not run.failed()
    for edit in edits:
        found = at(world.shop.get(pairs.resource, pairs.keys[edit.prop]), edit.prop)
        assert same(found, edit.back_shop), f"{edit.prop} is {found!r}, not {edit.back_shop!r}"
    # where lines have a path of their own in the shop, each that was made anew is told its price by itself
    apart = 2 if flow == "order" and world.lines_apart() else 0
    written = world.writes()
    assert written["businesscentral"] == 0
    assert len(edits) <= written["customwebshop"] <= len(edits) + apart
    assert world.step(flow).writes() == 0


def test_line_edits_reach_the_other_side(world: World) -> None:
    pairs = orders(world, LINES)
    assert not world.step().failed()
    (item,) = world.bc.all("items")

    # a line may use the base unit of its item, whatever that is at the moment
    world.bc.patch("items", item, {"baseUnitOfMeasureCode": "BOX"})
    world.forget_requests()
    for edit in LINES:
        placed = world.shop.get("orders", pairs.keys[edit.prop])
        lines = [{"id": placed["lines"][0]["id"], edit.prop: edit.shop}, {"id": placed["lines"][1]["id"]}]
        world.shop.patch("orders", placed["id"], {"lines": lines})
    made = world.writes()["customwebshop"]
    run = world.step("order")
    assert not run.failed()
    for edit in LINES:
        held = world.bc.get("salesOrders", pairs.bc_id(edit.prop))["salesOrderLines"]
        first = min(held, key=lambda row: row["sequence"])
        for name, value in edit.bc.items():
            assert same(first[name], value), f"{edit.prop}: {name} is {first[name]!r}, not {value!r}"
    assert world.writes() == {"customwebshop": made, "businesscentral": len(LINES)}
    assert world.step("order").writes() == 0

    world.bc.patch("items", item, {"baseUnitOfMeasureCode": "PCS"})
    for edit in LINES:
        held = world.bc.get("salesOrders", pairs.bc_id(edit.prop))["salesOrderLines"]
        first = min(held, key=lambda row: row["sequence"])
        world.bc.patch("salesOrderLines", first["id"], edit.back_bc)
    world.forget_requests()
    run = world.step("order", full=True)
    assert not run.failed()
    for edit in LINES:
        found = world.shop.get("orders", pairs.keys[edit.prop])["lines"][0][edit.prop]
        assert same(found, edit.back_shop), f"{edit.prop} is {found!r}, not {edit.back_shop!r}"
    assert world.writes() == {"customwebshop": len(LINES), "businesscentral": 0}
    assert world.step("order").writes() == 0
