"""Which links a plan looks at: those either end of which is dirty, found once for all of its steps.

Nothing is indexed, so that whoever looks for an id reads all of them; what is found here is not looked for again.
"""

from collections.abc import Sequence

from talk_pipeline.engine.match.below import find_below
from talk_pipeline.engine.match.workspace import DirtyPairs, HeldBelow, LinksBelow
from talk_pipeline.engine.plan.workspace import Concerned, Touched
from talk_pipeline.engine.state.connection import Connection
from talk_pipeline.flows.vocabulary import Flow, Part

# where a list does not show versions, the modified time says which state of the record was seen
_CONCERNED = """
with central as (select id from dirty where flow = $flow and side = 'businesscentral'),
linked as materialized (
  select shop_id, coalesce(bc_id, shared_id) as bc_id, bc_id as own_bc_id, shared_id, rule, state,
         met_at is null and rule <> 'created' as meeting
  from link where rowid in (
    select rowid from link
    where part = $flow and shop_id in (select id from dirty where flow = $flow and side = 'customwebshop')
    union
    select rowid from link where part = $flow and bc_id in (from central)
    union
    select rowid from link where part = $flow and bc_id is null and shared_id in (from central))
),
shop as (
  select id, gone, edited_at, coalesce(version, modified_at::varchar) as version from snapshot
  where flow = $flow and side = 'customwebshop'
),
bc as (
  select id, gone, edited_at, coalesce(version, modified_at::varchar) as version from snapshot
  where flow = $flow and side = 'businesscentral'
)
select l.*, s.id is not null as shop_held, s.gone as shop_gone, s.edited_at as shop_edited_at,
       s.version as shop_version, b.id is not null as bc_held, b.edited_at as bc_edited_at, b.version as bc_version,
       if(b.id is null and l.state = 'active', 'vanished', b.gone) as bc_gone
from linked l left join shop s on s.id = l.shop_id left join bc b on b.id = l.bc_id
"""

# a pair whose story ends in Business Central still has its last word; what the shop edits of it afterwards is seen
_STANDING = """
from concerned where own_bc_id is not null and shop_held and shop_gone is null and bc_held
  and (state = 'active' and (bc_gone is null or bc_gone = 'posted') or state = 'closed' and bc_gone = 'posted')
"""

_TOUCHED = f"""
select p.shop_id as root_shop_id, p.bc_id as root_bc_id, p.state = 'closed' as over, p.meeting,
       p.shop_edited_at, p.bc_edited_at, p.shop_version, p.bc_version
from ({_STANDING}) p
semi join (from held_below where part = $flow and side = 'businesscentral') h on h.id = p.bc_id
"""


def find_concerned(db: Connection, flow: Flow) -> Concerned:
    """The links of the flow's own records, of whatever state, either end of which is dirty."""
    return Concerned.made(db, _CONCERNED, {"flow": flow.name})


def find_touched(
    db: Connection, flow: Flow, parts: Sequence[Part], concerned: Concerned
) -> tuple[Touched, LinksBelow, HeldBelow]:
    """Of them the pairs that have something to tell each other, and what there is of these and below them."""
    pairs = DirtyPairs.made(db, f"select shop_id, bc_id from ({_STANDING})")
    links, held = find_below(db, parts, pairs)
    return Touched.made(db, _TOUCHED, {"flow": flow.name}), links, held
