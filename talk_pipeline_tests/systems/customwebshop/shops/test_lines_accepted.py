"""New lines of which a call is accepted, and carried out later: each is made once, whatever the others come to."""

from decimal import Decimal
from pathlib import Path

import pytest

from talk_pipeline_tests.flow_files import edited_flows
from talk_pipeline_tests.systems.customwebshop.shops.door import unexplained
from talk_pipeline_tests.systems.customwebshop.shops.stepwise_shop import (
    BEGUN,
    FIRST,
    NEW,
    SEVEN,
    Steps,
    let_it_be_over,
    made,
)


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


@IN_ONE
@pytest.mark.parametrize("taken", [True, False], ids=["carried out", "dropped"])
def test_a_record_that_is_there_at_once_waits_for_its_lines(
    steps: Steps, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, taken: bool
) -> None:
    edited_flows(tmp_path, monkeypatch, order=("create: always", "create: both"))
    steps.run()
    first = min(steps.shop.tables["products"], key=int)
    lines = [
        {"itemId": steps.there("product", key), "quantity": quantity, "unitPrice": price}
        for key, (quantity, price) in ((steps.product, (5, 9)), (first, (7, 3)))
    ]
    buyer = steps.there("customer", steps.customer)
    born = {"customerId": buyer, "externalDocumentNumber": "B1", "salesOrderLines": lines}
    steps.world.bc.post("salesOrders", born)
    steps.shop.writes, steps.shop.late = [], [False, True]
    for _ in range(2):
        (row,) = steps.world.step().finding("order", "writes_answered").rows
        assert (row["operation"], row["reason"]) == ("create", "accepted (202), and not shown yet")
    order = max(steps.shop.tables["orders"], key=int)
    lines_of = f"POST /api/orders/{order}/lines"
    assert steps.shop.writes == ["POST /api/orders", lines_of, lines_of]
    steps.order = order
    if taken:
        steps.shop.carry_out()
    let_it_be_over(steps)
    steps.run()
    assert steps.all_lines()[0] == [NEW, SEVEN]
    assert len(made(steps)) == 3 + (not taken)
    steps.quiet()
    assert not unexplained()


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
