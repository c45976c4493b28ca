"""Flows that refer to each other: whether they can, what a reference takes, and the order in which they run."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from talk_pipeline.flows.properties import Property
from talk_pipeline.flows.scoping import apart
from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.values import Value
from talk_pipeline.flows.vocabulary import Flow, Part


@dataclass(frozen=True, slots=True)
class Asked:
    """What a record must be, or must not be, to be referred to.

    Attributes:
        key: its property.
        wanted: the word that it says, or None for whichever there is.
        taken: instead, a word that it must not say, in upper case.
        whose: the collection that has what says that word.
    """

    key: str
    wanted: str | None = None
    taken: str | None = None
    whose: str | None = None


def asked_of(prop: Property, part: Part, flows: Mapping[str, Flow]) -> tuple[Asked, ...]:
    """What a record must be to be referred to by a property of that part.

    A child that names what another collection beside its own asks for, such as the item that freight is charged as,
    would be one of that collection once it is there.
    """
    asked = [Asked(key, word) for key, word in prop.usable_while.items()]
    if prop.told_by and prop.dir != "<-":
        asked.append(Asked(prop.told_by))
    mapped = {path for one in part.properties for path in one.paths(Side.BC)}
    if named := flows.get(prop.refers_to or ""):
        for whose, words in part.yields_to.items():
            further = [
                one for path in words.keys() - part.alternatives.keys() - mapped for one in words[path]
            ]
            asked += [Asked(named.create_key, taken=word.upper(), whose=whose) for word in further]
    return tuple(asked)


def told_by(prop: Property, target: Side) -> str:
    """By which property a reference is told to a side; empty where it is by the id."""
    return (prop.told_by or "") if target is Side.BC else ""


def written(prop: Property, target: Side, value: Value) -> Value:
    """A value as it is sent to a side: of a reference that is told by another property, the mere word."""
    told = f"{told_by(prop, target)}:"
    return value.removeprefix(told) if value and told != ":" else value


def across(folder: Path, flows: dict[str, Flow]) -> Iterator[str]:
    """What flows of a folder say of each other that cannot be."""
    for flow in flows.values():
        for name in flow.refers_to:
            if name not in flows:
                yield f"{folder / flow.name}.yaml: refers to flow {name!r}; allowed: {', '.join(flows)}"
        for part in flow.parts:
            for prop in part.references:
                known = flows[prop.refers_to].root.by_name if prop.refers_to in flows else {}
                if prop.told_by and known and prop.told_by not in known:
                    text = f"{prop.name} is told by {prop.told_by!r}, which flow {prop.refers_to} has not"
                    yield f"{folder / flow.name}.yaml: {text}; allowed: {', '.join(known)}"
        for other in flows.values():
            if other.name < flow.name and other.customwebshop.asset == flow.customwebshop.asset:
                yield f"{folder}: {other.name} and {flow.name} share asset {flow.customwebshop.asset!r}"
            if other.name < flow.name and other.businesscentral.asset == flow.businesscentral.asset:
                yield f"{folder}: {other.name} and {flow.name} share asset {flow.businesscentral.asset!r}"
        if flow.name in _reachable(flows, flow.name):
            yield f"{folder / flow.name}.yaml: refers to itself by way of its references"


def _reachable(flows: dict[str, Flow], name: str) -> set[str]:
    seen: set[str] = set()
    pending = [*flows[name].refers_to]
    while pending:
        step = pending.pop()
        if step not in seen and step in flows:
            seen.add(step)
            pending += flows[step].refers_to
    return seen


def may_take(flow: Flow, other: Flow) -> bool:
    """Whether what another flow makes in Business Central may be the very record that this one is to have there.

    A guest may have an account: whoever matches before that is there makes a second customer.
    """
    one_set = flow.businesscentral.entity == other.businesscentral.entity
    both_make = flow.settings.creates(Side.BC) and other.settings.creates(Side.BC)
    return one_set and both_make and not apart(flow.root.alternatives, other.root.alternatives)


def running_order(flows: dict[str, Flow]) -> Iterator[Flow]:
    """References first, then by name."""
    done: set[str] = set()
    while len(done) < len(flows):
        ready = min(n for n in flows if n not in done and set(flows[n].refers_to) <= done)
        done.add(ready)
        yield flows[ready]
