"""The vocabulary of a description of one entity set, as frozen models validated on load.

What a set is called, where it is, what each property is; nothing is asked of a server here. `entities` reads the
files; what goes over the line is in `client` and `writing`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, Literal

from pydantic import Field

from talk_pipeline.flows.bounds import MOST
from talk_pipeline.flows.mistakes import Located
from talk_pipeline.flows.properties import Model, Word
from talk_pipeline.flows.values import Value
from talk_pipeline.systems.businesscentral.beside import Beside
from talk_pipeline.systems.businesscentral.keyed import Keyed
from talk_pipeline.systems.businesscentral.values import Kind, text_of

V2 = "v2.0"
"""The API that the setting's address leads to; every other one lies beside it."""

API = r"^(v2\.0|[^/\s]+/[^/\s]+/[^/\s]+)$"
"""How an API is named: v2.0, or publisher/group/version."""

Decoder = Callable[[Mapping[str, Any]], dict[str, Value]]
Operation = Literal["create", "update", "delete"]


class Records(Keyed):
    """Records of one kind: an entity set, or the lines below one."""

    set: str | None = Field(None, description="the name in addresses, where it is another one")
    prices: tuple[str, ...] = Field((), description="properties that are prices, with tax or without")
    redefaults: Mapping[str, tuple[str, ...]] = Field(
        {},
        description="property -> those that Business Central sets anew when it changes, unless they go along",
    )
    beside: Mapping[str, Beside] = Field(
        {},
        description="name -> a record that is shown beside it; flows call what that says by both, as in"
        " `paymentTerm.code`",
    )

    def naming(self, path: str) -> tuple[str, ...]:
        """What a flow may write so that a property of the record gets a value: itself, or what it names."""
        shown = (
            f"{name}.{one}"
            for name, of in self.beside.items()
            if of.named_by == path
            for one in of.properties
        )
        return (path, *shown)

    @cached_property
    def kinds(self) -> Mapping[str, Kind]:
        """All that a flow may name -> its type."""
        shown = {
            f"{name}.{path}": kind if beside.named_by else kind._replace(read_only=True)
            for name, beside in self.beside.items()
            for path, kind in beside.properties.items()
        }
        return {**self.properties, **shown}

    def shown(self, paths: Iterable[str]) -> Mapping[str, tuple[str, ...]]:
        """What is asked for beside the record, for these paths: name in `$expand` -> what is selected."""
        found: dict[str, tuple[str, ...]] = {}
        for name in dict.fromkeys(path.partition(".")[0] for path in paths if path not in self.properties):
            beside = self.beside[name]
            way = beside.way or name
            found[way] = tuple(dict.fromkeys((*found.get(way, ()), *beside.selected)))
        return found

    def decoder(self, paths: Sequence[str]) -> Decoder:
        """What reads the wire values of these properties as text values."""
        kinds = [(path, self.kinds[path]) for path in paths]
        readings = [(path, kind.read_as_blank, kind.name == "enum") for path, kind in kinds]
        there, made = set(self.own), {self.key} if self.keys and self.key in paths else set()
        own = [one for one in readings if one[0] in there]
        others = [one for one in readings if one[0] not in (*there, *made)]
        plain = {path for path, blanks, is_enum in own if not (blanks or is_enum)}

        def decode(values: Mapping[str, Any]) -> dict[str, Value]:
            # a text says what it is, which is nearly always so: asked here, since it is asked of every value
            return {
                path: value or None
                if isinstance(value := values.get(path), str) and path in plain
                else text_of(value, blanks, is_enum)
                for path, blanks, is_enum in own
            }

        def decode_all(values: Mapping[str, Any]) -> dict[str, Value]:
            found = decode(values) | {path: self.id_of(values) for path in made}
            for path, blanks, is_enum in others:
                name, _, inner = path.partition(".")
                beside = self.beside[name]
                shown = beside.shown(values.get(beside.way or name))
                found[path] = text_of(shown.get(inner), blanks, is_enum)
            return {path: found[path] for path in paths}

        return decode_all if others or made else decode

    def problems(self) -> Located:
        """What the models alone cannot see, as (key path, message)."""
        yield from self.key_problems()
        yield from self._unknown(("prices",), self.prices)
        for name, others in self.redefaults.items():
            yield from self._unknown(("redefaults",), (name, *others))
        for name, beside in self.beside.items():
            if name in self.properties:
                yield ("beside", name), "there is a property of that name"
            yield from ((("beside", name, *at), text) for at, text in beside.problems(self.properties))


