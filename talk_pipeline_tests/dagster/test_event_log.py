"""The event log at a fraction of its cost holds what Dagster's own would, for whoever opens the home."""

import os
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import dagster as dg
import pytest
import yaml
from sqlalchemy import Connection, Engine, event

from talk_pipeline.dagster.event_log import KEPT_SECONDS, EventLog
from talk_pipeline.dagster.instance import open_home, prepare_home

CHECKS = 3
EVENTS = 50
NORMAL = 1  # of `synchronous`


@dg.asset
def numbers() -> None: ...


@dg.multi_asset_check(specs=[dg.AssetCheckSpec(f"check_{n}", asset=numbers) for n in range(CHECKS)])
def checked() -> Iterator[dg.AssetCheckResult]:
    for n in range(CHECKS):
        yield dg.AssetCheckResult(passed=n > 0, asset_key="numbers", check_name=f"check_{n}")


def told(instance: dg.DagsterInstance, run_id: str) -> list[str]:
    return [
        entry.get_dagster_event().event_type_value
        for entry in instance.all_logs(run_id)
        if entry.dagster_event
    ]


def test_what_is_written_together_is_there_for_whoever_opens_the_home(tmp_path: Path) -> None:
    with open_home(tmp_path) as instance:
        assert isinstance(instance.event_log_storage, EventLog)
        run = dg.materialize([numbers, checked], instance=instance)
        written = told(instance, run.run_id)
    assert written.count("ASSET_MATERIALIZATION_PLANNED") == 1
    assert written.count("ASSET_CHECK_EVALUATION_PLANNED") == CHECKS
    assert written.count("ASSET_CHECK_EVALUATION") == CHECKS
    assert written[-1] == dg.DagsterEventType.RUN_SUCCESS.value
    keys = [dg.AssetCheckKey(dg.AssetKey("numbers"), f"check_{n}") for n in range(CHECKS)]
    home = prepare_home(tmp_path)
    (home / "dagster.yaml").write_text("telemetry: {enabled: false}\n", encoding="utf-8")
    with dg.DagsterInstance.from_config(str(home)) as plain:
        assert not isinstance(plain.event_log_storage, EventLog)
        assert told(plain, run.run_id) == written
        latest = plain.event_log_storage.get_latest_asset_check_execution_by_key(keys)
        assert [latest[key].status.value for key in keys] == ["FAILED", "SUCCEEDED", "SUCCEEDED"]
        assert plain.get_latest_materialization_event(dg.AssetKey("numbers")) is not None


def test_an_event_takes_one_transaction_a_file(tmp_path: Path) -> None:
    committed: list[str] = []

    def count(connection: Connection) -> None:
        committed.append(Path(str(connection.engine.url.database)).stem)

    with open_home(tmp_path) as instance:
        run = dg.materialize([numbers, checked], instance=instance)
        entries = instance.all_logs(run.run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION)
        event.listen(Engine, "commit", count)
        try:
            instance.event_log_storage.store_event(entries[0])
        finally:
            event.remove(Engine, "commit", count)
    assert sorted(committed) == sorted([run.run_id, "index"])


def test_whoever_opens_the_home_has_it_and_hands_over_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = prepare_home(tmp_path)
    moved = home.rename(tmp_path / "moved")
    monkeypatch.delenv("DAGSTER_EVENT_BATCH_SIZE", raising=False)
    with dg.DagsterInstance.from_config(str(moved)) as instance:
        assert isinstance(instance.event_log_storage, EventLog)
        run = dg.materialize([numbers], instance=instance)
        assert (moved / "history" / "runs" / f"{run.run_id}.db").exists()
        assert int(os.environ["DAGSTER_EVENT_BATCH_SIZE"]) > CHECKS
    assert not home.exists()


def test_a_connection_serves_many_events(tmp_path: Path) -> None:
    opened: list[object] = []
    with open_home(tmp_path) as instance:
        run = dg.materialize([numbers], instance=instance)
        (entry,) = instance.all_logs(run.run_id, of_type=dg.DagsterEventType.RUN_SUCCESS)
        began = time.monotonic()
        event.listen(Engine, "connect", lambda *said: opened.append(said))
        instance.event_log_storage.store_event(entry)
        with ThreadPoolExecutor(2) as threads:  # as the daemon's and the UI's
            deque(threads.map(instance.event_log_storage.store_event, [entry] * (EVENTS - 1)), maxlen=0)
        seconds = time.monotonic() - began
    files = 2
    assert len(opened) <= files * (seconds / KEPT_SECONDS + 1) < files * EVENTS


