"""What a description says of properties, and of the lists within a record."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from talk_pipeline.flows.mistakes import Located
from talk_pipeline.flows.properties import Model, Word
from talk_pipeline.systems.customwebshop.spec import paths
from talk_pipeline.systems.customwebshop.spec.asking import Asked, Empty
from talk_pipeline.systems.customwebshop.spec.calls import Call, Calls
from talk_pipeline.systems.customwebshop.spec.fields import Field as Property
from talk_pipeline.systems.customwebshop.spec.fields import field_for
from talk_pipeline.systems.customwebshop.spec.files import Pattern
from talk_pipeline.systems.customwebshop.spec.ids import AnyId, Id
from talk_pipeline.systems.customwebshop.spec.paging import Paging, counts, tells
from talk_pipeline.systems.customwebshop.spec.places import Path
from talk_pipeline.systems.customwebshop.spec.templates import KEY, VERSION, misnamed


def _fields(value: object) -> object:
    return _flat(value, "") if isinstance(value, dict) else value


def _flat(data: dict[Any, Any], prefix: str) -> dict[str, Any]:
    """Properties may be written nested, as `address: {line1: street}`; a text alone is a path."""
    found: dict[str, Any] = {}
    for key, value in data.items():
        name = f"{prefix}{key}"
        if isinstance(value, dict) and not set(value) & set(Property.model_fields):
            found |= _flat(value, f"{name}.")
        else:
            found[name] = {"path": value} if isinstance(value, str) else value
    return found


Properties = Annotated[Mapping[str, Property | None], BeforeValidator(_fields)]


class FieldSet(Model):
    """What the shop has of a flow's properties."""

    fields: Properties = {}
    lacks: tuple[str, ...] = Field((), description="properties and groups that the shop does not have")

    unwritten: tuple[str, ...] = Field(
        (),
        description="properties and groups that the shop tells and does not take, as by write: false of each",
    )

    @property
    def properties(self) -> Mapping[str, Property | None]:
        """All that is said of properties."""
        return {**dict.fromkeys(self.lacks), **self.fields}

    def field(self, name: str) -> Property | None:
        """How a property is told; None when the shop has none."""
        found = field_for(self.properties, name)
        told_alone = any(name == one or name.startswith(f"{one}.") for one in self.unwritten)
        return found.but(write=False) if found and told_alone else found


