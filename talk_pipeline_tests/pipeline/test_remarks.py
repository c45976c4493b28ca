"""What a pair in step shows all the same: a case that its flow lists, and totals that differ."""

from talk_pipeline_tests.pipeline.decisions.test_explain import explain
from talk_pipeline_tests.pipeline.records import customer, line, order, product
from talk_pipeline_tests.world import World


def test_a_pair_in_step_that_is_listed_or_whose_totals_differ_is_not_called_fine(world: World) -> None:
    buyer = world.shop.post("customers", customer())["id"]
    item = world.shop.post("products", product())["id"]
    placed = world.shop.post("orders", order("O1", buyer, [line(item)]))["id"]
    world.step()
    assert explain("order", placed)["remarks"] == []
    world.shop.patch("orders", placed, {"status": "cancelled"})
    world.step()
    with world.database() as db:
        db.execute(
            "update record set raw = map_concat(raw, map {'total_tax': '47.11'}), canon = map_concat(canon,"
            " map {'total_tax': '47.11'}) where part = 'order' and side = 'customwebshop'"
        )
    document = explain("order", placed)
    assert document["state"] == "active"
    assert document["remarks"] == [
        "cancelled in the shop while the sales order lives on",
        "total_tax is 47.11 in the shop and 50 in Business Central",
    ]
    assert document["next_step"].startswith(
        "a person decides, nothing is left to write: cancelled in the shop"
    )


def test_what_business_central_refers_to_and_the_shop_has_not_is_named_with_the_way_out(world: World) -> None:
    """Nothing makes it there, so that an order would wait for good."""
    buyer = world.shop.post("customers", customer())["id"]
    item = world.shop.post("products", product())["id"]
    placed = world.shop.post("orders", order("O1", buyer, [line(item)]))["id"]
    world.step()
    there = world.bc.post("items", {"number": "THEIRS", "displayName": "Theirs", "type": "Inventory"})["id"]
    place = f"/salesOrders({world.counterpart('order', placed)})/salesOrderLines"
    added = {"lineType": "Item", "itemId": there, "quantity": 2, "unitPrice": 5}
    world.bc.read(world.bc.http.post(place, json=added))
    run = world.step()
    (row,) = run.finding("order", "references_resolve").rows
    assert row["reason"] == f"product_id {there} (sku THEIRS) is not linked"
    document = explain("order", placed)
    assert (document["state"], document["reason"]) == ("waiting", row["reason"])
    told = document["next_step"]
    assert told.startswith(
        f"the shop has nothing for product {there} (sku THEIRS): make it there, or join it"
    )
    assert told.endswith(f"talk-pipeline link product ID {there}")
    world.shop.post("products", product("THEIRS"))
    assert not world.step().failed()
    assert len(world.shop.get("orders", placed)["lines"]) == 2
    assert explain("order", placed)["state"] == "active"
