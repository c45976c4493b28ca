"""The document of a run: what it says against the database, and the same in every form."""

import html
import json
import re
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from pypdf import PdfReader

from talk_pipeline.cli.document.results import age
from talk_pipeline_tests.cli.command_line import run
from talk_pipeline_tests.cli.document.conftest import AWKWARD
from talk_pipeline_tests.cli.document.reading import Read, sections, tree
from talk_pipeline_tests.pipeline.records import customer
from talk_pipeline_tests.world import World, opened_world

pytestmark = pytest.mark.xdist_group("document")

CUSTOMERS = "Customwebshop Customer to Businesscentral Customers company"
ORDERS = "Customwebshop Order to Businesscentral Salesorders"
LINES = "Customwebshop Order lines to Businesscentral Salesorderlines"

FORMS = ["text", "json", "rst", "html", "pdf"]


def written(form: str) -> str:
    done = run("checklist", "--format", form)
    assert done.returncode == 0, done.stderr
    return done.stdout


def read_pdf(file: Path) -> str:
    """What a reader of the file copies out of it."""
    done = run("checklist", "--format", "pdf", "--out", str(file))
    assert done.returncode == 0, done.stderr
    return "\n".join(page.extract_text() for page in PdfReader(file).pages)


@pytest.fixture(scope="module")
def told(found: World) -> dict[str, Read]:
    return sections(written("rst"))


@pytest.fixture(scope="module")
def document(found: World) -> Any:
    return json.loads(written("json"))


def test_every_check_of_the_run_is_told_once(found: World, told: dict[str, Read]) -> None:
    results = found.sql(
        "select summary, case when passed then 'passed' when severity = 'ERROR' then 'failed'"
        " else 'warned' end, run_id[:8], checked_at from check_result"
    )
    kept = Counter(
        (summary, verdict, f"{run} {at:%Y-%m-%d %H:%M:%S}") for summary, verdict, run, at in results
    )
    rows = [
        row
        for read in told.values()
        for title, table in read.tables
        if table[0][-1] == "Run, time (UTC)"
        for row in table[1:]
    ]
    assert Counter((row[-2], row[-3], row[-1]) for row in rows) == kept
    assert len(rows) > 100


def test_a_property_has_the_numbers_of_its_pairs(found: World, told: dict[str, Read]) -> None:
    ((linked,),) = found.sql("select count(*) from link where part = 'customer' and state = 'active'")
    names = {row[0]: row for row in told[CUSTOMERS].table()}
    assert names["email"][4:6] == ["passed", f"{linked} pairs agree"]
    assert names["company_name, or contact_name"][4:6] == ["warned", f"1 of {linked} pairs disagree"]
    ((lines,),) = found.sql("select count(*) from link where part = 'order.lines' and state = 'active'")
    quantity = {row[0]: row for row in told[LINES].table()}["quantity"]
    assert (lines, quantity[4:6]) == (1, ["passed", "1 pair agrees"])


def test_open_items_are_those_of_the_database(found: World, told: dict[str, Read]) -> None:
    states = found.sql(
        "select flow, shop_id, state, reason from status where state not in ('excluded', 'closed')"
    )
    held = found.sql(
        "select flow, root_shop_id, hold_kind, property || ': ' || hold_reason from change"
        " where hold_kind in ('manual', 'guarded', 'deferred')"
    )
    listed = {
        (flow, row[5], row[1], row[2])
        for flow, title in (("customer", CUSTOMERS), ("order", ORDERS))
        for row in told[title].table("Open items")[1:]
    }
    assert listed == {*states, *held}
    assert {state for _, _, state, _ in listed} == {"quarantined", "waiting", "manual", "guarded"}
    for row in told[CUSTOMERS].table("Open items")[1:]:
        assert datetime.fromisoformat(row[3].removesuffix(" UTC"))
        assert row[4].split()[-1] in ("minute", "minutes")
    assert "Nothing is open." in told["Customwebshop Product to Businesscentral Items"].paragraphs


