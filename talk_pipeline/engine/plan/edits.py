"""When each side was first seen to say something else than when both last agreed, and in which version.

What `last_writer` goes by, and what a conflict is recorded with. Whatever happens to the record afterwards does not
make the edit a later one; an edit that was taken back is none, nor is another spelling of the same value.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from talk_pipeline.engine.plan.merge import Pair, changed
from talk_pipeline.engine.plan.workspace import Pairs
from talk_pipeline.engine.snapshot.columns import Company
from talk_pipeline.engine.state.connection import Connection
from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.vocabulary import Part

Place = tuple[str, str]
"""Shop id, property."""
Seen = tuple[str, str, Side, datetime | None, str | None]
"""Shop id, property, side, time and version of the side's record."""

_FIRST = """
insert into edit (part, shop_id, property, side, edited_at, version)
select $part, s.shop_id, s.property, s.side, s.edited_at, s.version from (select unnest($ids::varchar[]) as shop_id,
    unnest($properties::varchar[]) as property, unnest($sides::varchar[]) as side,
    unnest($times::timestamp[]) as edited_at, unnest($versions::varchar[]) as version) s
where not exists (from edit g where g.part = $part and g.shop_id = s.shop_id
                  and g.property = s.property and g.side = s.side)
"""

# a side that holds what it held is silent, whatever it said in between
_TAKEN_BACK = """
delete from edit where rowid in (
  select g.rowid from edit g join pair p on p.shop_id = g.shop_id and p.property = g.property
  where g.part = $part and p.has_base
    and if(g.side = 'customwebshop', p.shop_raw is not distinct from p.shop_base,
           p.bc_raw is not distinct from p.bc_base))
"""

# what requests made Business Central work out anew, and nobody has told it again since
_WORKED_OUT = """
select p.shop_id, p.property, bool_or(j.run_id is not distinct from $run_id) from pair p
join recalculation r on r.part = $part and r.shop_id = p.shop_id and r.property = p.property
join journal j on j.intent_id = r.intent_id and (p.agreed_at is null or j.outcome_at > p.agreed_at)
where p.resend = 'businesscentral' and p.bc_raw is distinct from p.bc_base
group by all
"""

_AS_WORKED_OUT = """
update base set bc_value = p.bc_raw
from pair p join (select unnest($ids::varchar[]) as shop_id, unnest($properties::varchar[]) as property) o
  on o.shop_id = p.shop_id and o.property = p.property
where base.part = $part and base.shop_id = p.shop_id and base.property = p.property
"""


def newly_seen(row: Mapping[str, Any], pair: Pair, *, company: Company) -> Iterator[Seen]:
    """What the sides say that is new; where two records meet for the first time, both say all that they hold."""
    for side in Side:
        if changed(pair, side, company=company):
            edited_at, version = row[f"{side.short}_edited_at"], row[f"{side.short}_version"]
            yield row["shop_id"], pair.prop.name, side, edited_at, version


def respelled(row: Mapping[str, Any], pair: Pair, *, company: Company) -> Iterator[tuple[str, str, Side]]:
    """The sides that were seen to say something else, and say in another spelling what both last agreed on."""
    for side in Side:
        if pair.has_base and row[f"{side.short}_sighted"] and not changed(pair, side, company=company):
            yield row["shop_id"], pair.prop.name, side


def sight(db: Connection, part: Part, seen: Sequence[Seen]) -> None:
    """Notes what is seen for the first time."""
    if not seen:
        return
    ids, properties, sides, times, versions = (list(column) for column in zip(*seen, strict=True))
    db.execute(
        _FIRST,
        {
            "part": part.name,
            "ids": ids,
            "properties": properties,
            "sides": [str(side) for side in sides],
            "times": times,
            "versions": versions,
        },
    )


def forget_taken_back(db: Connection, part: Part, pairs: Pairs) -> None:
    """Forgets edits of the pairs at hand that were taken back before they travelled."""
    db.execute(_TAKEN_BACK, {"part": part.name})


def forget(db: Connection, part: Part, places: Sequence[tuple[str, str, Side]]) -> None:
    """Forgets edits, by shop id, property and side."""
    if places:
        ids, properties, sides = (list(column) for column in zip(*places, strict=True))
        db.execute(
            "delete from edit where part = ? and (shop_id, property, side) in"
            " (select (unnest(?::varchar[]), unnest(?::varchar[]), unnest(?::varchar[])))",
            [part.name, ids, properties, [str(side) for side in sides]],
        )


def worked_out(
    db: Connection, part: Part, pairs: Pairs, *, differing: Sequence[Mapping[str, Any]], run_id: str | None
) -> dict[Place, bool]:
    """What Business Central worked out anew, with whether it was in this run: (shop id, property) -> that.

    In the same run what it holds is what it worked out. Later it may as well be what a user said since.
    """
    if not any(row["resend"] for row in differing):
        return {}
    found = db.execute(_WORKED_OUT, {"part": part.name, "run_id": run_id}).fetchall()
    return {(shop_id, name): here for shop_id, name, here in found}


def start_from(db: Connection, part: Part, pairs: Pairs, places: Sequence[Place]) -> None:
    """What Business Central worked out is where an edit of it starts from, until it is told again."""
    if places:
        ids, properties = (list(column) for column in zip(*places, strict=True))
        db.execute(_AS_WORKED_OUT, {"part": part.name, "ids": ids, "properties": properties})
