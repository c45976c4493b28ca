"""Who the story is about: records of its own in a shop full of others, linked before it begins."""

from typing import Any

from talk_pipeline_tests.outcome import Run
from talk_pipeline_tests.pipeline.records import customer, line, order, product
from talk_pipeline_tests.world import World

Row = dict[str, Any]

CUSTOMERS = ("S-ADA", "S-BO", "S-CAI", "S-DAN", "S-EVA", "S-FIE", "S-GUS", "S-HAL", "S-IDA", "S-JON")
PRODUCTS = ("S-AXE", "S-BOX", "S-CUP", "S-DYE", "S-EGG", "S-FAN", "S-GUM")
ORDERS = ("S-1", "S-2", "S-3", "S-4", "S-5", "S-6", "S-7", "S-8")
_RESOURCE = {"customer": "customers", "product": "products", "order": "orders"}
_ENTITY = {"customer": "customers", "product": "items", "order": "salesOrders"}


class Cast:
    """The records by their keys."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.run: Run | None = None
        self.undo: str | None = None
        shop = world.shop
        self.ids: dict[str, str] = {}
        for key in CUSTOMERS:
            self.ids[key] = shop.post("customers", customer(key))["id"]
        for key in PRODUCTS:
            self.ids[key] = shop.post("products", product(key))["id"]
        for at, key in enumerate(ORDERS):
            lines = [line(self.ids["S-AXE"]), line(self.ids["S-BOX"], "5", "20.00")]
            buyer = self.ids[CUSTOMERS[at % 3]]
            self.ids[key] = shop.post("orders", order(key, buyer, lines))["id"]

    def flow(self, key: str) -> str:
        """Which flow a key belongs to."""
        return "customer" if key in CUSTOMERS else "product" if key in PRODUCTS else "order"

    def shop(self, key: str) -> Row:
        """The record in the shop."""
        return self.world.shop.get(_RESOURCE[self.flow(key)], self.ids[key])

    def edit(self, key: str, **values: Any) -> None:
        """A user of the shop changes it."""
        self.world.shop.patch(_RESOURCE[self.flow(key)], self.ids[key], values)

    def edit_line(self, key: str, at: int, **values: Any) -> None:
        """A user of the shop changes one line."""
        rows: list[Row] = [{"id": row["id"]} for row in self.shop(key)["lines"]]
        rows[at] |= values
        self.edit(key, lines=rows)

    def bc_id(self, key: str) -> str:
        """Its id in Business Central, found by its key there."""
        field = {"customer": "number", "product": "number", "order": "externalDocumentNumber"}[self.flow(key)]
        rows = self.world.bc.all(_ENTITY[self.flow(key)], f"?$filter={field} eq '{key}'")
        assert len(rows) == 1, f"{key} is there {len(rows)} times"
        return next(iter(rows))

    def bc(self, key: str) -> Row:
        """The record in Business Central, lines in their order."""
        row = self.world.bc.get(_ENTITY[self.flow(key)], self.bc_id(key))
        if "salesOrderLines" in row:
            row["salesOrderLines"].sort(key=lambda one: one["sequence"])
        return row

    def edit_bc(self, key: str, **values: Any) -> None:
        """A user of Business Central changes it."""
        self.world.bc.patch(_ENTITY[self.flow(key)], self.bc_id(key), values)

    def edit_bc_line(self, key: str, at: int, **values: Any) -> None:
        """A user of Business Central changes one line."""
        self.world.bc.patch("salesOrderLines", self.bc(key)["salesOrderLines"][at]["id"], values)

    def act(self, key: str, verb: str) -> None:
        """A user of Business Central releases, ships or invoices an order."""
        self.world.bc.control(f"sales-orders/{self.bc_id(key)}/{verb}")

    def undo_last_run(self) -> None:
        """The next run undoes the last one."""
        assert self.run is not None
        self.undo = self.run.run_id

    def state(self, key: str) -> str:
        """What the pipeline says of the shop's record: its state, and the reason."""
        found = self.world.state(self.flow(key), self.ids[key])
        return f"{found[0]}: {found[1]}" if found else "active"
