"""Slow is not lost across an upgrade: what an earlier release sent and had no answer to is made once."""

from pathlib import Path

import pytest

from talk_pipeline_tests.pains.test_slow import LONGEST, settled, waits
from talk_pipeline_tests.pipeline.faults import rule
from talk_pipeline_tests.pipeline.records import customer
from talk_pipeline_tests.slowness import longest, patience
from talk_pipeline_tests.variants import variants
from talk_pipeline_tests.world import World

VIEWS = ("counterpart", "said", "led", "stand_in", "told_otherwise", "link_end", "written")
SINCE = {
    4: ("conflict.acknowledged_by", "conflict.acknowledged_at", "link.shared_id", "journal.skew_seconds"),
    6: ("journal.skew_seconds",),
}
"""The columns that a state of a version does not have yet."""


def as_of(world: World, version: int) -> None:
    """The state as a release of then left it."""
    with world.database() as db:
        for view in VIEWS:
            db.execute(f"drop view if exists {view} cascade")
        db.execute("drop table loss")
        for column in SINCE[version]:
            table, name = column.split(".")
            db.execute(f"alter table {table} drop column {name}")
        db.execute("update meta set value = ? where key = 'schema'", [str(version)])
        db.execute("delete from meta where key = 'layout'")


@variants("late", [True, False], ids=["comes late", "never comes"])
@variants("version", list(SINCE))
def test_a_slow_create_of_an_earlier_release_is_there_once(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: int, late: bool
) -> None:
    longest(monkeypatch, tmp_path, seconds=LONGEST)
    patience(monkeypatch, seconds=1)
    buyer = world.shop.post("customers", customer())["id"]
    world.bc.faults(rule("POST", "customers", **({"hold": True} if late else {"drop": "before"})))
    waits(world, world.step("customer"), "customer", buyer)
    as_of(world, version)
    waits(world, world.step("customer", full=True), "customer", buyer)
    assert world.bc.all("customers") == {}
    settled(world, "customer", late=late)
    assert [row["number"] for row in world.bc.all("customers").values()] == ["C1"]
    assert world.state("customer", buyer) is None
