"""Where the records of a table are shown in either system, as links to click on.

They stand beside the table: its cells are plain text, and addresses would take the room of what it tells.
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import dagster as dg

from talk_pipeline.engine.report.numbers import numbers_of
from talk_pipeline.engine.state.connection import Connection
from talk_pipeline.flows.loading import Flows
from talk_pipeline.flows.record_pages import RecordPages
from talk_pipeline.flows.sides import Side


class Pair(NamedTuple):
    """A record and its counterpart, as far as there are both."""

    flow: str
    shop_id: str | None
    bc_id: str | None

    def id_on(self, side: Side) -> str | None:
        """Its id there."""
        return self.shop_id if side is Side.SHOP else self.bc_id


def links_to(
    db: Connection, pages: RecordPages, flows: Flows, pairs: Sequence[Pair], *, called: Iterable[str]
) -> dict[str, dg.MetadataValue[Any]]:
    """The pages of these records, to click on; nothing where no template is set.

    Args:
        db: the state.
        pages: the templates.
        flows: all flows.
        pairs: the records of a table.
        called: what each is called.
    """
    if not pages:
        return {}
    lines: dict[str, None] = {}
    for name, addresses in zip(called, _addresses(db, pages, flows, pairs), strict=True):
        if addresses:
            there = ", ".join(f"[in {side.system}](<{address}>)" for side, address in addresses.items())
            lines[f"* {_plain(name)}: {there}"] = None
    return {"open in": dg.MetadataValue.md("\n".join(lines) or "none of them has a page")}


def _addresses(
    db: Connection, pages: RecordPages, flows: Flows, pairs: Sequence[Pair]
) -> list[dict[Side, str]]:
    found: list[dict[Side, str]] = [{} for _ in pairs]
    for side in pages.templates:
        for name in dict.fromkeys(pair.flow for pair in pairs):
            ids = {one for pair in pairs if pair.flow == name and (one := pair.id_on(side))}
            numbers = numbers_of(db, flows[name], side, ids) if pages.need(side, "number") else {}
            entity = flows[name].entity(side).entity
            for pair, there in zip(pairs, found, strict=True):
                one = pair.id_on(side)
                if pair.flow == name and one:
                    address = pages.address(side, entity=entity, record_id=one, number=numbers.get(one))
                    if address:
                        there[side] = address
    return found


def _plain(text: str) -> str:
    """What a record is called must not become a link or a heading."""
    return "".join(f"\\{one}" if one in "\\`*_[]<>#|!" else one for one in " ".join(text.split()))