@pytest.mark.parametrize("form", FORMS)
def test_both_values_of_what_disagrees_are_in_every_form(found: World, form: str, tmp_path: Path) -> None:
    text = " ".join(seen(form, tmp_path).split())
    assert AWKWARD in text
    assert "Another <i>Name</i>" in text


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_one_document(found: World, document: Any, form: str, tmp_path: Path) -> None:
    text = " ".join(seen(form, tmp_path).split())
    expected = (
        "Customwebshop to Businesscentral Dataflow",
        *(document["run"]["id"], "127.0.0.1", found.environment["BUSINESSCENTRAL_COMPANY_ID"], "0.1.0"),
        *(CUSTOMERS, ORDERS, LINES, "WARNED", "is not an ISO 4217 currency code"),
        document["document"]["generated_at"][:10],
    )
    for one in expected:
        assert one in text, one


def seen(form: str, folder: Path) -> str:
    """What a reader of a form sees."""
    if form == "pdf":
        return read_pdf(folder / "document.pdf")
    if form == "json":
        return "\n".join(_texts(json.loads(written(form))))
    if form == "rst":
        return tree(written(form)).astext()
    if form == "html":
        return html.unescape(re.sub(r"<[^>]+>", "", re.sub(r"(?s)<style>.*?</style>", "", written(form))))
    return written(form)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _texts(one)
    else:
        yield str(value).upper() if value == "warned" else str(value)


def test_the_document_in_json_has_all_that_the_others_say(document: Any, told: dict[str, Read]) -> None:
    one = document["document"]
    assert [section["title"] for section in one["sections"]] == [
        title for title in told if title != "Introduction"
    ]
    assert one["verdict"] == document["run"]["verdict"] == "warned"
    for section in one["sections"]:
        rows = told[section["title"]].table()[1:]
        assert [row[:4] for row in rows] == [
            [line["shop"], line["bc"], line["bc_type"], line["direction"]] for line in section["properties"]
        ]


def test_a_tester_has_room_to_tick_and_to_sign(told: dict[str, Read]) -> None:
    for title, read in told.items():
        if title != "Introduction":
            head, *steps = read.headed("Done")
            assert head == ["Done", "Step", "What must come of it", "Name", "Date", "Signature"]
            assert len(steps) > 3
            assert {row[0] for row in steps} == {"☐"}


def test_a_dry_run_is_told_at_the_head_of_every_form(world: World, tmp_path: Path) -> None:
    world.shop.post("customers", customer())
    world.sync("customer", dry_run=True)
    assert json.loads(written("json"))["run"]["dry_run"]
    for form in FORMS:
        text = " ".join(seen(form, tmp_path).split())
        head = text if form == "json" else text[:1500]
        assert "This was a dry run: it planned and wrote nothing." in head, form
        assert "The run was of customer alone: nothing is said of product, order." in head, form


def test_what_a_shop_does_not_have_is_not_missed_and_is_told(
    tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    with opened_world(tmp_path, instance=instance, profile="woocommerce") as world:
        assert world.sync().success
        document = json.loads(written("json"))
        assert document["checks"]["not_run"] == 0
        assert document["run"]["verdict"] == "passed"
        lacking = {
            one["property"]
            for lines in document["flows"].values()
            for line in lines
            if line["check"] == "shop_capable"
            for one in line["rows"]
        }
        said = written("rst")
        assert lacking
        for name in lacking:
            assert f"* {name} is limited: " in said


@pytest.mark.parametrize(
    ("passed", "told"),
    [
        (timedelta(seconds=-5), "less than a minute"),
        (timedelta(seconds=59), "less than a minute"),
        (timedelta(seconds=119), "119 seconds"),
        (timedelta(minutes=2), "2 minutes"),
        (timedelta(minutes=119), "119 minutes"),
        (timedelta(hours=47), "47 hours"),
        (timedelta(hours=48), "2 days"),
    ],
)
def test_an_age_of_nearly_two_is_not_one(passed: timedelta, told: str) -> None:
    assert age(passed) == told
