"""A clock is set while a create is under way: what may still be at work is not created a second time."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine

from talk_pipeline_tests.pipeline.faults import rule
from talk_pipeline_tests.pipeline.records import customer
from talk_pipeline_tests.slowness import longest, patience
from talk_pipeline_tests.variants import variants
from talk_pipeline_tests.world import World

LONGEST = 600
HOUR, YEAR = 3600, 365 * 86_400


@pytest.fixture(autouse=True)
def _scaled_down(world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    longest(monkeypatch, tmp_path, seconds=LONGEST)
    patience(monkeypatch, seconds=1)


class Clocks:
    """Ours, and that of Business Central; the shop's goes with it. The sandbox's own tick with ours."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._began = datetime.now(UTC)
        self._travel: time_machine.travel | None = None
        self.ours = self.theirs = self.passed = 0

    def set(self, *, ours: int | None = None, theirs: int | None = None, passed: int | None = None) -> None:
        """How far each is ahead of what is right, and how many seconds truly went by."""
        self.ours = self.ours if ours is None else ours
        self.theirs = self.theirs if theirs is None else theirs
        self.passed = self.passed if passed is None else passed
        self.stop()
        self._travel = time_machine.travel(
            self._began + timedelta(seconds=self.ours + self.passed), tick=True
        )
        self._travel.start()
        for api in (self._world.shop, self._world.bc):
            api.control("clock", {"offset": self.theirs - self.ours})

    def stop(self) -> None:
        """Ours is right again."""
        if self._travel:
            self._travel.stop()
            self._travel = None


@pytest.fixture
def clocks(world: World) -> Iterator[Clocks]:
    clocks = Clocks(world)
    yield clocks
    clocks.stop()


SET = {
    "ours forward": ({}, {"ours": HOUR}),
    "ours forward to what is right": ({"ours": -HOUR}, {"ours": 0}),
    "ours back": ({}, {"ours": -HOUR}),
    "ours back by a year": ({"ours": YEAR}, {"ours": 0}),
    "theirs forward": ({}, {"theirs": HOUR}),
    "theirs forward to what is right": ({"theirs": -HOUR}, {"theirs": 0}),
    "theirs back": ({}, {"theirs": -HOUR}),
    "theirs back by a year": ({"theirs": YEAR}, {"theirs": 0}),
    "ours forward, theirs wrong all along": ({"theirs": HOUR}, {"ours": HOUR}),
    "both, each its own way": ({"ours": HOUR, "theirs": HOUR}, {"ours": 0, "theirs": 0}),
}


@variants("how", list(SET))
@variants("late", [True, False], ids=["comes late", "never comes"])
def test_a_create_under_way_is_over_when_its_time_has_passed(
    world: World, clocks: Clocks, how: str, late: bool
) -> None:
    """Not before, whichever clock was set and which way; and at most that long after it was seen."""
    before, after = SET[how]
    clocks.set(**before)
    key = world.shop.post("customers", customer())["id"]
    world.bc.faults(rule("POST", "customers", **({"hold": True} if late else {"drop": "before"})))
    assert world.step("customer").success
    clocks.set(**after)
    for passed in (10, LONGEST - 60):
        clocks.set(passed=passed)
        assert world.step("customer").success
        assert (world.state("customer", key) or ("", ""))[0] == "waiting", f"{passed} s after it left"
    if late:
        world.bc.no_faults()
    else:
        clocks.set(passed=2 * LONGEST)
    run = world.step("customer")
    assert run.success, run.problems
    assert world.state("customer", key) is None
    clocks.set(ours=0, theirs=0, passed=0)
    assert list(world.bc.all("customers")) == [world.counterpart("customer", key)]
