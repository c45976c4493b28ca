"""A shop that is searched by criteria, and whose last page comes again: connected by a description."""

from decimal import Decimal
from pathlib import Path

import pytest

from talk_pipeline.cli.configuration import check_configuration
from talk_pipeline_tests.flow_files import flows_alone
from talk_pipeline_tests.systems.customwebshop.shops.door import connect, opened, unexplained
from talk_pipeline_tests.systems.customwebshop.shops.search_shop import TOKEN, SearchShop
from talk_pipeline_tests.world import World

DESCRIBED = """name: Searched
base_path: /rest/V1
auth: {type: bearer, token: CUSTOMWEBSHOP_TOKEN}
times: "%Y-%m-%d %H:%M:%S"
records: items
paging: {style: page, parameter: "searchCriteria[currentPage]", size_parameter: "searchCriteria[pageSize]", size: 2,
         total: total_count}
modified: updated_at
updated_since:
  parameter: "searchCriteria[filter_groups][0][filters][0][value]"
  query: {"searchCriteria[filter_groups][0][filters][0][field]": updated_at,
          "searchCriteria[filter_groups][0][filters][0][condition_type]": gteq}
error: {message: message}
entities:
  products:
    path: /products
    id: sku
    search: # a size goes along: without any criterion of the list itself the answer is 400
      sku: "searchCriteria[pageSize]=9&searchCriteria[filter_groups][0][filters][0][field]=sku\\
        &searchCriteria[filter_groups][0][filters][0][value]={value}"
    create: {envelope: product, constants: {product.attribute_set_id: 4, product.type_id: simple}}
    update: {method: PUT, envelope: product}
    lacks: [category, unit, stock]
    fields:
      gtin: "custom_attributes[attribute_code=ean].value"
      cost: {path: "custom_attributes[attribute_code=cost].value"}
      price: {type: number}
      currency: {const: DKK}
      price_includes_tax: {const: false}
      active: {path: status, type: number, values: {"1": "true", "2": "false"}}
"""


def test_a_shop_that_is_searched_by_criteria(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shop = SearchShop()
    (tmp_path / "shop.yaml").write_text(DESCRIBED, encoding="utf-8")
    monkeypatch.setenv("TALK_FLOWS_DIR", str(flows_alone(tmp_path / "flows", "product")))
    with opened(shop) as address:
        connect(monkeypatch, url=address, token=TOKEN, connector=tmp_path / "shop.yaml")
        for n in range(5):
            told = [
                {"attribute_code": "color", "value": "49"},
                {"attribute_code": "cost", "value": f"{n}.500000"},
            ]
            shop.put(f"24-MB/{n}", name=f"Bag {n}", price=34.5, status=1, custom_attributes=told)

        def run() -> int:
            done = world.step()
            assert done.success, done.problems
            assert not done.failed()
            refused = done.finding("product", "no_quarantined_records").rows
            assert not refused
            return done.writes()

        assert run() == 5
        assert run() == 0
        assert check_configuration() == 0, capsys.readouterr().out
        item = world.counterpart("product", "24-MB/1")
        assert world.bc.get("items", item)["unitPrice"] == Decimal("34.5")
        shop.put("24-MB/2", name="Duffle", price=29)
        world.bc.patch(
            "items",
            item,
            {"unitPrice": 36.25, "displayName": "Crown", "blocked": True, "gtin": "4006381333931"},
        )
        run()
        row = shop.tables["products"]["24-MB/1"]
        assert (row["name"], Decimal(str(row["price"])), row["status"]) == ("Crown", Decimal("36.25"), 2)
        attributes = {one["attribute_code"]: one["value"] for one in row["custom_attributes"]}
        assert (attributes["color"], attributes["ean"]) == ("49", "4006381333931")
        assert run() == 0
        assert not unexplained()
