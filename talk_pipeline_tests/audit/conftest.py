"""One synchronized world for all of these tests: with lines, posted and released orders, and records held back."""

from collections.abc import Iterator

import dagster as dg
import pytest

from talk_pipeline_tests.world import World, opened_world


@pytest.fixture(scope="module")
def synced(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, instance: dg.DagsterInstance
) -> Iterator[World]:
    """The seed world after two runs, between which orders were released, shipped and posted."""
    folder, profile = tmp_path_factory.mktemp("audit"), str(request.config.getoption("--shop-profile"))
    with opened_world(folder, empty=False, instance=instance, profile=profile) as world:
        assert not world.pass_over(full=True)
        rows = world.sql("select bc_id from link where part = 'order' and rule = 'created' order by shop_id")
        for key, verbs in zip(rows, (["release"], ["ship"], ["ship", "invoice"], ["review"]), strict=False):
            for verb in verbs:
                world.bc.control(f"sales-orders/{key[0]}/{verb}")
        assert not world.pass_over(full=True)
        yield world
