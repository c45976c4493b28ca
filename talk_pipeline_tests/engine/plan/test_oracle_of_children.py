"""The engine's plans of records with children against those of the oracle: two collections, and ids that are alike.

Each round both sides edit, add and remove lines and fees of some orders, and every row of the plan is compared. A
line and a fee of an order are called the same, and so are those of another order on the other side: what is looked
up by less than all that tells it apart finds another's. Some rounds both sides come to hold what is planned.
"""

import os
import random
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from talk_pipeline.engine.model import Record
from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.values import Value
from talk_pipeline_tests.engine.book import Book, Values
from talk_pipeline_tests.engine.plan.oracle import OTHER, Child, Planned, Policy, Said
from talk_pipeline_tests.engine.plan.test_oracle import flows_of
from talk_pipeline_tests.engine.plan.trade import BC, CUSTOMER, PRODUCT, SHOP, as_said_there
from talk_pipeline_tests.flow_files import copied_flows
from talk_pipeline_tests.pipeline.charges import NAMED
from talk_pipeline_tests.proof.counts import COUNTS
from talk_pipeline_tests.variants import variants

ORDERS, ROUNDS = int(os.environ.get("ORACLE_ORDERS", "10")), 6
# how often, of an order, a value, a collection, a child, and what a person is asked
TOLD, EDITED, ADDED, REMOVED, DECIDED = 0.6, 0.4, 0.3, 0.15, 0.5
PRODUCTS = 3 + 2 * ROUNDS  # no two lines of an order are of the same
TEXTS = (None, "Alpha", "Beta", "Gamma")
NUMBERS = (None, "0", "10", "12.5", "7.25")
AMOUNTS = ("10", "12.5", "7.25")
POLICIES = [
    Policy("last_writer", "fill", "customwebshop"),
    Policy("manual", "fill", "businesscentral"),
    Policy("customwebshop", "fill", "businesscentral"),
    Policy("businesscentral", "fill", "customwebshop"),
]
OPEN, PIECES = {SHOP: "open", BC: "Draft"}, {SHOP: "pcs", BC: "PCS"}
OF_THE_ORDER = ("shipping_address.name", "shipping_address.line1")
COLLECTIONS: Mapping[str, Mapping[str, Sequence[Value] | None]] = {
    "lines": {"description": TEXTS, "quantity": NUMBERS, "discount_percent": NUMBERS},
    "fees": {"amount": AMOUNTS, "description": None},  # of the fee's own: by that a new one is found
}

MANUAL = ("discount_percent",)
"""Where both sides say something of these, a person decides, whatever decides of all else."""

Place = tuple[str, ...]
"""Part, target, operation, id of the child or order on the side it comes from, property."""


class Order:
    """What both sides say of one order, and what there is below it."""

    def __init__(self, number: int) -> None:
        self.id: dict[str, str] = {side: as_called(number, side, ORDERS) for side in (SHOP, BC)}
        self.said = {name: Said() for name in OF_THE_ORDER}
        self.children: list[Child] = []
        self.edited: dict[str, int] = {}
        self._shown: dict[Side, object] = {}
        self.added = dict.fromkeys(COLLECTIONS, 0)

    def add(self, of: str, sides: tuple[Side, ...], chance: random.Random, *, at: int) -> None:
        """A new child of one or both sides."""
        self.added[of] += 1
        said = {
            name: Said(number=name != "description", conflict="manual" if name in MANUAL else None)
            for name in COLLECTIONS[of]
        }
        new = Child(of, self.added[of], said)
        for name in COLLECTIONS[of]:
            value = said_of(new, name, chance)
            for side in sides:
                new.said[name].tell(side, value, at=at)
        new.there = {SHOP: SHOP in sides, BC: BC in sides}
        self.children.append(new)

    def tell(self, side: Side, *, at: int) -> None:
        """A side tells all of it; whether anything of it is new is seen by what it told before."""
        for one in [*self.said.values(), *(said for child in self.children for said in child.said.values())]:
            one.tell(side, one.now[side], at=at)
        shown = ([one.now[side] for one in self.said.values()], self.told(side))
        if self._shown.get(side) != shown:
            self._shown[side], self.edited[side] = shown, at

    def told(self, side: Side) -> list[Values]:
        """Its children as a side tells them, in an order that is not that of their ids."""
        return [self._told(side, child) for child in reversed(self.children) if child.there[side]]

    def _told(self, side: Side, child: Child) -> Values:
        told: dict[str, Value] = {name: one.now[side] for name, one in child.said.items()}
        own = {"id": str(child.number), "of": child.of}
        if child.of == "fees":
            return {**told, **own, "charge_quantity": "1", "charge_discount": "0"}
        return {**told, **own, "product_id": as_called(child.number, side, PRODUCTS), "unit": PIECES[side]}


