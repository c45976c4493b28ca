"""States that an earlier version kept: records lack what their kind has been given since."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from talk_pipeline.sandbox.server import Sandbox
from talk_pipeline_tests.sandbox.clients import CentralClient, ShopClient

SINCE = {"shippingAgentCode", "packageTrackingNumber", "carrier", "tracking_number", "location", "fees"}


def test_a_record_of_an_earlier_version_has_the_defaults_of_what_came_since(tmp_path: Path) -> None:
    state = tmp_path / "state.sqlite"
    with Sandbox(state=state, size=2, seed=3) as first:
        central, shop = CentralClient(first), ShopClient(first)
        central.back_office(central.order_of(), "ship")
        placed = shop.order({"product_id": shop.product()["id"], "quantity": "1", "unit_price": "2"})
        told = shop.create("shipments", order_id=placed["id"])
        placed = shop.get(f"orders/{placed['id']}")
        central.close()
        shop.close()
    forget(state, SINCE)
    with Sandbox(state=state) as second:
        central, shop = CentralClient(second), ShopClient(second)
        shipped = central.control("GET", "/records/postedSalesShipments")["records"]
        assert {(row["shippingAgentCode"], row["packageTrackingNumber"]) for row in shipped} == {("", "")}
        assert shop.get(f"shipments/{told['id']}") == told
        assert shop.get(f"orders/{placed['id']}") == placed
        assert shop.patch(f"orders/{placed['id']}", fees=[{"amount": "5"}])["total_excl_tax"] == "7.00"
        central.close()
        shop.close()


def forget(state: Path, names: set[str]) -> None:
    """The state as it would be had there never been such values."""
    with closing(sqlite3.connect(state)) as db, db:
        for place, key, body in db.execute("SELECT place, id, body FROM record").fetchall():
            left = json.dumps(_without(json.loads(body), names)).encode()
            db.execute("UPDATE record SET body = ? WHERE place = ? AND id = ?", [left, place, key])


def _without(value: Any, names: set[str]) -> Any:
    if isinstance(value, list):
        return [_without(one, names) for one in value]
    if isinstance(value, dict):
        return {name: _without(one, names) for name, one in value.items() if name not in names}
    return value
