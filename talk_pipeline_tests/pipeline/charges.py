"""An order that charges more than its lines, and a company that says where charges go."""

from decimal import Decimal
from pathlib import Path
from typing import Any

from talk_pipeline.systems.customwebshop.spec.description import REFERENCE
from talk_pipeline_tests.pipeline.records import customer, line, order, product
from talk_pipeline_tests.world import World

Row = dict[str, Any]

FREIGHT, FEES = "1050", "1090"
GIFTS = "1010"
"""An account of its own, for what is neither freight nor the usual fee."""
NAMED = (
    'shipping_number: "", fee_type: Account, fee_number: ""',
    f'shipping_number: "{FREIGHT}", fee_type: Account, fee_number: "{FEES}"',
)


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

_GIFT_CARDS = """
  gift_cards:
    optional: true
    customwebshop: gift_cards
    businesscentral: salesOrderLines
    scope: {lineType: Account, lineObjectNumber: "{gift_number}"}
    match: code
    there_by: amount
    comes_to: {multiplied: [charge_quantity, amount], less_percent: charge_discount}
    properties:
      - {shop: code,             dir: <->, bc: description,       type: text(100), blank_keeps: true}
      - {name: charge_quantity,  dir: <->, bc: quantity,          type: decimal(5), send_with: [amount]}
      - {shop: amount,           dir: <->, bc: unitPrice,         type: money(2)}
      - {name: charge_discount,  dir: <->, bc: discountPercent,   type: decimal(5)}

settings:
"""

_COLLECTION = _GIFT_CARDS.removesuffix("settings:\n").rstrip()
ADDED = f"""adds_to: order
children:{_COLLECTION}
    counted_in: [total_excl_tax, total_incl_tax]
constants: {{gift_number: "{GIFTS}"}}
"""
"""The same as a file beside the order flow."""

REDEEMED = (
    ("\nsettings:\n", _GIFT_CARDS),
    ("[lines, shipping, fees]", "[lines, shipping, fees, gift_cards]"),
    ("constants: {", f'constants: {{gift_number: "{GIFTS}", '),
    # or a forgotten card would not be seen
    ("hold_if_totals_differ: false", "hold_if_totals_differ: true"),
)
"""What an order flow says otherwise where gift cards are redeemed."""


def telling_gift_cards(file: Path) -> Path:
    """The description of a reference shop that tells of gift cards."""
    fees = "      fees: {path: fees, untouched: id}\n"
    before, fees, after = REFERENCE.read_text(encoding="utf-8").partition(fees)
    assert fees, "the reference shop's description tells of no fees"
    file.write_text(before + fees + fees.replace("fees", "gift_cards") + after, encoding="utf-8")
    return file
