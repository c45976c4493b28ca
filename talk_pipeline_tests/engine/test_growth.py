"""What matching and planning cost follows the number of records, not its square: the joins are ones that hash.

CPU time of this process, of books ten times as large as others; the bound is loose, since a square is ten times
over linear. Seconds at real sizes are `bench`'s business.
"""

from collections.abc import Callable
from pathlib import Path
from time import process_time
from zoneinfo import ZoneInfo

import pytest

from talk_pipeline.engine.match import links
from talk_pipeline.engine.model import Intended, Intent, Outcome, Result
from talk_pipeline.engine.plan import compare, refusals
from talk_pipeline.engine.snapshot.columns import Company
from talk_pipeline.engine.state.connection import Connection
from talk_pipeline.engine.state.database import State
from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.vocabulary import Flow
from talk_pipeline_tests.flow_files import flows_in

pytestmark = pytest.mark.optimized

SMALL, LARGE = 3_000, 30_000
LINEAR = LARGE / SMALL
FLOOR = 0.1  # what every stage costs
FLOWS = flows_in()
COMPANY = Company("DKK", ZoneInfo("UTC"))

# pairs that say the same, half of them not linked to each other but matching; orders with a line each
_PAIRS = """
create temp table pair as select i, 'c-' || i as shop_id, 'b-' || i as bc_id from range({size}) r(i);
insert into snapshot by name
  select '{flow}' as flow, 'customwebshop' as side, shop_id as id, '{{}}' as payload from pair
  union all select '{flow}', 'businesscentral', bc_id, '{{}}' from pair;
insert into record by name
  select '{flow}' as part, side, id, id as root_id, 0 as position, id as row_hash, true as open,
         map {{'number': substr(id, 3)}} as raw, raw as canon, map {{}}::map(varchar, varchar) as problems
  from snapshot;
insert into link (part, shop_id, bc_id, root_shop_id, rule, state, linked_at)
  select '{flow}', shop_id, bc_id, shop_id, 'number', 'active', now()::timestamp from pair where i % 2 = 0;
"""
_LINES = """
insert into record by name
  select 'order.lines' as part, side, id || '/1' as id, id as root_id, 0 as position, id as row_hash, true as open,
         map {'product_id': 'p'} as raw, raw as canon, map {}::map(varchar, varchar) as problems
  from record where part = 'order';
insert into link (part, shop_id, bc_id, root_shop_id, rule, state, linked_at)
  select 'order.lines', shop_id || '/1', bc_id || '/1', shop_id, 'product_id', 'active', now()::timestamp
  from link where part = 'order';
"""
_MARKED = """
insert into dirty select flow, side, id, now()::timestamp from snapshot where right(id, 2) in ('00', '01')
"""


def _books(db: Connection, flow: str, size: int) -> None:
    db.execute(_PAIRS.format(flow=flow, size=size))
    if flow == "order":
        db.execute(_LINES)
    db.execute(_MARKED)


def _match(db: Connection, flow: str) -> None:
    links.match(db, FLOWS[flow])


def _plan(db: Connection, flow: str) -> None:
    compare.plan(db, FLOWS, FLOWS[flow], company=COMPANY)


@pytest.mark.slow
@pytest.mark.parametrize("stage", [_match, _plan])
@pytest.mark.parametrize("flow", ["customer", "order"])
def test_a_touched_hundredth_costs_no_more_than_linear(
    tmp_path: Path, flow: str, stage: Callable[[Connection, str], None]
) -> None:
    seconds: dict[int, float] = {}
    for size in (SMALL, LARGE):
        with State(tmp_path / str(size)).open() as db:
            _books(db, flow, size)
            started = process_time()
            stage(db, flow)
            seconds[size] = process_time() - started
    assert seconds[LARGE] < 2 * LINEAR * max(seconds[SMALL], FLOOR), seconds


def _refuse(db: Connection, flow: Flow, ids: list[str]) -> float:
    """CPU seconds of a batch of refusals, and of looking whether they still stand."""
    mains = [Intended(flow.name, "update", shop_id, shop_id.replace("c-", "b-"), {}) for shop_id in ids]
    intents = [Intent(flow.name, Side.BC, main.shop_id, main.bc_id, main) for main in mains]
    started = process_time()
    refusals.refuse(db, flow, [(intent, Outcome(Result.REFUSED, reason="no")) for intent in intents])
    standing = refusals.refusals_in_force(db, flow, ids)
    refusals.keep_in_force(db, flow, standing)
    assert sorted(standing) == sorted(ids)
    return process_time() - started


@pytest.mark.parametrize("flow", ["customer", "order"])
def test_refusals_cost_what_a_batch_costs_and_not_what_the_books_hold(tmp_path: Path, flow: str) -> None:
    seconds: dict[int, tuple[float, float]] = {}
    for size in (SMALL, LARGE):
        with State(tmp_path / str(size)).open() as db:
            _books(db, flow, size)
            many = [f"c-{at}" for at in range(2, 202, 2)]
            seconds[size] = _refuse(db, FLOWS[flow], ["c-0"]), _refuse(db, FLOWS[flow], many)
    one, many_small = seconds[SMALL]
    assert many_small < 5 * max(one, FLOOR), seconds
    assert seconds[LARGE][1] < 4 * max(many_small, FLOOR), seconds
