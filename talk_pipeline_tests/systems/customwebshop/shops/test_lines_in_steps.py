"""A new line that takes several calls, of which a later one fails: it is made once, and not believed half done."""

import json
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path

import pytest

from talk_pipeline_tests.flow_files import replaced
from talk_pipeline_tests.systems.customwebshop.shops.door import (
    Connected,
    Reply,
    Row,
    connect,
    opened,
    unexplained,
)
from talk_pipeline_tests.systems.customwebshop.shops.linked_shop import CONNECTOR, LinkedShop
from talk_pipeline_tests.world import World

STEPS = """        create:
          - {id: _links.self.href}
          - {of: [description, quantity, unit_price], method: PATCH, path: "{line}"}
        update: {"""


class Stepwise(LinkedShop):
    """A new line is one of something at some price, until it is told more.

    Attributes:
        answers: what the next calls about a line that there is are answered.
        carries_out: they are carried out all the same.
        priced: those that came.
        late: whether the next new lines are accepted, and made later.
        full: no others are taken.
    """

    def __init__(self) -> None:
        super().__init__()
        self.answers: list[Reply] = []
        self.carries_out = False
        self.priced: list[str] = []
        self.late: list[bool] = []
        self.full = False
        self._awaiting: list[tuple[str, Row]] = []

    def answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Reply:
        if method == "POST" and "/lines" in target:
            said = {"quantity": "1", "unit_price": "777.00"} | json.loads(body)
            if self.late and self.late.pop(0):
                return self._accept(target.split("/")[3], said)
            if self.full:
                self.writes.append(f"{method} {target}")
                return self._told(422, {"message": "no room for more lines"})
            body = json.dumps(said).encode()
        if method in ("PATCH", "DELETE") and "/lines/" in target:
            self.priced.append(target)
            if target.rpartition("/")[2] not in self.tables["orders"][target.split("/")[3]]["lines"]:
                return self._told(404, {"message": "no such line"})
            if self.answers:
                if self.carries_out:
                    super().answer(method, target, headers, body)
                return self.answers.pop(0)
        return super().answer(method, target, headers, body)

    def carry_out(self) -> None:
        """What was accepted."""
        for order, row in self._awaiting:
            self.edit("orders", order, lines=self.tables["orders"][order]["lines"] | {row["id"]: row})
        self._awaiting.clear()

    def _accept(self, order: str, said: Row) -> Reply:
        row = {"id": self.next(), "text": "Thing", **said, "product": self._key(said["product"])}
        self._awaiting.append((order, row))
        self.writes.append(f"POST /api/orders/{order}/lines")
        return self._told(202, self._line(order, row))


REFUSED: Reply = (422, {"Content-Type": "application/json"}, b'{"message": "no price for today"}')
LOST: Reply = (504, {"Content-Type": "text/html"}, b"<html><body>Gateway Timeout</body></html>")


class Steps(Connected):
    """The shop, with an order that is about to get a line."""

    shop: Stepwise

    def known(self, flow: str, key: str) -> str:
        places = {"product": f"/api/products/{key}/", "order": f"/api/orders/{key}"}
        return f"{self.shop.address}{places[flow]}" if flow in places else key

    def add_line(self) -> None:
        """Somebody in Business Central does."""
        (first,) = self.lines_there()
        entry = {"lineType": "Item", "itemId": first["itemId"], "quantity": 5, "unitPrice": 9}
        self.world.bc.post(f"salesOrders({self.there('order', self.order)})/salesOrderLines", entry)

    def say_of_the_new(self, **values: object) -> None:
        """Somebody in Business Central does."""
        self.world.bc.patch("salesOrderLines", self.lines_there()[1]["id"], values)

    def add_another(self) -> None:
        """They do, of something else."""
        first = min(self.shop.tables["products"], key=int)
        entry = {"lineType": "Item", "itemId": self.there("product", first), "quantity": 7, "unitPrice": 3}
        self.world.bc.post(f"salesOrders({self.there('order', self.order)})/salesOrderLines", entry)

    def all_lines(self) -> tuple[list[tuple[Decimal, Decimal]], list[tuple[Decimal, Decimal]]]:
        """Quantities and prices, here and there."""

        def told(rows: list[Row], price: str) -> list[tuple[Decimal, Decimal]]:
            return [(Decimal(row["quantity"]), Decimal(row[price])) for row in rows]

        return told(self.lines_here(), "unit_price"), told(self.lines_there(), "unitPrice")


FIRST, NEW, BEGUN = (Decimal(2), Decimal("1234.50")), (Decimal(5), Decimal(9)), (Decimal(1), Decimal(777))
SIX, SEVEN = (Decimal(6), Decimal(9)), (Decimal(7), Decimal(3))


