"""A shop whose orders are moved on by calls of their own: accepted, shipped, closed or cancelled, each once only.

What is called twice is done twice, as by a shop that books a parcel with every call. It answers about the parcel,
not about the order. Products are published and withdrawn the same way.
"""

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from talk_pipeline_tests.systems.customwebshop.shops.door import Reply, Row, Shop

CONNECTOR = """name: Actions
auth: {type: bearer, token: CUSTOMWEBSHOP_TOKEN}
modified: changed
error: {message: message}
entities:
  customers:
    path: /customers
    lacks: [contact_name, organization_number, website]
    fields:
      company_name: company
      currency: {const: DKK}
      active: {const: true}
      address: {line1: street, line2: ~, city: city, region: ~, postal_code: zip, country: country}
  products:
    path: /products
    create:
      - {}
      - {when: {active: true}, path: "{item}/publish", empty: true}
    update:
      - {}
      - {when: {active: true}, path: "{item}/publish", empty: true}
      - {when: {active: false}, path: "{item}/withdraw", empty: true}
    lacks: [gtin, category, unit, cost, stock]
    fields:
      name: title
      currency: {const: DKK}
      price_includes_tax: {const: false}
      active: {path: state, values: {published: "true", draft: "false"}}
  orders:
    path: /orders
    update:
      - {}
      - {when: {status: processing}, path: "{item}/accept", empty: true}
      - {when: {status: shipped}, path: "{item}/ship", constants: {parcel: "of {id}"}}
      - {when: {status: [completed, cancelled]}, path: "{item}/close", empty: true}
    lacks: [erp_number, ordered_at, email, phone, billing_address, shipping_address, discount_amount,
            total_excl_tax, total_tax, total_incl_tax]
    fields:
      customer_id: customer
      requested_delivery_date: delivery
      currency: {const: DKK}
      prices_include_tax: {const: false}
      status: {path: state, values: {accepted: processing, parcelled: shipped, closed: completed}}
    children:
      lines:
        path: lines
        lacks: [unit, discount_percent, line_total]
        fields: {product_id: product, description: text}
"""
STATES = {
    "accept": "accepted",
    "ship": "parcelled",
    "close": "closed",
    "publish": "published",
    "withdraw": "draft",
}


class ActionShop(Shop):
    """Its records; `calls` are those that acted, and `answers` what the next of them are answered.

    Attributes:
        slow: the next call is carried out later, by `carry_out`.
        refuses: what it says no to.
    """

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[str] = []
        self.answers: list[int] = []
        self.slow = False
        self.refuses: str | None = None
        self._later: list[tuple[str, str, str]] = []

    def add(self, table: str, **values: Any) -> str:
        if table == "products":
            values = {"state": "published"} | values
        return super().add(table, **values)

    def carry_out(self) -> None:
        """What was asked for and not done yet."""
        later, self._later = self._later, []
        for table, key, verb in later:
            self._act(table, key, verb)

    def answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Reply:
        found = re.fullmatch(r"/(customers|products|orders)(?:/(\d+)(?:/(\w+))?)?", urlsplit(target).path)
        if not found or (found[2] and found[2] not in self.tables[found[1]]):
            return _told(404, {"message": "no such place"})
        table, key, verb = found.groups()
        if method == "GET":
            return _told(
                200,
                self._shown(table, key) if key else [self._shown(table, one) for one in self.tables[table]],
            )
        said = json.loads(body, parse_float=str) if body else {}
        if verb:
            return self._called(table, key, verb, said)
        self.writes.append(f"{method} {table} {' '.join(sorted(said))}")
        if "state" in said:
            return _told(422, {"message": "state is moved on by calls of its own"})
        lines = said.pop("lines", None)
        key = key or self.add(table, state="draft")
        if lines is not None:
            rows = {str(line.get("id") or self.next()): line for line in lines}
            said["lines"] = {at: {**row, "id": at} for at, row in rows.items()}
        self.edit(table, key, **said)
        return _told(200, self._shown(table, key))

    def _called(self, table: str, key: str, verb: str, said: Row) -> Reply:
        if verb not in STATES or (verb == "ship" and said != {"parcel": f"of {key}"}):
            return _told(422, {"message": f"no {verb} with {said}"})
        self.calls.append(f"{verb} {table}")
        if verb == self.refuses:
            return _told(422, {"message": f"{verb}: not allowed"})
        if self.slow:
            self._later.append((table, key, verb))
        else:
            self._act(table, key, verb)
        status = self.answers.pop(0) if self.answers else 201
        return _told(status, {"id": key, "parcel": "of the order"})

    def _act(self, table: str, key: str, verb: str) -> None:
        self.edit(table, key, state=STATES[verb])

    def _shown(self, table: str, key: str) -> Row:
        row = dict(self.tables[table][key])
        return row | ({"lines": list(row["lines"].values())} if "lines" in row else {})


def _told(status: int, what: Any) -> Reply:
    return status, {"Content-Type": "application/json"}, json.dumps(what).encode()
