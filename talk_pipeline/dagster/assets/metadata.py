"""What assets show of themselves: tables a person can read, numbers that plot over time, columns and lineage."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import dagster as dg

from talk_pipeline.dagster.asset_keys import raw_key
from talk_pipeline.engine.report.agreement import LISTED_ROWS
from talk_pipeline.engine.report.stops import Stop
from talk_pipeline.flows.properties import Property
from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.vocabulary import Flow

_SNAPSHOT_COLUMNS = {
    "id": "The system's id of the record",
    "version": "ETag of the record as last seen",
    "modified_at": "When the system says it was modified",
    "fetched_at": "When we read it",
    "gone": "Why it is no longer there, if it is not",
    "payload": "The JSON as received",
}


def table(rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> dg.TableMetadataValue:
    """Rows as a table; the schema is given, since an empty table must show its columns too."""
    records = [
        dg.TableRecord({name: _cell(row.get(name)) for name in columns})
        for _, row in zip(range(LISTED_ROWS), rows, strict=False)
    ]
    return dg.MetadataValue.table(
        records, schema=dg.TableSchema([dg.TableColumn(name, "text") for name in columns])
    )


def stop_metadata(stop: Stop) -> dict[str, dg.MetadataValue[Any]]:
    """What a run that the circuit breaker stopped shows of it."""
    ways = "\n".join(f"* {way.what}: `{way.how}`" for way in stop.ways)
    extent = f"{len(stop.largest)} of {stop.total}"
    columns = list(stop.largest[0]) if stop.largest else []
    return {
        "what happened": dg.MetadataValue.text(stop.headline),
        "largest changes": table(stop.largest, columns),
        "changes shown": dg.MetadataValue.text(extent),
        "how to go on": dg.MetadataValue.md(ways),
    }


def _cell(value: Any) -> str:
    return "" if value is None else str(value)


def snapshot_schema(flow: Flow, side: Side) -> dg.TableSchema:
    """The columns of a snapshot, and below the payload what the flow reads in it."""
    columns = [dg.TableColumn(name, "text", description=text) for name, text in _SNAPSHOT_COLUMNS.items()]
    for part in flow.parts:
        prefix = f"{part.paths[side]}[]." if part.parent else ""
        columns += [
            dg.TableColumn(f"{prefix}{path}", "text", description="in the payload")
            for path in flow.fields(part, side)
        ]
    return dg.TableSchema(columns)


def property_columns(flow: Flow) -> dg.TableSchema:
    """One column a mapped property."""
    return dg.TableSchema(
        [
            dg.TableColumn(_name(part.name, flow, prop.name), prop.type, description=_row(prop))
            for part in flow.parts
            for prop in part.properties
        ]
    )


def property_lineage(flow: Flow) -> dg.TableColumnLineage:
    """Which columns of the two snapshots each property comes from."""
    deps: dict[str, list[dg.TableColumnDep]] = {}
    for part in flow.parts:
        for prop in part.properties:
            deps[_name(part.name, flow, prop.name)] = [
                dg.TableColumnDep(
                    raw_key(flow, side), f"{part.paths[side]}[].{path}" if part.parent else path
                )
                for side in Side
                for path in prop.paths(side)
            ]
    return dg.TableColumnLineage(deps)


def property_table(flow: Flow) -> str:
    """The flow's property table as Markdown: the contract."""
    lines = ["| Customwebshop | | Business Central | type |", "|---|---|---|---|"]
    for part in flow.parts:
        prefix = f"{part.name.removeprefix(flow.name).lstrip('.')}: " if part.parent else ""
        for prop in part.properties:
            arrow = prop.dir.replace("<->", "↔").replace("->", "→").replace("<-", "←")
            only = ", on create only" if prop.only else ""
            shop = (prop.shop or "(constant)").replace("|", "or")
            lines.append(f"| {prefix}{shop} | {arrow} | {prop.bc} | {prop.type}{only} |")
    return "\n".join(lines)


def _name(part: str, flow: Flow, prop: str) -> str:
    return ".".join(filter(None, (part.removeprefix(flow.name).lstrip("."), prop)))


def _row(prop: Property) -> str:
    return f"{prop.shop or 'constant'} {prop.dir} {prop.bc}"
