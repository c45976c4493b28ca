"""The document without results: a member of its family, and true to the declarations."""

import re
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from talk_pipeline.cli.document import building, rst
from talk_pipeline.flows.loading import PACKAGED, read_yaml
from talk_pipeline.settings import Settings
from talk_pipeline.systems.businesscentral import entities
from talk_pipeline.systems.businesscentral.entities import load_entities
from talk_pipeline_tests.cli.command_line import run
from talk_pipeline_tests.cli.document.reading import Read, sections, tree
from talk_pipeline_tests.docs.documents import ROOT
from talk_pipeline_tests.flow_files import copied_flows, flows_in

FILE = (ROOT / "docs" / "dataflow.rst").read_text(encoding="utf-8")
AT = datetime(2026, 1, 2, 3, 4, 5)  # noqa: DTZ001 - the state's times are UTC without saying so
DESCRIBED = [yaml.safe_load(file.read_text(encoding="utf-8")) for file in entities.files_of(None)]
ENTITIES = {one["entity"]: one for one in DESCRIBED} | {
    name: below for one in DESCRIBED for name, below in one.get("children", {}).items()
}

SECTIONS = {
    "Customwebshop Customer to Businesscentral Customers company": ("customer", None),
    "Customwebshop Product to Businesscentral Items": ("product", None),
    "Customwebshop Order to Businesscentral Salesorders": ("order", None),
    "Customwebshop Order lines to Businesscentral Salesorderlines": ("order", "lines"),
    "Customwebshop Order shipping to Businesscentral Salesorderlines": ("order", "shipping"),
    "Customwebshop Order fees to Businesscentral Salesorderlines": ("order", "fees"),
}


def specified(folder: Path) -> dict[str, Read]:
    return sections(rst.written(building.specification(flows_in(folder), load_entities(), generated_at=AT)))


def declared(name: str, child: str | None) -> tuple[list[Any], str]:
    """The rows of a flow file, and the entity set they are of."""
    data: Any = read_yaml(PACKAGED / f"{name}.yaml")[0]
    if child is None:
        return data["properties"], data["businesscentral"]["entity"]
    return data["children"][child]["properties"], data["children"][child]["businesscentral"]


def test_it_begins_as_its_family_does() -> None:
    lines = FILE.splitlines()
    title = "Customwebshop to Businesscentral Dataflow"
    assert lines[:4] == ["=" * len(title), title, "=" * len(title), ""]
    assert datetime.fromisoformat(lines[4].removeprefix("Generated: "))
    assert FILE.count("\nIntroduction\n------------\n") == 1
    assert [title for title in sections(FILE) if title != "Introduction"] == list(SECTIONS)


@pytest.mark.parametrize("title", SECTIONS)
def test_a_section_has_the_sentences_of_the_family(title: str) -> None:
    shop, bc = title.split(" to ")
    head = FILE[FILE.index(f"\n{title}\n") + 1 :].splitlines()
    assert head[1] == "-" * len(title)
    assert head[2] == f"Every {shop} will be synchronized with a {bc}."
    paragraphs = sections(FILE)[title].paragraphs
    assert (
        f"Once a link between a {shop} and a {bc} is established, it will keep in sync between the two systems,"
        " regardless of where it is edited." in paragraphs
    )
    assert f"The following properties are synchronized between a {shop} and a {bc}:" in paragraphs


@pytest.mark.parametrize("title", SECTIONS)
def test_a_tester_can_do_what_the_steps_say(title: str) -> None:
    """Each system has a property of each name that is to be edited there, and takes edits of it."""
    properties, entity = declared(*SECTIONS[title])
    wire = ENTITIES[entity]["properties"]
    shop = {path.strip() for one in properties for path in str(one.get("shop") or "").split("|")}
    steps = [row[1] for row in sections(FILE)[title].headed("Done")[1:]]

    def named(begin: str) -> list[set[str]]:
        found = [step for step in steps if step.startswith(begin)]
        return [set(re.split(r", | and | or ", step.split(": ")[1].rstrip("."))) for step in found]

    (edited,) = named("In Customwebshop, edit")
    assert edited <= shop
    (edited,) = named("In Businesscentral, edit each")
    assert edited <= {name for name in wire if not wire[name].endswith(" read")}
    assert {frozenset(names) for names in named("In Businesscentral, have these change")} == {
        frozenset(group) for group in [[one["bc"] for one in properties if one.get("dir") == "<-"]] if group
    }
    (both,) = (step.split(": ")[1] for step in steps if step.startswith("Before the next run, edit one"))
    on_both = re.fullmatch(r"(.+) in Customwebshop, (.+) in Businesscentral\.", both)
    assert on_both is not None
    (pair,) = (one for one in properties if one["bc"] == on_both[2])
    assert not pair.get("values"), "of two values one is that from before"
    assert pair["type"] != "bool"


