"""The words for the way a property's edits travel: those a document is written with, and is read by."""

from talk_pipeline.flows.properties import Property
from talk_pipeline.flows.sides import Side

DIRECTION = "Direction"
"""What the column is called that tells it."""

_DIRECTIONS = {
    "<->": "both ways",
    "->": f"to {Side.BC.capitalize()}",
    "<-": f"to {Side.SHOP.capitalize()}",
    "=": "compared, never written",
}


def direction(prop: Property) -> str:
    """Which way edits of a property travel; empty for one that is read alone."""
    told = _DIRECTIONS.get("->" if prop.shop is None else prop.dir, "")
    return f"{told}, on create only" if prop.only else told
