"""Changes that are planned but must not be written yet, and why: kept in the table of changes with the reason.

The reasons begin with their kind: `waiting` (a reference has no usable counterpart), `guarded` (the record is
not open for that), `quarantined` (refused before, for this version of the data), `deferred` (records of a later
flow go first), `manual` (a person decides).
"""

from dataclasses import dataclass

from talk_pipeline.engine.creates import UNUSABLE
from talk_pipeline.engine.state import Connection
from talk_pipeline.flows.loading import Flows
from talk_pipeline.flows.properties import Property
from talk_pipeline.flows.vocabulary import Flow, Part


@dataclass(frozen=True, slots=True)
class Withholding:
    """What withholding one flow's changes depends on."""

    flows: Flows
    flow: Flow
    later: frozenset[str] = frozenset()


def withhold(db: Connection, of: Withholding) -> None:
    """Puts a reason on every change that must wait."""
    for part in of.flow.parts:
        for prop in part.references:
            _unresolved(db, of.flow, part, prop=prop)
        _problems_of_new_children(db, of.flow, part)
    _guarded(db, of.flow)
    _refused(db, of.flow)
    for other in of.flows.values():
        if other.name in of.later:
            _deferred(db, of.flow, other)
    db.execute(_WHOLE_CREATES, [of.flow.name])


# a record that must not be created yet takes its children with it
_WHOLE_CREATES = """
update change set withheld = root.withheld
from (select root_shop_id, root_bc_id, target, any_value(withheld) as withheld from change
      where flow = $1 and part = $1 and operation = 'create' and withheld is not null group by all) root
where change.flow = $1 and change.operation = 'create' and change.target = root.target
  and change.root_shop_id is not distinct from root.root_shop_id
  and change.root_bc_id is not distinct from root.root_bc_id
"""


def _unresolved(db: Connection, flow: Flow, part: Part, *, prop: Property) -> None:
    """A reference to a record without a usable counterpart; a new child with one waits as a whole."""
    assert prop.refers_to is not None
    usable = list(prop.usable_while)
    db.execute(
        f"""
        with unusable as ({UNUSABLE}),
        stuck as (
          select c.operation, c.target, c.shop_id, c.bc_id, 'waiting: ' || c.property || ' ' || c.after || ' '
                 || case when l.shop_id is null then 'is not linked' else u.why end as reason
          from change c
          left join link l on l.part = $refers_to and l.state = 'active'
            and case c.target when 'businesscentral' then l.shop_id else l.bc_id end = c.after
          left join unusable u on u.shop_id = l.shop_id and c.target = 'businesscentral'
          where c.flow = $flow and c.part = $part and c.property = $property and c.operation <> 'delete'
            and c.after is not null and (l.shop_id is null or u.shop_id is not null)
        )
        update change set withheld = stuck.reason from stuck
        where change.part = $part and change.withheld is null and change.target = stuck.target
          and change.operation = stuck.operation
          and change.shop_id is not distinct from stuck.shop_id
          and change.bc_id is not distinct from stuck.bc_id
          and (stuck.operation = 'create' or change.property = $property)
        """,
        {
            "flow": flow.name,
            "part": part.name,
            "property": prop.name,
            "refers_to": prop.refers_to,
            "keys": usable,
            "wanted": [prop.usable_while[key] for key in usable],
        },
    )


def _problems_of_new_children(db: Connection, flow: Flow, part: Part) -> None:
    """A new child that the other side cannot represent is withheld as a whole."""
    db.execute(
        """
        with bad as (
          select id, string_agg(e.key || ': ' || e.value, '; ' order by e.key) as reason
          from (select id, unnest(map_entries(problems)) as e from record
                where part = $part and cardinality(problems) > 0) group by id
        )
        update change set withheld = 'quarantined: ' || bad.reason from bad
        where change.flow = $flow and change.part = $part and change.operation = 'create'
          and change.withheld is null and coalesce(change.shop_id, change.bc_id) = bad.id
        """,
        {"flow": flow.name, "part": part.name},
    )


