"""Dagster's UI as an operator has it: what it shows is what the database holds, and what it is told to do is done.

The last tests are one story: edits in numbers, the run that was stopped, and the one that a person approves.
"""

import time
from collections.abc import Callable
from typing import Any, TypeVar

import pytest
from playwright.sync_api import Locator, Page, expect

from talk_pipeline.engine.report.attention import attention
from talk_pipeline.engine.state.database import State
from talk_pipeline_tests.browser.conftest import Shoot
from talk_pipeline_tests.browser.stage import Stage
from talk_pipeline_tests.dagster.test_shown import texts
from talk_pipeline_tests.flow_files import flows_in
from talk_pipeline_tests.users import Shop

T = TypeVar("T")
PLANNED = ("target", "operation", "record", "property", "before", "after", "rule", "withheld")
STOPPED = "select run_id, stopped from run where flow = 'customer' and stopped is not null"


def asset(stage: Stage, key: str, view: str, **more: str) -> str:
    """The address of an asset's page."""
    return f"{stage.ui}/assets/{key}?" + "&".join(
        f"{name}={value}" for name, value in {"view": view, **more}.items()
    )


def table(page: Page, *columns: str) -> Locator:
    """The table of these columns; tables stand in tables, so the innermost."""
    found = page.locator("table")
    for name in columns:
        found = found.filter(has=page.locator("th", has_text=name))
    return found.last


def rows(page: Page, *columns: str) -> list[dict[str, str]]:
    """What that table holds."""
    shown = table(page, *columns)
    sooner_or_later(lambda: _is_there(page, shown))
    cells: list[list[str]] = shown.evaluate(
        "one => [...one.tBodies[0].rows].map(row => [...row.cells].map(cell => cell.textContent))"
    )
    return [dict(zip(columns, row, strict=False)) for row in cells]


def _is_there(page: Page, one: Locator) -> bool:
    """A check that is just being made once more shows nothing of the last time, and Dagster keeps at that."""
    try:
        expect(one).to_be_visible(timeout=8_000)
    except AssertionError:
        page.reload()
        return False
    return True


def sooner_or_later(look: Callable[[], T]) -> T:
    """What is found there within a minute."""
    deadline = time.monotonic() + 60
    while not (found := look()):
        assert time.monotonic() < deadline, "nothing came of it"
        time.sleep(0.5)
    return found


def test_a_flow_can_be_read_off_the_graph(page: Page, stage: Stage, shoot: Shoot) -> None:
    page.set_viewport_size({"width": 1700, "height": 1000})
    page.goto(asset(stage, "sync/product", "lineage", lineageScope="upstream", lineageDepth="10"))
    nodes = page.locator("svg foreignObject").filter(has_text="Latest event")
    expect(nodes.filter(has_text="Materialized")).to_have_count(6)
    shown = "\n".join(nodes.all_text_contents())
    for kind in ("api", "snapshot", "links", "diffs", "sync"):
        assert kind in shown
    boxes = [one.bounding_box() for one in page.locator("svg foreignObject").all()]
    shoot("graph", around=[box for box in boxes if box and box["width"] > 10])

    page.goto(f"{stage.ui}/asset-groups")
    expect(page.get_by_text("attention").last).to_be_visible()
    page.keyboard.press("Alt+e")
    page.wait_for_url("**expanded=**")
    expect(page.get_by_text("customers_company")).to_be_visible()
    page.wait_for_load_state("networkidle")
    shoot("graph-of-everything")


def test_a_check_shows_the_rows_it_warns_of(page: Page, stage: Stage, shoot: Shoot) -> None:
    page.goto(asset(stage, "sync/customer", "checks", checkDetail="no_quarantined_records"))
    columns = ("shop_id", "reason", "since")
    held = stage.rows(
        f"select {', '.join(columns)} from status where flow = 'customer' and state = 'quarantined'"
    )
    assert rows(page, *columns) == texts(sorted(held), *columns) != []
    shoot("check")


