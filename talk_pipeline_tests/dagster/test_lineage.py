"""What an asset shows of itself without a run, held against the files, the database and both systems' pages."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

import dagster as dg
import duckdb
import pytest

from talk_pipeline.dagster.asset_keys import raw_key, sync_key, system_key
from talk_pipeline.dagster.build import build_defs
from talk_pipeline.engine.report.checklist import checks
from talk_pipeline.flows.loading import PACKAGED
from talk_pipeline.flows.sides import Side
from talk_pipeline.settings import Settings
from talk_pipeline_tests.dagster.test_shown import shown
from talk_pipeline_tests.flow_files import flows_alone, flows_in
from talk_pipeline_tests.pipeline.records import customer, line, order, product
from talk_pipeline_tests.sandbox.visitor import Visitor
from talk_pipeline_tests.world import World

FLOWS = flows_in()
SNAPSHOTS = {raw_key(flow, side): (flow, side) for flow in FLOWS.values() for side in Side}
PAGES = "/_sandbox/pages/{entity}/{id}"


def specs(settings: Settings | None = None) -> dict[str, dg.AssetSpec]:
    defs = build_defs(flows_in(settings.talk_flows_dir if settings else None), settings=settings)
    return {"/".join(spec.key.path): spec for spec in defs.resolve_all_asset_specs()}


def test_the_systems_stand_before_their_snapshots_and_nothing_makes_them() -> None:
    found = specs()
    graph = build_defs(FLOWS).resolve_asset_graph()
    for side in Side:
        key = system_key(side)
        below = {SNAPSHOTS[one][1] for one in graph.get(key).child_keys}
        assert below == {side}
        assert len(graph.get(key).child_keys) == len(FLOWS)
        assert key not in graph.materializable_asset_keys
        spec = found["/".join(key.path)]
        assert (spec.description or "").startswith(side.system)


def test_what_stands_first_on_a_node_tells_it_from_its_neighbours() -> None:
    """A node is titled by the last word of its key alone, and below it stands its description."""
    found = specs().values()
    for flow in FLOWS.values():
        first = [(spec.description or "").split(":")[0] for spec in found if flow.name in spec.key.path]
        assert sorted(first) == ["Links", "Planned changes", "Snapshot", "Synchronization"]


def test_each_property_comes_from_columns_that_the_snapshots_have() -> None:
    found = specs()
    for flow in FLOWS.values():
        lineage = found[f"diffs/{flow.name}"].metadata["dagster/column_lineage"].deps_by_column
        schema = found[f"diffs/{flow.name}"].metadata["dagster/column_schema"].columns
        assert set(lineage) == {column.name for column in schema}
        for dep in (dep for deps in lineage.values() for dep in deps):
            there = found["/".join(dep.asset_key.path)].metadata["dagster/column_schema"].columns
            assert dep.column_name in {column.name for column in there}, dep


def test_what_every_full_scan_makes_anew_may_not_grow_older_than_that() -> None:
    found = specs()
    graph = build_defs(FLOWS).resolve_asset_graph()
    fresh = {key for key in graph.get_all_asset_keys() if graph.get(key).freshness_policy_or_from_metadata}
    assert fresh == set(SNAPSHOTS) | {sync_key(flow) for flow in FLOWS.values()}
    day = dg.FreshnessPolicy.time_window(warn_window=timedelta(hours=30), fail_window=timedelta(hours=36))
    hour = dg.FreshnessPolicy.time_window(
        warn_window=timedelta(minutes=75), fail_window=timedelta(minutes=90)
    )
    for key in fresh:
        often = any(name in "/".join(key.path) for name in ("product", "items", "order"))
        assert found["/".join(key.path)].freshness_policy == (hour if often else day)


def test_it_shows_whose_it_is_and_where_it_comes_from(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TALK_OWNERS", "books@example.com, team:finance")
    settings = Settings.load()
    found = specs(settings)
    assert all(tuple(spec.owners) == ("books@example.com", "team:finance") for spec in found.values())
    for side, address in (
        (Side.SHOP, world.environment["CUSTOMWEBSHOP_URL"]),
        (Side.BC, world.environment["BUSINESSCENTRAL_URL"]),
    ):
        assert found[f"systems/{side}"].metadata["dagster/uri"] == address
    for flow in FLOWS:
        for layer in ("links", "diffs", "sync"):
            (reference,) = found[f"{layer}/{flow}"].metadata["dagster/code_references"].code_references
            assert Path(reference.file_path) == PACKAGED / f"{flow}.yaml"


def test_owners_that_dagster_would_not_take_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    for wrong in ("somebody", "team:", "a@b", "a@b.example;c@d.example"):
        monkeypatch.setenv("TALK_OWNERS", wrong)
        with pytest.raises(ValueError, match="TALK_OWNERS"):
            Settings.load()


def test_the_rows_lie_where_it_says(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    alone = flows_alone(tmp_path / "flows", "customer")
    monkeypatch.setenv("TALK_FLOWS_DIR", str(alone))
    world.shop.post("customers", customer())
    told = shown(world, world.sync())
    found = specs(Settings.load())
    ours = [key for key in found if "/" in key and "systems" not in key]
    named = {key: found[key].metadata["dagster/table_name"] for key in ours}
    assert len(set(named.values())) == len(named), "assets of one name are taken for the same table"
    counted = {}
    for key, name in named.items():
        file = Path(url2pathname(unquote(urlsplit(found[key].metadata["dagster/uri"]).path)))
        with duckdb.connect(str(file), read_only=True) as db:
            ((counted[key],),) = db.execute(f"select count(*) from {name}").fetchall()
    assert counted["customwebshop/customer"] == told["customwebshop/customer"]["dagster/row_count"] == 1
    assert counted["businesscentral/customers_company"] == len(world.bc.all("customers")) == 1
    assert counted["links/customer"] == told["sync/customer"]["dagster/row_count"] == 1
    assert counted["sync/customer"] == 1, "the request that made it"
    assert counted["diffs/customer"] == 0


def test_numbers_plot_whether_there_is_anything_to_count_or_not(world: World) -> None:
    run = world.sync("customer")
    told = shown(world, run)
    stages = dict(
        world.sql("select name, seconds from stage where run_id = ? and flow = 'customer'", run.run_id)
    )
    assert told["customwebshop/customer"]["seconds"] == stages.pop("snapshot customwebshop") > 0
    assert told["businesscentral/customers_company"]["seconds"] == stages.pop("snapshot businesscentral") > 0
    assert told["links/customer"]["seconds"] == stages.pop("links") > 0
    assert told["diffs/customer"]["seconds"] == stages.pop("diffs") > 0
    assert {f"seconds of {name}": took for name, took in stages.items()} == {
        name: took for name, took in told["sync/customer"].items() if name.startswith("seconds of")
    }
    assert len(stages) == 4
    for asset in ("diffs/customer", "sync/customer"):
        for side in Side:
            for operation in ("create", "update", "delete"):
                assert told[asset][f"{side} {operation}"] == 0


def test_what_a_check_is_about_is_a_sentence() -> None:
    for flow in FLOWS.values():
        described = [one.description for one in checks(flow)]
        assert len(set(described)) == len(described)
        for check in checks(flow):
            assert re.fullmatch(r"[A-Z].*[a-z`]\.", check.description), check.description
    graph = build_defs(FLOWS).resolve_asset_graph()
    for key in graph.asset_check_keys:
        assert (graph.get_check_spec(key).description or "").endswith("."), key


def opened(metadata: dict[str, Any], side: Side) -> dict[str, str]:
    """The addresses beside a table, by what the records are called."""
    lines = re.findall(r"^\* (.*?): (.*)$", metadata["open in"], re.MULTILINE)
    links = {name: dict(re.findall(r"\[in ([^\]]+)\]\(<([^>]+)>\)", line)) for name, line in lines}
    return {name: found[side.system] for name, found in links.items() if side.system in found}


@pytest.mark.slow
def test_records_are_a_click_away(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The templates lead to the sandbox's own pages, and what is there is that record."""
    monkeypatch.setenv("TALK_FLOWS_DIR", str(flows_alone(tmp_path / "flows", "customer")))
    world.shop.post("customers", customer("C1"))
    world.shop.post("customers", customer("C2", company_name="Ours [x](y)"))
    world.bc.post("customers", {"type": "Company", "number": "C2", "displayName": "Theirs"})
    world.shop.post("customers", customer("C6", currency="DKR"))
    plain = shown(world, world.sync(dry_run=True))
    assert "open in" not in plain["diffs/customer"]
    roots = {
        Side.SHOP: world.environment["CUSTOMWEBSHOP_URL"],
        Side.BC: world.environment["BUSINESSCENTRAL_URL"].split("/v2.0/")[0],
    }
    for side, root in roots.items():
        monkeypatch.setenv(f"{side.value.upper()}_RECORD_URL", root + PAGES)

    told = shown(world, world.sync(dry_run=True))
    rows = told["diffs/customer"]["changes"]
    assert rows == plain["diffs/customer"]["changes"]
    ids = dict(
        world.sql("select raw['number'], id from record where part = 'customer' and side = 'customwebshop'")
    )
    assert opened(told["diffs/customer"], Side.SHOP) == {
        ids[number]: f"{roots[Side.SHOP]}/_sandbox/pages/customers/{ids[number]}" for number in ("C1", "C2")
    }
    ((bc_id,),) = world.sql("select bc_id from link where part = 'customer' and state = 'active'")
    there = opened(told["diffs/customer"], Side.BC)
    assert there == {ids["C2"]: f"{roots[Side.BC]}/_sandbox/pages/customers/{bc_id}"}, "one is to be created"
    for side, root in roots.items():
        visitor = Visitor(f"{root}/_sandbox/pages")
        for address in opened(told["diffs/customer"], side).values():
            assert visitor.get(address.removeprefix(f"{root}/_sandbox/pages")).fields()["number"] in (
                "C1",
                "C2",
            )
        visitor.close()

    told = shown(world, world.sync())
    waiting = told["attention"]["waiting"]
    assert {row["number"] for row in waiting} == {"C2", "C6"}
    there = opened(told["attention"], Side.SHOP)
    assert {address.rsplit("/", 1)[-1] for address in there.values()} == {ids["C2"], ids["C6"]}
    links = told["attention"]["open in"]
    assert r"Ours \[x\](y)" in links, "what a record is called is no link"


