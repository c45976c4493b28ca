"""References that do not say an id: what they mean is told by views (`counterpart`, `led`).

One that is blank in the shop means what another flow made of the same record: a guest has no account to refer to;
the order itself is what the customer was made from. And Business Central tells some by another property than the
id, such as the order of a shipment by its number. Which those are is noted with the state.
"""

from talk_pipeline.engine.kinds import LinkState
from talk_pipeline.engine.snapshot.dirty import mark_again
from talk_pipeline.engine.state.connection import Connection
from talk_pipeline.engine.state.meta import get_meta, set_meta
from talk_pipeline.engine.state.rows import is_any
from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.vocabulary import Flow

# of Business Central, without a counterpart, and what they refer to has one
_REFERRING = """
select distinct r.root_id
from record r
join counterpart k on k.part = $refers_to and k.side = 'businesscentral' and k.id = r.raw[$property]
join snapshot s on s.flow = $flow and s.side = 'businesscentral' and s.id = r.root_id and s.gone is null
anti join (select bc_id from link where part = $flow and bc_id is not null) l on l.bc_id = r.root_id
where r.part = $part and r.side = 'businesscentral'
"""


def any_led(db: Connection) -> bool:
    """Whether a reference to any record may mean another one: whether there may be a row of `led`."""
    attached = f"from link where state = '{LinkState.ATTACHED}'"
    return any(key.startswith("stand_in:") for key in db.facts) or is_any(db, attached)


def note_references(db: Connection, flow: Flow) -> None:
    """Keeps with the state what stands in where references of this flow are blank, and what else tells one."""
    for part in flow.parts:
        for prop in part.references:
            for how, what in (("stand_in", prop.otherwise), ("told_by", prop.told_by)):
                key = f"{how}:{prop.refers_to}:{what}"
                if what and get_meta(db, key) is None:
                    set_meta(db, key, flow.name)


def look_at_referring(db: Connection, flow: Flow) -> None:
    """Marks what comes to the shop once what it refers to is linked: nothing else would look at it again."""
    if not flow.settings.creates(Side.SHOP):
        return
    for part in flow.parts:
        for prop in part.references:
            told = {"part": part.name, "property": prop.name, "refers_to": prop.refers_to}
            if found := db.execute(_REFERRING, {**told, "flow": flow.name}).fetchall():
                mark_again(db, flow.name, Side.BC, ids=[row[0] for row in found])
