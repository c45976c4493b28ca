"""A shop that has addresses for ids: some records as frameworks with hyperlinked ones tell them, some as HAL."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

from talk_pipeline_tests.systems.customwebshop.shops.door import Reply, Row, Shop

CONNECTOR = """
name: Linked shop
base_path: /api
auth: {type: bearer, token: CUSTOMWEBSHOP_TOKEN}
modified: changed
updated_since: {parameter: since}
entities:
  customers:
    path: /customers/
    item: "{path}{id}/"
    id: {path: url, template: "{shop}/customers/{}/"}
    paging: {style: next_url, next: next}
    records: results
    lacks: [contact_name, organization_number, website]
    fields:
      company_name: company
      currency: {const: DKK}
      active: {const: true}
      address: {line1: street, line2: ~, city: city, region: ~, postal_code: zip, country: country}
  products:
    path: /products/
    id: url
    item: "{id}"
    paging: {style: next_url, next: next}
    records: results
    lacks: [gtin, category, unit, cost, stock]
    fields: {name: title, currency: {const: DKK}, price_includes_tax: {const: false}, active: {const: true}}
  orders:
    path: /orders
    id: _links.self.href
    item: "{id}?by=itself"
    records: _embedded.orders
    lacks: [erp_number, ordered_at, requested_delivery_date, email, phone, billing_address, shipping_address,
            discount_amount, total_excl_tax, total_tax, total_incl_tax]
    fields:
      customer_id: {path: _links.customer.href, template: "{shop}/customers/{}/", write: false}
      currency: {const: DKK}
      prices_include_tax: {const: false}
      status: {const: open}
    children:
      lines:
        url: "{record:_links.lines.href}"
        records: _embedded.lines
        id: _links.self.href
        update: {method: PATCH, path: "{line}"}
        delete: {path: "{line}"}
        lacks: [unit, discount_percent, line_total]
        fields: {product_id: product, description: text}
    compare_minutes: 1
"""


class LinkedShop(Shop):
    """Customers and products as hyperlinked records, orders and their lines as HAL."""

    def __init__(self) -> None:
        super().__init__()
        self.elsewhere: str | None = None
        self.asked: list[str] = []

    def answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Reply:
        where = urlsplit(target)
        self.asked.append(f"{method} {target}")
        if "%3A" in where.path or "%7B" in target or "{" in target:
            return self._told(404, None)
        assert headers["authorization"] == "Bearer secret"
        asked = {name: values[0] for name, values in parse_qs(where.query).items()}
        _, table, *place = where.path.strip("/").split("/")
        said: Any = json.loads(body) if body else None
        if method != "GET":
            self.writes.append(f"{method} {where.path}")
        if not place:
            return self._list(method, table, asked, said)
        if place[0] not in self.tables[table]:
            return self._told(404, None)
        if len(place) == 1:
            if method == "PATCH":
                self.edit(table, place[0], **said)
            return self._told(200, self._shown(table, self.tables[table][place[0]]))
        return self._lines(method, place, said)

    def _list(self, method: str, table: str, asked: Mapping[str, str], said: Any) -> Reply:
        if method == "POST":
            if table == "orders":  # of whoever came last
                said |= {"customer": max(self.tables["customers"], key=int), "lines": {}}
            key = self.add(table, **said)
            return self._told(201, None, Location=f"/api/{table}/{key}/")
        rows = [self._shown(table, row) for row in self.since(table, asked.get("since"))]
        if table == "orders":
            return self._told(200, {"_embedded": {"orders": rows}})
        start = int(asked.get("start", 0))
        end = start + 2
        following = f"{self.address}/api/{table}/?start={end}" if end < len(rows) else None
        return self._told(200, {"results": rows[start:end], "next": following})

    def _lines(self, method: str, place: list[str], said: Any) -> Reply:
        order, _, *key = place
        if method == "GET":
            rows = self.tables["orders"][order]["lines"].values()
            return self._told(200, {"_embedded": {"lines": [self._line(order, row) for row in rows]}})
        if method != "DELETE" and "product" in said:
            said["product"] = self._key(said["product"])
        return self._told(200, self._line(order, self.change_line(order, key[0] if key else None, said)))

    def _shown(self, table: str, row: Row) -> Row:
        known = {key: value for key, value in row.items() if key not in ("id", "lines", "customer")}
        if table != "orders":
            return {"url": f"{self.address}/api/{table}/{row['id']}/", **known}
        here = f"{self.address}/api/orders/{row['id']}"
        links = {
            "self": here,
            "customer": f"{self.address}/api/customers/{row['customer']}/",
            "lines": f"{self.elsewhere or here}/lines{{?page,size}}",
        }
        return {**known, "_links": {name: {"href": link} for name, link in links.items()}}

    def _line(self, order: str, row: Row) -> Row:
        here = f"{self.address}/api/orders/{order}/lines/{row['id']}"
        known = {key: value for key, value in row.items() if key != "id"}
        known["product"] = f"{self.address}/api/products/{row['product']}/"
        return {**known, "_links": {"self": {"href": here}}}

    def _key(self, url: str) -> str:
        assert url.startswith(f"{self.address}/api/"), url
        return url.rstrip("/").rpartition("/")[2]

    def _told(self, status: int, document: Any, **headers: str) -> Reply:
        body = b"" if document is None else json.dumps(document).encode()
        return status, {"Content-Type": "application/json", **headers}, body
