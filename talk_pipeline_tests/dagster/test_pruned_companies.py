"""What is wrong with one company keeps no other one from being pruned."""

import re
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import dagster as dg
import duckdb
import pytest

from talk_pipeline.dagster.build import build_all
from talk_pipeline.engine.state.connection import now
from talk_pipeline.engine.state.database import FILE, State
from talk_pipeline.settings import Settings
from talk_pipeline_tests.several import opened_companies

OLD = "insert into stage (run_id, flow, name) values ('old', 'customer', 'plan')"
LEFT = "select count(*) from stage where run_id = 'old'"


def _broken(folder: Path) -> None:
    (folder / FILE).write_bytes(b"not what it was")


def _later(folder: Path) -> None:
    with State(folder).once() as db:
        db.execute("update meta set value = '99' where key = 'schema'")


def _unwritable(folder: Path) -> None:
    (folder / "leases").write_text("no folder")


def _odd(folder: Path) -> None:
    """What nobody expects: a number is none."""
    with State(folder).once() as db:
        db.execute("update meta set value = 'eight' where key = 'schema'")


WRONG: dict[str, Callable[[Path], None]] = {
    "berlin": _broken,
    "lima": _later,
    "oslo": _unwritable,
    "paris": _odd,
}
SAID = ("berlin: ", "lima: ", "oslo: ", "paris: ValueError: ", "quito: ")


def test_the_others_are_pruned_and_what_was_wrong_is_told(
    tmp_path: Path, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = (*WRONG, "quito", "rome")
    with opened_companies(tmp_path, *names, instance=instance, patch=monkeypatch):
        monkeypatch.setenv("TALK_WAIT_SECONDS", "0.2")
        for name in names:
            with State(tmp_path / "data" / name).once() as db:
                db.execute(OLD)
                db.execute(
                    "insert into run (run_id, flow, started_at) values ('new', 'customer', ?)", [now()]
                )
        for name, spoil in WRONG.items():
            spoil(tmp_path / "data" / name)
        job = build_all(Settings.load()).resolve_job_def("prune")
        with closing(duckdb.connect(str(tmp_path / "data" / "quito" / FILE))):  # somebody has it
            done = job.execute_in_process(instance=instance, raise_on_error=False)
        assert not done.success
        (failure,) = (event for event in done.all_node_events if event.is_step_failure)
        told = str(failure.step_failure_data.user_failure_data)
        assert [name for name in SAID if name not in told] == []
        assert "rome" not in told
        assert set(re.findall(r"\b[A-Z]\w+Error\b", told)) == {"ValueError"}, "a mistake of ours by its kind"
        with State(tmp_path / "data" / "rome").once() as db:
            assert db.execute(LEFT).fetchall() == [(0,)]
