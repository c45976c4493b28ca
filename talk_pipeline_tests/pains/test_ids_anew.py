"""A system that gives its ids out anew: under one that is linked somebody else is shown, which is no edit."""

import pytest

from talk_pipeline.flows.sides import Side
from talk_pipeline_tests.cli.command_line import run as run_command
from talk_pipeline_tests.pipeline.records import customer, line, order, product
from talk_pipeline_tests.world import World


@pytest.fixture
def numbers(world: World) -> list[str]:
    """Three customers in step, the first with an order."""
    keys = [world.shop.post("customers", customer(name))["id"] for name in "ABC"]
    item = world.shop.post("products", product("P"))["id"]
    world.shop.post("orders", order("FIRST", keys[0], [line(item)]))
    for _ in range(2):
        assert world.step().success
    return keys


def companies(world: World) -> dict[str, str]:
    return {row["number"]: row["displayName"] for row in world.bc.all("customers").values()}


def set_up_anew(world: World) -> None:
    """The shop loses its records, and has them again under ids in another order, with one more."""
    world.shop.control("reset", {"empty": True})
    made = {name: world.shop.post("customers", customer(name))["id"] for name in ("C", "NEW", "B", "A")}
    item = world.shop.post("products", product("P"))["id"]
    world.shop.post("orders", order("SECOND", made["A"], [line(item)]))
    world.shop.post("orders", order("FIRST", made["A"], [line(item)]))
    if world.tells_births():  # it is noticed at once; what follows here is what is known without that
        assert not world.step().success
        assert world.step(approve=True).success


def test_nothing_of_another_record_is_written_over_the_one_that_had_the_id(
    world: World, numbers: list[str]
) -> None:
    before, orders = companies(world), world.bc.orders()
    set_up_anew(world)
    for full in (False, True):
        assert world.step(full=full).success
        assert companies(world) == before
        assert world.bc.orders() == orders
    state, why = world.state("customer", numbers[0]) or ("", "")
    assert state == "held"
    assert "is C in the shop and A in Business Central" in why


def test_let_go_they_meet_by_their_keys(world: World, numbers: list[str]) -> None:
    set_up_anew(world)
    assert world.step().success
    for flow, shop_id in world.sql("select flow, shop_id from status where state = 'held'"):
        assert run_command("unlink", flow, shop_id, "--recreate").returncode == 0
    for _ in range(2):
        assert world.step().success
    assert companies(world) == {name: f"Company {name}" for name in ("A", "B", "C", "NEW")}
    debtors = {row["number"]: key for key, row in world.bc.all("customers").items()}
    for row in world.shop.all("customers").values():
        assert world.counterpart("customer", row["id"]) == debtors[row["number"]]
    numbered = {row["externalDocumentNumber"]: row["customerNumber"] for row in world.bc.orders().values()}
    assert numbered == {"FIRST": "A", "SECOND": "A"}


def test_two_that_change_numbers_by_mistake_go_on_when_they_have_their_own_again(
    world: World, numbers: list[str]
) -> None:
    first, second, third = numbers
    world.let_time_pass()
    for key, number in ((first, "TMP"), (second, "A"), (first, "B")):
        world.shop.patch("customers", key, {"number": number})
    world.shop.patch("customers", third, {"number": "RENAMED", "website": "www.third.example"})
    assert world.step().success
    states = [(world.state("customer", key) or ("active",))[0] for key in numbers]
    assert states == ["held", "held", "active"]  # a number that nobody else has was renamed
    assert world.bc.get("customers", world.counterpart("customer", third))["website"] == "www.third.example"
    world.let_time_pass()
    for key, number in ((first, "TMP"), (second, "B"), (first, "A")):
        world.shop.patch("customers", key, {"number": number, "website": "www.own.example"})
    assert world.step().success
    assert [world.state("customer", key) for key in numbers] == [None] * 3
    for key in (first, second):
        assert world.bc.get("customers", world.counterpart("customer", key))["website"] == "www.own.example"


def test_what_a_person_linked_is_not_doubted_for_its_key(world: World, numbers: list[str]) -> None:
    first, second, _ = numbers
    debtor = world.counterpart("customer", first)
    for decision in (("unlink", "customer", first), ("link", "customer", first, debtor)):
        assert run_command(*decision).returncode == 0
    assert world.step().success
    world.let_time_pass()
    for key, number in ((first, "TMP"), (second, "A"), (first, "B")):
        world.shop.patch("customers", key, {"number": number})
    assert world.step().success
    links = dict(world.sql("select shop_id, state from link where part = 'customer'"))
    assert (links[first], links[second]) == ("active", "held")


