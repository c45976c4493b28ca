"""What lies in a scope, and which scopes have nothing in common."""

import pytest

from talk_pipeline.flows.scoping import apart, means


@pytest.mark.parametrize(
    ("said", "word", "so"),
    [
        ("N-1", "N-*", True),
        ("n-1", "N-*", True),
        ("N-", "N-*", True),
        ("S-1", "N-*", False),
        ("N-1", "N-", False),
        ("company", "Company", True),
        ("", "Company", False),
        (None, "*", False),
    ],
)
def test_what_is_meant(said: str | None, word: str, so: bool) -> None:
    assert means(said, word) is so


@pytest.mark.parametrize(
    ("mine", "theirs", "so"),
    [
        ({"number": ("N-*",)}, {"number": ("S-*",)}, True),
        ({"number": ("N*",)}, {"number": ("NO-*",)}, False),
        ({"number": ("NO-*",)}, {"number": ("N*",)}, False),
        ({"number": ("N-*", "M-*")}, {"number": ("S-*", "m-7")}, False),
        ({"number": ("N-*",)}, {}, False),
        ({"number": ("N-*",)}, {"name": ("S-*",)}, False),
        ({"type": ("Company",), "number": ("N-*",)}, {"type": ("Company",), "number": ("S-*",)}, True),
        ({"type": ("Company",)}, {"type": ("Person",)}, True),
    ],
)
def test_what_has_nothing_in_common(
    mine: dict[str, tuple[str, ...]], theirs: dict[str, tuple[str, ...]], so: bool
) -> None:
    assert apart(mine, theirs) is so
