"""What the README prints about one record, run as it stands there, in its order, against the seed records."""

import re
import shlex
from pathlib import Path

import dagster as dg
import pytest

from talk_pipeline_tests.cli.command_line import run
from talk_pipeline_tests.flow_files import edited_flows
from talk_pipeline_tests.world import opened_world

README = Path(__file__).parents[2] / "README.md"


def blocks() -> list[str]:
    """The code blocks about one record."""
    (section,) = re.findall(r"## Looking into one record\n(.*?)\n## ", README.read_text("utf-8"), re.DOTALL)
    found: list[str] = re.findall(r"```\w*\n(.*?)```", section, re.DOTALL)
    return found


def commands(block: str) -> list[list[str]]:
    return [shlex.split(text, comments=True)[1:] for text in block.strip().splitlines()]


def test_what_is_printed_about_one_record_works_in_its_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, instance: dg.DagsterInstance
) -> None:
    explain, shown, by_hand, resolve = blocks()
    with opened_world(tmp_path, empty=False, instance=instance) as world:
        world.step()
        (command,) = commands(explain)
        assert run(*command).stdout.splitlines()[:4] == shown.strip().splitlines()[:4]
        for command in [*commands(by_hand), ["retry", "product", "p-1034"], ["retry", "product", "p-1034"]]:
            done = run(*command)
            assert (done.returncode, done.stderr) == (0, ""), command
        before = {row["number"] for row in world.bc.all("customers").values()}
        assert not world.step().failed()
        after = {row["number"] for row in world.bc.all("customers").values()}
        assert after - before == {"10031"}, "what was kept apart, and nothing beside what was let go"
        bc_id = world.counterpart("customer", "c-1001")
        assert world.bc.get("customers", bc_id)["number"] == "10001"

        edited_flows(tmp_path, monkeypatch, customer=("conflict: last_writer #", "conflict: manual #"))
        world.shop.patch("customers", "c-1001", {"website": "www.shop.example"})
        world.bc.patch("customers", bc_id, {"website": "www.central.example"})
        world.step("customer")
        (command,) = commands(resolve)
        done = run(*command)
        assert (done.returncode, done.stderr) == (0, "")
        world.step("customer")
        assert world.bc.get("customers", bc_id)["website"] == "www.shop.example"
