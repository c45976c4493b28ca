"""How much goes into one batch follows how long the last answers took."""

from talk_pipeline.systems.businesscentral.pacing import Pace


def test_a_batch_holds_what_is_answered_in_half_a_minute() -> None:
    pace = Pace()
    assert pace.rows <= 20, "nothing is known yet"
    pace.answered(10, seconds=16)
    assert pace.rows == 18
    for _ in range(10):
        pace.answered(pace.rows, seconds=pace.rows * 1.6)
        assert pace.rows * 1.6 <= 30
    for _ in range(4):
        pace.answered(pace.rows, seconds=0.2)
    assert pace.rows >= 100, "a quick server gets as many as it takes"
    pace.not_answered()
    assert pace.rows < 100
    pace.answered(1, seconds=600)
    assert pace.rows == 1