class Lines(Records):
    """A collection below each record of a set, such as the lines of a document."""

    moves: tuple[str, ...] = Field(
        (), description="properties of the record that Business Central sets anew when one of these changes"
    )
    guarded: tuple[str, ...] = Field(
        (),
        description="properties that are refused while the record is not open; so are new and removed ones",
    )
    sorted_by: str | None = Field(None, description="the whole number they are sorted by, such as `sequence`")
    nested: bool = Field(
        False, description="they are addressed below their record alone, and not by themselves as well"
    )

    @property
    def known(self) -> tuple[str, ...]:
        """What is asked for of each, whatever a flow reads."""
        return tuple(filter(None, (*self.key_parts, self.sorted_by)))

    def in_order(self, rows: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        """Lines as received, as they stand in Business Central."""
        by = self.sorted_by
        return sorted(rows, key=lambda row: int(row.get(by, 0))) if by else list(rows)

    def problems(self) -> Located:
        """What the models alone cannot see, as (key path, message)."""
        yield from super().problems()
        yield from self._unknown(("guarded",), self.guarded)
        if self.sorted_by and self.properties.get(self.sorted_by, Kind("")).name != "int":
            yield ("sorted_by",), f"{self.sorted_by!r} is no whole number of theirs"


class Guard(Model):
    """What Business Central refuses while a record is not open for it."""

    property: str = Field(description="the property that tells, such as `status`")
    open_while: tuple[Word, ...] = Field(description="its values while everything may be written")
    reason: str = Field(description="what a person reads of a change that is withheld")
    withholds: tuple[str, ...] = Field((), description="properties of the record that are refused meanwhile")


class EntitySet(Records):
    """One entity set of one API of Business Central."""

    entity: str = Field(description="what flows call it, and the file's name")
    api: str = Field(
        V2,
        pattern=API,
        description="v2.0, or publisher/group/version of any other API page",
    )
    modified: str | None = Field(
        "lastModifiedDateTime",
        description="the property that tells when a record was modified; with ~ every snapshot is full",
    )
    writes: tuple[Operation, ...] = Field(
        ("create", "update", "delete"), description="what may be done to its records; [] is read-only"
    )
    notices: bool = Field(True, description="whether Business Central tells of changes (webhooks)")
    replica: bool = Field(
        False, description="whether a read replica, which lags a little, may serve a full snapshot"
    )
    filters: bool = Field(
        True, description="whether it takes filters; else all is read where one is looked for"
    )
    selects: bool = Field(
        True, description="whether it takes `$select` and `$expand`; else all that a record has is read"
    )
    grouped_by: tuple[str, ...] = Field(
        (),
        description="properties whose values rows have in common that are one record; what else it says is the same"
        " in all of them, or of `sums` what they come to",
    )
    sums: tuple[str, ...] = Field((), description="with grouped_by: numbers that are added up")
    card: int | None = Field(
        None, ge=1, le=MOST, description="the web client's page that shows one record, by its number"
    )
    price_mode: str | None = Field(None, description="the property that tells whether prices include tax")
    recreates: Mapping[str, tuple[str, ...]] = Field(
        {}, description="property -> collections whose records Business Central makes anew when it changes"
    )
    written_last: tuple[str, ...] = Field((), description="properties that are written after all children")
    guard: Guard | None = Field(None, description="when a record takes only some edits")
    children: Mapping[str, Lines] = Field({}, description="collection below a record -> what is in it")

    @property
    def name(self) -> str:
        """The name in addresses."""
        return self.set or self.entity

    @property
    def repeated(self) -> tuple[str, ...]:
        """Of a record that is made of rows: what all of them say alike."""
        made = (self.key, *self.grouped_by, *self.sums)
        return tuple(name for name in self.properties if name not in made)

    def selecting(self, names: Iterable[str]) -> dict[str, str]:
        """How these properties alone are asked for, where that is possible."""
        return {"$select": ",".join(dict.fromkeys(names))} if self.selects else {}

    @property
    def root(self) -> str:
        """Where its API begins."""
        return root_of(self.api)

    @property
    def known(self) -> tuple[str, ...]:
        """What is asked for of each record, whatever a flow reads."""
        return tuple(filter(None, (*self.key_parts, self.modified)))

    def problems(self) -> Located:
        """What the models alone cannot see, as (key path, message)."""
        yield from super().problems()
        for key, name, kind in (
            ("modified", self.modified, "datetime"),
            ("price_mode", self.price_mode, "bool"),
        ):
            if name and self.properties.get(name, Kind("")).name != kind:
                yield (key,), f"{self.lacks(name) if name not in self.properties else f'{name} is no {kind}'}"
        if self.modified and not self.filters:
            yield ("modified",), "what takes no filters cannot be asked for what changed: modified: ~"
        for name in ("children", "beside") if not self.selects else ():
            if getattr(self, name):
                yield (name,), "what takes no `$expand` shows nothing but its own properties"
        yield from self._grouped()
        yield from self._unknown(("recreates",), self.recreates)
        yield from self._unknown(("written_last",), self.written_last)
        if self.guard:
            yield from self._unknown(("guard",), (self.guard.property, *self.guard.withholds))
        for name in (one for collections in self.recreates.values() for one in collections):
            if name not in self.children:
                yield (
                    ("recreates",),
                    f"nothing below it is called {name!r}; allowed: {', '.join(self.children)}",
                )
        for name, lines in self.children.items():
            yield from self._unknown(("children", name, "moves"), lines.moves)
            yield from ((("children", name, *at), text) for at, text in lines.problems())

    def _grouped(self) -> Located:
        """What cannot be of records that are sums."""
        yield from self._unknown(("grouped_by",), self.grouped_by)
        yield from self._unknown(("sums",), self.sums)
        if self.sums and not self.grouped_by:
            yield ("sums",), "sums go with grouped_by"
        if not self.grouped_by:
            return
        for name in self.sums:
            if (kind := self.properties.get(name)) and kind.name not in ("decimal", "int"):
                yield ("sums",), f"{name} is no number: {kind}"
        if (
            self.key in (*self.grouped_by, *self.sums)
            or self.properties.get(self.key, Kind("")).name != "text"
        ):
            yield ("key",), "is made of what is grouped by: a text of its own, such as `id: text read`"
        more = {
            "modified": self.modified,
            "writes": self.writes,
            "notices": self.notices,
            "children": self.children,
        }
        for name in (name for name, said in more.items() if said):
            yield (
                (name,),
                "records made of rows are read alone, in full: modified: ~, writes: [], notices: false",
            )
        if self.beside:
            yield ("beside",), "records made of rows say what the rows say themselves"


def root_of(api: str) -> str:
    """Where an API begins: below the address of the settings, or beside it."""
    return "" if api == V2 else f"../{api}"
