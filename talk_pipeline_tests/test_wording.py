"""A number of things is said as people say it: one of them is never "1 records"."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from talk_pipeline.wording import counted

PACKAGE = Path(__file__).parents[1] / "talk_pipeline"
SEVERAL = {
    "candidates",
    "changes",
    "characters",
    "checks",
    "conflicts",
    "days",
    "fields",
    "files",
    "flows",
    "hours",
    "items",
    "lines",
    "links",
    "minutes",
    "operations",
    "orders",
    "pairs",
    "places",
    "problems",
    "properties",
    "records",
    "requests",
    "rows",
    "runs",
    "seconds",
    "sections",
    "steps",
    "systems",
    "things",
    "times",
    "values",
    "writes",
}
"""What this program has several of."""
OWN_WORDS = PACKAGE / "sandbox"
"""Where systems are played, which say it in words of their own."""


@pytest.mark.parametrize(
    ("number", "what", "told"),
    [
        (0, "record", "0 records"),
        (1, "record", "1 record"),
        (2, "record", "2 records"),
        (1, "linked pair", "1 linked pair"),
        (2, "linked pair", "2 linked pairs"),
        (1, "property", "1 property"),
        (2, "property", "2 properties"),
        (2, "day", "2 days"),
    ],
)
def test_one_is_one(number: int, what: str, told: str) -> None:
    assert counted(number, what) == told


def test_whoever_tells_a_number_of_things_counts_them() -> None:
    told = [
        f"{file.relative_to(PACKAGE.parent)}:{line}: {text}"
        for file in PACKAGE.rglob("*.py")
        if not file.is_relative_to(OWN_WORDS)
        for line, text in _plurals(ast.parse(file.read_text(encoding="utf-8")))
    ]
    assert told == [], "say it with talk_pipeline.wording.counted"


def _plurals(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Where an f-string says whatever number before a plural, with up to one word between the two."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.JoinedStr):
            continue
        for value, text in zip(node.values, node.values[1:], strict=False):
            if not (isinstance(value, ast.FormattedValue) and isinstance(text, ast.Constant)):
                continue
            words = str(text.value).split(maxsplit=2)[:2] if str(text.value).startswith(" ") else []
            if any(word.strip(".,:;()") in SEVERAL for word in words):
                yield value.lineno, ast.unparse(ast.JoinedStr([value, text]))
