"""`make mutants`: of small mistakes in what plans and applies, how many the tests notice; the others by name.

How each is judged is told in `judging`; here is which there are, by which tests, and what comes of all of them.
"""

import argparse
import json
import random
import signal
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import yaml

from talk_pipeline_tests.proof.judging import ROOT, Case, NotJudgedError, Verdict, judge
from talk_pipeline_tests.proof.mutations import Mutant, mutants

TESTS = Path(__file__).parent.parent
ENGINE = ROOT / "talk_pipeline" / "engine"
ENDLESS = "nothing came to an end"
TOLD = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8"))


@dataclass(frozen=True, slots=True)
class Alike:
    """A mutant that does the same as what it was made from, and why."""

    file: str
    change: str
    reason: str


def known_alike() -> list[Alike]:
    """Those that are written down."""
    return [Alike(**one) for one in TOLD["alike"]]


def name_of(file: Path) -> str:
    """A file of the engine as the list of tests names it."""
    return str(file.relative_to(ENGINE).with_suffix(""))


def all_mutants(only: str = "") -> list[Mutant]:
    """Of every file that plans or applies, or of those whose name has a part."""
    files = [file for room in ("apply", "plan") for file in sorted((ENGINE / room).glob("*.py"))]
    return [one for file in files if only in name_of(file) for one in mutants(file)]


def chosen(file: Path) -> list[str]:
    """The tests that a mutant of a file has to get past, in their order."""
    return [f"{TESTS.name}/{one}" for one in TOLD["tests"][name_of(file)]]


def is_alike(mutant: Mutant) -> bool:
    """Whether it is written down that it does the same."""
    return any((one.file, one.change) == (name_of(mutant.file), mutant.change) for one in known_alike())


class Score:
    """What became of those that were judged."""

    def __init__(self) -> None:
        self.counted, self.survivors = Counter[Verdict](), list[str]()

    def add(self, mutant: Mutant, verdict: Verdict, by: str = "") -> None:
        """Prints it, too."""
        self.counted[verdict] += 1
        place = f"{mutant.file.relative_to(ROOT)}:{mutant.line}: {mutant.change}"
        self.survivors += [place] if verdict is Verdict.SURVIVED else []
        why = by or (ENDLESS if verdict is Verdict.NOTICED else "")
        print(f"{verdict:9} {place}{f'  [{why}]' if why else ''}", flush=True)

    def numbers(self) -> dict[str, int]:
        """How many, by verdict."""
        return {str(verdict): self.counted[verdict] for verdict in Verdict}

    def percent(self) -> float:
        """Of those that tests could have noticed, how many they did."""
        judged = self.counted[Verdict.NOTICED] + self.counted[Verdict.SURVIVED]
        return round(100 * self.counted[Verdict.NOTICED] / max(judged, 1), 1)

    def lines(self) -> Iterator[str]:
        """Who survived, and the score."""
        yield from (f"survived: {place}" for place in self.survivors)
        yield ", ".join(f"{name} {number}" for name, number in self.numbers().items()) + (
            f": {self.percent()} % noticed"
        )


def main() -> None:
    """Judges all of them, or a sample; prints who survived and the score, and writes it down."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sample", type=int, default=0, help="so many of them by chance; 0: all")
    parser.add_argument("--seed", type=int, default=1, help="which ones")
    parser.add_argument("--at-once", type=int, default=1, help="how many are judged side by side")
    parser.add_argument("--only", default="", help="those of files whose name has this, such as plan/holds")
    parser.add_argument("--report", type=Path, default=ROOT / "data" / "mutants.json")
    told = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    found = all_mutants(told.only)
    if told.sample:
        found = random.Random(told.seed).sample(found, min(told.sample, len(found)))
    score = Score()
    for one in filter(is_alike, found):
        score.add(one, Verdict.ALIKE)
    cases = [Case(one, chosen(one.file)) for one in found if not is_alike(one)]
    try:
        judge(cases, score.add, at_once=told.at_once)
    except NotJudgedError as error:
        sys.exit(f"nothing can be told of mutants: {error}")
    document = {"at": f"{datetime.now(UTC):%Y-%m-%d}", "seed": told.seed, **score.numbers()}
    document |= {"score": score.percent(), "survivors": score.survivors}
    told.report.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    print(*score.lines(), sep="\n")


if __name__ == "__main__":
    main()
