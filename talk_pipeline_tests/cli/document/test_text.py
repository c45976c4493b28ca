"""The document on a terminal: as wide as that is, what is not ok first, the verdict last."""

import pytest

from talk_pipeline_tests.cli.command_line import run
from talk_pipeline_tests.world import World

pytestmark = pytest.mark.xdist_group("document")


@pytest.mark.parametrize("width", [40, 80, 200])
def test_it_is_as_wide_as_the_terminal(found: World, width: int) -> None:
    lines = run("checklist", COLUMNS=str(width)).stdout.splitlines()
    longest = max(map(len, lines))
    assert width * 0.8 < longest <= width
    assert not [line for line in lines if line != line.rstrip()]
    specified = run("checklist", "--without-results", COLUMNS=str(width)).stdout.splitlines()
    assert max(map(len, specified)) <= width


def test_what_is_not_ok_comes_first_and_what_passed_is_a_line(found: World) -> None:
    lines = run("checklist", COLUMNS="200").stdout.splitlines()
    marks = [line.split()[0] for line in lines if line.startswith(("WARN", "FAIL", "ok"))]
    assert set(marks) == {"WARN"}
    folded = [number for number, line in enumerate(lines) if " passed" in line and " to " in line]
    assert len(folded) == 6
    last_warning = max(number for number, line in enumerate(lines) if line.startswith("WARN"))
    assert last_warning < folded[0]
    assert "Customwebshop Order lines to Businesscentral Salesorderlines: 7 passed" in lines
    assert "WARNED" in lines[-1]
    assert lines[-1].startswith("run ")
