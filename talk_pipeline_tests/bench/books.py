"""Books of two systems that say the same, in the words each of them answers with; no server, only payloads."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import islice

from talk_pipeline.engine.model import Record
from talk_pipeline.flows.values import Value

START = datetime(2025, 3, 3, 8, tzinfo=UTC)
LINES = 2  # of an order
SHARED = 10  # orders a customer, and lines a product is met in as a multiple of that

Make = Callable[[int, bool], tuple[Record, Record]]
"""The pair at a position; edited in the shop or not."""


def pairs(make: Make, positions: range, *, edited: bool = False) -> tuple[list[Record], list[Record]]:
    """The records of both sides at these positions."""
    made = [make(at, edited) for at in positions]
    return [shop for shop, _ in made], [bc for _, bc in made]


def customer(at: int, edited: bool) -> tuple[Record, Record]:
    """A company."""
    name, host = f"Company {at} ApS", f"company-{at}.example"
    city, code, street = f"Town {at % 97}", str(1000 + at % 8000), f"Street {at % 140}"
    phone = f"+45 {20 + at % 80:02d} {at % 100:02d} {at // 100 % 100:02d} {at // 10_000 % 100:02d}"
    shop = {
        "id": f"c-{at}",
        "number": str(10_000 + at),
        "company_name": name,
        "contact_name": f"Contact {at}",
        "organization_number": None,
        "email": f"info@{host}",
        "phone": phone,
        "website": f"shop.{host}" if edited else f"www.{host}",
        "currency": "DKK",
        "active": True,
        "address": {
            "line1": street,
            "line2": None,
            "city": city,
            "region": None,
            "postal_code": code,
            "country": "DK",
        },
        "note": None,
    }
    bc = {
        "number": str(10_000 + at),
        "displayName": name,
        "type": "Company",
        "addressLine1": street,
        "addressLine2": "",
        "city": city,
        "state": "",
        "country": "DK",
        "postalCode": code,
        "phoneNumber": phone,
        "email": f"info@{host}",
        "website": f"www.{host}",
        "taxRegistrationNumber": "",
        "currencyCode": "DKK",
        "blocked": "_x0020_",
    }
    return _shop(shop, edited), _bc(bc, kind=1, at=at)


def product(at: int, edited: bool) -> tuple[Record, Record]:
    """An article."""
    shop = {
        "id": f"p-{at}",
        "sku": f"ART-{at}",
        "name": f"Article {at}" + (" B" if edited else ""),
        "gtin": None,
        "category": "CHAIRS",
        "unit": "pcs",
        "price": "100.00",
        "cost": "60.00",
        "currency": "DKK",
        "price_includes_tax": False,
        "active": True,
        "stock": "7",
    }
    bc = {
        "number": f"ART-{at}",
        "displayName": f"Article {at}",
        "type": "Inventory",
        "itemCategoryCode": "CHAIRS",
        "blocked": False,
        "gtin": "",
        "inventory": 7,
        "unitPrice": 100,
        "priceIncludesTax": False,
        "unitCost": 60,
        "baseUnitOfMeasureCode": "PCS",
    }
    return _shop(shop, edited), _bc(bc, kind=2, at=at)


def order(at: int, edited: bool) -> tuple[Record, Record]:
    """An order with lines, of customers and articles that are shared by many orders."""
    of, host = at // SHARED, f"company-{at // SHARED}.example"
    street = {"line1": f"Street {of % 140}", "line2": None, "city": f"Town {of % 97}", "region": None}
    address = street | {"postal_code": str(1000 + of % 8000), "country": "DK"}
    quantities = [Decimal(1 + (at + line) % 9) for line in range(LINES)]
    total = 100 * sum(quantities)
    articles = [(at * LINES + line) // (SHARED * LINES) for line in range(LINES)]
    shop = {
        "id": f"o-{at}",
        "number": f"WEB-{50_000 + at}",
        "customer_id": f"c-{of}",
        "ordered_at": "2025-03-03T08:00:00.000Z",
        "requested_delivery_date": "2025-04-01" if edited else None,
        "currency": "DKK",
        "prices_include_tax": False,
        "email": f"info@{host}",
        "phone": None,
        "status": "open",
        "billing_address": address,
        "shipping_address": {"name": f"Company {of} ApS", **address},
        "discount_amount": "0.00",
        "total_excl_tax": f"{total:.2f}",
        "total_tax": "0.00",
        "total_incl_tax": f"{total:.2f}",
        "erp_number": f"SO{100_000 + at}",
        "lines": [
            {
                "id": f"l-{at}-{line}",
                "product_id": f"p-{article}",
                "description": f"Article {article}",
                "unit": "pcs",
                "quantity": str(quantity),
                "unit_price": "100.00",
                "discount_percent": "0",
                "line_total": f"{100 * quantity:.2f}",
            }
            for line, (article, quantity) in enumerate(zip(articles, quantities, strict=True))
        ],
    }
    addresses = {
        f"{whose}{name}": address[key] or ""
        for whose in ("sellTo", "shipTo")
        for name, key in (
            ("AddressLine1", "line1"),
            ("AddressLine2", "line2"),
            ("City", "city"),
            ("State", "region"),
            ("PostCode", "postal_code"),
            ("Country", "country"),
        )
    }
    bc = {
        "number": f"SO{100_000 + at}",
        "externalDocumentNumber": f"WEB-{50_000 + at}",
        "orderDate": "2025-03-03",
        "customerId": _guid(1, of),
        "shipToName": f"Company {of} ApS",
        **addresses,
        "currencyCode": "DKK",
        "pricesIncludeTax": False,
        "requestedDeliveryDate": "0001-01-01",
        "discountAmount": 0,
        "totalAmountExcludingTax": int(total),
        "totalTaxAmount": 0,
        "totalAmountIncludingTax": int(total),
        "status": "Draft",
        "phoneNumber": "",
        "email": f"info@{host}",
        "salesOrderLines": [
            {
                "@odata.etag": 'W/"1"',
                "id": _guid(4, at * LINES + line),
                "sequence": 10_000 * (line + 1),
                "itemId": _guid(2, article),
                "lineType": "Item",
                "description": f"Article {article}",
                "unitOfMeasureCode": "PCS",
                "quantity": int(quantity),
                "unitPrice": 100,
                "discountPercent": 0,
                "netAmount": int(100 * quantity),
                "shippedQuantity": 0,
            }
            for line, (article, quantity) in enumerate(zip(articles, quantities, strict=True))
        ],
    }
    return _shop(shop, edited), _bc(bc, kind=3, at=at)


def _guid(kind: int, at: int) -> str:
    return f"{kind:08d}-0000-4000-8000-{at:012d}"


def _shop(values: Mapping[str, object], edited: bool) -> Record:
    moment = START + timedelta(days=1) if edited else START
    return Record(str(values["id"]), None, moment, False, json.dumps(values))


def _bc(values: Mapping[str, object], *, kind: int, at: int) -> Record:
    key = _guid(kind, at)
    return Record(key, 'W/"1"', START, False, json.dumps({"@odata.etag": 'W/"1"', "id": key, **values}))


def pages(records: Iterable[Record], *, size: int = 500) -> Iterator[list[Record]]:
    """As a system hands them out."""
    rest = iter(records)
    while page := list(islice(rest, size)):
        yield page


def answered(held: Record, values: Mapping[str, Value]) -> Record:
    """What Business Central answers to an update of text values: the record with them in it, of a new version."""
    changed = {"@odata.etag": 'W/"2"', **{path: value or "" for path, value in values.items()}}
    return replace(held, version='W/"2"', payload=json.dumps(json.loads(held.payload) | changed))
