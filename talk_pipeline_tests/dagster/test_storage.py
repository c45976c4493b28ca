"""What Dagster knows of runs, sensors and schedules, at a fraction of its cost, is there for who opens the home."""

import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import dagster as dg
import pytest
import yaml
from alembic.config import Config
from alembic.script import ScriptDirectory
from dagster._core.scheduler.instigation import InstigatorStatus
from sqlalchemy import Engine, event

from talk_pipeline.dagster.event_log import KEPT_SECONDS
from talk_pipeline.dagster.instance import open_home, prepare_home
from talk_pipeline.dagster.storage import RunStorage, ScheduleStorage

QUESTIONS = 50


@dg.asset
def numbers() -> None: ...


def test_whoever_opens_the_home_finds_the_runs(tmp_path: Path) -> None:
    with open_home(tmp_path) as instance:
        assert isinstance(instance.run_storage, RunStorage)
        assert isinstance(instance.schedule_storage, ScheduleStorage)
        run = dg.materialize([numbers], instance=instance, tags={"flow": "order"})
        instance.add_run_tags(run.run_id, {"writes": "3"})
    home = prepare_home(tmp_path)
    (home / "dagster.yaml").write_text("telemetry: {enabled: false}\n", encoding="utf-8")
    with dg.DagsterInstance.from_config(str(home)) as plain:
        assert not isinstance(plain.run_storage, RunStorage)
        (found,) = plain.get_runs(
            dg.RunsFilter(tags={"flow": "order"}, statuses=[dg.DagsterRunStatus.SUCCESS])
        )
        assert (found.run_id, found.tags["writes"]) == (run.run_id, "3")
        assert plain.all_instigator_state(instigator_statuses={InstigatorStatus.RUNNING}) == []
        assert (home / "schedules" / "schedules.db").exists()


def test_they_move_with_the_home(tmp_path: Path) -> None:
    home = prepare_home(tmp_path)
    moved = home.rename(tmp_path / "moved")
    with dg.DagsterInstance.from_config(str(moved)) as instance:
        run = dg.materialize([numbers], instance=instance)
        assert instance.get_run_by_id(run.run_id)
    assert not home.exists()


def test_a_connection_serves_many_questions(tmp_path: Path) -> None:
    opened: list[object] = []

    def ask(instance: dg.DagsterInstance) -> None:
        instance.get_runs(limit=1)
        instance.all_instigator_state()

    with open_home(tmp_path) as instance:
        began = time.monotonic()
        event.listen(Engine, "connect", lambda *said: opened.append(said))
        with ThreadPoolExecutor(2) as threads:  # as the daemon's and the UI's
            list(threads.map(ask, [instance] * QUESTIONS))
        seconds = time.monotonic() - began
    files, at_once = 2, 2
    assert len(opened) <= at_once * files * (seconds / KEPT_SECONDS + 1) < files * QUESTIONS


def test_what_is_made_is_not_asked_for_its_form(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_home(tmp_path) as instance:
        first = dg.materialize([numbers], instance=instance).run_id
    asked: list[object] = []
    from_config = ScriptDirectory.from_config

    def noted(config: Config) -> ScriptDirectory:
        asked.append(config)
        return from_config(config)

    monkeypatch.setattr(ScriptDirectory, "from_config", noted)
    with open_home(tmp_path) as instance:
        assert instance.get_run_by_id(first)
        assert instance.get_records_for_run(first).records
        assert instance.all_instigator_state() == []
        instance.get_latest_materialization_event(dg.AssetKey("numbers"))
    assert not asked


def test_what_is_built_is_asked_for_once(tmp_path: Path) -> None:
    """What each look of a sensor is kept under is asked for many times a minute."""
    with open_home(tmp_path) as instance:
        storage = instance.schedule_storage
        assert isinstance(storage, ScheduleStorage)
        asked: list[str] = []
        assert storage.all_instigator_state() == []
        event.listen(storage._kept(), "before_cursor_execute", lambda *said: asked.append(said[2]))
        assert storage.all_instigator_state() == []
        assert len(asked) == 1
        assert not storage.has_built_index("of another release")
        storage.mark_index_built("of another release")
        assert storage.has_built_index("of another release")


def test_what_was_made_half_way_is_made_to_the_end(tmp_path: Path) -> None:
    """As by a process that was killed between making the tables and noting their form."""
    home = prepare_home(tmp_path)
    for name in ("history/runs.db", "schedules/schedules.db", "history/runs/index.db"):
        with closing(sqlite3.connect(home / name)) as db:
            db.execute("drop table alembic_version")
    with open_home(tmp_path) as instance:
        assert dg.materialize([numbers], instance=instance).success
        assert instance.all_instigator_state() == []
    for name in ("history/runs.db", "schedules/schedules.db", "history/runs/index.db"):
        with closing(sqlite3.connect(home / name)) as db:
            assert db.execute("select count(*) from alembic_version").fetchone() == (1,)


def test_what_failed_half_way_is_not_kept(tmp_path: Path) -> None:
    """A connection that is used again has nothing of it either."""
    with open_home(tmp_path) as instance:
        storage = instance.run_storage
        assert isinstance(storage, RunStorage)
        run = dg.materialize([numbers], instance=instance)

        def fail() -> None:
            with storage.connect() as connection:
                connection.exec_driver_sql("delete from runs")
                raise ValueError

        pytest.raises(ValueError, fail)
        assert instance.get_run_by_id(run.run_id)


def test_storages_that_the_settings_name_stay(tmp_path: Path) -> None:
    settings = prepare_home(tmp_path) / "dagster.yaml"
    said = yaml.safe_load(settings.read_text(encoding="utf-8"))
    said["run_storage"]["config"] = {"base_dir": str(tmp_path / "own")}
    settings.write_text(yaml.safe_dump(said), encoding="utf-8")
    with open_home(tmp_path) as instance:
        run = dg.materialize([numbers], instance=instance)
        assert instance.get_run_by_id(run.run_id)
    assert (tmp_path / "own" / "runs.db").exists()
