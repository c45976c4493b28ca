"""Fixtures for tests of what happens between the two systems."""

import pytest

from talk_pipeline_tests.pipeline.records import customer
from talk_pipeline_tests.world import World


@pytest.fixture
def pair(world: World) -> tuple[str, str]:
    """A customer of the shop and its counterpart."""
    shop_id = world.shop.post("customers", customer())["id"]
    world.step("customer")
    return shop_id, world.counterpart("customer", shop_id)
