"""Fixtures for tests of what happens between the two systems."""

from pathlib import Path

import pytest

from talk_pipeline_tests.flow_files import edited_flows
from talk_pipeline_tests.pipeline.charges import NAMED
from talk_pipeline_tests.pipeline.records import customer
from talk_pipeline_tests.world import World


@pytest.fixture
def pair(world: World) -> tuple[str, str]:
    """A customer of the shop and its counterpart."""
    shop_id = world.shop.post("customers", customer())["id"]
    world.step("customer")
    return shop_id, world.counterpart("customer", shop_id)


@pytest.fixture
def named(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """A company that says where shipping and fees go."""
    edited_flows(tmp_path, monkeypatch, order=NAMED)
    return world
