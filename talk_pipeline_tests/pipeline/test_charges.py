"""What an order charges beside its products: shipping and fees, both ways, until the totals agree."""

import random
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from talk_pipeline.flows.loading import FlowError, load_flows
from talk_pipeline_tests.flow_files import copied_flows, edited_flows
from talk_pipeline_tests.pipeline.faults import rule
from talk_pipeline_tests.pipeline.records import customer, line, order, product
from talk_pipeline_tests.world import World

Row = dict[str, Any]

FREIGHT, FEES = "1050", "1090"
NAMED = (
    'shipping_number: "", fee_type: Account, fee_number: ""',
    f'shipping_number: "{FREIGHT}", fee_type: Account, fee_number: "{FEES}"',
)


@pytest.fixture
def named(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """A company that says where shipping and fees go."""
    edited_flows(tmp_path, monkeypatch, order=NAMED)
    return world


class Charged:
    """One order of two lamps that charges more than them."""

    def __init__(self, world: World, **values: Any) -> None:
        self.world = world
        self.buyer = world.shop.post("customers", customer())["id"]
        self.lamp = world.shop.post("products", product("LAMP"))["id"]
        self.id = self.place("O1", **values)

    def place(self, number: str, **values: Any) -> str:
        lamps = [line(self.lamp, "2", "100.00")]
        return str(self.world.shop.post("orders", order(number, self.buyer, lamps, **values))["id"])

    @property
    def shop(self) -> Row:
        return self.world.shop.get("orders", self.id)

    @property
    def bc_id(self) -> str:
        return self.world.counterpart("order", self.id)

    @property
    def bc(self) -> Row:
        return self.world.bc.get("salesOrders", self.bc_id)

    def charges(self, number: str | None = None) -> list[Row]:
        """The lines on accounts and charges."""
        rows = sorted(self.bc["salesOrderLines"], key=lambda row: row["sequence"])
        return [
            row for row in rows if row["lineType"] != "Item" and number in (None, row["lineObjectNumber"])
        ]

    def edit(self, **values: Any) -> None:
        self.world.shop.patch("orders", self.id, values)

    def add(self, number: str, price: float, **values: Any) -> Row:
        """A line that a person adds in Business Central."""
        body = {"lineType": "Account", "lineObjectNumber": number, "quantity": 1, "unitPrice": price}
        return self.world.bc.post(f"salesOrders({self.bc_id})/salesOrderLines", body | values)

    def change(self, row: Row, **values: Any) -> None:
        self.world.bc.patch("salesOrderLines", row["id"], values)

    def step(self) -> None:
        run = self.world.step("order")
        assert not run.failed(), run.failed()

    def agree(self) -> None:
        """The totals are the same on both sides, and nothing is left to write."""
        shop, bc = self.shop, self.bc
        for mine, theirs in (
            ("total_excl_tax", "totalAmountExcludingTax"),
            ("total_tax", "totalTaxAmount"),
            ("total_incl_tax", "totalAmountIncludingTax"),
        ):
            assert Decimal(shop[mine]) == Decimal(str(bc[theirs])), (mine, shop, bc)
        assert self.world.step("order").writes() == 0


FEE = {"description": "Gift wrapping", "amount": "15.00"}


def test_an_order_arrives_with_what_it_charges(named: World) -> None:
    placed = Charged(named, shipping_amount="79.00", fees=[FEE])
    run = named.step()
    assert not run.failed()
    assert Decimal(placed.shop["total_incl_tax"]) == Decimal("367.50")
    assert [(row["lineObjectNumber"], row["unitPrice"], row["quantity"]) for row in placed.charges()] == [
        (FREIGHT, 79, 1),
        (FEES, 15, 1),
    ]
    assert placed.charges(FEES)[0]["description"] == "Gift wrapping"
    placed.agree()


def test_without_a_number_the_order_waits_by_name(world: World) -> None:
    placed = Charged(world, shipping_amount="79.00")
    other = placed.place("O2")
    world.step()
    state, reason = world.state("order", placed.id) or ("", "")
    assert state == "quarantined"
    assert "shipping: 79.00 has no place in Business Central" in reason
    assert "settings.constants.shipping_number" in reason
    assert world.counterpart("order", other)


def _amount_moves(placed: Charged) -> Decimal:
    placed.edit(shipping_amount="89.50")
    return Decimal("89.50")


def _amount_goes(placed: Charged) -> Decimal:
    placed.edit(shipping_amount="0.00")
    return Decimal(0)


def _price_moves(placed: Charged) -> Decimal:
    placed.change(placed.charges(FREIGHT)[0], unitPrice=99)
    return Decimal(99)


def _price_goes(placed: Charged) -> Decimal:
    placed.change(placed.charges(FREIGHT)[0], unitPrice=0)
    return Decimal(0)


def _line_goes(placed: Charged) -> Decimal:
    placed.world.bc.delete("salesOrderLines", placed.charges(FREIGHT)[0]["id"])
    return Decimal(0)


def _replaced(placed: Charged) -> Decimal:
    placed.world.bc.delete("salesOrderLines", placed.charges(FREIGHT)[0]["id"])
    placed.add(FREIGHT, 45)
    return Decimal(45)


@pytest.mark.parametrize(
    "edit", [_amount_moves, _amount_goes, _price_moves, _price_goes, _line_goes, _replaced]
)
def test_shipping_follows_both_ways(named: World, edit: Callable[[Charged], Decimal]) -> None:
    placed = Charged(named, shipping_amount="79.00", fees=[FEE])
    named.step()
    wanted = edit(placed)
    placed.step()
    assert Decimal(placed.shop["shipping_amount"]) == wanted
    assert sum(Decimal(str(row["unitPrice"])) for row in placed.charges(FREIGHT)) == wanted
    if edit is _amount_goes:
        assert not placed.charges(FREIGHT)
    placed.agree()


def test_shipping_added_on_either_side(named: World) -> None:
    placed = Charged(named)
    named.step()
    placed.add(FREIGHT, 60)
    placed.step()
    assert placed.shop["shipping_amount"] == "60.00"
    placed.agree()
    other = Charged.__new__(Charged)
    other.__dict__ |= placed.__dict__
    other.id = placed.place("O2")
    named.step()
    other.edit(shipping_amount="12.00")
    other.step()
    assert [row["unitPrice"] for row in other.charges(FREIGHT)] == [12]
    other.agree()


def test_fees_come_and_go_on_either_side(named: World) -> None:
    placed = Charged(named, fees=[FEE, {"description": "Insurance", "amount": "5.00"}])
    named.step()
    placed.edit(fees=[{"id": placed.shop["fees"][0]["id"]}, {"description": "Express", "amount": "20.00"}])
    placed.step()
    assert [row["description"] for row in placed.charges(FEES)] == ["Gift wrapping", "Express"]
    placed.agree()
    placed.add(FEES, 7, description="Handling")
    named.bc.delete("salesOrderLines", placed.charges(FEES)[0]["id"])
    placed.step()
    assert [(fee["description"], fee["amount"]) for fee in placed.shop["fees"]] == [
        ("Express", "20.00"),
        ("Handling", "7.00"),
    ]
    placed.agree()


def test_a_second_freight_line_is_named_and_never_summed(named: World) -> None:
    placed = Charged(named, shipping_amount="79.00")
    named.step()
    if named.has_room("order", "shipping"):
        placed.add(FREIGHT, 40)
        placed.step()
        assert placed.shop["shipping_amount"] == "119.00"
        placed.agree()
        return
    placed.add(FREIGHT, 40)
    placed.step()
    assert placed.shop["shipping_amount"] == "79.00"
    state, reason = named.state("order", placed.id) or ("", "")
    assert state == "quarantined"
    assert "shipping" in reason
    assert "room for 1" in reason
    assert len(placed.charges(FREIGHT)) == 2
    placed.edit(phone="+45 11 22 33 44")  # and nothing else stops
    placed.step()
    assert placed.bc["phoneNumber"].replace(" ", "") == "+4511223344"
    named.bc.delete("salesOrderLines", placed.charges(FREIGHT)[0]["id"])
    placed.step()
    assert placed.shop["shipping_amount"] == "40.00"
    placed.agree()


def test_a_line_posted_elsewhere_is_no_removal(
    named: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    placed = Charged(named, shipping_amount="79.00")
    named.step()
    edited_flows(tmp_path, monkeypatch, order=(NAMED[0], NAMED[1].replace(FREIGHT, "1010")))
    named.step("order")
    assert placed.shop["shipping_amount"] == "79.00"
    assert "settings.constants.shipping_number" in (named.state("order", placed.id) or ("", ""))[1]
    placed.edit(shipping_amount="80.00")  # not a second line either
    named.step("order")
    assert [row["unitPrice"] for row in placed.charges()] == [79]
    edited_flows(tmp_path, monkeypatch, order=(NAMED[0], NAMED[1].replace(FREIGHT, f"1010 | {FREIGHT}")))
    placed.step()
    assert [row["unitPrice"] for row in placed.charges(FREIGHT)] == [80]
    placed.agree()


def test_both_sides_edit_one_amount(named: World) -> None:
    placed = Charged(named, shipping_amount="79.00", fees=[FEE])
    named.step()
    placed.edit(shipping_amount="50.00")
    named.let_time_pass()
    placed.change(placed.charges(FREIGHT)[0], unitPrice=60)
    run = named.step("order")
    assert run["order"]["conflicts"] == 1
    assert placed.shop["shipping_amount"] == "60.00"
    placed.agree()


def test_a_released_order_takes_no_charges(named: World) -> None:
    placed = Charged(named, shipping_amount="79.00")
    named.step()
    named.bc.control(f"sales-orders/{placed.bc_id}/release")
    placed.edit(shipping_amount="50.00", fees=[FEE])
    named.step("order")
    assert [row["unitPrice"] for row in placed.charges()] == [79]
    held = named.sql("select distinct part, hold_kind from change where flow = 'order' order by 1")
    assert held == [("order.fees", "guarded"), ("order.shipping", "guarded")]
    named.bc.control(f"sales-orders/{placed.bc_id}/reopen")
    placed.step()
    assert [row["unitPrice"] for row in placed.charges()] == [50, 15]
    placed.agree()


def test_charges_bear_nothing_of_the_discount_and_tax_like_lines(named: World) -> None:
    if "discount_amount" in named.shop_lacks("order"):
        pytest.skip("this shop's discounts are in its lines")
    placed = Charged(
        named, shipping_amount="79.99", fees=[FEE], discount_amount="33.33", prices_include_tax=True
    )
    named.step()
    assert placed.bc["pricesIncludeTax"]
    assert placed.bc["discountAmount"] == Decimal("33.33")
    placed.agree()
    placed.edit(shipping_amount="61.00")
    placed.step()
    assert placed.bc["discountAmount"] == Decimal("33.33")
    placed.agree()


def test_another_currency_makes_all_lines_anew(named: World) -> None:
    placed = Charged(named, shipping_amount="79.00", fees=[FEE, {**FEE, "amount": "9.00"}])
    named.step()
    before = {row["id"] for row in placed.charges()}
    buyer = named.shop.post("customers", customer("C2"))["id"]
    placed.edit(customer_id=buyer, shipping_amount="70.00")
    run = named.step()
    assert not run.failed()
    assert not before & {row["id"] for row in placed.charges()}
    assert [row["unitPrice"] for row in placed.charges()] == [70, 15, 9]
    placed.agree()


def test_what_is_no_charge_stays_alone(named: World) -> None:
    placed = Charged(named, shipping_amount="79.00")
    named.step()
    placed.add("1010", 500)
    named.bc.post(
        f"salesOrders({placed.bc_id})/salesOrderLines", {"lineType": "Comment", "description": "By truck"}
    )
    placed.edit(shipping_amount="0.00")
    placed.step()
    assert [row["lineType"] for row in placed.charges()] == ["Account", "Comment"]
    assert placed.shop["fees"] == []
    assert named.step("order").writes() == 0


def test_a_quantity_or_discount_of_a_charge_is_named(named: World) -> None:
    placed = Charged(named, shipping_amount="79.00")
    named.step()
    placed.change(placed.charges(FREIGHT)[0], quantity=2)
    placed.add(FEES, 10, discountPercent=50)
    named.step("order")
    assert placed.shop["shipping_amount"] == "79.00"
    assert placed.shop["fees"] == []
    rows = named.sql(
        "select part, hold_reason from change where flow = 'order' and hold_kind = 'quarantined'"
    )
    told = dict(rows)
    assert "charge_quantity: 2, and the shop has no other than 1" in told["order.shipping"]
    assert "charge_discount: 50, and the shop has no other than 0" in told["order.fees"]
    placed.change(placed.charges(FREIGHT)[0], quantity=1)
    placed.change(placed.charges(FEES)[0], discountPercent=0)
    placed.step()
    assert [fee["amount"] for fee in placed.shop["fees"]] == ["10.00"]
    placed.agree()


def test_an_item_charge_instead_of_an_account(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = 'shipping_type: Charge, shipping_number: "freight"'
    edited_flows(tmp_path, monkeypatch, order=('shipping_type: Account, shipping_number: ""', number))
    placed = Charged(world, shipping_amount="79.00")
    world.step()
    assert [(row["lineType"], row["lineObjectNumber"]) for row in placed.charges()] == [("Charge", "FREIGHT")]
    placed.change(placed.charges()[0], unitPrice=30)
    placed.step()
    assert Decimal(placed.shop["shipping_amount"]) == 30
    placed.agree()


@pytest.mark.parametrize("path", ["salesOrders", "salesOrderLines"])
def test_a_lost_answer_makes_no_charge_twice(named: World, path: str) -> None:
    placed = Charged(named, **({"shipping_amount": "79.00", "fees": [FEE]} if path == "salesOrders" else {}))
    if path == "salesOrderLines":
        named.step()
        placed.edit(shipping_amount="79.00", fees=[FEE])
    named.bc.faults(rule("POST", path, drop="after"))
    named.step()
    named.bc.no_faults()
    for _ in range(2):
        named.step(full=True)
    assert [(row["lineObjectNumber"], row["unitPrice"]) for row in placed.charges()] == [
        (FREIGHT, 79),
        (FEES, 15),
    ]
    placed.agree()


def test_two_collections_of_one_kind_are_a_mistake(tmp_path: Path) -> None:
    twice = (NAMED[0], NAMED[1].replace(FEES, f"{FREIGHT} | {FEES}"))
    with pytest.raises(FlowError, match=r"order\.yaml:\d+: children\.fees\.scope: .* as shipping"):
        load_flows(copied_flows(tmp_path / "flows", order=twice))


def test_a_scope_names_a_constant_that_there_is(tmp_path: Path) -> None:
    with pytest.raises(FlowError, match=r"children\.fees\.scope\.lineObjectNumber: .*'fee_no'"):
        load_flows(copied_flows(tmp_path / "flows", order=("{fee_number}", "{fee_no}")))


def _another_price(placed: Charged, dice: random.Random) -> None:
    for row in placed.charges()[:1]:
        placed.change(row, unitPrice=dice.randint(1, 99))


def _one_less(placed: Charged, dice: random.Random) -> None:
    for row in placed.charges()[-1:]:
        placed.world.bc.delete("salesOrderLines", row["id"])


def _one_more(placed: Charged, dice: random.Random) -> None:
    number = FEES if placed.charges(FREIGHT) else FREIGHT
    placed.add(number, dice.randint(1, 99), description="By hand")


EDITS: tuple[Callable[[Charged, random.Random], None], ...] = (
    lambda placed, dice: placed.edit(shipping_amount=f"{dice.choice((0, 0, 49, 79.5)):.2f}"),
    lambda placed, dice: placed.edit(
        fees=[{**FEE, "amount": f"{dice.randint(1, 90)}.00"} for _ in range(dice.randint(0, 2))]
    ),
    lambda placed, dice: placed.edit(
        fees=[{"id": fee["id"], "amount": f"{dice.randint(1, 90)}.25"} for fee in placed.shop["fees"]]
    ),
    lambda placed, dice: placed.edit(lines=[line(placed.lamp, str(dice.randint(1, 5)), "33.33")]),
    _another_price,
    _one_less,
    _one_more,
)


@pytest.mark.parametrize("seed", range(4))
def test_any_edits_of_charges_come_to_the_same_totals(named: World, seed: int) -> None:
    dice = random.Random(seed)
    placed = Charged(named, shipping_amount="20.00", fees=[FEE], prices_include_tax=seed % 2 == 1)
    named.step()
    for _ in range(6):
        for edit in dice.sample(EDITS, dice.randint(1, 2)):
            edit(placed, dice)
        named.step("order")
        named.step("order")
        placed.agree()
        assert not named.state("order", placed.id)
