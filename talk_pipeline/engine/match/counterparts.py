"""Which records have a counterpart: what the links say of them, for whoever looks at a system."""

from collections.abc import Sequence
from dataclasses import dataclass

from talk_pipeline.engine.state.connection import Connection
from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.vocabulary import Flow


@dataclass(frozen=True, slots=True)
class Counterparts:
    """What is known of a record and of those that may have been made from it.

    Attributes:
        linked: whether the record itself has a counterpart by now.
        taken: those of the others that belong to a link.
        parted: those that a person keeps apart from the record.
    """

    linked: bool
    taken: frozenset[str]
    parted: frozenset[str]


def counterparts(
    db: Connection, flow: Flow, side: Side, ids: Sequence[str], *, of: str | None
) -> Counterparts:
    """What the links say of a record and of records on the other side.

    Args:
        db: the state.
        flow: theirs.
        side: of the others.
        ids: the others.
        of: the record.
    """
    own, other = f"{side.short}_id", f"{side.other.short}_id"
    known = db.execute(
        f"select {own}, {other} from link"
        f" where part = ? and ({other} = ? or {own} in (select unnest(?::varchar[])))",
        [flow.name, of, list(ids)],
    ).fetchall()
    parted = db.execute(f"select {own} from apart where flow = ? and {other} = ?", [flow.name, of]).fetchall()
    return Counterparts(
        any(source == of for _, source in known),
        frozenset(taken for taken, _ in known),
        frozenset(record_id for (record_id,) in parted),
    )


def linked_ids(db: Connection, flow: Flow, side: Side) -> set[str]:
    """The records of a side that belong to a link."""
    rows = db.execute(f"select {side.short}_id from link where part = ?", [flow.name]).fetchall()
    return {record_id for (record_id,) in rows}


def linked_children(db: Connection, flow: Flow, side: Side, *, root_id: str) -> dict[tuple[str, str], str]:
    """The children of a record that have a counterpart, by part and id there, with the counterpart's id."""
    own, other = f"{side.short}_id", f"{side.other.short}_id"
    rows = db.execute(
        f"select part, {own}, {other} from link where part in (select unnest(?::varchar[]))"
        f" and root_shop_id in (select shop_id from link where part = ? and {own} = ?)",
        [[part.name for part in flow.parts[1:]], flow.name, root_id],
    ).fetchall()
    return {(part, own_id): other_id for part, own_id, other_id in rows}
