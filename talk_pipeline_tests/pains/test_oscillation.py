"""Updates without end: two systems that each put their own word back every time."""

import pytest

from talk_pipeline_tests.pipeline.decisions.test_resolutions import retry
from talk_pipeline_tests.pipeline.records import customer, line, order, product
from talk_pipeline_tests.world import World

TURNS = 6


@pytest.mark.reaches
def test_a_word_that_comes_back_every_time_is_quarantined_until_something_new_is_said(world: World) -> None:
    """Each system has a job of its own that corrects the website, long after it answered as it should."""
    key = world.shop.post("customers", customer())["id"]
    world.step("customer")
    bc_id = world.counterpart("customer", key)

    def turn(at: int) -> int:
        if at % 2:
            world.bc.patch("customers", bc_id, {"website": "www.theirs.example"})
        else:
            world.shop.patch("customers", key, {"website": "www.ours.example"})
        return world.step("customer").writes()

    assert [turn(at) for at in range(TURNS)] == [1] * TURNS
    assert turn(TURNS) == 0
    state, reason = world.state("customer", key) or ("", "")
    assert state == "quarantined"
    assert "back and forth between 'www.theirs.example' and 'www.ours.example'" in reason
    world.bc.patch("customers", bc_id, {"phoneNumber": "+45 55 55 55 55"})
    assert world.step("customer").writes() == 1, "the rest goes on"

    retry(key)
    assert world.step("customer").writes() == 1
    assert world.state("customer", key) is None


@pytest.mark.slow
def test_somebody_who_changes_their_mind_is_not_taken_for_an_endless_loop(world: World) -> None:
    key = world.shop.post("customers", customer())["id"]
    world.step("customer")
    for at in range(TURNS + 2):
        world.shop.patch("customers", key, {"website": f"www.{at % 2}.example"})
        assert world.step("customer").writes() == 1


def test_a_postal_code_and_a_city_that_set_each_other_anew_are_not_told_for_ever(world: World) -> None:
    """Somebody gives the code of another city: both are in Business Central's list, and one sets the other."""
    buyer = world.shop.post("customers", customer())["id"]
    item = world.shop.post("products", product())["id"]
    home = order("O1", buyer, [])["shipping_address"] | {"city": "Aarhus C", "postal_code": "8000"}
    key = world.shop.post("orders", order("O1", buyer, [line(item)], shipping_address=home))["id"]
    other = world.shop.post("orders", order("O2", buyer, [line(item)]))["id"]
    world.step()
    world.shop.patch("orders", key, {"shipping_address": {"postal_code": "5000"}})
    world.shop.patch("orders", other, {"email": "x" * 81})
    assert world.step("order").writes() == 2, "the code, and once more the city that came with it"
    state, reason = world.state("order", key) or ("", "")
    assert state == "quarantined"
    assert "shipping_address.postal_code: businesscentral took '5000', and made it '8000' again" in reason
    for full in (False, True):
        assert world.step("order", full=full).writes() == 0
    held = world.shop.get("orders", key)["shipping_address"]
    assert (held["city"], held["postal_code"]) == ("Aarhus C", "5000")
    assert world.sql("select distinct conflict from change") == [(False,)], "what others agreed on stands"

    world.bc.patch("salesOrders", world.counterpart("order", key), {"shipToPostCode": "4711"})
    assert world.step("order")["order"]["conflicts"] == 1, "what is said there from now on is an edit"
    assert world.shop.get("orders", key)["shipping_address"]["postal_code"] == "4711"
    assert world.state("order", key) is None
