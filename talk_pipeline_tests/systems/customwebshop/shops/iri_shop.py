"""A shop that speaks JSON-LD: whatever refers to a record says its address, be it in a body or a parameter.

Lines are resources of their own, known within their order alone. Made from public documentation of frameworks that
answer so.
"""

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

from talk_pipeline_tests.systems.customwebshop.shops.door import Reply, Row, Shop

TOKEN = "visitor"
REFERS = {"customer": "customers", "product": "products", "order": "orders"}
MEDIA = {"POST": "application/ld+json", "PATCH": "application/merge-patch+json"}
CONNECTOR = """name: Addresses
auth: {type: bearer, token: CUSTOMWEBSHOP_TOKEN}
base_path: /api
headers: {Accept: application/ld+json}
paging: {style: next_url, next: "hydra:view.hydra:next"}
records: "hydra:member"
modified: changed
updated_since: {parameter: "changed[after]"}
error: {message: "hydra:description"}
update: {headers: {Content-Type: application/merge-patch+json}}
entities:
  customers:
    path: /customers
    create: {headers: {Content-Type: application/ld+json}}
    lacks: [contact_name, organization_number, website]
    fields:
      company_name: company
      currency: {const: DKK}
      active: {const: true}
      address: {line1: street, line2: ~, city: city, region: ~, postal_code: zip, country: country}
  products:
    path: /products
    lacks: [gtin, category, unit, cost, stock]
    fields: {name: title, currency: {const: DKK}, price_includes_tax: {const: false}, active: {const: true}}
  orders:
    path: /orders
    id: {path: "@id", template: "/api/orders/{}"}
    lacks: [erp_number, ordered_at, requested_delivery_date, email, phone, billing_address, shipping_address,
            discount_amount, total_excl_tax, total_tax, total_incl_tax]
    fields:
      customer_id: {path: customer, template: "/api/customers/{}"}
      currency: {const: DKK}
      prices_include_tax: {const: false}
      status: {const: open}
    children:
      lines:
        url: "/order_lines?order=/api/orders/{id}"
        records: "hydra:member"
        paging: {style: next_url, next: "hydra:view.hydra:next"}
        create:
          path: /order_lines
          headers: {Content-Type: application/ld+json}
          constants: {order: "/api/orders/{id}"}
        update:
          path: /order_lines/{line}
          query: {order: "/api/orders/{id}"}
          headers: {Content-Type: application/merge-patch+json}
          constants: {"@id": "/api/order_lines/{line}", order: "{id}"}
        delete: {path: "/order_lines/{line}", query: {order: "/api/orders/{id}"}}
        lacks: [unit, discount_percent, line_total]
        fields:
          product_id: {path: product, template: "/api/products/{}"}
          description: text
"""


class IriShop(Shop):
    """Its records by table and id; lines are in a table of theirs."""

    def __init__(self) -> None:
        super().__init__()
        self.tables["order_lines"] = {}

    def line(self, product: str, quantity: str, price: str) -> dict[str, Row]:
        """A line, told as it is kept: its order is known when it is put."""
        return super().line(product, quantity, price)

    def answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Reply:
        where = urlsplit(target)
        asked = {name: values[-1] for name, values in parse_qs(where.query).items()}
        found = re.fullmatch(r"/api/(customers|products|orders|order_lines)(?:/(\d+))?", where.path)
        if headers.get("authorization") != f"Bearer {TOKEN}" or not found:
            return _told(404 if not found else 401, _wrong("Nothing for you"))
        table, key = found.groups()
        if key is not None and key not in self.tables[table]:
            return _told(404, _wrong("Not Found"))
        if method == "GET" and key is None:
            return _told(200, self._page(table, where.path, asked))
        if method == "GET" and key is not None:
            return _told(200, self._shown(table, key))
        self.writes.append(f"{method} {table}")
        if headers.get("content-type") != MEDIA.get(method, headers.get("content-type")):
            return _told(415, _wrong(f'The content-type "{headers.get("content-type")}" is not supported.'))
        return self._changed(method, table, key, asked, json.loads(body, parse_float=str) if body else {})

    def _changed(
        self, method: str, table: str, key: str | None, asked: Mapping[str, str], said: Row
    ) -> Reply:
        row = self.tables[table].get(key or "", {})
        if table == "order_lines" and key and asked.get("order") != f"/api/orders/{row['order']}":
            return _told(400, _wrong("A line is known within its order alone."))
        if method == "DELETE" and key:
            del self.tables[table][key]
            return 204, {}, b""
        if said.pop("@id", None) not in (None, f"/api/{table}/{key}"):
            return _told(400, _wrong("Update is not allowed for this operation."))
        values: Row = {}
        for name, value in said.items():
            of = REFERS.get(name)
            if of and not (isinstance(value, str) and re.fullmatch(rf"/api/{of}/\d+", value)):
                return _told(400, _wrong(f'Invalid IRI "{value}".'))
            values[name] = value.rpartition("/")[2] if of else value
        if key is None:
            key = self.add(table, **values)
            return _told(201, self._shown(table, key))
        self.edit(table, key, **values)
        return _told(200, self._shown(table, key))

    def _page(self, table: str, path: str, asked: Mapping[str, str]) -> Row:
        rows = self.since(table, asked.get("changed[after]"))
        if "order" in asked:
            rows = [row for row in rows if f"/api/orders/{row['order']}" == asked["order"]]
        page = int(asked.get("page", 1))
        shown = [self._shown(table, row["id"]) for row in rows[(page - 1) * 2 : page * 2]]
        others = "".join(f"&{name}={value}" for name, value in asked.items() if name != "page")
        view = {"hydra:next": f"{path}?page={page + 1}{others}"} if len(rows) > page * 2 else {}
        return {"hydra:member": shown, "hydra:totalItems": len(rows), "hydra:view": view}

    def _shown(self, table: str, key: str) -> Row:
        row = dict(self.tables[table][key])
        refers = {name: f"/api/{of}/{row[name]}" for name, of in REFERS.items() if name in row}
        return row | refers | {"@id": f"/api/{table}/{key}", "@type": table, "id": int(key)}


def _wrong(what: str) -> Row:
    return {"@type": "hydra:Error", "hydra:description": what}


def _told(status: int, what: Any) -> Reply:
    return status, {"Content-Type": "application/ld+json"}, json.dumps(what).encode()