def test_a_place_that_is_not_known_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    for template, message in (
        ("https://shop.example/{name}", r"\{name\} is no place; allowed: \{id\}"),
        ("https://shop.example/{id", "expected '}'"),
        ("https://shop.example/orders", r"needs \{id\} or \{number\}"),
    ):
        monkeypatch.setenv("CUSTOMWEBSHOP_RECORD_URL", template)
        with pytest.raises(ValueError, match=f"CUSTOMWEBSHOP_RECORD_URL: .*{message}"):
            Settings.load()


@pytest.mark.long
@pytest.mark.slow
def test_the_web_client_is_reached_by_page_and_number(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(
        "BUSINESSCENTRAL_RECORD_URL", "https://bc.example/?page={page}&filter='No.' IS '{number}'"
    )
    buyer = world.shop.post("customers", customer("C 1", email="c1@company.example"))["id"]
    item = world.shop.post("products", product())["id"]
    world.shop.post("orders", order("O1", buyer, [line(item)]))
    world.sync()
    world.shop.patch("customers", buyer, {"website": "www.new.example"})
    told = shown(world, world.sync("customer", dry_run=True))["diffs/customer"]
    assert opened(told, Side.BC)[buyer] == "https://bc.example/?page=21&filter='No.' IS 'C%201'"
    own: Any = next(iter(world.bc.orders().values()))
    world.shop.patch("orders", next(iter(world.shop.all("orders"))), {"phone": "+45 22 22 22 22"})
    told = shown(world, world.sync("order", dry_run=True))["diffs/order"]
    assert set(opened(told, Side.BC).values()) == {
        f"https://bc.example/?page=42&filter='No.' IS '{own['number']}'"
    }
