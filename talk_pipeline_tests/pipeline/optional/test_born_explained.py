"""Records born in Business Central that get no counterpart in the shop: told why, and what to do, as noted."""

from pathlib import Path

import pytest

from talk_pipeline_tests.flow_files import edited_flows, replaced
from talk_pipeline_tests.pains.test_lost_creates import lost, over
from talk_pipeline_tests.pipeline.by_hand import bc_customer, keep_apart, unlink
from talk_pipeline_tests.pipeline.decisions.test_explain import explain
from talk_pipeline_tests.pipeline.documents import with_optional
from talk_pipeline_tests.pipeline.mishaps import one_of_two_lost
from talk_pipeline_tests.pipeline.optional.test_contacts import company_of
from talk_pipeline_tests.pipeline.optional.test_further_records import Page, paged
from talk_pipeline_tests.pipeline.records import customer, product
from talk_pipeline_tests.slowness import longest
from talk_pipeline_tests.world import World

__all__ = ["paged"]

VAT = "25313763"


def standing(flow: str, text: str) -> tuple[str, str, str]:
    """The state of one, the reason, and the next step."""
    document = explain(flow, text)
    return document["state"], document["reason"], document["next_step"]


@pytest.fixture
def both_ways(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """Customers are made on both sides, and what is sent may be at work for ten minutes."""
    edited_flows(tmp_path, monkeypatch, customer=("create: always", "create: both"))
    longest(monkeypatch, tmp_path, seconds=600)
    return world


def test_one_that_names_whom_the_shop_does_not_have_waits(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_optional(world, tmp_path, monkeypatch, "contact", "customer_contacts")
    buyer = world.shop.post("customers", customer())["id"]
    assert not world.step("customer", "contact").failed()
    number = company_of(world, buyer)
    unlink(buyer)
    key = world.bc.post("contacts", {"type": "Person", "companyNumber": number, "displayName": "Eva Dam"})[
        "id"
    ]
    world.step("customer", "contact")
    state, reason, step = standing("contact", key)
    assert (state, reason) == ("waiting", f"customer_id contact_number:{number} is not linked yet")
    assert step == "nothing: it goes when what the reason names is settled"


def test_one_that_names_a_record_by_its_id_says_how_to_look_at_that(paged: World) -> None:
    item = paged.shop.post("products", product("P1"))["id"]
    assert not paged.step().failed()
    there = paged.counterpart("product", item)
    unlink(item, "product")
    row = Page(paged, "salesPrices").post(itemId=there, unitPrice=7)
    paged.step()
    state, reason, step = standing("price", row["systemId"])
    assert (state, reason) == ("waiting", f"product_id {there} is not linked yet")
    assert (
        step == f"nothing: it goes when what it refers to is there; see talk-pipeline explain product {there}"
    )


def test_what_a_create_may_have_become_waits_and_is_then_a_persons_to_name(both_ways: World) -> None:
    key, made = lost(both_ways)
    state, reason, step = standing("customer", made)
    assert state == "waiting"
    assert reason.startswith("sent to businesscentral at ")
    assert step == "nothing: it goes when what the reason names is settled"
    over(both_ways)
    both_ways.step("customer")
    state, reason, step = standing("customer", made)
    assert state == "ambiguous"
    assert reason.startswith(f"may be what {key} was created as: ")
    assert f"talk-pipeline link customer ID {made};" in step
    assert step.endswith(f"talk-pipeline unlink --never customer ID {made}")
    keep_apart(key, made)
    assert standing("customer", made)[2].startswith("kept apart by Ann at ")


def test_one_that_would_be_matched_with_such_a_record_waits_for_it(both_ways: World) -> None:
    first, made, second = one_of_two_lost(both_ways, VAT)
    named = f"organization_number {VAT} is that of {made}, which may be what {first} was created as"
    assert standing("customer", second)[:2] == ("waiting", named)
    # the record of the shop that it may be says how that is decided, too
    over(both_ways)
    both_ways.step("customer")
    state, reason, step = standing("customer", made)
    assert (state, reason.startswith(f"may be what {first} was created as")) == ("ambiguous", True)
    assert step.startswith(
        f"if it is what the reason names, of that ID: talk-pipeline link customer {made} ID;"
    )
    assert step.endswith(f"talk-pipeline unlink --never customer {made} ID")


def test_one_that_the_shop_cannot_hold_says_what_is_to_be_mended(both_ways: World, tmp_path: Path) -> None:
    file = tmp_path / "flows" / "customer.yaml"
    file.write_text(replaced(file.read_text(encoding="utf-8"), ("text(80)}", "text(10)}")), encoding="utf-8")
    key = bc_customer(both_ways, "C1", website="www.company.example")
    both_ways.step("customer")
    state, reason, step = standing("customer", key)
    assert (state, "website" in reason) == ("quarantined", True)
    assert step == "mend what the reason names: it is tried again by itself when the data changes"
