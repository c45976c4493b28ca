"""How much goes into one batch: what is answered in half a minute, by how long the last answers took.

The operations of a batch are carried out one after another (page `use-odata-batch`), so that a batch of slow ones
outlasts whoever waits for its answer; what is not answered must wait until the longest time has passed.
"""

from math import sqrt

ANSWER_SECONDS = 30.0
FIRST_ROWS = 10
MOST_ROWS = 1_000


class Pace:
    """Learns from answers; starts with little, since nothing is known yet.

    Attributes:
        rows: how many records and children the next batch may hold.
    """

    def __init__(self) -> None:
        self.rows = FIRST_ROWS

    def answered(self, rows: int, *, seconds: float) -> None:
        """An answer came: what would fit; of more than was ever seen to, what would at the square of its cost."""
        in_time = ANSWER_SECONDS / max(seconds, 0.001)
        self.rows = max(1, int(min(MOST_ROWS, rows * in_time, max(self.rows, rows * sqrt(in_time)))))

    def not_answered(self) -> None:
        """None came, or only that it took too long."""
        self.rows = max(1, self.rows // 4)
