"""Whether the tests notice a mutant: one pytest collects them all, and each mutant is judged by a fork of it.

The fork takes the changed file's code into the modules that are loaded, so that nothing is ever written into the
source and nothing is imported twice, and runs the tests that are chosen for the file to the first that fails.
"""

import os
import resource
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from pathlib import Path
from types import FunctionType

import duckdb
import pytest
from hypothesis.configuration import set_hypothesis_home_dir

from talk_pipeline_tests.proof.mutations import Mutant

ROOT = Path(__file__).parent.parent.parent
MEMORY = Path("/dev/shm")
INVALID = 40
LONGEST_SECONDS = (
    600  # of the processor: where others work as well, time goes by without anything being tried
)
LONGEST_SECONDS_OF_ALL = 3600
PATIENCE_SECONDS = 1800.0  # with what only waits
LOOKS_EVERY_SECONDS = 0.02
_OF_THE_CLASS = ("__dict__", "__weakref__", "__slots__", "__doc__", "__module__", "__annotations__")


class Verdict(StrEnum):
    """What became of a mutant."""

    NOTICED = "noticed"  # a test failed, or nothing came to an end
    SURVIVED = "survived"
    ALIKE = "alike"  # it does the same, for a reason that is written down
    INVALID = "invalid"  # no SQL: the database itself refuses it, which proves nothing of the tests


@dataclass(frozen=True, slots=True)
class Case:
    """A mutant and the tests to get past: paths or node ids below the project."""

    mutant: Mutant
    tests: Sequence[str]


Told = Callable[[Mutant, Verdict, str], None]
"""Is told of each mutant, its verdict, and the test by which it was noticed."""


class NotJudgedError(Exception):
    """Nothing can be told of mutants: tests do not pass as it is, or there are none."""


def judge(cases: Sequence[Case], told: Told, *, at_once: int = 1) -> None:
    """Judges them, so many at once; then each test that noticed one has to pass on the files as they are.

    By a process without threads, since it is forked.

    Raises:
        NotJudgedError: one does not, or they cannot be collected.
    """
    tests = list(dict.fromkeys(test for case in cases for test in case.tests))
    court = _Court(cases, told, at_once=at_once)
    # modules of plugins are loaded by now, too late to have their assertions rewritten
    options = [
        "-oaddopts=",
        "-n0",
        "-s",
        "-mnot slow",
        "-pno:cacheprovider",
        "-pno:terminal",
        "--assert=plain",
    ]
    code = pytest.main([*options, f"--rootdir={ROOT}", *(str(ROOT / one) for one in tests)], plugins=[court])
    if court.reason or code is not pytest.ExitCode.OK:
        raise NotJudgedError(court.reason or f"the tests cannot be collected: pytest ends with {code!r}")


class _Court:
    """Stands in for pytest's own loop over what was collected."""

    def __init__(self, cases: Sequence[Case], told: Told, *, at_once: int) -> None:
        self._cases, self._told, self._at_once = cases, told, at_once
        self.reason = ""

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        if session.testsfailed:
            return False
        noticed: dict[str, None] = {}
        for one in self._ended(_Trial(case.mutant, case.tests, session) for case in self._cases):
            noticed |= {one.by: None} if one.by else {}
            if one.mutant is not None:
                self._told(one.mutant, one.verdict, one.by)
        for one in self._ended(_Trial(None, tests, session) for tests in [list(noticed)] if tests):
            if one.verdict is not Verdict.SURVIVED:
                self.reason = f"a test that noticed some does not pass as it is: {one.by or one.verdict}"
        return True

    def _ended(self, trials: "Iterator[_Trial]") -> "Iterator[_Trial]":
        """Each that has come to its end; so many of them at once."""
        running: list[_Trial] = []
        try:
            while True:
                running += islice(trials, self._at_once - len(running))
                if not running:
                    return
                time.sleep(LOOKS_EVERY_SECONDS)
                for one in [one for one in running if one.ended()]:
                    running.remove(one)
                    yield one
        finally:
            for one in running:
                one.end()


