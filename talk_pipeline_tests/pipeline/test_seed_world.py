"""The seed records: after one run everything valid has its counterpart, and everything else its reason."""

from collections.abc import Iterator
from typing import Any

import dagster as dg
import pytest

from talk_pipeline_tests.outcome import Run
from talk_pipeline_tests.variants import MORE
from talk_pipeline_tests.world import World, opened_world

Row = dict[str, Any]
SIZES = [None, pytest.param(60, marks=MORE)]


class Synchronized:
    """A world after its first run."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.persons = {k: r for k, r in world.bc.all("customers").items() if r["type"] == "Person"}
        self.bc_only = world.bc.orders()
        self.first: Run = world.sync()
        self.links = {
            flow: dict(world.sql("select shop_id, bc_id from link where part = ? and state = 'active'", flow))
            for flow in ("customer", "product", "order")
        }
        self.status = {
            flow: dict(world.sql("select shop_id, state from status where flow = ?", flow))
            for flow in ("customer", "product", "order")
        }


pytestmark = [pytest.mark.optimized, pytest.mark.xdist_group("seeded")]  # one synchronization for all


@pytest.fixture(scope="module", params=SIZES, ids=["seed", "generated"])
def synchronized(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    instance: dg.DagsterInstance,
) -> Iterator[Synchronized]:
    folder = tmp_path_factory.mktemp("seed")
    profile = str(request.config.getoption("--shop-profile"))
    with opened_world(folder, empty=False, size=request.param, instance=instance, profile=profile) as world:
        yield Synchronized(world)


def test_no_check_of_severity_error_fails(synchronized: Synchronized) -> None:
    assert synchronized.first.success
    assert not synchronized.first.failed()


@pytest.mark.parametrize(
    ("flow", "resource", "entity", "shop_key", "bc_key"),
    [
        ("customer", "customers", "customers", "number", "number"),
        ("product", "products", "items", "sku", "number"),
        ("order", "orders", "salesOrders", "number", "externalDocumentNumber"),
    ],
)
def test_every_record_has_one_counterpart_or_a_reason(
    synchronized: Synchronized, flow: str, resource: str, entity: str, *, shop_key: str, bc_key: str
) -> None:
    shop = synchronized.world.shop.all(resource)
    bc = synchronized.world.bc.all(entity)
    links, status = synchronized.links[flow], synchronized.status[flow]
    for key in shop:
        assert (key in links) or (key in status), f"{flow} {key} has neither link nor reason"
    assert len(set(links.values())) == len(links)
    created = synchronized.world.sql(
        "select shop_id, bc_id from link where part = ? and rule = 'created'", flow
    )
    assert created, "the records are to hold some that only the shop knows"
    for shop_id, bc_id in created:
        assert shop[shop_id][shop_key].upper() == bc[bc_id][bc_key]
        same = [row for row in bc.values() if row[bc_key] == bc[bc_id][bc_key]]
        assert len(same) == 1, f"{flow} {shop_id} was created {len(same)} times"
    numbers = synchronized.first[flow]
    states = (
        "linked",
        "waiting",
        "ambiguous",
        "quarantined",
        "held",
        "attached",
        "excluded",
        "closed",
        "broken",
    )
    assert sum(numbers[state] for state in states) == numbers["snapshot"]["customwebshop"] == len(shop)


def test_every_order_that_is_to_be_created_is_there_with_its_lines(synchronized: Synchronized) -> None:
    bc = synchronized.world.bc.orders()
    for key, row in synchronized.world.shop.all("orders").items():
        if row["status"] not in ("open", "processing") or row["deleted_at"]:
            continue
        state = synchronized.status["order"].get(key)
        if state is not None:
            assert state in ("waiting", "quarantined", "ambiguous", "closed")
            continue
        held = bc[synchronized.links["order"][key]]
        items = [line for line in held["salesOrderLines"] if line["lineType"] == "Item"]
        assert sorted(synchronized.links["product"][line["product_id"]] for line in row["lines"]) == sorted(
            line["itemId"] for line in items
        )
        assert row["erp_number"] == held["number"]


def test_history_stays_in_the_shop(synchronized: Synchronized) -> None:
    shop = synchronized.world.shop.all("orders")
    created = synchronized.world.sql("select shop_id from link where part = 'order' and rule = 'created'")
    assert {shop[key]["status"] for (key,) in created} <= {"open", "processing", "shipped"}
    assert "excluded" in synchronized.status["order"].values()


def test_persons_are_byte_for_byte_what_they_were(synchronized: Synchronized) -> None:
    assert synchronized.persons, "the records are to hold some private persons"
    now = synchronized.world.bc.all("customers")
    for key, row in synchronized.persons.items():
        assert now[key] == row


def test_orders_only_business_central_knows_are_left_alone(synchronized: Synchronized) -> None:
    linked = set(synchronized.links["order"].values())
    now = synchronized.world.bc.orders()
    others = {key: row for key, row in synchronized.bc_only.items() if key not in linked}
    assert others
    for key, row in others.items():
        assert now[key] == row


def test_ambiguous_and_invalid_records_are_listed_with_reasons(synchronized: Synchronized) -> None:
    for flow in ("customer", "product"):
        for check in ("no_ambiguous_matches", "no_quarantined_records"):
            finding = synchronized.first.finding(flow, check)
            assert finding.verdict == "warned"
            assert all(row["reason"] for row in finding.rows)


@pytest.mark.slow
def test_a_second_run_writes_nothing_and_keeps_the_links(synchronized: Synchronized) -> None:
    world = synchronized.world
    links = world.sql("select part, shop_id, bc_id from link order by all")
    world.forget_requests()
    run = world.sync()
    assert run.writes() == 0
    assert world.writes() == {"customwebshop": 0, "businesscentral": 0}
    run = world.sync(full=True)
    assert world.writes()["customwebshop"] == 0
    # what Business Central refused because of another record is asked again, once in each full scan
    asked = {flow: run[flow]["failed"] for flow in ("customer", "product", "order")}
    assert {flow: run[flow]["changes"] for flow in asked} == asked
    assert sum(asked.values()) <= 1
    assert world.sql("select part, shop_id, bc_id from link order by all") == links
    assert not run.failed()
