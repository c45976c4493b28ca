"""Whether API v2.0 of Business Central has what the flows ask of it; nothing is asked of a server here."""

from collections.abc import Iterator

from talk_pipeline.flows.loading import Flows
from talk_pipeline.flows.properties import Side
from talk_pipeline.systems.businesscentral.entities import entity_sets


def check_flows(flows: Flows) -> Iterator[str]:
    """What the flows ask of Business Central that API v2.0 does not have."""
    for flow in flows.values():
        for part in flow.parts:
            name = part.paths.get(Side.BC) or flow.businesscentral.entity
            facts = entity_sets().get(name)
            if facts is None:
                yield f"{part.name}: Business Central has no {name!r}; allowed: {', '.join(entity_sets())}"
                continue
            for path in flow.fields(part, Side.BC):
                if path not in facts.properties:
                    allowed = ", ".join(facts.properties)
                    yield f"{part.name}: {name} has no property {path!r}; allowed: {allowed}"
            for prop in part.properties:
                kind = facts.properties.get(prop.bc)
                if kind and kind.read_only and prop.dir in ("->", "<->"):
                    yield f"{part.name}: {prop.name}: {prop.bc} is read-only in Business Central; use <- or ="
