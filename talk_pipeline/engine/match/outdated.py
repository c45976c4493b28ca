"""What refusals depend on, and which of them are about data that is no more."""

from collections.abc import Collection

from talk_pipeline.engine.kinds import RefusalKind
from talk_pipeline.engine.match.workspace import Fingerprinted
from talk_pipeline.engine.snapshot.dirty import touch_if_changed
from talk_pipeline.engine.snapshot.reprojection import read_as
from talk_pipeline.engine.state.connection import Connection
from talk_pipeline.engine.state.rows import is_any
from talk_pipeline.flows.vocabulary import Flow

FROM_BC = "businesscentral/"
"""Before the id of a record that is not in the shop yet, where a refusal names the record it belongs to."""

# what refusals of some records depend on: the mapped values of both sides, the referenced records, and what the
# flow and both systems are defined by; the records are picked by row, since values are read slowly
_FINGERPRINTS = f"""
with wanted as (select distinct unnest($roots::varchar[]) as id),
linked as (
  select w.id, l.bc_id from wanted w
  left join link l on l.part = $flow and l.shop_id = w.id and l.state = 'active'
),
shop as materialized (
  select part, id, root_id, raw from record where rowid in (
    select rowid from record where side = 'customwebshop' and list_contains($parts::varchar[], part)
      and root_id in (select id from wanted))
),
bc as materialized (
  select part, id, root_id, raw from record where rowid in (
    select rowid from record where side = 'businesscentral' and list_contains($parts::varchar[], part)
      and root_id in (select bc_id from linked))
),
shop_children as (
  select root_id, string_agg(raw::varchar, '|' order by id) as text from shop where part <> $flow group by 1
),
bc_children as (
  select root_id, string_agg(raw::varchar, '|' order by id) as text from bc where part <> $flow group by 1
),
referring as (
  select c.root_id, k.part, k.other_id as bc_id from shop c
  join (select unnest($ref_parts::varchar[]) as part, unnest($ref_properties::varchar[]) as property,
               unnest($ref_flows::varchar[]) as flow) p on p.part = c.part
  join counterpart k on k.part = p.flow and k.side = 'customwebshop' and k.id = c.raw[p.property]
),
referred as (
  select c.root_id, string_agg(t.row_hash, '|' order by t.part, t.id) as text from referring c
  join record t on t.part = c.part and t.side = 'businesscentral' and t.id = c.bc_id
  group by 1
)
select r.id as root_shop_id, md5(concat_ws('|', $definition,
         list_filter(map_entries(r.raw), lambda e: list_contains($two_way::varchar[], e.key))::varchar,
         list_filter(map_entries(b.raw), lambda e: list_contains($two_way::varchar[], e.key))::varchar,
         sc.text, bc_children.text, referred.text)) as fingerprint
from shop r
left join linked l on l.id = r.id
left join bc b on b.part = $flow and b.id = l.bc_id
left join shop_children sc on sc.root_id = r.id
left join bc_children on bc_children.root_id = b.id
left join referred on referred.root_id = r.id
where r.part = $flow
union all
select '{FROM_BC}' || r.id, md5(concat_ws('|', $definition, r.row_hash))
from record r
where r.part = $flow and r.side = 'businesscentral'
  and r.id in (select id[{len(FROM_BC) + 1}:] from wanted where starts_with(id, '{FROM_BC}'))
"""


def fingerprint(db: Connection, flow: Flow, roots: Collection[str]) -> Fingerprinted:
    """What refusals of these records depend on, as it is now."""
    references = [(part.name, prop.name, prop.refers_to) for part in flow.parts for prop in part.references]
    return Fingerprinted.made(
        db,
        _FINGERPRINTS,
        {
            "roots": list(roots),
            "flow": flow.name,
            "parts": [part.name for part in flow.parts],
            "definition": f"{flow.fingerprint} {read_as(db, flow)}",
            "two_way": [prop.name for prop in flow.properties if prop.dir in ("<->", "->")],
            "ref_parts": [part for part, _, _ in references],
            "ref_properties": [name for _, name, _ in references],
            "ref_flows": [refers_to for _, _, refers_to in references],
        },
    )


def forget_outdated(db: Connection, flow: Flow) -> None:
    """Forgets what was refused for a version of the data that is no more: anything newer is asked again."""
    roots = db.execute("select distinct root_shop_id from refusal where flow = ?", [flow.name]).fetchall()
    if not roots:
        return
    now_is = fingerprint(db, flow, [row[0] for row in roots])
    forgotten = db.execute(
        "delete from refusal where flow = ? and fingerprint not in"
        f" (select fingerprint from {now_is.NAME} f where f.root_shop_id = refusal.root_shop_id)",
        [flow.name],
    )
    touch_if_changed(db, flow.name, forgotten)


def end_doubts(db: Connection, flow: Flow) -> None:
    """The same before anything is matched, where refusals keep records from that: what is newer may be a pair."""
    doubt = f"from refusal where flow = $flow and refusal_kind = '{RefusalKind.OUTCOME_UNKNOWN}'"
    if is_any(db, doubt, {"flow": flow.name}):
        forget_outdated(db, flow)
