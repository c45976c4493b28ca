"""What a system has accepted, and what both sides hold of it since."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from talk_pipeline.engine.model import Operation, Sent
from talk_pipeline.engine.snapshot.projection import Projected, Projector
from talk_pipeline.engine.state.connection import Connection
from talk_pipeline.flows.sides import Side


@dataclass(frozen=True, slots=True)
class Confirmed:
    """A record or child whose values a system has accepted.

    Attributes:
        intent_id: the request that wrote it.
    """

    intent_id: str
    part: str
    shop_id: str
    bc_id: str
    target: Side
    operation: Operation
    sent: Mapping[str, Sent]

    @property
    def target_id(self) -> str:
        """Its id on the side that was written to."""
        return self.shop_id if self.target is Side.SHOP else self.bc_id


# by row: only then are the values of all other records left unread
_OF_THESE = """
from record where rowid in (
  select rowid from record
  where side = ? and list_contains(?::varchar[], part) and id in (select unnest(?::varchar[])))
"""


def stored_records(
    db: Connection,
    projector: Projector,
    confirmed: Sequence[Confirmed],
    *,
    landed: Sequence[Projected] = (),
) -> dict[tuple[str, str], tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """What the target now holds of the confirmed records, raw and canonical; what has just landed is at hand."""
    at_hand = {(row.part, row.id): (row.raw, row.canon) for row in landed}
    places = [(one.part, one.target_id) for one in confirmed]
    ids = [key for part, key in places if (part, key) not in at_hand]
    if not ids:
        return at_hand
    rows = db.execute(
        f"select part, id, raw, canon {_OF_THESE}",
        [projector.side, [part.name for part in projector.flow.parts], ids],
    ).fetchall()
    return at_hand | {(row[0], row[1]): (row[2], row[3]) for row in rows}


def shop_values(
    db: Connection, projector: Projector, confirmed: Sequence[Confirmed]
) -> dict[tuple[str, str], dict[str, Any]]:
    """What the shop holds of records created in Business Central."""
    created = [one for one in confirmed if one.operation == "create" and one.target is Side.BC]
    if not created or not any(prop.dir == "<-" for part in projector.flow.parts for prop in part.properties):
        return {}
    parts = [part.name for part in projector.flow.parts]
    rows = db.execute(
        f"select part, id, raw {_OF_THESE}", [Side.SHOP, parts, [one.shop_id for one in created]]
    ).fetchall()
    return {(part, key): raw for part, key, raw in rows}
