"""What a delivery of Business Central tells, and what is none of ours."""

import json

import pytest
from pydantic import SecretStr

from talk_pipeline.flows.loading import load_flows
from talk_pipeline.systems.businesscentral import notifications

SECRET = "a long random text"
COMPANY = "companies(a434c527-5fd8-4e13-b196-d47a5fc5c2b5)"
NOTICES = [
    ([f"/api/v2.0/{COMPANY}/customers(11111111-1111-1111-1111-111111111111)"], {"customer"}),
    ([f"api/v2.0/{COMPANY}/items(11111111-1111-1111-1111-111111111111)"], {"product"}),
    ([f"/api/v2.0/{COMPANY}/salesOrders?$filter=lastModifiedDateTime gt 2026-01-01T00:00:00Z"], {"order"}),
    ([f"/api/v2.0/{COMPANY}/customers(1)", f"/api/v2.0/{COMPANY}/salesOrders(2)"], {"customer", "order"}),
    ([f"/api/v2.0/{COMPANY}/paymentTerms(1)"], set()),
]


@pytest.mark.parametrize(("resources", "flows"), NOTICES)
def test_single_notices_and_collections_are_understood(resources: list[str], flows: set[str]) -> None:
    body = json.dumps({"value": [{"clientState": SECRET, "resource": resource} for resource in resources]})
    assert notifications.understand(body.encode(), load_flows(), secret=SecretStr(SECRET)) == flows


@pytest.mark.parametrize("body", [b"", b"[]", b'{"value": [{}]}', b"\xff"])
def test_what_is_no_notice_is_turned_away(body: bytes) -> None:
    assert notifications.understand(body, load_flows(), secret=SecretStr(SECRET)) is None
