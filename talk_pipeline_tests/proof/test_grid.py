"""The fault grid: whatever goes wrong and however much, both systems come to what people said once it is over."""

from pathlib import Path

import pytest

from talk_pipeline_tests.proof.counts import COUNTS
from talk_pipeline_tests.proof.grid import SHARES, TROUBLES, alone, meets, mixed, recovers
from talk_pipeline_tests.proof.matrix import ROWS, Row, opened_row
from talk_pipeline_tests.world import World

NAMES = list(TROUBLES)
OFTEN = [
    (
        "records to Business Central",
        [
            "400",
            "408 though done",
            "429, wait until then",
            "503 though done",
            "no answer, though done",
            "half an answer",
            "the same page as before",
            "an expired token",
            "a page of words",
        ],
    ),
    (
        "records to the shop",
        [
            "404",
            "429",
            "500 though done",
            "502 of a gateway",
            "504",
            "no answer, not done",
            "an answer that trickles",
            "the page before",
            "nothing at all",
            "an empty list",
        ],
    ),
]
REST = [
    *((name, [one for one in NAMES if one not in often]) for name, often in OFTEN),
    ("lines to Business Central", NAMES),
    ("lines to the shop", NAMES),
]


@pytest.fixture
def row(name: str, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Row:
    return opened_row(name, world, tmp_path, monkeypatch, turns=len(NAMES))


@pytest.mark.parametrize(
    ("name", "troubles"),
    [*OFTEN, *(pytest.param(*each, marks=pytest.mark.slow) for each in REST)],
    ids=[f"{name}-{len(troubles)}" for name, troubles in (*OFTEN, *REST)],
)
def test_one_thing_that_goes_wrong_all_the_time(row: Row, troubles: list[str]) -> None:
    for name in troubles:
        trouble = TROUBLES[name]
        with COUNTS.proving("faults"):
            row.edit()
            for writes in (False, True):
                meets(row, alone(trouble, writes=writes), runs=1)
            recovers(row, by_hand=trouble.refuses)


@pytest.mark.parametrize(
    "name", [name if name in dict(OFTEN) else pytest.param(name, marks=pytest.mark.slow) for name in ROWS]
)
def test_everything_that_goes_wrong_now_and_then(row: Row) -> None:
    for share in SHARES:
        with COUNTS.proving("faults"):
            row.edit()
            meets(row, mixed(share), runs=2)
            recovers(row, by_hand=True)


@pytest.mark.slow
@pytest.mark.parametrize("name", ROWS)
def test_everything_that_goes_wrong_for_a_long_time(row: Row) -> None:
    for turn in range(len(NAMES)):
        with COUNTS.proving("faults"):
            row.edit()
            meets(row, mixed(SHARES[turn % len(SHARES)]), runs=3)
            recovers(row, by_hand=True)