def _guarded(db: Connection, flow: Flow) -> None:
    """While the record is not open in Business Central, guarded properties stay as they are there."""
    guard = flow.guard
    if guard is None:
        return
    db.execute(
        """
        update change set withheld = 'guarded: ' || $reason
        where flow = $flow and target = 'businesscentral' and withheld is null
          and root_bc_id in (select id from record where part = $flow and side = 'businesscentral' and not open)
          and case when part = $flow then property in (select unnest($own::varchar[]))
                   else operation <> 'update' or property in (select unnest($lines::varchar[])) end
        """,
        {
            "flow": flow.name,
            "reason": guard.reason,
            "own": list(guard.withholds),
            "lines": list(guard.withholds_lines),
        },
    )


# what a refusal depends on: the mapped values of both sides, the referenced records, the flow's definition
FINGERPRINT = """
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
"""


def fingerprint_parameters(flow: Flow) -> dict[str, object]:
    """The parameters of FINGERPRINT for a flow."""
    references = [(part.name, prop.name, prop.refers_to) for part in flow.parts for prop in part.references]
    return {
        "flow": flow.name,
        "definition": flow.fingerprint,
        "two_way": [prop.name for prop in flow.properties if prop.dir in ("<->", "->")],
        "ref_parts": [part for part, _, _ in references],
        "ref_properties": [name for _, name, _ in references],
        "ref_flows": [refers_to for _, _, refers_to in references],
    }


def _refused(db: Connection, flow: Flow) -> None:
    """What was refused for this very version of the data is not asked again; anything newer is."""
    if db.execute("select 1 from refusal where flow = ? limit 1", [flow.name]).fetchone() is None:
        return
    db.execute(
        f"create or replace temp table fingerprinted as select * from ({FINGERPRINT})"
        " where root_shop_id in (select root_shop_id from refusal where flow = $flow)",
        fingerprint_parameters(flow),
    )
    db.execute(
        "delete from refusal where flow = ? and fingerprint not in"
        " (select fingerprint from fingerprinted f where f.root_shop_id = refusal.root_shop_id)",
        [flow.name],
    )
    db.execute(
        """
        update change set withheld = 'quarantined: ' || r.reason
        from refusal r
        where change.flow = $flow and r.flow = $flow and change.withheld is null
          and r.part = change.part and r.target = change.target
          and r.record_id = coalesce(change.shop_id, change.bc_id)
          and list_contains(r.properties, change.property)
        """,
        {"flow": flow.name},
    )


def _deferred(db: Connection, flow: Flow, later: Flow) -> None:
    """Records of a later flow that are about to be created go before their reference becomes unusable."""
    for part in later.parts:
        for prop in part.references:
            if prop.refers_to != flow.name:
                continue
            for key, wanted in prop.usable_while.items():
                _defer(db, flow, later, part=part, prop=prop, key=key, wanted=wanted)


def _defer(
    db: Connection, flow: Flow, later: Flow, *, part: Part, prop: Property, key: str, wanted: str
) -> None:
    scope = "".join(
        f" and list_contains({list(map(str, allowed))!r}, root.raw['{name}'])"
        for name, allowed in later.settings.create_scope.items()
    )
    db.execute(
        f"""
        update change set withheld = 'deferred: {later.name} ' || pending.root_id || ' goes first'
        from (
          select r.raw[$property] as shop_id, min(r.root_id) as root_id
          from record r
          join record root on root.part = $later and root.side = r.side and root.id = r.root_id
          join snapshot s on s.flow = $later and s.side = r.side and s.id = r.root_id and s.gone is null
          left join link l on l.part = $later and l.shop_id = r.root_id
          left join standing st on st.flow = $later and st.shop_id = r.root_id
          where r.part = $part and r.side = 'customwebshop' and l.part is null
            and coalesce(st.state, 'waiting') = 'waiting'{scope}
          group by 1
        ) pending
        where change.flow = $flow and change.target = 'businesscentral' and change.operation = 'update'
          and change.property = $key and change.after is distinct from $wanted and change.withheld is null
          and change.shop_id = pending.shop_id
        """,
        {
            "flow": flow.name,
            "later": later.name,
            "part": part.name,
            "property": prop.name,
            "key": key,
            "wanted": wanted,
        },
    )
