"""What orders became, as their invoices tell it."""

from pathlib import Path

import pytest

from talk_pipeline_tests.flow_files import copied_flows, flows_in
from talk_pipeline_tests.systems.answering import Answering
from talk_pipeline_tests.systems.businesscentral.speech import (
    COMPANY,
    Opens,
    page,
    using,
)

CUSTOMERS = f"{COMPANY}/customers"


INVOICES = [
    {"id": "i1", "orderId": "o1", "orderNumber": "SO1", "status": "Open", "totalAmountIncludingTax": 10.25},
    {"id": "i2", "orderId": "o1", "orderNumber": "SO1", "status": "Paid", "totalAmountIncludingTax": 4.5},
    {"id": "i3", "orderId": "o1", "orderNumber": "SO1", "status": "Canceled", "totalAmountIncludingTax": 99},
    {
        "id": "i4",
        "orderId": "o1",
        "orderNumber": "SO1",
        "status": "In_x0020_Review",
        "totalAmountIncludingTax": 7,
    },
    {"id": "i5", "orderId": "o2", "orderNumber": "SO2", "status": "Canceled", "totalAmountIncludingTax": 8},
]


def test_what_records_became_is_told_with_the_sums_of_what_counts(server: Answering, opens: Opens) -> None:
    server.on(CUSTOMERS.replace("customers", "salesInvoices"), page(*INVOICES))
    values = ["o1", "o2", "o3"]
    found = using(opens(), lambda opened: opened.ended("order", "orderId", values=values))
    assert {key: (one.ids, dict(one.comes_to), one.was, dict(one.called)) for key, one in found.items()} == {
        "o1": (["i1", "i2", "i3", "i4"], {"totalAmountIncludingTax": "14.75"}, ["o1"], {"number": "SO1"}),
        "o2": (["i5"], {"totalAmountIncludingTax": "0"}, ["o2"], {"number": "SO2"}),
    }
    assert {key: one.counts for key, one in found.items()} == {"o1": True, "o2": False}, "o2 has not ended"
    assert server.asked[0].query == {
        "$select": "id,orderId,orderNumber,totalAmountIncludingTax,status",
        "$filter": " or ".join(f"orderId eq {one}" for one in values),
    }


def test_what_lies_outside_the_scope_is_another_shops_under_the_same_key(
    server: Answering, opens: Opens, tmp_path: Path
) -> None:
    said = ("  entity: salesOrders\n", "  entity: salesOrders\n  scope: {customerNumber: N-*}\n")
    flows = flows_in(copied_flows(tmp_path / "flows", order=said))
    told = {
        "externalDocumentNumber": "1001",
        "customerId": "c1",
        "orderNumber": "SO1",
        "status": "Open",
        "totalAmountIncludingTax": 1,
    }
    rows = [
        {"id": f"i{shop}", "orderId": f"o{shop}", "customerNumber": f"{shop}-1", **told}
        for shop in ("S", "N")
    ]
    server.on(CUSTOMERS.replace("customers", "salesInvoices"), page(*rows))
    opening = opens(flows=flows)
    found = using(opening, lambda opened: opened.ended("order", "externalDocumentNumber", values=["1001"]))
    assert found["1001"].ids == ["iN"]
    server.on(CUSTOMERS.replace("customers", "salesInvoices"), page(rows[0]))
    opening = opens(flows=flows)
    assert using(opening, lambda one: one.ended("order", "externalDocumentNumber", values=["1001"])) == {}
    by_id = using(opens(flows=flows), lambda one: one.ended("order", "orderId", values=["oS"]))
    assert by_id["oS"].ids == ["iS"], "by its own id it is nobody else's"


def test_whom_they_name_is_told_where_they_are_asked_for_by_a_key(server: Answering, opens: Opens) -> None:
    """By its own id a record is nobody else's; by a key it may be."""
    told = {
        "externalDocumentNumber": "1001",
        "orderNumber": "SO1",
        "status": "Open",
        "totalAmountIncludingTax": 1,
    }
    rows = [
        {"id": f"i{nth}", "orderId": f"o{nth}", "customerId": buyer, **told}
        for nth, buyer in enumerate(["c1", "c1", "c2", "00000000-0000-0000-0000-000000000000"])
    ]
    cancelled = {"id": "i9", "orderId": "o9", "customerId": "c9", **told, "status": "Canceled"}
    server.on(CUSTOMERS.replace("customers", "salesInvoices"), page(cancelled, *rows))
    found = using(opens(), lambda opened: opened.ended("order", "externalDocumentNumber", values=["1001"]))
    assert found["1001"].refers == {"customerId": ["c1", "c2"]}
    assert found["1001"].was[0] == "o0", "what was cancelled is not what it became"
    by_id = using(opens(), lambda opened: opened.ended("order", "orderId", values=["o1"]))
    assert by_id["o1"].refers == {}


@pytest.mark.parametrize(("scope", "found"), [("number: SO-N-*", ["iN"]), ("status: Draft", ["iS", "iN"])])
def test_what_an_invoice_says_of_itself_is_not_held_against_the_scope_of_orders(
    server: Answering, opens: Opens, tmp_path: Path, scope: str, found: list[str]
) -> None:
    """It calls the order in a place of its own; its state is not the order's, and tells nothing."""
    said = ("  entity: salesOrders\n", f"  entity: salesOrders\n  scope: {{{scope}}}\n")
    flows = flows_in(copied_flows(tmp_path / "flows", order=said))
    told = {
        "externalDocumentNumber": "1001",
        "customerId": "c1",
        "status": "Open",
        "totalAmountIncludingTax": 1,
    }
    rows = [
        {
            "id": f"i{shop}",
            "orderId": f"o{shop}",
            "number": f"FA-{shop}",
            "orderNumber": f"SO-{shop}-1",
            **told,
        }
        for shop in ("S", "N")
    ]
    server.on(CUSTOMERS.replace("customers", "salesInvoices"), page(*rows))
    ended = using(
        opens(flows=flows), lambda opened: opened.ended("order", "externalDocumentNumber", values=["1001"])
    )
    assert ended["1001"].ids == found


def test_what_does_not_end_elsewhere_is_not_asked_for(server: Answering, opens: Opens) -> None:
    assert using(opens(), lambda opened: opened.ended("customer", "id", values=["c1"])) == {}
    assert using(opens(), lambda opened: opened.ended("order", "orderId", values=[])) == {}
    assert not server.asked