@pytest.mark.parametrize("title", SECTIONS)
def test_the_property_table_is_the_declaration(title: str) -> None:
    shop, bc = title.split(" to ")
    head, *rows = sections(FILE)[title].table()
    assert head[:3] == [f"{shop} Property", f"{bc} Property", "Businesscentral Data Type"]
    properties, entity = declared(*SECTIONS[title])
    assert [row[1] for row in rows] == [one["bc"] for one in properties]
    for row, one in zip(rows, properties, strict=True):
        told = str(one.get("shop") or "(always").replace(" | ", ", or ")
        assert row[0] == told or row[0].startswith("(always ")
        wire = ENTITIES[entity]["properties"][one["bc"]]
        assert (", read-only" in row[2]) == wire.endswith(" read")
        size = wire.partition("(")[2].partition(")")[0]
        assert (f"({size})" in row[2]) == bool(size)
        direction = {
            "<->": "both ways",
            "->": "to Businesscentral",
            "<-": "to Customwebshop",
            "=": "compared, never written",
        }[one["dir"] if "shop" in one else "->"]
        assert row[3] == direction + (", on create only" if one.get("only") else "")


def test_types_are_those_of_the_entities() -> None:
    rows = {row[1]: row[2] for row in sections(FILE)[next(iter(SECTIONS))].table()}
    assert rows["number"] == "String(20), code"
    assert rows["displayName"] == "String(100)"
    assert rows["blocked"] == "Enum"
    orders = {row[1]: row[2] for row in sections(FILE)[list(SECTIONS)[2]].table()}
    assert orders["customerId"] == "Guid, of a Businesscentral Customers company"
    assert orders["totalTaxAmount"] == "Decimal, read-only"


def test_every_limit_of_the_packaged_flows_is_told() -> None:
    said = {title: " ".join(read.paragraphs) for title, read in sections(FILE).items()}
    customer, product, order, lines, shipping, _ = (said[title] for title in SECTIONS)
    assert "Only a Businesscentral Customers company with type Company takes part" in customer
    assert "none is created in Customwebshop" in customer
    assert "gets a new Businesscentral Salesorders only while its status is open or processing." in order
    assert "While status of the Businesscentral Salesorders is other than Draft, these are withheld" in order
    assert "customer_id, requested_delivery_date, currency and prices_include_tax" in order
    assert "additions, removals, product_id, quantity, unit, unit_price and discount_percent" in lines
    assert "Edits travel to Customwebshop only: erp_number and status." in order
    assert "Compared and never written: total_excl_tax, total_tax and total_incl_tax." in order
    assert "differ by more than 0.05" in order
    assert "closed: its story ended" in order
    assert "with status cancelled is listed and never acted on" in order
    assert "Only a Businesscentral Salesorderlines with lineType Item takes part" in lines
    assert "lineObjectNumber as settings.constants.shipping_number says (nothing yet) takes part" in shipping
    assert "A quantity other than 1 has no place in Customwebshop: it is quarantined." in shipping
    assert "by position, within a linked pair of Customwebshop Order." in shipping
    assert "Of cost, Businesscentral wins." in product
    assert "Edits travel to Customwebshop only: stock." in product
    assert "unit and baseUnitOfMeasureCode: pcs is PCS, box is BOX" in product
    assert "the pair is listed as broken" in product


