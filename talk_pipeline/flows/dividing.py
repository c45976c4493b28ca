"""Flows that carry records of one shop entity into one of Business Central: no record belongs to two of them.

A flow without a scope of its own takes what the others leave. So a flow for some of the records is one file more,
and nothing about it is said in the file of the flow that had them all.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from talk_pipeline.flows.properties import Property
from talk_pipeline.flows.tuning import Condition
from talk_pipeline.flows.vocabulary import Flow


def shared_out(flows: Mapping[str, Flow]) -> dict[str, Flow]:
    """The flows, those without a scope narrowed to what the others leave."""
    return {name: _narrowed(flow, _beside(flow, flows)) for name, flow in flows.items()}


def contested(folder: Path, flows: Mapping[str, Flow]) -> Iterator[str]:
    """What keeps flows from being told apart, a line each."""
    for flow in flows.values():
        for other in _beside(flow, flows):
            if flow.settings.scope:
                continue
            file = f"{folder / flow.name}.yaml"
            if not other.settings.scope:
                if other.name < flow.name:
                    yield f"{file}: takes the same records as {other.name}: one of the two needs settings.scope"
            elif _left_by(other) is None:
                yield f"{file}: what {other.name} leaves is no single condition: say settings.scope here too"


def _beside(flow: Flow, flows: Mapping[str, Flow]) -> list[Flow]:
    """The other flows between the same two entities."""
    return [other for other in flows.values() if other is not flow and _between(other) == _between(flow)]


def _between(flow: Flow) -> tuple[str, str]:
    return flow.customwebshop.entity, flow.businesscentral.entity


def _left_by(other: Flow) -> tuple[Property, Condition] | None:
    """The one condition that holds for the records another flow leaves."""
    if len(other.settings.scope) != 1:
        return None
    ((name, condition),) = other.settings.scope.items()
    opposite = condition.opposite
    return (other.root.by_name[name], opposite) if opposite else None


def _narrowed(flow: Flow, beside: list[Flow]) -> Flow:
    if flow.settings.scope:
        return flow
    properties, scope = list(flow.properties), dict[str, Condition]()
    for other in beside:
        left = _left_by(other)
        if left is None:
            continue
        read, condition = left
        name = f"{other.name}.{read.name}"
        properties.append(Property(shop=read.shop, name=name, dir="-", type=read.type))
        scope[name] = condition
    if not scope:
        return flow
    return flow.but(properties=tuple(properties), settings=flow.settings.but(scope=scope))
