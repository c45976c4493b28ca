"""Collections that leave to others what a collection of another flow leaves to them.

What an order charges as an item, such as freight, is no product on its invoice either. Which item that is stands in
the order's flow alone.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from talk_pipeline.flows.children import Children
from talk_pipeline.flows.vocabulary import Flow, Part


def leaving(flows: Mapping[str, Flow]) -> dict[str, Flow]:
    """The flows, with all that their collections leave."""
    parts = {part.name: part for flow in flows.values() for part in flow.parts[1:]}
    return {name: _leaving(flow, parts) for name, flow in flows.items()}


def unheard_of(folder: Path, flows: Mapping[str, Flow]) -> Iterator[str]:
    """Collections that are to leave what another one leaves, and there is no such, a line each."""
    known = [
        f"{flow.name}.{key}"
        for flow in flows.values()
        for key, one in flow.children.items()
        if not one.leaves_as
    ]
    for flow in flows.values():
        for key, one in flow.children.items():
            if one.leaves_as and one.leaves_as not in known:
                where = f"{folder / flow.name}.yaml: children.{key}.leaves_as"
                text = f"no collection that tells by itself what it leaves is called {one.leaves_as!r}"
                yield f"{where}: {text}; allowed: {', '.join(known)}"


def _leaving(flow: Flow, parts: Mapping[str, Part]) -> Flow:
    if not any(one.leaves_as for one in flow.children.values()):
        return flow
    return flow.but(children={key: _with(one, parts) for key, one in flow.children.items()})


def _with(one: Children, parts: Mapping[str, Part]) -> Children:
    return one.but(leaves=parts[one.leaves_as].yields_to) if one.leaves_as else one