class _Trial:
    """A mutant, or None for the files as they are, in a fork."""

    def __init__(self, mutant: Mutant | None, tests: Sequence[str], session: pytest.Session) -> None:
        self.mutant, self.verdict, self.by = mutant, Verdict.NOTICED, ""  # by: a test, if it was one
        self._scratch = tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None)
        self._deadline = time.monotonic() + (PATIENCE_SECONDS if mutant else LONGEST_SECONDS_OF_ALL)
        sys.stdout.flush()
        self._child = os.fork()
        if self._child == 0:
            code = 1
            try:
                code = _tried(mutant, tests, session, Path(self._scratch.name))
            finally:
                os._exit(code)

    def ended(self) -> bool:
        """Whether there is a verdict."""
        child, status = os.waitpid(self._child, os.WNOHANG)
        if child == 0 and time.monotonic() < self._deadline:
            return False
        by = Path(self._scratch.name) / "by"
        if child and by.exists():
            self.by = by.read_text(encoding="utf-8")
        if child:
            code = os.waitstatus_to_exitcode(status)
            self.verdict = {0: Verdict.SURVIVED, INVALID: Verdict.INVALID}.get(code, Verdict.NOTICED)
        self.end(reaped=bool(child))
        return True

    def end(self, *, reaped: bool = False) -> None:
        """Ends it with all that it started."""
        with suppress(ProcessLookupError):
            os.killpg(self._child, signal.SIGKILL)
        if not reaped:
            os.kill(self._child, signal.SIGKILL)  # it may not lead its group yet
            os.waitpid(self._child, 0)
        self._scratch.cleanup()


def _tried(mutant: Mutant | None, tests: Sequence[str], session: pytest.Session, scratch: Path) -> int:
    """The exit status of the chosen tests, in silence; what fails is named in a file."""
    os.setsid()
    longest = LONGEST_SECONDS if mutant else LONGEST_SECONDS_OF_ALL
    resource.setrlimit(resource.RLIMIT_CPU, (longest, longest))
    with Path(os.devnull).open("w") as nowhere:
        for output in (1, 2):
            os.dup2(nowhere.fileno(), output)
    os.environ["PYTEST_DEBUG_TEMPROOT"] = str(scratch)
    set_hypothesis_home_dir(scratch)
    if mutant is not None:
        put_in_place(mutant)
    watch = _Watch(scratch / "by")
    session.config.pluginmanager.register(watch)
    items = _chosen(session.items, tests)
    for item, following in zip(items, [*items[1:], None], strict=True):
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        if watch.failed:
            break
    return INVALID if watch.refused else int(watch.failed or not items)


def _chosen(items: Sequence[pytest.Item], tests: Sequence[str]) -> list[pytest.Item]:
    """In the order in which they are asked for; a folder, a file, a test, or one of its variants."""
    return list(
        dict.fromkeys(
            item
            for test in tests
            for item in items
            if item.nodeid == test or item.nodeid.startswith(_below(test))
        )
    )


def _below(test: str) -> tuple[str, ...]:
    return (f"{test}/", f"{test}::", f"{test}[")


class _Watch:
    """Notices that a test failed, and that the database could not make sense of a query."""

    def __init__(self, by: Path) -> None:
        self._by, self.failed, self.refused = by, False, False

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed and not self.failed:
            self.failed = True
            self._by.write_text(report.nodeid, encoding="utf-8")

    def pytest_exception_interact(self, call: pytest.CallInfo[None]) -> None:
        kinds = (duckdb.ParserException, duckdb.BinderException, duckdb.CatalogException)
        error = call.excinfo.value if call.excinfo else None
        while error is not None:
            self.refused = self.refused or isinstance(error, kinds)
            error = error.__cause__ or error.__context__


def put_in_place(mutant: Mutant) -> None:
    """From now on this process has the changed file.

    Functions and classes stay what they are and get the new code, since others hold them; whatever else has
    another value now is replaced in every module of ours that has it by that name.
    """
    module = sys.modules[".".join(mutant.file.relative_to(ROOT).with_suffix("").parts)]
    fresh = {name: value for name, value in vars(module).items() if name.startswith("__")}
    exec(compile(mutant.source, mutant.file, "exec"), fresh)  # noqa: S102  # our own, with one mistake
    for name, now in fresh.items():
        was = vars(module)[name]
        if now is was or name.startswith("__") or _got_code(was, now, module.__name__):
            continue
        for other in list(sys.modules.values()):
            if other.__name__.startswith(("talk_pipeline.", "talk_pipeline_tests.")) and (
                vars(other).get(name) is was
            ):
                setattr(other, name, now)


def _got_code(was: object, now: object, module: str) -> bool:
    """Whether it is a function or a class of the module, which has the code of the new one now."""
    if isinstance(was, type) and isinstance(now, type) and was.__module__ == module:
        for name, value in vars(now).items():
            old = vars(was).get(name)
            if (
                name not in _OF_THE_CLASS
                and type(value).__name__ != "member_descriptor"
                and (not _got_code(old, value, module))
            ):
                setattr(was, name, value)
        return True
    for inner in ("fget", "__func__", "__wrapped__"):
        if hasattr(was, inner) and hasattr(now, inner):
            return _got_code(getattr(was, inner), getattr(now, inner), module)
    if isinstance(was, FunctionType) and isinstance(now, FunctionType):
        was.__code__, was.__defaults__, was.__kwdefaults__ = (
            now.__code__,
            now.__defaults__,
            now.__kwdefaults__,
        )
        return True
    return False
