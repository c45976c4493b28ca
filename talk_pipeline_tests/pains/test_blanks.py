"""A blank of a property whose values are mapped one by one: it compares as blank, and breaks no record."""

import pytest

from talk_pipeline.flows.properties import Property
from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.values import Context, UnmappableError
from talk_pipeline_tests.flow_files import flows_in
from talk_pipeline_tests.pipeline.records import customer, line, order, product
from talk_pipeline_tests.world import World

FLOWS = flows_in()
EVERY = [
    pytest.param(prop, id=f"{part.name}.{prop.name}")
    for flow in FLOWS.values()
    for part in flow.parts
    for prop in part.properties
    if prop.dir == "<->"
]


@pytest.mark.parametrize("prop", EVERY)
def test_a_blank_on_both_sides_is_the_same_blank(prop: Property) -> None:
    """Whatever the type: either a blank is refused for being required, or it compares and is harmless."""
    context = Context(lcy="DKK")
    if prop.required:
        for side in Side:
            with pytest.raises(UnmappableError, match="is blank, but must not be"):
                prop.canonical(side, value=None, context=context)
        return
    if prop.type == "bool" and prop.values:
        return  # Business Central's booleans are never blank
    shop, bc = (prop.canonical(side, value=None, context=context) for side in Side)
    assert prop.equal(shop, bc)
    for side in Side:
        if not prop.wordless(side):
            sent = prop.convert(side, value=None, context=context)
            assert prop.equal(*(prop.canonical(one, value=sent, context=context) for one in (side, side)))
        elif prop.blank_keeps:
            assert side is Side.BC, "what is held there stays, and no blank is sent"
        else:
            assert prop.values, "only what is mapped word by word may lack a word for a blank"
            with pytest.raises(UnmappableError, match="is blank, and the values the flow maps have no blank"):
                prop.convert(side, value=None, context=context)


def test_a_word_for_a_blank_may_be_mapped() -> None:
    prop = Property(shop="unit", dir="<->", bc="unit", type="text(10)", values={"": "", "pcs": "PCS"})
    assert not any(prop.wordless(side) for side in Side)
    assert prop.convert(Side.BC, value=None, context=Context()) == ""
    assert prop.canonical(Side.BC, value=None, context=Context()) in (None, "")


def test_a_product_without_a_unit_gets_the_one_business_central_gives_and_can_be_ordered(
    world: World,
) -> None:
    if world.shop_lacks("product").get("unit"):
        pytest.skip("this shop has no units")
    key = world.shop.post("products", product(unit=None))["id"]
    buyer = world.shop.post("customers", customer())["id"]
    world.shop.post("orders", order("O1", buyer, [line(key, unit=None)]))
    dry = world.sync("product", dry_run=True)
    assert dry["product"]["quarantined"] == 0
    assert not world.sql("select * from change where property = 'unit'"), "it is not sent, and not planned"
    run = world.step()
    assert not run.failed()
    assert [run[flow]["linked"] for flow in ("customer", "product", "order")] == [1, 1, 1]
    (item,) = world.bc.all("items").values()
    (held,) = world.bc.orders().values()
    assert item["baseUnitOfMeasureCode"] == held["salesOrderLines"][0]["unitOfMeasureCode"] == "PCS"
    assert world.shop.get("products", key)["unit"] == "pcs"
    assert world.step(full=True).writes() == 0


def test_a_unit_that_is_cleared_stays_where_the_other_side_needs_it_and_is_told(world: World) -> None:
    key = world.shop.post("products", product(unit="box"))["id"]
    other = world.shop.post("products", product("P2", unit="box"))["id"]
    world.step("product")
    world.shop.patch("products", key, {"unit": None, "name": "Renamed"})
    world.bc.patch("items", world.counterpart("product", other), {"baseUnitOfMeasureCode": ""})
    for _ in range(2):
        world.step("product")
    item = world.bc.get("items", world.counterpart("product", key))
    assert (item["baseUnitOfMeasureCode"], item["displayName"]) == ("BOX", "Renamed")
    assert world.shop.get("products", key)["unit"] is None, "the edit stays where it was made"
    assert world.shop.get("products", other)["unit"] == "box"
    for one in (key, other):
        assert (
            "unit: is blank, and the values the flow maps have no blank"
            in (world.state("product", one) or ("", ""))[1]
        )
    assert world.step("product").writes() == 0
    world.bc.patch("items", world.counterpart("product", key), {"baseUnitOfMeasureCode": ""})
    world.step("product")
    assert world.state("product", key) is None, "blank equals blank"
