"""Whether API v2.0 of Business Central has what the flows ask of it; nothing is asked of a server here."""

from collections.abc import Iterator
from pathlib import Path

from talk_pipeline.flows.loading import Flows, Location, mistake, read_yaml
from talk_pipeline.flows.properties import Property, Side
from talk_pipeline.flows.texts import Text
from talk_pipeline.flows.vocabulary import Flow, Part
from talk_pipeline.systems.businesscentral.entities import EntitySet, entity_sets
from talk_pipeline.wording import counted


def check_flows(flows: Flows, folder: Path) -> Iterator[str]:
    """What the flows ask of Business Central that API v2.0 does not have, with file, line and key."""
    for flow in flows.values():
        found = list(_mistakes(flow))
        if found:
            file = folder / f"{flow.name}.yaml"
            _, tree = read_yaml(file)
            yield from (mistake(file, tree, at=at, message=message) for at, message in found)


def _mistakes(flow: Flow) -> Iterator[tuple[Location, str]]:
    sets = entity_sets()
    for part in flow.parts:
        within: Location = ("children", part.name.removeprefix(f"{part.parent}.")) if part.parent else ()
        named = (*within, "businesscentral") if part.parent else ("businesscentral", "entity")
        name = part.paths.get(Side.BC) or flow.businesscentral.entity
        if (facts := sets.get(name)) is None:
            yield named, f"Business Central has no {name!r}; allowed: {', '.join(sets)}"
            continue
        told = set()
        for index, prop in enumerate(part.properties):
            for message in _mapped_wrongly(prop, facts):
                told.add(prop.bc)
                yield (*within, "properties", index), message
        for path in flow.fields(part, Side.BC):
            if path not in facts.properties and path not in told:
                yield _scope_of(flow, part, path, within), _no_property(facts, path)


def _scope_of(flow: Flow, part: Part, path: str, within: Location) -> Location:
    """Where a flow file names a path of Business Central beside its properties."""
    if path in part.scope:
        return (*within, "scope", path) if part.parent else ("businesscentral", "scope", path)
    return ("guard", "bc") if flow.guard and flow.guard.bc == path else (*within, "properties")


def _mapped_wrongly(prop: Property, facts: EntitySet) -> Iterator[str]:
    """What is wrong with one row of a property table."""
    if not prop.bc:
        return
    if (kind := facts.properties.get(prop.bc)) is None:
        yield _no_property(facts, prop.bc)
    elif prop.dir in ("->", "<->"):
        if kind.read_only:
            yield f"{prop.name}: {prop.bc} is read-only in Business Central; use <- or ="
        elif kind.size and (longest := _longest(prop)) > kind.size:
            fits = f"{prop.type.partition('(')[0].strip()}({kind.size})"
            yield (
                f"{prop.name}: lets {counted(longest, 'character')} through, but {prop.bc} of Business Central"
                f" holds {kind.size}; write {fits}"
            )


def _longest(prop: Property) -> int:
    """How many characters of free words a property lets through; 0 for what is none."""
    return prop.value_type.limit if prop.is_words and isinstance(prop.value_type, Text) else 0


def _no_property(facts: EntitySet, path: str) -> str:
    return f"{facts.name} has no property {path!r}; allowed: {', '.join(facts.properties)}"
