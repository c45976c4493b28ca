"""A change of a page without versions that is carried out late: only time tells that it is over, as with a shop."""

from collections.abc import Callable, Mapping

import pytest

from talk_pipeline_tests.systems.businesscentral.own_page import OwnPage
from talk_pipeline_tests.systems.businesscentral.test_lines_without_versions import BARE, rates, synchronized
from talk_pipeline_tests.systems.businesscentral.test_own_pages import PAGES, RENTAL, Own, own
from talk_pipeline_tests.systems.customwebshop.shops.door import unexplained
from talk_pipeline_tests.variants import variants
from talk_pipeline_tests.world import World

__all__ = ["own"]  # a fixture is known where it is named

VERSIONED: Mapping[str, Mapping[str, OwnPage]] = {RENTAL: PAGES[RENTAL]}
CONTRACTS = "rentalContracts"


@pytest.fixture(autouse=True)
def _slow(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BUSINESSCENTRAL_LONGEST_SECONDS", "600")


def renamed(own: Own, key: str, name: str) -> None:
    own.shop.edit("contracts", key, name=name)


def rated(own: Own, key: str, rate: str) -> None:
    first, *others = own.shop.tables["contracts"][key]["lines"]
    own.shop.edit("contracts", key, lines=[{**first, "rate": rate}, *others])


def said(own: Own) -> tuple[object, object]:
    (contract,) = own.bc.rows[CONTRACTS]
    return contract["description"], rates(own)[1]


def waits(own: Own) -> None:
    """The record is told nothing else, by a run that goes on with all others."""
    for full in (False, True):
        own.world.step(full=full)
    holds = own.world.sql("select target, hold_kind, hold_reason from change")
    assert {(target, hold) for target, hold, _ in holds} == {("businesscentral", "waiting")}
    assert all(reason.startswith("told at ") for _, _, reason in holds)


EDITS: Mapping[str, tuple[Callable[[Own, str, str], None], str, str, tuple[object, object]]] = {
    "of the record": (renamed, "First", "Second", ("Second", 1.5)),
    "of a line": (rated, "8", "9", ("Crane", 9)),
}


@variants("late", [True, False], first=2, ids=["carried out late", "never carried out"])
@pytest.mark.parametrize("edit", EDITS)
@pytest.mark.parametrize("own", [BARE], indirect=True)
def test_what_a_page_without_versions_carries_out_late_undoes_no_later_edit(
    own: Own, edit: str, late: bool
) -> None:
    key = synchronized(own)
    change, first, second, came_to = EDITS[edit]
    change(own, key, first)
    own.bc.slow = 1
    own.world.step()
    change(own, key, second)
    waits(own)
    if late:
        own.bc.arrive()
    else:
        own.world.sql("update journal set open_until = open_until - interval 1 hour")
    for _ in range(2):
        own.run(full=True)
    assert said(own) == came_to
    own.quiet()
    assert not unexplained()


@pytest.mark.parametrize("own", [VERSIONED], indirect=True)
def test_what_carries_a_version_need_not_wait(own: Own) -> None:
    """A late one is turned away there: it was made for a version that is no more."""
    key = synchronized(own)
    renamed(own, key, "First")
    own.bc.slow = 1
    own.world.step()
    renamed(own, key, "Second")
    own.run()
    assert said(own)[0] == "Second"
    own.quiet()
