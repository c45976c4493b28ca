"""A GraphQL shop with pages of lists within records, and changes told value by value, is described."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from talk_pipeline.cli.configuration import check_configuration
from talk_pipeline_tests.flow_files import edited_flows, replaced
from talk_pipeline_tests.systems.customwebshop.shops.door import Connected, connect, opened, unexplained
from talk_pipeline_tests.systems.customwebshop.shops.staged_shop import CONNECTOR, StagedShop
from talk_pipeline_tests.world import World


class Staged(Connected):
    """The shop with edits in stages."""

    shop: StagedShop

    def fill_lines(self, count: int) -> None:
        """As many lines in the order."""
        lines = self.shop.tables["orders"][self.order]["lines"]
        for n in range(count - len(lines)):
            lines |= self.shop.line(self.product, str(n + 3), "7.00")
        self.shop.edit("orders", self.order, lines=lines)


@pytest.fixture
def staged(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Staged]:
    shop = StagedShop()
    with opened(shop) as address:
        connect(monkeypatch, url=address, connector=CONNECTOR, token="staged-shop-1")
        shop.token = "staged-shop-1"
        yield Staged(shop, world)


def test_records_travel_there_and_back(staged: Staged, capsys: pytest.CaptureFixture[str]) -> None:
    staged.there_and_back()
    assert not staged.shop.edits
    status = check_configuration()
    told = capsys.readouterr().out
    assert status == 0, told
    staged.audited()


def test_the_lines_of_a_record_are_read_page_by_page(staged: Staged) -> None:
    staged.fill()
    staged.fill_lines(5)
    staged.run()
    assert [row["quantity"] for row in staged.lines_there()] == [2, 3, 4, 5, 6]
    assert staged.shop.asked
    staged.quiet()
    last = staged.lines_there()[-1]
    staged.world.bc.patch("salesOrderLines", last["id"], {"quantity": 60})
    staged.run()
    assert [row["quantity"] for row in staged.lines_here()][-1] == "60"
    assert len(staged.lines_here()) == 5
    staged.quiet()
    assert not unexplained()


def test_lists_that_go_on_are_never_cut(
    staged: Staged, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    staged.fill()
    staged.fill_lines(5)
    staged.shop.stuck = True
    (told, *_) = staged.world.pass_over("order")
    assert "the list at 'items.edges' comes to no end: check `paging` of it" in told
    staged.shop.stuck = False
    said = CONNECTOR.read_text()
    (paging,) = (line for line in said.splitlines() if line.startswith("        paging:"))
    (tmp_path / "cut.yaml").write_text(replaced(said, (f"{paging}\n", "")))
    monkeypatch.setenv("CUSTOMWEBSHOP_CONNECTOR", str(tmp_path / "cut.yaml"))
    (told, *_) = staged.world.pass_over("order")
    assert (
        "the lines of a record go on, since items.pageInfo.hasNextPage is true: say `paging` of them" in told
    )


def test_all_that_is_wrong_is_told(staged: Staged, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    edited_flows(tmp_path, monkeypatch, customer=("create: always", "create: both"))
    staged.fill()
    staged.run()
    made = {
        "number": "NEW",
        "displayName": "New",
        "email": "n@company.example",
        "website": "https://n.example",
    }
    staged.world.bc.post("customers", made)
    staged.run()
    assert [row["extras"] for row in staged.shop.tables["customers"].values() if "extras" in row] == [
        {"web": "https://n.example"}
    ]
    staged.shop.refuses = "that is no title"
    staged.world.bc.patch("items", staged.there("product", staged.product), {"displayName": "Renamed"})
    (row,) = staged.world.step("product").finding("product", "no_quarantined_records").rows
    assert row["reason"] == "200: input.name: that is no title"
