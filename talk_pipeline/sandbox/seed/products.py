"""Products of the shop, and the items Business Central already has."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from typing import Any

from talk_pipeline.sandbox.seed import cases, vocabulary
from talk_pipeline.sandbox.seed.moments import moment

Record = dict[str, Any]

_LENGTHS = (13, 13, 13, 13, 13, 12, 8, 14)


@dataclass
class Products:
    """Both sides' products.

    Attributes:
        shop: records of the shop.
        central: records of Business Central.
        prices: price-list lines.
        number: shop id -> number of the counterpart, for those that have one.
        taken: GTINs that are some product's.
    """

    shop: list[Record] = field(default_factory=list)
    central: list[Record] = field(default_factory=list)
    prices: list[Record] = field(default_factory=list)
    number: dict[str, str] = field(default_factory=dict)
    taken: set[str] = field(default_factory=set)


def make_products(size: int, seed: int) -> Products:
    """The products of a set of that size."""
    rng = random.Random(f"products {seed}")
    result = Products()
    least = {"invalid": len(cases.BAD_PRODUCTS), "ambiguous": 1} if size >= 20 else {}
    turns: dict[str, int] = {}
    for position, case in enumerate(cases.plan(cases.PRODUCTS, size, rng=rng, least=least)):
        turns[case] = turns.get(case, -1) + 1
        _make_case(result, _product(position, rng, taken=result.taken), case, turns[case], rng)
    for position in range(max(2, size // 8)):
        record = _product(size + position, rng, taken=result.taken)
        other = to_central(record) | {
            "number": vocabulary.series("V", 4, position),
            "_case": "only in Business Central",
        }
        result.central.append(other)
    _extras(result)
    return result


def to_central(record: Mapping[str, Any]) -> Record:
    """The item that says the same."""
    return {
        "number": record["sku"],
        "displayName": record["name"],
        "type": "Inventory",
        "itemCategoryCode": record["category"],
        "gtin": record["gtin"] or "",
        "unitPrice": record["price"],
        "unitCost": record["cost"] or "0",
        "priceIncludesTax": record["price_includes_tax"],
        "baseUnitOfMeasureCode": str(record["unit"]).upper(),
        "blocked": not record["active"],
        "_stock": record["stock"],
        "_modified": record["_modified"],
    }


def _product(position: int, rng: random.Random, *, taken: set[str]) -> Record:
    everything = vocabulary.words()
    category = list(everything["categories"])[position % len(everything["categories"])]
    facts = everything["categories"][category]
    low, high = facts["price"]
    price = Decimal(rng.randrange(low * 100, high * 100, 5)) / 100
    turn = position // len(everything["categories"])
    goods, colours = facts["goods"], everything["colours"]
    name = f"{goods[turn % len(goods)]}, {colours[turn // len(goods) % len(colours)].lower()}"
    lot = turn // (len(goods) * len(colours))
    return {
        "id": f"p-{1001 + position}",
        "sku": f"{facts['prefix']}-{1001 + position}",
        "name": f"{name}, model {lot + 1}" if lot else name,
        "description": f"{name}. Leveres samlet i genbrugsemballage.",
        "gtin": _gtin(rng, rng.choice(_LENGTHS), taken=taken) if rng.random() < 0.9 else None,
        "category": category,
        "unit": facts["unit"],
        "price": f"{price:.2f}",
        "cost": f"{price * Decimal('0.6'):.2f}",
        "currency": "DKK",
        "price_includes_tax": rng.random() < 0.05,
        "active": True,
        "stock": str(rng.randrange(0, 250)),
        "tags": rng.sample(["nyhed", "udgår", "bestseller", "kampagne", "skaffevare"], k=rng.randrange(3)),
        "_modified": moment(rng),
    }


def _make_case(result: Products, record: Record, case: str, turn: int, rng: random.Random) -> None:
    record["_case"] = case
    if case == "inactive":
        record["active"] = False
    if case == "invalid":
        _spoil(record, cases.BAD_PRODUCTS[turn % len(cases.BAD_PRODUCTS)], rng)
    if case in ("matches by gtin", "ambiguous", "same after normalising"):
        record["gtin"] = _gtin(rng, 13, taken=result.taken)
    result.shop.append(record)
    if case in ("shop only", "invalid"):
        return
    other = to_central(record)
    if case == "same after normalising":
        _respell(other, record, turn)
    elif case == "differing":
        record["_case"] += ": " + _differ(other, record, turn, rng, taken=result.taken)
    elif case == "matches by gtin":
        other["number"] = vocabulary.series("V", 2, len(result.central))
    elif case == "ambiguous":
        record["_case"] = "ambiguous: two in Business Central"
        for suffix in ("gammel", "ny"):
            copy = {
                "number": vocabulary.series("V", 3, len(result.central)),
                "displayName": f"{record['name']} ({suffix})",
            }
            result.central.append(other | copy)
        return
    result.central.append(other)
    result.number[record["id"]] = other["number"]


def _gtin(rng: random.Random, length: int, *, taken: set[str]) -> str:
    return vocabulary.untaken(partial(vocabulary.gtin, length=length), rng, taken=taken)


def _spoil(record: Record, how: str, rng: random.Random) -> None:
    record["_case"] = f"invalid: {how}"
    match how:
        case "wrong check digit":
            right = vocabulary.gtin(rng, 13)
            record["gtin"] = right[:-1] + str((int(right[-1]) + 3) % 10)
        case "priced in another currency":
            record["currency"] = "EUR"
        case _:
            record["category"] = "GARDEN GNOMES"


def _respell(other: Record, record: Record, turn: int) -> None:
    """The same thing written differently."""
    match turn % 3:
        case 0:
            other["gtin"] = f"0{record['gtin']}"
        case 1:
            record["sku"] = str(record["sku"]).lower()
        case _:
            record["category"] = str(record["category"]).capitalize()
            record["price"] = f"{Decimal(record['price']):f}".rstrip("0").rstrip(".")


def _differ(other: Record, record: Record, turn: int, rng: random.Random, *, taken: set[str]) -> str:
    name = cases.PRODUCT_DIFFERENCES[turn % len(cases.PRODUCT_DIFFERENCES)]
    match name:
        case "price":
            other["unitPrice"] = f"{Decimal(record['price']) + 10:.2f}"
        case "name":
            other["displayName"] = f"{record['name']} (udgået model)"
        case "gtin":
            other["gtin"] = _gtin(rng, 13, taken=taken)
        case _:
            other["unitCost"] = f"{Decimal(record['cost']) + 5:.2f}"
    return name


def _extras(result: Products) -> None:
    """Units, variants and price lists, which only Business Central has."""
    for position, record in enumerate(result.central):
        if record["baseUnitOfMeasureCode"] == "PCS" and position % 4 == 0:
            record["_units"] = [{"code": "BOX", "quantity": "6"}]
        if record["baseUnitOfMeasureCode"] == "PCS" and position % 5 == 0:
            colours = ("SORT", "HVID")
            record["_variants"] = [{"code": code, "description": code.capitalize()} for code in colours]
        if position % 10 == 3:
            lower = (Decimal(record["unitPrice"]) * Decimal("0.9")).quantize(Decimal("0.01"))
            result.prices.append({"item": record["number"], "minimum": "10", "price": str(lower)})