def as_called(number: int, side: Side, of: int) -> str:
    """The ids of one side are those of the other, each of the next."""
    return str(number if side is SHOP else number % of + 1)


def said_of(child: Child, name: str, chance: random.Random) -> Value:
    """Something that may be said of it."""
    values = COLLECTIONS[child.of][name]
    return chance.choice(values) if values else f"{child.number} {chance.choice(TEXTS)}"


class Compared:
    """The orders in a state, and what the oracle knows of them."""

    def __init__(self, book: Book, policy: Policy, chance: random.Random) -> None:
        self.book, self.policy, self.chance = book, policy, chance
        self.orders = [Order(number) for number in range(1, ORDERS + 1)]
        self._referred("customer", "number", CUSTOMER, of=ORDERS)
        self._referred("product", "sku", PRODUCT, of=PRODUCTS)
        for order in self.orders:
            for of in COLLECTIONS:
                for _ in range(chance.randrange(4)):
                    order.add(of, (SHOP, BC), chance, at=0)
            for side in (SHOP, BC):
                number, customer = f"O{order.id[SHOP]}", as_called(int(order.id[SHOP]), side, ORDERS)
                self._tell(side, [order], number=number, customer_id=customer, status=OPEN[side])

    def _referred(self, flow: str, key: str, values: Values, *, of: int) -> None:
        """What orders and lines refer to."""
        for side in (SHOP, BC):
            said = values if side is SHOP else as_said_there(flow, values)
            numbered = [(number, as_called(number, side, of)) for number in range(1, of + 1)]
            told = [
                self.book.record(flow, side, one, {**said, key: f"N{number}"}) for number, one in numbered
            ]
            self.book.tell(flow, side, told)
        self.book.plan(flow)
        self.book.in_step(flow)

    def _tell(self, side: Side, orders: list[Order], **values: str) -> None:
        records: list[Record] = []
        for order in orders:
            told = {**values, **{name: one.now[side] for name, one in order.said.items()}}
            records.append(self.book.record("order", side, order.id[side], told, children=order.told(side)))
            order.tell(side, at=self.book.minutes)
        self.book.tell("order", side, records)

    def edit(self) -> None:
        """Some orders of each side are told anew, in any order."""
        both = [(side, order) for side in (SHOP, BC) for order in self.orders if self.chance.random() < TOLD]
        self.chance.shuffle(both)
        for side, order in both:
            for one in order.said.values():
                if self.chance.random() < EDITED:
                    one.now[side] = self.chance.choice(TEXTS)
            for child in order.children:
                if not child.there[side]:
                    continue
                for name, one in child.said.items():
                    if self.chance.random() < EDITED:
                        one.now[side] = said_of(child, name, self.chance)
                child.there[side] = self.chance.random() > REMOVED
            for of in COLLECTIONS:
                if self.chance.random() < ADDED:
                    order.add(of, (side,), self.chance, at=self.book.minutes)
        for side in (SHOP, BC):
            self._tell(side, [order for one, order in both if one is side])

    def check(self) -> int:
        """Compares every row; returns how many there were."""
        self.book.plan("order")
        rows = self.book.rows(
            "select part, target, operation, coalesce(case target when 'customwebshop' then bc_id else shop_id end,"
            " shop_id, bc_id), property, if(operation = 'delete', before, after), conflict, hold_kind = 'manual'"
            " from change where flow = 'order'"
        )
        planned: dict[Place, Planned] = {
            (part, target, operation, key, name): Planned(target, value, conflict, bool(waits))
            for part, target, operation, key, name, value, conflict, waits in rows
        }
        assert len(planned) == len(rows), "something is planned twice"
        wanted = dict(self._wanted())
        touched = {place[:4] for place in wanted}
        with COUNTS.proving("plans", len(wanted)):
            for place in planned.keys() | wanted.keys():
                # of what is made or goes every value is planned, those that nobody edits here too
                if place in wanted or place[2] == "update" or place[:4] not in touched:
                    assert planned.get(place) == wanted.get(place), place
        return len(rows)

    def _wanted(self) -> Iterator[tuple[Place, Planned]]:
        for order in self.orders:
            for name, one in order.said.items():
                if what := one.planned(self.policy):
                    yield ("order", what.target, "update", order.id[OTHER[what.target]], name), what
            for child in order.children:
                operation, found = child.planned(self.policy, edited=order.edited)
                for name, what in found.items():
                    # what goes is called as it is where it goes, and all else as it is where it comes from
                    key = f"{order.id[OTHER[what.target]]}/{child.number}"
                    yield (f"order.{child.of}", what.target, operation, key, name), what

    def decide(self) -> None:
        """A person decides some of what waits for it."""
        for order in self.orders:
            for child in order.children:
                _, found = child.planned(self.policy, edited=order.edited)
                for name, what in found.items():
                    if what.waits and what.conflict and self.chance.random() < DECIDED:
                        side = self.chance.choice((SHOP, BC))
                        child.said[name].decide(side)
                        self._resolved(order, child, name, side)

    def _resolved(self, order: Order, child: Child, name: str, side: Side) -> None:
        place, now = [f"order.{child.of}", f"{order.id[SHOP]}/{child.number}", name], child.said[name].now
        self.book.alone()
        self.book.db.execute("delete from resolution where part = ? and shop_id = ? and property = ?", place)
        self.book.db.execute(
            "insert into resolution values (?, ?, ?, ?, ?, ?, 'a person', now())",
            [*place, side, now[SHOP], now[BC]],
        )

    def carry_out(self) -> None:
        """Both sides hold what is planned and waits for nobody."""
        for order in self.orders:
            for one in order.said.values():
                what = one.planned(self.policy)
                if what and not what.waits:
                    one.written(what.target)
            for child in order.children:
                child.carried_out(self.policy, edited=order.edited)
        for side in (SHOP, BC):
            self._tell(side, self.orders)


@variants("policy", POLICIES, ids=str)
def test_every_row_of_a_plan_of_orders_is_what_the_oracle_says(tmp_path: Path, policy: Policy) -> None:
    chance = random.Random(f"children {policy}")  # noqa: S311 (a test's edits)
    folder = copied_flows(tmp_path / "flows", order=NAMED)
    file = folder / "order.yaml"
    asked = "bc: discountPercent,   type: decimal(5)}"
    file.write_text(file.read_text().replace(asked, asked.replace("}", ", conflict: manual}"), 1))
    flows = flows_of(folder, policy, "order")
    with Book.opened(tmp_path / "state", flows) as book:
        compared = Compared(book, policy, chance)
        assert compared.check() == 0
        book.in_step("order")
        rows = 0
        for _ in range(ROUNDS):
            compared.edit()
            rows += compared.check()
            book.in_step("order")
            compared.decide()
            rows += compared.check()
            if chance.random() < 0.6:
                compared.carry_out()
                compared.check()
                book.in_step("order")
        assert rows > ORDERS * ROUNDS, "next to nothing was compared"
