"""Shops that a test connects the pipeline with."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from talk_pipeline_tests.flow_files import replaced
from talk_pipeline_tests.systems.customwebshop.shops.door import connect, opened
from talk_pipeline_tests.systems.customwebshop.shops.linked_shop import CONNECTOR
from talk_pipeline_tests.systems.customwebshop.shops.stepwise_shop import STEPS, Steps, Stepwise
from talk_pipeline_tests.world import World


@pytest.fixture
def steps(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[Steps]:
    """An order that is about to get a line, which takes several calls unless the test says otherwise."""
    file = tmp_path / "linked.yaml"
    words = replaced(CONNECTOR, ("        update: {", getattr(request, "param", STEPS)))
    file.write_text(f"{words}limits: {{longest_seconds: 90}}\n")
    shop = Stepwise()
    with opened(shop) as address:
        connect(monkeypatch, url=address, connector=file, token="secret")
        connected = Steps(shop, world)
        connected.fill()
        connected.run()
        connected.add_line()
        yield connected
