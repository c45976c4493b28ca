"""A shop asked by criteria, with ids made by clients and lines changed in a version of an order, is described."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from talk_pipeline.cli.configuration import check_configuration
from talk_pipeline_tests.flow_files import edited_flows, replaced
from talk_pipeline_tests.systems.customwebshop.shops.criteria_shop import CONNECTOR, CriteriaShop
from talk_pipeline_tests.systems.customwebshop.shops.door import Connected, connect, opened, unexplained
from talk_pipeline_tests.world import World


class Criteria(Connected):
    """The shop of criteria."""

    shop: CriteriaShop


@pytest.fixture
def criteria(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Criteria]:
    shop = CriteriaShop()
    with opened(shop) as address:
        connect(monkeypatch, url=address, connector=CONNECTOR)
        monkeypatch.setenv("CRITERIA_ID", "client")
        monkeypatch.setenv("CRITERIA_SECRET", "secret")
        yield Criteria(shop, world)


def test_records_travel_there_and_back(criteria: Criteria, capsys: pytest.CaptureFixture[str]) -> None:
    criteria.there_and_back()
    assert not criteria.shop.versions
    around = ["POST _action/version/order", "POST _action/version/merge/order"]
    assert [one for one in criteria.shop.writes if "version" in one] == around
    status = check_configuration()
    told = capsys.readouterr().out
    assert status == 0, told
    criteria.audited()


def test_lines_and_parts_may_be_searched_for_by_their_record(
    criteria: Criteria, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By POST as well, page by page."""
    read = 'body: {filter: [{type: equals, field: recordId, value: "{id}"}]}'
    paging = "{style: page, size_parameter: limit, size: 2, total: total}"
    lines = f"""\
        url: /search/order-line-item
        read: {{{read}}}
        records: data
        paging: {paging}
"""
    part = f"parts: {{contact: {{path: /search/customer-contact, {read}, at: 'data[0]'}}}}"
    edits = [
        ("        path: lineItems\n        url: /order-line-item\n", lines),
        (
            'create: {constants: {id: "{key}", orderId',
            'create: {path: /order-line-item, constants: {id: "{key}", orderId',
        ),
        ("update: {headers", "update: {path: '/order-line-item/{line}', headers"),
        ("delete: {headers", "delete: {path: '/order-line-item/{line}', headers"),
        (
            "    fields: {company_name",
            f"    {part}\n    fields: {{email: {{path: '@contact.mail', write: false}}, company_name",
        ),
    ]
    file = tmp_path / "searched.yaml"
    file.write_text(replaced(CONNECTOR.read_text(encoding="utf-8"), *edits), encoding="utf-8")
    connect(monkeypatch, connector=file)
    criteria.fill()
    more = criteria.shop.tables["orders"][criteria.order]["lines"]
    for quantity in ("3", "4"):
        more |= criteria.shop.line(criteria.product, quantity, "7.00")
    criteria.run()
    assert [row["quantity"] for row in criteria.lines_there()] == [2, 3, 4]
    there = criteria.world.bc.get("customers", criteria.there("customer", criteria.customer))
    assert there["email"] == criteria.shop.tables["customers"][criteria.customer]["email"]
    criteria.quiet()
    criteria.world.bc.patch("salesOrderLines", criteria.lines_there()[2]["id"], {"quantity": 9})
    criteria.run()
    assert [row["quantity"] for row in criteria.lines_here()] == ["2", "3", "9"]
    criteria.quiet()
    criteria.audited()


def test_a_state_is_moved_on_and_what_is_wrong_is_told_whole(criteria: Criteria) -> None:
    criteria.fill()
    criteria.run()
    criteria.world.bc.control(f"sales-orders/{criteria.there('order', criteria.order)}/release")
    criteria.run()
    assert criteria.shop.tables["orders"][criteria.order]["state"] == "in_progress"
    there = criteria.there("customer", criteria.customer)
    criteria.world.bc.patch("customers", there, {"displayName": "A", "addressLine1": "B"})
    (row,) = criteria.world.step("customer").finding("customer", "no_quarantined_records").rows
    wrong = [f"VIOLATION::TOO_SHORT: /0/{name}: This value is too short." for name in ("company", "street")]
    assert row["reason"] == "; ".join(wrong)


def test_a_change_of_lines_that_is_refused_is_given_up(criteria: Criteria) -> None:
    criteria.fill()
    criteria.run()
    line = criteria.lines_there()[0]
    criteria.shop.broken = True
    criteria.world.bc.patch("salesOrderLines", line["id"], {"quantity": 4})
    (row,) = criteria.world.step("order").finding("order", "no_quarantined_records").rows
    assert "There is no such line" in row["reason"]
    assert not criteria.shop.versions


def test_a_new_record_has_an_id_made_here_and_is_made_once(
    criteria: Criteria, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    edited_flows(tmp_path, monkeypatch, customer=("create: always", "create: both"))
    criteria.world.bc.post(
        "customers", {"number": "NEW", "displayName": "New one", "email": "n@company.example"}
    )
    criteria.shop.lost = 1
    criteria.world.step("customer")
    for _ in range(3):
        criteria.world.let_time_pass()
        criteria.world.step("customer")
    assert [row["company"] for row in criteria.shop.tables["customers"].values()] == ["New one"]
    (key,) = criteria.shop.tables["customers"]
    assert criteria.there("customer", key)
    criteria.quiet()
    assert not unexplained("customer")
