"""Both connectors do what is asked of every system."""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager

import pytest

from talk_pipeline.installation import Connections
from talk_pipeline.settings import Settings
from talk_pipeline.systems.customwebshop.spec.description import REFERENCE
from talk_pipeline.systems.protocol import System
from talk_pipeline_tests.pipeline.records import product
from talk_pipeline_tests.systems.conformance import Subject, SystemConformance, identified
from talk_pipeline_tests.users import Api
from talk_pipeline_tests.world import World


class _Products:
    """Products on one side, as both sides have them."""

    flow = "product"

    def __init__(self, world: World, api: Api) -> None:
        self.world = world
        self._api = api

    def pages_of(self, size: int) -> None:
        self._api.control("limits", {"page_size": size})

    def loses_answer(self, *, done: bool) -> None:
        fault = {"drop": "after" if done else "before"}
        calls = [{"method": method, "path": self.entity} for method in ("POST", "PATCH", "PUT")]
        self._api.faults(*({"match": call, "fault": fault} for call in calls))

    def fails_reading_after(self, pages: int) -> None:
        match = {"method": "GET", "path": self.entity, "nth": pages + 1}
        self._api.faults({"match": match, "fault": {"status": 503}, "times": None})

    def let_time_pass(self) -> None:
        self.world.let_time_pass()

    entity: str


class ShopProducts(_Products):
    """`products` of the shop; its users work in the back office."""

    entity = "products"
    key = "sku"
    name = "name"

    def __init__(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__(world, world.shop)
        self._monkeypatch = monkeypatch

    def opened(self) -> AbstractAsyncContextManager[System]:
        return identified(Connections(Settings.load()).shop())

    def pages_of(self, size: int) -> None:
        """The description says how much is asked for, and the shop grants no more."""
        text = REFERENCE.read_text(encoding="utf-8")
        assert "size: 500" in text
        description = self.world.data.parent / "small_pages.yaml"
        description.write_text(text.replace("size: 500", f"size: {size}"), encoding="utf-8")
        self._monkeypatch.setenv("CUSTOMWEBSHOP_CONNECTOR", str(description))
        super().pages_of(size)

    def make(self, key: str) -> str:
        return str(self.world.shop.post("products", product(key))["id"])

    def edit(self, record_id: str, name: str) -> None:
        self.world.shop.patch("products", record_id, {"name": name})

    def delete(self, record_id: str) -> None:
        self.world.shop.delete("products", record_id)

    def names(self) -> dict[str, str]:
        rows = self.world.shop.all("products").values()
        return {row["sku"]: row["name"] for row in rows if not row.get("deleted_at")}

    def values(self, key: str) -> Mapping[str, str | None]:
        return {"sku": key, "name": f"named {key}", "price": "1.00", "currency": "DKK", "unit": "pcs"}


class CentralItems(_Products):
    """`items` of Business Central; its users work through the API."""

    entity = "items"
    key = "number"
    name = "displayName"

    def __init__(self, world: World) -> None:
        super().__init__(world, world.bc)

    def opened(self) -> AbstractAsyncContextManager[System]:
        return identified(Connections(Settings.load()).businesscentral())

    def make(self, key: str) -> str:
        return str(self.world.bc.post("items", {"number": key, "displayName": f"Product {key}"})["id"])

    def edit(self, record_id: str, name: str) -> None:
        self.world.bc.patch("items", record_id, {"displayName": name})

    def delete(self, record_id: str) -> None:
        self.world.bc.delete("items", record_id)

    def names(self) -> dict[str, str]:
        return {row["number"]: row["displayName"] for row in self.world.bc.all("items").values()}

    def values(self, key: str) -> Mapping[str, str | None]:
        return {"number": key, "displayName": f"named {key}"}


class TestCustomwebshop(SystemConformance):
    @pytest.fixture
    def subject(self, world: World, monkeypatch: pytest.MonkeyPatch) -> Subject:
        return ShopProducts(world, monkeypatch)


class TestBusinesscentral(SystemConformance):
    @pytest.fixture
    def subject(self, world: World) -> Subject:
        return CentralItems(world)