def test_what_waits_for_a_person_is_listed_with_the_next_step(page: Page, stage: Stage, shoot: Shoot) -> None:
    page.set_viewport_size({"width": 1700, "height": 1000})
    page.goto(asset(stage, "attention", "events"))
    columns = ("kind", "flow", "number", "name", "reason", "next step", "age", "state")
    with State(stage.folder / "data").once() as db:
        items = [one.row() for one in attention(db, flows_in()).items]
    shown = rows(page, *columns)
    assert len(shown) > 10
    assert [one | {"age": ""} for one in shown] == [{**one, "age": ""} for one in items]
    assert (
        table(page, *columns)
        .locator("th", has_text="next step")
        .evaluate("one => one.getBoundingClientRect().right < innerWidth")
    ), "one has to look for it"
    page.set_viewport_size({"width": 1900, "height": 1000})
    shoot("attention", around=[box for box in [table(page, *columns).bounding_box()] if box])


@pytest.fixture(scope="module")
def stopped(stage: Stage) -> tuple[str, str]:
    """The run that edits in numbers made the circuit breaker stop, and its reason."""
    shop = Shop(stage.environment["CUSTOMWEBSHOP_URL"], {}, stage.environment["CUSTOMWEBSHOP_URL"])
    for key in shop.all("customers"):
        shop.patch("customers", key, {"website": f"www.{key}.moved.example"})
    shop.close()
    run, reason = sooner_or_later(lambda: stage.rows(STOPPED))[0]
    return str(run), str(reason)


def test_the_page_of_a_stopped_run_says_why_and_how_to_go_on(
    page: Page, stage: Stage, shoot: Shoot, stopped: tuple[str, str]
) -> None:
    run, reason = stopped
    page.set_viewport_size({"width": 1400, "height": 1300})
    page.goto(f"{stage.ui}/runs/{run}?logs=step%3Adiffs__customer__blocking")
    headline = f"customer: nothing was written; the circuit breaker stopped it: {reason}"
    expect(page.get_by_text(headline).first).to_be_visible()
    expect(page.get_by_text("talk-pipeline sync --flow customer --approve").first).to_be_visible()
    shoot("stopped-run")
    page.goto(asset(stage, "diffs/customer", "checks"))
    largest = rows(page, "number", "name", "target", "operation", "property", "before", "after")
    assert len(largest) == 20
    shoot("stopped-check")
    page.goto(asset(stage, "sync/customer", "checks", checkDetail="property_website"))
    not_run = page.get_by_text("did not run: the run stopped at").first
    sooner_or_later(lambda: _is_there(page, not_run))
    shoot("check-not-run")


def test_the_plan_is_the_one_in_the_database(
    page: Page, stage: Stage, shoot: Shoot, stopped: tuple[str, str]
) -> None:
    held = stage.rows(
        "select target, operation, coalesce(shop_id, bc_id), property, before, after, rule,"
        " hold_kind || ': ' || hold_reason from change where flow = 'customer' order by all"
    )
    page.goto(asset(stage, "diffs/customer", "events"))
    shown = rows(page, *PLANNED)
    assert shown == texts(held, *PLANNED)
    assert len(shown) >= 25
    shoot("plan")


def test_what_a_person_approves_in_the_launchpad_is_written(
    page: Page, stage: Stage, shoot: Shoot, stopped: tuple[str, str]
) -> None:
    page.goto(f"{stage.ui}/locations/talk_pipeline/jobs/sync_customer/playground")
    config = page.locator(".CodeMirror-line", has_text="approve: false")
    config.click()
    page.keyboard.press("End")
    for _ in "false":
        page.keyboard.press("Backspace")
    page.keyboard.type("true")
    expect(page.get_by_text("approve: true")).to_be_visible()
    shoot("launchpad")
    page.get_by_role("button", name="Launch Run").click()
    page.wait_for_url("**/runs/*")
    expect(page.get_by_text("Success", exact=True).first).to_be_visible(timeout=60_000)
    shoot("approved-run")
    run = page.url.rsplit("/", 1)[1]
    done: list[tuple[Any, ...]] = stage.rows(
        "select count(*) from journal where run_id = ? and outcome = 'done'", run
    )
    linked = stage.rows("select shop_id, bc_id from link where part = 'customer' and state = 'active'")
    assert done == [(len(linked),)]
    shop_id, bc_id = linked[0]
    page.goto(f"{stage.businesscentral}/customers/{bc_id}")
    expect(page.get_by_label("website")).to_have_value(f"www.{shop_id}.moved.example")
