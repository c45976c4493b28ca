"""Permanent refusals, bound to the version of the data that was refused.

What was refused is not asked again until the data, a record it refers to or the flow's definition changes; our own
writes of the same record are no such change.
"""

from collections.abc import Sequence

from talk_pipeline.engine.kinds import HoldKind, RefusalKind
from talk_pipeline.engine.model import Intended, Intent, Kept
from talk_pipeline.engine.plan.workspace import Fingerprinted
from talk_pipeline.engine.state.connection import Connection, now
from talk_pipeline.engine.state.rows import insert
from talk_pipeline.engine.state.tables import RefusalRow
from talk_pipeline.flows.properties import Side
from talk_pipeline.flows.vocabulary import Flow

FROM_BC = "businesscentral/"
"""Before the id of a record that is not in the shop yet, where a refusal names the record it belongs to."""

# what a refusal depends on: the mapped values of both sides, the referenced records, the flow's definition
_FINGERPRINT = f"""
select r.id as root_shop_id, md5(concat_ws('|', $definition,
         list_filter(map_entries(r.raw), lambda e: list_contains($two_way::varchar[], e.key))::varchar,
         list_filter(map_entries(b.raw), lambda e: list_contains($two_way::varchar[], e.key))::varchar,
         (select string_agg(c.raw::varchar, '|' order by c.id) from record c
          where c.root_id = r.id and c.side = r.side and c.part <> r.part and starts_with(c.part, r.part || '.')),
         (select string_agg(c.raw::varchar, '|' order by c.id) from record c
          where c.root_id = b.id and c.side = b.side and c.part <> b.part and starts_with(c.part, b.part || '.')),
         (select string_agg(t.row_hash, '|' order by t.part, t.id) from record c
          join (select unnest($ref_parts::varchar[]) as part, unnest($ref_properties::varchar[]) as property,
                       unnest($ref_flows::varchar[]) as flow) p on p.part = c.part
          join link k on k.part = p.flow and k.shop_id = c.raw[p.property]
          join record t on t.part = k.part and t.side = 'businesscentral' and t.id = k.bc_id
          where c.root_id = r.id and c.side = r.side)
       )) as fingerprint
from record r
left join link l on l.part = r.part and l.shop_id = r.id and l.state = 'active'
left join record b on b.part = r.part and b.side = 'businesscentral' and b.id = l.bc_id
where r.part = $flow and r.side = 'customwebshop'
union all
select '{FROM_BC}' || r.id, md5(concat_ws('|', $definition, r.row_hash))
from record r where r.part = $flow and r.side = 'businesscentral'
"""


def _parameters(flow: Flow) -> dict[str, object]:
    """The parameters of _FINGERPRINT for a flow."""
    references = [(part.name, prop.name, prop.refers_to) for part in flow.parts for prop in part.references]
    return {
        "flow": flow.name,
        "definition": flow.fingerprint,
        "two_way": [prop.name for prop in flow.properties if prop.dir in ("<->", "->")],
        "ref_parts": [part for part, _, _ in references],
        "ref_properties": [name for _, name, _ in references],
        "ref_flows": [refers_to for _, _, refers_to in references],
    }


def forget_outdated(db: Connection, flow: Flow) -> None:
    """Forgets what was refused for a version of the data that is no more: anything newer is asked again."""
    if db.execute("select 1 from refusal where flow = ? limit 1", [flow.name]).fetchone() is None:
        return
    refused = "where root_shop_id in (select root_shop_id from refusal where flow = $flow)"
    now_is = Fingerprinted.made(db, f"select * from ({_FINGERPRINT}) {refused}", _parameters(flow))
    db.execute(
        "delete from refusal where flow = ? and fingerprint not in"
        f" (select fingerprint from {now_is.NAME} f where f.root_shop_id = refusal.root_shop_id)",
        [flow.name],
    )


def withhold_refused(db: Connection, flow: Flow) -> None:
    """What was refused for this very version of the data is not asked again."""
    db.execute(
        f"""
        update change set hold_kind = '{HoldKind.REFUSED}', hold_reason = r.reason
        from refusal r
        where change.flow = $flow and r.flow = $flow and change.hold_kind is null
          and r.part = change.part and r.target = change.target
          and r.record_id = coalesce(change.shop_id, change.bc_id)
          and list_contains(r.properties, change.property)
        """,
        {"flow": flow.name},
    )


