"""A shop of the old school on a loopback port: what it does differently, it does everywhere.

It answers every request about a record with status 200, lists by POST, keys lists by id, takes forms, tells numbers
with a decimal comma, keeps addresses behind a path of their own, and insists on the e-mail in every change.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

Row = dict[str, Any]

TIMES = "%d.%m.%Y %H:%M:%S"

CONNECTOR = """
name: Old shop
auth: {type: none}
list: {path: "/search{path}", body: {sort: id}, empty: [404]}
paging: {style: page, parameter: page.number, start: 1, more: more, size_parameter: page.size, size: 2}
records: data
record: data[0]
times: "%d.%m.%Y %H:%M:%S"
modified: [changed, entered] # nothing was changed before the first edit
updated_since: {parameter: filter, value: {since: "{since}"}}
update: {method: PUT}
bodies: form
error: {code: errors.code, message: errors.text, shown_by: status, unless: [ok], missing: [nobody]}
entities:
  customers:
    path: /customers
    parts: {address: {path: "/addresses/{record:address_id}", at: "data[0]"}}
    update:
      - {of: [address.*], method: PUT, path: "/addresses/{record:address_id}", at: "@address"}
      - {method: PUT, along: [email]}
    fields:
      company_name: company
      organization_number: ~
      website: ~
      currency: {const: DKK}
      active: {path: blocked, values: {"N": true, "*": false}, write: false}
      address: {line1: "@address.street", line2: "@address.street2", city: "@address.city", region: ~,
                postal_code: "@address.zip", country: "@address.country"}
  products:
    path: /products
    fields:
      name: {path: title, write: [title, short_title]}
      gtin: ~
      category: ~
      unit: ~
      price: {decimal: ","}
      cost: ~
      currency: {const: DKK}
      price_includes_tax: {const: false}
      active: {values: {"Y": true, "N": false}}
      stock: ~
  orders:
    path: /orders
    fields:
      erp_number: ~
      ordered_at: ~
      requested_delivery_date: ~
      currency: {const: DKK}
      prices_include_tax: {const: false}
      email: ~
      phone: ~
      billing_address: {line1: ~, line2: ~, city: ~, region: ~, postal_code: ~, country: ~}
      shipping_address: {name: ~, line1: ~, line2: ~, city: ~, region: ~, postal_code: ~, country: ~}
      discount_amount: ~
      status: {path: cancelled, write: false, values: {"": open, "*": cancelled}}
      total_excl_tax: ~
      total_tax: ~
      total_incl_tax: ~
    children:
      lines:
        path: lines
        url: "{item}/lines"
        where: {kind: goods}
        update: {method: PUT}
        fields: {unit: ~, quantity: {decimal: ","}, unit_price: {decimal: ","}, discount_percent: ~, line_total: ~}
"""


class OldShop:
    """Its records, by path and id, and what it was asked to change."""

    def __init__(self) -> None:
        self.tables: dict[str, dict[str, Row]] = {
            name: {} for name in ("customers", "products", "orders", "addresses")
        }
        self.writes: list[str] = []
        self._last = 100

    def add(self, table: str, **values: Any) -> str:
        """A new record, never changed."""
        key = self._next()
        self.tables[table][key] = {"id": int(key), **values, "entered": _now(), "changed": ""}
        return key

    def edit(self, table: str, key: str, **values: Any) -> None:
        """An edit of the shop's own."""
        self.tables[table][key] |= values | {"changed": _now()}

    def line(self, product: str, quantity: str, price: str, kind: str = "goods") -> dict[str, Row]:
        """A line by its id."""
        key = self._next()
        said = {"product_id": product, "description": "Thing", "quantity": quantity, "unit_price": price}
        return {key: {"id": int(key), "kind": kind, **said}}

    def search(self, table: str, body: Row) -> tuple[int, Any]:
        rows = list(self.tables[table].values())
        if "filter" in body:
            since = _moment(body["filter"]["since"])
            rows = [row for row in rows if _moment(row["changed"] or row["entered"]) >= since]
        number, size = body["page"]["number"], body["page"]["size"]
        assert (type(number), type(size)) == (int, int), "a page is a number in a body"
        page = {str(row["id"]): row for row in rows[(number - 1) * size : number * size]}
        if not page:
            return 404, {"status": "error", "errors": {"code": "nothing", "text": "no records"}}
        return 200, {"status": "ok", "data": page, "more": number * size < len(rows)}

    def change(self, method: str, place: list[str], form: Row) -> Row:
        self.writes.append(f"{method} /{'/'.join(place)} {form}")
        table, key, *inner = place
        row = self.tables[table].get(key)
        if row is None:
            return _refused("nobody", "there is none")
        if table == "customers" and not form.get("email"):
            return _refused("mail", "e-mail is missing")
        if any("." in value for name, value in form.items() if name in ("price", "quantity", "unit_price")):
            return _refused("number", "that is no number")
        if inner:
            made = self._change_line(method, row["lines"], inner[1:], form)
            return {"status": "ok", "data": [made]}
        row |= form
        self.edit(table, key)
        return {"status": "ok", "data": [row]}

    def _change_line(self, method: str, lines: dict[str, Row], key: list[str], form: Row) -> Row:
        if method == "DELETE":
            return lines.pop(key[0])
        if method == "POST":
            (number, made), *_ = self.line("", "0", "0").items()
            lines[number] = made
            key = [number]
        lines[key[0]] |= form
        return lines[key[0]]

    def _next(self) -> str:
        self._last += 1
        return str(self._last)


