"""As many threads work on a state as there is something for in its file."""

from pathlib import Path

import pytest

from talk_pipeline.engine.state import database
from talk_pipeline.engine.state.database import State

MOST = 3


def at_work(state: State) -> int:
    with state.once() as db:
        return db.threads


def test_a_small_file_is_worked_on_by_one_thread(tmp_path: Path) -> None:
    assert at_work(State(tmp_path, threads=MOST)) == 1


def test_with_what_is_in_it_more_come_and_go_up_to_what_is_allowed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = State(tmp_path, threads=MOST)
    at_work(state)  # once it is closed all of it is in the file
    size = state.file.stat().st_size
    for each, threads in ((size // 2, 2), (size, 1), (size // (MOST + 1), MOST), (size + 1, 1)):
        monkeypatch.setattr(database, "A_THREAD", each)
        assert at_work(state) == threads
