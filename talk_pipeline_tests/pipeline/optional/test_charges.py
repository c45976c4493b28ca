"""What an order charges beside its products: shipping and fees, both ways, until the totals agree."""

import random
from collections.abc import Callable
from decimal import Decimal

import pytest

from talk_pipeline_tests.pipeline.charges import FEE, FEES, FREIGHT, Charged
from talk_pipeline_tests.pipeline.faults import rule
from talk_pipeline_tests.pipeline.records import customer, line
from talk_pipeline_tests.variants import variants
from talk_pipeline_tests.world import World


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


@variants("seed", range(4))
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


def test_an_order_with_charges_is_shipped_and_posted(named: World) -> None:
    placed = Charged(named, shipping_amount="79.00", fees=[FEE])
    named.step()
    bc_id = placed.bc_id
    named.bc.control(f"sales-orders/{bc_id}/ship")
    placed.step()
    assert placed.shop["status"] == "shipped"
    named.bc.control(f"sales-orders/{bc_id}/invoice")
    named.step("order", full=True)
    assert placed.shop["status"] == "completed"
    assert placed.shop["shipping_amount"] == "79.00"
    assert named.step("order").writes() == 0
