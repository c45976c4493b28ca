"""Many lives: `python -m talk_pipeline_tests.lives [--lives N] [--seed S] [--a-world N] [--at-once N]`.

Ends with 1 when any is wrong, or was too short to say something.
"""

import argparse
import os
import sys
import time
from collections import Counter

from talk_pipeline_tests.lives.stage import EVENTS
from talk_pipeline_tests.lives.worlds import side_by_side


def main() -> int:
    """Plays; returns the exit status."""
    parser = argparse.ArgumentParser(prog="lives", description=__doc__)
    parser.add_argument("--lives", type=int, default=1000, help="how many")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="of the first world")
    parser.add_argument("--a-world", type=int, default=500, help="how many share a world")
    parser.add_argument(
        "--at-once", type=int, default=os.cpu_count() or 1, help="how many worlds side by side"
    )
    asked = parser.parse_args()
    events, named, over, failed, shortest = Counter[str](), Counter[str](), 0, 0, EVENTS
    for came in side_by_side(asked.lives, seed=asked.seed, a_world=asked.a_world, at_once=asked.at_once):
        over, failed = over + came.lives, failed + len(came.lived.wrong)
        events, named = events + came.lived.events, named + came.lived.named
        shortest = min(shortest, came.lived.fewest)
        told = f"{over:>6} seed {came.seed}: {len(came.lived.wrong)} wrong, {came.lived.named.total()} named"
        told += f", {came.seconds:.0f} s, {came.lived.fewest} events and more"
        print("\n  ".join([told, *came.lived.wrong]), flush=True)
    print(f"{over} lives, {events.total()} events, {named.total()} differences named, {failed} wrong")
    print("named:", ", ".join(f"{word} {count}" for word, count in named.most_common()))
    print(", ".join(f"{name} {count}" for name, count in events.most_common()))
    return 1 if failed or shortest < EVENTS else 0


if __name__ == "__main__":
    sys.exit(main())
