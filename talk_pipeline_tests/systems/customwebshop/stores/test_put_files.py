"""What lies before a shop of files: whole changes, wherever they lie, and never what a killed run left of one."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from pydantic import SecretStr

from talk_pipeline.engine.model import ChildEdit, Outcome, Result, Write
from talk_pipeline.flows.loading import load_flows
from talk_pipeline.systems.customwebshop.stores.filed import FiledShop
from talk_pipeline.systems.customwebshop.stores.opening import opened
from talk_pipeline.systems.customwebshop.wire.fitting import fitted, load_description
from talk_pipeline_tests.systems.customwebshop.stores.filed_shop import FileShop, filled

KEY = "a" * 8
KILLED = """
import sys
from pathlib import Path
from talk_pipeline_tests.systems.customwebshop.stores.test_put_files import dies, put

dies(before=int(sys.argv[3]))
put(Path(sys.argv[1]), Path(sys.argv[2]))
"""


def opened_at(description: Path, folder: Path) -> FiledShop:
    flows = load_flows()
    described = load_description(description, flows=flows)
    system = opened(described, fitted(flows, described), secret=SecretStr, plain=lambda _: str(folder))
    assert isinstance(system, FiledShop)
    return system


def put(description: Path, folder: Path) -> Outcome:
    """A new order with a line is told."""
    values = {"number": "O9", "customer_id": "1", "ordered_at": "2026-03-01T10:00:00Z", "currency": "DKK"}
    lines = ChildEdit("create", None, {"product_id": "2", "quantity": "3", "unit_price": "7"})
    write = Write("orders", "create", None, None, values, KEY, children={"lines": (lines,)})

    async def written() -> Outcome:
        async with opened_at(description, folder) as shop:
            return (await shop.write("order", [write]))[0]

    return asyncio.run(written())


def heard(description: Path, folder: Path) -> Mapping[str, Outcome]:
    async def told() -> Mapping[str, Outcome]:
        async with opened_at(description, folder) as shop:
            return await shop.heard("order", [KEY])

    return asyncio.run(told())


def dies(*, before: int) -> None:
    """This process ends where it is to rename a file for the time after so many."""
    left = [before]

    def renames(event: str, arguments: tuple[object, ...]) -> None:
        if event == "os.rename" and "/in/" in str(arguments[1]):
            left[0] -= 1
            if left[0] < 0:
                os._exit(9)

    sys.addaudithook(renames)


MARKED = {"operation: action": "operation: action\n    done: '{}.done'"}


@pytest.mark.parametrize(("said", "files"), [({}, 2), (MARKED, 3)], ids=["by its name", "by a mark"])
def test_what_a_killed_run_left_is_not_what_the_shop_left_lying(
    tmp_path: Path, said: Mapping[str, str], files: int
) -> None:
    """Or it would be waited for until somebody removes it, and nothing more be told of the record."""
    shop = filled(FileShop(tmp_path / "exchange"))
    description = shop.described(tmp_path, **said)
    for before in range(files + 1):
        run = [sys.executable, "-c", KILLED, str(description), str(shop.folder), str(before)]
        assert subprocess.run(run, check=False).returncode == (9 if before < files else 0)
        assert len([one for one in shop.waiting() if not one.endswith(".part")]) == before
        told = heard(description, shop.folder)
        assert (KEY in told) == (before == files), shop.waiting()
        for one in (shop.folder / "in").iterdir():
            one.unlink()
    assert told[KEY].result is Result.UNKNOWN
    assert f"orders-{KEY}.csv still lies there" in told[KEY].reason


@pytest.mark.parametrize("path", ["in/{entity}/{key}.csv", "in/{operation}/{entity}-{key}.csv"])
def test_changes_may_lie_in_folders_by_what_they_are(tmp_path: Path, path: str) -> None:
    shop = filled(FileShop(tmp_path / "exchange"))
    description = shop.described(tmp_path, **{"in/{entity}-{key}.csv": path})
    for name in ("orders", "orders_lines", "create", "update", "delete"):
        (shop.folder / "in" / name).mkdir()
    assert heard(description, shop.folder) == {}
    assert put(description, shop.folder).result is Result.UNKNOWN
    assert "still lies there" in heard(description, shop.folder)[KEY].reason
    told = path.replace("{entity}", "orders").replace("{operation}", "create").replace("{key}", KEY)
    (shop.folder / told).unlink()
    assert heard(description, shop.folder) == {}
