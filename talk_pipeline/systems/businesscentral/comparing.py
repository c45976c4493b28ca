"""How a description stands to what `$metadata` declares: what is not there, or otherwise. Nothing is asked here."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.vocabulary import Flow, Part
from talk_pipeline.systems.businesscentral.beside import Beside
from talk_pipeline.systems.businesscentral.description import EntitySet, Records
from talk_pipeline.systems.businesscentral.metadata import EntityType, Metadata
from talk_pipeline.systems.businesscentral.values import Kind
from talk_pipeline.wording import counted

Level = Literal["ok", "warning", "problem"]


@dataclass(frozen=True, slots=True)
class Answered:
    """What came of asking; a problem will stop the flow, a warning wants a look."""

    level: Level
    message: str


def compared(described: EntitySet, metadata: Metadata) -> Iterator[Answered]:
    """What differs, of the record itself and of what lies below it; the set is one that is declared."""
    kind = metadata.type_of(described.name)
    yield from _records(described, described.entity, kind, metadata)
    for path, lines in described.children.items():
        called = f"{described.entity}.{path}"
        below = metadata.types.get(kind.below.get(path, ""))
        if below is None:
            known = ", ".join(kind.below) or "none"
            yield Answered(
                "warning", f"{called}: $metadata has no such collection below it; there are: {known}"
            )
            continue
        yield from _records(lines, called, below, metadata)
        if not lines.nested and (lines.set or path) not in metadata.sets:
            text = (
                f"$metadata has no entity set {lines.set or path}, in which they are addressed by themselves"
            )
            yield Answered("warning", f"{called}: {text}: say its name (set), or nested: true")


def foreign_words(flow: Flow, described: EntitySet, metadata: Metadata) -> Iterator[Answered]:
    """What a flow maps to an enumeration, or asks of one, and is no member of it; such a constant is refused."""
    kind = metadata.type_of(described.name)
    for part in flow.parts:
        of = metadata.types.get(kind.below.get(part.paths[Side.BC], "")) if part.parent else kind
        called = part.paths[Side.BC] if part.parent else flow.businesscentral.entity
        for path, members in (of.members if of else {}).items():
            known = ", ".join(one or "blank" for one in members)
            for level, word in _words(flow, part, path):
                if word not in members:
                    never = f"{path} is never {repr(word) if word else 'blank'}"
                    text = f"{called}: flow {flow.name}: {never}, says $metadata: it is one of {known}"
                    yield Answered(level, text)


def _words(flow: Flow, part: Part, path: str) -> Iterator[tuple[Level, str]]:
    """The words that a flow has for a property of Business Central."""
    yield from (("warning", one) for one in part.alternatives.get(path, ()) if not one.endswith("*"))
    for prop in (one for one in part.properties if one.bc == path):
        yield from (("warning", one) for one in (*prop.values.values(), *prop.reads))
        if prop.shop is None and (said := flow.settings.constants.get(prop.name)) is not None:
            yield "problem", prop.values.get(said, said)


def _records(said: Records, called: str, kind: EntityType, metadata: Metadata) -> Iterator[Answered]:
    made = isinstance(said, EntitySet) and bool(said.grouped_by)
    if not made:
        yield from _key(said, called, kind)
    for name, one in said.properties.items():
        if (made or said.keys) and name == said.key:
            continue
        if of := kind.beside.get(name):
            yield Answered(
                "problem", f"{called}: {name} is {of}, says $metadata: no value that a flow carries"
            )
        elif text := _otherwise(name, one, kind.kinds.get(name)):
            yield Answered("warning", f"{called}: {text}")
    for name, beside in said.beside.items():
        for text in _beside(name, beside, kind, metadata):
            yield Answered("warning", f"{called}: {text}")


def _key(said: Records, called: str, kind: EntityType) -> Iterator[Answered]:
    if kind.key is None and not said.keys:
        yield Answered("problem", f"{called} {kind.no_key}")
    elif set(kind.keys) != set(said.key_parts):
        there, here = (", ".join(one) for one in (kind.keys, said.key_parts))
        yield Answered("warning", f"{called}: its key is {there}, says $metadata, and not {here}")


def _otherwise(name: str, said: Kind, there: Kind | None) -> str | None:
    """What is wrong with a property; a code is a text there, and a text may be described shorter than it is."""
    if there is None:
        return f"$metadata has no property {name}"
    if there.name != ("text" if said.name == "code" else said.name):
        return f"{name} is {there._replace(read_only=False)}, says $metadata, and not {said.name}"
    if there.size is not None and (said.size is None or said.size > there.size):
        return f"{name} holds {counted(there.size, 'character')}, says $metadata: write {said.name}({there.size})"
    return None


def _beside(name: str, said: Beside, kind: EntityType, metadata: Metadata) -> Iterator[str]:
    if said.set and said.set not in metadata.sets:
        yield f"$metadata has no entity set {said.set}, where {name} is looked up"
        return
    way = said.way or name
    if (of := kind.ways.get(way)) is None:
        yield f"$metadata has no way {way} to what {name} shows; there are: {', '.join(kind.ways) or 'none'}"
        return
    if (other := metadata.types.get(of)) is None:
        return
    named = (*said.properties.items(), *((one, Kind("text")) for one in said.where if one not in other.kinds))
    for path, one in named:
        if text := _otherwise(path, one, other.kinds.get(path)):
            yield f"of {name}, {text}"
    for path in (*said.within, *((said.key,) if said.set else ())):
        if path not in other.kinds:
            yield f"of {name}, $metadata has no property {path}"
