"""The records a state starts with: reference data for every company, and the seed in the first one.

The seed speaks the API's own terms and goes through the API's own rules, so that nothing gets in that the
service would not have taken.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from talk_pipeline.sandbox.businesscentral import bodies, values
from talk_pipeline.sandbox.businesscentral.company import HIDDEN_DECIMALS, Company
from talk_pipeline.sandbox.businesscentral.directory import Office
from talk_pipeline.sandbox.businesscentral.order_states import IN_REVIEW, RELEASED
from talk_pipeline.sandbox.businesscentral.schema import DECIMALS
from talk_pipeline.sandbox.businesscentral.service import Central
from talk_pipeline.sandbox.documents import read_yaml
from talk_pipeline.sandbox.store import Row

Record = Mapping[str, Any]

_FILE = Path(__file__).parent / "reference.yaml"
_FOUNDED = values.parse_moment("2025-01-02T07:00:00+00:00") or 0
_STATUS = {"released": RELEASED, "in_review": IN_REVIEW}


def make_companies(central: Central) -> None:
    """Make the companies of a new state; their ids are this state's own."""
    with central.store.transaction():
        for raw in _reference()["companies"]:
            row = central.directory.root.company.blank("companies") | raw | {"id": str(uuid.uuid4())}
            row |= {"systemVersion": "28.0.0.0", "timestamp": 1, "businessProfileId": ""}
            row |= {"systemCreatedAt": _FOUNDED, "systemModifiedAt": _FOUNDED}
            central.store.put(central.directory.root.company.table("companies"), row | {"_version": 0})
            central.directory.open(row["id"])


def fill(central: Central, seed: Mapping[str, Any] | None, *, randomness: int, currency: str) -> None:
    """Put the records of all companies back to the start.

    Args:
        central: the companies.
        seed: records of the first company by set; None for none but reference data.
        randomness: what the ids follow from.
        currency: the local one.
    """
    rng = random.Random(f"businesscentral {randomness}")
    central.settings.reset()
    with central.store.transaction():
        for key in central.directory.offices:
            central.store.clear(f"bc/{key}/")
        central.store.clear("bc/_root/subscriptions")
        for office in central.directory.offices.values():
            with office.company.at(_FOUNDED, seed=rng):
                _refer(office.company, currency)
        if seed is not None:
            central.settings.change({"customer_contacts": "none"})  # those of before are no contacts yet
            _sow(main_office(central), seed, rng)
            central.settings.reset()


def is_filled(central: Central) -> bool:
    """Whether the state got as far as its reference data, which even an emptied one has."""
    return len(main_office(central).company.table("companyInformation")) > 0


def main_office(central: Central) -> Office:
    """The company the environment points at."""
    first = _reference()["companies"][0]["name"]
    row = central.directory.root.company.lookup("companies", "name", first)
    if row is None:
        raise AssertionError("a state without its first company")
    return central.directory.offices[row["id"]]


@cache
def _reference() -> Any:
    return read_yaml(_FILE)


def _refer(company: Company, currency: str) -> None:
    for name, entries in _told_in(currency).items():
        if name == "companies":
            continue
        set_name = "companyInformation" if name == "information" else name
        for raw in [entries] if name == "information" else entries:
            row = company.blank(set_name) | _typed(company, set_name, raw)
            if dimension := company.lookup("dimensions", "code", raw.get("_dimension", "")):
                row["dimensionId"] = dimension["id"]
            company.save(set_name, row)


def _told_in(currency: str) -> Mapping[str, Any]:
    """The reference data of a company with that local currency; what others are worth is told in it."""
    data: Mapping[str, Any] = _reference()
    usual = data["information"]["_currency"]
    if currency == usual:
        return data
    others = data["currencies"]
    worth = next((Decimal(one["_rate"]) for one in others if one["code"] == currency), Decimal(1))
    usual_one = {"code": usual, "displayName": usual, "symbol": usual, "_rate": "1"}
    told = [
        one | {"_rate": str(round(Decimal(one["_rate"]) / worth, 4))}
        for one in [usual_one, *others]
        if one["code"] != currency
    ]
    return {**data, "information": data["information"] | {"_currency": currency}, "currencies": told}


