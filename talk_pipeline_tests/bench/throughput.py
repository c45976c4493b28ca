"""Ten thousand customer updates at Business Central's documented limits, with 200 ms for every operation.

The limit is what a client may do in that time: a window's worth of requests at once, then the sustained rate.
"""

import asyncio
import time
from pathlib import Path
from typing import Any

import dagster as dg

from talk_pipeline.engine.model import Outcome, Write
from talk_pipeline.engine.model import Result as Ended
from talk_pipeline.flows.sides import Side
from talk_pipeline.installation import Connections
from talk_pipeline.settings import Settings
from talk_pipeline_tests.bench.result import Result
from talk_pipeline_tests.world import World, opened_world

UPDATES = 10_000
LATENCY = 0.2


def run(folder: Path) -> dict[str, Result]:
    """Writes through the connector, and asks the server what it saw."""
    with (
        dg.DagsterInstance.ephemeral() as instance,
        opened_world(folder, empty=False, size=UPDATES // 10, instance=instance) as world,
    ):
        return _measure(world)


def _measure(world: World) -> dict[str, Result]:
    customers = world.bc.all("customers")
    world.bc.control("limits", {"latency": LATENCY})
    world.forget_requests()
    started = time.monotonic()
    done = asyncio.run(write(list(customers), UPDATES))
    seconds = time.monotonic() - started
    seen = world.bc.requests()
    allowed = _allowed_seconds(UPDATES)
    print(f"{done} updates in {seconds:.0f} s; the limits allow {allowed:.0f} s at best")
    print(f"highest in flight {seen['highest_concurrency']}, turned away {seen['throttled']}")
    return {
        "writes_share_of_limit": Result(allowed / seconds, 0.97, "higher", "of the limit"),
        "writes_highest_in_flight": Result(seen["highest_concurrency"], 5, "lower", "requests"),
        "writes_turned_away": Result(seen["throttled"], 0, "lower", "requests"),
    }


async def write(ids: list[str], updates: int) -> int:
    """Updates these customers in turn, as fast as the limits allow; returns how many got through."""
    connections = Connections(Settings.load())
    async with connections.session("bench") as session:
        system = session.systems[Side.BC]
        left = [_update(ids, n) for n in range(updates)]
        done = 0

        async def work() -> None:
            nonlocal done
            while left:
                room = min(system.batch_size, system.rows_at_once("customer"))
                batch, left[:room] = left[:room], []
                outcomes: Any = await system.write("customer", batch)
                done += sum(_succeeded(outcome) for outcome in outcomes)

        await asyncio.gather(*(work() for _ in range(system.batches_in_flight)))
        return done


def _update(ids: list[str], n: int) -> Write:
    return Write(
        entity="customers",
        operation="update",
        id=ids[n % len(ids)],
        version="*",
        values={"website": f"www.{n}.example"},
        idempotency_key="",
    )


def _succeeded(outcome: Outcome) -> bool:
    return outcome.result is Ended.DONE


def _allowed_seconds(operations: int) -> float:
    """A whole window's worth may go at once; what is left waits until the window has slid on."""
    settings = Settings.load()
    windows = (operations - 1) // settings.businesscentral_requests
    return windows * settings.businesscentral_window_seconds
