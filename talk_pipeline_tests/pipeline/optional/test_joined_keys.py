"""Records that only several properties together tell apart: they are read alone, and called by what these say."""

from pathlib import Path

import pytest

from talk_pipeline_tests.cli.command_line import run
from talk_pipeline_tests.pipeline.documents import with_optional
from talk_pipeline_tests.pipeline.optional.test_further_records import Page, shown
from talk_pipeline_tests.pipeline.records import product
from talk_pipeline_tests.pipeline.second_opinion import unexplained
from talk_pipeline_tests.world import World

DESCRIBED = """entity: salesPrices
api: sample/sales/v1.0
key: called
grouped_by: [itemId, priceGroup, currencyCode]
modified: ~
writes: []
notices: false
properties:
  called: text read # made of these
  itemId: guid read
  priceGroup: code(20) read
  currencyCode: code(10) read
  minimumQuantity: decimal read
  unitPrice: decimal read
  startingDate: date read
  endingDate: date read
"""


@pytest.fixture
def priced(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """A page that shows no SystemId: item, group and currency say which price is meant."""
    file = with_optional(world, tmp_path, monkeypatch, "price") / "price.yaml"
    text = file.read_text(encoding="utf-8")
    assert "bc: systemId, " in text
    file.write_text(text.replace("bc: systemId, ", "bc: called, ").replace("text(40)", "text(200)"))
    folder = tmp_path / "entities"
    folder.mkdir()
    (folder / "salesPrices.yaml").write_text(DESCRIBED, encoding="utf-8")
    monkeypatch.setenv("BUSINESSCENTRAL_ENTITIES_DIR", str(folder))
    return world


def told(world: World) -> list[tuple[str, str | None]]:
    return sorted((row["price"], row["group"]) for row in shown(world, "prices"))


def test_each_is_told_once_follows_and_goes(priced: World) -> None:
    item = priced.shop.post("products", product())["id"]
    assert not priced.step("product").failed()
    done = run("check-config")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "$metadata" not in done.stdout
    page, bc_id = Page(priced, "salesPrices"), priced.counterpart("product", item)
    first = page.post(itemId=bc_id, priceGroup="RETAIL", unitPrice=90)
    page.post(itemId=bc_id, unitPrice=95, minimumQuantity=2)
    assert not priced.step().failed()
    assert told(priced) == [("90.00", "RETAIL"), ("95.00", None)]
    assert priced.step(full=True).writes() == 0
    assert not unexplained()

    page.patch(first, unitPrice=80)
    assert priced.step("price").writes() == 1
    assert told(priced) == [("80.00", "RETAIL"), ("95.00", None)]
    page.delete(first)
    assert not priced.step("price", full=True).failed()
    assert told(priced) == [("95.00", None)]
    assert not unexplained()


def test_rows_of_one_record_that_differ_are_named_and_nothing_lands(priced: World) -> None:
    """What was taken for a key is none: the flow stops, since of two values none may be picked."""
    item = priced.shop.post("products", product())["id"]
    assert not priced.step("product").failed()
    page, bc_id = Page(priced, "salesPrices"), priced.counterpart("product", item)
    for least, price in ((1, 90), (10, 80)):
        page.post(itemId=bc_id, priceGroup="RETAIL", unitPrice=price, minimumQuantity=least)
    (problem,) = priced.step("price").problems
    assert (
        f"salesPrices of Business Central has rows of one record (itemId '{bc_id}', priceGroup 'RETAIL'"
        in problem
    )
    assert "differ in minimumQuantity: where it is described name it under grouped_by" in problem
    assert not shown(priced, "prices")
