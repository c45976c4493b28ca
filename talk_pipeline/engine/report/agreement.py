"""Whether linked pairs agree, property by property: what the checklist's property checks and their tables show."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from talk_pipeline.engine.manual.lookup import key_of
from talk_pipeline.engine.snapshot.holding import agree
from talk_pipeline.engine.state.connection import Connection
from talk_pipeline.engine.state.rows import named_rows
from talk_pipeline.flows.loading import Flows
from talk_pipeline.flows.properties import Property
from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.vocabulary import Flow, Part

LISTED_ROWS = 100


@dataclass(slots=True)
class Disagreement:
    """Pairs that do not agree in one property.

    Attributes:
        count: how many there are.
        withheld: those of them that wait or are held, with a reason.
        rows: the first `LISTED_ROWS`: `shop_id`, `bc_id`, `shop_value`, `bc_value`, `reason`.
    """

    count: int = 0
    withheld: int = 0
    rows: list[Mapping[str, Any]] = field(default_factory=list)

    def add(self, row: Mapping[str, Any], prop: Property) -> None:
        """One more pair."""
        self.count += 1
        self.withheld += row["withheld"] is not None
        if len(self.rows) < LISTED_ROWS:
            columns = ("shop_id", "bc_id", "shop_value", "bc_value")
            self.rows.append({name: row[name] for name in columns} | {"reason": _reason(row, prop)})


def _reason(row: Mapping[str, Any], prop: Property) -> str | None:
    """Why nothing is written; None where something is to be, and where nobody knows."""
    if row["withheld"] or row["planned"] or prop.two_way:
        return str(row["withheld"]) if row["withheld"] else None
    if prop.dir == "=":
        return "the two are compared, and never written"
    target = Side.BC if prop.dir == "->" else Side.SHOP
    value = {Side.SHOP: row["shop_value"], Side.BC: row["bc_value"]}
    base = {Side.SHOP: row["shop_base"], Side.BC: row["bc_base"]}
    if value[target] in prop.keep:
        return f"{target} is never overwritten while it says {value[target]}"
    if not row["has_base"]:
        return f"{target.other} says nothing, and a blank overwrites no value"
    if value[target.other] != base[target.other]:
        return None
    stays = f"the value of {target} stays until {target.other} says something else"
    if row["agreed_at"] is None:
        return f"{target.other} says what its new record began with, which is no edit: {stays}"
    when = f"{row['agreed_at']:%Y-%m-%d %H:%M:%S} UTC"
    return f"{target.other} says what it did when the two last agreed, on {when}: {stays}"


# pairs in step but for some properties, all of a part at once; references compare as the shop id they mean
_DISAGREEING = """
with prop as (
  select unnest($properties::varchar[]) as property, unnest($refers_to::varchar[]) as refers_to,
         unnest($two_way::boolean[]) as two_way
),
differing as materialized (
  select l.shop_id, l.bc_id, l.root_shop_id, p.property, p.two_way,
         s.raw[p.property] as shop_value, b.raw[p.property] as bc_value,
         coalesce(led.leader, s.canon[p.property]) as shop_canon,
         meant(p.refers_to, b.canon[p.property], ref.shop_id, b.raw[p.property]) as bc_canon,
         s.problems[p.property] is null and b.problems[p.property] is null as sound
  from link l
  join record s on s.part = l.part and s.side = 'customwebshop' and s.id = l.shop_id
  join record b on b.part = l.part and b.side = 'businesscentral' and b.id = l.bc_id
  cross join prop p
  left join link ref on ref.part = p.refers_to and ref.bc_id = b.raw[p.property] and ref.state = 'active'
  left join led on led.part = p.refers_to and led.shop_id = s.raw[p.property]
  where l.part = $part and l.state = 'active' and shop_canon is distinct from bc_canon
)
select d.*, withheld(c.hold_kind, c.hold_reason) as withheld,
       c.flow is not null and c.hold_kind is null as planned,
       a.part is not null as has_base, a.shop_value as shop_base, a.bc_value as bc_base, a.agreed_at
from differing d
left join status st on st.flow = $flow and st.shop_id = d.root_shop_id
left join change c on c.part = $part and c.shop_id = d.shop_id and c.property = d.property
left join base a on a.part = $part and a.shop_id = d.shop_id and a.property = d.property
where st.flow is null
  -- what both hold as when they last agreed is in step, though a form may depend on something that changed since;
  -- what travels one way need never have been equal, and is compared as it is
  and not coalesce(d.two_way and d.sound and a.part is not null and a.shop_value is not distinct from d.shop_value
    and a.bc_value is not distinct from d.bc_value, false)
order by d.shop_id
"""


def disagreements(db: Connection, flow: Flow, part: Part, *, dry_run: bool) -> dict[str, Disagreement]:
    """The pairs of a part that do not agree, by each property's name; in a dry run the plan counts as done."""
    names = [prop.name for prop in part.properties]
    refers_to = [prop.refers_to for prop in part.properties]
    two_way = [prop.two_way for prop in part.properties]
    parameters = {
        "flow": flow.name,
        "part": part.name,
        "properties": names,
        "refers_to": refers_to,
        "two_way": two_way,
    }
    found = {name: Disagreement() for name in names}
    for row in named_rows(db.execute(_DISAGREEING, parameters)):
        prop = part.by_name[row["property"]]
        said, before = row["shop_value"], row["shop_base"]
        agrees = agree(flow, prop, shop=row["shop_canon"], bc=row["bc_canon"], shop_raw=said, before=before)
        if not agrees and not (dry_run and row["planned"]):
            found[prop.name].add(row, prop)
    return found


_COUNTERPARTS = """
select side, other_id from counterpart
where part = $flow and id = case side when 'customwebshop' then $shop_value else $bc_value end
"""


def meant_by(
    db: Connection, flow: str, *, shop_value: str | None, bc_value: str | None
) -> tuple[str | None, bool]:
    """What a reference in Business Central means in the shop's words, and whether what it names has a counterpart.

    Args:
        db: the state.
        flow: what is referred to.
        shop_value: the shop's id of it, as a record of the shop says; None where there is no such record.
        bc_value: Business Central's, as the record's counterpart says.
    """
    parameters = {"flow": flow, "shop_value": shop_value, "bc_value": bc_value}
    told = dict(db.execute(_COUNTERPARTS, parameters).fetchall())
    linked = (Side.SHOP if shop_value else Side.BC) in told
    if linked and told.get(Side.SHOP) == bc_value:  # several of the shop may be one there
        return shop_value, linked
    return told.get(Side.BC, bc_value), linked


def lacking(db: Connection, flows: Flows, flow: Flow, parts: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """What a record refers to in Business Central and nobody makes in the shop: how to join it, and its name.

    Args:
        db: the state.
        flows: all flows.
        flow: the record's.
        parts: what `explain` tells of it.
    """
    found = {}
    for part in parts:
        for row in (one for record in part["records"] for one in record["properties"]):
            prop, bc_id = flow.part(part["part"]).by_name[row["property"]], row["bc_value"]
            if not bc_id or prop.refers_to is None or prop.told_by:
                continue
            referred = flows[prop.refers_to]
            # one without a counterpart means itself
            alone = meant_by(db, referred.name, shop_value=None, bc_value=bc_id)[0] == bc_id
            if alone and not referred.settings.creates(Side.SHOP):
                named = f"{referred.name} {bc_id}{key_of(db, referred, Side.BC, bc_id)}"
                found[f"talk-pipeline link {referred.name} ID {bc_id}"] = named
    return found
