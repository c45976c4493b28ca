"""References that are blank in the shop, and mean what another flow made of the same record.

A guest has no account to refer to; the order itself is what the customer was made from. Which flow stands in is
noted with the state, since views tell what a reference means (`counterpart`, `led`).
"""

from talk_pipeline.engine.state.connection import Connection
from talk_pipeline.engine.state.meta import get_meta, set_meta
from talk_pipeline.flows.vocabulary import Flow


def note_stand_ins(db: Connection, flow: Flow) -> None:
    """Keeps with the state which flows stand in where references of this one are blank."""
    for prop in flow.root.references:
        key = f"stand_in:{prop.refers_to}:{prop.otherwise}"
        if prop.otherwise and get_meta(db, key) is None:
            set_meta(db, key, flow.name)
