"""The end of the tests: what all processes counted is added up and told; a state that was never reached fails them.

States are judged only where all tests ran that `make test` runs: any part of them reaches but some.
"""

from typing import Any

import pytest

from talk_pipeline_tests.proof.counts import COUNTS, Counts
from talk_pipeline_tests.proof.states import DECLARED, NOT_YET_SEEN

TOLD = "counts"
WHOLE = "not slow and not rare"


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """One of the processes that the tests are spread over has ended."""
    told = getattr(node, "workeroutput", {}).get(TOLD)
    if told:
        COUNTS.add(Counts.read(told))


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Tells whoever spread the tests; whoever did so judges."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output[TOLD] = COUNTS.document()
    elif exitstatus == pytest.ExitCode.OK and is_whole(session.config) and unreached(COUNTS):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """The numbers, and what was to be reached and was not."""
    if not (any(COUNTS.proven.values()) or COUNTS.violations or COUNTS.reached):
        return
    terminalreporter.ensure_newline()
    if is_whole(config):
        for state in unreached(COUNTS):
            terminalreporter.write_line(f"never reached: {state}", red=True)
        for state in sorted(NOT_YET_SEEN - COUNTS.reached):
            terminalreporter.write_line(f"never reached, and not asked for yet: {state}")
    terminalreporter.write_line(COUNTS.line())


def unreached(counts: Counts) -> list[str]:
    """The declared states that no run came to."""
    return sorted(DECLARED - NOT_YET_SEEN - counts.reached)


def is_whole(config: pytest.Config) -> bool:
    """Whether every test was asked for that `make test` runs, in the way it runs them."""
    option = config.option
    return bool(
        config.args_source is pytest.Config.ArgsSource.TESTPATHS
        and option.markexpr == WHOLE
        and not any((option.keyword, option.deselect, option.ignore, option.ignore_glob, option.maxfail))
        and not any((getattr(option, "lf", False), option.collectonly))
        and option.shop_profile == "reference"
    )
