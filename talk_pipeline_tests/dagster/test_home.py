"""Dagster's home: settings nobody edited follow the release, edited ones stay."""

import hashlib
import sqlite3
from contextlib import closing
from pathlib import Path

import dagster as dg
import pytest

from talk_pipeline.dagster import instance, retention, storage
from talk_pipeline.dagster.instance import TEMPLATE, open_home, prepare_home
from talk_pipeline.dagster.launcher import Launcher
from talk_pipeline.dagster.retention import vacuum
from talk_pipeline.engine.state.connection import StateBusyError

SETTINGS = TEMPLATE.read_bytes()


@dg.job
def nothing() -> None: ...


def test_a_new_home_has_runs_checked_for_their_process(tmp_path: Path) -> None:
    made = prepare_home(tmp_path)
    with dg.DagsterInstance.from_config(str(made)) as instance:
        assert isinstance(instance.run_launcher, Launcher)
        assert instance.run_monitoring_enabled
        assert instance.run_monitoring_poll_interval_seconds <= 15
        assert instance.run_monitoring_start_timeout_seconds <= 90


@pytest.mark.parametrize("left", [0, 30, SETTINGS.index(b"  class: EventLog")])
@pytest.mark.parametrize("kept", [True, False])
def test_settings_that_were_left_half_written_are_written_anew(
    tmp_path: Path, *, left: int, kept: bool
) -> None:
    settings = tmp_path / "dagster_home" / "dagster.yaml"
    settings.parent.mkdir()
    settings.write_bytes(SETTINGS[:left])
    if kept:  # by the start after that
        settings.with_name("dagster.yaml.shipped").write_bytes(SETTINGS)
    with open_home(tmp_path) as instance:
        assert isinstance(instance.run_launcher, Launcher)
    assert settings.read_bytes() == SETTINGS


def test_settings_that_a_person_shortened_stay(tmp_path: Path) -> None:
    settings = prepare_home(tmp_path) / "dagster.yaml"
    shortened = SETTINGS[: SETTINGS.index(b"python_logs:")]
    settings.write_bytes(shortened)
    prepare_home(tmp_path)
    assert settings.read_bytes() == shortened


@pytest.mark.parametrize("first", [True, False])
def test_settings_nobody_edited_follow_a_newer_release(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, first: bool
) -> None:
    settings = tmp_path / "dagster_home" / "dagster.yaml"
    old = "telemetry: {enabled: false}\n"
    settings.parent.mkdir()
    settings.write_text(old)
    if first:  # the first release kept no copy
        monkeypatch.setattr(instance, "FIRST_SHIPPED", hashlib.sha256(old.encode()).hexdigest())
    else:
        settings.with_name("dagster.yaml.shipped").write_text(old)
    prepare_home(tmp_path)
    assert settings.read_text() == TEMPLATE.read_text()


def test_records_that_somebody_keeps_are_not_told_as_broken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage, "SQLITE_BUSY_TIMEOUT_SECONDS", 0.1)
    runs = prepare_home(tmp_path) / "history" / "runs.db"

    def kept_by_another() -> None:
        with open_home(tmp_path) as opened, closing(sqlite3.connect(runs)) as another:
            another.execute("begin immediate")
            opened.create_run_for_job(nothing)

    with pytest.raises(StateBusyError, match=r"in use by another process \(database is locked\)") as caught:
        kept_by_another()
    assert "move" not in str(caught.value)


def test_what_somebody_keeps_is_given_back_another_night(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(retention, "WAIT_SECONDS", 0.1)
    files = [tmp_path / name for name in ("a.db", "b.db")]
    for file in files:
        with closing(sqlite3.connect(file)) as made:
            made.executescript("create table t (c); insert into t select zeroblob(100000); delete from t")
    with closing(sqlite3.connect(files[0])) as kept:
        kept.execute("begin immediate")
        vacuum(tmp_path)
    (said,) = caplog.records
    assert str(files[0]) in said.getMessage()
    assert files[0].stat().st_size > 100_000 > files[1].stat().st_size


def test_edited_settings_stay_and_it_is_said_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    settings = prepare_home(tmp_path) / "dagster.yaml"
    edited = settings.read_text() + "nux: {enabled: true}\n"
    settings.write_text(edited)
    settings.with_name("dagster.yaml.shipped").write_text("telemetry: {enabled: false}\n")
    prepare_home(tmp_path)
    assert settings.read_text() == edited
    assert len(caplog.records) == 1
    assert str(settings) in caplog.records[0].getMessage()
    prepare_home(tmp_path)
    assert len(caplog.records) == 1