EDITS = {
    "create: both": "without a counterpart gets a new Customwebshop Customer likewise.",
    "create: both\n  create_scope_businesscentral: {active: [true]}": (
        "without a counterpart gets a new Customwebshop Customer, only while its active is true."
    ),
    "create: never": "a link between a Customwebshop Customer and a Businesscentral Customers company must be",
    "create: when_referenced": "if it is connected to a Customwebshop Order that is synchronized into",
    "create: always\n  quiet_seconds: 90": "once nobody has edited the record for 90 seconds.",
    "create: always\n  create_scope: {email: {filled: true}, website: {none_of: [a, b]}}": (
        "only while its email is filled and website is neither a nor b."
    ),
    "create: always\n  scope: {website: {none_of: [a]}}": "takes part whose website is not a;",
}


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: edit.replace("\n ", ""))
def test_what_is_tuned_is_told(tmp_path: Path, edit: str) -> None:
    folder = copied_flows(tmp_path / "flows", customer=("create: always", edit))
    said = " ".join(specified(folder)[next(iter(SECTIONS))].paragraphs)
    assert EDITS[edit] in said
    every = "Every Customwebshop Customer will be synchronized" in said
    assert every == (edit.split()[1] not in ("never", "when_referenced"))


POLICIES = [
    (("conflict: last_writer", "conflict: manual"), "a person decides, and nothing is written until then"),
    (("conflict: last_writer", "conflict: businesscentral"), "last agreed, Businesscentral wins."),
    (("initial: fill", "initial: manual"), "for the first time and differ, a person decides."),
    (("disappearance: flag", "disappearance: delete"), "disappears, the Customwebshop Customer is deleted."),
    (("disappearance: flag", "disappearance: block"), "is taken out of use: active becomes false."),
    (("number: shop", "number: series"), "by a series of its own: number is not sent."),
    (("disappeared: 10", "disappeared: 7"), "disappeared in one full read: 7 records"),
]


@pytest.mark.parametrize(("edit", "told"), POLICIES, ids=lambda one: one if isinstance(one, str) else "")
def test_policies_are_told(tmp_path: Path, edit: tuple[str, str], told: str) -> None:
    said = specified(copied_flows(tmp_path / "flows", customer=edit))[next(iter(SECTIONS))].paragraphs
    assert told in " ".join(said)


def test_a_further_flow_is_a_further_section(tmp_path: Path) -> None:
    folder = copied_flows(tmp_path / "flows")
    optional = PACKAGED / "optional" / "customer_person.yaml"
    (folder / optional.name).write_text(optional.read_text(encoding="utf-8"), encoding="utf-8")
    found = specified(folder)
    person = found["Customwebshop Customer person to Businesscentral Customers person"]
    assert any("whose company_name is blank" in one for one in person.paragraphs)
    company = found[next(iter(SECTIONS))]
    assert any("whose company_name is filled" in one for one in company.paragraphs)


def test_the_command_writes_the_same_without_any_settings_or_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    done = run("checklist", "--without-results", "--format", "rst", TALK_DATA_DIR=str(tmp_path))
    assert done.returncode == 0
    assert _undated(done.stdout) == _undated(FILE)
    text = run("checklist", "--without-results", TALK_DATA_DIR=str(tmp_path))
    said = " ".join(text.stdout.split())
    assert "Every Customwebshop Order will be synchronized with a Businesscentral Salesorders." in said


def _undated(text: str) -> list[str]:
    return [line for line in text.splitlines() if not line.startswith("Generated: ")]


@settings(max_examples=50)
@given(st.text(max_size=40).map(lambda text: " ".join(text.split())))
def test_no_text_means_anything(text: str) -> None:
    printable = " ".join("".join(one for one in text if one.isprintable()).split())
    for form in (f"{rst.plain(printable)}\n\nnext\n", f"* {rst.plain(printable)}\n\nnext\n"):
        read = tree(form)
        assert printable in read.astext()


MARKUP = (
    *("1. one", "a) b", "(i) x", "- x", ".. note:: x", ":a: b", "x::", "x_", "__y__", "*a*", "`a`_", "|x|"),
    *("=====", "[1]_", ">>> x", "+--+", "#. x", "\\", "x\\", "http://x.example/_a_", "a_ b__ c", "**", "::"),
)


@pytest.mark.parametrize("text", MARKUP)
def test_what_begins_or_ends_like_markup_is_text(text: str) -> None:
    assert tree(f"{rst.plain(text)}\n\nnext\n").astext() == f"{text}\n\nnext"
    assert tree(f"* {rst.plain(text)}\n\nnext\n").astext() == f"{text}\n\nnext"
