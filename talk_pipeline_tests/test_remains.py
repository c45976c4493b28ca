"""What of a person lies in no file of this machine is told by name, and files are looked into wherever they lie."""

import gzip
import os
import sqlite3
import zlib
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import pytest

from talk_pipeline.engine.state.traces import MASK, Words, take_from_files
from talk_pipeline.remains import Unread, take_out
from talk_pipeline.settings import Settings

NOBODY = 65534
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


def test_what_cannot_be_looked_into_is_named_whether_its_bytes_tell_anything_or_not(data: Path) -> None:
    """What is compressed, in other letters or in a table of DuckDB may hold anybody, and shows no word of it."""
    aside = data / "talk.duckdb.replaced-20260101T000000Z"
    with duckdb.connect(str(aside)) as db:
        db.execute("create table t as select ? || i as name from range(1000) r(i)", [NAME])
    (data / "x.csv").write_text(NAME, encoding="utf-16")
    (data / "without-a-mark.csv").write_text(NAME, encoding="utf-16-le")
    (data / "y.log.gz").write_bytes(gzip.compress(NAME.encode()))
    (data / "talk.duckdb.wal").write_bytes(b"\x00 of the state itself, and not to be deleted")
    assert {Path(one.what).name for one in told()} == {aside.name, "x.csv", "without-a-mark.csv", "y.log.gz"}


@pytest.mark.parametrize("letters", ["UTF-8", "UTF-16"])
def test_every_cell_of_a_database_is_looked_into(data: Path, letters: str) -> None:
    """In whatever letters it is, however long, and whatever is declared of its column."""
    file = data / "odd.db"
    with closing(sqlite3.connect(file)) as db:
        db.execute(f"pragma encoding = '{letters}'")
        db.execute('create table "a ""b""" (k primary key, "c d") without rowid')
        for length in range(4080, 4097):
            db.execute(
                'insert into "a ""b""" values (?, ?)', [length, "." * length + f" {NAME} " + "." * 9999]
            )
        db.commit()
    assert told() == []
    with closing(sqlite3.connect(file)) as db:
        texts = [text for (text,) in db.execute('select "c d" from "a ""b"""')]
    assert len(texts) == 17
    assert all(MASK in text and NAME not in text for text in texts)


@pytest.mark.parametrize("packed", [bytes, zlib.compress], ids=["plain", "compressed"])
def test_a_text_that_is_kept_as_bytes_is_looked_into(data: Path, packed: Callable[[bytes], bytes]) -> None:
    with closing(sqlite3.connect(data / "odd.db")) as db:
        db.execute("create table t (body blob)")
        db.executemany("insert into t values (?)", [[packed(f"{name};".encode())] for name in (NAME, "B")])
        db.commit()
        assert told() == []
        kept = [body for (body,) in db.execute("select body from t order by rowid")]
    assert kept == [packed(f"{name};".encode()) for name in (MASK, "B")]


def test_a_database_with_bytes_that_are_no_text_is_named(data: Path) -> None:
    with closing(sqlite3.connect(data / "odd.db")) as db:
        db.execute("create table t (name, body)")
        db.execute("insert into t values (?, ?)", [NAME, gzip.compress(NAME.encode())])
        db.commit()
        assert [Path(one.what).name for one in told()] == ["odd.db"]
        assert db.execute("select name from t").fetchone() == (MASK,)


def test_a_database_that_cannot_be_used_is_named_and_all_else_is_done(data: Path) -> None:
    for name, rows in (("damaged.db", 2000), ("cut.db", 2000), ("checked.db", 1)):
        with closing(sqlite3.connect(data / name)) as db:
            db.execute("create table t (name text check (name <> '(forgotten)'))")
            db.executemany("insert into t values (?)", [[NAME]] * rows)
            db.commit()
    whole = (data / "damaged.db").read_bytes()
    (data / "damaged.db").write_bytes(whole[:4096] + b"\xff" * 8192 + whole[12288:])
    (data / "cut.db").write_bytes(whole[:5000])
    (data / "z.csv").write_text(NAME, encoding="utf-8")
    assert {Path(one.what).name for one in told()} == {"damaged.db", "cut.db", "checked.db"}
    assert (data / "z.csv").read_text(encoding="utf-8") == MASK


def test_what_may_not_be_read_or_written_is_named_and_all_else_is_done() -> None:
    """As nobody in particular: whoever is root may read everything, and the folders of tests are root's then."""
    with TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        for place in ("closed", "fixed"):
            (folder / place).mkdir()
            (folder / place / "a.csv").write_text(NAME, encoding="utf-8")
        for file in ("a.csv", "z.csv"):
            (folder / file).write_text(NAME, encoding="utf-8")
        if os.geteuid() == 0:
            for one in (folder, *folder.rglob("*")):
                os.chown(one, NOBODY, NOBODY)
            stack.callback(os.seteuid, 0)
            os.seteuid(NOBODY)
        for place, mode in (("closed", 0o000), ("fixed", 0o500), ("a.csv", 0o000)):
            stack.callback((folder / place).chmod, 0o700)
            (folder / place).chmod(mode)
        left = take_from_files([folder], Words([NAME]), but=())
        assert left == [folder / "a.csv", folder / "closed", folder / "fixed" / "a.csv"]
        assert (folder / "z.csv").read_text(encoding="utf-8") == MASK
