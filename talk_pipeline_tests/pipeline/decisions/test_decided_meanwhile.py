"""What a person decides while a run is at work is about what was there to see, not about what that run finds."""

import threading
import time
from collections.abc import Callable
from contextlib import suppress

import pytest

from talk_pipeline.engine.manual.decisions import Decision
from talk_pipeline.engine.model import ByHandError
from talk_pipeline.flows.sides import Side
from talk_pipeline_tests.pipeline.decisions.test_acknowledging import acknowledge, left, overwritten
from talk_pipeline_tests.pipeline.decisions.test_resolutions import disputed, resolve, values  # noqa: F401
from talk_pipeline_tests.world import World


def waited_for(world: World, decides: Callable[[], Decision], run: Callable[[], object]) -> list[Decision]:
    """A decision that is made as a run begins, and has to wait until that is over; none where it was refused."""
    done: list[Decision] = []

    def decided() -> None:
        with suppress(ByHandError):
            done.append(decides())

    with world.held("customer"):
        person = threading.Thread(target=decided)
        person.start()
        time.sleep(0.5)  # as long as it takes to say it
        run()
    person.join()
    return done


@pytest.fixture(autouse=True)
def _patient(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TALK_WAIT_SECONDS", "60")


def test_a_conflict_that_comes_while_a_person_waits_is_not_acknowledged(
    world: World, pair: tuple[str, str]
) -> None:
    (done,) = waited_for(world, acknowledge, lambda: overwritten(world, pair, "one").look())
    assert done.details == {"conflicts": 0, "losses": 0}
    assert left(world) == [(pair[0], "website")]
    assert acknowledge().details["conflicts"] == 1


def test_an_edit_that_comes_while_a_person_waits_is_not_decided_upon(
    world: World,
    disputed: tuple[str, str],  # noqa: F811
) -> None:
    def run() -> None:
        world.shop.patch("customers", disputed[0], {"website": "www.newest.example"})
        assert not world.pass_over("customer")

    assert waited_for(world, lambda: resolve(disputed[0], Side.BC, "website"), run) == []
    world.step("customer")
    assert values(world, disputed)["website"] == ("www.newest.example", "www.bc.example")
    resolve(disputed[0], Side.BC, "website")
    world.step("customer")
    assert values(world, disputed)["website"] == ("www.bc.example",) * 2
