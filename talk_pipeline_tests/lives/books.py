"""What both systems hold of orders and their documents, as their own people see it; looked at once a round."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from talk_pipeline_tests.invariants.office import Office
from talk_pipeline_tests.world import World

Row = dict[str, Any]


class Books:
    """Both back offices.

    Attributes:
        shop: the shop's.
        bc: Business Central's.
        orders: of Business Central, by the number of the shop.
        invoices: the same; shipments and memos too.
        lines: those of items by the kind of document, and by the document; `charges` are the others.
    """

    def __init__(self, world: World) -> None:
        roots = (urlsplit(world.environment[name]) for name in ("CUSTOMWEBSHOP_URL", "BUSINESSCENTRAL_URL"))
        self.shop, self.bc = (Office(f"{root.scheme}://{root.netloc}") for root in roots)
        self.look()

    def look(self) -> None:
        """Everything anew."""
        self.placed = {row["number"]: row for row in self.shop.all("orders")}
        names = {row["id"]: row["number"] for row in self.placed.values()}
        self.told = {
            kind: _by((names[row["order_id"]], row) for row in self.shop.all(kind))
            for kind in ("shipments", "invoices", "refunds")
        }
        self.orders = _by((row["externalDocumentNumber"], row) for row in self.bc.all("salesOrders"))
        self.invoices = _by((row["externalDocumentNumber"], row) for row in self.bc.all("salesInvoices"))
        self.shipments = _by((row["externalDocumentNumber"], row) for row in self.bc.all("salesShipments"))
        self.memos = _by((row["externalDocumentNumber"], row) for row in self.bc.all("salesCreditMemos"))
        kinds = ("salesOrderLines", "salesInvoiceLines", "salesShipmentLines", "salesCreditMemoLines")
        rows = {kind: self.bc.all(kind) for kind in kinds}
        self.lines, self.charges = (
            {
                kind: _by(
                    (row["documentId"], row) for row in found if (row["lineType"] == "Item") is of_items
                )
                for kind, found in rows.items()
            }
            for of_items in (True, False)
        )

    def close(self) -> None:
        """Both doors."""
        self.shop.close()
        self.bc.close()


def _by(pairs: Iterable[tuple[str, Row]]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = defaultdict(list)
    for key, row in pairs:
        found[key].append(row)
    return found
