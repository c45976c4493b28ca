"""How much goes into one batch follows how long the last answers took."""

import pytest

from talk_pipeline.systems.businesscentral.pacing import Pace


def test_a_batch_holds_what_is_answered_in_half_a_minute() -> None:
    pace = Pace()
    assert pace.rows <= 20, "nothing is known yet"
    pace.answered(10, seconds=16)
    assert pace.rows == 13
    for _ in range(10):
        pace.answered(pace.rows, seconds=pace.rows * 1.6)
        assert pace.rows * 1.6 <= 30
    for _ in range(4):
        pace.answered(pace.rows, seconds=0.2)
    assert pace.rows >= 100, "a quick server gets as many as it takes"
    most = pace.rows
    pace.not_answered()
    assert pace.rows < most / 3
    pace.answered(1, seconds=600)
    assert pace.rows == 1


@pytest.mark.parametrize("power", [1, 2])
def test_few_answers_tell_how_much_fits(power: int) -> None:
    """A batch grows at once to what fits, and to no more where records of a batch make each other dear."""
    pace = Pace()
    sizes = [pace.rows]
    for _ in range(8):
        pace.answered(pace.rows, seconds=0.002 * pace.rows**power)
        sizes.append(pace.rows)
        assert 0.002 * pace.rows**power <= 30
    assert sizes[2] >= 100, sizes
