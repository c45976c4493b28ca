"""Where the records of a table are shown in either system, as columns of it and as links to click on."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import dagster as dg

from talk_pipeline.dagster.asset_keys import SYSTEMS
from talk_pipeline.engine.report.numbers import numbers_of
from talk_pipeline.engine.state.connection import Connection
from talk_pipeline.flows.loading import Flows
from talk_pipeline.flows.properties import Side
from talk_pipeline.flows.record_pages import RecordPages

COLUMNS = {side: f"in {name}" for side, name in SYSTEMS.items()}


class Pair(NamedTuple):
    """A record and its counterpart, as far as there are both."""

    flow: str
    shop_id: str | None
    bc_id: str | None

    def id_on(self, side: Side) -> str | None:
        """Its id there."""
        return self.shop_id if side is Side.SHOP else self.bc_id


def page_columns(pages: RecordPages) -> tuple[str, ...]:
    """The columns of addresses, of the systems whose template is set."""
    return tuple(COLUMNS[side] for side in Side if side in pages.templates)


def pages_of(db: Connection, pages: RecordPages, flows: Flows, pairs: Sequence[Pair]) -> list[dict[str, str]]:
    """The addresses of each pair by column, empty where there is none."""
    if not pages:
        return [{} for _ in pairs]
    found: list[dict[str, str]] = [dict.fromkeys(page_columns(pages), "") for _ in pairs]
    for side in pages.templates:
        for name in dict.fromkeys(pair.flow for pair in pairs):
            ids = {one for pair in pairs if pair.flow == name and (one := pair.id_on(side))}
            numbers = numbers_of(db, flows[name], side, ids) if pages.need(side, "number") else {}
            entity = flows[name].entity(side).entity
            for pair, columns in zip(pairs, found, strict=True):
                one = pair.id_on(side)
                if pair.flow == name and one:
                    address = pages.address(side, entity=entity, record_id=one, number=numbers.get(one))
                    columns[COLUMNS[side]] = address or ""
    return found


def links_to(
    rows: Iterable[Mapping[str, Any]], pages: RecordPages, *, called: Sequence[str]
) -> dict[str, dg.MetadataValue[Any]]:
    """The addresses to click on, since the cells of a table are plain text; nothing where no template is set.

    Args:
        rows: of a table with the columns of addresses.
        pages: the templates.
        called: the columns that tell which record it is.
    """
    if not pages:
        return {}
    lines: dict[str, None] = {}
    for row in rows:
        there = [f"[{name}](<{row[name]}>)" for name in page_columns(pages) if row.get(name)]
        if there:
            name = " ".join(str(row[one]) for one in called if row.get(one))
            lines[f"* {_plain(name)}: {', '.join(there)}"] = None
    return {"open in": dg.MetadataValue.md("\n".join(lines) or "none of them has a page")}


def _plain(text: str) -> str:
    """What a record is called must not become a link or a heading."""
    return "".join(f"\\{one}" if one in "\\`*_[]<>#|!" else one for one in " ".join(text.split()))
