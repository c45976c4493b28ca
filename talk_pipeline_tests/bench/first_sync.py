"""The first sync of a real shop into an empty company, a fifth of it at a fifth of the limits' window.

A real one has 100,000 customers, as many items and 8,000 orders with 60,000 lines; seven applications are
registered, each of which may make 6,000 requests in five minutes, and every operation of Business Central takes
200 ms. Here all numbers are a fifth of that, the window of the limits too, so that a client may do as much at once,
and then as many a second: five times as long is what the whole takes. The shop answers as fast as it can.
"""

import asyncio
from pathlib import Path
from time import monotonic

from talk_pipeline.flows.sides import Side
from talk_pipeline.sandbox.businesscentral.tokens import registrations
from talk_pipeline_tests.bench import writes
from talk_pipeline_tests.bench.result import Result

PART = 5
EACH, PLACED = 100_000 // PART, 8_000 // PART
LINES = 7.5
APPLICATIONS, LATENCY = 7, 0.2
REQUESTS, WINDOW_SECONDS = 6_000 // PART, 300 // PART
HOUR = 3600.0


def run(folder: Path) -> dict[str, Result]:
    """Customers and products, and then the orders of them, each from an empty company on."""
    settings = {
        **registrations(APPLICATIONS),
        "BUSINESSCENTRAL_REQUESTS": str(REQUESTS),
        "BUSINESSCENTRAL_WINDOW_SECONDS": str(WINDOW_SECONDS),
    }
    with writes.systems(folder, settings) as (shop, bc):
        limits = {"rate": REQUESTS, "window": WINDOW_SECONDS, "operation_latency": LATENCY}
        bc.control("limits", limits)
        writes.fill(shop, EACH)
        took = [_timed(("customer", "product"), 2 * EACH)]
        writes.place(shop, PLACED // 2, lines=int(LINES))
        writes.place(shop, PLACED // 2, lines=int(LINES) + 1, first=PLACED // 2)
        took.append(_timed(("order",), PLACED))
        turned_away = bc.requests()["throttled"]
    whole = PART * sum(took)
    print(f"customers and items {took[0]:.0f} s, orders {took[1]:.0f} s: {whole / 60:.0f} minutes of all")
    return {
        "first_sync": Result(whole / HOUR, 1, "lower", "hours"),
        "first_sync_turned_away": Result(turned_away, 0, "lower", "requests"),
    }


def _timed(flows: tuple[str, ...], records: int) -> float:
    """Seconds that a run of these flows takes; each of so many records is written once."""
    started = monotonic()
    _, requests = asyncio.run(writes.measured(flows))
    assert requests[Side.BC] == records, requests
    return monotonic() - started
