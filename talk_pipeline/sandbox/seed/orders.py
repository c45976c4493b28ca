"""Orders of the shop in every status, and the sales orders Business Central already has."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from talk_pipeline.sandbox.seed import cases
from talk_pipeline.sandbox.seed.customers import Customers
from talk_pipeline.sandbox.seed.moments import days_on, later, moment
from talk_pipeline.sandbox.seed.products import Products

Record = dict[str, Any]

FIRST_NUMBER = 100_001
"""Where Business Central's series of order numbers begins; it numbers the orders as they come."""

_RATES = {"EUR": "7.46", "SEK": "0.65", "NOK": "0.64", "PLN": "1.73", "GBP": "8.70", "DKK": "1"}
_PARTS = {
    "AddressLine1": "line1",
    "AddressLine2": "line2",
    "City": "city",
    "State": "region",
    "PostCode": "postal_code",
    "Country": "country",
}
_PAIRED = frozenset(
    {
        "equal",
        "same after normalising",
        "differing",
        "released",
        "partly shipped",
        "shipped",
        "with other lines",
        "invoiced",
    }
)
_STATUSES = {"released": "processing", "partly shipped": "processing", "shipped": "shipped"}


@dataclass
class Orders:
    """Both sides' orders."""

    shop: list[Record] = field(default_factory=list)
    central: list[Record] = field(default_factory=list)


class _Maker:
    """Makes orders of customers and products that are there."""

    def __init__(self, customers: Customers, products: Products, rng: random.Random) -> None:
        self._rng = rng
        self._customers = customers
        self._products = products
        sound = [c for c in customers.shop if c["active"] and not _stops(c)]
        self._everyone = sound or customers.shop
        self._known = [c for c in sound if c["id"] in customers.number] or self._everyone
        self._bad = [c for c in customers.shop if c["_case"] == "invalid: unknown currency"]
        goods = [p for p in products.shop if p["active"] and not _stops(p)]
        self._goods = goods or products.shop
        self._stocked = [p for p in goods if p["id"] in products.number]

    def order(self, position: int, case: str) -> Record:
        """An order of the shop."""
        rng = self._rng
        paired = case in _PAIRED
        customer = rng.choice(self._known if paired else self._everyone)
        if position == 0 and not paired and self._bad:
            customer = self._bad[0]
        ordered = moment(rng)
        status = (
            case.removeprefix("shop only ") if case.startswith("shop only") else _STATUSES.get(case, "open")
        )
        address = dict(customer["address"])
        shipping = {"name": customer["company_name"] or customer["contact_name"], **address}
        if rng.random() < 0.15:
            shipping |= {"line1": "Byggepladsen 4", "line2": None}
        taxed = rng.random() < 0.06
        currency = customer["currency"] if customer["currency"] in _RATES else "DKK"
        lines = self._lines(currency, taxed=taxed, paired=paired)
        base = sum((_amount(line) for line in lines), Decimal(0))
        discount = (
            (base * Decimal("0.05")).quantize(Decimal("0.01")) if rng.random() < 0.15 else Decimal("0.00")
        )
        return {
            "number": f"WEB-{50001 + position}",
            "customer_id": customer["id"],
            "ordered_at": ordered,
            "requested_delivery_date": days_on(ordered, rng.randrange(5, 40)) if rng.random() < 0.6 else None,
            "reference": rng.choice((None, "Indkøb", "Projekt 7", "Sommerhus")),
            "currency": currency,
            "prices_include_tax": taxed,
            "email": customer["email"],
            "phone": customer["phone"],
            "status": status,
            "billing_address": address,
            "shipping_address": shipping,
            "discount_amount": f"{discount:.2f}",
            "lines": lines,
            "_modified": later(ordered, rng),
        }

    def _lines(self, currency: str, *, taxed: bool, paired: bool) -> list[Record]:
        rng = self._rng
        pool = self._stocked if paired and self._stocked else self._goods
        count = min(len(pool), rng.choice((1, 1, 2, 2, 3, 3, 4, 6)))
        return [self._line(product, currency, taxed=taxed) for product in rng.sample(pool, k=count)]

    def _line(self, product: Mapping[str, Any], currency: str, *, taxed: bool) -> Record:
        rng = self._rng
        price = Decimal(product["price"]) / Decimal(_RATES[currency])
        if taxed:
            price *= Decimal("1.25")
        fraction = product["unit"] in ("m", "kg") and rng.random() < 0.5
        quantity = Decimal(rng.randrange(5, 200)) / (10 if fraction else 1)
        if product["unit"] == "pcs":
            quantity = Decimal(rng.randrange(1, 13))
        return {
            "product_id": product["id"],
            "description": product["name"],
            "unit": product["unit"],
            "quantity": f"{quantity:f}",
            "unit_price": f"{price:.2f}",
            "discount_percent": rng.choice(("0", "0", "0", "5", "10", "12.5")),
        }

    def to_central(self, record: Mapping[str, Any]) -> Record:
        """The sales order that says the same."""
        billing, shipping = record["billing_address"], record["shipping_address"]
        result: Record = {
            "externalDocumentNumber": record["number"],
            "customerNumber": self._customers.number[record["customer_id"]],
            "orderDate": str(record["ordered_at"])[:10],
            "requestedDeliveryDate": record["requested_delivery_date"] or "0001-01-01",
            "currencyCode": record["currency"],
            "pricesIncludeTax": record["prices_include_tax"],
            "email": record["email"],
            "phoneNumber": record["phone"],
            "shipToName": shipping["name"],
            "discountAmount": record["discount_amount"],
            "salesOrderLines": [self._line_to_central(line) for line in record["lines"]],
            "_modified": record["_modified"],
        }
        for theirs, ours in _PARTS.items():
            result[f"sellTo{theirs}"] = billing[ours] or ""
            result[f"shipTo{theirs}"] = shipping[ours] or ""
        return result

    def _line_to_central(self, line: Mapping[str, Any]) -> Record:
        return {
            "lineType": "Item",
            "lineObjectNumber": self._products.number[line["product_id"]],
            "description": line["description"],
            "quantity": line["quantity"],
            "unitPrice": line["unit_price"],
            "discountPercent": line["discount_percent"],
        }


