"""Where the rows of a flow lie, as what follows `from` in a query: a table and whose rows of it."""

from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.vocabulary import Flow


def snapshot(flow: Flow, side: Side) -> str:
    """What a system said: a row a record."""
    return f"snapshot where flow = '{flow.name}' and side = '{side}'"


def links(flow: Flow) -> str:
    """A row a pair."""
    return f"link where part = '{flow.name}'"


def changes(flow: Flow) -> str:
    """A row a property to be written."""
    return f"change where flow = '{flow.name}'"


def journal(flow: Flow) -> str:
    """A row a request."""
    return f"journal where flow = '{flow.name}'"
