"""Lines of a page that shows no versions: nothing at the door tells an edit meanwhile, so each is looked at."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from talk_pipeline.run.record_writer import ChangesetWriter
from talk_pipeline_tests.systems.businesscentral.own_page import OwnPage, Row
from talk_pipeline_tests.systems.businesscentral.test_own_pages import (
    MOMENT,
    PAGES,
    RENTAL,
    RENTAL_FLOW,
    RENTED,
    Own,
    own,
)
from talk_pipeline_tests.systems.customwebshop.shops.door import unexplained

__all__ = ["own"]  # a fixture is known where it is named

BARE: Mapping[str, Mapping[str, OwnPage]] = {
    RENTAL: {name: replace(page, etag=False) for name, page in PAGES[RENTAL].items()}
}
LINES = "rentalContractLines"


def synchronized(own: Own) -> str:
    """A contract of two lines that both sides know."""
    flow = f"{RENTAL_FLOW}settings: {{conflict: businesscentral}}\n"
    own.connect(RENTAL, "rentalContracts", entity=RENTED, flow=flow)
    lines = [{"line": n, "thing": f"T{n}", "rate": f"{n}.5"} for n in (1, 2)]
    key = own.shop.add("contracts", number="C1,7", name="Crane", lines=lines)
    own.run()
    own.quiet()
    return key


def meanwhile(monkeypatch: pytest.MonkeyPatch, method: str, edit: Callable[[], object]) -> None:
    """Somebody edits in Business Central just before a step of the next write."""
    real = getattr(ChangesetWriter, method)

    async def edited_before(*told: Any) -> Any:
        monkeypatch.setattr(ChangesetWriter, method, real)
        edit()
        return await real(*told)

    monkeypatch.setattr(ChangesetWriter, method, edited_before)


def rates(own: Own) -> dict[int, Decimal]:
    return {row["lineNo"]: Decimal(str(row["dailyRate"])) for row in own.bc.rows[LINES]}


@pytest.mark.parametrize("own", [BARE], indirect=True)
def test_an_edit_of_a_line_meanwhile_is_not_overwritten(own: Own, monkeypatch: pytest.MonkeyPatch) -> None:
    key = synchronized(own)
    first: Row = own.bc.rows[LINES][0]
    lines = own.shop.tables["contracts"][key]["lines"]
    own.shop.edit("contracts", key, lines=[{**lines[0], "thing": "T9"}, lines[1]])
    meanwhile(
        monkeypatch,
        "_write_child",
        lambda: own.bc.change(LINES, first, dailyRate=Decimal("7.25"), itemNo="T8"),
    )
    own.world.step()
    assert first["itemNo"] == "T8", "what was planned is not written over what nobody had seen"
    own.world.step(full=True)
    assert first["dailyRate"] == Decimal("7.25")
    own.world.step(full=True)
    own.quiet()
    assert not unexplained()


@pytest.mark.parametrize("own", [BARE], indirect=True)
def test_a_line_that_was_edited_meanwhile_is_not_removed_unseen(
    own: Own, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = synchronized(own)
    first: Row = own.bc.rows[LINES][0]
    own.shop.edit("contracts", key, lines=own.shop.tables["contracts"][key]["lines"][1:])
    meanwhile(monkeypatch, "_write_child", lambda: own.bc.change(LINES, first, dailyRate=Decimal("7.25")))
    own.world.step()
    assert sorted(rates(own)) == [1, 2], "it is planned anew, with the edit"


@pytest.mark.parametrize("own", [BARE], indirect=True)
def test_a_line_that_nobody_touched_is_changed_and_removed(own: Own) -> None:
    key = synchronized(own)
    lines = own.shop.tables["contracts"][key]["lines"]
    own.shop.edit("contracts", key, lines=[{**lines[1], "rate": "3"}])
    own.run()
    assert rates(own) == {2: Decimal(3)}
    own.quiet()
    assert not unexplained()


@pytest.mark.parametrize("own", [BARE], indirect=True)
def test_nor_is_an_edit_of_its_record_taken_for_what_follows_from_the_line(
    own: Own, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a line moves its record, that is written as it was, not over what somebody wrote meanwhile."""
    key = synchronized(own)
    file = own.folder / "entities" / "rentalContracts.yaml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("  contractLines:\n", "  contractLines:\n    moves: [description]\n"))
    own.quiet()
    (contract,) = own.bc.rows["rentalContracts"]
    lines = own.shop.tables["contracts"][key]["lines"]
    own.shop.edit("contracts", key, lines=[{**lines[0], "rate": "4"}, lines[1]])
    edit = {"description": "Crane of 9 t"}
    meanwhile(monkeypatch, "_as_planned", lambda: own.bc.change("rentalContracts", contract, **edit))
    own.world.step(full=True)
    own.world.step(full=True)
    assert contract["description"] == "Crane of 9 t"
    assert own.shop.tables["contracts"][key]["name"] == "Crane of 9 t"
    assert rates(own) == {1: Decimal(4), 2: Decimal("2.5")}
    own.quiet()

    own.shop.edit("contracts", key, lines=[{**lines[0], "rate": "5"}, lines[1]])
    meanwhile(monkeypatch, "_write_last", lambda: own.bc.change("rentalContracts", contract, description=""))
    own.run()
    assert rates(own)[1] == 5
    assert contract["description"] == "Crane of 9 t", "the page worked it out, and it is as it was again"
    own.quiet()
    assert not unexplained()


