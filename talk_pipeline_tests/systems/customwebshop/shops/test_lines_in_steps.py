"""A new line that takes several calls, of which a later one fails: it is made once, and not believed half done."""

from decimal import Decimal
from pathlib import Path

import pytest

from talk_pipeline_tests.flow_files import edited_flows
from talk_pipeline_tests.systems.customwebshop.shops.door import unexplained
from talk_pipeline_tests.systems.customwebshop.shops.stepwise_shop import (
    BEGUN,
    FIRST,
    LOST,
    NEW,
    REFUSED,
    SEVEN,
    SIX,
    Steps,
    let_it_be_over,
    made,
)


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


@pytest.mark.parametrize("ours", ["", "Ours"], ids=["nobody said more", "somebody did"])
def test_what_goes_with_a_new_line_alone_is_told_to_one_that_was_begun(
    steps: Steps, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ours: str
) -> None:
    said = "{shop: description,      dir: <->, bc: description,       type: text(100)"
    edited_flows(tmp_path, monkeypatch, order=(f"{said}}}", f"{said}, only: create}}"))
    steps.say_of_the_new(description="Hung")
    steps.shop.answers = [REFUSED] * 2
    steps.world.step()
    assert steps.lines_here()[1]["text"] == "Thing"
    if ours:
        steps.shop.change_line(steps.order, steps.lines_here()[1]["id"], {"text": ours})
    steps.say_of_the_new(quantity=6)
    steps.run()
    assert steps.lines_here()[1]["text"] == (ours or "Hung")
    steps.say_of_the_new(description="Stood")
    steps.run()
    assert steps.lines_here()[1]["text"] == (ours or "Hung"), "told once"
    assert steps.lines_there()[1]["description"] == "Stood"
    assert steps.all_lines() == ([FIRST, SIX], [FIRST, SIX])
    assert len(made(steps)) == 1
    steps.quiet()


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
