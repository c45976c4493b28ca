"""Several accounts of the shop, one customer of Business Central: one leads, and the orders of all go there."""

from collections.abc import Callable
from pathlib import Path

import pytest

from talk_pipeline.engine.manual.decisions import Decision
from talk_pipeline.engine.model import ByHandError
from talk_pipeline_tests.flow_files import edited_flows
from talk_pipeline_tests.pipeline.by_hand import bc_customer, link, unlink
from talk_pipeline_tests.pipeline.decisions.test_explain import explain
from talk_pipeline_tests.pipeline.records import customer, line, order, product
from talk_pipeline_tests.pipeline.second_opinion import unexplained
from talk_pipeline_tests.world import World

VAT = "12345678"
BY_RULE = ("  shared: businesscentral", "  shared_by: [organization_number]\n  shared: businesscentral")


def accounts(world: World, *numbers: str) -> list[str]:
    rows = [customer(number, organization_number=VAT) for number in numbers]
    return [str(world.shop.post("customers", row)["id"]) for row in rows]


def ordered(world: World, number: str, account: str) -> str:
    item = world.shop.post("products", product(f"P-{number}"))["id"]
    return str(world.shop.post("orders", order(number, account, [line(item)]))["id"])


def debtor_of(world: World, order_id: str) -> str:
    return str(world.bc.get("salesOrders", world.counterpart("order", order_id))["customerId"])


def attached_to(world: World, account: str) -> str:
    query = "select shared_id from link where part = 'customer' and shop_id = ? and state = 'attached'"
    ((shared,),) = world.sql(query, account)
    return str(shared)


def sharing(world: World, *numbers: str) -> tuple[str, list[str]]:
    """A debtor, and accounts that share it by hand: the first leads."""
    debtor = bc_customer(world, "D1", taxRegistrationNumber=VAT)
    ids = accounts(world, *numbers)
    world.step("customer")
    for one in ids:
        link(one, debtor)
    world.step("customer")
    return debtor, ids


def settled(world: World) -> None:
    """Nothing is left to say, and whoever looks at both systems agrees."""
    run = world.step(full=True)
    assert not run.failed()
    assert run.writes() == 0


def test_accounts_linked_by_hand_share_a_debtor(world: World) -> None:
    debtor = bc_customer(world, "D1", taxRegistrationNumber=VAT, displayName="The company")
    first, second = accounts(world, "C1", "C2")
    orders = [ordered(world, f"W{n}", account) for n, account in enumerate((first, second))]
    world.step()
    assert link(first, debtor).action == "linked"
    assert link(second, debtor).action == "attached"
    assert link(second, debtor).message.endswith("already")
    run = world.step()
    assert not run.failed()
    assert [debtor_of(world, one) for one in orders] == [debtor, debtor]
    assert world.bc.get("customers", debtor)["displayName"] == "Company C1"
    state, reason = world.state("customer", second) or ("", "")
    assert state == "attached"
    assert "D1" in reason
    assert first in reason
    settled(world)


def test_own_properties_of_an_attached_account_go_nowhere(world: World) -> None:
    debtor, (first, second) = sharing(world, "C1", "C2")
    world.shop.patch("customers", second, {"company_name": "Branch"})
    world.bc.patch("customers", debtor, {"displayName": "Renamed"})
    run = world.step("customer")
    assert not run.failed()
    assert world.shop.get("customers", first)["company_name"] == "Renamed"
    assert world.shop.get("customers", second)["company_name"] == "Branch"
    told = explain("customer", second)
    assert (told["state"], told["link"]["bc_id"]) == ("attached", debtor)
    names = {row["property"]: row for row in told["parts"][0]["records"][0]["properties"]}
    assert (names["company_name"]["shop_value"], names["company_name"]["bc_value"]) == ("Branch", "Renamed")
    settled(world)


