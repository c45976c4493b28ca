"""A shop that checks writes without carrying them out: `check-config` tries one, and changes nothing."""

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from talk_pipeline.cli.configuration import check_configuration
from talk_pipeline_tests.world import World

RECORDS: dict[str, dict[str, Any]] = {
    "customers": {
        "id": 1,
        "number": "C1",
        "company_name": "Company",
        "email": "a@company.example",
        "active": True,
    },
    "products": {"id": 1, "sku": "P1", "name": "Product", "active": True, "price_includes_tax": False},
    "orders": {"id": 1, "number": "O1", "customer_id": "1", "prices_include_tax": False, "lines": []},
}
CONNECTOR = """
name: Careful
auth: {type: none}
update: {method: POST}
dry_run: {query: {validate_only: true}}
error: {code: code, message: message}
entities:
  customers: {path: /customers, fields: {active: {type: bool}}}
  products: {path: /products, fields: {active: {type: bool}, price_includes_tax: {type: bool}}}
  orders: {path: /orders, fields: {prices_include_tax: {type: bool}}, children: {lines: {path: lines}}}
"""


class Shop(BaseHTTPRequestHandler):
    """Answers with its three records, and takes writes that are only checked."""

    refuses = False
    one_at_a_time = False
    asked: list[str]
    busy = threading.Lock()

    def do_GET(self) -> None:
        path, _, _ = self.path.partition("?")
        name, *key = path.strip("/").split("/")
        self._answer(200, RECORDS[name] if key else [RECORDS[name]])

    def do_POST(self) -> None:
        self.asked.append(self.path)
        self.rfile.read(int(self.headers["Content-Length"]))
        name = self.path.strip("/").split("/")[0]
        if self.refuses:
            self._answer(422, {"code": "invalid", "message": "no writes on Sundays"})
        elif not self.one_at_a_time:
            self._answer(200, RECORDS[name])
        elif self.busy.acquire(blocking=False):
            try:
                time.sleep(0.2)
                self._answer(200, RECORDS[name])
            finally:
                self.busy.release()
        else:
            self._answer(500, {"code": "deadlock", "message": "somebody else is writing"})

    def _answer(self, status: int, document: Any) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing is told."""


@pytest.fixture
def shop(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Shop]]:
    file = tmp_path / "careful.yaml"
    file.write_text(CONNECTOR)
    handler = type("Handler", (Shop,), {"asked": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    monkeypatch.setenv("CUSTOMWEBSHOP_URL", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("CUSTOMWEBSHOP_CONNECTOR", str(file))
    yield handler
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_dry_write_is_tried(shop: type[Shop], capsys: pytest.CaptureFixture[str]) -> None:
    assert check_configuration() == 0
    assert "a write of company_name was checked" in capsys.readouterr().out
    assert shop.asked
    assert all(path.endswith("?validate_only=true") for path in shop.asked)


def test_a_dry_write_that_is_refused_is_told(
    shop: type[Shop], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(shop, "refuses", True)
    assert check_configuration() == 2
    told = capsys.readouterr().out
    assert "careful.yaml:5: dry_run: customers: " in told
    assert "no writes on Sundays" in told


@pytest.mark.parametrize(("in_flight", "status"), [(8, 2), (1, 0)])
def test_a_shop_that_takes_one_write_at_a_time_is_told(
    shop: type[Shop],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    in_flight: int,
    status: int,
) -> None:
    monkeypatch.setattr(shop, "one_at_a_time", True)
    file = tmp_path / "careful.yaml"
    file.write_text(CONNECTOR.replace("entities:", f"limits: {{in_flight: {in_flight}}}\nentities:"))
    assert check_configuration() == status
    told = capsys.readouterr().out
    assert ("careful.yaml:7: limits.in_flight: " in told) == (status == 2)
    assert ("say in_flight: 1" in told) == (status == 2)
