"""Whether Business Central, as it is described, has what the flows ask of it; nothing is asked of a server here."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from talk_pipeline.flows.loading import Flows, composed_in, mistake
from talk_pipeline.flows.mistakes import Located, Location
from talk_pipeline.flows.properties import Property
from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.texts import Text
from talk_pipeline.flows.types import split_type
from talk_pipeline.flows.vocabulary import Flow, Part
from talk_pipeline.systems.businesscentral.description import EntitySet, Records
from talk_pipeline.systems.businesscentral.entities import Entities
from talk_pipeline.systems.businesscentral.values import Kind, UnwritableError
from talk_pipeline.wording import counted

_TYPES: Mapping[str, Sequence[str]] = {
    "decimal": ("decimal", "money"),
    "int": ("decimal", "money"),
    "bool": ("bool",),
}
"""What a number, and what is true or false there, may be in a flow, where no `values` say it."""


def check_flows(flows: Flows, folder: Path, entities: Entities) -> Iterator[str]:
    """What the flows ask of Business Central that is not described, with file, line and key."""
    for flow in flows.values():
        found = list(_mistakes(flow, entities))
        if found:
            composed = composed_in(folder, flow.name)
            for at, message in found:
                source, place = composed.place(at)
                yield mistake(source.file, source.tree, at=place, message=message)


def _mistakes(flow: Flow, entities: Entities) -> Located:
    described = entities.of(flow)
    if isinstance(described, EntitySet):
        yield from _forbidden(flow, described)
    for key in ("closed_by", "archived_in"):
        if (other := getattr(flow.businesscentral, key)) and other.entity not in entities:
            yield ("businesscentral", key, "entity"), _no_entity(other.entity, entities)
    yield from _unknown_there(flow, entities)
    for part in flow.parts:
        within: Location = ("children", part.name.removeprefix(f"{part.parent}.")) if part.parent else ()
        named = (*within, "businesscentral") if part.parent else ("businesscentral", "entity")
        if (facts := entities.of(flow, part)) is None:
            if part.parent is None:
                yield named, _no_entity(flow.businesscentral.entity, entities)
            elif isinstance(described, EntitySet):
                below = ", ".join(described.children) or "none"
                yield named, f"{described.entity} has no {part.paths[Side.BC]!r} below it; allowed: {below}"
            continue
        called = part.paths.get(Side.BC) or flow.businesscentral.entity
        told = set()
        for index, prop in enumerate(part.properties):
            for message in _mapped_wrongly(prop, called, facts):
                told.add(prop.bc)
                yield (*within, "properties", index), message
        yield from (((*within, *at), text) for at, text in _out_of_reach(flow, part, facts))
        for path in flow.fields(part, Side.BC):
            if path not in facts.kinds and path not in told:
                yield _scope_of(flow, part, path, within), _no_property(called, facts.kinds, path)


def _scope_of(flow: Flow, part: Part, path: str, within: Location) -> Location:
    """Where a flow file names a path of Business Central beside its properties."""
    if path in part.scope:
        return (*within, "scope", path) if part.parent else ("businesscentral", "scope", path)
    return ("guard", "bc") if flow.guard and flow.guard.bc == path else (*within, "properties")


def _mapped_wrongly(prop: Property, called: str, facts: Records) -> Iterator[str]:
    """What is wrong with one row of a property table."""
    if not prop.bc:
        return
    if (kind := facts.kinds.get(prop.bc)) is None:
        yield _no_property(called, facts.kinds, prop.bc)
    elif prop.dir in ("->", "<->"):
        if kind.read_only:
            yield f"{prop.name}: {prop.bc} is read-only in Business Central; use <- or ="
        elif kind.size and (longest := _longest(prop)) > kind.size:
            fits = f"{prop.type.partition('(')[0].strip()}({kind.size})"
            yield (
                f"{prop.name}: lets {counted(longest, 'character')} through, but {prop.bc} of Business Central"
                f" holds {kind.size}; write {fits}"
            )
        else:
            yield from _of_another_kind(prop, kind)


def _of_another_kind(prop: Property, kind: Kind) -> Iterator[str]:
    """What of a property could never be written as what it is in Business Central."""
    if kind.name not in _TYPES or prop.shop is None:
        return
    for word in prop.values.values():
        try:
            kind.write(word)
        except UnwritableError as error:
            yield f"{prop.name}: {prop.bc} of Business Central cannot hold this value: {error}"
    if not prop.values and split_type(prop.type)[0] not in _TYPES[kind.name]:
        types = " or ".join(_TYPES[kind.name])
        yield (
            f"{prop.name}: {prop.bc} of Business Central is {kind.described}, and no {prop.type}; write {types}"
        )


def _out_of_reach(flow: Flow, part: Part, facts: Records) -> Located:
    """What is asked of records that are shown beside another, and cannot be."""
    mapped = {prop.bc for prop in part.properties if prop.dir in ("->", "<->")}
    for index, prop in enumerate(part.properties):
        beside = facts.beside.get(prop.bc.partition(".")[0]) if "." in prop.bc else None
        if beside is None or part.by_name.get(prop.name) is not prop:
            continue
        if part.parent is None and prop.name == flow.create_key and flow.settings.creates(Side.BC):
            yield ("create_key",), f"{prop.bc} is said by another record; use a property of the record itself"
        lacking = [here for here in beside.within.values() if mapped.isdisjoint(facts.naming(here))]
        if prop.bc in facts.kinds and prop.dir in ("->", "<->") and lacking:
            text = f"{prop.name}: {prop.bc} is found by {', '.join(lacking)}, which the flow does not write"
            yield ("properties", index), text


def _unknown_there(flow: Flow, entities: Entities) -> Located:
    """What is to be read where records go on or are archived, and is not described there."""
    there = flow.businesscentral
    for where, ending in (("closed_by", there.closed_by), ("archived_in", there.archived_in)):
        if ending is None or ending.entity not in entities:
            continue
        facts = entities[ending.entity]
        for key, name in ending.named:
            at: Location = ("businesscentral", where, key)
            if (kind := facts.properties.get(name)) is None:
                yield at, _no_property(ending.entity, facts.properties, name)
            elif key == "sums" and kind.name not in ("decimal", "int"):
                yield at, f"{name} of {ending.entity} is no number: it is {kind.described}"


def _longest(prop: Property) -> int:
    """How many characters of free words a property lets through; 0 for what is none."""
    return prop.value_type.limit if prop.is_words and isinstance(prop.value_type, Text) else 0


def _no_property(called: str, known: Iterable[str], path: str) -> str:
    return f"{called} has no property {path!r}; allowed: {', '.join(known)}"


def _no_entity(name: str, entities: Entities) -> str:
    return (
        f"Business Central has no {name!r} that is described; allowed: {', '.join(entities)};"
        f" talk-pipeline new-entity {name} describes it"
    )


def _forbidden(flow: Flow, described: EntitySet) -> Located:
    """What the flow would do to records that may only be read."""
    if flow.settings.creates(Side.BC) and "create" not in described.writes:
        text = f"{described.entity} cannot be created in Business Central; use never, or businesscentral"
        yield ("settings", "create"), text
    if "update" not in described.writes:
        for index, prop in enumerate(flow.properties):
            if prop.goes_to(Side.BC):
                text = f"{prop.name}: {described.entity} cannot be changed in Business Central; use <- or ="
                yield ("properties", index), text
