"""Reading: every page of every collection, clocks that are wrong, and records that are committed late."""

import asyncio

import pytest

from talk_pipeline.installation import Connections
from talk_pipeline.settings import Settings
from talk_pipeline.systems.customwebshop.spec.description import REFERENCE
from talk_pipeline_tests.pipeline.records import customer, line, order, product
from talk_pipeline_tests.world import World

COUNT = 20


def paged(world: World, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    """Neither system shows more records at once."""
    world.bc.control("limits", {"page_size": size})
    file = world.data.parent / "pages.yaml"
    text = REFERENCE.read_text()
    assert "size: 500" in text
    file.write_text(text.replace("size: 500", f"size: {size}"))
    monkeypatch.setenv("CUSTOMWEBSHOP_CONNECTOR", str(file))


@pytest.mark.optimized
@pytest.mark.slow
def test_one_record_more_than_a_page_and_ten_pages_of_each_collection(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    paged(world, monkeypatch, COUNT // 10)
    for n in range(COUNT):
        buyer = world.shop.post("customers", customer(f"C{n}"))["id"]
        item = world.shop.post("products", product(f"P{n}"))["id"]
        world.shop.post("orders", order(f"O{n}", buyer, [line(item)]))
    run = world.step()
    assert run.success, run.problems
    assert not run.failed()
    for size in (COUNT - 1, COUNT // 10):
        paged(world, monkeypatch, size)
        run = world.step(full=True)
        assert run.success, run.problems
        assert run.writes() == 0
        for flow in ("customer", "product", "order"):
            assert (run[flow]["linked"], run[flow]["broken"]) == (COUNT, 0)
    # what was posted is looked for among invoices, on ten pages too
    for (key,) in world.sql("select bc_id from link where part = 'order'"):
        world.bc.control(f"sales-orders/{key}/ship")
        world.bc.control(f"sales-orders/{key}/invoice")
    run = world.step("order", full=True)
    assert run.success, run.problems
    assert run["order"]["closed"] == COUNT


def test_what_twenty_orders_refer_to_is_looked_up_here_and_not_there(world: World) -> None:
    """Questions to either system do not grow with the number of orders."""
    buyer = world.shop.post("customers", customer())["id"]
    item = world.shop.post("products", product())["id"]
    world.step()

    def reads(orders: int) -> dict[str, int]:
        for n in range(orders):
            world.shop.post("orders", order(f"O{orders}-{n}", buyer, [line(item)]))
        world.forget_requests()
        assert not world.step().failed()
        seen = {**world.bc.requests()["by_path"], **world.shop.requests()["by_path"]}
        # each order that is written to is read once before, for its version
        return {call: n for call, n in seen.items() if call.startswith("GET") and "orders/{id}" not in call}

    assert reads(20) == reads(2)


@pytest.mark.parametrize("offset", [600, -600])
def test_edits_arrive_though_both_clocks_are_ten_minutes_off(world: World, offset: int) -> None:
    world.bc.control("clock", {"offset": offset})
    world.shop.control("clock", {"offset": -offset})
    key = world.shop.post("customers", customer())["id"]
    for _ in range(2):
        assert not world.step("customer").failed()
    bc_id = world.counterpart("customer", key)
    world.shop.patch("customers", key, {"website": "www.shop.example"})
    world.bc.patch("customers", bc_id, {"phoneNumber": "+45 55 55 55 55"})
    run = world.step("customer")
    assert not run.failed()
    assert run["customer"]["conflicts"] == 0
    assert world.bc.get("customers", bc_id)["website"] == "www.shop.example"
    assert world.shop.get("customers", key)["phone"] == "+45 55 55 55 55"
    assert world.step("customer").writes() == 0


def test_what_is_committed_late_or_in_the_watermarks_own_second_is_read(world: World) -> None:
    """Incremental runs miss nothing that the overlap covers; a full comparison finds nothing more."""
    for _ in range(2):
        world.shop.post("customers", customer("FIRST" if _ == 0 else "SECOND"))
        world.step("customer")
    for seconds in (0, 30, 200):
        values = customer(f"L{seconds}")
        late = {"values": values, "modified_seconds_ago": seconds}
        world.shop.control("records/customers", late)
        theirs = {"number": f"B{seconds}", "displayName": "Late", "email": f"b{seconds}@company.example"}
        world.bc.control("records/customers", {"values": theirs, "modified_seconds_ago": seconds})
    run = world.step("customer")
    assert not run.failed()
    assert run["customer"]["linked"] == 5
    assert run["customer"]["snapshot"]["businesscentral"] == 8
    missed = world.step("customer", full=True)
    assert missed.writes() == 0
    assert missed["customer"]["snapshot"] == run["customer"]["snapshot"]


def test_two_runs_share_one_budget_and_no_request_is_turned_away(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither knows of the other; what they may ask together is counted beside the state."""
    rate, window, at_once = 40, 1.0, 5
    monkeypatch.setenv("BUSINESSCENTRAL_REQUESTS", str(rate))
    monkeypatch.setenv("BUSINESSCENTRAL_WINDOW_SECONDS", str(window))
    world.bc.control("limits", {"rate": rate, "window": window, "concurrency": at_once, "queue": 0})

    async def ask(times: int) -> None:
        async with Connections(Settings.load()).businesscentral() as bc:
            await asyncio.gather(*(bc.latest("customer") for _ in range(times)))

    async def both() -> None:
        await asyncio.gather(ask(30), ask(30))

    asyncio.run(ask(1))  # a token of an earlier server at this address would be refused, and each asked twice
    world.forget_requests()
    asyncio.run(both())
    seen = world.bc.requests()
    assert seen["throttled"] == 0
    assert seen["highest_concurrency"] <= at_once
    assert sum(n for call, n in seen["by_path"].items() if call.endswith("/customers")) == 60
