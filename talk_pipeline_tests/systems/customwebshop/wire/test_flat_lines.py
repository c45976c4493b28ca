"""A shop as a REST framework makes it: all lines of all orders in one list of pages, apart from the orders."""

import asyncio
import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from talk_pipeline.engine.model import ChildEdit, Outcome, Record, Result, Write
from talk_pipeline.systems.customwebshop.wire.answers import UnexpectedShapeFault
from talk_pipeline.systems.customwebshop.wire.client import Customwebshop
from talk_pipeline.systems.customwebshop.wire.fitting import load_description
from talk_pipeline.systems.http import Http, Limits
from talk_pipeline_tests.flow_files import flows_in

PAGE = 2
CONNECTOR = """
name: Framework
auth: {type: none}
records: results
blank: empty
entities:
  customers: {path: /customers/}
  products: {path: /products/}
  orders:
    path: /orders/
    item: "{path}{id}/"
    fields: {number: no, customer_id: {path: customer, type: number}}
    children:
      lines:
        url: '/order-lines/?filter={"order":{id}}'
        records: results
        paging: {style: next_url, next: next}
        parent: order
        create: {path: /order-lines/}
        update: {path: "/order-lines/{line}/"}
        delete: {path: "/order-lines/{line}/"}
        fields: {product_id: {path: product, type: number}, description: text, quantity: {path: qty, type: number}}
"""


class Shop(BaseHTTPRequestHandler):
    """Orders and lines; ids are numbers, and a text must be one."""

    orders: dict[int, dict[str, Any]]
    lines: dict[int, dict[str, Any]]

    def do_GET(self) -> None:
        where = urlsplit(self.path)
        name, *key = where.path.strip("/").split("/")
        if key:
            self._answer(200, self.orders[int(key[0])])
            return
        query = {key: values[0] for key, values in parse_qs(where.query).items()}
        rows = list((self.orders if name == "orders" else self.lines).values())
        if "filter" in query:
            order = json.loads(query["filter"])["order"]
            rows = [row for row in rows if row["order"] == order]
        page = int(query.get("page", "1"))
        more = len(rows) > page * PAGE and name == "order-lines"
        address = re.sub("&page=.*", "", self.path)
        shown = rows[(page - 1) * PAGE : page * PAGE] if name == "order-lines" else rows
        self._answer(200, {"next": f"{address}&page={page + 1}" if more else None, "results": shown})

    def do_POST(self) -> None:
        self._change(max(self.lines) + 1)

    def do_PATCH(self) -> None:
        self._change(int(self.path.strip("/").split("/")[1]))

    def do_DELETE(self) -> None:
        del self.lines[int(self.path.strip("/").split("/")[1])]
        self._answer(204, None)

    def _change(self, key: int) -> None:
        said = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        row = {**self.lines.get(key, {"id": key}), **said}
        if not (
            isinstance(row["order"], int) and isinstance(row["product"], int) and row["text"] is not None
        ):
            self._answer(400, {"text": "this field may not be null"})
            return
        self.lines[key] = row
        self._answer(200, row)

    def _answer(self, status: int, document: Any) -> None:
        body = json.dumps(document).encode() if document is not None else b""
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing is told."""


@pytest.fixture
def shop() -> Iterator[tuple[str, type[Shop]]]:
    orders = {key: {"id": key, "no": f"O{key}", "customer": 1} for key in (1, 2)}
    lines = {
        key: {"id": key, "order": order, "product": 10 + key, "text": f"Line {key}", "qty": 1, "note": "kept"}
        for key, order in enumerate((1, 1, 1, 1, 1, 2), 1)
    }
    handler = type("Handler", (Shop,), {"orders": orders, "lines": lines})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", handler
    server.shutdown()
    thread.join()
    server.server_close()


def connected(tmp_path: Path, address: str, connector: str = CONNECTOR) -> Customwebshop:
    file = tmp_path / "framework.yaml"
    file.write_text(connector)
    flows = flows_in()
    limits = Limits(1000, 1, 4, tmp_path / "limits")
    http = Http("Framework", address, limits=limits, longest_seconds=0)
    return Customwebshop(http, flows, description=load_description(file, flows=flows))


async def read(client: Customwebshop) -> list[Record]:
    async with client:
        return [record async for page in client.scan("order", since=None) for record in page]


def test_every_page_of_lines_is_read(tmp_path: Path, shop: tuple[str, type[Shop]]) -> None:
    client = connected(tmp_path, shop[0])
    records = asyncio.run(read(client))
    ids = [[line.id for line in client.decode("order", one.payload).children["lines"]] for one in records]
    assert ids == [["1", "2", "3", "4", "5"], ["6"]]


def test_lines_that_go_on_unsaid_are_refused_rather_than_cut(
    tmp_path: Path, shop: tuple[str, type[Shop]]
) -> None:
    unsaid = CONNECTOR.replace("        paging: {style: next_url, next: next}\n", "")
    with pytest.raises(UnexpectedShapeFault, match="the list goes on, since it has next"):
        asyncio.run(read(connected(tmp_path, shop[0], unsaid)))
    certain = CONNECTOR.replace("{style: next_url, next: next}", "{style: none}")
    assert len(asyncio.run(read(connected(tmp_path, shop[0], certain)))) == 2


def test_lines_are_added_changed_and_removed_in_that_list(
    tmp_path: Path, shop: tuple[str, type[Shop]]
) -> None:
    client = connected(tmp_path, shop[0])

    async def edit() -> Outcome:
        async with client:
            record = await client.get("order", "1")
            assert record is not None
            edits = (
                ChildEdit("update", "2", {"description": None}),
                ChildEdit("delete", "3", {}),
                ChildEdit("create", None, {"product_id": "16", "description": "New", "quantity": "4"}),
            )
            write = Write("orders", "update", "1", None, {}, "key", {"lines": edits}, current=record.payload)
            return (await client.write("order", [write]))[0]

    outcome = asyncio.run(edit())
    assert outcome.result is Result.DONE, outcome.reason
    lines = shop[1].lines
    assert lines[2] == {"id": 2, "order": 1, "product": 12, "text": "", "qty": 1, "note": "kept"}
    assert lines[7] == {"id": 7, "order": 1, "product": 16, "text": "New", "qty": 4}
    assert sorted(lines) == [1, 2, 4, 5, 6, 7]
    assert outcome.record is not None
    read_back = client.decode("order", outcome.record.payload).children["lines"]
    assert [line.id for line in read_back] == ["1", "2", "4", "5", "7"]
