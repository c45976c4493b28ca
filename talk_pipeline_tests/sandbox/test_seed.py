"""The records a sandbox starts with: their composition, their validity, and that Business Central takes them."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import Any

import phonenumbers
import pytest
from stdnum import ean
from stdnum.de import vat as german
from stdnum.dk import cvr
from stdnum.fi import ytunnus
from stdnum.fr import siren
from stdnum.no import orgnr as norwegian
from stdnum.pl import nip
from stdnum.se import orgnr as swedish

from talk_pipeline.sandbox.seed import FOLDER, SIZE, Seed, Seeds, generate
from talk_pipeline.sandbox.seed.cases import BAD_CUSTOMERS, BAD_PRODUCTS
from talk_pipeline.sandbox.seed.customers import to_central as customer_to_central
from talk_pipeline.sandbox.seed.products import to_central as product_to_central
from talk_pipeline_tests.sandbox.clients import CentralClient, Record, read

CHECKED = {"DK": cvr, "SE": swedish, "NO": norwegian, "FI": ytunnus, "DE": german, "FR": siren, "PL": nip}
UNITS = {"pcs", "box", "pack", "set", "kg", "g", "l", "m", "hour"}


@pytest.fixture(scope="module", params=[40, 300])
def seed(request: pytest.FixtureRequest) -> Seed:
    return generate(request.param, 1)


def cases(records: list[Record]) -> Counter[str]:
    return Counter(re.split("[:,]", record.get("_case", "pair"))[0] for record in records)


def sound(records: list[Record]) -> list[Record]:
    return [r for r in records if not r["_case"].startswith("invalid")]


def test_the_committed_set_is_the_generated_one() -> None:
    made = generate(SIZE, 1)
    for name, side in (("customwebshop", made.shop), ("businesscentral", made.central)):
        assert json.loads((FOLDER / f"{name}.json").read_text("utf-8")) == side, (
            "write it anew: python -m talk_pipeline.sandbox.seed"
        )


def test_the_same_seed_gives_the_same_records_and_another_one_others() -> None:
    assert generate(30, 7) == generate(30, 7)
    assert generate(30, 7) != generate(30, 8)
    assert Seeds(size=None, seed=1).shop(size=30, seed=7) == generate(30, 7).shop


@pytest.mark.parametrize("size", [1, 2, 5, 40, 300])
def test_sizes(size: int) -> None:
    made = generate(size, 2)
    assert [len(made.shop[n]) for n in ("customers", "products", "orders")] == [size, size, 2 * size]


def test_ids_are_readable_and_keys_unique(seed: Seed) -> None:
    firsts = {
        "customers": ("number", "c-1001"),
        "products": ("sku", "p-1001"),
        "orders": ("number", "o-1001"),
    }
    for name, (key, first) in firsts.items():
        records = seed.shop[name]
        assert records[0]["id"] == first
        for column in ("id", key):
            assert len({record[column] for record in records}) == len(records)
    for name in ("customers", "items"):
        numbers = [record["number"] for record in seed.central[name]]
        assert len(set(numbers)) == len(numbers)
    names = [r["company_name"] for r in seed.shop["customers"] if r["company_name"]]
    assert len(set(names)) == len(names)


@pytest.mark.slow
def test_numbers_are_those_of_one_record_however_many_there_are() -> None:
    """Where nothing is told to be shared, nothing is: by chance two would be taken for each other."""
    made = generate(100_000, 1)
    keys = {
        "customers": ("number", "email", "organization_number", "company_name"),
        "products": ("sku", "gtin", "name"),
        "orders": ("number",),
    }
    for name, columns in keys.items():
        records = [r for r in made.shop[name] if not r["_case"].startswith("ambiguous")]
        for column in columns:
            values = [record[column] for record in records if record[column]]
            assert len(set(values)) == len(values), column
    for name in ("customers", "items"):
        numbers = [record["number"] for record in made.central[name]]
        assert len(set(numbers)) == len(numbers)


def test_what_is_deliberate_is_rare(seed: Seed) -> None:
    everything = [record for records in seed.shop.values() for record in records]
    found = cases(everything)
    assert 0.02 <= (found["invalid"] + found["ambiguous"]) / len(everything) <= 0.08
    pairs = sum(len(seed.central[name]) for name in ("customers", "items", "orders"))
    assert 0 < found["differing"] <= 0.15 * pairs


def test_every_case_is_met(seed: Seed) -> None:
    customers, products, orders = (cases(seed.shop[name]) for name in ("customers", "products", "orders"))
    for case in (
        "equal",
        "same after normalising",
        "differing",
        "matches by registration",
        "matches by e-mail",
        "inactive",
        "contact only",
        "invalid",
        "ambiguous",
        "shop only",
    ):
        assert customers[case], case
    for case in (
        "equal",
        "same after normalising",
        "differing",
        "matches by gtin",
        "inactive",
        "invalid",
        "ambiguous",
        "shop only",
    ):
        assert products[case], case
    for case in (
        "equal",
        "same after normalising",
        "differing",
        "released",
        "partly shipped",
        "shipped",
        "with other lines",
        "open in the shop",
        "shop only open",
        "shop only processing",
        "shop only shipped",
        "shop only completed",
        "shop only cancelled",
    ):
        assert orders[case], case
    bad = {record["_case"] for name in ("customers", "products") for record in seed.shop[name]}
    assert {f"invalid: {how}" for how in (*BAD_CUSTOMERS, *BAD_PRODUCTS)} <= bad


def test_orders_are_of_every_kind(seed: Seed) -> None:
    orders = seed.shop["orders"]
    assert {order["status"] for order in orders} == {
        "open",
        "processing",
        "shipped",
        "completed",
        "cancelled",
    }
    assert {"DKK", "EUR", "SEK"} <= {order["currency"] for order in orders}
    assert {bool(order["requested_delivery_date"]) for order in orders} == {True, False}
    assert {order["discount_amount"] == "0.00" for order in orders} == {True, False}
    assert {order["prices_include_tax"] for order in orders} == {True, False}
    assert max(len(order["lines"]) for order in orders) >= 4
    bad = {c["id"] for c in seed.shop["customers"] if c["_case"].startswith("invalid")}
    assert [order["id"] for order in orders if order["customer_id"] in bad] == ["o-1001"]


def test_references_lead_somewhere(seed: Seed) -> None:
    customers, products = ({r["id"] for r in seed.shop[name]} for name in ("customers", "products"))
    numbers = {item["number"] for item in seed.central["items"]}
    for order in seed.shop["orders"]:
        assert order["customer_id"] in customers
        assert {line["product_id"] for line in order["lines"]} <= products
    for order in seed.central["orders"]:
        lines = [line for line in order["salesOrderLines"] if line["lineType"] == "Item"]
        assert lines
        assert {line["lineObjectNumber"].upper() for line in lines} <= {number.upper() for number in numbers}


def test_numbers_check(seed: Seed) -> None:
    for record in sound(seed.shop["products"]):
        assert record["gtin"] is None or ean.is_valid(record["gtin"].zfill(14)), record
        assert record["unit"] in UNITS
    for record in sound(seed.shop["customers"]):
        country, number = record["address"]["country"], record["organization_number"]
        if number and country in CHECKED:
            assert CHECKED[country].is_valid(number), record
    wrong = next(r for r in seed.shop["products"] if r["_case"] == "invalid: wrong check digit")
    assert not ean.is_valid(wrong["gtin"])
    assert {len(r["gtin"]) for r in seed.shop["products"] if r["gtin"]} == {8, 12, 13, 14}


def test_phones_are_real_numbers_in_both_notations(seed: Seed) -> None:
    notations = set()
    for record in sound(seed.shop["customers"]):
        number = phonenumbers.parse(record["phone"], record["address"]["country"])
        assert phonenumbers.is_valid_number(number), record
        notations.add(record["phone"].startswith("+"))
    assert notations == {True, False}


def test_nobody_real_is_written_to(seed: Seed) -> None:
    hosts = re.findall(r"(?:@|www\.)([\w.-]+)", json.dumps([seed.shop, seed.central]))
    assert hosts
    assert all(host.endswith(".example") for host in hosts), set(hosts)


def test_everything_happened_in_the_past(seed: Seed) -> None:
    for side in (seed.shop, seed.central):
        for records in side.values():
            for record in records:
                assert record.get("_modified", "2025-02") < "2025-07"


def test_persons_look_like_customers_of_the_shop(seed: Seed) -> None:
    persons = [c for c in seed.central["customers"] if c["type"] == "Person"]
    emails = {c["email"] for c in seed.shop["customers"]}
    assert persons
    assert {person["email"] for person in persons} <= emails
    registrations = {c["organization_number"] for c in seed.shop["customers"]}
    assert {person["taxRegistrationNumber"] for person in persons} & (registrations - {None})
    numbers = {c["number"] for c in seed.shop["customers"]}
    assert not numbers & {person["number"] for person in persons}


# -- in the servers ----------------------------------------------------------------------------------------------


@pytest.fixture
def filled(central: CentralClient) -> CentralClient:
    central.control.reset()
    return central


def test_all_of_it_is_in_business_central(filled: CentralClient) -> None:
    made = generate(SIZE, 1)
    assert len(filled.all_of("customers")) == len(made.central["customers"])
    assert len(filled.all_of("items")) == len(made.central["items"])
    posted = sum(1 for order in made.central["orders"] if order.get("_invoiced"))
    assert posted >= 1
    assert len(filled.all_of("salesOrders")) == len(made.central["orders"]) - posted
    assert len(filled.all_of("salesInvoices")) == posted


def test_the_invoice_carries_the_number_of_an_open_shop_order(filled: CentralClient) -> None:
    order = next(o for o in generate(SIZE, 1).shop["orders"] if o["_case"].startswith("open in the shop"))
    assert order["status"] == "open"
    found = filled.all_of(f"salesInvoices?$filter=externalDocumentNumber eq '{order['number']}'")
    assert len(found) == 1
    assert filled.all_of(f"salesOrders?$filter=externalDocumentNumber eq '{order['number']}'") == []


def test_the_shop_knows_the_numbers_of_orders_that_are_equal(filled: CentralClient) -> None:
    orders = [order for order in generate(SIZE, 1).shop["orders"] if order.get("erp_number")]
    numbers = {order["externalDocumentNumber"]: order["number"] for order in filled.all_of("salesOrders")}
    assert orders
    assert {order["number"]: order["erp_number"] for order in orders}.items() <= numbers.items()


def test_statuses_and_other_lines_are_there(filled: CentralClient) -> None:
    orders = filled.all_of("salesOrders?$expand=salesOrderLines")
    assert {order["status"] for order in orders} == {"Draft", "Open", "In_x0020_Review"}
    types = {line["lineType"] for order in orders for line in order["salesOrderLines"]}
    assert {"Item", "Comment", "Account"} <= types
    shipped = [line for o in orders for line in o["salesOrderLines"] if line["shippedQuantity"]]
    assert any(line["shippedQuantity"] < line["quantity"] for line in shipped)
    assert any(order["fullyShipped"] for order in orders)


def test_pairs_of_orders_have_the_same_amounts(filled: CentralClient, storefront: Any) -> None:
    storefront.control.reset()
    made = {o["number"].upper(): o["_case"] for o in generate(SIZE, 1).shop["orders"]}
    shop = {o["number"].upper(): o for o in storefront.get("orders?limit=500")["data"]}
    compared = 0
    meant = ("differing: quantity", "differing: unit_price", "with other")
    for order in filled.all_of("salesOrders?$expand=salesOrderLines"):
        number = order["externalDocumentNumber"]
        if number not in shop or made[number].startswith(meant):
            continue
        ours = shop[number]
        assert float(ours["total_excl_tax"]) == pytest.approx(float(order["totalAmountExcludingTax"]))
        assert float(ours["total_incl_tax"]) == pytest.approx(float(order["totalAmountIncludingTax"]))
        for mine, theirs in zip(ours["lines"], order["salesOrderLines"], strict=True):
            assert float(mine["line_total"]) == pytest.approx(float(theirs["netAmount"]))
        compared += 1
    assert compared >= 20


@pytest.mark.parametrize("size", [40, 300])
def test_business_central_takes_everything_that_is_not_deliberate(bc: CentralClient, size: int) -> None:
    made = generate(size, 1)
    requests = [
        {"method": "POST", "url": f"{bc.company}/{name}", "body": body, "id": record["id"]}
        for name, records, convert in (
            ("customers", made.shop["customers"], customer_to_central),
            ("items", made.shop["products"], product_to_central),
        )
        for record in sound(records)
        for body in [_plain(convert(record))]
    ]
    for start in range(0, len(requests), 100):
        answer = bc.batch(*requests[start : start + 100], headers={"Prefer": "odata.continue-on-error"})
        for response in read(answer)["responses"]:
            assert response["status"] == 201, (response["id"], response["body"])


def test_business_central_refuses_what_it_is_meant_to(bc: CentralClient) -> None:
    made = generate(SIZE, 1)
    refusable = {
        "name too long",
        "unknown currency",
        "impossible e-mail",
        "country not ISO",
        "no name at all",
        "unknown category",
    }
    for records, convert, name in (
        (made.shop["customers"], customer_to_central, "customers"),
        (made.shop["products"], product_to_central, "items"),
    ):
        for record in records:
            if record["_case"].removeprefix("invalid: ") in refusable:
                answer = bc.call("POST", name, _plain(convert(record)))
                assert answer.status_code == 400, record["_case"]
                refusable.discard(record["_case"].removeprefix("invalid: "))
    assert refusable == set()


def _plain(record: Record) -> Record:
    """A record of the seed as a body: numbers as numbers, nothing hidden."""
    numbers = ("unitPrice", "unitCost")
    return {
        name: float(value) if name in numbers else value
        for name, value in record.items()
        if not name.startswith("_")
    }
