"""A customer edited on the pages of either system by hand, and seen on those of the other after a run."""

from collections.abc import Iterator

import pytest

from talk_pipeline_tests.sandbox.visitor import Visitor
from talk_pipeline_tests.world import World


@pytest.fixture
def visitors(world: World) -> Iterator[tuple[Visitor, Visitor]]:
    roots = (
        world.environment["CUSTOMWEBSHOP_URL"],
        world.environment["BUSINESSCENTRAL_URL"].split("/v2.0/")[0],
    )
    shop, central = (Visitor(f"{root}/_sandbox/pages") for root in roots)
    yield shop, central
    shop.close()
    central.close()


def test_what_is_edited_on_a_page_is_on_the_other_sides(
    world: World, pair: tuple[str, str], visitors: tuple[Visitor, Visitor]
) -> None:
    pages = {
        "shop": (visitors[0], f"/customers/{pair[0]}", "company_name"),
        "bc": (visitors[1], f"/customers/{pair[1]}", "displayName"),
    }
    for here, there, text in (("shop", "bc", "Named in the shop"), ("bc", "shop", "Named in the books")):
        visitor, path, name = pages[here]
        world.let_time_pass()
        assert visitor.get(path).press("Save", {name: text}).text("status") == "Saved."
        run = world.step("customer")
        assert run.success
        visitor, path, name = pages[there]
        assert visitor.get(path).fields()[name] == text
