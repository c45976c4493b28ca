"""What counts as not taken, of what a system answers with success: property by property, without any system."""

from collections.abc import Mapping
from zoneinfo import ZoneInfo

import pytest

from talk_pipeline.engine.apply.unheeded import Answer
from talk_pipeline.engine.model import SEND_WITH, UNDO, Child, Operation, Sent
from talk_pipeline.engine.recalculation import worked_out
from talk_pipeline.engine.snapshot.columns import Company
from talk_pipeline.engine.snapshot.projection import Projector
from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.values import Value
from talk_pipeline_tests.flow_files import flows_in

COMPANY = Company("DKK", ZoneInfo("UTC"))
FLOWS = flows_in()


def kept(
    part: str,
    operation: Operation,
    sent: Mapping[str, tuple[Value, Value]],
    holds: Mapping[str, Value],
    *,
    side: Side = Side.BC,
    rule: str = "edit",
) -> set[str]:
    """The properties not taken, of (before, sent) by name, where the receiver holds this in its own words."""
    flow = FLOWS[part.partition(".")[0]]
    declared = flow.part(part)
    values = {path: holds.get(prop.name) for prop in declared.properties for path in prop.paths(side)}
    row = Projector(flow, side, COMPANY).project_child(declared, "root", Child("1", None, values))
    answer = Answer(side, row.raw, row.canon, COMPANY)
    asked = {
        name: Sent(source="x", sent=value, before=before, rule=rule) for name, (before, value) in sent.items()
    }
    unheeded = answer.unheeded(declared, operation, asked)
    return set(unheeded) - worked_out(declared, asked, unheeded=unheeded, side=side)


@pytest.mark.parametrize(
    ("name", "before", "sent", "held", "is_kept"),
    [
        ("name", "Old", "New", "Old", True),
        ("name", "Old", "New", "New", False),
        ("name", "Old", "New  one", "New one", False),
        ("name", "Old", "New", None, False),
        ("name", None, "New", None, True),
        ("category", "tools", "TOYS", "TOOLS", True),
        ("unit", "PCS", "BOX", "PCS", True),
        ("unit", "PCS", "BOX", "KG", False),
        ("price", "100", "130", "100.00000", True),
        ("price", "100", "130", "129.5", False),
        ("active", "false", "true", "false", True),
        ("cost", "50", "60", "50", False),
    ],
)
def test_an_update_is_not_taken_where_the_value_from_before_is_held(
    name: str, before: Value, sent: Value, held: Value, is_kept: bool
) -> None:
    """A third value is an edit of the receiver; the cost is worked out there, as the flow says."""
    assert kept("product", "update", {name: (before, sent)}, {name: held}) == ({name} if is_kept else set())


@pytest.mark.parametrize(
    ("name", "sent", "held", "is_kept"),
    [
        ("name", "New", None, True),
        ("name", "New ", "New", False),
        ("name", "new", "New", False),
        ("price", "130", "0", True),
        ("price", "130.005", "130.01", False),
        ("price", None, "0", False),
        ("unit", "BOX", "PCS", True),
        ("unit", "BOX", None, True),
        ("active", "true", "false", True),
        ("sku", "P1", "I-1", False),
    ],
)
def test_a_new_record_that_holds_a_blank_or_a_default_did_not_take_the_value(
    name: str, sent: Value, held: Value, is_kept: bool
) -> None:
    assert kept("product", "create", {name: (None, sent)}, {name: held}) == ({name} if is_kept else set())


@pytest.mark.parametrize("taken", [{"unit": ("PCS", "BOX")}, {"type": ("Inventory", "Service")}])
def test_each_property_is_looked_at_whatever_came_of_the_one_before(
    taken: dict[str, tuple[Value, Value]],
) -> None:
    held = {name: sent for name, (_, sent) in taken.items()}
    assert kept("product", "update", {**taken, "name": ("Old", "New")}, {**held, "name": "Old"}) == {"name"}


def test_what_goes_along_or_was_put_back_is_never_counted() -> None:
    for rule in (SEND_WITH, UNDO):
        assert not kept("product", "update", {"name": ("Old", "New")}, {"name": "Old"}, rule=rule)


def test_what_business_central_works_out_of_what_it_took_goes_once_more() -> None:
    sent = {"quantity": ("1", "2"), "unit_price": ("10", "12")}
    assert kept("order.lines", "update", sent, {"quantity": "2", "unit_price": "10"}) == set()
    assert kept("order.lines", "update", sent, {"quantity": "1", "unit_price": "10"}) == set(sent)
    assert kept("order.lines", "update", sent, {"quantity": "2", "unit_price": "10"}, side=Side.SHOP) == {
        "unit_price"
    }


def test_a_reference_and_one_way_properties_are_held_to_their_word_too() -> None:
    assert kept("order", "update", {"customer_id": ("a", "b")}, {"customer_id": "a"}) == {"customer_id"}
    held = {"stock": "4", "name": "x"}
    assert kept("product", "update", {"stock": ("4", "5")}, held, side=Side.SHOP) == {"stock"}
