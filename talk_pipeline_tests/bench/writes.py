"""What a written record costs in a first sync: CPU of the run's process alone, stage by stage.

Both systems are servers in a process of their own. The shop has customers and products, and then orders of three
lines; Business Central has none of them. What reading, matching and planning cost is in the figures, since it is
done for the sake of what is written. What Dagster costs is not: that is the same however much is written.
"""

import asyncio
import uuid
from collections.abc import Awaitable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from time import monotonic, process_time
from urllib.parse import urlsplit

import pytest

from talk_pipeline.engine.match import links
from talk_pipeline.engine.report import runs
from talk_pipeline.flows.sides import Side
from talk_pipeline.installation import Connections
from talk_pipeline.run.fetch import fetch
from talk_pipeline.run.plan import prepare
from talk_pipeline.run.session import Session
from talk_pipeline.run.write import settle, upsert
from talk_pipeline.settings import Settings
from talk_pipeline_tests.bench.result import Result
from talk_pipeline_tests.bench.served import served
from talk_pipeline_tests.pipeline.records import customer, line, order, product
from talk_pipeline_tests.users import Shop

RECORDS, ORDERS = "customers and items", "orders"
FLOWS: Mapping[str, tuple[str, ...]] = {RECORDS: ("customer", "product"), ORDERS: ("order",)}
EACH, PLACED, LINES = 2_000, 300, 3
UNLIMITED = {"BUSINESSCENTRAL_REQUESTS": "1000000"}
"""To wait for what the limits allow takes time and no CPU."""
NUMBERS = {RECORDS: 2 * EACH, ORDERS: PLACED}
ALLOWED = {RECORDS: 1.0, ORDERS: 3.0}  # milliseconds
BC, SHOP = "write to Business Central", "write to the shop"

Spent = dict[str, float]
"""CPU seconds, by stage."""


def run(folder: Path) -> dict[str, Result]:
    """First customers and products, then orders of them."""
    results: dict[str, Result] = {}
    with systems(folder, UNLIMITED) as (shop, bc):
        bc.control("limits", {"rate": 0})
        for what, flows in FLOWS.items():
            if what == RECORDS:
                fill(shop, EACH)
            else:
                place(shop, PLACED, lines=LINES)
            started = monotonic()
            spent, requests = asyncio.run(measured(flows))
            _print(what, spent, requests, seconds=monotonic() - started)
            assert requests[Side.BC] == NUMBERS[what], requests
            per, key = 1000 / NUMBERS[what], what.replace(" ", "_")
            for name, cost in (
                (f"written_{key}", sum(spent.values())),
                (f"sent_{key}", spent[BC] + spent[SHOP]),
            ):
                results[name] = Result(cost * per, ALLOWED[what], "lower", "ms of CPU a record")
    return results


@contextmanager
def systems(folder: Path, settings: Mapping[str, str]) -> Iterator[tuple[Shop, Shop]]:
    """Both systems in a process of their own, for use by hand; ours are these settings, and their addresses."""
    with ExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        environment = stack.enter_context(served())
        for name in Settings.model_fields:
            patch.delenv(name.upper(), raising=False)
        for name, value in {**environment, "TALK_DATA_DIR": str(folder / "data"), **settings}.items():
            patch.setenv(name, value)
        where = urlsplit(environment["BUSINESSCENTRAL_URL"])
        roots = environment["CUSTOMWEBSHOP_URL"], f"{where.scheme}://{where.netloc}"
        shop, bc = (Shop(root, {}, root) for root in roots)
        stack.callback(shop.close)
        stack.callback(bc.close)
        yield shop, bc


def fill(shop: Shop, number: int) -> None:
    """So many customers, and as many products."""
    for at in range(number):
        phone = f"+45 {20 + at % 80} {at // 80 % 100:02} {34 + at // 8_000} 56"
        shop.post("customers", customer(f"C{at}", phone=phone))
        shop.post("products", product(f"P{at}"))


def place(shop: Shop, number: int, *, lines: int, first: int = 0) -> None:
    """So many orders of these customers, of so many lines each, numbered from the first on."""
    buyers, bought = list(shop.all("customers")), list(shop.all("products"))
    for at in range(first, first + number):
        ordered = [line(bought[(at * lines + nth) % len(bought)]) for nth in range(lines)]
        shop.post("orders", order(f"WEB-{at}", buyers[at % len(buyers)], ordered))


async def measured(flows: Sequence[str]) -> tuple[Spent, dict[Side, int]]:
    """A run of these flows: what it cost, and how many requests were carried out by each side."""
    connections, run_id, spent = Connections(Settings.load()), uuid.uuid4().hex, Spent()
    async with connections.session(run_id, flows_in_run=tuple(flows)) as session:
        with session.state.open() as db:
            runs.begin(db, tuple(flows), run_id=run_id, full=False)
        for name in flows:
            for stage, work in _stages(session, name):
                began = process_time()
                await work
                spent[stage] = spent.get(stage, 0.0) + process_time() - began
        with session.state.open() as db:
            done = db.execute(
                "select target, count(*) from journal where run_id = ? and outcome = 'done' group by 1",
                [run_id],
            ).fetchall()
    return spent, {side: dict(done).get(str(side), 0) for side in Side}


def _stages(session: Session, name: str) -> Iterator[tuple[str, Awaitable[object]]]:
    """What the assets of a flow do, in their order."""
    flow = session.flows[name]

    async def planned() -> None:
        with session.state.open() as db:
            links.match(db, flow)
        await prepare(session, flow)

    for side in Side:
        yield "read", fetch(session, flow, side)
    yield "match and plan", planned()
    yield BC, upsert(session, flow, Side.BC)
    yield SHOP, upsert(session, flow, Side.SHOP)
    yield "settle", settle(session, flow)


def _print(what: str, spent: Spent, requests: Mapping[Side, int], *, seconds: float) -> None:
    made = ", ".join(f"{count} requests to {side}" for side, count in requests.items())
    print(f"{NUMBERS[what]} {what} in {seconds:.0f} s, {made}: milliseconds of CPU a record")
    for stage, cost in (*spent.items(), ("all", sum(spent.values()))):
        print(f"  {stage:40}{1000 * cost / NUMBERS[what]:>10.2f}", flush=True)