def _typed(company: Company, set_name: str, raw: Record) -> Row:
    """Decimals as decimals; everything else as written."""
    properties = company.set(set_name).properties
    row = dict(raw)
    for name, value in raw.items():
        if name in HIDDEN_DECIMALS or (name in properties and properties[name].kind in DECIMALS):
            row[name] = Decimal(str(value))
    return row


def _sow(office: Office, seed: Mapping[str, Any], rng: random.Random) -> None:
    company = office.company
    for raw in seed.get("customers", ()):
        _create(office, "customers", raw, rng)
    for raw in seed.get("items", ()):
        row = _create(office, "items", raw, rng)
        stock = Decimal(str(raw.get("_stock", 0)))
        entries = {"_entries": True} if stock else {}
        company.save_silently("items", {**row, "inventory": values.trimmed(stock), **entries})
        for number, unit in enumerate(raw.get("_units", ())):
            target = company.lookup("unitsOfMeasure", "code", unit["code"])
            if target is not None:
                entry = {"id": f"{row['id']}/{number}", "itemId": row["id"], "unitOfMeasureId": target["id"]}
                company.store.put(company.units, entry | {"_per_unit": Decimal(str(unit["quantity"]))})
        for variant in raw.get("_variants", ()):
            with company.at(row["lastModifiedDateTime"], seed=rng):
                company.save("itemVariants", company.blank("itemVariants") | variant | {"itemId": row["id"]})
    for number, raw in enumerate(seed.get("prices", ())):
        _price(company, number, raw)
    for raw in seed.get("orders", ()):
        _order(office, raw, rng)


def _price(company: Company, number: int, raw: Record) -> None:
    item = company.lookup("items", "number", raw["item"])
    customer = company.lookup("customers", "number", raw.get("customer", ""))
    currency = company.lookup("currencies", "code", raw.get("currency", ""))
    if item is None:
        raise ValueError(f"a price for an item there is not: {raw['item']}")
    row = {
        "id": f"{number:06d}",
        "itemId": item["id"],
        "customerId": customer["id"] if customer else values.NO_ID,
        "currencyId": currency["id"] if currency else values.NO_ID,
        "_minimum": Decimal(str(raw.get("minimum", 0))),
        "_price": Decimal(str(raw["price"])),
    }
    company.store.put(company.prices, row)


def _order(office: Office, raw: Record, rng: random.Random) -> None:
    order = _create(office, "salesOrders", raw, rng)
    company, posting = office.company, office.posting
    with company.at(_moment(raw), seed=rng):
        if "_status" in raw:
            order = posting.set_status(office.orders.current(order), _STATUS[raw["_status"]])
        if "_shipped" in raw:
            share = Decimal(str(raw["_shipped"]))
            lines = [line for line in company.lines(order["id"]) if line["lineType"] != "Comment"]
            part = {line["id"]: (line["quantity"] * share).to_integral_value() for line in lines}
            order = posting.ship(office.orders.current(order), part)
        if raw.get("_invoiced"):
            posting.invoice(office.orders.current(order))


def _create(office: Office, set_name: str, raw: Record, rng: random.Random) -> Row:
    """Create a record through the rules of its set."""
    company = office.company
    document = {name: value for name, value in raw.items() if not name.startswith("_")}
    document = _numbers(company, set_name, document)
    with company.at(_moment(raw), seed=rng):
        body = bodies.accept(document, company.set(set_name), settings=company.settings, current=None)
        row = office.records[set_name].create(body)
    return company.table(set_name).rows[row["id"]]


def _numbers(company: Company, set_name: str, document: Mapping[str, Any]) -> dict[str, Any]:
    """Decimals are text in the seed files, as everywhere a number must not lose a digit."""
    properties = company.set(set_name).properties
    result: dict[str, Any] = {}
    for name, value in document.items():
        if name in company.set(set_name).deep:
            of = company.set(set_name).navigation[name].set or name
            result[name] = [_numbers(company, of, line) for line in value]
        elif name in properties and properties[name].kind in DECIMALS:
            result[name] = Decimal(str(value))
        else:
            result[name] = value
    return result


def _moment(raw: Record) -> int:
    text = raw.get("_modified")
    moment = values.parse_moment(str(text)) if text else None
    return moment if moment is not None else _FOUNDED
