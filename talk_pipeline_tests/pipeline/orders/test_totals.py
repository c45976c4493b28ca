"""Totals are compared before an order is there: told line by line, and held where the flow asks for it."""

import random
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

from talk_pipeline.engine.manual import resolutions
from talk_pipeline.engine.manual.decisions import Hand
from talk_pipeline.engine.manual.lookup import find
from talk_pipeline.engine.model import ByHandError
from talk_pipeline.engine.plan.totals import differences
from talk_pipeline.engine.report.attention import attention
from talk_pipeline.engine.report.explain import explanation
from talk_pipeline.installation import Connections
from talk_pipeline.settings import Settings
from talk_pipeline.systems.customwebshop.spec.description import REFERENCE
from talk_pipeline_tests.flow_files import copied_flows, replaced
from talk_pipeline_tests.pipeline.charges import FEE, NAMED
from talk_pipeline_tests.pipeline.records import customer, line, order, product
from talk_pipeline_tests.variants import variants
from talk_pipeline_tests.world import World

Row = dict[str, Any]
HOLD = ("hold_if_totals_differ: false", "hold_if_totals_differ: true")
TOTALS = {False: "total_excl_tax", True: "total_incl_tax"}
"""What is known before an order is there, by whether its prices include tax."""


class Till:
    """A shop's orders, and what becomes of them."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.buyer = world.shop.post("customers", customer())["id"]
        self.lamp = world.shop.post("products", product("LAMP"))["id"]

    def place(self, number: str, **values: Any) -> str:
        lamps = [line(self.lamp, "2", "100.00")]
        return str(self.world.shop.post("orders", order(number, self.buyer, lamps) | values)["id"])

    def there(self) -> dict[str, Row]:
        return {row["externalDocumentNumber"]: row for row in self.world.bc.orders().values()}

    def explained(self, shop_id: str) -> Row:
        connections = Connections(Settings.load())
        flow = connections.flows["order"]
        with connections.state.once() as db:
            return explanation(db, connections.flows, flow, find(db, flow, shop_id))

    def waiting(self) -> list[Row]:
        connections = Connections(Settings.load())
        with connections.state.once() as db:
            return [one.document() for one in attention(db, connections.flows).items]

    def retry(self, text: str | None = None) -> str:
        connections = Connections(Settings.load())
        with connections.state.once() as db:
            return resolutions.retry(
                Hand(db, connections.flows, connections.flows["order"], by="a tester"), text
            ).message


def _use(world: World, monkeypatch: pytest.MonkeyPatch, *edits: tuple[str, str], told: bool) -> Till:
    """A company whose flow is edited, and a shop whose description tells of charges, or has forgotten them."""
    if world.profile != "reference":
        pytest.skip("edits the description of the reference API")
    folder = world.data.parent / "flows"
    copied_flows(folder)
    file = folder / "order.yaml"
    file.write_text(replaced(file.read_text(), *edits))
    monkeypatch.setenv("TALK_FLOWS_DIR", str(folder))
    if not told:
        kept = [
            row
            for row in REFERENCE.read_text().splitlines()
            if not row.strip().startswith(("shipping:", "fees:"))
        ]
        described = world.data.parent / "forgetful.yaml"
        described.write_text("\n".join(kept))
        monkeypatch.setenv("CUSTOMWEBSHOP_CONNECTOR", str(described))
    return Till(world)


@pytest.fixture
def holding(world: World, monkeypatch: pytest.MonkeyPatch) -> Till:
    """Orders that would differ are held, and the shop charges what its description does not tell."""
    return _use(world, monkeypatch, HOLD, told=False)


@pytest.mark.parametrize("taxed", [False, True])
def test_an_order_that_would_differ_waits_by_name_until_it_is_put_right(holding: Till, taxed: bool) -> None:
    lines = [line(holding.lamp, "3", "0.333"), line(holding.lamp, "2", "100.00", discount_percent="10")]
    wrong = holding.place(
        "O1", lines=lines, shipping_amount="79.00", discount_amount="5.00", prices_include_tax=taxed
    )
    holding.place("O2", prices_include_tax=taxed)
    run = holding.world.step()
    assert not run.failed()
    assert list(holding.there()) == ["O2"], "only what differs is held"
    state, reason = holding.world.state("order", wrong) or ("", "")
    assert state == "quarantined"
    assert (
        f"{TOTALS[taxed]}: the shop says 255.00, and Business Central would make it 176.00, 79.00 less"
        in reason
    )
    assert "3 x 0.333 = 1.00; " in reason
    assert "2 x 100 - 10 % = 180.00; discount_amount -5.00" in reason
    finding = run.finding("order", "totals_before_create")
    assert (finding.verdict, finding.found) == ("warned", 1)
    assert finding.rows[0]["comes_to"] == "176.00"
    (item,) = [one for one in holding.waiting() if one["flow"] == "order"]
    assert item["reason"] == reason
    assert f"talk-pipeline retry order {wrong}" in item["next_step"]
    (told,) = holding.explained(wrong)["differences"]
    assert (told["shop_value"], told["comes_to"], told["difference"]) == ("255.00", "176.00", "-79.00")
    assert [term["comes_to"] for term in told["terms"]] == ["1.00", "180.00", "-5.00"]
    assert holding.world.step("order").writes() == 0
    holding.world.shop.patch("orders", wrong, {"shipping_amount": "0.00"})
    assert not holding.world.step("order").failed()
    assert set(holding.there()) == {"O1", "O2"}
    assert holding.explained(wrong)["state"] == "active"
    assert holding.explained(wrong)["differences"] == []


def test_what_was_refused_is_tried_again_and_its_total_is_still_asked_about(holding: Till) -> None:
    placed = holding.place("O1")
    refused = {"match": {"method": "POST", "path": "salesOrders"}, "fault": {"status": 400}, "times": None}
    holding.world.bc.control("faults", [refused])
    holding.world.step()
    holding.world.shop.patch("orders", placed, {"shipping_amount": "79.00"})
    holding.world.step("order")
    assert "the shop says" not in (holding.world.state("order", placed) or ("", ""))[1], "nobody asked"
    holding.world.bc.control("faults", [])
    holding.retry(placed)
    holding.world.step("order")
    assert holding.there() == {}
    assert "the shop says 279.00" in (holding.world.state("order", placed) or ("", ""))[1]


def test_a_person_lets_one_go_as_it_is(holding: Till) -> None:
    first = holding.place("O1", shipping_amount="79.00")
    second = holding.place("O2", shipping_amount="12.00")
    holding.world.step()
    assert holding.there() == {}
    assert "nothing is given up on" in holding.retry(), "never a whole flow at once"
    assert holding.world.step("order").writes() == 0
    holding.retry(first)
    assert (
        "decided" in holding.explained(first)["next_step"]
        or "retried" in holding.explained(first)["next_step"]
    )
    holding.retry(second)
    holding.world.shop.patch(
        "orders", second, {"shipping_amount": "13.00"}
    )  # another number, another question
    run = holding.world.step("order")
    assert not run.failed()
    assert list(holding.there()) == ["O1"]
    assert "213.00" in (holding.world.state("order", second) or ("", ""))[1]
    holding.retry("O2")
    holding.world.step("order")
    assert set(holding.there()) == {"O1", "O2"}
    assert run.finding("order", "property_total_excl_tax").verdict == "warned", "and it goes on being told"
    assert holding.world.step("order").writes() == 0
    with pytest.raises(ByHandError, match="not quarantined"):
        holding.retry(first)


@pytest.mark.reaches
def test_one_that_a_person_entered_and_posted_there_has_ended(holding: Till) -> None:
    wrong = holding.place("O1", shipping_amount="79.00")
    holding.world.step()
    assert (holding.world.state("order", wrong) or ("", ""))[0] == "quarantined"
    bc = holding.world.bc
    buyer, item = (next(iter(bc.all(name))) for name in ("customers", "items"))
    lines = [{"itemId": item, "quantity": 2, "unitPrice": 139.5}]
    values = {"customerId": buyer, "externalDocumentNumber": "O1", "salesOrderLines": lines}
    made = bc.post("salesOrders", values)["id"]
    for verb in ("ship", "invoice"):
        bc.control(f"sales-orders/{made}/{verb}")
    assert not holding.world.step("order", full=True).failed()
    assert (holding.world.state("order", wrong) or ("", ""))[0] == "closed"
    assert holding.there() == {}


def test_by_default_it_is_created_and_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    till = _use(world, monkeypatch, told=False)
    wrong = till.place("O1", shipping_amount="79.00")
    dry = world.sync(dry_run=True)
    finding = dry.finding("order", "totals_before_create")
    assert finding.summary == "1 total that differ by more than 0.05, not held"
    assert [(row["shop_value"], row["comes_to"]) for row in finding.rows] == [("279.00", "200.00")]
    run = world.step()
    assert list(till.there()) == ["O1"]
    assert run.finding("order", "totals_before_create").passed, "there is nothing to create any more"
    assert run.finding("order", "property_total_excl_tax").verdict == "warned"
    assert [one["property"] for one in till.explained(wrong)["differences"]] == ["total_excl_tax"]


def test_what_is_not_known_before_is_not_guessed(holding: Till) -> None:
    """With prices before tax the total with tax rests on Business Central's rates, and the other way round."""
    connections = Connections(Settings.load())
    flow = connections.flows["order"]
    every = flow.but(settings=flow.settings.but(tolerance=-1))
    ids = {taxed: holding.place(f"O{taxed:d}", prices_include_tax=taxed) for taxed in (False, True)}
    holding.world.step()
    with connections.state.once() as db:
        for taxed, shop_id in ids.items():
            assert [one.prop for one in differences(db, every, [shop_id])] == [TOTALS[taxed]]


