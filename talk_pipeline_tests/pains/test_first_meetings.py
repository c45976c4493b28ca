"""When two records meet for the first time: near misses stay apart, and what differs follows the policy."""

import pytest

from talk_pipeline_tests.flow_files import edited_flows
from talk_pipeline_tests.pipeline.records import customer, product
from talk_pipeline_tests.world import World


def test_keys_that_are_only_alike_match_nobody(world: World) -> None:
    """A candidate that a search would offer is no match: keys are equal in canonical form, or they are not."""
    theirs = [
        {"number": "X1", "displayName": "Company C1", "email": "c.1@company.example"},
        {"number": "X2", "displayName": "Two", "email": "c1@company.example.org"},
        {"number": "01000", "displayName": "Three"},
        {"number": "X4", "displayName": "Four", "phoneNumber": "+45 33 12 34 56"},
    ]
    known = {world.bc.post("customers", {"type": "Company", **one})["id"] for one in theirs}
    keys = [world.shop.post("customers", customer(n))["id"] for n in ("C1", "1000")]
    assert not world.step("customer").failed()
    assert not known & {world.counterpart("customer", key) for key in keys}


@pytest.mark.parametrize(
    ("policy", "name", "filled"),
    [("fill", "Ours", "Ours"), ("customwebshop", "Ours", "Ours"), ("businesscentral", "Theirs", "Theirs")],
)
def test_a_first_meeting_follows_the_initial_policy_and_is_recorded(
    world: World, monkeypatch: pytest.MonkeyPatch, policy: str, name: str, filled: str
) -> None:
    edited_flows(world.data.parent, monkeypatch, customer=("initial: fill #", f"initial: {policy} #"))
    world.bc.post("customers", {"number": "C1", "displayName": "Theirs", "website": "www.bc.example"})
    key = world.shop.post("customers", customer("C1", website=None, company_name="Ours"))["id"]
    assert not world.step("customer").failed()
    shop, bc = world.shop.get("customers", key), world.bc.get("customers", world.counterpart("customer", key))
    assert (shop["company_name"], bc["displayName"]) == (name, filled)
    assert shop["website"] == bc["website"] == "www.bc.example", "no policy empties what is filled"
    assert bc["email"] == "c1@company.example"
    winner = "businesscentral" if policy == "businesscentral" else "customwebshop"
    rows = world.sql("select property, rule, winner, shop_value, bc_value from conflict")
    assert rows == [("company_name", "initial", winner, "Ours", "Theirs")]
    ((shop_version, bc_version, shop_at, bc_at),) = world.sql(
        "select shop_version, bc_version, shop_edited_at, bc_edited_at from conflict"
    )
    assert shop_version
    assert bc_version.startswith("W/")
    assert shop_at >= bc_at
    assert world.step("customer").writes() == 0


def test_an_edit_against_an_edit_is_recorded_with_values_versions_times_rule_and_winner(world: World) -> None:
    """Per property: the cost follows a policy of its own, the name that of the flow."""
    key = world.shop.post("products", product())["id"]
    world.step("product")
    item = world.counterpart("product", key)
    world.let_time_pass()
    world.bc.patch("items", item, {"unitCost": 70, "displayName": "Earlier"})
    version = world.bc.get("items", item)["@odata.etag"]
    world.let_time_pass()
    world.shop.patch("products", key, {"cost": "65.00", "name": "Later"})
    assert not world.step("product").failed()
    rows = world.sql(
        "select property, rule, winner, shop_value, bc_value, bc_version, shop_version is not null,"
        " shop_edited_at > bc_edited_at from conflict order by property"
    )
    assert rows == [
        ("cost", "businesscentral", "businesscentral", "65.00", "70", version, True, True),
        ("name", "last_writer", "customwebshop", "Later", "Earlier", version, True, True),
    ]
    assert world.bc.get("items", item)["displayName"] == "Later"
    assert world.shop.get("products", key)["cost"] == "70.00"


def test_another_spelling_of_an_amount_is_no_earlier_edit_of_it(world: World) -> None:
    """Business Central writes 100 for the shop's 100.00: that must not date an edit that comes much later."""
    key = world.shop.post("products", product(price="100.00"))["id"]
    for _ in range(2):
        world.step("product")
    item = world.counterpart("product", key)
    world.shop.patch("products", key, {"price": "110.00"})
    world.let_time_pass()
    world.bc.patch("items", item, {"unitPrice": 120})
    assert not world.step("product").failed()
    assert world.bc.get("items", item)["unitPrice"] == 120
    assert world.shop.get("products", key)["price"] == "120.00"


def test_an_edit_that_was_taken_back_does_not_date_the_next_one(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While a product could not travel, its price was changed and changed back, and changed again later."""
    key = world.shop.post("products", product(price="100.00", cost=None))["id"]
    for _ in range(2):
        world.step("product")
    item = world.counterpart("product", key)
    world.shop.patch("products", key, {"price": "90.00", "currency": "EUR"})
    world.step("product")
    world.shop.patch("products", key, {"price": "100.00", "currency": "DKK"})
    world.step("product")
    world.let_time_pass()
    world.bc.patch("items", item, {"unitPrice": 120})
    world.let_time_pass()
    world.shop.patch("products", key, {"price": "130.00"})
    assert not world.step("product").failed()
    assert world.bc.get("items", item)["unitPrice"] == 130