@pytest.fixture
def steps(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[Steps]:
    file = tmp_path / "linked.yaml"
    words = replaced(CONNECTOR, ("        update: {", getattr(request, "param", STEPS)))
    file.write_text(f"{words}limits: {{longest_seconds: 90}}\n")
    shop = Stepwise()
    with opened(shop) as address:
        connect(monkeypatch, url=address, connector=file, token="secret")
        connected = Steps(shop, world)
        connected.fill()
        connected.run()
        connected.add_line()
        yield connected


def made(steps: Steps) -> list[str]:
    """The calls by which lines were made."""
    return [call for call in steps.shop.writes if call.startswith("POST")]


def let_it_be_over(steps: Steps) -> None:
    """What may be at work has ended."""
    steps.world.sql("update journal set open_until = open_until - interval 1 hour")


def test_what_a_later_call_refuses_is_told_and_the_line_is_not_made_again(steps: Steps) -> None:
    steps.shop.answers = [REFUSED] * 2
    (row,) = steps.world.step().finding("order", "no_quarantined_records").rows
    assert "no price for today" in row["reason"]
    (told, _) = steps.world.sql(
        "select reason from journal where target = 'customwebshop' order by intent_at"
    )
    assert told[0].startswith(
        "looked up: but for description of a new entry, quantity of a new entry, unit_price of a new entry, found"
    )
    assert "lines: a new entry was begun, and then: 422" in told[0]
    assert steps.all_lines() == ([FIRST, BEGUN], [FIRST, NEW])
    steps.world.step()
    assert len(steps.shop.priced) == 2, "what was refused is not asked again"
    steps.world.bc.patch("salesOrderLines", steps.lines_there()[1]["id"], {"quantity": 6})
    steps.run()
    assert steps.all_lines() == ([FIRST, SIX], [FIRST, SIX])
    assert len(made(steps)) == 1
    steps.quiet()
    assert not unexplained()


def test_a_later_call_whose_answer_is_lost_is_looked_up(steps: Steps) -> None:
    steps.shop.carries_out = True
    steps.shop.answers = [LOST]
    steps.world.step()
    steps.run()
    assert steps.all_lines() == ([FIRST, NEW], [FIRST, NEW])
    assert (len(made(steps)), len(steps.shop.priced)) == (1, 1)
    steps.quiet()


def test_while_a_later_call_may_be_at_work_nothing_is_told_to_either_side(steps: Steps) -> None:
    steps.shop.answers = [LOST]
    for _ in range(3):
        run = steps.world.step()
        assert run.success, run.problems
        assert steps.all_lines() == ([FIRST, BEGUN], [FIRST, NEW])
    (row,) = run.finding("order", "references_resolve").rows
    assert "504" in row["reason"]
    assert len(steps.shop.priced) == 1
    let_it_be_over(steps)
    steps.run()
    assert steps.all_lines() == ([FIRST, NEW], [FIRST, NEW])
    assert len(made(steps)) == 1
    steps.quiet()


def test_a_blank_and_a_zero_are_told_to_a_line_that_was_begun(steps: Steps) -> None:
    steps.say_of_the_new(unitPrice=0, description="")
    steps.shop.answers = [LOST]
    steps.world.step()
    assert (steps.lines_here()[1]["unit_price"], steps.lines_here()[1]["text"]) == ("777.00", "Thing")
    let_it_be_over(steps)
    steps.run()
    free = (Decimal(5), Decimal(0))
    assert steps.all_lines() == ([FIRST, free], [FIRST, free])
    assert (steps.lines_here()[1]["text"], steps.lines_there()[1]["description"]) == (None, "")
    assert len(made(steps)) == 1
    steps.quiet()
    assert not unexplained()


def test_what_was_said_in_the_shop_of_a_line_that_was_begun_is_held_against_what_it_was_to_be(
    steps: Steps,
) -> None:
    steps.shop.answers = [REFUSED] * 2
    steps.world.step()
    order = steps.shop.tables["orders"][steps.order]
    steps.shop.change_line(order["id"], max(order["lines"], key=int), {"unit_price": "12.00"})
    steps.run()
    said = (Decimal(5), Decimal(12))
    assert steps.all_lines() == ([FIRST, said], [FIRST, said])
    ((rule, winner, *values),) = steps.world.sql("select rule, winner, shop_value, bc_value from conflict")
    assert (rule, winner, [Decimal(one) for one in values]) == (
        "last_writer",
        "customwebshop",
        [Decimal(12), Decimal(9)],
    )
    assert len(made(steps)) == 1
    steps.quiet()
    assert not unexplained()


def test_a_line_added_beside_one_that_was_begun_is_another_one(steps: Steps) -> None:
    steps.shop.answers = [LOST]
    steps.world.step()
    steps.add_another()
    let_it_be_over(steps)
    steps.run()
    assert steps.all_lines() == ([FIRST, NEW, SEVEN], [FIRST, NEW, SEVEN])
    assert len(made(steps)) == 2
    steps.quiet()
    assert not unexplained()


def test_a_line_that_is_accepted_for_later_is_made_once_and_told_the_rest_then(steps: Steps) -> None:
    steps.shop.late = [True]
    for _ in range(2):
        run = steps.world.step()
        assert run.success, run.problems
    (row,) = run.finding("order", "references_resolve").rows
    assert "accepted (202)" in row["reason"]
    assert (len(made(steps)), steps.shop.priced) == (1, []), "there is nothing yet to tell more"
    steps.shop.carry_out()
    let_it_be_over(steps)
    steps.run()
    assert steps.all_lines() == ([FIRST, NEW], [FIRST, NEW])
    assert (len(made(steps)), len(steps.shop.priced)) == (1, 1)
    steps.quiet()
    assert not unexplained()


IN_ONE = pytest.mark.parametrize("steps", ["        update: {"], indirect=True, ids=["in one call"])


@IN_ONE
def test_a_line_that_is_accepted_beside_one_that_is_refused_is_not_made_again(steps: Steps) -> None:
    steps.add_another()
    steps.shop.late, steps.shop.full = [True], True
    steps.world.step()
    assert len(made(steps)) == 2
    steps.shop.full = False
    steps.world.bc.patch("salesOrderLines", steps.lines_there()[0]["id"], {"quantity": 3})
    (row,) = steps.world.step().finding("order", "references_resolve").rows
    assert "no room for more lines" in row["reason"]
    assert len(made(steps)) == 2, "the first may be at work"
    steps.shop.carry_out()
    let_it_be_over(steps)
    steps.run()
    three = (Decimal(3), Decimal("1234.50"))
    assert steps.all_lines() == ([three, NEW, SEVEN], [three, NEW, SEVEN])
    assert len(made(steps)) == 3
    steps.quiet()


@IN_ONE
def test_a_list_with_one_of_two_new_lines_does_not_show_the_other(steps: Steps) -> None:
    steps.add_another()
    steps.shop.late = [False, True]
    for _ in range(2):
        (row,) = steps.world.step().finding("order", "references_resolve").rows
        assert "accepted (202), and not shown yet" in row["reason"]
    assert len(made(steps)) == 2
    steps.shop.carry_out()
    let_it_be_over(steps)
    steps.run()
    assert steps.all_lines() == ([FIRST, NEW, SEVEN], [FIRST, NEW, SEVEN])
    assert len(made(steps)) == 2
    steps.quiet()


def test_a_line_that_is_there_is_not_done_while_some_of_it_is_accepted(steps: Steps) -> None:
    steps.shop.answers = [steps.shop._told(202, {})]
    for _ in range(2):
        (row,) = steps.world.step().finding("order", "references_resolve").rows
        assert "accepted (202), and not shown yet" in row["reason"]
    assert steps.all_lines() == ([FIRST, BEGUN], [FIRST, NEW])
    let_it_be_over(steps)
    steps.run()
    assert steps.all_lines() == ([FIRST, NEW], [FIRST, NEW])
    assert len(made(steps)) == 1
    steps.quiet()


@IN_ONE
@pytest.mark.parametrize("removed", [False, True], ids=["changed", "removed"])
def test_a_new_line_does_not_show_what_was_accepted_of_another(steps: Steps, removed: bool) -> None:
    steps.run()
    first = steps.lines_there()[0]["id"]
    if removed:
        steps.world.bc.delete("salesOrderLines", first)
    else:
        steps.world.bc.patch("salesOrderLines", first, {"quantity": 3})
    steps.add_another()
    steps.shop.answers = [steps.shop._told(202, {})]
    (row,) = steps.world.step().finding("order", "references_resolve").rows
    assert "accepted (202), and not shown yet" in row["reason"]
    assert steps.all_lines()[0] == [FIRST, NEW, SEVEN]
    let_it_be_over(steps)
    steps.run()
    kept = [] if removed else [(Decimal(3), FIRST[1])]
    assert steps.all_lines() == ([*kept, NEW, SEVEN], [*kept, NEW, SEVEN])
    assert len(made(steps)) == 2
    steps.quiet()