def _made_up(dice: random.Random, till: Till) -> Mapping[str, Any]:
    """An order with as many digits as Business Central takes, and what the shop lets it get off."""
    lines = [
        line(
            till.lamp,
            str(dice.choice([1, 3, 7, Decimal(dice.randint(1, 99999)) / 1000])),
            str(
                dice.choice(
                    ["0.333", "33.33", "0.005", Decimal(dice.randint(1, 10**7)) / 10 ** dice.randint(2, 5)]
                )
            ),
            discount_percent=str(dice.choice([0, 0, 10, "33.33", "12.5"])),
        )
        for _ in range(dice.randint(1, 5))
    ]
    fees = [{**FEE, "amount": f"{dice.randint(1, 5000) / 100:.2f}"} for _ in range(dice.randint(0, 2))]
    return {
        "lines": [*lines, line(till.lamp, "2", "100.00")],
        "prices_include_tax": dice.random() < 0.5,
        "discount_amount": dice.choice(["0.00", "0.01", "66.67", "200.00"]),
        "shipping_amount": dice.choice(["0.00", "49.00", "79.95"]),
        "fees": fees,
    }


@variants("seed", range(3))
def test_what_is_reckoned_is_what_business_central_makes_of_it(
    world: World, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    dice = random.Random(seed)
    till = _use(world, monkeypatch, HOLD, NAMED, ("tolerance: 0.05", "tolerance: 0"), told=True)
    ids = {till.place(f"O{n}", **_made_up(dice, till)): f"O{n}" for n in range(12)}
    assert not world.step().failed()
    there = till.there()
    connections = Connections(Settings.load())
    flow = connections.flows["order"]
    every = flow.but(settings=flow.settings.but(tolerance=-1))
    with connections.state.once() as db:
        found = list(differences(db, every, list(ids)))
    assert len(found) == len(ids)
    for one in found:
        bc = there[ids[one.shop_id]]
        own = "totalAmountIncludingTax" if bc["pricesIncludeTax"] else "totalAmountExcludingTax"
        assert one.made_of.total == bc[own], (one.reason, bc)
        assert one.beyond == 0