THINGS = "rentalThings"
NAMED: Mapping[str, Mapping[str, OwnPage]] = {
    RENTAL: {
        "rentalContracts": BARE[RENTAL]["rentalContracts"],
        LINES: replace(
            BARE[RENTAL][LINES],
            said={**BARE[RENTAL][LINES].said, "remark": "String(10)", "remark2": "String(10)"},
        ),
        THINGS: OwnPage(
            "rentalThing",
            ("code",),
            {"code": "String(20) code", "title": "String(100)", "systemModifiedAt": MOMENT},
            modified="systemModifiedAt",
        ),
    }
}
THING = "  things: {path: /things}\n"
THING_FLOW = """flow: thing
title: Things
customwebshop: {asset: thing, entity: things}
businesscentral: {asset: rental_things, entity: rentalThings}
match: [sku]
create_key: sku
properties:
  - {shop: sku,  dir: ->,  bc: code,  type: code(20), only: create}
  - {shop: name, dir: <->, bc: title, type: text(100)}
"""
NAMING = """      - {shop: thing_id, dir: ->, bc: itemNo, type: reference(thing), told_by: sku, only: create}
      - {name: remark, shop: remark, dir: <->, bc: remark, type: text(10), split: [remark, remark2]}
      - {name: remark2, shop: remark, dir: <->, bc: remark2, type: text(10)}
"""
NAMING_FLOW = RENTAL_FLOW.replace("      - {shop: thing, dir: <->, bc: itemNo,    type: code(20)}\n", NAMING)


@pytest.mark.parametrize("own", [NAMED], indirect=True)
def test_one_that_says_what_the_plan_reads_otherwise_is_changed_and_removed(own: Own) -> None:
    """A reference says there what it is told by, and a text of two places may be broken at any word."""
    own.connect(RENTAL, THINGS, entity=THING, flow=THING_FLOW)
    own.connect(RENTAL, "rentalContracts", entity=THING + RENTED, flow=NAMING_FLOW)
    things = [own.shop.add("things", sku=f"T{n}", name=f"Thing {n}") for n in (1, 2)]
    lines = [
        {"line": n, "thing_id": thing, "rate": f"{n}.5", "remark": None} for n, thing in enumerate(things, 1)
    ]
    key = own.shop.add("contracts", number="C1,7", name="Crane", lines=lines)
    own.run()
    first: Row = own.bc.rows[LINES][0]
    assert first["itemNo"] == "T1"
    own.bc.change(LINES, first, remark="By", remark2="crane")
    own.run(full=True)
    own.quiet()
    lines = own.shop.tables["contracts"][key]["lines"]
    assert lines[0]["remark"] == "By crane"
    own.shop.edit("contracts", key, lines=[{**lines[0], "rate": "3"}, lines[1]])
    own.run()
    assert rates(own) == {1: Decimal(3), 2: Decimal("2.5")}
    own.quiet()
    own.shop.edit("contracts", key, lines=[{**lines[0], "rate": "3"}])
    own.run()
    assert rates(own) == {1: Decimal(3)}
    own.quiet()
    assert not unexplained()
