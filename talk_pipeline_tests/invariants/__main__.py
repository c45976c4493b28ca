"""The long hunt: scenario after scenario until something comes out otherwise, which is shortened and kept.

`python -m talk_pipeline_tests.invariants [--hours H] [--scenarios N] [--seed S] [--folder DIR] [FILE ...]`; files
are kept scenarios to be played again. Ends with 1 when anything came out otherwise, naming the files.
"""

import argparse
import os
import sys
import time
from collections.abc import Sequence
from datetime import timedelta
from itertools import count, islice
from pathlib import Path

from talk_pipeline_tests.invariants.scenario import generate, read, shortened, write
from talk_pipeline_tests.invariants.several import played_or_crashed, quietly, side_by_side

SHORTENINGS = 60


def main() -> int:
    """Plays; returns the exit status."""
    parser = argparse.ArgumentParser(prog="soak", description=__doc__)
    parser.add_argument("files", nargs="*", type=Path, help="kept scenarios to play again")
    parser.add_argument("--hours", type=float, default=1.0, help="how long to go on")
    parser.add_argument("--scenarios", type=int, default=None, help="how many at most")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="of the first scenario")
    parser.add_argument("--length", type=int, default=80, help="steps a scenario")
    parser.add_argument("--folder", type=Path, default=Path("data/soak"), help="where failing ones are kept")
    parser.add_argument("--go-on", action="store_true", help="do not end at the first that fails")
    parser.add_argument("--at-once", type=int, default=os.cpu_count() or 1, help="how many side by side")
    asked = parser.parse_args()
    quietly()
    return _again(asked.files) if asked.files else _hunt(asked)


def _again(files: Sequence[Path]) -> int:
    failed = 0
    for file in files:
        found = played_or_crashed(read(file)).wrong
        failed += bool(found)
        print("\n  ".join([f"{file}: {len(found)} wrong", *found]))
    return 1 if failed else 0


def _hunt(asked: argparse.Namespace) -> int:
    asked.folder.mkdir(parents=True, exist_ok=True)
    began, over, simulated, kept = time.monotonic(), 0, timedelta(), list[Path]()
    end = began + asked.hours * 3600

    def goes_on() -> bool:
        return time.monotonic() < end and (asked.go_on or not kept)

    seeds = islice(count(asked.seed), asked.scenarios)
    for came in side_by_side(seeds, length=asked.length, at_once=asked.at_once, goes_on=goes_on):
        over, simulated = over + 1, simulated + came.took
        hours = came.took / timedelta(hours=1)
        told = f"{over:>6} seed {came.seed}: {len(came.wrong)} wrong, {came.seconds:.1f} s for {hours:.1f} h"
        print(told, flush=True)
        if came.wrong:
            kept.append(asked.folder / f"{came.seed}.json")
            write(kept[-1], generate(came.seed, length=asked.length), found=came.wrong)
            print("\n  ".join([f"       kept in {kept[-1]}", *came.wrong]), flush=True)
    seconds = time.monotonic() - began
    fast = simulated.total_seconds() / max(seconds, 1)
    print(f"{simulated / timedelta(hours=1):.0f} hours in {seconds / 3600:.2f}, {fast:.0f} times as fast")
    if kept and not asked.go_on:
        _shorten(kept[0])
    print(f"{over} scenarios, {len(kept)} of them failed" + "".join(f"\n  {file}" for file in kept))
    return 1 if kept else 0


def _shorten(file: Path) -> None:
    print("       shortening it ...", flush=True)
    short = shortened(read(file), lambda some: bool(played_or_crashed(some).wrong), tries=SHORTENINGS)
    found = played_or_crashed(short).wrong
    if found:
        write(file, short, found=found)
        print("\n  ".join([f"       {len(short)} steps are enough:", *found]), flush=True)


if __name__ == "__main__":
    sys.exit(main())
