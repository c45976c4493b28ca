"""Which parts of a flow there is anything of: in many a shop no order charges shipping or fees.

Each part costs a step a dozen statements, whether it has rows or not. What it has is asked once a step.
"""

from talk_pipeline.engine.state.connection import Connection
from talk_pipeline.flows.vocabulary import Flow, Part

_HELD = "select part from record union select part from link"


def parts_at_hand(db: Connection, flow: Flow) -> tuple[Part, ...]:
    """The flow's own record first, then the child collections of which a side holds any or a link knows one."""
    if len(flow.parts) == 1:
        return flow.parts
    held = {row[0] for row in db.execute(_HELD).fetchall()}
    return (flow.root, *(part for part in flow.parts[1:] if part.name in held))
