"""What Business Central does by itself with an entity set, told to the flows that write to it.

A description says it once, in the words of Business Central: what it sets anew, makes anew and refuses. Each flow
gets of that what concerns its own properties; what a flow file says itself counts instead, be it nothing.
"""

from collections.abc import Iterable, Mapping, Sequence

from talk_pipeline.flows.loading import Flows
from talk_pipeline.flows.properties import Property
from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.vocabulary import Flow, Guard, Part
from talk_pipeline.systems.businesscentral.description import EntitySet, Lines, Records
from talk_pipeline.systems.businesscentral.entities import Entities


def behaving(flows: Flows, entities: Entities) -> Flows:
    """The flows with what is described of the sets they write to."""
    return Flows(tuple(told(flow, entities) for flow in flows.values()))


def told(flow: Flow, entities: Entities) -> Flow:
    """One flow with what is described of its set; where none is described, as it is."""
    described = entities.get(flow.businesscentral.entity)
    if described is None:
        return flow
    below = {
        part.key: lines for part in flow.parts[1:] if (lines := described.children.get(part.paths[Side.BC]))
    }
    children = {
        key: child.but(
            properties=_properties(flow.part(f"{flow.name}.{key}"), below[key]),
            **_unsaid(child.model_fields_set, send_with=_named(flow.root, below[key].moves)),
        )
        for key, child in flow.children.items()
        if key in below
    }
    recreated, last = _recreated(flow, described), described.written_last
    return flow.but(
        properties=_properties(flow.root, described, recreated=recreated, last=last),
        children={**flow.children, **children},
        **_unsaid(flow.model_fields_set, guard=_guard(flow, described, below)),
    )


def _recreated(flow: Flow, described: EntitySet) -> Mapping[str, tuple[str, ...]]:
    """Property of Business Central -> the flow's child collections that are made anew when it changes."""
    return {
        name: tuple(part.key for part in flow.parts[1:] if part.paths[Side.BC] in collections)
        for name, collections in described.recreates.items()
    }


def _properties(
    part: Part,
    described: Records,
    *,
    recreated: Mapping[str, tuple[str, ...]] | None = None,
    last: Sequence[str] = (),
) -> tuple[Property, ...]:
    def one(prop: Property) -> Property:
        if not prop.goes_to(Side.BC):
            return prop
        beside = described.beside.get(prop.bc.partition(".")[0])
        within = [
            one for here in (beside.within.values() if beside else ()) for one in described.naming(here)
        ]
        along = (*described.redefaults.get(prop.bc, ()), *within)
        found = {
            "send_with": _named(part, along),
            "recreates": (recreated or {}).get(prop.bc, ()),
            "written": "last" if prop.bc in last else None,
        }
        values = _unsaid(prop.model_fields_set, **{name: value for name, value in found.items() if value})
        return prop.but(**values) if values else prop

    return tuple(map(one, part.properties))


def _guard(flow: Flow, described: EntitySet, below: Mapping[str, Lines]) -> Guard | None:
    if (said := described.guard) is None:
        return None
    lines = [
        name for key, one in below.items() for name in _named(flow.part(f"{flow.name}.{key}"), one.guarded)
    ]
    return Guard(
        bc=said.property,
        open_while=said.open_while,
        reason=said.reason,
        withholds=_named(flow.root, said.withholds),
        withholds_lines=tuple(dict.fromkeys(lines)),
    )


def _named(part: Part, names: Iterable[str]) -> tuple[str, ...]:
    """The part's own names of these properties of Business Central, as far as they are written there."""
    written = [prop for prop in part.properties if prop.goes_to(Side.BC)]
    return tuple(prop.name for name in names for prop in written if prop.bc == name)


def _unsaid(said: Iterable[str], **values: object) -> dict[str, object]:
    """What the flow file does not say itself."""
    return {name: value for name, value in values.items() if name not in set(said)}
