"""A shop whose records are changed by actions against the version in the body is connected by a description."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from talk_pipeline.cli.configuration import check_configuration
from talk_pipeline_tests.flow_files import replaced
from talk_pipeline_tests.systems.customwebshop.shops.door import Connected, connect, opened, unexplained
from talk_pipeline_tests.systems.customwebshop.shops.told_shop import CONNECTOR, ToldShop
from talk_pipeline_tests.world import World


class Told(Connected):
    """The shop of actions."""

    shop: ToldShop


@pytest.fixture
def told(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Told]:
    shop = ToldShop()
    with opened(shop) as address:
        connect(monkeypatch, url=address, connector=CONNECTOR)
        yield Told(shop, world)


def test_records_travel_there_and_back(told: Told, capsys: pytest.CaptureFixture[str]) -> None:
    told.there_and_back()
    assert sorted(told.shop.writes) == [
        "addLine orders",
        "changeLine orders",
        "removeLine orders",
        "setAddress customers",
        "setContact customers",
        "setPrice products",
        "setTitle products",
    ]
    assert not told.shop.stale, "each answer tells the version for the next change"
    status = check_configuration()
    said = capsys.readouterr().out
    assert status == 0, said
    assert "version is heeded" in said
    told.audited()


def test_what_somebody_edits_in_between_is_not_overwritten(told: Told) -> None:
    told.fill()
    told.run()
    there = told.there("product", told.product)
    told.shop.meanwhile = ("products", told.product, {"price": "77.00"})
    told.world.bc.patch("items", there, {"displayName": "Of the books"})
    told.run()
    told.run()
    assert told.shop.stale == 1
    product = told.shop.tables["products"][told.product]
    assert (product["title"], product["price"]) == ("Of the books", "77.00")
    assert told.world.bc.get("items", there)["unitPrice"] == 77
    told.quiet()
    line = told.lines_there()[0]
    told.shop.meanwhile = ("orders", told.order, {"number": "O1"})
    told.world.bc.patch("salesOrderLines", line["id"], {"quantity": 9})
    told.run()
    told.run()
    assert told.lines_here()[0]["quantity"] in ("9", 9)
    told.quiet()
    assert not unexplained()


def test_a_call_for_a_value_of_a_line_whose_answer_is_lost_is_not_made_again(
    told: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    change = '{<<: *one, constants: {action: changeLine, line: "{line}"}}'
    acting = change.replace("{<<: *one,", "{<<: *one, when: {quantity: '9'},").replace(
        "changeLine", "makeNine"
    )
    file = tmp_path / "told.yaml"
    words = replaced(CONNECTOR.read_text(encoding="utf-8"), (change, f"[{change}, {acting}]"))
    file.write_text(words, encoding="utf-8")
    connect(monkeypatch, connector=file)
    told.fill()
    told.run()
    told.shop.slow = "makeNine"
    told.world.bc.patch("salesOrderLines", told.lines_there()[0]["id"], {"quantity": 9})
    for _ in range(3):
        told.world.step()
    (row,) = told.world.step().finding("order", "references_resolve").rows
    assert "504" in row["reason"]
    assert len(told.shop.later) == 1
    told.shop.carry_out()
    told.run()
    assert told.lines_here()[0]["quantity"] == "9"
    assert told.shop.writes == ["changeLine orders", "makeNine orders"], (
        "the price goes along with the quantity"
    )
    told.quiet()


@pytest.mark.parametrize(
    ("operation", "call", "why"),
    [("create", "addLine", "say one under create"), ("delete", "removeLine", "no removal of an entry")],
)
def test_a_change_of_lines_that_the_shop_does_not_take_is_refused_by_name(
    told: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, operation: str, call: str, why: str
) -> None:
    words = CONNECTOR.read_text(encoding="utf-8")
    (said,) = [text for text in words.splitlines() if call in text]
    file = tmp_path / "told.yaml"
    file.write_text(replaced(words, (said, f"        {operation}: none")), encoding="utf-8")
    connect(monkeypatch, connector=file)
    told.fill()
    told.run()
    (first,) = told.lines_there()
    if operation == "create":
        entry = {"lineType": "Item", "itemId": first["itemId"], "quantity": 5, "unitPrice": 9}
        told.world.bc.post(f"salesOrders({told.there('order', told.order)})/salesOrderLines", entry)
    else:
        told.world.bc.delete("salesOrderLines", first["id"])
    (row,) = told.world.step().finding("order", "no_quarantined_records").rows
    assert why in row["reason"]
    assert not told.shop.writes
