"""What a first match on two ordered keys costs, some of them ambiguous, beside one hash join of bare key hashes.

Customers made by SQL, as many on each side, no server and no Dagster: seven tenths share a number, two tenths an
e-mail address alone, in a hundredth two of the shop have the address of one, and the others have nobody. Each
round begins with a copy of the unlinked books. CPU seconds, the median of the rounds, in turn.
"""

import shutil
from pathlib import Path
from statistics import median
from time import process_time

from talk_pipeline.engine.match import links
from talk_pipeline.engine.snapshot.dirty import mark_dirty
from talk_pipeline.engine.state.connection import Connection
from talk_pipeline.engine.state.database import State
from talk_pipeline.flows.sides import Side
from talk_pipeline_tests.bench.result import Result
from talk_pipeline_tests.flow_files import flows_in

SIZE = 100_000
ROUNDS = 5
TARGET = 1.3
FLOW = "customer"

_BOOKS = """
insert into record by name
with one as (select unnest([{sides}]) as side, i from range({size}) r(i))
select '{flow}' as part, side, if(side = 'customwebshop', 'c-' || i, hex(hash(i))) as id, id as root_id,
  0 as position, md5(id) as row_hash, true as open,
  map {{'number': case when i % 10 < 7 then 'N-' || i when side = 'customwebshop' then 'W-' || i end,
       'email': case when i % 100 = 99 and side = 'customwebshop' then 'info-' || i - 1 || '@shop.example'
                     when i % 10 < 9 then 'info-' || i || '@shop.example' end,
       'company_name': 'Company ' || i, 'type': 'Company'}} as raw,
  raw as canon, map {{}}::map(varchar, varchar) as problems
from one;
insert into snapshot by name select part as flow, side, id, '{{}}' as payload from record;
"""
_KEYS = "create or replace temp table key as select side, hash(canon['number']) as key from record"
_JOIN = "select count(*) from key s join key b on b.key = s.key where s.side = $shop and b.side = $bc"


def run(folder: Path, size: int = SIZE) -> dict[str, Result]:
    """Makes the books, and matches a copy of them round by round."""
    books = folder / "books"
    with State(books).once() as db:
        db.execute(_BOOKS.format(flow=FLOW, size=size, sides=", ".join(f"'{side}'" for side in Side)))
        mark_dirty(db, FLOW, Side.SHOP, ids=["c-0"])
        db.execute("checkpoint")
    matched: list[float] = []
    joined: list[float] = []
    for at in range(ROUNDS):
        copy = folder / str(at)
        shutil.copytree(books, copy)
        with State(copy).once() as db:
            joined.append(_join(db))
            matched.append(_match(db, size))
        shutil.rmtree(copy)
    cost, floor = median(matched), median(joined)
    print(f"  match of {size:,} a side: {cost:.3f} s, {cost / size * 1e6:.1f} us a pair; join {floor:.4f} s")
    return {
        "keys_match": Result(cost / floor, TARGET, "lower", "x join of the key hashes"),
        "keys_match_microseconds": Result(cost / size * 1e6, 12, "lower", "us of CPU a pair"),
    }


def _join(db: Connection) -> float:
    db.execute(_KEYS)
    started = process_time()
    db.execute(_JOIN, {"shop": Side.SHOP, "bc": Side.BC}).fetchall()
    return process_time() - started


def _match(db: Connection, size: int) -> float:
    flow = flows_in()[FLOW]
    started = process_time()
    found = links.match(db, flow)
    cost = process_time() - started
    assert found == links.Matched(linked=size * 89 // 100, ambiguous=size * 2 // 100), found
    return cost