def test_a_power_cut_may_cost_events_and_damages_no_file(tmp_path: Path) -> None:
    """As SQLite says of a journal that is written ahead: with `off` the file may be damaged, with `normal` not."""
    with open_home(tmp_path) as instance:
        log = instance.event_log_storage
        assert isinstance(log, EventLog)
        run = dg.materialize([numbers], instance=instance)
        for opened in (log.index_connection(), log.run_connection(run.run_id)):
            with opened as connection:
                asked = [
                    connection.exec_driver_sql(f"pragma {one}").scalar()
                    for one in ("journal_mode", "synchronous")
                ]
            assert asked == ["wal", NORMAL]


def test_a_file_that_takes_the_place_of_another_one_is_noticed(tmp_path: Path) -> None:
    key = dg.AssetKey("numbers")
    with open_home(tmp_path / "other") as instance:
        asked = dg.materialize([numbers], instance=instance).run_id
    with open_home(tmp_path / "here") as instance:
        log = instance.event_log_storage
        assert isinstance(log, EventLog)
        assert not log.get_latest_materialization_events([key]).get(key)
        for name in ("index.db-wal", "index.db-shm"):
            Path(log.path_for_shard("index")).with_name(name).unlink(missing_ok=True)
        runs = tmp_path / "other" / "dagster_home" / "history" / "runs"
        (runs / "index.db").rename(log.path_for_shard("index"))
        time.sleep(KEPT_SECONDS + 1)
        found = log.get_latest_materialization_events([key]).get(key)
        assert found
        assert found.run_id == asked


def test_who_watches_a_run_is_told_while_it_is_written(tmp_path: Path) -> None:
    with open_home(tmp_path) as instance:
        run = dg.materialize([numbers], instance=instance)
        (entry,) = instance.all_logs(run.run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION)
        settings = Path(instance.root_directory) / "dagster.yaml"
        settings.write_text("telemetry: {enabled: false}\n", encoding="utf-8")
        with dg.DagsterInstance.from_config(instance.root_directory) as page:  # as Dagster ships it
            told = Event()
            known = page.get_records_for_run(run.run_id).cursor
            page.watch_event_logs(run.run_id, known, lambda *_: told.set())
            time.sleep(0.5)  # until the system watches
            try:
                for _ in range(2):  # a connection is opened for the first, and kept for the second
                    told.clear()
                    instance.event_log_storage.store_event(entry)
                    assert told.wait(timeout=10)
            finally:
                page.end_watch_event_logs(run.run_id, lambda *_: None)


def test_a_storage_that_the_settings_name_stays(tmp_path: Path) -> None:
    settings = prepare_home(tmp_path) / "dagster.yaml"
    own = {
        "module": "dagster._core.storage.event_log",
        "class": "ConsolidatedSqliteEventLogStorage",
        "config": {"base_dir": str(tmp_path / "own")},
    }
    said = yaml.safe_load(settings.read_text(encoding="utf-8"))
    settings.write_text(yaml.safe_dump(said | {"event_log_storage": own}), encoding="utf-8")
    with open_home(tmp_path) as instance:
        assert type(instance.event_log_storage).__name__ == own["class"]


def test_what_the_files_have_is_looked_for_once(tmp_path: Path) -> None:
    asked: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        asked.append(statement)

    with open_home(tmp_path) as instance:
        for look in (False, True):
            if look:
                event.listen(Engine, "before_cursor_execute", note)
            dg.materialize([numbers], instance=instance)
            instance.get_asset_records([dg.AssetKey("numbers")])
        event.remove(Engine, "before_cursor_execute", note)
    assert any(one.startswith("INSERT") for one in asked)
    assert not [one for one in asked if one.startswith("SELECT") and "secondary_indexes" in one]
    assert not [one for one in asked if 'xinfo("asset_keys")' in one]
