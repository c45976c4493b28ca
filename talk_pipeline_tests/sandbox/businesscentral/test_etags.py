"""Entity tags: what a change, a delete and an action need, and how an outdated one is told."""

from __future__ import annotations

import pytest

from talk_pipeline_tests.sandbox.clients import CentralClient, read, refused


def test_every_record_carries_a_weak_tag(bc: CentralClient) -> None:
    bc.customer()
    tag = bc.get("customers")["value"][0]["@odata.etag"]
    assert tag.startswith('W/"')
    assert tag.endswith('"')


@pytest.mark.parametrize("tag", [None, "", "nonsense", '"strong"', "W/unquoted", 'W/"not base64!"', 'W/""'])
def test_a_change_without_a_well_formed_tag_is_400(bc: CentralClient, tag: str | None) -> None:
    customer = bc.customer()
    headers = {} if tag is None else {"If-Match": tag}
    answer = bc.call("PATCH", f"customers({customer['id']})", {"displayName": "Y"}, headers=headers)
    refused(answer, 400, "BadRequest_InvalidToken")
    assert bc.get(f"customers({customer['id']})")["displayName"] == customer["displayName"]


def test_an_outdated_tag_is_409(bc: CentralClient) -> None:
    customer = bc.customer()
    bc.update(f"customers({customer['id']})", displayName="Y")
    headers = {"If-Match": customer["@odata.etag"]}
    answer = bc.call("PATCH", f"customers({customer['id']})", {"displayName": "Z"}, headers=headers)
    refused(answer, 409, "Request_EntityChanged")
    assert bc.get(f"customers({customer['id']})")["displayName"] == "Y"


def test_the_tag_of_another_record_is_409(bc: CentralClient) -> None:
    one, other = bc.customer(), bc.customer()
    headers = {"If-Match": other["@odata.etag"]}
    refused(bc.call("PATCH", f"customers({one['id']})", {"city": "X"}, headers=headers), 409)


def test_the_current_tag_lets_a_change_pass_and_moves(bc: CentralClient) -> None:
    customer = bc.customer()
    headers = {"If-Match": customer["@odata.etag"]}
    answer = bc.call("PATCH", f"customers({customer['id']})", {"displayName": "Y"}, headers=headers)
    assert answer.status_code == 200
    assert read(answer)["@odata.etag"] != customer["@odata.etag"]
    assert read(answer)["@odata.etag"] == bc.get(f"customers({customer['id']})")["@odata.etag"]


def test_a_star_skips_the_check(bc: CentralClient) -> None:
    customer = bc.customer()
    bc.update(f"customers({customer['id']})", displayName="Y")
    assert bc.update(f"customers({customer['id']})", displayName="Z")["displayName"] == "Z"


def test_a_delete_needs_no_tag_but_one_sent_is_checked(bc: CentralClient) -> None:
    one, other = bc.customer(), bc.customer()
    bc.update(f"customers({one['id']})", displayName="Y")
    headers = {"If-Match": one["@odata.etag"]}
    refused(bc.call("DELETE", f"customers({one['id']})", headers=headers), 409, "Request_EntityChanged")
    refused(
        bc.call("DELETE", f"customers({one['id']})", headers={"If-Match": "x"}),
        400,
        "BadRequest_InvalidToken",
    )
    bc.delete(f"customers({one['id']})")
    headers = {"If-Match": other["@odata.etag"]}
    assert bc.call("DELETE", f"customers({other['id']})", headers=headers).status_code == 204


def test_an_action_needs_no_tag_but_one_sent_is_checked(bc: CentralClient) -> None:
    order = bc.order_of()
    bc.update(f"salesOrders({order['id']})", email="a@b.example")
    path = f"salesOrders({order['id']})/Microsoft.NAV.shipAndInvoice"
    refused(bc.call("POST", path, headers={"If-Match": order["@odata.etag"]}), 409, "Request_EntityChanged")
    assert bc.call("POST", path).status_code == 204


def test_a_missing_record_is_told_before_a_missing_tag(bc: CentralClient) -> None:
    customer = bc.customer()
    bc.delete(f"customers({customer['id']})")
    refused(bc.call("PATCH", f"customers({customer['id']})", {"city": "X"}), 404)


@pytest.mark.parametrize("document", [{}, {"displayName": "Tågehorn Handel ApS"}])
def test_a_change_that_changes_nothing_leaves_tag_and_time_alone(
    bc: CentralClient, document: dict[str, str]
) -> None:
    customer = bc.customer()
    same = bc.update(f"customers({customer['id']})", **document)
    assert same["@odata.etag"] == customer["@odata.etag"]
    assert same["lastModifiedDateTime"] == customer["lastModifiedDateTime"]


def test_a_change_that_changes_nothing_may_move_the_tag(bc: CentralClient) -> None:
    bc.control.settings(unchanged_write="moves")
    customer, order = bc.customer(), bc.order_of()
    line = bc.lines(order)[0]
    for path, record in (
        (f"customers({customer['id']})", customer),
        (f"salesOrders({order['id']})", order),
        (f"salesOrderLines({line['id']})", line),
    ):
        assert bc.update(path)["@odata.etag"] != record["@odata.etag"]


def test_an_expanded_record_carries_its_own_tag(bc: CentralClient) -> None:
    order = bc.order_of()
    line = bc.lines(order)[0]
    expanded = bc.get(f"salesOrders({order['id']})?$expand=salesOrderLines,customer")
    assert expanded["salesOrderLines"][0]["@odata.etag"] == line["@odata.etag"]
    assert expanded["customer"]["@odata.etag"] != expanded["@odata.etag"]
