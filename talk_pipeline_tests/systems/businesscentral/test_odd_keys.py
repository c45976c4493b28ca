"""Pages that take no questions and whose rows have no key alone, and keys of one property that is none alone."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from talk_pipeline.cli import entities
from talk_pipeline.cli.configuration import check_configuration
from talk_pipeline.cli.entities import new_entity
from talk_pipeline.systems.businesscentral.drafting import Draft, draft_of, text_of
from talk_pipeline.systems.businesscentral.entities import load_entity
from talk_pipeline.systems.businesscentral.metadata import Metadata, read_metadata
from talk_pipeline.systems.errors import ConfigurationFault
from talk_pipeline_tests.systems.businesscentral.own_page import OwnPage, metadata_of
from talk_pipeline_tests.systems.businesscentral.test_own_pages import Own, own
from talk_pipeline_tests.systems.customwebshop.shops.door import unexplained

__all__ = ["own"]  # a fixture is known where it is named

HALL = "contoso/hall/v1.0"
CLOSED = ("Insertable", "Updatable", "Deletable")
FEES = OwnPage(
    "fee",
    ("hall", "level"),
    {"hall": "String(20) code", "level": "Int32", "amount": "Decimal"},
    selects=False,
    filters=False,
    modified="changed",  # which it does not show
    forbids=CLOSED,
)
DAYS = OwnPage(
    "openDay",
    ("day",),
    {"day": "Date", "remark": "String(50)"},
    modified="changed",
)
PAGES: Mapping[str, Mapping[str, OwnPage]] = {HALL: {"fees": FEES, "openDays": DAYS}}
ASKED = {HALL: {"fees": replace(FEES, selects=True, filters=True)}}
CHARGED = "  charges: {path: /charges}\n"
FEE_FLOW = """flow: fee
title: Fees
customwebshop: {asset: fee, entity: charges}
businesscentral: {asset: fees, entity: fees}
match: [number]
create_key: number
properties:
  - {shop: number, dir: <-, bc: id,     type: text(60)}
  - {shop: amount, dir: <-, bc: amount, type: decimal(2)}
settings:
  {create: businesscentral, master: businesscentral, initial: businesscentral, conflict: businesscentral,
   disappearance: {businesscentral: delete, customwebshop: flag}}
"""
OPENED = "  days: {path: /days}\n"
DAY_FLOW = """flow: day
title: Days
customwebshop: {asset: day, entity: days}
businesscentral: {asset: open_days, entity: openDays}
match: [day]
create_key: day
properties:
  - {shop: day,    dir: ->,  bc: id,     type: text(10), only: create}
  - {shop: remark, dir: <->, bc: remark, type: text(50)}
settings: {disappearance: delete}
"""


@pytest.mark.parametrize("own", [PAGES], indirect=True)
def test_rows_of_a_page_that_takes_neither_filters_nor_a_selection(
    own: Own, capsys: pytest.CaptureFixture[str]
) -> None:
    drafted = own.connect(HALL, "fees", entity=CHARGED, flow=FEE_FLOW)
    assert "grouped_by: [hall, level]" in drafted
    assert "filters: false" in drafted
    file = own.folder / "entities" / "fees.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace("\nwrites:", "\nselects: false\nwrites:"))
    for hall, level in (("A", 1), ("A", 2), ("B", 1)):
        own.bc.add("fees", hall=hall, level=level, amount=Decimal("2.5"))
    own.run()
    charges = own.shop.tables["charges"]
    assert sorted(row["number"] for row in charges.values()) == ["A,1", "A,2", "B,1"]
    own.quiet()
    assert check_configuration() == 0, capsys.readouterr().out

    own.bc.rows["fees"].pop(1)
    own.run(full=True)
    assert sorted(row["number"] for row in charges.values()) == ["A,1", "B,1"]
    own.quiet()
    assert not unexplained()


@pytest.mark.parametrize("own", [ASKED], indirect=True)
def test_check_config_is_content_with_rows_that_are_read_alone(
    own: Own, capsys: pytest.CaptureFixture[str]
) -> None:
    """What they are called by is no property of the page, so that it is not asked for there."""
    flow = FEE_FLOW.replace("bc: id,     type: text(60)", "bc: hall,   type: code(20)")
    assert flow != FEE_FLOW
    own.connect(HALL, "fees", entity=CHARGED, flow=flow)
    own.bc.add("fees", hall="A", level=1, amount=Decimal("2.5"))
    assert check_configuration() == 0, capsys.readouterr().out


@pytest.mark.parametrize("own", [PAGES], indirect=True)
def test_a_page_whose_key_is_a_day(own: Own, capsys: pytest.CaptureFixture[str]) -> None:
    drafted = own.connect(HALL, "openDays", entity=OPENED, flow=DAY_FLOW)
    assert "key: id # made of these\nkeys: [day]" in drafted
    shop, bc = own.shop, own.bc
    first = shop.add("days", day="2026-05-01", remark="Late")
    shop.add("days", day="2026-05-02", remark="All day")
    own.run()
    rows = bc.rows["openDays"]
    assert sorted((row["day"], row["remark"]) for row in rows) == [
        ("2026-05-01", "Late"),
        ("2026-05-02", "All day"),
    ]
    own.quiet()
    assert check_configuration() == 0, capsys.readouterr().out
    shop.edit("days", first, remark="Later")
    bc.change("openDays", rows[1], remark="Closed")
    own.run()
    assert sorted(row["remark"] for row in rows) == ["Closed", "Later"]
    own.quiet()
    assert not unexplained()


def declared(*keys: str, forbids: tuple[str, ...] = ()) -> Metadata:
    of = {"code": "String(10)", "day": "Date", "kind": "kind", "open": "Boolean", "at": "DateTimeOffset"}
    of |= {"share": "Decimal", "number": "Int32", "long": "Duration", "own": "Guid"}
    page = OwnPage("thing", keys, of, enums={"kind": ("_x0020_", "Other")}, forbids=forbids)
    return read_metadata(metadata_of({"things": page}).encode(), "a/b/v1.0")


@pytest.mark.parametrize("forbids", [(), CLOSED], ids=["written", "read alone"])
@pytest.mark.parametrize(
    "keys",
    [
        "code",
        "day",
        "kind",
        "open",
        "number",
        "own",
        "share",
        "at",
        "long",
        "code day",
        "open kind",
        "share at",
    ],
)
def test_every_draft_is_a_description_that_is_read(
    tmp_path: Path, keys: str, forbids: tuple[str, ...]
) -> None:
    """Whatever the key is of: what cannot be one is told, and not written."""
    metadata = declared(*keys.split(), forbids=forbids)
    if {"share", "at", "long"} & {*keys.split()}:
        with pytest.raises(ConfigurationFault, match="things has the key"):
            draft_of(metadata, "things")
        return
    draft = draft_of(metadata, "things", notices=False)
    (file := tmp_path / "things.yaml").write_text(text_of(draft), encoding="utf-8")
    assert load_entity(file) == draft.set


@pytest.mark.parametrize("own", [PAGES], indirect=True)
def test_what_no_description_can_hold_is_not_written(own: Own, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(metadata: Metadata, name: str, *, called: str | None, notices: bool) -> Draft:
        draft = draft_of(metadata, name, called=called, notices=notices)
        return replace(draft, set=draft.set.model_copy(update={"key": "gone"}))

    monkeypatch.setattr(entities, "draft_of", broken)
    with pytest.raises(ConfigurationFault, match="openDays is such as .* key: there is no property 'gone'"):
        new_entity("openDays", api=HALL, called=None)
    assert not [*(own.folder / "entities").iterdir()]
