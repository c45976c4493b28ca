"""`make mutants`: of small mistakes in what plans and applies, how many the tests notice; the others by name.

Each is judged by a process of its own that loads the changed file in place of the one on disk, so that nothing is
ever written into the source. It runs the tests that are chosen for the file to the first that fails.
"""

import argparse
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from importlib.abc import InspectLoader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_loader
from pathlib import Path

import duckdb
import pytest
import yaml

from talk_pipeline_tests.proof.mutations import Mutant, mutants

TESTS = Path(__file__).parent.parent
ENGINE = TESTS.parent / "talk_pipeline" / "engine"
TOLD = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8"))
MEMORY = Path("/dev/shm")
INVALID = 40
LONGEST_SECONDS = 300.0


class Verdict(StrEnum):
    """What became of a mutant."""

    NOTICED = "noticed"  # a test failed, or nothing came to an end
    SURVIVED = "survived"
    ALIKE = "alike"  # it does the same, for a reason that is written down
    INVALID = "invalid"  # no SQL: the database itself refuses it, which proves nothing of the tests


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
    return [f"{TESTS}/{one}" for one in TOLD["tests"][name_of(file)]]


def judge(mutant: Mutant) -> Verdict:
    """Runs the chosen tests over it in a process of its own."""
    if any((one.file, one.change) == (name_of(mutant.file), mutant.change) for one in known_alike()):
        return Verdict.ALIKE
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as scratch:
        child = os.fork()
        if child == 0:
            os.setsid()
            _put_in_place(mutant)
            os._exit(_tested(mutant.file, scratch))
        deadline, ended = time.monotonic() + LONGEST_SECONDS, (0, 0)
        try:
            while ended == (0, 0) and time.monotonic() < deadline:
                time.sleep(0.05)
                ended = os.waitpid(child, os.WNOHANG)
        finally:
            if ended == (0, 0):  # too long, or whoever asked has gone
                os.killpg(child, signal.SIGKILL)
                ended = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(ended[1])
    return {0: Verdict.SURVIVED, INVALID: Verdict.INVALID}.get(code, Verdict.NOTICED)


class _InPlace(MetaPathFinder, InspectLoader):
    """Loads a changed file in place of the one on disk."""

    def __init__(self, mutant: Mutant) -> None:
        self._source = mutant.source
        self._module = ".".join(mutant.file.relative_to(TESTS.parent).with_suffix("").parts)

    def find_spec(self, fullname: str, path: object, target: object = None) -> ModuleSpec | None:
        return spec_from_loader(fullname, self) if fullname == self._module else None

    def is_package(self, fullname: str) -> bool:
        return False

    def get_source(self, fullname: str) -> str:
        return self._source


def _put_in_place(mutant: Mutant) -> None:
    """From now on this process has the changed file, and all of ours anew, since it may have used the other."""
    sys.meta_path.insert(0, _InPlace(mutant))
    for name in [name for name in sys.modules if name.partition(".")[0] in ("talk_pipeline", TESTS.name)]:
        del sys.modules[name]


class _Refused:
    """Notices that the database could not make sense of a query."""

    seen = False

    def pytest_exception_interact(self, call: pytest.CallInfo[None]) -> None:
        kinds = (duckdb.ParserException, duckdb.BinderException, duckdb.CatalogException)
        error = call.excinfo.value if call.excinfo else None
        while error is not None:
            self.seen = self.seen or isinstance(error, kinds)
            error = error.__cause__ or error.__context__


def _tested(file: Path, scratch: str) -> int:
    """The exit status of the tests, in silence."""
    refused = _Refused()
    os.environ["HYPOTHESIS_STORAGE_DIRECTORY"] = scratch
    with Path(os.devnull).open("w") as nowhere:
        for output in (1, 2):
            os.dup2(nowhere.fileno(), output)
        # modules of plugins are loaded by now, too late to have their assertions rewritten
        options = [
            "-x",
            "-n0",
            "-mnot slow",
            "-pno:cacheprovider",
            "--assert=plain",
            f"--basetemp={scratch}/tests",
        ]
        code = int(pytest.main([*options, *chosen(file)], plugins=[refused]))
    return INVALID if refused.seen else code


def main() -> None:
    """Judges all of them, or a sample; prints who survived and the score, and writes it down."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sample", type=int, default=0, help="so many of them by chance; 0: all")
    parser.add_argument("--seed", type=int, default=1, help="which ones")
    parser.add_argument("--only", default="", help="those of files whose name has this, such as plan/holds")
    parser.add_argument("--report", type=Path, default=TESTS.parent / "data" / "mutants.json")
    told = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    found = all_mutants(told.only)
    if told.sample:
        found = random.Random(told.seed).sample(found, min(told.sample, len(found)))
    import talk_pipeline_tests.world  # noqa: F401  # what others wrote is loaded once, and not for each anew

    if found and judge(Mutant(found[0].file, 0, 0, "")) is not Verdict.SURVIVED:
        sys.exit(
            f"the tests of {name_of(found[0].file)} do not pass as it is: nothing can be told of its mutants"
        )
    counted, survived = Counter[Verdict](), list[str]()
    for one in found:
        verdict = judge(one)
        counted[verdict] += 1
        place = f"{one.file.relative_to(TESTS.parent)}:{one.line}: {one.change}"
        print(f"{verdict:9} {place}", flush=True)
        survived += [place] if verdict is Verdict.SURVIVED else []
    judged = counted[Verdict.NOTICED] + counted[Verdict.SURVIVED]
    score = round(100 * counted[Verdict.NOTICED] / max(judged, 1), 1)
    numbers = {str(verdict): counted[verdict] for verdict in Verdict}
    document = {"at": f"{datetime.now(UTC):%Y-%m-%d}", "seed": told.seed, **numbers, "score": score}
    told.report.write_text(json.dumps({**document, "survivors": survived}, indent=2) + "\n", encoding="utf-8")
    print(*(f"survived: {place}" for place in survived), sep="\n")
    print(", ".join(f"{name} {number}" for name, number in numbers.items()) + f": {score} % noticed")


if __name__ == "__main__":
    main()
