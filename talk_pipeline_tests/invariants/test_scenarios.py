"""Scenarios with every build, those that found something once among them; `make scenarios` plays more."""

from itertools import count
from pathlib import Path

import dagster as dg
import pytest

from talk_pipeline.engine.apply import bases
from talk_pipeline.engine.snapshot import landing
from talk_pipeline_tests.invariants.ledger import Edit, Ledger, Sight
from talk_pipeline_tests.invariants.scenario import Step, generate, read, shortened, write
from talk_pipeline_tests.invariants.several import Came, side_by_side
from talk_pipeline_tests.invariants.stage import played
from talk_pipeline_tests.proof.counts import COUNTS
from talk_pipeline_tests.variants import variants

pytestmark = pytest.mark.optimized

KEPT = sorted((Path(__file__).parent / "kept").glob("*.json"))


@variants("file", KEPT, ids=[file.stem for file in KEPT])
def test_what_was_found_once_is_not_found_again(file: Path, instance: dg.DagsterInstance) -> None:
    with COUNTS.proving("scenarios"):
        assert played(read(file), instance=instance).wrong == []


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(50_000, 50_006))
def test_a_random_scenario_comes_out_right(seed: int, instance: dg.DagsterInstance, tmp_path: Path) -> None:
    steps = generate(seed, length=30)
    found = played(steps, instance=instance).wrong
    if found:
        write(tmp_path / "scenario.json", steps, found=found)
    with COUNTS.proving("scenarios"):
        assert not found, f"play it again: python -m talk_pipeline_tests.invariants {tmp_path}/scenario.json"


def test_the_judge_notices_what_goes_wrong(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An edit that lost and is recorded nowhere is found, and so is one that never travelled."""

    def record_nothing(*_: object) -> None:
        return None

    monkeypatch.setattr(bases, "_record_conflicts", record_nothing)
    steps: list[Step] = [
        {"do": "create", "flow": "customer", "who": "C0"},
        {"do": "sync"},
        {
            "do": "edit",
            "side": "shop",
            "flow": "customer",
            "who": "C0",
            "set": {"website": "www.one.example"},
        },
        {"do": "edit", "side": "bc", "flow": "customer", "who": "C0", "set": {"website": "www.two.example"}},
    ]
    (found,) = played(steps, instance=instance).wrong
    assert "website is 'www.two.example': overwritten with no record" in found


def _websites(step: Step) -> Step:
    return {"do": "edit", "flow": "customer", **step, "set": {"website": step["set"]}}


RESTORED: list[Step] = [
    *({"do": "create", "flow": "customer", "who": f"C{n}"} for n in range(2)),
    {"do": "sync"},
    {"do": "sync", "full": True},
    {"do": "backup", "of": "bc"},
    {"do": "time", "minutes": 60},
    _websites({"side": "shop", "who": "C0", "set": "www.one.example"}),
    _websites({"side": "bc", "who": "C1", "set": "www.two.example"}),
    {"do": "sync"},
    {"do": "restore", "of": "bc"},
    {"do": "decide"},
]


@pytest.mark.slow
def test_the_judge_notices_a_restored_system_that_is_taken_for_an_edited_one(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert played(RESTORED, instance=instance).wrong == []

    def plausible(*_: object, **__: object) -> tuple[()]:
        return ()

    monkeypatch.setattr(landing, "implausible", plausible)
    wrong = played(RESTORED, instance=instance).wrong
    assert len([one for one in wrong if "website is 'www.c" in one]) == 2, wrong


def test_the_ledger_tells_a_blank_of_before_two_met_from_one_said_of_a_pair() -> None:
    pair = {"customer": {("c-1", "A")}}
    ledger = Ledger()
    for linked, at in ((False, 1), (True, 3), (True, 5)):
        ledger.before_run({}, pair if linked and at > 3 else {}, at=at)
        ledger.after_run({}, {}, pair if linked else {}, at=at)
    assert ledger.filled("customer", "c-1", Edit(2, 1.0, None))
    assert not ledger.filled("customer", "c-1", Edit(2, 1.0, "said"))
    assert not ledger.filled("customer", "c-1", Edit(4, 2.0, None))


def test_the_ledger_knows_a_line_that_a_run_brought_back_by_what_it_was_before() -> None:
    ledger = Ledger(links={"order.lines": {("o/1", "B/1"), ("o/2", "B/1"), ("o/3", "B/3")}})
    assert ledger.names("order.lines", "o/2", "B/1") == ({"o/1", "o/2"}, {"B/1"})
    ledger.made["shop", "order.lines", "o/2"] = 5
    assert ledger.names("order.lines", "o/2", "B/1") == ({"o/2"}, {"B/1"}), (
        "a user's line has a past of its own"
    )


def test_the_ledger_doubts_a_return_to_what_was_agreed_before_a_run_that_ended_early() -> None:
    """It may have seen both sides say something else meanwhile, or not."""
    pair, ledger = {"customer": {("c-1", "A")}}, Ledger()

    def both(shop: str, bc: str) -> Sight:
        return {("shop", "customer", "c-1"): {"website": shop}, ("bc", "customer", "A"): {"website": bc}}

    ledger.after_run({}, both("old", "old"), pair, at=1)
    ledger.user(both("old", "old"), both("new", "new"), at=2, interval=1.0)
    ledger.after_run({}, both("new", "new"), pair, at=3, whole=())
    ledger.user(both("new", "new"), both("new", "old"), at=4, interval=2.0)
    ledger.before_run(both("new", "old"), pair, at=4)
    said = [ledger.last("bc", "customer", {"A"}, name="website", sure=sure) for sure in (False, True)]
    assert [edit and edit.value for edit in said] == ["old", None]


@pytest.mark.slow
def test_scenarios_are_played_side_by_side_until_one_is_wrong() -> None:
    """Those under way are told yet, and none is begun after that."""
    seeds, over = count(1), list[Came]()
    for came in side_by_side(seeds, length=0, at_once=2, goes_on=lambda: len(over) < 2):
        over.append(came)
    assert sorted(came.seed for came in over) == [1, 2, 3]
    assert next(seeds) == 4
    assert [came.wrong for came in over] == [[], [], []]


def test_a_scenario_is_the_same_from_its_seed_and_from_its_file(tmp_path: Path) -> None:
    steps = generate(7)
    assert steps == generate(7) != generate(8)
    write(tmp_path / "scenario.json", steps, found=["something"])
    assert read(tmp_path / "scenario.json") == steps


def test_a_scenario_is_shortened_to_what_it_takes() -> None:
    steps: list[Step] = [{"do": str(n)} for n in range(20)]
    wanted = [{"do": "3"}, {"do": "17"}]
    assert shortened(steps, lambda some: all(one in some for one in wanted), tries=100) == wanted
