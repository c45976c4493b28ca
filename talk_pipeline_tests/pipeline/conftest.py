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
def charging(world: World) -> World:
    """A shop whose orders charge more than their lines, as far as its description says so."""
    if not world.charges("order"):
        pytest.skip("this shop's description says nothing of charges")
    return world


@pytest.fixture
def named(charging: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """A company that says where shipping and fees go."""
    edited_flows(tmp_path, monkeypatch, order=NAMED)
    return charging