def test_an_order_moves_between_accounts_and_debtors(world: World) -> None:
    debtor = bc_customer(world, "D1", taxRegistrationNumber=VAT)
    first, second = accounts(world, "C1", "C2")
    other = str(world.shop.post("customers", customer("C3"))["id"])
    placed = ordered(world, "W1", second)
    world.step()
    link(first, debtor)
    link(second, debtor)
    world.step()
    world.shop.patch("orders", placed, {"customer_id": first})  # the same company: nothing to tell
    run = world.step()
    assert not run.failed()
    assert run.writes() == 0
    world.shop.patch("orders", placed, {"customer_id": other})
    world.step()
    assert debtor_of(world, placed) == world.counterpart("customer", other)
    world.shop.patch("orders", placed, {"customer_id": second})
    world.step()
    assert debtor_of(world, placed) == debtor
    world.bc.patch(
        "salesOrders",
        world.counterpart("order", placed),
        {"customerId": world.counterpart("customer", other)},
    )
    world.step()
    assert world.shop.get("orders", placed)["customer_id"] == other
    world.bc.patch("salesOrders", world.counterpart("order", placed), {"customerId": debtor})
    world.step()
    assert world.shop.get("orders", placed)["customer_id"] == first  # the one that leads
    settled(world)


def test_by_rule_later_accounts_attach_themselves(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    edited_flows(tmp_path, monkeypatch, customer=BY_RULE)
    (first,) = accounts(world, "C1")
    world.step("customer")
    debtor = world.counterpart("customer", first)
    (second,) = accounts(world, "C2")
    placed = ordered(world, "W1", second)
    run = world.step()
    assert not run.failed()
    assert attached_to(world, second) == debtor
    assert debtor_of(world, placed) == debtor
    assert len(world.bc.all("customers")) == 1
    settled(world)


@pytest.mark.parametrize("known", [True, False], ids=["a debtor is there", "none is"])
def test_by_rule_accounts_that_arrive_together(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, known: bool
) -> None:
    edited_flows(tmp_path, monkeypatch, customer=BY_RULE)
    if known:
        bc_customer(world, "D1", taxRegistrationNumber=VAT)
    first, second, third = accounts(world, "C1", "C2", "C3")
    orders = [ordered(world, f"W{n}", account) for n, account in enumerate((third, second, first))]
    for _ in range(2):  # what does not exist is created first
        assert not world.step().failed()
    debtor = world.counterpart("customer", first)
    assert [attached_to(world, one) for one in (second, third)] == [debtor, debtor]
    assert [debtor_of(world, one) for one in orders] == [debtor] * 3
    assert len(world.bc.all("customers")) == 1
    settled(world)


def test_by_rule_nothing_is_attached_where_more_than_one_would_do(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    edited_flows(tmp_path, monkeypatch, customer=BY_RULE)
    for number in ("D1", "D2"):
        bc_customer(world, number, taxRegistrationNumber=VAT)
    ids = accounts(world, "C1", "C2")
    run = world.step("customer")
    assert run.writes() == 0
    assert [(world.state("customer", one) or ("",))[0] for one in ids] == ["ambiguous"] * 2


@pytest.mark.reaches
def test_by_rule_no_later_rule_has_a_say_in_what_is_attached(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    edited_flows(tmp_path, monkeypatch, customer=BY_RULE)
    debtor = bc_customer(world, "D1", taxRegistrationNumber=VAT)
    bc_customer(world, "D2", email="c2@company.example")  # the second account's, by a rule that comes later
    first, second = accounts(world, "C1", "C2")
    assert not world.step("customer").failed()
    assert world.counterpart("customer", first) == debtor
    assert attached_to(world, second) == debtor


def test_a_merged_account_hands_over_to_the_one_that_is_left(world: World) -> None:
    debtor = bc_customer(world, "D1", taxRegistrationNumber=VAT)
    first, second = accounts(world, "C1", "C2")
    placed = ordered(world, "W1", first)
    world.step()
    link(first, debtor)
    link(second, debtor)
    world.step()
    world.shop.patch("orders", placed, {"customer_id": second})
    world.shop.delete("customers", first)
    run = world.step(full=True)
    assert world.counterpart("customer", second) == debtor
    assert debtor_of(world, placed) == debtor
    assert world.bc.get("customers", debtor)["displayName"] == "Company C2"
    assert not run.failed()
    settled(world)


def test_one_that_had_a_debtor_of_its_own_before_is_explained_where_it_leads(world: World) -> None:
    first, second = (str(world.shop.post("customers", customer(number))["id"]) for number in ("C1", "C2"))
    world.step("customer")
    unlink(second)
    link(second, world.counterpart("customer", first))
    world.step("customer")
    debtor = world.counterpart("customer", first)
    world.shop.delete("customers", first)
    assert not world.step("customer", full=True).failed()
    assert world.counterpart("customer", second) == debtor
    settled(world)
    assert not unexplained("customer"), "its number is that of the debtor that it had"


def test_with_several_left_a_person_says_who_leads(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    edited_flows(tmp_path, monkeypatch, customer=("disappearance: flag", "disappearance: delete"))
    debtor, (first, second, third) = sharing(world, "C1", "C2", "C3")
    world.shop.delete("customers", first)
    world.step("customer", full=True)
    assert world.bc.get("customers", debtor)["number"] == "D1"  # the others share it
    assert (world.state("customer", first) or ("",))[0] == "broken"
    assert link(third, debtor).action == "linked"
    assert not world.step("customer").failed()
    assert world.counterpart("customer", third) == debtor
    assert attached_to(world, second) == debtor
    settled(world)


def test_another_account_takes_the_lead(world: World) -> None:
    debtor, (first, second) = sharing(world, "C1", "C2")
    assert link(second, debtor, lead=True).action == "linked"
    world.step("customer")
    assert world.counterpart("customer", second) == debtor
    assert attached_to(world, first) == debtor
    assert world.bc.get("customers", debtor)["displayName"] == "Company C2"
    settled(world)


DECISIONS: dict[str, Callable[[str, str], Decision]] = {
    "attached": lambda account, debtor: link(account, debtor),
    "parted": lambda account, _: unlink(account),
    "let go": lambda account, _: unlink(account, recreate=True),
    "leading": lambda account, debtor: link(account, debtor, lead=True),
}


@pytest.mark.parametrize("decided", DECISIONS)
def test_what_was_edited_of_orders_of_another_account_is_still_an_edit(world: World, decided: str) -> None:
    debtor = bc_customer(world, "D1", taxRegistrationNumber=VAT)
    first, second = accounts(world, "C1", "C2")
    other = str(world.shop.post("customers", customer("C3"))["id"])
    placed = ordered(world, "W1", first)
    world.step()
    link(first, debtor)
    if decided != "attached":
        link(second, debtor)
    world.step()
    assert debtor_of(world, placed) == debtor
    there = world.counterpart("customer", other)
    world.bc.patch("salesOrders", world.counterpart("order", placed), {"customerId": there})
    DECISIONS[decided](second, debtor)
    for _ in range(2):
        assert not world.step().failed()
    assert world.shop.get("orders", placed)["customer_id"] == other
    assert debtor_of(world, placed) == there


def test_an_account_gets_a_debtor_of_its_own(world: World) -> None:
    debtor = bc_customer(world, "D1", taxRegistrationNumber=VAT)
    first, second = accounts(world, "C1", "C2")
    placed = ordered(world, "W1", second)
    world.step()
    link(first, debtor)
    link(second, debtor)
    world.step()
    unlink(second, recreate=True)
    for _ in range(2):
        assert not world.step().failed()
    own = world.counterpart("customer", second)
    assert own != debtor
    assert debtor_of(world, placed) == own
    settled(world)


def test_an_account_with_a_debtor_of_its_own_is_not_attached_unasked(world: World) -> None:
    first, second = (str(world.shop.post("customers", customer(number))["id"]) for number in ("C1", "C2"))
    world.step("customer")
    with pytest.raises(ByHandError, match=f"unlink customer {second}"):
        link(second, world.counterpart("customer", first))


def test_a_flow_that_shares_nothing_says_so(world: World) -> None:
    first, second = (str(world.shop.post("products", product(sku))["id"]) for sku in ("P1", "P2"))
    world.step("product")
    item = world.counterpart("product", first)
    with pytest.raises(ByHandError, match="is linked with"):
        link(second, item, "product")
    with pytest.raises(ByHandError, match="shared: businesscentral"):
        link(second, item, "product", lead=True)


def test_an_attached_account_whose_debtor_is_gone_is_told(world: World) -> None:
    debtor, (first, second) = sharing(world, "C1", "C2")
    world.bc.delete("customers", debtor)
    world.step("customer", full=True)
    assert [(world.state("customer", one) or ("",))[0] for one in (first, second)] == ["broken"] * 2
    unlink(first, recreate=True)
    world.step("customer")
    assert link(second, world.counterpart("customer", first)).action == "attached"
    assert not world.step("customer").failed()
    settled(world)
