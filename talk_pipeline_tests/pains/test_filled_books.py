"""Two filled systems that meet for the first time: what the breaker counts, and what it calls it."""

import asyncio
import uuid
from pathlib import Path

import pytest

from talk_pipeline.engine.plan import circuit_breaker
from talk_pipeline.engine.plan.circuit_breaker import Volume
from talk_pipeline.flows.sides import Side
from talk_pipeline.installation import Connections
from talk_pipeline.run.fetch import fetch
from talk_pipeline.run.plan import replan
from talk_pipeline.sandbox.server import Sandbox
from talk_pipeline.settings import Settings
from talk_pipeline_tests.flow_files import edited_flows
from talk_pipeline_tests.pipeline.records import customer
from talk_pipeline_tests.world import World

NUMBERS = range(8)


def filled(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, differing: int) -> list[str]:
    """Eight customers on both sides, so many of which are called differently."""
    edited_flows(tmp_path, monkeypatch, customer=("minimum: 25", "minimum: 3"))
    for n in NUMBERS:
        name = "Another name" if n < differing else f"Company C{n}"
        mine = customer(f"C{n}")
        same = {"phoneNumber": mine["phone"], "email": mine["email"], "website": mine["website"]}
        place = {"addressLine1": "Main Street 1", "city": "Middelby", "postalCode": "1234", "country": "DK"}
        world.bc.post(
            "customers", {"type": "Company", "number": f"C{n}", "displayName": name, **same, **place}
        )
    return [world.shop.post("customers", customer(f"C{n}"))["id"] for n in NUMBERS]


def test_first_meetings_are_counted_apart_and_named(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Properties that agree do not make an old pair of a new one."""
    shop = filled(world, tmp_path, monkeypatch, differing=5)
    for _ in range(2):  # nor does a run that was stopped
        stopped = world.step("customer")
        assert not stopped.success
        reason = stopped.finding("customer", "change_volume_safe").summary
        assert reason.startswith("5 of 8 pairs that meet for the first time would change, more than the 50%")
        assert "breaker.first_meetings" in reason
        assert "initial: fill" in reason
        assert stopped.writes() == 0
    assert world.step("customer", approve=True).writes() == 5
    assert {row["displayName"] for row in world.bc.all("customers").values()} == {
        f"Company C{n}" for n in NUMBERS
    }
    for key in shop[:5]:
        world.shop.patch("customers", key, {"website": "www.new.example"})
    later = world.step("customer").finding("customer", "change_volume_safe")
    assert later.summary.startswith(
        "5 of 8 linked pairs would change, more than the 50% allowed (breaker.share)"
    )


def test_a_few_differences_at_the_first_meeting_pass(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(world, tmp_path, monkeypatch, differing=4)
    assert world.step("customer").writes() == 4


def test_a_first_meeting_has_a_limit_of_its_own(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(world, tmp_path, monkeypatch, differing=4)
    file = tmp_path / "flows" / "customer.yaml"
    file.write_text(file.read_text().replace("breaker: {", "breaker: {first_meetings: 3, "))
    run = world.step("customer")
    assert "4 of 8 pairs that meet for the first time would change, more than the 3 allowed" in (
        run.finding("customer", "change_volume_safe").summary
    )


def volumes(folder: Path, monkeypatch: pytest.MonkeyPatch, *, size: int, seed: int) -> dict[str, Volume]:
    """What the generated books would do to each flow, with nothing written."""
    with Sandbox(size=size, seed=seed) as sandbox:
        for name in Settings.model_fields:
            monkeypatch.delenv(name.upper(), raising=False)
        for name, value in sandbox.environment().items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("TALK_DATA_DIR", str(folder / "data"))
        return asyncio.run(_volumes(Connections(Settings.load())))


async def _volumes(connections: Connections) -> dict[str, Volume]:
    found: dict[str, Volume] = {}
    async with connections.session(uuid.uuid4().hex, flows_in_run=tuple(connections.flows)) as session:
        for name, flow in session.flows.items():
            for side in Side:
                await fetch(session, flow, side)
            replan(session, flow)
            with session.state.open() as db:
                found[name] = circuit_breaker.volume(db, flow)
    return found


@pytest.mark.optimized
@pytest.mark.slow
@pytest.mark.parametrize(("size", "seed"), [(1, 0), (20, 5), (73, 1), (100, 7), (140, 3)])
def test_generated_books_stay_below_the_limits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int, seed: int
) -> None:
    for flow, found in volumes(tmp_path, monkeypatch, size=size, seed=seed).items():
        assert found.safe, f"{flow}: {found.reason}"
        assert found.meeting <= 0.5 * found.meetings or found.meeting < 10, f"{flow}: {found}"
