"""Numbers that are compared alone, compared before the record is there: with what it would come to.

What a flow's `composed_of` says is reckoned from the values that would be written (`flows.compositions`). Where
that differs from the shop's own number by more than the tolerance, the flow may ask to hold the create, until the
shop says otherwise or a person lets it go; that word is good for the two numbers it was given on.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from talk_pipeline.engine.kinds import HoldKind, Status
from talk_pipeline.engine.state.connection import Connection
from talk_pipeline.flows.compositions import Canonical, Sum, composed
from talk_pipeline.flows.properties import Property
from talk_pipeline.flows.values import Value
from talk_pipeline.flows.vocabulary import Flow

LISTED_TERMS = 10


@dataclass(frozen=True, slots=True)
class Difference:
    """A number of a shop record that is not what the record would come to.

    Attributes:
        stated: the shop's, as it says it.
        made_of: what it would come to, and of what.
    """

    shop_id: str
    prop: str
    stated: str
    made_of: Sum

    @property
    def beyond(self) -> Decimal:
        """How much more it would come to; less, below zero."""
        return self.made_of.total - Decimal(self.stated)

    @property
    def terms(self) -> str:
        """What makes it up, for a person; of very many the first, and what the others come to."""
        terms = self.made_of.terms
        told = "; ".join(map(str, terms[:LISTED_TERMS])) or "nothing"
        if others := terms[LISTED_TERMS:]:
            rest = sum((term.comes_to for term in others), Decimal(0))
            told += f"; and {len(others)} more, that come to {rest}"
        return told

    @property
    def reason(self) -> str:
        """For a person."""
        more = f"{abs(self.beyond)} {'more' if self.beyond > 0 else 'less'}"
        would = f"Business Central would make it {self.made_of.total}, {more}"
        return f"{self.prop}: the shop says {self.stated}, and {would} ({self.terms})"

    def document(self) -> dict[str, Any]:
        """For scripts."""
        return {
            "property": self.prop,
            "shop_value": self.stated,
            "comes_to": str(self.made_of.total),
            "difference": str(self.beyond),
            "terms": [
                {"name": term.name, "reckoned": term.reckoned, "comes_to": str(term.comes_to)}
                for term in self.made_of.terms
            ],
        }


def composed_properties(flow: Flow) -> list[Property]:
    """The properties of a record of which it is said what they are made of."""
    return [prop for prop in flow.properties if prop.composed_of]


# by row: only then are the values of all other records left unread; and whole records are slow to hand over
_RECORDS = """
select part, id, root_id, list_transform($needed::varchar[], lambda name: canon[name]) as canon,
       list_transform($stated::varchar[], lambda name: raw[name]) as stated
from record where rowid in (
  select rowid from record where side = 'customwebshop' and list_contains($parts::varchar[], part)
    and root_id in (select unnest($ids::varchar[])))
order by part, root_id, position, id
"""


def differences(db: Connection, flow: Flow, shop_ids: Sequence[str]) -> Iterator[Difference]:
    """The numbers of these shop records that are not, within the flow's tolerance, what they would come to.

    What the shop does not say, or only Business Central knows before the record is there, differs from nothing.
    """
    properties = composed_properties(flow)
    if not properties or not shop_ids:
        return
    comes_to = {part.key: part.comes_to for part in flow.parts[1:]}
    needed = list(dict.fromkeys(_needed(flow)))
    asked = {
        "parts": [part.name for part in flow.parts],
        "ids": list(shop_ids),
        "needed": needed,
        "stated": [prop.name for prop in properties],
    }
    keys = {part.name: part.key for part in flow.parts}
    roots: list[tuple[str, Canonical, list[Value]]] = []
    children: defaultdict[str, defaultdict[str, list[tuple[str, Canonical]]]]
    children = defaultdict(lambda: defaultdict(list))
    for part, record_id, root_id, values, stated in db.execute(_RECORDS, asked).fetchall():
        canon = dict(zip(needed, values, strict=True))
        if part == flow.name:
            roots.append((record_id, canon, stated))
        else:
            key, own = keys[part], record_id.rsplit("/", 1)[-1]
            children[root_id][key].append((f"{key}[{own}]", canon))
    tolerance = Decimal(str(flow.settings.tolerance))
    for shop_id, record, numbers in roots:
        for prop, stated in zip(properties, numbers, strict=True):
            if stated is None or prop.composed_of is None:
                continue
            made = composed(prop.composed_of, record=record, children=children[shop_id], comes_to=comes_to)
            if made and _apart(stated, made.total, tolerance):
                yield Difference(shop_id, prop.name, stated, made)


def _needed(flow: Flow) -> Iterator[str]:
    """The properties, of records and children, by which it is reckoned."""
    for prop in flow.properties:
        if made := prop.composed_of:
            yield from (*made.known_while, *made.less, *filter(None, (made.rounded_in,)))
    for part in flow.parts[1:]:
        if one := part.comes_to:
            yield from (*one.multiplied, *filter(None, (one.less_percent,)))


def _apart(stated: str, comes_to: Decimal, tolerance: Decimal) -> bool:
    """What is no number is not told by the shop either: its own check names it."""
    try:
        return abs(Decimal(stated) - comes_to) > tolerance
    except InvalidOperation:
        return False


_TO_BE_CREATED = """
select distinct shop_id from change
where flow = $flow and part = $flow and target = 'businesscentral' and operation = 'create' and shop_id is not null
"""


_WAITING_TO_BE = f"""
{_TO_BE_CREATED}
union
select st.shop_id from status st anti join link l on l.part = st.flow and l.shop_id = st.shop_id
where st.flow = $flow and st.state = '{Status.WAITING}'
"""


def to_be_created(db: Connection, flow: Flow) -> list[str]:
    """The shop records that are to get a counterpart: planned, held, or waiting for something else."""
    return [row[0] for row in db.execute(_WAITING_TO_BE, {"flow": flow.name}).fetchall()]


_LET_GO = """
select shop_id, property, shop_value, bc_value from resolution
where part = $flow and list_contains($properties::varchar[], property)
"""

_THERE = """
delete from resolution where part = $flow and list_contains($properties::varchar[], property)
  and shop_id in (select shop_id from link where part = $flow and bc_id is not null)
"""

_HOLD = f"""
update change set hold_kind = '{HoldKind.DIFFERING}', hold_reason = d.reason
from (select unnest($ids::varchar[]) as shop_id, unnest($reasons::varchar[]) as reason) d
where change.flow = $flow and change.part = $flow and change.target = 'businesscentral'
  and change.operation = 'create' and change.hold_kind is null and change.shop_id = d.shop_id
"""


def withhold_differing(db: Connection, flow: Flow) -> None:
    """Holds the creates of records that would not come to what the shop says, where the flow asks for that."""
    properties = [prop.name for prop in composed_properties(flow)]
    if not properties or not flow.settings.hold_if_totals_differ:
        return
    asked = {"flow": flow.name, "properties": properties}
    db.execute(_THERE, asked)  # a word that was carried out
    let_go = set(db.execute(_LET_GO, asked).fetchall())
    reasons: defaultdict[str, list[str]] = defaultdict(list)
    planned = [row[0] for row in db.execute(_TO_BE_CREATED, {"flow": flow.name}).fetchall()]
    for one in differences(db, flow, planned):
        if (one.shop_id, one.prop, one.stated, str(one.made_of.total)) not in let_go:
            reasons[one.shop_id].append(one.reason)
    if reasons:
        told = ["; ".join(each) for each in reasons.values()]
        db.execute(_HOLD, {"flow": flow.name, "ids": list(reasons), "reasons": told})
