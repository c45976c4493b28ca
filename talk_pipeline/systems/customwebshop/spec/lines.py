"""What a description says of properties, and of the lists within a record."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from talk_pipeline.flows.properties import Model, Word
from talk_pipeline.systems.customwebshop.spec import paths
from talk_pipeline.systems.customwebshop.spec.asking import Empty
from talk_pipeline.systems.customwebshop.spec.calls import Call, Calls
from talk_pipeline.systems.customwebshop.spec.fields import Field as Property
from talk_pipeline.systems.customwebshop.spec.fields import field_for
from talk_pipeline.systems.customwebshop.spec.files import Pattern
from talk_pipeline.systems.customwebshop.spec.ids import AnyId, Id
from talk_pipeline.systems.customwebshop.spec.paging import Paging
from talk_pipeline.systems.customwebshop.spec.places import Path
from talk_pipeline.systems.customwebshop.spec.templates import Located, misnamed


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
    records: Path | None = Field(None, description="where that answer has the list")
    empty: Empty = Field(
        (), description="what says that there are none beside []: a status such as 404, null, missing or {}"
    )
    paging: Paging | None = Field(None, description="how that list goes on; without, it must come at once")
    parent: Path | None = Field(None, description="where an entry that is created names its record by its id")
    id: AnyId = Id()
    read_only: tuple[Path, ...] = Field((), description="what is never sent back")
    untouched: Literal["whole", "id", "omitted"] = Field("whole", description="lines that stay as they are")
    remove: Mapping[str, Any] | None = Field(None, description="what marks a line to go; else it is left out")
    constants: Mapping[str, Any] = Field({}, description="what a new entry says always: path -> value")
    create: Call = Call(method="POST", path="{lines}")
    update: Call = Call(method="PATCH", path="{lines}/{line}")
    delete: Call = Call(method="DELETE", path="{lines}/{line}")
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
        begun = ("begun:",) if self.before else ()
        for name, call in (("create", self.create), ("update", self.update), ("delete", self.delete)):
            addressed = ("lines", "line", "item", "id", *begun)
            found = call.problems(addressed=addressed, said=("line", "id", "record:", *begun))
            yield from (((name, *at), text) for at, text in found)
        for name, calls in (("before", self.before), ("after", self.after), ("abandon", self.abandon)):
            if calls and not self.singly:
                yield (name,), "is for lists behind a path of their own: say url, and no write"
            for index, call in enumerate(calls):
                known = ("id", *(begun if index or name != "before" else ()))
                found = call.problems(addressed=("lines", "item", *known), said=known)
                yield from (((name, index, *at), text) for at, text in found)
        if self.abandon and not self.before:
            yield ("abandon",), "gives up what `before` began: say that too"

    @property
    def apart(self) -> bool:
        """Whether it is read behind a path of its own."""
        return self.path is None and not self.single and not self.kept_apart

    @property
    def kept_apart(self) -> bool:
        """Whether the shop keeps the entries of all records in one place of their own: a table, or files."""
        return self.table is not None or self.file is not None

    @property
    def singly(self) -> bool:
        """Whether entries are written one by one, not within the record."""
        return self.url is not None and self.write is None

    def meant(self, row: Any) -> bool:
        """Whether an entry is of the kind that is synchronized."""
        return all((paths.text_of(paths.get(row, at)) or "") == value for at, value in self.where.items())
