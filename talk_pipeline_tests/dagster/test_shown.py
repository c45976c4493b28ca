"""What the Dagster UI shows of a run, held against the database and the two systems."""

from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from talk_pipeline.dagster.assets.sync import STAGES
from talk_pipeline.engine.report.waiting import Kind
from talk_pipeline.flows.sides import Side
from talk_pipeline_tests.flow_files import edited_flows
from talk_pipeline_tests.outcome import Run
from talk_pipeline_tests.pipeline.records import customer, line, order, product
from talk_pipeline_tests.world import World

Rows = list[dict[str, Any]]
WRITES = {f"{side} {operation}" for side in Side for operation in ("create", "update", "delete")}
STATES = ("waiting", "ambiguous", "quarantined", "held", "attached", "excluded", "closed", "broken")


_BY_LAYER = {
    "snapshot": {
        "read",
        "changed",
        "outside the flow's scope",
        "gone",
        "full scan",
        "implausible",
        "seconds",
    },
    "links": {"new links", "linked by", "ambiguous records", "ambiguous", "ambiguous shown", "seconds"},
    "diffs": {"dagster/column_lineage", "changes", "changes shown", "withheld", "seconds", *WRITES},
    "sync": {
        *{
            "planned",
            "failed writes",
            "conflicts",
            "overwritten",
            "overwritten shown",
            "written",
            "written shown",
        },
        *{"waiting", "waiting shown", "waiting for a person", *WRITES},
        *(f"seconds of {name}" for name in STAGES),
        *(f"records {state}" for state in STATES),
    },
    "attention": {"waiting", "waiting shown", *map(str, Kind)},
}
COMPARED = {name: keys | {"dagster/row_count"} for name, keys in _BY_LAYER.items()}
COMPARED |= dict.fromkeys(("customwebshop", "businesscentral"), COMPARED["snapshot"])
"""All that is shown of a run by layer; whoever shows more compares it here, or in the tests beside this one."""


def shown(world: World, run: Run) -> dict[str, dict[str, Any]]:
    """The metadata of a run's materializations by asset, tables as rows."""
    logs = world.instance.all_logs(run.run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION)
    found: dict[str, dict[str, Any]] = {}
    for entry in logs:
        event = entry.get_dagster_event()
        assert event.asset_key is not None
        metadata = event.step_materialization_data.materialization.metadata
        found["/".join(event.asset_key.path)] = {name: _plain(value) for name, value in metadata.items()}
    return found


def judged(world: World, run: Run) -> dict[str, dict[str, Any]]:
    """The same of a run's checks, by asset and check."""
    logs = world.instance.all_logs(run.run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION)
    found: dict[str, dict[str, Any]] = {}
    for entry in logs:
        told = entry.get_dagster_event().asset_check_evaluation_data
        metadata = {name: _plain(value) for name, value in told.metadata.items()}
        severity = told.severity.value
        about = {"passed": told.passed, "severity": severity, "description": told.description}
        found[f"{'/'.join(told.asset_key.path)}:{told.check_name}"] = about | metadata
    return found


def _plain(value: dg.MetadataValue[Any]) -> Any:
    if isinstance(value, dg.TableMetadataValue):
        return [dict(record.data) for record in value.records]
    return value.value


def texts(rows: list[tuple[Any, ...]], *columns: str) -> Rows:
    """Rows of the database as tables show them."""
    return [
        {name: "" if value is None else str(value) for name, value in zip(columns, row, strict=True)}
        for row in rows
    ]


