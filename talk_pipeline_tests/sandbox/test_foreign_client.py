"""An OData v4 client nobody here wrote, odatapy, which reads ``$metadata`` and holds the answers to it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from talk_pipeline.sandbox.server import Sandbox
from talk_pipeline_tests.sandbox.clients import SCOPE, CentralClient

odata = pytest.importorskip("odatapy.client")


@pytest.fixture
def client(sandbox: Sandbox, bc: CentralClient) -> Iterator[Any]:
    """The client with a token of its own, having read the metadata."""
    environment = sandbox.environment()
    auth = odata.OAuth2ClientCredentialsAuth(
        environment["BUSINESSCENTRAL_TOKEN_URL"],
        environment["BUSINESSCENTRAL_CLIENT_ID"],
        environment["BUSINESSCENTRAL_CLIENT_SECRET"],
        scope=SCOPE,
        httpx_kwargs={"trust_env": False},
    )
    transport = odata.HttpxTransport(auth=auth, trust_env=False)
    running = odata.EdmEnabledODataClient(environment["BUSINESSCENTRAL_URL"], transport)
    running.get_edm()
    yield running
    transport.close()


def uri(client: Any, sandbox: Sandbox, *path: str) -> Any:
    """An address in the company: names of sets and keys in turn."""
    company = uuid.UUID(sandbox.environment()["BUSINESSCENTRAL_COMPANY_ID"])
    built = client.uri().append_entity_set_segment("companies").append_key_segment(company)
    for position, step in enumerate(path):
        built = (
            built.append_key_segment(uuid.UUID(step))
            if position % 2
            else built.append_navigation_segment(step)
        )
    return built


def values(entity: Any) -> dict[str, Any]:
    return {entry.name: entry.value for entry in entity.properties}


def test_it_lists_and_pages(client: Any, sandbox: Sandbox, bc: CentralClient) -> None:
    made = [bc.customer(number=f"C{n}")["number"] for n in range(7)]
    customers = uri(client, sandbox, "customers")
    pages = list(client.iter_pages(customers, max_page_size=3))
    assert [len(page.entities) for page in pages] == [3, 3, 1]
    assert [values(entity)["number"] for page in pages for entity in page.entities] == made


def test_it_reads_values_of_the_declared_types(client: Any, sandbox: Sandbox, bc: CentralClient) -> None:
    order = bc.order_of(quantity=3, price=Decimal("19.99"), requestedDeliveryDate="2026-12-24")
    read = values(client.get_entity(uri(client, sandbox, "salesOrders", order["id"])))
    assert read["id"] == uuid.UUID(order["id"])
    assert read["totalAmountExcludingTax"] == Decimal("59.97")
    assert read["requestedDeliveryDate"].isoformat() == "2026-12-24"
    assert read["lastModifiedDateTime"].utcoffset() is not None


def test_it_expands_filters_and_selects(client: Any, sandbox: Sandbox, bc: CentralClient) -> None:
    order = bc.order_of(externalDocumentNumber="WEB-1")
    bc.order_of(externalDocumentNumber="WEB-2")
    wanted = uri(client, sandbox, "salesOrders").filter("externalDocumentNumber eq 'WEB-1'")
    found = client.get_entity_set(wanted.expand("salesOrderLines").select("id", "number")).entities
    assert [values(entity)["number"] for entity in found] == [order["number"]]


def test_it_creates_updates_with_the_tag_and_deletes(
    client: Any, sandbox: Sandbox, bc: CentralClient
) -> None:
    made = client.create_entity(uri(client, sandbox, "customers"), {"displayName": "Fremmed Handel ApS"})
    key = str(values(made)["id"])
    one = uri(client, sandbox, "customers", key)
    changed = client.update_entity(one, {"city": "Rungholt"}, etag=made.etag)
    assert values(changed.entity)["city"] == "Rungholt"
    with pytest.raises(odata.ODataClientError) as refused:
        client.update_entity(one, {"city": "Vineta"}, etag=made.etag)
    assert refused.value.status_code == 409
    assert client.delete_entity(one, etag=changed.entity.etag).status_code == 204
    with pytest.raises(odata.ODataClientError) as gone:
        client.get_entity(one)
    assert gone.value.status_code == 404
    assert bc.all_of("customers") == []


def test_its_json_batch(client: Any, sandbox: Sandbox, bc: CentralClient) -> None:
    bc.customer()
    batch = client.batch(format="json")
    batch.add_retrieve(uri(client, sandbox, "customers"))
    batch.add_retrieve(uri(client, sandbox, "items"))
    assert [part.status_code for part in client.execute_batch(batch)] == [200, 200]
