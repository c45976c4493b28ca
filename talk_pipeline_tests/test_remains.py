"""What of a person lies in no file of this machine is told by name, and files are looked into wherever they lie."""

from pathlib import Path

import pytest

from talk_pipeline.engine.state.traces import MASK, Words
from talk_pipeline.remains import Unread, take_out
from talk_pipeline.settings import Settings

NAME = "Quillon Zyxwvut"
DEPLOYED = Path(__file__).parents[1] / "deploy" / "dagster.yaml"


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder with a home of Dagster."""
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data" / "dagster_home").mkdir(parents=True)
    return tmp_path / "data"


def told() -> list[Unread]:
    return take_out(Settings.load(), Words([NAME]))


def test_files_of_the_data_folder_are_all_that_there_is(data: Path) -> None:
    for place in ("plan.csv", "dagster_home/run.log"):
        (data / place).write_text(f"{NAME};", encoding="utf-8")
    assert told() == []
    assert {file.read_text(encoding="utf-8") for file in data.rglob("*") if file.is_file()} == {f"{MASK};"}


def test_settings_of_a_home_are_not_rewritten(data: Path) -> None:
    """They may hold any word, such as a place."""
    settings = data / "dagster_home" / "dagster.yaml"
    settings.write_text(f"# {NAME}\nnux: {{enabled: false}}\n", encoding="utf-8")
    assert told() == []
    assert NAME in settings.read_text(encoding="utf-8")


def test_the_state_on_a_disk_within_the_data_folder_is_no_file_to_be_deleted(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TALK_WORK_DIR", str(data / "work"))
    (data / "work").mkdir()
    (data / "work" / "talk.duckdb").write_bytes(bytes(8) + b"DUCK" + NAME.encode())
    (copies,) = told()
    assert copies.what == "copies of the state on other machines (TALK_WORK_DIR)"


def test_what_a_database_keeps_of_runs_is_told(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "services"
    home.mkdir()
    (home / "dagster.yaml").write_bytes(DEPLOYED.read_bytes())
    monkeypatch.setenv("DAGSTER_HOME", str(home))
    (kept,) = told()
    assert kept.what.startswith(f"Dagster's storage as {home / 'dagster.yaml'} names it")
    assert "TALK_KEEP_RUNS_DAYS" in kept.way


@pytest.mark.parametrize(
    "settings",
    [
        "storage: {{sqlite: {{base_dir: {folder}}}}}",
        "compute_logs: {{module: dagster, class: LocalComputeLogManager, config: {{base_dir: {folder}}}}}",
    ],
)
def test_a_folder_that_settings_name_is_looked_into(data: Path, tmp_path: Path, settings: str) -> None:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    (folder / "run.log").write_text(NAME, encoding="utf-8")
    (data / "dagster_home" / "dagster.yaml").write_text(settings.format(folder=folder), encoding="utf-8")
    assert told() == []
    assert (folder / "run.log").read_text(encoding="utf-8") == MASK


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ("storage: [", True),
        ("storage: {sqlite: 5}", True),
        ("storage: 5", False),
        ("- a", False),
        ("", False),
    ],
)
def test_odd_settings_of_a_home_keep_nobody_from_being_forgotten(
    data: Path, settings: str, *, named: bool
) -> None:
    (data / "dagster_home" / "dagster.yaml").write_text(settings, encoding="utf-8")
    (data / "plan.csv").write_text(NAME, encoding="utf-8")
    assert ["dagster_home/dagster.yaml" in one.what for one in told()] == [True] * named
    assert (data / "plan.csv").read_text(encoding="utf-8") == MASK


def test_that_no_home_is_known_is_told(data: Path) -> None:
    (data / "dagster_home").rmdir()
    (home,) = told()
    assert "DAGSTER_HOME is not set" in home.what
