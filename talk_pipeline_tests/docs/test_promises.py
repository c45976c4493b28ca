"""The page of promises keeps its own: what it names exists, and no test of a pain is missing."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
PAGE = (ROOT / "docs" / "promises.md").read_text(encoding="utf-8")
PAINS = 35


def _tests_of(folder: Path) -> set[str]:
    return {
        node.name
        for file in folder.rglob("test_*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }


def test_every_test_that_the_page_of_promises_names_exists() -> None:
    named = set(re.findall(r"`(test_\w+)`", PAGE))
    missing = named - _tests_of(ROOT / "talk_pipeline_tests")
    assert named
    assert not missing


def test_every_promise_and_every_pain_has_a_test() -> None:
    rows = [
        row for row in PAGE.splitlines() if row.startswith("|") and not row.startswith(("|--", "| promise"))
    ]
    without = [row for row in rows if "`test_" not in row and not row.startswith("| # ")]
    assert not without
    numbers = [int(found[1]) for row in rows if (found := re.match(r"\| (\d+) \|", row))]
    assert numbers == list(range(1, PAINS + 1))


def test_every_test_of_a_pain_is_a_promise() -> None:
    named = set(re.findall(r"`(test_\w+)`", PAGE))
    assert _tests_of(ROOT / "talk_pipeline_tests" / "pains") <= named
