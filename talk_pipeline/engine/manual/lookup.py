"""Finding one entity by whatever a person has of it: a shop id, a Business Central id, or a key.

From the database alone. Several hits are never guessed between; a record that is gone, and is of no pair, only
counts where nothing that is there has its key. What is known of the entity is `report.explain`'s business, what
happened to it `history`'s, what a person does to it `manual.links`'s.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from talk_pipeline.engine.kinds import DISAPPEARED
from talk_pipeline.engine.model import ByHandError
from talk_pipeline.engine.state.connection import Connection
from talk_pipeline.flows.loading import Flows
from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.values import tidy
from talk_pipeline.flows.vocabulary import Flow
from talk_pipeline.wording import counted

LISTED = 20


@dataclass(frozen=True, slots=True)
class Entity:
    """One thing, as far as it is known: a linked pair, or a record of either side alone."""

    flow: str
    shop_id: str | None
    bc_id: str | None

    @property
    def name(self) -> str:
        """The entity for a person, in words that find it again."""
        return f"{self.flow} {self.shop_id or self.bc_id}"

    def id_on(self, side: Side) -> str | None:
        """Its id on a side, None where it has no record there."""
        return self.shop_id if side is Side.SHOP else self.bc_id

    @property
    def end(self) -> tuple[Side, str | None]:
        """The record by which it is known: its side, and its id there; the shop's where there is one."""
        side = Side.SHOP if self.shop_id else Side.BC
        return side, self.id_on(side)


def named_flow(flows: Flows, name: str) -> Flow:
    """The flow of that name.

    Raises:
        ByHandError: there is none.
    """
    if name not in flows:
        raise ByHandError(f"no flow {name!r}; there are: {', '.join(flows)}")
    return flows[name]


def find(db: Connection, flow: Flow, text: str, *, gone_too: bool = False) -> Entity:
    """The entity that a person means by an id or a key of either side; `side:id` names exactly one record.

    `gone_too` asks for those that are gone beside what is there, as whoever must not leave anything of them does.

    Raises:
        ByHandError: nothing is known by it, or several entities are.
    """
    hits = _hits(db, flow, text)
    if not gone_too:
        hits = _there(db, flow, hits)
    found = dict.fromkeys(entity_of(db, flow, side, record_id) for side, record_id in hits)
    if not found:
        raise ByHandError(_unknown(flow, text, sides=list(Side)))
    if len(found) > 1:
        listed = [_describe(db, flow, entity) for entity in found]
        raise ByHandError(_several(flow, text, listed))
    return next(iter(found))


def find_on(db: Connection, flow: Flow, text: str, *, side: Side) -> str:
    """The id of the record that a person means on one side, by its id or a key.

    Raises:
        ByHandError: no record of that side is known by it, or several are.
    """
    hits = _there(db, flow, [hit for hit in _hits(db, flow, text) if hit[0] is side])
    found = [record_id for _, record_id in hits]
    if not found:
        raise ByHandError(_unknown(flow, text, sides=[side]))
    if len(found) > 1:
        listed = [f"{side}:{record_id}{key_of(db, flow, side, record_id)}" for record_id in found]
        raise ByHandError(_several(flow, text, listed))
    return found[0]


def key_of(db: Connection, flow: Flow, side: Side, record_id: str | None) -> str:
    """A record's key in brackets, or nothing where it has none."""
    row = db.execute(
        "select raw[?] from record where part = ? and side = ? and id = ?",
        [flow.create_key, flow.name, side, record_id],
    ).fetchone()
    return f" ({flow.create_key} {row[0]})" if row and row[0] else ""


def labels(flow: Flow, part: str, shop_id: str | None, *, prop: str) -> Sequence[str]:
    """What a person calls a property: `name`; of a child `part[id].name`, and `part.name` for all of them."""
    if part == flow.name:
        return (prop,)
    short = part.removeprefix(f"{flow.name}.")
    own = (shop_id or "").rsplit("/", 1)[-1]
    return (f"{short}[{own}].{prop}", f"{short}.{prop}")


_BY_ID = """
select side, id from record where part = $flow and id = $text
union
select v.side, v.id from link l
cross join lateral (values ('customwebshop', l.shop_id), ('businesscentral', l.bc_id)) v(side, id)
where l.part = $flow and v.id = $text
"""

_BY_KEY = """
select distinct side, id from record
where part = $flow and (lower(raw[$key]) = lower($text) or lower(canon[$key]) = lower($text))
"""


_LEFT = f"""
select side, id from snapshot s where flow = $flow and gone in ({DISAPPEARED}) and id in (select unnest($ids))
and not exists (from link l where l.part = s.flow and s.id = case s.side when $shop then l.shop_id else l.bc_id end)
"""


def _there(db: Connection, flow: Flow, hits: list[tuple[Side, str]]) -> list[tuple[Side, str]]:
    """Hits without those that left and are of no pair: what was made anew has the key of what it was made for."""
    if len(hits) < 2:
        return hits
    asked = {"flow": flow.name, "shop": Side.SHOP, "ids": [record_id for _, record_id in hits]}
    left = set(db.execute(_LEFT, asked).fetchall())
    return [hit for hit in hits if hit not in left] or hits


def _hits(db: Connection, flow: Flow, text: str) -> list[tuple[Side, str]]:
    text = tidy(text) or ""
    for side in Side:
        if text.startswith(f"{side}:"):
            wanted = text.removeprefix(f"{side}:")
            rows = db.execute(_BY_ID, {"flow": flow.name, "text": wanted}).fetchall()
            return [(side, row[1]) for row in rows if row[0] == side]
    rows = db.execute(_BY_ID, {"flow": flow.name, "text": text}).fetchall()
    for key in flow.found_by:
        rows += db.execute(_BY_KEY, {"flow": flow.name, "text": text, "key": key}).fetchall()
    return sorted(
        {(Side(side), record_id) for side, record_id in rows}, key=lambda hit: (hit[0].name, hit[1])
    )


def entity_of(db: Connection, flow: Flow, side: Side, record_id: str) -> Entity:
    """A record of a side, with its counterpart where it has one."""
    row = db.execute(
        f"select shop_id, bc_id from link where part = ? and {side.short}_id = ?", [flow.name, record_id]
    ).fetchone()
    if row:
        return Entity(flow.name, *row)
    ids = (record_id, None) if side is Side.SHOP else (None, record_id)
    return Entity(flow.name, *ids)


def _unknown(flow: Flow, text: str, *, sides: list[Side]) -> str:
    where = " or ".join(sides)
    scope = flow.businesscentral.scope_told
    only = f", and of Business Central only those with {scope}" if scope and Side.BC in sides else ""
    return (
        f"no {flow.name} of {where} is known as {text!r}, neither by id nor by {', '.join(flow.found_by)}; "
        f"known is what a sync has read{only}"
    )


def _several(flow: Flow, text: str, listed: list[str]) -> str:
    more = [f"... and {len(listed) - LISTED} more"] if len(listed) > LISTED else []
    head = f"{counted(len(listed), 'record')} of {flow.name} are known as {text!r}; name one of"
    return "\n  ".join([f"{head}:", *listed[:LISTED], *more])


def _describe(db: Connection, flow: Flow, entity: Entity) -> str:
    sides = [(side, entity.id_on(side)) for side in Side]
    return " = ".join(
        f"{side}:{record_id}{key_of(db, flow, side, record_id)}" for side, record_id in sides if record_id
    )
