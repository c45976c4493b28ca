"""What is counted is what was proven, in whichever process; what was not reached is named."""

import pytest

from talk_pipeline_tests.proof.counts import Counts
from talk_pipeline_tests.proof.plugin import unreached
from talk_pipeline_tests.proof.states import DECLARED


def test_what_fails_is_a_violation_and_no_proof() -> None:
    counts = Counts()
    with counts.proving("plans", 260):
        pass
    with pytest.raises(AssertionError), counts.proving("plans", 260):
        raise AssertionError
    assert counts.line() == "plans 260, scenarios 0, cells 0, faults 0, states 0, violations 1"


def test_the_counts_of_processes_add_up() -> None:
    first, second = Counts(), Counts()
    for counts, number, state in ((first, 3, "link: active"), (second, 4, "link: closed")):
        counts.reached |= {"link: held", state}
        with counts.proving("cells", number):
            pass
    first.add(Counts.read(second.document()))
    assert first.line() == "plans 0, scenarios 0, cells 7, faults 0, states 3, violations 0"


def test_a_state_that_no_run_came_to_is_named() -> None:
    counts = Counts()
    counts.reached |= DECLARED - {"held: flapping"}
    assert unreached(counts) == ["held: flapping"]
