"""The shop beneath every wire shape: its records, their rules, its events, and the page size it grants."""

from __future__ import annotations

import re
from collections.abc import Mapping

from talk_pipeline.sandbox.clock import Clock
from talk_pipeline.sandbox.customwebshop.documents import Documents
from talk_pipeline.sandbox.customwebshop.entities import Entities
from talk_pipeline.sandbox.customwebshop.fields import DOCUMENTS, LINE, RESOURCES
from talk_pipeline.sandbox.customwebshop.further import FURTHER
from talk_pipeline.sandbox.customwebshop.orders import Orders
from talk_pipeline.sandbox.customwebshop.webhooks import Webhooks
from talk_pipeline.sandbox.limits import Budgets
from talk_pipeline.sandbox.settings import Settings
from talk_pipeline.sandbox.store import Row, Store

_KIND = re.compile(r"^\D+-(?=\d)")


class Shop:
    """What every profile speaks about.

    Args:
        store: where the records live.
        clock: the time the shop believes it is.
        settings: the alternatives in force.
        numeric_ids: whether ids are numbers without a letter before them.
        quiet: fields whose change moves no modified time.
        documents: whether it keeps shipments, invoices and refunds beside its orders.

    Attributes:
        budgets: the limits in force, set once the gateway is there.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        *,
        settings: Settings,
        numeric_ids: bool = False,
        quiet: frozenset[str] = frozenset(),
        documents: bool = False,
    ) -> None:
        self.store = store
        self.clock = clock
        self.settings = settings
        self.numeric_ids = numeric_ids
        self.budgets: Budgets | None = None
        self.entities: dict[str, Entities] = {
            name: kind(name, store=store, clock=clock, numeric_ids=numeric_ids, quiet=quiet)
            for name, kind in (
                *((name, Orders if name == "orders" else Entities) for name in RESOURCES),
                *(
                    (name, Documents if "lines" in DOCUMENTS[name] else Entities)
                    for name in DOCUMENTS
                    if documents
                ),
                *((name, Entities) for name in FURTHER if documents),
            )
        }
        for entities in self.entities.values():
            entities.others = self.entities
        self.webhooks = Webhooks(store, clock, settings)

    def page_size(self, most: int) -> int:
        """How many records a page holds at most."""
        return (self.budgets.limits.page_size if self.budgets else 0) or most

    def own(self, name: str, raw: Mapping[str, object]) -> Row:
        """A record of the seed with its id, and all ids it refers to, in the form this shop gives out."""
        if not self.numeric_ids:
            return dict(raw)
        row = _renamed(raw, {"id", *(key for key, field in RESOURCES[name].items() if field.refers_to)})
        if isinstance(raw.get("lines"), list):
            refers = {"id", *(key for key, field in LINE.items() if field.refers_to)}
            row["lines"] = [_renamed(line, refers) for line in row["lines"]]
        return row


def _renamed(raw: Mapping[str, object], names: set[str]) -> Row:
    return {
        name: _KIND.sub("", value) if name in names and isinstance(value, str) else value
        for name, value in raw.items()
    }