def test_an_id_that_a_restored_shop_gives_out_again_is_another_record(
    world: World, numbers: list[str]
) -> None:
    """It counts on from where its backup was: what is made then has the id of what was lost."""
    if not world.tells_times():
        pytest.skip("a shop that tells no times is judged by versions and numbers alone")
    (item,), (first,) = world.shop.all("products"), world.shop.all("orders")
    other = world.shop.post("products", product("OTHER"))["id"]
    assert world.step().success
    world.shop.control("backup")
    world.let_time_pass()
    world.shop.patch("customers", numbers[0], {"website": "www.since.example"})
    world.shop.patch("orders", first, {"email": "since@company.example"})
    lost = world.shop.post("customers", customer("LOST"))["id"]
    lost_order = world.shop.post("orders", order("SECOND", lost, [line(item, "7")]))["id"]
    assert world.step().success
    world.shop.control("restore")
    world.let_time_pass()
    assert world.shop.post("customers", customer("NEW"))["id"] == lost
    assert world.shop.post("orders", order("THIRD", lost, [line(other, "1")]))["id"] == lost_order
    assert not world.step().success
    assert world.step(restored=Side.SHOP).success
    assert world.step().success
    assert companies(world).items() >= {"LOST": "Company LOST", "NEW": "Company NEW"}.items()
    numbered = {row["externalDocumentNumber"]: row for row in world.bc.orders().values()}
    lines = {name: [row["quantity"] for row in one["salesOrderLines"]] for name, one in numbered.items()}
    assert lines == {"FIRST": [2], "SECOND": [7], "THIRD": [1]}
    assert numbered["THIRD"]["customerNumber"] == "NEW"
    assert len(world.shop.get("orders", lost_order)["lines"]) == 1


def test_a_number_that_a_restored_shop_gives_out_again_with_its_id_is_no_edit(
    world: World, numbers: list[str]
) -> None:
    """Nothing went back: what was lost is all there is to see, and by when each was made it is seen at once."""
    if not world.tells_births():
        pytest.skip("a shop that does not tell when a record was made")
    (item,) = world.shop.all("products")
    world.shop.control("backup")
    world.let_time_pass()
    lost = world.shop.post("customers", customer("NEXT", company_name="Lost"))["id"]
    ordered = world.shop.post("orders", order("SECOND", lost, [line(item, "7")]))["id"]
    assert world.step().success
    world.shop.control("restore")
    world.let_time_pass()
    other = {"company_name": "Other", "email": "other@company.example"}
    assert world.shop.post("customers", customer("NEXT", **other))["id"] == lost
    assert world.shop.post("orders", order("SECOND", lost, [line(item, "1")]))["id"] == ordered
    held, before = companies(world), world.bc.orders()
    (told, *_) = world.step().problems
    assert "customwebshop looks restored from a backup: 2 records are others under their ids" in told
    for restored in (Side.SHOP, None, None):
        assert world.step(restored=restored).success
        assert companies(world) == held
        assert world.bc.orders() == before
    state, why = world.state("order", ordered) or ("", "")
    assert (state, "under the id and the number of what was linked the shop shows another record" in why) == (
        "held",
        True,
    )
    for flow, key in (("customer", lost), ("order", ordered)):
        world.shop.patch(f"{flow}s", key, {"number": "AFTER"})
        assert run_command("unlink", flow, key, "--recreate").returncode == 0
    for _ in range(2):
        assert world.step().success
    assert companies(world) == {**held, "AFTER": "Other"}
    numbered = {row["externalDocumentNumber"]: row for row in world.bc.orders().values()}
    lines = {name: [row["quantity"] for row in one["salesOrderLines"]] for name, one in numbered.items()}
    assert lines == {"FIRST": [2], "SECOND": [7], "AFTER": [1]}
    assert numbered["AFTER"]["customerNumber"] == "AFTER"
    assert world.shop.get("orders", ordered)["erp_number"] == numbered["AFTER"]["number"]


@pytest.mark.reaches
def test_what_is_made_anew_by_people_under_the_number_of_what_was_lost_is_linked_with_it_by_hand(
    world: World, numbers: list[str]
) -> None:
    if not world.tells_births():
        pytest.skip("a shop that does not tell when a record was made")
    world.shop.control("backup")
    world.let_time_pass()
    lost = world.shop.post("customers", customer("NEXT"))["id"]
    assert world.step().success
    world.shop.control("restore")
    world.let_time_pass()
    assert world.shop.post("customers", customer("NEXT", website="www.again.example"))["id"] == lost
    assert not world.step().success
    assert world.step(restored=Side.SHOP).success
    assert run_command("link", "customer", lost, "NEXT").returncode == 0
    for _ in range(2):
        assert world.step().success
    assert world.state("customer", lost) is None
    assert world.bc.get("customers", world.counterpart("customer", lost))["website"] == "www.again.example"
