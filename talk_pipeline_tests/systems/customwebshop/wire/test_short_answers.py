"""A shop whose answers show less than the record: what one leaves out is never taken for blank."""

import asyncio
import json
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from talk_pipeline.engine.model import Outcome, Result, Write
from talk_pipeline.systems.customwebshop.wire.client import Customwebshop
from talk_pipeline.systems.customwebshop.wire.evidence import Probe
from talk_pipeline.systems.customwebshop.wire.fitting import load_description
from talk_pipeline.systems.customwebshop.wire.probing import probe
from talk_pipeline.systems.http import Http, Limits
from talk_pipeline_tests.flow_files import flows_in

CONNECTOR = """
name: Terse
auth: {type: none}
entities:
  customers: {path: /customers}
  products: {path: /products}
  orders: {path: /orders}
"""
FULL = {"id": "1", "number": "C1", "company_name": "Company", "email": "a@company.example", "active": "true"}


class Shop(BaseHTTPRequestHandler):
    """Keeps customers; a write is answered with what `shows`, one record by itself with what `by_itself`."""

    records: dict[str, dict[str, Any]]
    shows: tuple[str, ...] = ("id", "number")
    by_itself: tuple[str, ...] = tuple(FULL)
    reads = 0

    def do_GET(self) -> None:
        key = self.path.strip("/").split("/")[1:]
        if key:
            type(self).reads += 1
            self._answer({name: self.records[key[0]].get(name) for name in self.by_itself})
        else:
            self._answer([*self.records.values()])

    def do_PATCH(self) -> None:
        self._write(self.path.rpartition("/")[2])

    def do_POST(self) -> None:
        self._write("2")

    def _write(self, key: str) -> None:
        said = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.records[key] = {**self.records.get(key, {"id": key}), **said}
        self._answer({name: self.records[key].get(name) for name in self.shows})

    def _answer(self, document: Any) -> None:
        body = json.dumps(document).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing is told."""


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[tuple[Customwebshop, type[Shop]]]:
    handler = type("Handler", (Shop,), {"records": {"1": dict(FULL)}})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    file = tmp_path / "terse.yaml"
    file.write_text(CONNECTOR)
    flows = flows_in()
    limits = Limits(1000, 1, 4, tmp_path / "limits")
    address = f"http://127.0.0.1:{server.server_port}"
    http = Http("Terse", address, limits=limits, longest_seconds=0)
    yield Customwebshop(http, flows, description=load_description(file, flows=flows)), handler
    server.shutdown()
    thread.join()
    server.server_close()


def written(
    client: Customwebshop, key: str | None, values: Mapping[str, str]
) -> tuple[Outcome, Mapping[str, Any]]:
    async def write() -> Outcome:
        async with client:
            current = json.dumps(FULL) if key else None
            operation: Any = "update" if key else "create"
            one = Write("customers", operation, key, None, values, "key", current=current)
            return (await client.write("customer", [one]))[0]

    outcome = asyncio.run(write())
    assert outcome.result is Result.DONE, outcome.reason
    assert outcome.record is not None
    return outcome, client.decode("customer", outcome.record.payload).values


def test_an_answer_that_leaves_something_out_is_not_the_record(
    shop: tuple[Customwebshop, type[Shop]],
) -> None:
    _, values = written(shop[0], "1", {"company_name": "New"})
    assert values["company_name"] == "New"
    assert values["email"] == "a@company.example"


def test_nor_is_that_of_a_create(shop: tuple[Customwebshop, type[Shop]]) -> None:
    _, values = written(shop[0], None, {"number": "C2", "email": "b@company.example"})
    assert values["email"] == "b@company.example"


def test_an_answer_with_all_of_it_spares_a_read(shop: tuple[Customwebshop, type[Shop]]) -> None:
    shop[1].shows = tuple(FULL)
    _, values = written(shop[0], "1", {"company_name": "New"})
    assert values["company_name"] == "New"
    assert shop[1].reads == 1  # before the write, since this shop has no versions


def test_the_check_tells_what_only_the_list_shows(
    shop: tuple[Customwebshop, type[Shop]], tmp_path: Path
) -> None:
    client, handler = shop
    handler.by_itself = ("id", "number", "company_name")
    flows = flows_in()
    description = load_description(tmp_path / "terse.yaml", flows=flows)

    async def probes() -> list[Probe]:
        async with client:
            return [one async for one in probe(client, flows["customer"], description)]

    found = [one for one in asyncio.run(probes()) if one.level == "problem"]
    assert [one.at for one in found] == [("entities", "customers", "item")]
    assert "does not show email, active, which the list does" in found[0].message
