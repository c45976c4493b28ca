"""Which of many pairs hold something else than what they held when they agreed: of the others nothing follows.

Where all pairs of large books are looked at again, nearly all are as they were. To lay out beside what was agreed
what each of them says of each property needs some twenty kilobytes a pair, on disk where they do not fit into the
memory. A sum of hashes on each side needs a few numbers. That two sums are equal although the values are not is
as likely as that a number drawn of 2^64 is guessed at once, and then an edit waits until its record is read anew.
"""

from collections.abc import Sequence

from talk_pipeline.engine.match.workspace import HeldBelow
from talk_pipeline.engine.plan.workspace import Unsettled
from talk_pipeline.engine.state.connection import Connection
from talk_pipeline.engine.state.rows import is_any
from talk_pipeline.flows.vocabulary import Part

# the property stands on both sides of its value: two properties that change places would else come to the same sum
# far too often. A difference is no key: records that say the same would each be joined with all the others
_UNSETTLED = """
with linked as materialized ({linked}),
told as (
  select side, id, list_sum(list_transform($properties::varchar[], lambda p: hash(p, raw[p], p))) as said
  from record where rowid in (select place from held_below where part = $part) and cardinality(problems) = 0
),
agreed as (
  select shop_id, sum(hash(property, shop_value, property)) as shop_said,
         sum(hash(property, bc_value, property)) as bc_said
  from base
  where part = $part and shop_id in (select shop_id from linked) and list_contains($properties::varchar[], property)
  group by shop_id
  having bool_and(resend is null and agreed_at is not null and mismatches = 0)
)
select *, row_number() over () as place from linked anti join (
  select l.shop_id from linked l
  join agreed a on a.shop_id = l.shop_id
  join (from told where side = 'customwebshop') s on s.id = l.shop_id
  join (from told where side = 'businesscentral') b on b.id = l.bc_id
  where s.said - a.shop_said = 0 and b.said - a.bc_said = 0
    and l.shop_id not in (select shop_id from edit where part = $part)
) settled using (shop_id)
"""

OF_A_PIECE = "select * exclude (place) from unsettled where place > $after and place <= $upto"
"""Some of those found, by their place: as a row of what is compared."""


def any_agreed(db: Connection, part: Part) -> bool:
    """Whether any two records of the part ever agreed on anything."""
    return is_any(db, "from base where part = $part", {"part": part.name})


def find_unsettled(
    db: Connection, part: Part, *, linked: str, properties: Sequence[str], held: HeldBelow
) -> Unsettled:
    """The pairs of which something may follow.

    Args:
        db: the state.
        part: whose pairs they are.
        linked: the query that finds them all.
        properties: that are compared.
        held: what there is of them.
    """
    told = {"part": part.name, "properties": list(properties)}
    return Unsettled.made(db, _UNSETTLED.format(linked=linked), told)
