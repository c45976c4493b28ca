"""How tests ask the database: those of a few records at once, and what is marked `optimized` as users do."""

import pytest

from talk_pipeline.engine.state.connection import Connection


def optimized() -> bool:
    (told,) = Connection().execute("select current_setting('enable_optimizer')").fetchone() or (None,)
    return bool(told)


def test_a_few_records_are_asked_for_at_once() -> None:
    assert not optimized()


@pytest.mark.optimized
def test_a_whole_book_is_asked_as_users_ask() -> None:
    assert optimized()
