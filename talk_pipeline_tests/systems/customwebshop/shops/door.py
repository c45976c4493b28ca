"""A small shop behind whichever door it is given, on a loopback port, and the way of its records there and back."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from talk_pipeline.audit.audit import audit
from talk_pipeline.audit.judge import Finding
from talk_pipeline.settings import Settings
from talk_pipeline_tests.world import World

Row = dict[str, Any]
Reply = tuple[int, Mapping[str, str], bytes]


class Shop:
    """Its records by table and id, what it was asked to change, and the door, which a subclass makes."""

    def __init__(self) -> None:
        self.tables: dict[str, dict[str, Row]] = {name: {} for name in ("customers", "products", "orders")}
        self.writes: list[str] = []
        self.address = ""
        self._last = 100

    def answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """What is answered to a request."""
        raise NotImplementedError

    def add(self, table: str, **values: Any) -> str:
        """A new record."""
        key = self.next()
        self.tables[table][key] = {"id": key, **values, "changed": _now()}
        return key

    def edit(self, table: str, key: str, **values: Any) -> None:
        """An edit of the shop's own."""
        self.tables[table][key] |= values | {"changed": _now()}

    def line(self, product: str, quantity: str, price: str) -> dict[str, Row]:
        """A line by its id."""
        key = self.next()
        return {
            key: {"id": key, "product": product, "text": "Thing", "quantity": quantity, "unit_price": price}
        }

    def change_line(self, order: str, key: str | None, values: Mapping[str, Any] | None) -> Row:
        """A line that is added, changed, or, without values, removed."""
        lines = self.tables["orders"][order]["lines"]
        self.edit("orders", order)
        if values is None:
            gone: Row = lines.pop(key)
            return gone
        if key is None:
            (key, made), *_ = self.line("", "0", "0").items()
            lines[key] = made
        lines[key] |= values
        row: Row = lines[key]
        return row

    def since(self, table: str, moment: str | None) -> list[Row]:
        """The records that were changed at or after a moment."""
        rows = list(self.tables[table].values())
        return [row for row in rows if not moment or row["changed"] >= moment]

    def next(self) -> str:
        self._last += 1
        return str(self._last)


def connect(patch: pytest.MonkeyPatch, **said: object) -> None:
    """The pipeline's settings of the shop: `url`, `connector`, and whatever variables its description names."""
    for name, value in said.items():
        patch.setenv(f"CUSTOMWEBSHOP_{name.upper()}", str(value))


@contextmanager
def opened(shop: Shop) -> Iterator[str]:
    """The shop's address, while it is open."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"shop": shop}))
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    shop.address = f"http://127.0.0.1:{server.server_port}"
    try:
        yield shop.address
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    shop: Shop

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        status, told, content = self.shop.answer(self.command, self.path, headers, body)
        self.send_response(status)
        for name, value in {**told, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    do_POST = do_PUT = do_PATCH = do_DELETE = do_GET

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing is told."""


def unexplained(*flows: str) -> list[Finding]:
    """What the audit has to say of them, all by default; it compared something of each."""
    judged = audit(Settings.load(), flows)
    assert all(one.counts["agree"] for one in judged)
    return [finding for one in judged for finding in one.unexplained]


@dataclass
class Connected:
    """A shop with some records, and Business Central beside it."""

    shop: Shop
    world: World
    customer: str = ""
    product: str = ""
    order: str = ""

    def fill(self) -> None:
        for n in range(3):
            address = {"street": f"Street {n}", "city": "Aarhus", "zip": "8000", "country": "DK"}
            said = {"number": f"C{n}", "company": f"Company {n}", "email": f"c{n}@company.example"}
            self.customer = self.shop.add("customers", **said, phone="", **address)
            self.product = self.shop.add("products", sku=f"P{n}", title=f"Thing {n}", price="1234.50")
        lines = self.shop.line(self.product, "2", "1234.50")
        self.order = self.shop.add("orders", number="O1", customer=self.customer, lines=lines)

    def run(self) -> None:
        run = self.world.step()
        assert run.success, run.problems
        assert not run.failed()
        refused = [run.finding(flow, "no_quarantined_records").rows for flow in run.numbers["flows"]]
        assert not any(refused), refused

    def quiet(self) -> None:
        """A further run has nothing to do."""
        run = self.world.step()
        assert run.success, run.problems
        assert not run.writes()

    def there(self, flow: str, key: str) -> str:
        """What a record is in Business Central."""
        return self.world.counterpart(flow, self.known(flow, key))

    def known(self, flow: str, key: str) -> str:
        """The id by which a record is known."""
        return key

    def lines_there(self) -> list[Row]:
        key = self.there("order", self.order)
        rows: list[Row] = self.world.bc.get("salesOrders", key)["salesOrderLines"]
        return rows

    def lines_here(self) -> list[Row]:
        return list(self.shop.tables["orders"][self.order]["lines"].values())

    def there_and_back(self) -> None:
        """All that may be edited on either side, lines added, changed and removed, and quiet runs between."""
        self.fill()
        self.run()
        self.quiet()
        shop, bc = self.shop, self.world.bc
        assert not shop.writes
        customer = self.there("customer", self.customer)
        item = self.there("product", self.product)
        assert bc.get("customers", customer)["city"] == "Aarhus"
        assert [(row["quantity"], row["unitPrice"]) for row in self.lines_there()] == [(2, Decimal("1234.5"))]
        assert bc.get("salesOrders", self.there("order", self.order))["customerId"] == customer

        shop.edit("products", self.product, price="2000.05")
        lines = shop.tables["orders"][self.order]["lines"] | shop.line(self.product, "3", "7.00")
        shop.edit("orders", self.order, lines=lines)
        self.run()
        assert bc.get("items", item)["unitPrice"] == Decimal("2000.05")
        assert [row["quantity"] for row in self.lines_there()] == [2, 3]
        self.quiet()

        bc.patch("customers", customer, {"addressLine1": "New Street 1", "phoneNumber": "+4533123456"})
        bc.patch("items", item, {"unitPrice": 1999.5, "displayName": "Renamed & <more>"})
        first, second = self.lines_there()
        bc.patch("salesOrderLines", first["id"], {"quantity": 4})
        bc.delete("salesOrderLines", second["id"])
        other = self.there("product", min(shop.tables["products"], key=int))
        entry = {"lineType": "Item", "itemId": other, "quantity": 5, "unitPrice": 9}
        bc.post(f"salesOrders({self.there('order', self.order)})/salesOrderLines", entry)
        self.run()
        kept = shop.tables["customers"][self.customer]
        assert (kept["street"], kept["phone"], kept["email"]) == (
            "New Street 1",
            "+4533123456",
            "c2@company.example",
        )
        renamed = shop.tables["products"][self.product]
        assert (Decimal(renamed["price"]), renamed["title"]) == (Decimal("1999.5"), "Renamed & <more>")
        told = [(row["product"], int(Decimal(row["quantity"]))) for row in self.lines_here()]
        assert told == [(self.product, 4), (min(shop.tables["products"], key=int), 5)]
        self.quiet()

    def audited(self) -> None:
        """The audit reads this shop, and sees what changed behind everybody's back."""
        assert not unexplained()
        product, line = self.shop.tables["products"][self.product], self.lines_here()[0]
        told = {"title": "Planted"}, {"quantity": "77"}
        was = product["title"], line["quantity"]
        product |= told[0]
        line |= told[1]
        found = {(one.part, one.property) for one in unexplained()}
        assert found == {("product", "name"), ("order.lines", "quantity")}
        product["title"], line["quantity"] = was


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
