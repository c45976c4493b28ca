"""Broken files, full disks and odd token endpoints: a line that names the thing and the way out, and no trace."""

import asyncio
import os
import resource
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from talk_pipeline.cli.exits import Exit, told_in_a_line
from talk_pipeline.dagster.instance import HomeError, open_home
from talk_pipeline.engine.state.connection import StateBrokenError
from talk_pipeline.engine.state.database import FILE, State
from talk_pipeline.installation import Connections
from talk_pipeline.settings import Settings
from talk_pipeline.systems.errors import (
    AccessFault,
    ConfigurationFault,
    SystemFault,
    UnavailableFault,
    UnreachableFault,
)
from talk_pipeline_tests.damage import cut, overwritten
from talk_pipeline_tests.pipeline.records import customer
from talk_pipeline_tests.users import Row
from talk_pipeline_tests.world import World

pytestmark = pytest.mark.optimized  # files as users have them


def _sync(*, limit: int | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    def limited() -> None:
        if limit is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    return subprocess.run(
        [sys.executable, "-m", "talk_pipeline", "sync"],
        capture_output=True,
        text=True,
        check=False,
        timeout=400,
        env={**os.environ, **environment},
        preexec_fn=limited,
    )


def _one_line(done: subprocess.CompletedProcess[str]) -> str:
    told = [text for text in done.stderr.splitlines() if text.startswith("error: ")]
    assert "Traceback" not in done.stdout + done.stderr
    assert len(told) == 1, done.stderr
    return told[0]


TOKENS: dict[str, tuple[Row, type[SystemFault], str]] = {
    "a page": (
        {"status": 200, "body": "<html>Sign in</html>", "content_type": "text/html"},
        ConfigurationFault,
        "no JSON (text/html)",
    ),
    "a page not found": (
        {"status": 404, "body": "<html></html>", "content_type": "text/html"},
        ConfigurationFault,
        "404",
    ),
    "a redirect": (
        {"status": 302, "headers": {"Location": "https://login.example/x"}},
        ConfigurationFault,
        "login.example",
    ),
    "a list": ({"status": 200, "body": [1]}, ConfigurationFault, "without an access_token"),
    "a token that is none": (
        {"status": 200, "body": {"access_token": 5}},
        ConfigurationFault,
        "access_token",
    ),
    "a token of two lines": (
        {"status": 200, "body": {"access_token": "a\nb"}},
        ConfigurationFault,
        "cannot stand in a header",
    ),
    "an error": (
        {"status": 401, "body": {"error": "invalid_client", "error_codes": [7000222]}},
        AccessFault,
        "invalid_client, 7000222",
    ),
    "an error called a success": (
        {"status": 200, "body": {"error": {"code": "interaction_required"}}},
        AccessFault,
        "interaction_required",
    ),
    "overloaded": ({"status": 503}, UnavailableFault, "503"),
    "what is not packed": (
        {"status": 200, "body": "{}", "headers": {"Content-Encoding": "gzip"}},
        UnavailableFault,
        "cannot be unpacked",
    ),
    "no answer": ({"drop": "before"}, UnreachableFault, "cannot be reached"),
}


@pytest.mark.parametrize(("fault", "kind", "says"), TOKENS.values(), ids=TOKENS)
def test_an_odd_token_endpoint_is_named_with_its_setting(
    world: World, fault: Row, kind: type[SystemFault], says: str
) -> None:
    world.bc.faults({"match": {"path": "token"}, "fault": fault, "times": None})

    async def ask() -> None:
        async with Connections(Settings.load()).businesscentral() as bc:
            await bc.identify()

    with pytest.raises(kind) as caught:
        asyncio.run(ask())
    assert "BUSINESSCENTRAL_TOKEN_URL" in str(caught.value)
    assert says in str(caught.value)


def _garbage(file: Path) -> None:
    file.write_bytes(b"this is no database, but long enough to look like one" * 100)


def _foreign(file: Path) -> None:
    with sqlite3.connect(file) as db:
        db.execute("create table requests (something integer)")
    db.close()


def _unreadable(file: Path) -> None:
    file.symlink_to("/proc/self/mem")  # whoever reads it from its beginning is told of an I/O error


@pytest.mark.parametrize(
    "broken", [_garbage, _foreign, _unreadable], ids=["garbage", "foreign", "unreadable"]
)
def test_a_broken_count_of_requests_is_named(world: World, broken: Callable[[Path], None]) -> None:
    file = world.data / "limits" / "customwebshop" / "requests.sqlite"
    file.parent.mkdir(parents=True)
    broken(file)

    async def ask() -> None:
        async with Connections(Settings.load()).shop() as shop:
            await shop.identify()

    with pytest.raises(ConfigurationFault) as caught:
        asyncio.run(ask())
    assert str(file) in str(caught.value)
    assert "remove it" in str(caught.value)
    assert "make room" not in str(caught.value)
    file.unlink()
    asyncio.run(ask())


def test_an_empty_count_of_requests_is_a_new_one(world: World) -> None:
    file = world.data / "limits" / "customwebshop" / "requests.sqlite"
    file.parent.mkdir(parents=True)
    file.touch()

    async def ask() -> None:
        async with Connections(Settings.load()).shop() as shop:
            await shop.identify()

    asyncio.run(ask())


@pytest.mark.parametrize("damage", ["garbage", "empty", "cut", "foreign"])
def test_a_broken_database_is_named_and_left_as_it_is(tmp_path: Path, damage: str) -> None:
    file = tmp_path / "talk.duckdb"
    if damage == "garbage":
        _garbage(file)
    elif damage == "empty":
        file.touch()
    elif damage == "foreign":
        with duckdb.connect(str(file)) as db:
            db.execute("create table recipes (name varchar)")
    else:
        with State(tmp_path).once() as db:
            db.execute("select 1")
        file.write_bytes(file.read_bytes()[:6000])
    before = file.read_bytes()
    with pytest.raises(StateBrokenError) as caught, State(tmp_path).once():
        pass
    assert str(file) in str(caught.value)
    assert "TALK_DATA_DIR" in str(caught.value) or "backup" in str(caught.value)
    assert file.read_bytes() == before


def filled(folder: Path) -> Path:
    """A state of some size, all of it in the file."""
    with State(folder).once() as db:
        db.execute(
            "insert into bc_status select 'customer', i, md5(i::varchar), null from range(100000) t(i)"
        )
    return folder / FILE


@pytest.mark.parametrize("damage", [cut, overwritten])
def test_damage_that_is_met_while_reading_is_told_as_such(
    tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    file = filled(tmp_path)
    damage(file)
    damaged = pytest.raises(StateBrokenError, match="it is damaged: .* Put a backup in its place")
    with damaged as caught, State(tmp_path).once() as db:
        db.execute("select sum(hash(bc_id) % 10), sum(hash(state) % 10) from bc_status")
    assert str(file) in str(caught.value)
    assert told_in_a_line(caught.value)[0] is Exit.USAGE


def test_a_foreign_journal_is_named_and_left_and_without_it_all_is_there(tmp_path: Path) -> None:
    file = filled(tmp_path)
    journal = file.with_name(f"{FILE}.wal")
    _garbage(journal)
    garbage = journal.read_bytes()
    with pytest.raises(StateBrokenError, match="is no journal of DuckDB") as caught, State(tmp_path).once():
        pass
    assert str(journal) in str(caught.value)
    assert journal.read_bytes() == garbage
    journal.unlink()
    with State(tmp_path).once() as db:
        assert db.execute("select count(*) = 100000 from bc_status").fetchall() == [(True,)]


@pytest.mark.parametrize("left", [b"", bytes(100), b"d"], ids=["empty", "zeros", "begun"])
def test_a_journal_that_a_power_cut_left_without_its_contents_is_none(tmp_path: Path, left: bytes) -> None:
    file = filled(tmp_path)
    file.with_name(f"{FILE}.wal").write_bytes(left)
    with State(tmp_path).once() as db:
        assert db.execute("select count(*) = 100000 from bc_status").fetchall() == [(True,)]


_KILLED = """
import os, sys
from pathlib import Path
from talk_pipeline.engine.state.database import FILE, State
with State(Path(sys.argv[1])).open() as db:
    db.execute("insert into meta values ('last', 'word')")
    os._exit(9)
"""


def test_what_a_killed_process_left_in_its_journal_is_there(tmp_path: Path) -> None:
    file = filled(tmp_path)
    subprocess.run([sys.executable, "-c", _KILLED, str(tmp_path)], check=False, timeout=60)
    assert file.with_name(f"{FILE}.wal").stat().st_size
    with State(tmp_path).once() as db:
        assert db.execute("select value from meta where key = 'last'").fetchall() == [("word",)]


_KILLED_OFTEN = _KILLED.replace(
    "    db.execute(\"insert into meta values ('last', 'word')\")",
    "    for n in range(50):\n"
    "        db.execute(\"insert into meta values ($1, repeat('x', 500))\", [f'word {n}'])",
)


@pytest.mark.parametrize("damage", ["zeros", "a bit", "bytes missing"])
def test_a_journal_that_is_damaged_within_is_named_and_without_it_the_file_is_whole(
    tmp_path: Path, damage: str
) -> None:
    file = filled(tmp_path)
    subprocess.run([sys.executable, "-c", _KILLED_OFTEN, str(tmp_path)], check=False, timeout=60)
    journal = file.with_name(f"{FILE}.wal")
    content = journal.read_bytes()
    half = content.index(b"word 25")  # what follows it is whole
    damaged = {
        "zeros": content[:half] + bytes(4096) + content[half + 4096 :],
        "a bit": content[:half] + b"W" + content[half + 1 :],
        "bytes missing": content[:half] + content[half + 100 :],
    }
    journal.write_bytes(damaged[damage])
    with pytest.raises(StateBrokenError, match="damaged") as caught, State(tmp_path).once():
        pass
    assert str(journal) in str(caught.value)
    assert journal.read_bytes() == damaged[damage]
    journal.unlink()
    with State(tmp_path).once() as db:
        assert db.execute("select count(*) = 100000 from bc_status").fetchall() == [(True,)]
        assert db.execute("select bool_or(key like 'word%') from meta").fetchall() == [(False,)]


@pytest.mark.parametrize("text", ["storage: [", "storage: 5", "nonsense: true", "- a"])
def test_broken_settings_of_dagster_are_named(tmp_path: Path, text: str) -> None:
    home = tmp_path / "dagster_home"
    home.mkdir()
    (home / "dagster.yaml").write_text(text)
    with pytest.raises(HomeError) as caught, open_home(tmp_path):
        pass
    assert str(home / "dagster.yaml") in str(caught.value)
    assert "remove it" in str(caught.value)


def test_broken_records_of_dagster_are_named(world: World) -> None:
    with open_home(world.data):
        pass
    home = world.data / "dagster_home"
    files = [*home.rglob("*.db")]
    assert files
    for file in files:
        _garbage(file)
    done = _sync()
    assert done.returncode == 2, done.stderr
    assert str(home) in _one_line(done)
    assert "move that folder away" in done.stderr


@pytest.mark.slow
def test_a_disk_without_room_ends_with_status_three(world: World) -> None:
    for n in range(5):
        world.shop.post("customers", customer(f"C{n}"))
    done = _sync(limit=200_000)
    assert done.returncode == 3, done.stderr
    _one_line(done)
    whole = _sync()
    assert whole.returncode == 0, whole.stderr
    assert len(world.bc.all("customers")) == 5
