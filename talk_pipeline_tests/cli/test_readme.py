"""What the README prints about one record, run as it stands there, in its order, against the seed records."""

import re
import shlex
import subprocess
from pathlib import Path

import dagster as dg
import pytest

from talk_pipeline_tests.cli.command_line import run
from talk_pipeline_tests.documents import texts
from talk_pipeline_tests.flow_files import edited_flows
from talk_pipeline_tests.world import World, opened_world

README = Path(__file__).parents[2] / "README.md"


ONE_RECORD = "Looking into one record"
PROGRAM = ".venv/bin/talk-pipeline "


def sections() -> dict[str, list[str]]:
    """The code blocks of the README by section."""
    _, *found = re.split(r"^## ", README.read_text("utf-8"), flags=re.MULTILINE)
    return {
        text.partition("\n")[0]: re.findall(r"^```\w*\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
        for text in found
    }


def commands(block: str) -> list[list[str]]:
    return [shlex.split(text, comments=True)[1:] for text in block.strip().splitlines()]


@pytest.mark.long
@pytest.mark.slow
def test_what_is_printed_about_one_record_works_in_its_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, instance: dg.DagsterInstance
) -> None:
    explain, shown, by_hand, resolve, seen = sections()[ONE_RECORD]
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
        for command in commands(seen):
            done = run(*command)
            assert (done.returncode, done.stderr) == (0, ""), command
        left = "select count(*) from conflict where flow = 'customer' and acknowledged_at is null"
        assert world.sql(left) == [(0,)]


def _run_to_undo(world: World) -> str:
    """The run that a reader means: one that updated something."""
    if not (world.data / "talk.duckdb").exists():
        return "none yet"
    ((found,),) = world.sql("select max_by(run_id, intent_at) from journal where operation = 'update'")
    return str(found)


def shell(block: str) -> str:
    """What a block prints in a shell."""
    done = subprocess.run(["bash", "-euc", block], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.long
@pytest.mark.slow
def test_every_other_command_works_as_it_is_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, instance: dg.DagsterInstance
) -> None:
    """On the seed records, in the order of the README; only what a reader fills in is filled in."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "shop.rst").write_text(texts.document(texts.section(texts.CUSTOMER)))
    ran = []
    with opened_world(tmp_path, empty=False, instance=instance) as world:
        edited, asked = (block for block in sections()["Try it"] if "curl" in block)
        shell("\n".join(edited.splitlines()[1:]))  # the first one reads what is in the environment here
        assert world.step().success
        assert '"number":"10001","website":"www.edited.example"' in shell(asked)
        for section, found in sections().items():
            lines = [line for block in found for line in block.splitlines() if line.startswith(PROGRAM)]
            for line in lines if section != ONE_RECORD else ():
                filled_in = line.replace("/backups", str(tmp_path)).replace("1a2b3c4d", _run_to_undo(world))
                _, *words = shlex.split(filled_in, comments=True)
                done = run(*words)
                assert (done.returncode, done.stderr) == (0, ""), line
                ran.append(words[0])
    assert len(ran) > 12
    named = {
        "import-doc",
        "check-doc",
        "sync",
        "check-config",
        "checklist",
        "backup",
        "restore",
        "audit",
        "undo",
        "status",
        "attention",
        "writes",
    }
    assert named | {"forget"} <= set(ran)
    for file in ("plan.csv", "qa.html", "monday.duckdb", "my-flows/import-report.md"):
        assert (tmp_path / file).stat().st_size > 0
