"""The long hunt: scenario after scenario until something comes out otherwise, which is shortened and kept.

`python -m talk_pipeline_tests.invariants [--hours H] [--scenarios N] [--seed S] [--folder DIR] [FILE ...]`; files
are kept scenarios to be played again. Ends with 1 when anything came out otherwise, naming the files.
"""

import argparse
import logging
import sys
import time
import traceback
import warnings
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import dagster as dg

from talk_pipeline_tests.invariants.scenario import Step, generate, read, shortened, write
from talk_pipeline_tests.invariants.stage import Played, played

SHORTENINGS = 60


def main() -> int:
    """Plays; returns the exit status."""
    warnings.simplefilter("ignore")
    logging.disable()
    parser = argparse.ArgumentParser(prog="soak", description=__doc__)
    parser.add_argument("files", nargs="*", type=Path, help="kept scenarios to play again")
    parser.add_argument("--hours", type=float, default=1.0, help="how long to go on")
    parser.add_argument("--scenarios", type=int, default=None, help="how many at most")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="of the first scenario")
    parser.add_argument("--length", type=int, default=80, help="steps a scenario")
    parser.add_argument("--folder", type=Path, default=Path("data/soak"), help="where failing ones are kept")
    parser.add_argument("--go-on", action="store_true", help="do not end at the first that fails")
    asked = parser.parse_args()
    with dg.DagsterInstance.ephemeral() as instance:
        if asked.files:
            return _again(asked.files, instance)
        return _hunt(asked, instance)


def _again(files: Sequence[Path], instance: dg.DagsterInstance) -> int:
    failed = 0
    for file in files:
        found = _played(read(file), instance).wrong
        failed += bool(found)
        print("\n  ".join([f"{file}: {len(found)} wrong", *found]))
    return 1 if failed else 0


def _hunt(asked: argparse.Namespace, instance: dg.DagsterInstance) -> int:
    asked.folder.mkdir(parents=True, exist_ok=True)
    end, played_so_far, kept = time.monotonic() + asked.hours * 3600, 0, []
    real, simulated = 0.0, 0.0
    while time.monotonic() < end and (asked.scenarios is None or played_so_far < asked.scenarios):
        seed = asked.seed + played_so_far
        steps = generate(seed, length=asked.length)
        started = time.monotonic()
        came = _played(steps, instance)
        found, seconds = came.wrong, time.monotonic() - started
        played_so_far += 1
        real, simulated = real + seconds, simulated + came.took.total_seconds()
        hours = came.took.total_seconds() / 3600
        print(
            f"{played_so_far:>6} seed {seed}: {len(found)} wrong, {seconds:.1f} s for {hours:.1f} h",
            flush=True,
        )
        if not found:
            continue
        file = asked.folder / f"{seed}.json"
        write(file, steps, found=found)
        print("\n  ".join([f"       kept in {file}", *found]), flush=True)
        kept.append(file)
        if not asked.go_on:
            _shorten(file, steps, instance)
            break
    print(f"{simulated / 3600:.0f} hours in {real / 3600:.2f}, {simulated / max(real, 1):.0f} times as fast")
    print(f"{played_so_far} scenarios, {len(kept)} of them failed" + "".join(f"\n  {file}" for file in kept))
    return 1 if kept else 0


def _shorten(file: Path, steps: Sequence[Step], instance: dg.DagsterInstance) -> None:
    print("       shortening it ...", flush=True)
    short = shortened(steps, lambda some: bool(_played(some, instance).wrong), tries=SHORTENINGS)
    found = _played(short, instance).wrong
    if found:
        write(file, short, found=found)
        print("\n  ".join([f"       {len(short)} steps are enough:", *found]), flush=True)


def _played(steps: Sequence[Step], instance: dg.DagsterInstance) -> Played:
    try:
        return played(steps, instance=instance)
    except Exception as error:  # a crash is a finding as any other
        where = traceback.extract_tb(error.__traceback__)[-1]
        told = f"crashed: {type(error).__name__}: {error} at {where.filename}:{where.lineno}"
        return Played([told], timedelta())


if __name__ == "__main__":
    sys.exit(main())