class Drafting(OldShop):
    """One whose orders are changed in a draft: opened, filled, and confirmed or thrown away; one at a time."""

    CONNECTOR = CONNECTOR.replace(
        """        update: {method: PUT}
        fields""",
        """        before: {path: "{item}/drafts", constants: {reason: "order {id}"}}
        create: {method: POST, path: "/drafts/{begun:data[0].id}/lines"}
        update: {method: PUT, path: "/drafts/{begun:data[0].id}/lines/{line}"}
        delete: {method: POST, path: "/drafts/{begun:data[0].id}/lines/{line}", constants: {quantity: 0}}
        after:
          - {path: "/drafts/{begun:data[0].id}/request"}
          - {method: PUT, path: "/drafts/{begun:data[0].id}/confirm"}
        abandon: {method: DELETE, path: "/drafts/{begun:data[0].id}", empty: true}
        fields""",
    )

    def __init__(self) -> None:
        super().__init__()
        self.drafts: dict[str, Row] = {}
        self.refuses: str | None = None

    def change(self, method: str, place: list[str], form: Row) -> Row:
        step = place[2] if len(place) > 2 else method
        if self.refuses == step:
            self.writes.append(f"{method} /{'/'.join(place)} refused")
            return _refused("no", f"{step} is not possible")
        if place[0] == "orders" and step == "drafts":
            return self._draft(place[1], form)
        if place[0] != "drafts":
            return super().change(method, place, form)
        self.writes.append(f"{method} /{'/'.join(place)} {form}")
        draft = self.drafts[place[1]]
        if step == "lines":
            taken = method == "POST" and place[3:]  # in a draft a line goes when none of it is wanted
            assert not taken or form == {"quantity": "0"}
            self._change_line("DELETE" if taken else method, draft["lines"], place[3:], form)
        elif step == "request":
            draft["requested"] = True
        else:
            del self.drafts[place[1]]
            if step == "confirm":
                assert draft["requested"]
                self.edit("orders", draft["order"], lines=draft["lines"])
        return {"status": "ok", "data": [{"id": int(place[1])}]}

    def _draft(self, order: str, form: Row) -> Row:
        self.writes.append(f"POST /orders/{order}/drafts {form}")
        if any(draft["order"] == order for draft in self.drafts.values()):
            return _refused("open", "there is a draft")
        key, lines = self._next(), self.tables["orders"][order]["lines"]
        copied = {number: dict(row) for number, row in lines.items()}
        self.drafts[key] = {"order": order, "lines": copied, "requested": False}
        return {"status": "ok", "data": [{"id": int(key)}]}


@contextmanager
def served(shop: OldShop | None = None) -> Iterator[tuple[OldShop, str]]:
    """The shop and its address."""
    shop = shop or OldShop()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"shop": shop}))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield shop, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


class _Handler(BaseHTTPRequestHandler):
    shop: OldShop

    def do_GET(self) -> None:
        table, key = self.path.strip("/").split("/")
        row = self.shop.tables[table].get(key)
        self._answer(200, {"status": "ok", "data": [row]} if row else _refused("nobody", "there is none"))

    def do_POST(self) -> None:
        place = self.path.strip("/").split("/")
        if place[0] == "search":
            self._answer(*self.shop.search(place[1], json.loads(self._body())))
        else:
            self._change("POST", place)

    def do_PUT(self) -> None:
        self._change("PUT", self.path.strip("/").split("/"))

    def do_DELETE(self) -> None:
        self._change("DELETE", self.path.strip("/").split("/"))

    def _change(self, method: str, place: list[str]) -> None:
        form = dict(parse_qsl(self._body().decode(), keep_blank_values=True))
        self._answer(200, self.shop.change(method, place, form))

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _answer(self, status: int, document: Any) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing is told."""


def _refused(code: str, text: str) -> Row:
    return {"status": "error", "errors": {"code": code, "text": text}}


def _now() -> str:
    return datetime.now(UTC).strftime(TIMES)


def _moment(text: str) -> datetime:
    return datetime.strptime(text, TIMES).replace(tzinfo=UTC)


def number(text: str) -> Decimal:
    """A number as the shop writes it."""
    return Decimal(text.replace(".", "").replace(",", "."))
