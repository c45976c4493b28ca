"""A value that is written by a call of its own: chosen by the value, made once, and read back."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from talk_pipeline.cli.configuration import check_configuration
from talk_pipeline.flows.loading import FlowError
from talk_pipeline.systems.customwebshop.wire.fitting import load_description
from talk_pipeline_tests.flow_files import edited_flows, flows_in, replaced
from talk_pipeline_tests.systems.customwebshop.shops.action_shop import CONNECTOR, ActionShop
from talk_pipeline_tests.systems.customwebshop.shops.door import Connected, connect, opened, unexplained
from talk_pipeline_tests.world import World


class Actions(Connected):
    """The shop of actions."""

    shop: ActionShop

    def fill(self) -> None:
        super().fill()
        self.shop.edit("orders", self.order, state="open", delivery=None)

    def state(self) -> str:
        return str(self.shop.tables["orders"][self.order]["state"])

    def do(self, verb: str) -> None:
        """What a clerk does with the sales order."""
        self.world.bc.control(f"sales-orders/{self.there('order', self.order)}/{verb}")

    def wish(self, day: str) -> None:
        """An edit that goes by an ordinary call."""
        order = self.there("order", self.order)
        self.world.bc.patch("salesOrders", order, {"requestedDeliveryDate": day})

    def described(self, *changes: tuple[str, str]) -> None:
        self.file.write_text(replaced(CONNECTOR, *changes), encoding="utf-8")

    @property
    def file(self) -> Path:
        return self.world.data.parent / "shop.yaml"


@pytest.fixture
def actions(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Actions]:
    edited_flows(tmp_path, monkeypatch, product=("create: always", "create: both"))
    shop = ActionShop()
    with opened(shop) as address:
        connected = Actions(shop, world)
        connected.described()
        connect(monkeypatch, url=address, token="x", connector=connected.file)
        yield connected


def test_each_value_has_its_call(actions: Actions, capsys: pytest.CaptureFixture[str]) -> None:
    actions.fill()
    actions.run()
    actions.quiet()
    shop, bc = actions.shop, actions.world.bc
    assert check_configuration() == 0, capsys.readouterr().out
    assert not shop.calls
    assert not shop.writes

    actions.wish("2027-01-31")
    actions.do("release")
    actions.run()
    assert shop.calls == ["accept orders"]
    assert shop.writes == ["PATCH orders delivery"]
    assert actions.state() == "accepted"
    actions.quiet()
    actions.do("ship")
    actions.run()
    actions.do("invoice")
    assert actions.world.step(full=True).success
    assert shop.calls == ["accept orders", "ship orders", "close orders"]
    actions.quiet()

    shop.calls.clear()
    bc.patch("items", actions.there("product", actions.product), {"blocked": True, "displayName": "Renamed"})
    bc.post(
        "items", {"number": "B1", "displayName": "Born there", "baseUnitOfMeasureCode": "PCS", "unitPrice": 5}
    )
    bc.post("items", {"number": "B2", "displayName": "Not yet", "blocked": True, "unitPrice": 5})
    actions.run()
    born = {
        row["sku"]: row["state"] for row in shop.tables["products"].values() if row["sku"].startswith("B")
    }
    assert born == {"B1": "published", "B2": "draft"}
    renamed = shop.tables["products"][actions.product]
    assert (renamed["title"], renamed["state"]) == ("Renamed", "draft")
    assert sorted(shop.calls) == ["publish products", "withdraw products"]
    actions.quiet()
    assert not unexplained("customer", "product")


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ("{when: {state: processing}}", "orders.update.1.when.state: no flow reads 'state'"),
        (
            "{when: {status: parcelled}}",
            "update.1.when.status: 'parcelled' is what the shop says: here stands what the flow says, 'shipped'",
        ),
    ],
)
def test_what_no_call_can_be_made_for_is_told(actions: Actions, said: str, problem: str) -> None:
    actions.described(('{when: {status: processing}, path: "{item}/accept", empty: true}', said))
    with pytest.raises(FlowError) as told:
        load_description(actions.file, flows=flows_in())
    assert problem in str(told.value)


def test_a_description_is_proven_without_a_call_that_acts(actions: Actions) -> None:
    actions.described(("    path: /orders\n", "    path: /orders\n    version: {at: changed}\n"))
    actions.fill()
    actions.shop.edit("orders", actions.order, state="accepted")
    check_configuration()
    assert not actions.shop.calls


def test_the_call_that_makes_a_record_is_made_whatever_it_says(actions: Actions) -> None:
    actions.described(("    create:\n      - {}\n", "    create:\n"))
    with pytest.raises(FlowError, match=r"products\.create\.0\.when: is for changes"):
        load_description(actions.file, flows=flows_in())


def test_a_value_without_a_call_is_refused_by_name_and_the_rest_goes_on(actions: Actions) -> None:
    actions.described(('      - {when: {status: processing}, path: "{item}/accept", empty: true}\n', ""))
    actions.fill()
    actions.run()
    actions.wish("2027-01-31")
    actions.do("release")
    (row,) = actions.world.step().finding("order", "no_quarantined_records").rows
    assert row["reason"] == (
        "status: no call tells this shop 'processing', only 'shipped', 'completed', 'cancelled': say one under "
        "update in CUSTOMWEBSHOP_CONNECTOR, with when: {status: processing}"
    )
    assert actions.shop.writes == ["PATCH orders delivery"]
    assert actions.shop.tables["orders"][actions.order]["delivery"] == "2027-01-31"
    actions.world.step()
    assert actions.shop.writes == ["PATCH orders delivery"]

    actions.described()  # a call for it is declared
    actions.run()
    assert actions.shop.calls == ["accept orders"]
    actions.quiet()


def test_what_the_call_refuses_leaves_the_rest(actions: Actions) -> None:
    actions.fill()
    actions.run()
    actions.shop.refuses = "accept"
    actions.wish("2027-01-31")
    actions.do("release")
    (row,) = actions.world.step().finding("order", "no_quarantined_records").rows
    assert row["reason"] == "status: 422: accept: not allowed"
    assert actions.shop.tables["orders"][actions.order]["delivery"] == "2027-01-31"
    actions.world.step()
    assert actions.shop.calls == ["accept orders"], "what was refused is not asked again"


@pytest.mark.parametrize(("slow", "status"), [(False, 504), (True, 504), (True, 202)])
def test_a_call_whose_answer_is_lost_is_looked_up_and_not_made_again(
    actions: Actions, slow: bool, status: int
) -> None:
    actions.fill()
    actions.run()
    actions.shop.slow, actions.shop.answers = slow, [status]
    actions.do("release")
    actions.world.step()
    actions.world.step()
    if slow:
        (row,) = actions.world.step().finding("order", "references_resolve").rows
        assert str(status) in row["reason"]
    assert actions.shop.calls == ["accept orders"]
    actions.shop.carry_out()
    actions.run()
    assert (actions.state(), actions.shop.calls) == ("accepted", ["accept orders"])
    actions.quiet()
