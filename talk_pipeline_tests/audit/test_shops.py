"""The audit reads shops by their descriptions."""

import base64
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from talk_pipeline.audit.audit import audit
from talk_pipeline.audit.wire import Connection
from talk_pipeline.settings import Settings
from talk_pipeline.systems.customwebshop.spec.description import REFERENCE, Description, Entity
from talk_pipeline.systems.customwebshop.spec.fields import Field
from talk_pipeline.systems.customwebshop.spec.lines import Lines
from talk_pipeline_tests.pipeline.records import product
from talk_pipeline_tests.world import World, opened_world

# of these it takes nothing for what it is not
READ = (
    "path id item paging query records element record summaries times time_zone modified deleted children fields"
    " lacks name base_path headers auth limits entities version updated_since latest compare_minutes create update"
    " delete read_only bodies texts blank idempotency_header dry_run error webhooks search url write parent"
    " untouched remove single constants before after abandon writes type format currency values case join separator"
    " const template prefix per percent_off factor decimal parts list read xml where empty unwritten created"
    " included emptied"
)
OF_A_DATABASE = {"database", "select", "stamps", "table"}
OF_FILES = {"files", "take", "may_be_empty", "columns", "file"}
"""Such shops are refused whole."""


@pytest.mark.parametrize("shop", ["bare", "cents", "enveloped", "liar", "woocommerce"])
def test_a_shop_is_read_as_it_is_described(tmp_path: Path, instance: dg.DagsterInstance, shop: str) -> None:
    with opened_world(tmp_path, empty=False, size=3, instance=instance, profile=shop) as world:
        assert not world.pass_over(full=True)
        judged = audit(Settings.load())
        assert not [finding for one in judged for finding in one.unexplained]
        assert all(one.counts["agree"] for one in judged)
        order = max(world.shop.all("orders").values(), key=lambda row: len(row["lines"]))
        lines = [{**line, "description": "Planted"} for line in order["lines"]]
        planted = {"email": "planted@example.com", "lines": lines}
        world.shop.back_office("PATCH", f"orders/{order['id']}", planted, ago=10 * 365 * 86_400)
        named = {(one.part, one.property) for one in audit(Settings.load(), ("order",))[0].unexplained}
        assert {("order", "email"), ("order.lines", "description")} <= named


def test_a_number_that_is_told_a_hundred_times_smaller_is_read(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told, active = REFERENCE.read_text(encoding="utf-8"), "price_includes_tax: {type: bool}}"
    assert told.count(active) == 1
    smaller = told.replace(active, "price: {factor: 100}, " + active)
    (tmp_path / "smaller.yaml").write_text(smaller, encoding="utf-8")
    monkeypatch.setenv("CUSTOMWEBSHOP_CONNECTOR", str(tmp_path / "smaller.yaml"))
    key = world.shop.post("products", product("P", price="1.25"))["id"]
    assert not world.pass_over("product")
    assert world.bc.get("items", world.counterpart("product", key))["unitPrice"] == 125
    judged = audit(Settings.load(), ("product",))
    assert not [finding for one in judged for finding in one.unexplained]


def test_every_key_of_a_description_is_read() -> None:
    known = {key for model in (Description, Entity, Lines, Field) for key in model.model_fields}
    assert known - OF_A_DATABASE - OF_FILES == set(READ.split())


def test_a_shop_whose_user_is_a_key_is_entered_without_a_password() -> None:
    entered: list[str | None] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            entered.append(self.headers["Authorization"])
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"[]")

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing is told."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        said = {"auth": {"type": "basic", "user": "CUSTOMWEBSHOP_KEY"}, "paging": {"style": "none"}}
        shop = Connection(
            f"http://127.0.0.1:{server.server_port}", said, {"CUSTOMWEBSHOP_KEY": "a-key"}.__getitem__
        )
        assert not [*shop.pages("/orders", said, {})]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert entered == [f"Basic {base64.b64encode(b'a-key:').decode()}"]
