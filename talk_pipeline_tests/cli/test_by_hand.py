"""The commands about one record: output, exit statuses, errors of one line."""

import json
from typing import Any

import pytest

from talk_pipeline_tests.cli.command_line import run
from talk_pipeline_tests.flow_files import edited_flows
from talk_pipeline_tests.pipeline.by_hand import bc_customer
from talk_pipeline_tests.pipeline.records import customer
from talk_pipeline_tests.world import World


def document(*arguments: str, **environment: str) -> dict[str, Any]:
    """The one document on stdout."""
    done = run(*arguments, "--json", **environment)
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def text(*arguments: str) -> str:
    done = run(*arguments)
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    return done.stdout


def test_one_record_from_first_sight_to_parting(world: World) -> None:
    shop_id = world.shop.post("customers", customer())["id"]
    other = bc_customer(world, "B2")
    world.step("customer")
    bc_id = world.counterpart("customer", shop_id)
    # neither system is needed to explain
    told = document("explain", "customer", "C1", CUSTOMWEBSHOP_URL="", BUSINESSCENTRAL_URL="")
    assert set(told) == {
        "flow",
        "shop_id",
        "bc_id",
        "keys",
        "state",
        "reason",
        "next_step",
        "last_run",
        "link",
        "kept_apart",
        "candidates",
        "sides",
        "parts",
        "differences",
        "pending",
        "withheld",
        "conflicts",
        "refusals",
        "remarks",
        "journal",
    }
    assert (told["flow"], told["shop_id"], told["bc_id"]) == ("customer", shop_id, bc_id)
    shown = text("explain", "customer", bc_id)
    for expected in (
        "state:  active",
        "nothing: both sides are in step",
        "created there by a sync",
        "c1@company",
    ):
        assert expected in shown

    parted = document("unlink", "customer", shop_id)
    assert (parted["action"], parted["shop_id"], parted["bc_id"]) == ("unlinked", shop_id, bc_id)
    assert "never match" in text("unlink", "--never", "customer", shop_id, other)
    assert "released" in text("unlink", "customer", shop_id, "--recreate")
    assert document("link", "customer", shop_id, bc_id)["action"] == "linked"
    events = document("history", "customer", shop_id)["events"]
    kinds = [event["event"] for event in events if event["event"] != "edited"]
    assert kinds == ["wrote", "linked", "unlinked", "kept apart", "released", "linked"]
    assert not [
        event for event in events if event["event"] == "edited" and event["side"] == "businesscentral"
    ]
    shown = text("history", "customer", shop_id)
    assert "create in businesscentral" in shown
    assert "email c1@company.example" in shown
    assert document("sync", "--flow", "customer")["checks"]["failed"] == 0
    assert world.counterpart("customer", shop_id) == bc_id


def test_a_conflict_is_resolved(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    edited_flows(world.data.parent, monkeypatch, customer=("conflict: last_writer #", "conflict: manual #"))
    shop_id = world.shop.post("customers", customer())["id"]
    world.step("customer")
    bc_id = world.counterpart("customer", shop_id)
    world.shop.patch("customers", shop_id, {"website": "www.shop.example"})
    world.bc.patch("customers", bc_id, {"website": "www.bc.example"})
    world.step("customer")
    assert "open" in text("explain", "customer", shop_id)
    wrong = run("resolve", "customer", shop_id, "--take", "both")
    assert wrong.returncode == 2
    told = document("resolve", "customer", shop_id, "website", "--take", "businesscentral")
    assert told["details"]["winner"] == "businesscentral"
    assert "businesscentral wins with the next sync" in text("explain", "customer", shop_id)
    world.step("customer")
    assert "businesscentral won by manual" in text("explain", "customer", shop_id)
    assert world.shop.get("customers", shop_id)["website"] == "www.bc.example"


def test_what_was_refused_is_retried(world: World) -> None:
    world.shop.post("customers", customer())
    world.bc.faults({"match": {"method": "POST", "path": "customers"}, "fault": {"status": 400}, "times": 1})
    world.step("customer")
    assert "refused, and not tried again" in text("explain", "customer", "C1")
    assert document("retry", "customer", "C1")["action"] == "retried"
    assert "decided already" in document("retry", "customer", "C1")["message"]
    assert "nothing is given up on" in text("retry", "customer")
    assert world.step("customer")["customer"]["linked"] == 1


MISTAKES = [
    (("explain", "invoice", "1"), 2, "no flow 'invoice'; there are: customer, product, order"),
    (("explain", "customer", "nobody"), 2, "is known as 'nobody'"),
    (("history", "customer", "nobody"), 2, "is known as 'nobody'"),
    (("link", "customer", "C1", "nobody"), 2, "no customer of businesscentral is known as 'nobody'"),
    (("link", "customer", "C1", "B2"), 2, "first: talk-pipeline unlink customer"),
    (("unlink", "customer", "B2"), 2, "is not linked"),
    (("unlink", "customer", "C1", "B2"), 2, "--never takes both records"),
    (("unlink", "--never", "customer", "C1"), 2, "--never takes both records"),
    (("unlink", "--never", "--recreate", "customer", "C1", "B2"), 2, "do not go together"),
    (("resolve", "customer", "C1", "--take", "customwebshop"), 2, "has no open conflict"),
    (("retry", "customer", "C1"), 2, "is not quarantined"),
]


def test_mistakes_are_one_line(world: World) -> None:
    empty = run("explain", "customer", "C1")
    assert (empty.returncode, "talk-pipeline sync first" in empty.stderr) == (2, True)
    assert not world.data.exists()
    world.shop.post("customers", customer())
    bc_customer(world, "B2")
    world.step("customer")
    for arguments, status, message in MISTAKES:
        done = run(*arguments)
        assert (done.returncode, done.stdout) == (status, ""), done.stderr
        assert message in done.stderr
        assert len(done.stderr.strip().splitlines()) == 1
    with world.held("customer"):
        held = run("unlink", "customer", "C1", TALK_WAIT_SECONDS="0.2")
    assert (held.returncode, "flow 'customer' is held" in held.stderr) == (3, True)


def test_several_records_are_listed(world: World) -> None:
    ids = [world.shop.post("customers", customer(n, email="twin@company.example"))["id"] for n in ("1", "2")]
    world.step("customer")
    several = run("explain", "customer", "twin@company.example")
    assert (several.returncode, several.stdout) == (2, "")
    assert [key for key in ids if f"customwebshop:{key}" in several.stderr] == ids


@pytest.mark.parametrize("command", ["explain", "history", "link", "unlink", "resolve", "retry"])
def test_every_command_has_its_help(command: str) -> None:
    done = run(command, "--help", COLUMNS="120")
    assert done.returncode == 0
    assert "FLOW" in done.stdout
    assert "--json" in done.stdout
