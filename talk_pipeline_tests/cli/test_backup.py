"""A backup of the state and its way back: what a later run makes of an older state, and what is refused."""

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from talk_pipeline.engine.model import ByHandError
from talk_pipeline.engine.state import copies
from talk_pipeline.engine.state.connection import StateBrokenError, StateMismatchError
from talk_pipeline.engine.state.database import FILE
from talk_pipeline.engine.state.lease import LeaseHeldError
from talk_pipeline.installation import back_up, restore
from talk_pipeline.settings import Settings
from talk_pipeline_tests.cli.command_line import run
from talk_pipeline_tests.pipeline.records import customer, line, order, product
from talk_pipeline_tests.proof.killing import Place, cut, interrupted, surviving
from talk_pipeline_tests.world import World


def rows_of(file: Path) -> dict[str, list[tuple[object, ...]]]:
    """All that a database holds, in its order, but for who was the last to work on a flow."""
    with duckdb.connect(str(file), read_only=True) as db:
        names = db.execute("select table_name from duckdb_tables() order by 1").fetchall()
        held = {name: db.execute(f"select * from {name}").fetchall() for (name,) in names}
    return held | {"meta": [row for row in held["meta"] if not row[0].startswith("lease:")]}


@pytest.mark.slow
def test_an_older_state_makes_no_duplicates(world: World, tmp_path: Path) -> None:
    """What was made, edited and removed since the backup, at either side, meets again by its keys."""
    file = tmp_path / "backups" / "monday.duckdb"
    file.parent.mkdir()
    item = world.shop.post("products", product())["id"]
    buyer, other = (world.shop.post("customers", customer(number))["id"] for number in ("C1", "C2"))
    key = world.shop.post("orders", order("O1", buyer, [line(item), line(item, quantity="2")]))["id"]
    assert world.step().success
    kept = rows_of(world.data / "talk.duckdb")
    done = run("backup", str(file))
    assert (done.returncode, done.stderr) == (0, "")
    assert "was read back" in done.stdout
    assert rows_of(file) == kept, "row by row"

    world.let_time_pass()
    world.shop.patch("customers", buyer, {"website": "www.later.example"})
    world.shop.post("customers", customer("C3"))
    world.bc.patch("customers", world.counterpart("customer", other), {"website": "www.other.example"})
    lines = world.shop.get("orders", key)["lines"]
    second = world.shop.post("products", product("P2"))["id"]
    world.shop.patch("orders", key, {"lines": [lines[0], line(second)]})
    world.shop.post("orders", order("O2", other, [line(second)]))
    for _ in range(2):
        assert world.step().success
    before = {name: world.bc.all(name) for name in ("customers", "items")} | {"orders": world.bc.orders()}
    in_shop = {name: world.shop.all(name) for name in ("customers", "products", "orders")}
    assert [len(before[name]) for name in before] == [3, 2, 2]

    restored = run("restore", str(file))
    assert (restored.returncode, restored.stderr) == (0, "")
    (aside,) = world.data.glob("talk.duckdb.replaced-*")
    assert str(aside) in restored.stdout
    assert not list((world.data / "progress").glob("*")), "sensors have a run made of each flow"
    world.forget_requests()
    first = world.step()
    assert first.success, first.problems
    assert not first.failed()
    assert world.sql("select bool_and(full_at = fetched_at) from watermark") == [(True,)], "all was read"
    assert world.writes() == {"customwebshop": 0, "businesscentral": 0}
    assert world.step(full=True).writes() == 0
    after = {name: world.bc.all(name) for name in ("customers", "items")} | {"orders": world.bc.orders()}
    assert after == before
    assert {name: world.shop.all(name) for name in in_shop} == in_shop
    assert len(rows_of(aside)["link"]) == world.sql("select count(*) from link")[0][0]