def refusals_in_force(db: Connection, flow: Flow, roots: Sequence[str | None]) -> list[str]:
    """Shop ids of the records with refusals that still stand, before answers to our own writes land."""
    if db.execute("select 1 from refusal where flow = ? limit 1", [flow.name]).fetchone() is None:
        return []
    rows = db.execute(
        f"select distinct r.root_shop_id from refusal r join ({_FINGERPRINT}) f using (root_shop_id, fingerprint)"
        " where r.flow = $flow and r.root_shop_id in (select unnest($roots::varchar[]))",
        _parameters(flow) | {"roots": [root for root in roots if root]},
    ).fetchall()
    return [row[0] for row in rows]


def keep_in_force(db: Connection, flow: Flow, roots: Sequence[str]) -> None:
    """Binds the refusals of these records to the data as our own writes left it."""
    if roots:
        db.execute(
            f"update refusal set fingerprint = f.fingerprint from ({_FINGERPRINT}) f"
            " where refusal.flow = $flow and refusal.root_shop_id = f.root_shop_id"
            " and refusal.root_shop_id in (select unnest($roots::varchar[]))",
            _parameters(flow) | {"roots": list(roots)},
        )


def hold_back(db: Connection, flow: Flow, *, shop_id: str, reason: str) -> None:
    """Refuses the create of a shop record ourselves, as long as its data stay as they are."""
    main = Intended(flow.name, "create", shop_id, None, {})
    refuse(db, flow, Intent(flow.name, Side.BC, shop_id, None, main), reason=reason)


def ask_again(db: Connection, flow: Flow, side: Side) -> None:
    """Forgets what a side refused because of some other record, which may have come to be right meanwhile."""
    db.execute("delete from refusal where flow = ? and target = ? and about_another", [flow.name, str(side)])


def refuse(
    db: Connection,
    flow: Flow,
    intent: Intent,
    *,
    reason: str,
    about_another: bool = False,
    kind: RefusalKind = RefusalKind.REFUSED,
) -> None:
    """Binds a permanent refusal to what was refused, for this version of the data."""
    root = intent.root_shop_id or f"{FROM_BC}{intent.root_bc_id}"
    fingerprint = db.execute(
        f"select fingerprint from ({_FINGERPRINT}) where root_shop_id = $root",
        _parameters(flow) | {"root": root},
    ).fetchone()
    rows = [
        RefusalRow(
            flow=intent.flow,
            part=one.part,
            target=intent.target,
            root_shop_id=root,
            record_id=one.shop_id or one.bc_id or "",
            properties=[
                prop.name
                for prop in flow.part(one.part).properties
                if one.operation != "update" or prop.name in one.sent
            ],
            fingerprint=fingerprint[0] if fingerprint else "",
            reason=reason,
            refused_at=now(),
            about_another=about_another,
            refusal_kind=kind,
        )
        for one in (intent.main, *intent.children)
    ]
    insert(db, rows)


# the rows of refuse() for values; what they belong to is known by now, and so is the data they were refused in
_VALUES = f"""
insert into refusal (flow, part, target, root_shop_id, record_id, properties, fingerprint, reason, refused_at,
  about_another, refusal_kind)
select $flow, k.part, k.target, l.root_shop_id, k.shop_id, [k.property], coalesce(f.fingerprint, ''), k.reason,
       $at, false, '{RefusalKind.REFUSED}'
from (select unnest($parts::varchar[]) as part, unnest($targets::varchar[]) as target,
             unnest($shop_ids::varchar[]) as shop_id, unnest($properties::varchar[]) as property,
             unnest($reasons::varchar[]) as reason) k
join link l on l.part = k.part and l.shop_id = k.shop_id
left join ({_FINGERPRINT}) f on f.root_shop_id = l.root_shop_id
"""


def refuse_values(db: Connection, flow: Flow, kept: Sequence[Kept]) -> None:
    """Binds what a side accepted and did not take to this version of the data, a refusal a property."""
    if not kept:
        return
    db.execute(
        _VALUES,
        _parameters(flow)
        | {
            "at": now(),
            "parts": [one.part for one in kept],
            "targets": [str(one.target) for one in kept],
            "shop_ids": [one.shop_id for one in kept],
            "properties": [one.name for one in kept],
            "reasons": [one.reason for one in kept],
        },
    )