class Lines(FieldSet):
    """A list within a record, such as the lines of an order: part of it, or behind a path of its own."""

    path: Path | None = Field(None, description="where the list is in the record")
    single: bool = Field(
        False,
        description="there is no list: properties of the record itself are the only entry it has room for",
    )
    url: str | None = Field(
        None,
        description="where it is added to and, without path, read; may name {path}, {item}, {id}, {record:place}",
    )
    table: str | None = Field(
        None, description="table with the entries of all records, of a database; `parent` is a column of it"
    )
    stamps: Mapping[str, Literal["next"]] = Field(
        {}, description="columns of a new entry, of a database: next for one more than the record's highest"
    )
    file: Pattern | None = Field(
        None, description="pattern of files with the entries of all records; `parent` is a place in an entry"
    )
    may_be_empty: bool = Field(False, description="of files: a record without any entry is believed")
    columns: tuple[str, ...] = Field((), description="of files without a header: their columns")
    write: Path | Literal[False] | None = Field(
        None,
        description="where in the record one read elsewhere is written; false: the shop takes no changes",
    )
    where: Mapping[Path, Word] = Field(
        {}, description="what the entries have that are meant, blank: nothing; others stay alone"
    )
    read: Asked = Field(Asked(), description="how a list at url is asked for, if not by GET")
    records: Path | None = Field(None, description="where that answer has the list")
    element: Path | None = Field(
        None, description="where an entry of the list has what is meant, such as node"
    )
    empty: Empty = Field(
        (), description="what says that there are none beside []: a status such as 404, null, missing or {}"
    )
    paging: Paging | None = Field(
        None,
        description="how that list goes on; one in the record, which has the places, by asking for that again",
    )
    parent: Path | None = Field(None, description="where an entry that is created names its record by its id")
    id: AnyId = Id()
    read_only: tuple[Path, ...] = Field((), description="what is never sent back")
    untouched: Literal["whole", "id", "omitted"] = Field("whole", description="lines that stay as they are")
    remove: Mapping[str, Any] | None = Field(None, description="what marks a line to go; else it is left out")
    constants: Mapping[str, Any] = Field({}, description="what a new entry says always: path -> value")
    create: Calls = (Call(method="POST", path="{lines}"),)
    update: Calls = (Call(method="PATCH", path="{lines}/{line}"),)
    delete: Calls = (Call(method="DELETE", path="{lines}/{line}"),)
    before: Calls = Field(
        (), description="what begins changes of entries one by one, such as a draft of the order"
    )
    after: Calls = Field(
        (), description="what carries out the changes that were begun, such as its confirmation"
    )
    abandon: Calls = Field((), description="what gives up the changes that were begun, when one is refused")

    def problems(self, *, written: bool) -> Located:
        """What the types alone cannot see, as (key path, message); of a record that is only read less is asked."""
        written = written and self.write is not False
        if self.path is None and self.url is None and not (self.kept_apart or self.single):
            yield (), "says path, url or both, or single"
        if self.single and (self.path or self.url or (written and not self.remove)):
            hint = "leave path and url out" + ", and say remove: what says that there is none" * written
            yield ("single",), f"the record itself is the entry: {hint}"
        if self.untouched == "omitted" and self.remove is None and not self.singly:
            how = "say remove: what marks one to go, such as {quantity: 0}"
            yield (), f"untouched: omitted keeps what is left out: {how}"
        joined = (self.path or "").startswith("@")
        if joined and written and not (self.singly or self.write):
            yield ("path",), f"{self.path} is joined to the record, and not written: say url, or write"
        if isinstance(self.write, str) and self.path is not None and not joined:
            yield ("write",), "is for a list read at url: leave path out"
        yield from misnamed(("url",), self.url, ("path", "item", "id", "record:"))
        yield from self._of_reading()
        begun = ("begun:",) if self.before else ()
        for name in ("create", "update", "delete"):
            yield from self._of_calls(name, getattr(self, name), begun)
        for name, calls in (("before", self.before), ("after", self.after), ("abandon", self.abandon)):
            if calls and not self.singly:
                yield (name,), "is for lists behind a path of their own: say url, and no write"
            for index, call in enumerate(calls):
                known = ("id", VERSION, KEY, *(begun if index or name != "before" else ()))
                found = call.problems(addressed=("lines", "item", *known), said=known)
                yield from (((name, index, *at), text) for at, text in found)
        if self.abandon and not self.before:
            yield ("abandon",), "gives up what `before` began: say that too"

    def _of_reading(self) -> Located:
        """What does not go with how the list is read."""
        if self.read.body is not None and not self.apart:
            yield ("read",), "is for a list at url alone: leave path out"
        if self.element and self.path and not self.singly and self.write is not False:
            yield (
                ("element",),
                f"entries are read at {self.element}, and not written so: say url, or write: false",
            )
        if self.paging and self.path and not counts(self.paging):
            how = "leave path out, and say url: what is there is read whole"
            yield ("paging", "style"), f"a list in the record goes on by cursor, page or offset; else {how}"
        elif self.paging and self.path and not tells(self.paging):
            yield ("paging",), "says total, more or pages: else each record would be asked for again to know"

    def _of_calls(self, name: str, calls: Calls, begun: tuple[str, ...]) -> Located:
        """What is wrong with the calls about one entry."""
        for index, call in enumerate(calls):
            named = call.problems(
                addressed=("lines", "line", "item", "id", VERSION, KEY, *begun),
                said=("line", "id", "record:", VERSION, KEY, *begun),
            )
            yield from (((name, index, *at), text) for at, text in named)
            if call.otherwise:
                yield (name, index, "otherwise"), "is for calls that write a record"
            if call.when and (name == "delete" or (name == "create" and not index)):
                yield (name, index, "when"), "is for changes: this call is made in any case"
            if name == "create" and not index and call.where_named("line"):
                yield (name, index), "the first call makes the entry: there is no {line} yet"
        if name == "create" and len(calls) > 1 and calls[0].id is None:
            yield (name, 0, "id"), "must be there: the next call is about the entry that this one made"

    @property
    def apart(self) -> bool:
        """Whether it is read behind a path of its own."""
        return self.path is None and not self.single and not self.kept_apart

    @property
    def paged_within(self) -> bool:
        """Whether a record may have the beginning of it only."""
        return self.path is not None and self.paging is not None

    @property
    def kept_apart(self) -> bool:
        """Whether the shop keeps the entries of all records in one place of their own: a table, or files."""
        return self.table is not None or self.file is not None

    @property
    def singly(self) -> bool:
        """Whether entries are written one by one, not within the record."""
        return self.url is not None and self.write is None

    @property
    def made_in_steps(self) -> bool:
        """Whether a new entry may be there though not all was told of it; one in a draft is carried out whole."""
        return self.singly and len(self.create) > 1 and not self.before

    def meant(self, row: Any) -> bool:
        """Whether an entry is of the kind that is synchronized; false is nothing where that is asked for."""
        told = ((paths.get(row, at), value) for at, value in self.where.items())
        return all(
            (paths.text_of(found) or "") == value or (found is False and not value) for found, value in told
        )
