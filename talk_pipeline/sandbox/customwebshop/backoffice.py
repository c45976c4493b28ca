"""The shop's side of ``/_sandbox``: what both servers have, and the stock.

======  =============================  ========================================================================
method  path                           JSON
======  =============================  ========================================================================
POST    ``/items/{id}/stock``          ``{"quantity": "12"}``: a product's stock, by id or SKU; moves its
                                       ``updated_at`` as any edit in the shop does
======  =============================  ========================================================================

``/records/{set}`` takes ``customers``, ``products`` and ``orders``; what stands in ``values``, and what
comes back, are the fields of `fields`, whatever the wire shape; ``{id}`` is the id as the API shows it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from talk_pipeline.sandbox.control import Refused, answer, body_of, control_app, guarded
from talk_pipeline.sandbox.customwebshop.app import Customwebshop
from talk_pipeline.sandbox.customwebshop.desk import ShopDesk
from talk_pipeline.sandbox.customwebshop.entities import Entities
from talk_pipeline.sandbox.customwebshop.errors import ShopError
from talk_pipeline.sandbox.customwebshop.fields import read_instant
from talk_pipeline.sandbox.pages.site import page_routes
from talk_pipeline.sandbox.seed import Seeds
from talk_pipeline.sandbox.store import Row


class BackOffice:
    """The control side of the shop server."""

    def __init__(self, service: Customwebshop, seeds: Seeds) -> None:
        self._service = service
        self._shop = service.shop
        self._seeds = seeds
        self.settings = service.shop.settings
        routes = [
            Route("/_sandbox/items/{key}/stock", guarded(self._stock), methods=["POST"]),
            *page_routes(ShopDesk(service.shop, self)),
        ]
        service.gateway.control = control_app(service.gateway, self, extra=routes)

    def reset(self, *, size: int | None, seed: int | None, empty: bool) -> None:
        """Put the records back."""
        records = {} if empty else self._seeds.shop(size=size, seed=seed)
        with self._shop.store.transaction():
            self._shop.store.clear("shop/")
            for name, entities in self._shop.entities.items():
                for raw in records.get(name, ()):
                    _sow(entities, self._shop.own(name, raw))
            self._service.remember_profile()

    def backup(self) -> Any:
        """All records and counters."""
        return self._shop.store.copy("shop/")

    def restore(self, copy: Any) -> None:
        """Put them back."""
        with self._shop.store.transaction():
            self._shop.store.put_back("shop/", copy)

    def back_office(
        self, verb: str, collection: str, *, key: str, values: Mapping[str, Any], seconds_ago: float
    ) -> Mapping[str, Any]:
        """Create, update or delete a record, as of some seconds ago."""
        entities = self._set(collection)
        entities.moment = self._shop.clock.now_ms() - int(seconds_ago * 1000)
        try:
            with self._shop.store.transaction():
                if verb == "create":
                    return entities.show(entities.create(values)[0])
                row = self._row(entities, key)
                if verb == "delete":
                    entities.delete(row)
                    return {"deleted": row["id"]}
                return entities.show(entities.patch(row, values)[0])
        except ShopError as error:
            raise Refused(f"{error.code}: {error.message}", status=409) from error
        finally:
            entities.moment = None

    def records(self, collection: str) -> list[Mapping[str, Any]]:
        """All records of a set, deleted ones too."""
        entities = self._set(collection)
        return [entities.show(row) for row in entities.table.in_order()]

    def record(self, collection: str, key: str) -> Mapping[str, Any]:
        """One record, even if it is deleted."""
        entities = self._set(collection)
        return entities.show(self._row(entities, key))

    async def _stock(self, request: Request) -> Response:
        products = self._shop.entities["products"]
        row = self._row(products, request.path_params["key"])
        quantity = (await body_of(request)).get("quantity", 0)
        try:
            with self._shop.store.transaction():
                row, _ = products.patch(row, {"stock": quantity})
        except ShopError as error:
            raise Refused(error.message) from error
        return answer({"id": row["id"], "stock": row["stock"]})

    def _set(self, collection: str) -> Entities:
        entities = self._shop.entities.get(collection)
        if entities is None:
            raise Refused(f"there is no set {collection}", status=404)
        return entities

    def _row(self, entities: Entities, key: str) -> Row:
        row = entities.table.get(key) or entities.table.first(entities.unique, key)
        if row is None:
            raise Refused(f"{entities.name} has no record {key}", status=404)
        return row


def _sow(entities: Entities, raw: Mapping[str, Any]) -> None:
    """Create a record of the seed under its own id and time."""
    document = {name: value for name, value in raw.items() if not name.startswith("_") and name != "id"}
    entities.moment = read_instant(str(raw["_modified"]))
    try:
        row, _ = entities.create(document, key=raw["id"])
        if raw.get("_deleted"):
            entities.delete(row)
    finally:
        entities.moment = None
