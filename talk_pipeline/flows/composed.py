"""Additions to a flow: files that give it further properties and children, so that each company takes what it has.

An addition is a file of its own beside that of the flow. What both say together is one flow; whoever reads flows
knows nothing of how many files they came from.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import Field

from talk_pipeline.flows.children import Children
from talk_pipeline.flows.endings import ArchivedIn
from talk_pipeline.flows.mistakes import Location
from talk_pipeline.flows.properties import Model, Property, Word
from talk_pipeline.flows.vocabulary import Flow


class AddedChildren(Children):
    """Rows for a child collection that the flow has; or one that it has not, with all its keys."""

    customwebshop: str = Field("", description="of a new collection: the list in the shop's record")
    businesscentral: str = Field(
        "", description="of a new collection: the collection below Business Central's record"
    )
    counted_in: tuple[str, ...] = Field(
        (),
        description="of a new collection: the sums of the flow (`composed_of`) that count what it `comes_to`",
    )
    bears: tuple[str, ...] = Field(
        (), description="of a new collection: what these sums take off (`less`) of which it bears its share"
    )


class Addition(Model):
    """A file that adds to a flow beside it."""

    adds_to: str = Field(description="the flow's name")
    properties: tuple[Property, ...] = Field((), description="further rows of its property table")
    children: Mapping[str, AddedChildren] = Field(
        {}, description="name -> further rows of a child collection, or a further one"
    )
    constants: Mapping[str, Word] = Field({}, description="what is added to `settings.constants`")
    archived_in: ArchivedIn | None = Field(None, description="the same under `businesscentral` of the flow")


@dataclass(frozen=True, slots=True)
class Source:
    """One file of a flow, with what it says and where."""

    file: Path
    tree: yaml.Node | None
    says: Flow | Addition


@dataclass(frozen=True, slots=True)
class Composed:
    """A flow as its files say it together: its own first."""

    sources: Sequence[Source]

    @property
    def flow(self) -> Flow:
        """What they come to."""
        flow, *_ = (one.says for one in self.sources)
        assert isinstance(flow, Flow)
        for source in self.sources[1:]:
            assert isinstance(source.says, Addition)
            flow = _added(flow, source.says)
        return flow

    def problems(self) -> Iterator[tuple[Source, Location, str]]:
        """What cannot be put together, by file and key."""
        flow, *_ = (one.says for one in self.sources)
        assert isinstance(flow, Flow)
        for source in self.sources[1:]:
            assert isinstance(source.says, Addition)
            for key, added in source.says.children.items():
                for message in _unfit(added, key in flow.children):
                    yield source, ("children", key), message
                for word, message in _uncounted(added, flow):
                    yield source, ("children", key, word), message
        yield from self._said_twice()
        for at, rows in self._rows().items():
            first: dict[str, Source] = {}
            for source, row, name in rows:
                if first.setdefault(name, source) is not source:
                    text = f"a property of that name is in {first[name].file.name}"
                    yield source, (*at, row, "name"), f"{name!r}: {text}"

    def _said_twice(self) -> Iterator[tuple[Source, Location, str]]:
        """Constants, and where archived orders are, that an earlier file says: the last one would hold."""
        own = self.sources[0].says
        assert isinstance(own, Flow)
        constants = dict.fromkeys(own.settings.constants, self.sources[0])
        archived = self.sources[0] if own.businesscentral.archived_in else None
        for source in self.sources[1:]:
            assert isinstance(source.says, Addition)
            for name in source.says.constants:
                if (first := constants.setdefault(name, source)) is not source:
                    yield source, ("constants", name), f"is in {first.file.name} already; keep one of the two"
            if source.says.archived_in:
                if archived:
                    yield source, ("archived_in",), f"is in {archived.file.name} already; keep one of the two"
                archived = archived or source

    def place(self, at: Location) -> tuple[Source, Location]:
        """The file in which something of the whole flow is said, and where in it."""
        own = self.sources[0]
        match at:
            case ("properties", int(row), *rest):
                source, row = self._row([len(one.says.properties) for one in self.sources], row)
                return source, ("properties", row, *rest)
            case ("children", str(key), "properties", int(row), *rest):
                counts = [len(_rows(one.says, key)) for one in self.sources]
                source, row = self._row(counts, row)
                return source, ("children", key, "properties", row, *rest)
            case ("businesscentral", "archived_in", *rest):
                said = (one for one in self.sources[1:] if getattr(one.says, "archived_in", None))
                if (other := next(said, None)) is not None:
                    return other, ("archived_in", *rest)
            case ("children", str(key), *_):
                return next((one for one in self.sources if key in one.says.children), own), at
        return own, at

    def _rows(self) -> Mapping[Location, Sequence[tuple[Source, int, str]]]:
        """Every row of each property table: its file, where in it, and what it is called."""
        keys = dict.fromkeys(key for one in self.sources for key in one.says.children)
        tables: dict[Location, list[tuple[Source, int, str]]] = {}
        for one in self.sources:
            for at, rows in [
                (("properties",), one.says.properties),
                *((("children", key, "properties"), _rows(one.says, key)) for key in keys),
            ]:
                tables.setdefault(at, []).extend((one, row, prop.name) for row, prop in enumerate(rows))
        return tables

    def _row(self, counts: Sequence[int], row: int) -> tuple[Source, int]:
        for source, count in zip(self.sources, counts, strict=True):
            if row < count:
                return source, row
            row -= count
        return self.sources[0], row


def _rows(says: Flow | Addition, key: str) -> Sequence[Property]:
    return says.children[key].properties if key in says.children else ()


def _unfit(added: AddedChildren, there: bool) -> Iterator[str]:
    said = {"customwebshop", "businesscentral"} & added.model_fields_set
    if there and (more := sorted(added.model_fields_set - {"properties"})):
        yield f"is there already: rows are added to it, and nothing else is said of it; found {', '.join(more)}"
    if not there and len(said) < 2:
        yield "is a new collection: say customwebshop and businesscentral, where it is on both sides"


def _uncounted(added: AddedChildren, flow: Flow) -> Iterator[tuple[str, str]]:
    """Sums that are none, and what none of them takes off, as (key, message)."""
    sums = {prop.name: prop.composed_of for prop in flow.properties if prop.composed_of}
    less = dict.fromkeys(name for one in added.counted_in if one in sums for name in sums[one].less)
    for key, names, known in (("counted_in", added.counted_in, sums), ("bears", added.bears, less)):
        for name in names:
            if name not in known:
                hint = "; say counted_in of a sum that takes it off" if key == "bears" and not less else ""
                yield key, f"no such sum has {name!r}; allowed: {', '.join(known) or 'none'}{hint}"


def _counting(prop: Property, key: str, added: AddedChildren) -> Property:
    """A row of the flow that sums its collections, with one more of them."""
    made = prop.composed_of
    if made is None or prop.name not in added.counted_in:
        return prop
    less = {name: (*by, key) if name in added.bears else by for name, by in made.less.items()}
    return prop.but(composed_of=made.but(children=(*made.children, key), less=less))


def _added(flow: Flow, more: Addition) -> Flow:
    children: dict[str, Any] = dict(flow.children)
    own = flow.properties
    for key, added in more.children.items():
        own = tuple(_counting(prop, key, added) for prop in own)
        there = children.get(key)
        said = {name: getattr(added, name) for name in added.model_fields_set & Children.model_fields.keys()}
        children[key] = (
            there.but(properties=(*there.properties, *added.properties))
            if there
            else Children.model_construct(_fields_set=set(said), **{**dict(added), **said})
        )
    settings = flow.settings
    if more.constants:
        settings = settings.but(constants={**settings.constants, **more.constants})
    central = flow.businesscentral
    if more.archived_in:
        central = central.but(archived_in=more.archived_in)
    rows = (*own, *more.properties)
    return flow.but(properties=rows, children=children, settings=settings, businesscentral=central)
