"""The sandbox's pages under a tester's hands: what is edited by hand in one system is soon seen in the other."""

import time

import pytest
from playwright.sync_api import Page, expect

from talk_pipeline_tests.browser.conftest import Shoot
from talk_pipeline_tests.browser.looking import DESKTOP, PHONE, cut_off, findings
from talk_pipeline_tests.browser.stage import Stage

SECONDS_TO_ARRIVE = 60


def opened(page: Page, root: str, records: str, number: str) -> None:
    """The page of one record, by the way a person takes."""
    page.goto(root)
    page.get_by_role("link", name=records, exact=True).click()
    page.get_by_label("Search in all fields").fill(number)
    page.get_by_role("button", name="Search").click()
    page.get_by_role("link", name=number, exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(number)


def edited(page: Page, field: str, value: str) -> None:
    page.get_by_label(field, exact=True).fill(value)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_have_text("Saved.")


def arrives(page: Page, field: str, value: str) -> None:
    """Looks again and again, as a tester would."""
    deadline = time.monotonic() + SECONDS_TO_ARRIVE
    while page.get_by_label(field, exact=True).input_value() != value:
        assert time.monotonic() < deadline, f"{field} is still {page.get_by_label(field).input_value()!r}"
        page.wait_for_timeout(500)
        page.reload()


def test_wherever_it_is_edited(page: Page, stage: Stage, shoot: Shoot) -> None:
    number = stage.rows(
        "select min(r.raw['sku']) from link l join record r on r.part = l.part and r.id = l.bc_id"
        " where l.part = 'product' and l.state = 'active' and r.side = 'businesscentral'"
    )[0][0]
    opened(page, stage.shop, "products", number)
    edited(page, "name", "A name by hand")
    shoot("edited-in-the-shop")
    opened(page, stage.businesscentral, "items", number)
    arrives(page, "displayName", "A name by hand")
    shoot("arrived-in-businesscentral")

    edited(page, "displayName", "Another name by hand")
    opened(page, stage.shop, "products", number)
    arrives(page, "name", "Another name by hand")
    shoot("arrived-in-the-shop")


SYSTEMS = {
    "shop": ("customers", "products", "orders"),
    "businesscentral": ("customers", "items", "salesOrders"),
}


@pytest.mark.parametrize("system", SYSTEMS)
def test_nothing_is_cut_off_and_axe_finds_nothing(
    page: Page, stage: Stage, shoot: Shoot, system: str
) -> None:
    def look(name: str) -> None:
        page.set_viewport_size(DESKTOP)
        shoot(f"{system}-{name}")
        assert (cut_off(page), findings(page)) == ([], ""), page.url
        page.set_viewport_size(PHONE)
        shoot(f"{system}-{name}-phone")
        assert cut_off(page) == [], page.url

    page.goto({"shop": stage.shop, "businesscentral": stage.businesscentral}[system])
    look("home")
    for records in SYSTEMS[system]:
        page.get_by_role("link", name=records, exact=True).click()
        look(records)
        page.get_by_role("table").get_by_role("link").first.click()
        look(f"{records}-one")
