"""`talk-pipeline explain` and `history`: one record, for a terminal and for scripts."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rich.console import Console

from talk_pipeline.cli.company import tell
from talk_pipeline.cli.tables import console, line, print_table, value
from talk_pipeline.declarations import flows_of
from talk_pipeline.engine.manual.lookup import Entity, find, named_flow
from talk_pipeline.engine.report.explain import explanation
from talk_pipeline.engine.report.history import history, whose
from talk_pipeline.engine.state.connection import Connection
from talk_pipeline.flows.loading import Flows
from talk_pipeline.flows.vocabulary import Flow
from talk_pipeline.settings import Settings
from talk_pipeline.states import known_state

LISTED_WRITES = 10
LISTED_RECORDS = 50
"""An order of a few thousand lines is megabytes of tables, and takes most of a minute to draw."""

Row = Mapping[str, Any]


def print_explanation(name: str, text: str, *, as_json: bool) -> None:
    """All that is known of one record."""
    document = _read(name, text, explanation)
    if as_json:
        tell(document)
    else:
        _print_explanation(console(), document)


def print_history(name: str, text: str, *, as_json: bool) -> None:
    """What happened to one record."""
    document = _read(name, text, lambda db, _flows, flow, entity: history(db, flow, entity))
    if as_json:
        tell(document)
    else:
        _print_history(console(), document)


def _read(
    name: str, text: str, asked: Callable[[Connection, Flows, Flow, Entity], dict[str, Any]]
) -> dict[str, Any]:
    settings = Settings.load()
    flows = flows_of(settings)
    flow = named_flow(flows, name)
    with known_state(settings).once() as db:
        return asked(db, flows, flow, find(db, flow, text))


def _print_explanation(out: Console, entity: Row) -> None:
    keys = ", ".join(f"{name} {value}" for name, value in entity["keys"].items() if value)
    line(out, f"{entity['flow']} {entity['shop_id'] or entity['bc_id']}" + (f" ({keys})" if keys else ""))
    line(out, f"state:  {entity['state']}" + (f": {entity['reason']}" if entity["reason"] else ""))
    line(out, f"next:   {entity['next_step']}")
    for remark in entity["remarks"]:
        line(out, f"note:   {remark}")
    line(out, f"link:   {_link(entity['link'])}")
    run = entity["last_run"]
    line(out, f"as of:  run {run['run_id']}, {_time(run['started_at'])}" if run else "as of:  no run yet")
    for row in entity["kept_apart"]:
        who = f"by {row['parted_by']}, {_time(row['parted_at'])}"
        line(out, f"apart:  {row['shop_id']} and {row['bc_id']} are never matched by rules ({who})")
    for row in entity["candidates"]:
        taken = f" (that of {row['linked']} is linked)" if row["linked"] else ""
        line(out, f"match:  {row['shop_id']} = {row['bc_id']} by {row['property']}?{taken}")
    _print_sides(out, entity["sides"])
    for part in entity["parts"]:
        records = part["records"]
        shown = records if len(records) <= LISTED_RECORDS else [one for one in records if not _in_step(one)]
        for record in shown:
            _print_properties(out, part["part"], record)
        if len(shown) < len(records):
            line(
                out,
                f"{part['part']}: {len(records) - len(shown)} more, in step on both sides: --json has all",
            )
    for one in entity["differences"]:
        _print_difference(out, one)
    _print_changes(out, "planned", entity["pending"])
    _print_changes(out, "withheld", entity["withheld"])
    _print_conflicts(out, entity["conflicts"])
    _print_refusals(out, entity["refusals"])
    _print_writes(out, entity["journal"])


def _in_step(record: Row) -> bool:
    properties = record["properties"]
    return bool(record["link"]) and not any(one["problem"] or one["agrees"] is False for one in properties)


def _link(link: Row | None) -> str:
    if link is None:
        return "none"
    if link["bc_id"] is None:
        return f"undone by {link['by']}, {_time(link['linked_at'])}"
    return f"{link['bc_id']}, {link['how']}, by {link['by']}, {_time(link['linked_at'])} ({link['state']})"


def _print_sides(out: Console, sides: Mapping[str, Row | None]) -> None:
    columns = ("modified_at", "edited_at", "fetched_at", "last_written_at", "read_at")
    titles = ("modified", "last edit", "fetched", "written by us", "system read")
    rows = [
        (
            side,
            row["id"] + (f" ({row['gone']})" if row["gone"] else ""),
            *(_time(row[name]) for name in columns),
        )
        for side, row in sides.items()
        if row
    ]
    print_table(out, None, ("system", "id", *titles), rows)


def _print_properties(out: Console, part: str, record: Row) -> None:
    ids = f"{record['shop_id'] or 'nothing'} = {record['bc_id'] or 'nothing'}"
    title = f"{part}: {ids}" + (f", {record['link']['how']}" if record["link"] else ", not linked")
    rows = [
        (
            row["property"],
            row["dir"],
            value(row["shop_value"]),
            value(row["bc_value"]),
            _base(row, "shop"),
            _base(row, "bc"),
            row["problem"] or {True: "", False: "differs", None: ""}[row["agrees"]],
        )
        for row in record["properties"]
    ]
    columns = ("property", "", "customwebshop", "businesscentral", "agreed, shop", "agreed, BC", "")
    print_table(out, title, columns, rows)


def _base(row: Row, side: str) -> str:
    """What a side held when the two last agreed; the same as now is not said again."""
    if row["agreed_at"] is None:
        return "never"
    return "same" if row[f"{side}_base"] == row[f"{side}_value"] else value(row[f"{side}_base"])


def _print_difference(out: Console, one: Row) -> None:
    """A number that is not what the record comes to, term by term."""
    title = f"{one['property']} is {one['shop_value']} in the shop; what the shop holds comes to {one['comes_to']}"
    rows = [(term["name"], term["reckoned"], term["comes_to"]) for term in one["terms"]]
    print_table(out, title, ("what", "how", "comes to"), [*rows, ("in all", "", one["comes_to"])])


def _print_changes(out: Console, title: str, rows: Sequence[Row]) -> None:
    before = [None, *(row["withheld"] for row in rows)]
    cells = [
        (row["target"], row["operation"], row["label"], value(row["before"]), value(row["after"]))
        + (("as above" if row["withheld"] == above else row["withheld"]) if row["withheld"] else row["rule"],)
        for row, above in zip(rows, before, strict=False)
    ]
    print_table(out, title, ("to", "operation", "property", "before", "after", "why"), cells)


def _print_conflicts(out: Console, conflicts: Row) -> None:
    rows = [
        (
            "",
            row["label"],
            value(row["shop_value"]),
            value(row["bc_value"]),
            "open" if row["decision"] is None else f"{row['decision']['winner']} wins with the next sync",
            f"decided by {row['decision']['decided_by']}" if row["decision"] else "",
        )
        for row in conflicts["open"]
    ]
    rows += [
        (
            _time(row["recorded_at"]),
            row["property"],
            value(row["shop_value"]),
            value(row["bc_value"]),
            f"{row['winner']} won by {row['rule']}",
            whose(row),
        )
        for row in conflicts["past"]
    ]
    columns = ("when", "property", "customwebshop", "businesscentral", "outcome", "known to")
    print_table(out, "conflicts", columns, rows)


def _print_refusals(out: Console, refusals: Sequence[Row]) -> None:
    rows = [
        (_time(row["refused_at"]), row["target"], ", ".join(row["properties"]), row["reason"])
        for row in refusals
    ]
    print_table(out, "refused, and not tried again", ("when", "by", "properties", "reason"), rows)


def _print_writes(out: Console, journal: Sequence[Row]) -> None:
    rows = [
        (
            _time(row["at"]),
            row["run_id"][:8],
            f"{row['operation']} {row['part']} in {row['target']}",
            "; ".join(_sent(record) for record in row["sent"]),
            row["outcome"] + (f": {row['reason']}" if row["reason"] else ""),
        )
        for row in journal[:LISTED_WRITES]
    ]
    print_table(out, "written, latest first", ("when", "run", "what", "sent", "outcome"), rows)
    if len(journal) > LISTED_WRITES:
        line(out, f"... and {len(journal) - LISTED_WRITES} more: talk-pipeline history")


def _print_history(out: Console, document: Row) -> None:
    line(out, f"{document['flow']} {document['shop_id'] or document['bc_id']}")
    rows = [
        (
            _time(event["at"]),
            event["event"],
            [event["text"], *map(_sent, event.get("sent", ()))],
            (event.get("run_id") or "")[:8],
        )
        for event in document["events"]
    ]
    print_table(out, None, ("when (UTC)", "event", "what", "run"), rows)


def _sent(record: Row) -> str:
    """What went out of one record: what changed with its former value, what went along by name only."""
    values = [
        f"{name} {value(one['after'])}"
        if record["operation"] == "create"
        else f"{name} {value(one['before'])} → {value(one['after'])}"
        for name, one in record["properties"].items()
        if one["rule"] != "send_with" and (record["operation"] != "create" or one["after"] is not None)
    ]
    along = [name for name, one in record["properties"].items() if one["rule"] == "send_with"]
    return ", ".join(values) + (f" (with {', '.join(along)})" if along else "")


def _time(text: str | None) -> str:
    return text.replace("T", " ").partition(".")[0] if text else ""
