"""What Business Central changes by itself, from the packaged flows."""

from talk_pipeline.engine.model import SEND_WITH, Intended, Intent, Operation, Sent
from talk_pipeline.engine.recalculation import (
    Where,
    affected,
    makes_children_anew,
    moves_parent,
    rules,
    sent_along,
    worked_out,
)
from talk_pipeline.flows.sides import Side
from talk_pipeline_tests.flow_files import flows_in

FLOWS = flows_in()
ORDER, LINE = FLOWS["order"].root, FLOWS["order"].part("order.lines")


def intent(
    part: str, *names: str, target: Side = Side.BC, operation: Operation = "update", along: str = ""
) -> Intent:
    sent = {name: Sent("1", "1", None, "edit") for name in names}
    sent |= {along: Sent(None, "1", "1", SEND_WITH)} if along else {}
    main = Intended(part, operation, "o1/1" if part != "order" else "o1", None, sent)
    return Intent("order", target, "o1", "B1", main)


def test_a_quantity_sets_price_and_discount_anew_and_moves_the_orders_discount() -> None:
    found = set(affected(FLOWS["order"], intent("order.lines", "quantity")))
    assert found == {
        ("order.lines", "o1/1", "unit_price"),
        ("order.lines", "o1/1", "discount_percent"),
        ("order", "o1", "discount_amount"),
    }


def test_a_currency_makes_the_lines_anew() -> None:
    found = list(affected(FLOWS["order"], intent("order", "currency")))
    assert ("order.lines", None, "quantity") in found
    assert makes_children_anew(ORDER, ["currency"])
    assert not makes_children_anew(ORDER, ["email"])


def test_what_goes_along_is_kept_and_sets_nothing_anew() -> None:
    assert sent_along(LINE, ["quantity"]) == {"unit_price", "discount_percent"}
    assert moves_parent(LINE)
    with_line = set(affected(FLOWS["order"], intent("order.lines", "unit_price", along="quantity")))
    assert with_line == {("order", "o1", "discount_amount")}


def test_a_removed_line_moves_its_order_alone() -> None:
    found = set(affected(FLOWS["order"], intent("order.lines", "quantity", operation="delete")))
    assert found == {("order", "o1", "discount_amount")}


def test_a_shop_and_a_new_record_change_nothing_by_themselves() -> None:
    assert not list(affected(FLOWS["order"], intent("order.lines", "quantity", target=Side.SHOP)))
    assert not list(affected(FLOWS["order"], intent("order", "currency", operation="create")))
    sent = {"quantity": Sent("1", "1", None, "edit")}
    assert worked_out(LINE, sent, unheeded=[], side=Side.SHOP) == set()
    assert worked_out(LINE, sent, unheeded=[], side=Side.BC) == {"unit_price", "discount_percent"}
    assert worked_out(LINE, sent, unheeded=["quantity"], side=Side.BC) == set()


def test_every_rule_is_of_a_property_that_the_flow_has() -> None:
    for flow in FLOWS.values():
        for rule in rules(flow):
            assert rule.follows in flow.part(rule.follows_part).by_name
            assert (rule.where is Where.PARENT) == (rule.property is None)
