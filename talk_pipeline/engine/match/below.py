"""What is held of pairs, and their children's links: found once for all the steps that look below the same pairs.

Nothing is indexed, so that whoever looks for an id reads all of them. A child is known by the id of its record, and
the link of two children stands below that of the two records they belong to.
"""

from collections.abc import Sequence

from talk_pipeline.engine.match.workspace import DirtyPairs, HeldBelow, LinksBelow
from talk_pipeline.engine.state.connection import Connection
from talk_pipeline.flows.vocabulary import Part

_LINKS = """
select part, shop_id, bc_id, root_shop_id, state, rowid as place
from link where list_contains($children::varchar[], part) and root_shop_id in (select shop_id from dirty_pair)
"""

# an end that is not below its pair is looked for by itself, and there is none: nobody reads anything for it
_HELD = """
with root as materialized (
  select 'customwebshop' as side, shop_id as id from dirty_pair
  union all select 'businesscentral', bc_id from dirty_pair
),
found as materialized (
  select part, side, id, root_id, rowid as place from record
  where list_contains($parts::varchar[], part) and root_id in (select id from root)
),
below as materialized (
  select f.* from found f join root on root.side = f.side and root.id = f.root_id
),
elsewhere as materialized (
  select part, 'customwebshop' as side, shop_id as id from link_below l
  anti join (from below where side = 'customwebshop') b on b.part = l.part and b.id = l.shop_id
  union all
  select part, 'businesscentral', bc_id from link_below l
  anti join (from below where side = 'businesscentral') b on b.part = l.part and b.id = l.bc_id
)
from below
union all
select r.part, r.side, r.id, r.root_id, r.place
from (select part, side, id, root_id, rowid as place from record where id in (select id from elsewhere)) r
join elsewhere e on e.part = r.part and e.side = r.side and e.id = r.id
"""


def find_below(db: Connection, parts: Sequence[Part], pairs: DirtyPairs) -> tuple[LinksBelow, HeldBelow]:
    """The links of the children of some pairs, and what both sides hold of the pairs and of the children.

    Args:
        db: the state.
        parts: of a flow, its own records first.
        pairs: which.
    """
    names = [part.name for part in parts]
    links = LinksBelow.made(db, _LINKS, {"children": names[1:]})
    return links, HeldBelow.made(db, _HELD, {"parts": names})
