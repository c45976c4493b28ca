"""A shop at another address keeps its links; another shop at another address is none of it."""

import asyncio

import pytest

from talk_pipeline.engine.state.connection import StateMismatchError
from talk_pipeline.engine.state.database import State
from talk_pipeline.installation import Connections
from talk_pipeline.sandbox.server import Sandbox
from talk_pipeline.settings import Settings
from talk_pipeline_tests.cli.command_line import run
from talk_pipeline_tests.pipeline.by_hand import unlink
from talk_pipeline_tests.pipeline.records import customer
from talk_pipeline_tests.users import Shop
from talk_pipeline_tests.world import World


def test_the_same_shop_at_another_address_keeps_all_links(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = [world.shop.post("customers", customer(f"C{n}"))["id"] for n in range(3)]
    assert world.step().success
    unlink(keys[2])
    assert world.step().success
    links = world.sql("select shop_id, bc_id, state from link order by all")
    unmoved = run("moved")
    assert (unmoved.returncode, "nothing has moved" in unmoved.stderr) == (2, True)

    there = world.environment["CUSTOMWEBSHOP_URL"].replace("127.0.0.1", "localhost")
    monkeypatch.setenv("CUSTOMWEBSHOP_URL", there)
    stopped = run("sync")
    assert stopped.returncode == 2
    assert "if they are the same at another address: talk-pipeline moved" in " ".join(stopped.stderr.split())
    moved = run("moved")
    assert moved.returncode == 0, moved.stderr
    assert "Customwebshop is localhost" in moved.stdout
    assert "2 records of it looked at" in moved.stdout
    assert world.sql("select shop_id, bc_id, state from link order by all") == links
    world.shop.patch("customers", keys[0], {"website": "www.moved.example"})
    again = world.step()
    assert again.success, again.problems
    assert again["customer"]["writes"]["businesscentral"] == {"create": 0, "update": 1, "delete": 0}
    assert world.sql("select shop_id, bc_id, state from link order by all") == links


def test_a_state_of_other_systems_is_left_to_others_at_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert world.step().success
    there = world.environment["CUSTOMWEBSHOP_URL"].replace("127.0.0.1", "localhost")
    monkeypatch.setenv("CUSTOMWEBSHOP_URL", there)
    connections = Connections(Settings.load())

    async def refused() -> None:
        with pytest.raises(StateMismatchError):
            await connections.session("refused").__aenter__()

    asyncio.run(refused())
    with State(world.data, wait_seconds=0).once() as db:  # while whoever was refused is still there
        assert db.execute("select count(distinct run_id) from run").fetchone() == (1,)


def test_another_shop_at_another_address_is_refused_by_its_records(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(3):
        world.shop.post("customers", customer(f"C{n}"))
    assert world.step().success
    systems = "from meta where starts_with(key, 'system:') order by all"
    held = world.sql("from link order by all"), world.sql(systems)
    with Sandbox(size=1) as other:
        environment = other.environment()
        address = environment["CUSTOMWEBSHOP_URL"]
        theirs = Shop(address, {}, address)
        theirs.control("reset", {"empty": True})
        for n in (7, 8):  # under the ids of two of ours
            theirs.post("customers", customer(f"C{n}"))
        theirs.close()
        monkeypatch.setenv("CUSTOMWEBSHOP_URL", address.replace("127.0.0.1", "localhost"))
        monkeypatch.setenv("CUSTOMWEBSHOP_TOKEN", environment["CUSTOMWEBSHOP_TOKEN"])
        refused = run("moved")
    assert refused.returncode == 2, refused.stdout
    told = " ".join(refused.stderr.split())
    assert "is not the one that the state knows: of 3 records 3 differ" in told
    assert "is not there" in told
    assert "number C7" in told
    assert (world.sql("from link order by all"), world.sql(systems)) == held
