"""What goes by a code, and is told Business Central by an id: terms, methods, and the place of a line."""

from pathlib import Path

import pytest

from talk_pipeline_tests.pipeline.documents import with_optional
from talk_pipeline_tests.pipeline.records import Row, customer, line, order, product
from talk_pipeline_tests.pipeline.second_opinion import unexplained
from talk_pipeline_tests.world import World


@pytest.fixture
def termed(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    with_optional(world, tmp_path, monkeypatch, "customer_terms", "order_terms", "order_dimensions")
    return world


def quiet(world: World, *flows: str) -> None:
    run = world.step(*flows, full=True)
    assert not run.failed()
    assert run.writes() == 0
    assert not unexplained(*flows)


def planted(world: World, place: str, values: Row, name: str) -> None:
    """What is changed in the shop behind everybody's back is named by the audit, and nothing else is."""
    world.shop.back_office("PATCH", place, values, ago=10 * 365 * 86_400)
    assert [one.property for one in unexplained()] == [name]


def codes(world: World, entity: str, key: str) -> Row:
    """What Business Central says of a record, with its terms by their codes."""
    place = f"/{entity}({key})?$expand=paymentTerm,shipmentMethod"
    place += ",salesOrderLines($expand=location)" if entity == "salesOrders" else ",paymentMethod"
    row: Row = world.bc.read(world.bc.http.get(place))
    return row


def test_terms_travel_by_their_codes_both_ways(termed: World) -> None:
    key = termed.shop.post(
        "customers", customer(payment_terms="30D", payment_method="bank", salesperson="KH")
    )["id"]
    assert not termed.step("customer").failed()
    bc_id = termed.counterpart("customer", key)
    there = codes(termed, "customers", bc_id)
    assert (there["paymentTerm"]["code"], there["paymentMethod"]["code"]) == ("30D", "BANK")
    assert there["salespersonCode"] == "KH"
    quiet(termed, "customer")

    terms = {row["code"]: row["id"] for row in termed.bc.all("paymentTerms").values()}
    termed.bc.patch("customers", bc_id, {"paymentTermsId": terms["1M(8D)"]})
    termed.shop.patch("customers", key, {"payment_method": "CARD"})
    assert termed.step("customer").writes() == 2
    assert termed.shop.get("customers", key)["payment_terms"] == "1M(8D)"
    assert codes(termed, "customers", bc_id)["paymentMethod"]["code"] == "CARD"
    quiet(termed, "customer")
    planted(termed, f"customers/{key}", {"payment_terms": "14D"}, "payment_terms")


def test_a_code_that_is_not_there_waits_by_name_until_it_is(termed: World) -> None:
    key = termed.shop.post("customers", customer(payment_terms="60D"))["id"]
    other = termed.shop.post("customers", customer("C2", payment_terms="14D"))["id"]
    termed.shop.post("customers", customer("C3", payment_terms="14D"))
    termed.bc.forget_requests()
    termed.step("customer")
    asked = [
        count for call, count in termed.bc.requests()["by_path"].items() if call.endswith("/paymentTerms")
    ]
    assert sum(asked) == 2, "once for each code"
    assert not termed.sql("select 1 from link where shop_id = ?", key)
    assert termed.counterpart("customer", other)
    ((reason,),) = termed.sql("select reason from refusal")
    assert reason == "paymentTerms of Business Central has none whose code is '60D'"

    termed.bc.post("paymentTerms", {"code": "60D", "displayName": "Net 60 days", "dueDateCalculation": "60D"})
    assert not termed.step("customer", full=True).failed()
    assert codes(termed, "customers", termed.counterpart("customer", key))["paymentTerm"]["code"] == "60D"
    quiet(termed, "customer")


def test_an_order_that_says_nothing_takes_what_its_customer_has(termed: World) -> None:
    buyer = termed.shop.post("customers", customer(payment_terms="14D", salesperson="KH"))["id"]
    item = termed.shop.post("products", product())["id"]
    silent = termed.shop.post("orders", order("O1", buyer, [line(item)]))["id"]
    own = termed.shop.post(
        "orders",
        order("O2", buyer, [line(item) | {"location": "AARHUS"}], payment_terms="CASH", department="SALES"),
    )["id"]
    assert not termed.step().failed()
    there = codes(termed, "salesOrders", termed.counterpart("order", silent))
    assert (there["paymentTerm"]["code"], there["salesperson"]) == ("14D", "KH")
    assert termed.shop.get("orders", silent)["payment_terms"] == "14D", "and the shop is told"

    bc_id = termed.counterpart("order", own)
    there = codes(termed, "salesOrders", bc_id)
    assert (there["paymentTerm"]["code"], there["shortcutDimension1Code"]) == ("CASH", "SALES")
    assert there["salesOrderLines"][0]["location"]["code"] == "AARHUS"
    quiet(termed)

    places = {row["code"]: row["id"] for row in termed.bc.all("locations").values()}
    termed.bc.patch("salesOrderLines", there["salesOrderLines"][0]["id"], {"locationId": places["KOLDING"]})
    termed.bc.patch("salesOrders", bc_id, {"shortcutDimension2Code": "FAIR", "salesperson": "MB"})
    assert not termed.step("order", full=True).failed()
    held = termed.shop.get("orders", own)
    assert (held["project"], held["salesperson"], held["lines"][0]["location"]) == ("FAIR", "MB", "KOLDING")
    lines = [held["lines"][0] | {"location": "AARHUS"}]
    termed.shop.patch("orders", own, {"lines": lines, "payment_terms": "30D"})
    assert not termed.step("order").failed()
    there = codes(termed, "salesOrders", bc_id)
    assert there["paymentTerm"]["code"] == "30D"
    assert there["salesOrderLines"][0]["location"]["code"] == "AARHUS"
    quiet(termed)


OF_AN_ORDER = {
    "payment_terms": ("paymentTermsId", "paymentTerms", ("30D", "CASH")),
    "shipment_method": ("shipmentMethodId", "shipmentMethods", ("DAP", "EXW")),
    "salesperson": ("salesperson", None, ("KH", "MB")),
    "department": ("shortcutDimension1Code", None, ("ADM", "SALES")),
    "project": ("shortcutDimension2Code", None, ("FAIR", "SHOP")),
}
OF_A_CUSTOMER = {
    "payment_terms": ("paymentTermsId", "paymentTerms", ("30D", "CASH")),
    "payment_method": ("paymentMethodId", "paymentMethods", ("BANK", "CARD")),
    "salesperson": ("salespersonCode", None, ("KH", "MB")),
}
"""Property -> that of Business Central, the set of its ids where it holds one, and two codes."""


@pytest.mark.parametrize(
    ("flow", "rows"), [("customer", OF_A_CUSTOMER), ("order", OF_AN_ORDER)], ids=["customer", "order"]
)
def test_each_term_goes_each_way_alone(
    termed: World, flow: str, rows: dict[str, tuple[str, str | None, tuple[str, str]]]
) -> None:
    """Said when it is new, edited here, and edited there; whatever is not edited stays."""
    kind, entity = f"{flow}s", {"customer": "customers", "order": "salesOrders"}[flow]
    first = {name: words[0] for name, (_, _, words) in rows.items()}
    buyer = termed.shop.post("customers", customer("C1", **(first if flow == "customer" else {})))["id"]
    item = termed.shop.post("products", product())["id"]
    placed = termed.shop.post(
        "orders", order("O1", buyer, [line(item)], **(first if flow == "order" else {}))
    )
    key = buyer if flow == "customer" else placed["id"]
    assert not termed.step().failed()
    bc_id = termed.counterpart(flow, key)

    def there(name: str, word: str) -> str:
        """What Business Central holds where it means that code."""
        of = rows[name][1]
        return next(row["id"] for row in termed.bc.all(of).values() if row["code"] == word) if of else word

    def agree(said: dict[str, str]) -> None:
        shown, held = termed.shop.get(kind, key), termed.bc.get(entity, bc_id)
        assert {name: shown[name] for name in rows} == said
        assert {name: held[rows[name][0]] for name in rows} == {
            name: there(name, word) for name, word in said.items()
        }

    agree(first)
    for name, (bc_name, _, (one, other)) in rows.items():
        termed.shop.patch(kind, key, {name: other})
        run = termed.step(flow)
        assert (run.failed(), run.writes()) == ([], 1)
        agree(first | {name: other})
        termed.bc.patch(entity, bc_id, {bc_name: there(name, one)})
        run = termed.step(flow)
        assert (run.failed(), run.writes()) == ([], 1)
        agree(first)
    quiet(termed)