def make_orders(size: int, seed: int, *, customers: Customers, products: Products) -> Orders:
    """The orders of a set of that size: twice as many as customers."""
    rng = random.Random(f"orders {seed}")
    result = Orders()
    maker = _Maker(customers, products, rng)
    plan = cases.plan(cases.ORDERS, 2 * size, rng=rng, least={})
    if "shop only open" in plan:  # the first order belongs to a customer the pipeline must stop at
        first = plan.index("shop only open")
        plan[0], plan[first] = plan[first], plan[0]
    turns: dict[str, int] = {}
    for position, case in enumerate(plan):
        turns[case] = turns.get(case, -1) + 1
        able = bool(customers.number) and bool(products.number)
        if case in _PAIRED and not able:
            case = "shop only open"  # too small a set for pairs
        record = maker.order(position, case)
        record = {"id": f"o-{1001 + position}", "_case": case, **record}
        if case in _PAIRED:
            _make_case(result, maker.to_central(record), record, case, turns[case])
        result.shop.append(record)
    _only_in_central(result, maker, size)
    _stock_up(result, products)
    return result


def _make_case(result: Orders, other: Record, record: Record, case: str, turn: int) -> None:
    match case:
        case "same after normalising":
            record["number"] = str(record["number"]).lower()
        case "differing":
            record["_case"] += ": " + _differ(other, record, turn)
        case "released":
            other["_status"] = "released" if turn % 4 != 3 else "in_review"
            record["status"] = "processing" if turn % 4 != 3 else "open"
        case "partly shipped":
            other |= {"_status": "released", "_shipped": "0.5"}
            for line in (*record["lines"], *other["salesOrderLines"]):
                line["quantity"] = str(max(2, int(Decimal(line["quantity"]))))
        case "shipped":
            other |= {"_status": "released", "_shipped": "1"}
            for line in (*record["lines"], *other["salesOrderLines"]):
                line["quantity"] = str(max(1, int(Decimal(line["quantity"]))))
        case "with other lines":
            other["salesOrderLines"].insert(0, {"lineType": "Comment", "description": "Aftalt med kunden"})
            if turn % 2:
                freight = {"lineType": "Account", "lineObjectNumber": "1050", "description": "Fragt"}
                other["salesOrderLines"].append(freight | {"quantity": "1", "unitPrice": "95.00"})
        case "invoiced":
            other |= {"_status": "released", "_shipped": "1", "_invoiced": True}
            for line in (*record["lines"], *other["salesOrderLines"]):
                line["quantity"] = str(max(1, int(Decimal(line["quantity"]))))
            record["_case"] = "open in the shop, invoiced in Business Central"
    if case in ("partly shipped", "shipped", "invoiced"):
        record["discount_amount"] = other["discountAmount"] = "0.00"
    result.central.append(other)
    if case == "equal":
        record["erp_number"] = f"SO{FIRST_NUMBER + len(result.central) - 1}"


def _stock_up(result: Orders, products: Products) -> None:
    """Both sides know the same stock once Business Central has posted what it ships."""
    items = {item["number"]: item for item in products.central}
    for other in result.central:
        share = Decimal(other.get("_shipped", "0"))
        for line in other["salesOrderLines"] if share else ():
            item = items.get(line.get("lineObjectNumber"))
            if item is not None:
                item["_stock"] = (
                    f"{Decimal(item['_stock']) + (Decimal(line['quantity']) * share).to_integral_value():f}"
                )


def _differ(other: Record, record: Record, turn: int) -> str:
    name = cases.ORDER_DIFFERENCES[turn % len(cases.ORDER_DIFFERENCES)]
    line = other["salesOrderLines"][0]
    match name:
        case "requested_delivery_date":
            other["requestedDeliveryDate"] = days_on(str(record["ordered_at"]), 45)
        case "quantity":
            line["quantity"] = f"{Decimal(line['quantity']) + 1:f}"
        case "unit_price":
            line["unitPrice"] = f"{Decimal(line['unitPrice']) + 1:.2f}"
        case _:
            other["email"] = f"lager@{str(record['email']).partition('@')[2]}"
    return name


def _only_in_central(result: Orders, maker: _Maker, size: int) -> None:
    """Orders that came by telephone."""
    for position in range(max(1, size // 8)):
        record = maker.order(1_000_000 + position, "equal")
        if record["customer_id"] not in maker._customers.number or not maker._stocked:
            return
        other = maker.to_central(record) | {"_case": "only in Business Central"}
        other["externalDocumentNumber"] = "" if position % 2 else f"TLF {position + 1}"
        if position % 3 == 0:
            other["salesOrderLines"].append({"lineType": "Comment", "description": "Bestilt pr. telefon"})
        result.central.append(other)


def _stops(record: Mapping[str, Any]) -> bool:
    return str(record["_case"]).startswith(("invalid", "ambiguous"))


def _amount(line: Mapping[str, Any]) -> Decimal:
    share = 1 - Decimal(line["discount_percent"]) / 100
    return Decimal(line["quantity"]) * Decimal(line["unit_price"]) * share
