"""What companies have beside customers, products and orders: people, places to ship to, stock by place, prices."""

import shutil
from pathlib import Path

import pytest

from talk_pipeline.flows.loading import PACKAGED as FLOWS
from talk_pipeline.systems.businesscentral.entities import PACKAGED
from talk_pipeline_tests.cli.command_line import run
from talk_pipeline_tests.pipeline.documents import with_optional
from talk_pipeline_tests.pipeline.optional.test_terms import planted, quiet
from talk_pipeline_tests.pipeline.records import Row, customer, product
from talk_pipeline_tests.world import World

PAGES = "sample/sales/v1.0"


@pytest.fixture
def peopled(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    with_optional(world, tmp_path, monkeypatch, "contact", "customer_contacts", "employee")
    return world


@pytest.fixture
def paged(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """With pages of an extension, described as a user would."""
    with_optional(world, tmp_path, monkeypatch, "delivery_address", "price")
    shutil.copytree(PACKAGED / "pages", tmp_path / "entities")
    monkeypatch.setenv("BUSINESSCENTRAL_ENTITIES_DIR", str(tmp_path / "entities"))
    return world


@pytest.fixture
def stocked(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    with_optional(world, tmp_path, monkeypatch, "stock_level")
    return world


class Page:
    """A set of an extension's page, as those see it who work there."""

    def __init__(self, world: World, name: str) -> None:
        company = str(world.bc.http.base_url).rstrip("/").rpartition("/")[2]
        root = world.environment["BUSINESSCENTRAL_URL"].removesuffix("v2.0")
        self._bc, self._url = world.bc, f"{root}{PAGES}/{company}/{name}"

    def rows(self) -> list[Row]:
        return list(self._bc.read(self._bc.http.get(self._url))["value"])

    def post(self, **values: object) -> Row:
        return dict(self._bc.read(self._bc.http.post(self._url, json=values)))

    def patch(self, row: Row, **values: object) -> None:
        there = f"{self._url}({row['systemId']})"
        self._bc.read(self._bc.http.patch(there, json=values, headers={"If-Match": "*"}))

    def delete(self, row: Row) -> None:
        self._bc.read(self._bc.http.delete(f"{self._url}({row['systemId']})"))


def shown(world: World, kind: str) -> list[Row]:
    """The shop's records of a kind, by number."""
    rows = (row for row in world.shop.all(kind).values() if row["deleted_at"] is None)
    return sorted(rows, key=lambda row: str(row["number"]))


def test_all_of_it_together_is_as_both_systems_are(
    paged: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [file.stem for folder in ("optional", "additions") for file in (FLOWS / folder).glob("*.yaml")]
    with_optional(paged, tmp_path, monkeypatch, *names)
    done = run("check-config")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "stockLevels: may be read; it tells of no change" in done.stdout
    assert "$metadata" not in done.stdout
    file = tmp_path / "entities" / "salesPrices.yaml"
    named = "beside: {group: {named_by: itemId, set: priceGroups, properties: {code: code(10)}}}\n"
    file.write_text(file.read_text(encoding="utf-8") + named, encoding="utf-8")
    told = "salesPrices: $metadata has no entity set priceGroups, where group is looked up"
    assert told in run("check-config").stdout


def test_the_people_of_a_customer_come_to_the_shop_and_stay_in_step(peopled: World) -> None:
    peopled.bc.control("settings", {"customer_contacts": "none"})
    keys = [peopled.shop.post("customers", customer(f"C{n}"))["id"] for n in range(2)]
    peopled.step("customer")
    firm = peopled.bc.post("contacts", {"type": "Company", "displayName": "Company C1"})
    person = {
        "type": "Person",
        "displayName": "Ida Holm",
        "companyNumber": firm["number"],
        "jobTitle": "Buyer",
    }
    ida = peopled.bc.post("contacts", person)
    peopled.bc.post("contacts", {"type": "Person", "displayName": "Nobody of ours"})
    peopled.step("customer", "contact", full=True)
    assert not peopled.shop.all("contacts"), "nobody has said which customer that company is"

    peopled.bc.control(
        f"contacts/{firm['number']}/link", {"customerId": peopled.counterpart("customer", keys[1])}
    )
    assert not peopled.step("customer", "contact", full=True).failed()
    (held,) = shown(peopled, "contacts")
    assert (held["number"], held["customer_id"], held["name"], held["job_title"]) == (
        ida["number"],
        keys[1],
        "Ida Holm",
        "Buyer",
    )
    quiet(peopled, "customer", "contact")

    peopled.shop.patch("contacts", held["id"], {"email": "ida@firm.example"})
    peopled.bc.patch("contacts", ida["id"], {"jobTitle": "Head of Purchasing"})
    assert peopled.step("contact").writes() == 2
    assert peopled.bc.get("contacts", ida["id"])["email"] == "ida@firm.example"
    assert shown(peopled, "contacts")[0]["job_title"] == "Head of Purchasing"
    quiet(peopled, "customer", "contact")


def test_employees_are_the_same_on_both_sides(peopled: World) -> None:
    key = peopled.shop.post("employees", {"number": "E1", "first_name": "Jens", "last_name": "Friis"})["id"]
    mia = peopled.bc.post("employees", {"givenName": "Mia", "surname": "Lund", "status": "Active"})
    peopled.bc.post("employees", {"givenName": "Ole", "status": "Terminated"})
    assert not peopled.step("employee").failed()
    own, theirs, left = shown(peopled, "employees")
    assert left["status"] == "inactive"
    assert (own["id"], theirs["number"], theirs["last_name"]) == (key, mia["number"], "Lund")
    assert peopled.bc.get("employees", peopled.counterpart("employee", key))["displayName"] == "Jens Friis"
    quiet(peopled, "employee")

    peopled.shop.patch("employees", theirs["id"], {"job_title": "Designer"})
    peopled.bc.patch("employees", peopled.counterpart("employee", key), {"status": "Terminated"})
    assert peopled.step("employee").writes() == 2
    assert peopled.bc.get("employees", mia["id"])["jobTitle"] == "Designer"
    assert peopled.shop.get("employees", key)["status"] == "inactive"
    assert peopled.bc.get("employees", peopled.counterpart("employee", key))["status"] == "Terminated"
    quiet(peopled, "employee")


def test_addresses_to_ship_to_go_by_a_page_of_an_extension(paged: World) -> None:
    page = Page(paged, "shipToAddresses")
    buyer = paged.shop.post("customers", customer())["id"]
    where = {"line1": "Quay 4", "city": "Harbour", "postal_code": "9999", "country": "DK"}
    said = {"number": "D-1", "customer_id": buyer, "name": "Warehouse", "address": where}
    key = paged.shop.post("delivery_addresses", said)["id"]
    assert not paged.step("customer", "delivery_address").failed()
    (held,) = page.rows()
    assert (held["customerId"], held["code"], held["city"]) == (
        paged.counterpart("customer", buyer),
        "D-1",
        "Harbour",
    )
    quiet(paged, "customer", "delivery_address")

    page.patch(held, contact="Ask for Bo")
    paged.shop.patch("delivery_addresses", key, {"address": {"line1": "Quay 5"}})
    assert paged.step("delivery_address").writes() == 2
    assert paged.shop.get("delivery_addresses", key)["contact_name"] == "Ask for Bo"
    assert page.rows()[0]["addressLine1"] == "Quay 5"
    paged.shop.delete("delivery_addresses", key)
    assert not paged.step("delivery_address").failed()
    assert not page.rows()


def test_prices_by_group_and_quantity_are_told_and_removed_with_their_line(paged: World) -> None:
    page = Page(paged, "salesPrices")
    items = [paged.shop.post("products", product(f"P{n}"))["id"] for n in range(2)]
    paged.step("product")
    there = [paged.counterpart("product", key) for key in items]
    page.post(itemId=there[0], priceGroup="RETAIL", unitPrice=90)
    dear = page.post(
        itemId=there[0], priceGroup="RETAIL", minimumQuantity=10, unitPrice=80.5, endingDate="2027-01-31"
    )
    page.post(itemId=there[1], currencyCode="EUR", unitPrice=12)
    assert not paged.step("product", "price").failed()
    told = {(one["product_id"], one["group"], one["minimum_quantity"]): one for one in shown(paged, "prices")}
    assert told.keys() == {(items[0], "RETAIL", "0"), (items[0], "RETAIL", "10"), (items[1], None, "0")}
    assert told[items[0], "RETAIL", "10"]["price"] == "80.50"
    assert told[items[0], "RETAIL", "10"]["valid_to"] == "2027-01-31"
    assert told[items[1], None, "0"]["currency"] == "EUR"
    quiet(paged, "product", "price")

    page.patch(dear, unitPrice=75)
    paged.step("price")
    assert paged.shop.get("prices", told[items[0], "RETAIL", "10"]["id"])["price"] == "75.00"
    page.delete(dear)
    assert not paged.step("price", full=True).failed()
    assert len(shown(paged, "prices")) == 2
    quiet(paged, "product", "price")


def test_the_stock_of_each_location_is_what_its_entries_come_to(stocked: World) -> None:
    items = [stocked.shop.post("products", product(f"P{n}"))["id"] for n in range(2)]
    stocked.bc.post(
        "items", {"number": "OTHER", "displayName": "Not in the shop", "baseUnitOfMeasureCode": "PCS"}
    )
    stocked.step("product")

    def count(number: str, location: str, quantity: float) -> None:
        stocked.bc.control(f"items/{number}/stock", {"location": location, "quantity": quantity})

    def told() -> dict[tuple[str, str], str]:
        rows = shown(stocked, "stock_levels")
        return {(row["product_id"], row["location"]): row["quantity"] for row in rows}

    for number, location, quantity in (
        ("P0", "AARHUS", 5),
        ("P0", "KOLDING", 2.5),
        ("P1", "", 7),
        ("OTHER", "AARHUS", 1),
    ):
        count(number, location, quantity)
    assert not stocked.step("product", "stock_level").failed()
    assert told() == {(items[0], "AARHUS"): "5", (items[0], "KOLDING"): "2.5", (items[1], None): "7"}
    quiet(stocked, "product", "stock_level")

    count("P0", "AARHUS", 8)
    count("P0", "KOLDING", 0)
    assert not stocked.step("product", "stock_level").failed()
    assert told() == {(items[0], "AARHUS"): "8", (items[0], "KOLDING"): "0", (items[1], None): "7"}
    assert stocked.shop.get("products", items[0])["stock"] == "8"
    quiet(stocked, "product", "stock_level")
    first = next(row for row in shown(stocked, "stock_levels") if row["location"] == "AARHUS")
    planted(stocked, f"stock_levels/{first['id']}", {"quantity": "6"}, "quantity")
