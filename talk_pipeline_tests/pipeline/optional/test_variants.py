"""Variants of products, the lines that name them, and dimensions by default: children of the records."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from talk_pipeline_tests.pipeline.documents import with_optional
from talk_pipeline_tests.pipeline.optional.test_terms import planted, quiet
from talk_pipeline_tests.pipeline.records import Row, customer, line, order, product
from talk_pipeline_tests.world import World

NAMES = ("product_variants", "order_variants", "customer_dimensions", "product_dimensions")


@pytest.fixture
def varied(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    with_optional(world, tmp_path, monkeypatch, *NAMES)
    return world


def variants(world: World, bc_id: str) -> dict[str, Row]:
    return {row["code"]: row for row in world.bc.all(f"items({bc_id})/itemVariants").values()}


def test_variants_go_with_their_product_both_ways(varied: World) -> None:
    said = [{"code": "RED", "name": "Red"}, {"code": "BLUE", "name": "Blue"}]
    key = varied.shop.post("products", product(variants=said))["id"]
    assert not varied.step("product").failed()
    bc_id = varied.counterpart("product", key)
    assert {code: row["description"] for code, row in variants(varied, bc_id).items()} == {
        "RED": "Red",
        "BLUE": "Blue",
    }
    quiet(varied, "product")

    varied.bc.patch("itemVariants", variants(varied, bc_id)["RED"]["id"], {"description": "Ruby"})
    varied.bc.post(f"items({bc_id})/itemVariants", {"code": "GREEN", "description": "Green"})
    red, blue = varied.shop.get("products", key)["variants"]
    varied.shop.patch("products", key, {"variants": [red, blue | {"name": "Navy"}]})
    assert not varied.step("product", full=True).failed()
    assert [(row["code"], row["name"]) for row in varied.shop.get("products", key)["variants"]] == [
        ("RED", "Ruby"),
        ("BLUE", "Navy"),
        ("GREEN", "Green"),
    ]
    assert variants(varied, bc_id)["BLUE"]["description"] == "Navy"
    quiet(varied, "product")

    kept = [row for row in varied.shop.get("products", key)["variants"] if row["code"] != "RED"]
    varied.shop.patch("products", key, {"variants": kept})
    assert not varied.step("product").failed()
    assert set(variants(varied, bc_id)) == {"BLUE", "GREEN"}
    quiet(varied, "product")


def test_a_line_names_the_variant_of_its_very_product(varied: World) -> None:
    """Two products have one of the same code, so that the code alone would not do."""
    said = [{"code": "RED", "name": "Red"}, {"code": "BLUE", "name": "Blue"}]
    items = [varied.shop.post("products", product(f"P{n}", variants=said))["id"] for n in range(2)]
    buyer = varied.shop.post("customers", customer())["id"]
    key = varied.shop.post("orders", order("O1", buyer, [line(items[1], variant="red")]))["id"]
    assert not varied.step().failed()
    there = variants(varied, varied.counterpart("product", items[1]))
    (held,) = varied.bc.get("salesOrders", varied.counterpart("order", key))["salesOrderLines"]
    assert held["itemVariantId"] == there["RED"]["id"]
    quiet(varied)

    varied.bc.patch("salesOrderLines", held["id"], {"itemVariantId": there["BLUE"]["id"], "unitPrice": 90})
    assert not varied.step("order").failed()
    (shown,) = varied.shop.get("orders", key)["lines"]
    assert (shown["variant"], shown["unit_price"]) == ("BLUE", "90.00")
    varied.shop.patch("orders", key, {"lines": [shown | {"variant": "RED"}]})
    assert not varied.step("order").failed()
    (held,) = varied.bc.get("salesOrders", varied.counterpart("order", key))["salesOrderLines"]
    assert (held["itemVariantId"], held["unitPrice"]) == (there["RED"]["id"], 90)
    quiet(varied)
    (shown,) = varied.shop.get("orders", key)["lines"]
    planted(varied, f"orders/{key}", {"lines": [shown | {"variant": "GREEN"}]}, "variant")


@pytest.mark.parametrize(
    ("flow", "made", "owner"),
    [("customer", customer, "customers"), ("product", partial(product, variants=[{"code": "RED"}]), "items")],
    ids=["customer", "product"],
)
def test_dimensions_go_with_their_record_both_ways(
    varied: World, flow: str, made: Callable[..., Row], owner: str
) -> None:
    said = [{"code": "DEPARTMENT", "value": "SALES"}]
    key = varied.shop.post(f"{flow}s", made(dimensions=said))["id"]
    assert not varied.step(flow).failed()
    place = f"{owner}({varied.counterpart(flow, key)})/defaultDimensions"

    def there() -> dict[str, str]:
        return {row["dimensionCode"]: row["dimensionValueCode"] for row in varied.bc.all(place).values()}

    assert there() == {"DEPARTMENT": "SALES"}
    quiet(varied, flow)
    varied.bc.post(place, {"dimensionCode": "PROJECT", "dimensionValueCode": "SHOP"})
    (own,) = varied.shop.get(f"{flow}s", key)["dimensions"]
    varied.shop.patch(f"{flow}s", key, {"dimensions": [own | {"value": "ADM"}]})
    assert not varied.step(flow, full=True).failed()
    assert there() == {"DEPARTMENT": "ADM", "PROJECT": "SHOP"}
    shown = varied.shop.get(f"{flow}s", key)["dimensions"]
    assert [(row["code"], row["value"]) for row in shown] == [("DEPARTMENT", "ADM"), ("PROJECT", "SHOP")]
    varied.shop.patch(f"{flow}s", key, {"dimensions": shown[1:]})
    assert not varied.step(flow).failed()
    assert there() == {"PROJECT": "SHOP"}
    quiet(varied, flow)
