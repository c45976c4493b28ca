"""Dagster's home: settings nobody edited follow the release, edited ones stay."""

import hashlib
from pathlib import Path

import dagster as dg
import pytest

from talk_pipeline.dagster import instance
from talk_pipeline.dagster.instance import TEMPLATE, prepare_home
from talk_pipeline.dagster.launcher import Launcher


def test_a_new_home_has_runs_checked_for_their_process(tmp_path: Path) -> None:
    made = prepare_home(tmp_path)
    with dg.DagsterInstance.from_config(str(made)) as instance:
        assert isinstance(instance.run_launcher, Launcher)
        assert instance.run_monitoring_enabled
        assert instance.run_monitoring_poll_interval_seconds <= 15
        assert instance.run_monitoring_start_timeout_seconds <= 90


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
