"""Records for tests: small, complete, and with nothing in common."""

from typing import Any

Row = dict[str, Any]


def customer(number: str = "C1", **values: Any) -> Row:
    plain = number.lower().replace("-", "")
    return {
        "number": number,
        "company_name": f"Company {number}",
        "contact_name": f"Contact {number}",
        "organization_number": None,
        "email": f"{plain}@company.example",
        "phone": "+45 33 12 34 56",
        "website": f"www.{plain}.example",
        "currency": "DKK",
        "active": True,
        "address": {
            "line1": "Main Street 1",
            "line2": None,
            "city": "Middelby",
            "region": None,
            "postal_code": "1234",
            "country": "DK",
        },
        "note": "not mapped",
    } | values


def product(sku: str = "P1", **values: Any) -> Row:
    return {
        "sku": sku,
        "name": f"Product {sku}",
        "gtin": None,
        "category": None,
        "unit": "pcs",
        "price": "100.00",
        "cost": "60.00",
        "currency": "DKK",
        "price_includes_tax": False,
        "active": True,
        "stock": None,
        "tags": ["not mapped"],
    } | values


def order(number: str, customer_id: str, lines: list[Row], **values: Any) -> Row:
    address = {
        "line1": "Main Street 1",
        "line2": None,
        "city": "Middelby",
        "region": None,
        "postal_code": "1234",
        "country": "DK",
    }
    return {
        "number": number,
        "customer_id": customer_id,
        "ordered_at": "2026-03-02T10:11:12.000Z",
        "requested_delivery_date": None,
        "currency": "DKK",
        "prices_include_tax": False,
        "email": "orders@company.example",
        "phone": "+45 33 12 34 56",
        "status": "open",
        "billing_address": address,
        "shipping_address": {"name": "Reception", **address},
        "discount_amount": "0.00",
        "lines": lines,
    } | values


def line(product_id: str, quantity: str = "2", unit_price: str = "100.00", **values: Any) -> Row:
    return {
        "product_id": product_id,
        "description": f"Line of {product_id}",
        "unit": "pcs",
        "quantity": quantity,
        "unit_price": unit_price,
        "discount_percent": "0",
    } | values
