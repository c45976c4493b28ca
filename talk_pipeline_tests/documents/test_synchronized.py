"""Flows that were made of a document keep both systems in step, as far as the document goes."""

from pathlib import Path

import pytest

from talk_pipeline_tests.cli.command_line import run
from talk_pipeline_tests.documents.texts import CUSTOMER, LINES, ORDER, PRODUCT, document, section
from talk_pipeline_tests.pipeline.records import customer, line, order, product
from talk_pipeline_tests.world import World


def test_only_what_the_document_names_is_kept_in_step(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = document(
        section(CUSTOMER, [("email", "email", "string"), ("address.city", "city", "string")]),
        section(PRODUCT, [("price", "unitPrice", "float")]),
        section(ORDER, [("currency", "currencyCode", "string")]),
        section(LINES, [("quantity", "quantity", "float")]),
    )
    (tmp_path / "it.rst").write_text(text)
    assert run("import-doc", "it.rst", "--out", "flows").returncode == 0
    monkeypatch.setenv("TALK_FLOWS_DIR", "flows")
    buyer = world.shop.post("customers", customer())["id"]
    item = world.shop.post("products", product())["id"]
    sold = world.shop.post("orders", order("O1", buyer, [line(item)]))
    assert not world.step().failed()
    there = world.bc.get("customers", world.counterpart("customer", buyer))
    assert (there["email"], there["website"]) == (customer()["email"], ""), "no row names the website"
    there = world.bc.orders()[world.counterpart("order", sold["id"])]
    (of_order,) = there["salesOrderLines"]
    assert float(of_order["quantity"]) == float(sold["lines"][0]["quantity"])

    world.shop.patch("customers", buyer, {"email": "new@c1.example", "website": "www.new.example"})
    assert not world.step().failed()
    there = world.bc.get("customers", world.counterpart("customer", buyer))
    assert (there["email"], there["website"]) == ("new@c1.example", "")
    world.forget_requests()
    assert not world.step().failed()
    assert world.writes() == {"customwebshop": 0, "businesscentral": 0}
