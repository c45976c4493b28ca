"""What Business Central does by itself is described of the entity set, and each flow gets what concerns it."""

from pathlib import Path

import pytest

from talk_pipeline.flows.loading import load_flows
from talk_pipeline.flows.vocabulary import Flow
from talk_pipeline_tests.flow_files import copied_flows, flows_in

ALONG = ("address.postal_code", "address.region", "address.country")


def test_what_is_set_anew_goes_along() -> None:
    flows = flows_in()
    customer, order = flows["customer"].root.by_name, flows["order"]
    assert customer["address.city"].send_with == ALONG
    assert customer["address.region"].send_with == ()
    lines = order.part("order.lines").by_name
    assert lines["quantity"].send_with == ("unit_price", "discount_percent")
    assert order.root.by_name["customer_id"].recreates == ("lines", "shipping", "fees")
    assert order.root.by_name["discount_amount"].written == "last"
    assert {part.send_with for part in order.parts[1:]} == {("discount_amount",)}


def test_what_is_refused_is_withheld() -> None:
    guard = flows_in()["order"].guard
    assert guard is not None
    assert (guard.bc, guard.open_while) == ("status", ("Draft",))
    assert guard.withholds == ("customer_id", "requested_delivery_date", "currency", "prices_include_tax")
    assert {"quantity", "amount"} <= set(guard.withholds_lines)
    assert "description" not in guard.withholds_lines


def test_the_packaged_files_say_none_of_it_themselves() -> None:
    """But for a charge, whose quantity is always one: nothing but its amount follows from that."""
    order = load_flows()["order"]
    assert order.guard is None
    said = {prop.name for part in order.parts for prop in part.properties if prop.send_with or prop.recreates}
    assert said == {"charge_quantity"}


def edited(tmp_path: Path, flow: str, old: str, new: str) -> Flow:
    return flows_in(copied_flows(tmp_path / "flows", **{flow: (old, new)}))[flow]


def test_a_flow_gets_only_what_concerns_its_own_properties(tmp_path: Path) -> None:
    row = "  - {shop: address.postal_code,         dir: <->, bc: postalCode,            type: code(20)}\n"
    flow = edited(tmp_path, "customer", row, "")
    assert flow.root.by_name["address.city"].send_with == ("address.region", "address.country")


@pytest.mark.parametrize(("said", "along"), [("[]", ()), ("[email]", ("email",))])
def test_what_a_flow_says_itself_counts_instead(tmp_path: Path, said: str, along: tuple[str, ...]) -> None:
    city = "bc: city,                  type: text(30)"
    flow = edited(tmp_path, "customer", city, f"{city}, send_with: {said}")
    assert flow.root.by_name["address.city"].send_with == along
    assert flow.root.by_name["address.country"].send_with == (
        "address.city",
        "address.postal_code",
        "address.region",
    )


def test_a_flow_may_do_without_the_guard(tmp_path: Path) -> None:
    assert edited(tmp_path, "order", "flags:\n", "guard: ~\nflags:\n").guard is None


def test_what_only_comes_from_there_goes_along_with_nothing(tmp_path: Path) -> None:
    postal = "dir: <->, bc: postalCode,            type: code(20)"
    flow = edited(tmp_path, "customer", postal, postal.replace("<->", "<-"))
    assert flow.root.by_name["address.postal_code"].send_with == ()
    assert "address.postal_code" not in flow.root.by_name["address.city"].send_with
