"""The property tables of the packaged flows: what corresponds to what, and in which direction."""

from collections.abc import Iterator

from talk_pipeline.flows.properties import Property
from talk_pipeline.flows.vocabulary import Flow, Part
from talk_pipeline_tests.flow_files import flows_in

_DIRECTIONS = {
    "<->": "both ways",
    "->": "to Business Central",
    "<-": "to the shop",
    "=": "compared, never written",
}

_INTRODUCTION = """# The property tables

What the packaged flows keep in step. Made from the flow files by `make docs`.
"""


def property_tables() -> str:
    """The page."""
    return "\n".join([_INTRODUCTION, *(line for flow in flows_in().values() for line in _flow(flow))])


def _flow(flow: Flow) -> Iterator[str]:
    yield f"## {flow.title}\n\n{flow.description} Matched by {', then '.join(flow.match)}.\n"
    for part in flow.parts:
        if part.parent:
            yield f"### {_child_title(part)}\n"
        yield "| shop property | direction | Business Central property | type |\n|---|---|---|---|"
        for prop in part.properties:
            if prop.dir in _DIRECTIONS:
                yield _row(prop)
        yield ""


def _child_title(part: Part) -> str:
    return part.name.rsplit(".", 1)[-1].capitalize()


def _row(prop: Property) -> str:
    shop = " or ".join(prop.shop_paths) or "(constant)"
    direction = _DIRECTIONS[prop.dir] + (", on create only" if prop.only else "")
    return f"| {shop} | {direction} | {prop.bc} | {prop.type} |"
