"""The people of a customer's company: born on either side, once, with whichever company the customer is."""

from pathlib import Path

import pytest

from talk_pipeline_tests.pipeline.by_hand import link
from talk_pipeline_tests.pipeline.documents import with_optional
from talk_pipeline_tests.pipeline.faults import rule
from talk_pipeline_tests.pipeline.optional.test_terms import quiet
from talk_pipeline_tests.pipeline.records import Row, customer
from talk_pipeline_tests.world import World

BOTH = ("customer", "contact")


@pytest.fixture
def peopled(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    with_optional(world, tmp_path, monkeypatch, "contact", "customer_contacts")
    return world


def person(name: str, buyer: str, **values: object) -> Row:
    return {"name": name, "customer_id": buyer, "job_title": "Buyer", **values}


def people(world: World) -> dict[str, Row]:
    """Those of Business Central, by name."""
    rows = world.bc.all("contacts").values()
    return {row["displayName"]: row for row in rows if row["type"] == "Person"}


def company_of(world: World, buyer: str) -> str:
    """The number of the contact that a customer's company is."""
    place = f"/customers({world.counterpart('customer', buyer)})?$expand=contactsInformation"
    shown = world.bc.read(world.bc.http.get(place))["contactsInformation"]
    (number,) = [one["contactNumber"] for one in shown if one["contactType"] == "Company"]
    return str(number)


def test_whom_the_shop_adds_works_at_the_company_of_its_customer(peopled: World) -> None:
    """In one run with the customer, which is new as well."""
    buyers = [peopled.shop.post("customers", customer(f"C{n}"))["id"] for n in range(2)]
    key = peopled.shop.post("contacts", person("Ida Holm", buyers[1], email="ida@firm.example"))["id"]
    assert not peopled.step(*BOTH).failed()
    ida = people(peopled)["Ida Holm"]
    assert (ida["companyNumber"], ida["companyName"]) == (company_of(peopled, buyers[1]), "Company C1")
    assert (ida["jobTitle"], ida["email"]) == ("Buyer", "ida@firm.example")
    assert peopled.shop.get("contacts", key)["number"] == ida["number"]
    quiet(peopled, *BOTH)

    peopled.shop.patch("contacts", key, {"phone": "+45 33 12 34 56"})
    peopled.bc.patch("contacts", ida["id"], {"jobTitle": "Head of Purchasing"})
    peopled.shop.post("contacts", person("Bo Lind", buyers[1]))
    peopled.bc.post(
        "contacts", {"type": "Person", "displayName": "Eva Dam", "companyNumber": ida["companyNumber"]}
    )
    assert not peopled.step(*BOTH).failed()
    shown = {row["name"]: row for row in peopled.shop.all("contacts").values()}
    assert {name: row["customer_id"] for name, row in shown.items()} == dict.fromkeys(
        ("Ida Holm", "Bo Lind", "Eva Dam"), buyers[1]
    )
    assert shown["Ida Holm"]["job_title"] == "Head of Purchasing"
    assert people(peopled)["Ida Holm"]["phoneNumber"] == "+45 33 12 34 56"
    assert {row["companyNumber"] for row in people(peopled).values()} == {ida["companyNumber"]}
    quiet(peopled, *BOTH)


@pytest.mark.parametrize("dropped", ["before", "after"])
@pytest.mark.parametrize("number", ["shop", "series"])
def test_one_whose_making_was_not_answered_is_there_once(
    peopled: World, tmp_path: Path, number: str, dropped: str
) -> None:
    file = tmp_path / "flows" / "contact.yaml"
    file.write_text(
        file.read_text(encoding="utf-8").replace("number: shop #", f"number: {number} #"), encoding="utf-8"
    )
    buyer = peopled.shop.post("customers", customer())["id"]
    key = peopled.shop.post("contacts", person("Ida Holm", buyer))["id"]
    peopled.bc.faults(rule("POST", "contacts", drop=dropped))
    peopled.step(*BOTH)
    peopled.bc.no_faults()
    assert not peopled.step(*BOTH).failed()
    (ida,) = people(peopled).values()
    assert peopled.counterpart("contact", key) == ida["id"]
    assert len(peopled.shop.all("contacts")) == 1
    quiet(peopled, *BOTH)


def test_one_whose_company_is_no_contact_waits_by_name(peopled: World) -> None:
    """As where Business Central makes no contacts of customers, until somebody links one."""
    peopled.bc.control("settings", {"customer_contacts": "none"})
    buyer = peopled.shop.post("customers", customer())["id"]
    key = peopled.shop.post("contacts", person("Ida Holm", buyer))["id"]
    assert not peopled.step(*BOTH).failed()
    assert peopled.state("contact", key) == (
        "waiting",
        f"customer_id {buyer} contact_number is blank in Business Central",
    )
    assert not people(peopled)

    firm = peopled.bc.post("contacts", {"type": "Company", "displayName": "Company C1"})
    there = {"customerId": peopled.counterpart("customer", buyer)}
    peopled.bc.control(f"contacts/{firm['number']}/link", there)
    assert not peopled.step(*BOTH, full=True).failed()
    assert people(peopled)["Ida Holm"]["companyNumber"] == firm["number"]
    quiet(peopled, *BOTH)


def test_two_of_one_address_are_one(peopled: World) -> None:
    """Both sides know her already, and neither says the other's number."""
    buyer = peopled.shop.post("customers", customer())["id"]
    assert not peopled.step(*BOTH).failed()
    key = peopled.shop.post("contacts", person("Ida Holm", buyer, email="ida@firm.example"))["id"]
    said = {"type": "Person", "displayName": "Ida Holm", "email": "Ida@firm.example"}
    peopled.bc.post("contacts", {**said, "companyNumber": company_of(peopled, buyer)})
    assert not peopled.step(*BOTH).failed()
    (ida,) = people(peopled).values()
    assert peopled.counterpart("contact", key) == ida["id"]
    quiet(peopled, *BOTH)


def test_the_people_of_a_second_account_work_at_the_company_that_is_shared(peopled: World) -> None:
    first = peopled.shop.post("customers", customer("C1"))["id"]
    assert not peopled.step(*BOTH).failed()
    second = peopled.shop.post("customers", customer("C2", email="c1@company.example"))["id"]
    key = peopled.shop.post("contacts", person("Ida Holm", second))["id"]
    peopled.step(*BOTH)
    assert (peopled.state("contact", key) or ("",))[0] == "waiting"
    link(second, peopled.counterpart("customer", first))
    assert not peopled.step(*BOTH).failed()
    assert people(peopled)["Ida Holm"]["companyNumber"] == company_of(peopled, first)
    assert peopled.shop.get("contacts", key)["customer_id"] == second
    quiet(peopled, *BOTH)
