"""Pages that an extension brings along: an API of their own beside v2.0, with all that v2.0 has."""

from __future__ import annotations

import time
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from talk_pipeline_tests.sandbox.clients import CentralClient, Record, read, refused
from talk_pipeline_tests.sandbox.receiver import Receiver

EDM = "{http://docs.oasis-open.org/odata/ns/edm}"
API = "sample/loyalty/v1.0"


def root(bc: CentralClient, api: str = API) -> str:
    return bc.root.removesuffix("v2.0") + api


def members(bc: CentralClient, key: str = "") -> str:
    return f"{root(bc)}/{bc.company}/loyaltyMembers{key}"


def member(bc: CentralClient, **values: Any) -> Record:
    return bc.create(members(bc), **{"number": "L1", "fullName": "Klapstol ApS", **values})


def declared(bc: CentralClient, api: str) -> set[str | None]:
    document = ET.fromstring(bc.call("GET", f"{root(bc, api)}/$metadata").content)
    return {entry.get("Name") for entry in document.iter(f"{EDM}EntitySet")}


def test_each_api_declares_its_own_sets(bc: CentralClient) -> None:
    assert declared(bc, API) == {"companies", "subscriptions", "loyaltyMembers"}
    assert "customers" in declared(bc, "v2.0")
    assert "loyaltyMembers" not in declared(bc, "v2.0")


def test_a_set_is_served_by_its_own_api_alone(bc: CentralClient) -> None:
    member(bc)
    assert bc.call("GET", members(bc)).status_code == 200
    refused(bc.call("GET", "loyaltyMembers"), 404, "BadRequest_ResourceNotFound")
    refused(bc.call("GET", f"{root(bc)}/{bc.company}/customers"), 404, "BadRequest_ResourceNotFound")
    refused(bc.call("GET", f"{root(bc, 'nobody/nothing/v1.0')}/companies"), 404)
    refused(bc.call("GET", f"{root(bc, 'nobody/nothing/v1.0')}/$metadata"), 404)


def test_a_record_is_known_by_the_pages_own_key_and_modified_time(bc: CentralClient) -> None:
    made = member(bc)
    there = members(bc, f"({made['systemId']})")
    assert set(made) >= {"systemId", "systemModifiedAt", "level"}
    assert "id" not in made
    time.sleep(0.002)  # it tells milliseconds
    edited = read(bc.call("PATCH", there, {"points": 5}, headers={"If-Match": made["@odata.etag"]}))
    before, after = (datetime.fromisoformat(one["systemModifiedAt"]) for one in (made, edited))
    assert after > before
    refused(bc.call("PATCH", there, {"points": 6}, headers={"If-Match": made["@odata.etag"]}), 409)
    refused(bc.call("POST", members(bc), {"number": "L1", "fullName": "Again"}), 400)
    refused(bc.call("POST", members(bc), {"number": "L2"}), 400, "BadRequest_RequiredParamNotProvided")
    bc.delete(there)
    refused(bc.call("GET", there), 404)


def test_a_batch_belongs_to_an_api(bc: CentralClient) -> None:
    part = {"id": "1", "method": "POST", "url": f"{bc.company}/loyaltyMembers"}
    part["body"] = {"number": "L7", "fullName": "Klapstol ApS"}  # type: ignore[assignment]
    there = bc.call("POST", f"{root(bc)}/$batch", {"requests": [part]})
    assert [one["status"] for one in read(there)["responses"]] == [201]
    assert [one["status"] for one in read(bc.batch(part))["responses"]] == [404]


def test_all_apis_tell_which_sets_may_be_subscribed_to(bc: CentralClient) -> None:
    there = f"{root(bc, 'microsoft/runtime/beta')}/{bc.company}/webhookSupportedResources"
    named = [one["resource"] for one in bc.get(there)["value"]]
    assert {"v2.0/customers", "v2.0/salesOrders", f"{API}/loyaltyMembers"} <= set(named)
    assert "v2.0/salesOrderLines" not in named
    some = bc.get(f"{there}?$filter=resource eq 'v2.0*'")["value"]
    assert [one["resource"] for one in some] == [one for one in named if one.startswith("v2.0")]
    refused(bc.call("GET", there.replace("webhookSupportedResources", "gnomes")), 404)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    running = Receiver()
    yield running
    running.close()


def test_a_subscription_is_made_under_the_sets_own_api(bc: CentralClient, receiver: Receiver) -> None:
    bc.control.settings(webhook_delay=0.1)
    resource = f"/api/{API}/{bc.company}/loyaltyMembers"
    document = {"notificationUrl": receiver.url, "resource": resource, "clientState": "secret"}
    refused(bc.call("POST", "subscriptions", document, root=True), 400)
    assert bc.call("POST", f"{root(bc)}/subscriptions", document).status_code == 201
    made = member(bc)
    ((notice,),) = [one["value"] for one in receiver.documents(1)]
    assert notice["resource"] == f"{resource}({made['systemId']})"


def test_a_page_shows_more_of_what_another_api_has_and_both_show_one_record(bc: CentralClient) -> None:
    order = bc.order_of(quantity=2)
    bc.call("POST", f"salesOrders({order['id']})/Microsoft.NAV.shipAndInvoice")
    (plain,) = bc.all_of("salesShipments")
    there = f"{root(bc, 'sample/sales/v1.0')}/{bc.company}/postedSalesShipments({plain['id']})"
    shown = read(bc.call("GET", f"{there}?$expand=salesShipmentLines"))
    assert [line["quantity"] for line in shown["salesShipmentLines"]] == [2]
    assert (shown["number"], shown["packageTrackingNumber"]) == (plain["number"], "")
    time.sleep(0.002)  # it tells milliseconds
    said = {"shippingAgentCode": "gls", "packageTrackingNumber": "5000 1"}
    edited = read(bc.call("PATCH", there, said, headers={"If-Match": plain["@odata.etag"]}))
    assert (edited["shippingAgentCode"], edited["packageTrackingNumber"]) == ("GLS", "5000 1")
    (after,) = bc.all_of("salesShipments")
    told = [datetime.fromisoformat(row["lastModifiedDateTime"]) for row in (after, edited, plain)]
    assert told[0] == told[1] > told[2]
    assert "packageTrackingNumber" not in after
    refused(bc.call("PATCH", there, {"orderNumber": "SO1"}, headers={"If-Match": "*"}), 400)
