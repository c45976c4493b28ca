"""The audit reads shops by their descriptions."""

from pathlib import Path

import dagster as dg
import pytest

from talk_pipeline.audit.audit import audit
from talk_pipeline.settings import Settings
from talk_pipeline_tests.world import opened_world


@pytest.mark.parametrize("profile", ["bare", "enveloped"])
def test_a_shop_is_read_as_it_is_described(
    tmp_path: Path, instance: dg.DagsterInstance, profile: str
) -> None:
    with opened_world(tmp_path, empty=False, size=3, instance=instance, profile=profile) as world:
        assert not world.pass_over(full=True)
        judged = audit(Settings.load())
        assert not [finding for one in judged for finding in one.unexplained]
        assert all(one.agree for one in judged)
        order = max(world.shop.all("orders").values(), key=lambda row: len(row["lines"]))
        lines = [{**line, "description": "Planted"} for line in order["lines"]]
        planted = {"email": "planted@example.com", "lines": lines}
        world.shop.back_office("PATCH", f"orders/{order['id']}", planted, ago=10 * 365 * 86_400)
        named = {(one.part, one.property) for one in audit(Settings.load(), ("order",))[0].unexplained}
        assert {("order", "email"), ("order.lines", "description")} <= named
