"""A shop behind a folder of files that is slow, forgetful, or whose answer comes after the run is gone."""

import subprocess
import sys
from pathlib import Path

import pytest

from talk_pipeline_tests.pipeline.optional.test_tables import born_there
from talk_pipeline_tests.systems.customwebshop.stores.filed_shop import FileShop, answers, connected, one
from talk_pipeline_tests.world import World

pytestmark = pytest.mark.slow


@pytest.fixture
def shop(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FileShop:
    return connected(FileShop(tmp_path / "exchange"), tmp_path, monkeypatch)


def test_what_is_left_lying_is_not_told_again_and_what_was_taken_and_never_shown_is(
    world: World, shop: FileShop
) -> None:
    assert world.step("customer").problems == []
    own = one(shop, "customers", number="C1")["id"]
    world.bc.patch("customers", world.counterpart("customer", own), {"displayName": "Named there"})
    assert world.step("customer").problems == []
    (told,) = shop.waiting()
    world.sql("update journal set open_until = open_until - interval 25 hour")
    for _ in range(2):
        assert world.step("customer").problems == []
        assert shop.waiting() == [told]
    ((reason,),) = world.sql("select reason from journal where target = 'customwebshop'")
    assert f"in/{told} still lies there" in reason
    (shop.folder / "in" / told).unlink()  # taken, and forgotten
    assert world.step("customer").problems == []
    (again,) = shop.waiting()
    assert again != told
    answers(shop)
    assert world.step("customer").problems == []
    assert shop.rows["customers"][own]["company_name"] == "Named there"
    assert not world.sql("select 1 from change")


KILLED = """
import os
from talk_pipeline.cli.main import run
from talk_pipeline.systems.customwebshop.stores.files import FileStore

carry_out = FileStore.carry_out

def killed(*arguments):
    if {put}:
        try:
            carry_out(*arguments)
        finally:
            os._exit(9)
    os._exit(9)

FileStore.carry_out = killed
run()
"""


@pytest.mark.parametrize("put", [True, False], ids=["after it was put", "before"])
@pytest.mark.parametrize("taken", ["before the next run", "after it"])
def test_a_run_killed_while_it_creates_makes_nothing_twice(
    world: World, shop: FileShop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, put: bool, taken: str
) -> None:
    born_there(world, tmp_path, monkeypatch)
    program = KILLED.format(put=put)
    ended = subprocess.run([sys.executable, "-c", program, "sync", "--flow", "product"], check=False)
    assert ended.returncode == 9
    assert len(shop.waiting()) == put
    if taken == "before the next run":
        answers(shop)
    assert world.step("product").problems == []
    for _ in range(3):
        answers(shop)
        assert world.step("product").problems == []
    assert [row["sku"] for row in shop.rows["products"].values()].count("BORN") == put
    if not put:
        world.sql("update journal set open_until = open_until - interval 25 hour")
        for _ in range(3):
            assert world.step("product").problems == []
            answers(shop)
    assert world.step("product").problems == []
    assert [row["sku"] for row in shop.rows["products"].values()].count("BORN") == 1
    assert len(world.sql("select 1 from link where part = 'product'")) == 4
