"""Records of Business Central that are to come to the shop and cannot: there they have no record with a state.

Not those that wait for what they refer to: what is of another's order stays where it is, and may be many.
"""

from talk_pipeline.engine.kinds import HoldKind, Status

NOT_CREATED = f"""
select bc_id, reason, cast(null as timestamp) as since, false as refused from bc_status
where flow = $flow and state = '{Status.QUARANTINED}'
union all
select root_bc_id, min(hold_reason),
       (select max(refused_at) from refusal r where r.flow = $flow and r.record_id = c.root_bc_id), true
from change c
where flow = $flow and hold_kind = '{HoldKind.REFUSED}' and root_shop_id is null group by root_bc_id
"""
"""Each with the reason: a value that has no place in the shop, or what the shop said to it (`refused`)."""