def test_what_is_refused(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "backup.duckdb"
    with pytest.raises(ByHandError, match="talk-pipeline sync first"):
        back_up(Settings.load(), file, overwrite=False)
    world.shop.post("customers", customer())
    world.step("customer")
    back_up(Settings.load(), file, overwrite=False)
    state = world.data / "talk.duckdb"
    written, held = file.read_bytes(), state.read_bytes()

    def refused(does: Callable[[], object], kind: type[Exception], because: str) -> None:
        with pytest.raises(kind, match=re.escape(because)) as caught:
            does()
        assert len(str(caught.value).splitlines()) == 1
        assert (file.read_bytes(), state.read_bytes()) == (written, held)
        assert not list(world.data.glob("*replaced*"))
        assert not list(tmp_path.glob("*.new"))
        assert not (world.data / "restoring").exists()

    def backup_refused(to: Path, because: str, *, overwrite: bool = False) -> None:
        refused(lambda: back_up(Settings.load(), to, overwrite=overwrite), ByHandError, because)

    def restore_refused(of: Path, because: str, kind: type[Exception] = ByHandError) -> None:
        refused(lambda: restore(Settings.load(), of), kind, because)

    taken = "exists already and stays as it is: name another file"
    backup_refused(file, f"{taken}, or say --overwrite")
    backup_refused(state, taken, overwrite=True)
    backup_refused(tmp_path / "none" / "b", "does not exist: make it first")
    restore_refused(tmp_path / "none", "there is no file")
    restore_refused(state, "is the state itself")
    incoming = world.data / "restoring"
    incoming.mkdir()
    (incoming / "b.duckdb").write_bytes(written)
    (tmp_path / "link").symlink_to(incoming)
    for folder in (incoming, tmp_path / "link"):
        with pytest.raises(ByHandError, match="which a restore clears: move it elsewhere"):
            restore(Settings.load(), folder / "b.duckdb")
    assert (incoming / "b.duckdb").read_bytes() == written
    shutil.rmtree(incoming)
    with monkeypatch.context() as patch, world.held("product"):
        patch.setenv("TALK_WAIT_SECONDS", "0.1")
        restore_refused(file, "flow 'product' is held by run another", LeaseHeldError)

    note, foreign, later, theirs = (tmp_path / name for name in ("note.txt", "foreign", "later", "theirs"))
    note.write_text("this is a note, and no database")
    restore_refused(note, f"{note} cannot be used: it is no DuckDB file", StateBrokenError)
    with duckdb.connect(str(foreign)) as db:
        db.execute("create table orders (a int)")
    restore_refused(foreign, f"{foreign} holds something else (orders)", StateBrokenError)
    of_others = "update meta set value = 'shop.example' where key = 'system:Customwebshop'"
    of_nobody = "delete from meta where starts_with(key, 'system:')"
    for broken, statement, because, kind in (
        (later, "update meta set value = '99' where key = 'schema'", "version 99", StateMismatchError),
        (theirs, of_others, "shop.example", StateMismatchError),
        (tmp_path / "new", of_nobody, "no run ever worked with it", StateBrokenError),
    ):
        broken.write_bytes(written)
        with duckdb.connect(str(broken)) as db:
            db.execute(statement)
        restore_refused(broken, because, kind)

    back = run("backup", str(file), "--overwrite")
    assert back.returncode == 0
    assert "it replaced an earlier file" in back.stdout


def test_a_broken_state_is_replaced(world: World, tmp_path: Path) -> None:
    world.shop.post("customers", customer())
    world.step("customer")
    file = tmp_path / "backup.duckdb"
    back_up(Settings.load(), file, overwrite=False)
    (world.data / "talk.duckdb").write_bytes(b"not what it was")
    done = run("restore", str(file))
    assert done.returncode == 0, done.stderr
    assert "forget again whoever was forgotten since the backup" in done.stdout
    assert world.step("customer").writes() == 0


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_restore_that_is_killed_leaves_what_was_done_last(
    world: World, tmp_path: Path, *, after: bool
) -> None:
    """What a killed run did last is in a journal beside the file, and nowhere else."""
    world.shop.post("customers", customer())
    world.step("customer")
    file = tmp_path / "backup.duckdb"
    back_up(Settings.load(), file, overwrite=False)
    killed = "import duckdb, os, sys; db = duckdb.connect(sys.argv[1]); db.execute(sys.argv[2]); os.abort()"
    last = "insert into meta values ('done', 'last')"
    subprocess.run([sys.executable, "-c", killed, str(world.data / FILE), last], check=False)
    assert (world.data / f"{FILE}.wal").stat().st_size
    with surviving(), interrupted(Place(Path, "hardlink_to", after=after), 1, by=cut):
        restore(Settings.load(), file)
    assert world.sql("select value from meta where key = 'done'") == [("last",)]
    done = run("restore", str(file))
    assert done.returncode == 0, done.stderr
    assert world.sql("select value from meta where key = 'done'") == []


def test_a_copy_that_lacks_something_does_not_count(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever makes it differ from what was read: here rows that were left out."""
    world.shop.post("customers", customer())
    world.step("customer")
    counted = copies.proven

    def lacking(file: Path) -> copies.Counts:
        told = {**counted(file), "link": 0}
        file.with_name(f"{file.name}.wal").write_bytes(b"on its way when the disk was full")
        return told

    monkeypatch.setattr(copies, "proven", lacking)
    with pytest.raises(StateBrokenError, match="was written and does not hold"):
        back_up(Settings.load(), tmp_path / "backup", overwrite=False)
    assert not list(tmp_path.glob("backup*"))
