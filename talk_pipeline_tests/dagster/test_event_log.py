"""The event log at a fraction of its cost holds what Dagster's own would, for whoever opens the home."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import yaml
from sqlalchemy import Connection, Engine, event

from talk_pipeline.dagster.event_log import EventLog
from talk_pipeline.dagster.instance import open_home, prepare_home

CHECKS = 3


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
    with dg.DagsterInstance.from_config(str(tmp_path / "dagster_home")) as plain:
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
