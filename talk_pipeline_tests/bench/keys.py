"""What a first match on two ordered keys costs, some of them ambiguous, beside two floors.

One is a hash join of bare key hashes, which are there already and whose result nobody keeps. The other has a result
as well: it reads both keys of the records, joins the hashes of the first, and writes what meets as links, seven
tenths of the books, of which a match links nine. What is written counts until it is in the file.

Customers made by SQL, as many on each side, no server and no Dagster: seven tenths share a number, two tenths an
e-mail address alone, in a hundredth two of the shop have the address of one, and the others have nobody. Each
round begins with copies of the unlinked books. CPU seconds, the median of the rounds, in turn.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from time import process_time

from talk_pipeline.engine.match import links
from talk_pipeline.engine.snapshot.dirty import mark_dirty
from talk_pipeline.engine.state.connection import Connection, transaction
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
_WRITTEN = """
create or replace temp table read as
select side, id, canon['number'] as number, hash(canon['number']) as key, hash(canon['email']) as next from record;
insert into link (part, shop_id, bc_id, root_shop_id, rule, state, linked_at)
select '{flow}', s.id, b.id, s.id, 'number', 'active', now()::timestamp
from (from read where side = '{shop}' and number is not null) s join (from read where side = '{bc}') b using (key)
"""
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
    written: list[float] = []
    for at in range(ROUNDS):
        with _copied(books, folder / f"{at} joined") as db:
            joined.append(_join(db))
            written.append(_write(db, size))
        with _copied(books, folder / f"{at} matched") as db:
            matched.append(_match(db, size))
    cost, floor, having = median(matched), median(joined), median(written)
    print(f"  match of {size:,} a side: {cost:.3f} s, {cost / size * 1e6:.1f} us a pair")
    print(f"  join {floor:.4f} s; keys read, joined, and what meets written {having:.3f} s")
    return {
        "keys_match": Result(cost / floor, TARGET, "lower", "x join of the key hashes"),
        "keys_match_written": Result(cost / having, TARGET, "lower", "x keys read, joined and written"),
        "keys_match_microseconds": Result(cost / size * 1e6, 12, "lower", "us of CPU a pair"),
    }


@contextmanager
def _copied(books: Path, folder: Path) -> Iterator[Connection]:
    shutil.copytree(books, folder)
    with State(folder).once() as db:
        yield db
    shutil.rmtree(folder)


def _join(db: Connection) -> float:
    db.execute(_KEYS)
    started = process_time()
    db.execute(_JOIN, {"shop": Side.SHOP, "bc": Side.BC}).fetchall()
    return process_time() - started


def _write(db: Connection, size: int) -> float:
    started = process_time()
    with transaction(db):
        db.execute(_WRITTEN.format(flow=FLOW, shop=Side.SHOP, bc=Side.BC))
    db.execute("checkpoint")
    cost = process_time() - started
    assert db.execute("select count(*) from link").fetchone() == (size * 7 // 10,)
    return cost


def _match(db: Connection, size: int) -> float:
    flow = flows_in()[FLOW]
    started = process_time()
    found = links.match(db, flow)
    db.execute("checkpoint")
    cost = process_time() - started
    assert found == links.Matched(linked=size * 89 // 100, ambiguous=size * 2 // 100), found
    return cost
