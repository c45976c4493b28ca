"""Many lives: `python -m talk_pipeline_tests.lives [--lives N] [--seed S] [--at-once N]`; 1 when any is wrong."""

import argparse
import logging
import sys
import time
import warnings
from collections import Counter

import dagster as dg

from talk_pipeline_tests.lives.stage import lived


def main() -> int:
    """Plays; returns the exit status."""
    warnings.simplefilter("ignore")
    logging.disable()
    parser = argparse.ArgumentParser(prog="lives", description=__doc__)
    parser.add_argument("--lives", type=int, default=1000, help="how many")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="of the first world")
    parser.add_argument("--at-once", type=int, default=50, help="how many share a world")
    asked = parser.parse_args()
    events, named, failed, over = Counter[str](), 0, 0, 0
    with dg.DagsterInstance.ephemeral() as instance:
        for seed in range(asked.seed, asked.seed + -(-asked.lives // asked.at_once)):
            number, started = min(asked.at_once, asked.lives - over), time.monotonic()
            came = lived(number, seed=seed, instance=instance)
            over, named, failed = over + number, named + came.named, failed + len(came.wrong)
            events += came.events
            seconds = time.monotonic() - started
            told = f"{over:>6} seed {seed}: {len(came.wrong)} wrong, {came.named} named, {seconds:.0f} s"
            print("\n  ".join([f"{told}, {came.fewest} events and more", *came.wrong]), flush=True)
    print(f"{over} lives, {events.total()} events, {named} differences named, {failed} wrong")
    print(", ".join(f"{name} {count}" for name, count in events.most_common()))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