@pytest.fixture
def mixed(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """Pairs in step, one that differs at first sight, one that is ambiguous, one that does not fit, an order."""
    edited_flows(tmp_path, monkeypatch)
    buyer = world.shop.post("customers", customer("C1"))["id"]
    world.shop.post("customers", customer("C2", company_name="Ours"))
    world.bc.post("customers", {"type": "Company", "number": "C2", "displayName": "Theirs"})
    world.bc.post("customers", {"type": "Person", "number": "P9", "displayName": "Nobody"})
    for number in ("C8", "C9"):
        mail = customer("C7")["email"]
        world.bc.post("customers", {"type": "Company", "number": number, "displayName": "T", "email": mail})
    world.shop.post("customers", customer("C7"))
    world.shop.post("customers", customer("C6", currency="DKR"))
    item = world.shop.post("products", product())["id"]
    world.shop.post("orders", order("O1", buyer, [line(item), line(item, "5")]))
    return world


def test_the_table_of_planned_changes_holds_the_plan(mixed: World) -> None:
    run = mixed.sync(dry_run=True)
    told = shown(mixed, run)
    columns = ("target", "operation", "record", "property", "before", "after", "rule", "withheld")
    for flow in ("customer", "product"):  # the order waits for its customer
        held = mixed.sql(
            "select target, operation, coalesce(shop_id, bc_id), property, before, after, rule,"
            " hold_kind || ': ' || hold_reason from change where flow = ? order by all",
            flow,
        )
        diffs = told[f"diffs/{flow}"]
        assert held
        assert diffs["changes"] == texts(held, *columns)[:100]
        assert diffs["changes shown"].startswith(f"{min(len(held), 100)} of {len(held)};")
        assert diffs["dagster/row_count"] == run[flow]["changes"]
    assert told["diffs/customer"]["businesscentral update"] == 1
    assert told["diffs/customer"]["businesscentral create"] == 1
    withheld = mixed.sql(
        "select count(distinct (part, shop_id, bc_id)) from change"
        " where flow = 'customer' and hold_kind is not null"
    )
    assert told["diffs/customer"]["withheld"] == withheld[0][0]
    assert {row["after"] for row in told["diffs/customer"]["changes"]} >= {"Ours", "www.c1.example"}


def test_a_long_plan_shows_its_beginning_and_says_how_long_it_is(world: World) -> None:
    for number in range(12):
        world.shop.post("customers", customer(f"C{number}"))
    told = shown(world, world.sync("customer", dry_run=True))["diffs/customer"]
    ((total,),) = world.sql("select count(*) from change where flow = 'customer'")
    assert total > 100
    assert len(told["changes"]) == 100
    assert told["changes shown"].startswith(f"100 of {total};")
    assert told["dagster/row_count"] == told["businesscentral create"] == 12


def test_snapshots_and_links_show_what_was_read_and_paired(mixed: World) -> None:
    told = shown(mixed, mixed.sync("customer", dry_run=True))
    companies = [row for row in mixed.bc.all("customers").values() if row["type"] == "Company"]
    for asset, count in (("customwebshop/customer", 4), ("businesscentral/customers_company", 3)):
        assert told[asset]["dagster/row_count"] == told[asset]["changed"] == count
        assert told[asset]["full scan"] is True
        assert told[asset]["gone"] == 0
        assert told[asset]["read"] == count + told[asset]["outside the flow's scope"]
    assert told["customwebshop/customer"]["outside the flow's scope"] == 0
    people = [row for row in mixed.bc.all("customers").values() if row["type"] == "Person"]
    assert told["businesscentral/customers_company"]["outside the flow's scope"] == len(people) == 1
    for asset in ("customwebshop/customer", "businesscentral/customers_company"):
        assert told[asset]["implausible"] == "nothing"
    assert len(companies) == 3
    assert len(mixed.shop.all("customers")) == 4
    links = told["links/customer"]
    assert links["dagster/row_count"] == links["new links"] == 1
    assert links["linked by"] == [{"rule": "number", "links": "1"}]
    claims = mixed.sql("select shop_id, bc_id, property, linked from candidate order by all")
    assert links["ambiguous"] == texts(claims, "shop_id", "bc_id", "property", "linked")
    assert len(claims) == 2
    assert links["ambiguous shown"] == "2 of 2 candidates"
    waits = mixed.sql("select count(*) from status where flow = 'customer' and state = 'ambiguous'")
    assert links["ambiguous records"] == waits[0][0] == 1


def test_sync_shows_what_was_written_and_what_was_not(mixed: World) -> None:
    run = mixed.sync()
    told = shown(mixed, run)
    for flow in ("customer", "product", "order"):
        one, numbers = told[f"sync/{flow}"], run[flow]
        linked = mixed.sql("select count(*) from link where part = ? and state = 'active'", flow)
        assert one["dagster/row_count"] == numbers["linked"] == linked[0][0]
        assert one["planned"] == numbers["changes"]
        for side, operations in numbers["writes"].items():
            for operation, count in operations.items():
                done = mixed.sql(
                    "select count(*) from journal where flow = ? and run_id = ? and target = ?"
                    " and operation = ? and outcome = 'done'",
                    *(flow, run.run_id, side, operation),
                )
                assert one[f"{side} {operation}"] == count == done[0][0]
        for state in STATES:
            held = mixed.sql("select count(*) from status where flow = ? and state = ?", flow, state)
            assert one[f"records {state}"] == numbers[state] == held[0][0]
    customers = told["sync/customer"]
    columns = ("shop_id", "property", "rule", "winner", "shop_value", "bc_value")
    rows = mixed.sql(f"select {', '.join(columns)} from conflict where flow = 'customer' order by all")
    assert customers["overwritten"] == texts(rows, *columns)
    assert [row["bc_value"] for row in customers["overwritten"]] == ["Theirs"]
    assert customers["overwritten shown"] == "1 of 1; all: talk-pipeline conflicts"
    assert customers["waiting for a person"] == len(customers["waiting"]) == 3
    assert (customers["conflicts"], customers["failed writes"]) == (1, 0)
    assert (customers["records ambiguous"], customers["records quarantined"]) == (1, 1)
    assert len(mixed.bc.orders()) == told["sync/order"]["businesscentral create"] == 1
    for asset, metadata in told.items():
        assert set(metadata) == COMPARED[asset.partition("/")[0]], asset


def test_checks_show_the_rows_they_are_about(mixed: World) -> None:
    run = mixed.sync("customer")
    told = judged(mixed, run)
    assert "sync/customer:audited" not in told, "that one reads both systems anew, and is for the night"
    for state, check in (("ambiguous", "no_ambiguous_matches"), ("quarantined", "no_quarantined_records")):
        one = told[f"sync/customer:{check}"]
        rows = mixed.sql("select shop_id, reason, since from status where state = ?", state)
        assert (one["passed"], one["severity"], one["found"]) == (False, "WARN", 1)
        assert one["rows"] == texts(rows, "shop_id", "reason", "since")
        assert one["description"] == f"1 {state} record"
    assert told["sync/customer:no_held_records"]["description"] == "no held records"
    for key, one in told.items():
        finding = run.finding("customer", key.split(":")[1]) if not key.endswith("fresh") else None
        if finding:
            assert (one["passed"], one["found"]) == (finding.passed, finding.found)
            assert one["description"] == finding.summary
            assert len(one.get("rows", [])) == len(finding.rows)
