"""The vocabulary of a shop description, as frozen models validated on load.

What is said at the top holds for every entity that does not say otherwise itself.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path as File
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field, field_validator

from talk_pipeline.flows.moments import ZoneName
from talk_pipeline.flows.properties import Model, Word
from talk_pipeline.systems.customwebshop.spec import paths
from talk_pipeline.systems.customwebshop.spec.access import Auth, BearerAuth
from talk_pipeline.systems.customwebshop.spec.asking import Deleted, Empty, Latest, Listing, UpdatedSince
from talk_pipeline.systems.customwebshop.spec.fields import Field as Property
from talk_pipeline.systems.customwebshop.spec.fields import Times, field_for
from talk_pipeline.systems.customwebshop.spec.paging import OnePage, Paging
from talk_pipeline.systems.customwebshop.spec.places import Path, Place
from talk_pipeline.systems.customwebshop.spec.templates import unknown
from talk_pipeline.systems.customwebshop.spec.webhooks import Webhooks

Located = Iterator[tuple[tuple[str | int, ...], str]]

REFERENCE = File(__file__).parents[1] / "reference.yaml"


class Version(Model):
    """Where a record's version is, and the header that makes a write conditional on it."""

    at: Place = Field(description="a path in the record, or header:NAME")
    condition: str = "If-Match"
    stale: tuple[int, ...] = Field((412,), description="statuses that say the record has changed")
    stale_code: Word | None = Field(None, description="error code that says so where the status does not")


class Elsewhere(Model):
    """What of a record stands behind a path of its own; it is found at the part's name with an @ before it."""

    path: str = Field(description="may name {path}, {item}, {id} and {record:place}")
    at: Path | None = Field(None, description="where the answer has it")
    empty: Empty = Field(
        (), description="what says that there is none: a status such as 404, null, missing or {}"
    )


class ErrorShape(Model):
    """Where an error says what is wrong."""

    code: Path | None = None
    message: Path | None = None
    field: Path | None = None
    shown_by: Path | None = Field(
        None, description="path that is false or filled in a refusal with status 200"
    )
    unless: tuple[Word, ...] = Field((), description="what stands at shown_by when all is well, such as ok")
    missing: tuple[Word, ...] = Field((), description="codes that say there is no such record, beside 404")


class Call(Model):
    """One request that writes."""

    method: Literal["POST", "PUT", "PATCH", "DELETE"] | None = None
    path: str | None = Field(None, description="may name {path}, {item}, {id} and {record:place}")
    of: tuple[str, ...] = Field((), description="properties it carries, such as address.*; else all others")
    whole: bool = Field(False, description="it carries the whole record, not only what changes")
    objects: Literal["merged", "whole"] = Field(
        "merged", description="whole: the shop replaces a nested object, so one that is touched is sent whole"
    )
    without: tuple[Path, ...] = Field((), description="parts of a whole record it leaves out")
    at: Path | None = Field(None, description="part of the record that is the body")
    along: tuple[Path, ...] = Field(
        (), description="what goes along as the record has it; inside an object, with that object"
    )
    envelope: Path | None = Field(None, description="what the body is wrapped in; [0]: a list of one")
    constants: Mapping[str, Any] = Field({}, description="what the body says always: path -> value")
    query: Mapping[str, Word] = {}
    headers: Mapping[str, str] = {}
    id: Place | None = Field(None, description="where its answer has the id that the next call needs")
    empty: bool = Field(False, description="it has no body")
    partial: bool = Field(False, description="its answer lacks something: the record is read again")

    def carries(self, name: str) -> bool:
        """Whether a property is named."""
        return any(fnmatchcase(name, pattern) for pattern in self.of)


class DryRun(Model):
    """What makes the shop check a write and not carry it out."""

    query: Mapping[str, Word] = {}
    headers: Mapping[str, str] = {}


def _listed(value: object) -> object:
    return [value] if isinstance(value, dict) else value


Calls = Annotated[tuple[Call, ...], BeforeValidator(_listed), Field(min_length=1)]


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


def _elsewhere(value: object) -> object:
    if not isinstance(value, dict):
        return value
    return {name: {"path": one} if isinstance(one, str) else one for name, one in value.items()}


class FieldSet(Model):
    """What the shop has of a flow's properties."""

    fields: Properties = {}
    lacks: tuple[str, ...] = Field((), description="properties and groups that the shop does not have")

    @property
    def properties(self) -> Mapping[str, Property | None]:
        """All that is said of properties."""
        return {**dict.fromkeys(self.lacks), **self.fields}

    def field(self, name: str) -> Property | None:
        """How a property is told; None when the shop has none."""
        return field_for(self.properties, name)


class Lines(FieldSet):
    """A list within a record, such as the lines of an order: part of it, or behind a path of its own."""

    path: Path | None = Field(None, description="where the list is in the record")
    single: bool = Field(
        False,
        description="there is no list: properties of the record itself are the only entry it has room for",
    )
    url: str | None = Field(
        None,
        description="where it is added to and, without path, read; may name {path}, {item}, {id}",
    )
    write: Path | Literal[False] | None = Field(
        None,
        description="where in the record one read elsewhere is written; false: the shop takes no changes",
    )
    where: Mapping[Path, Word] = Field(
        {}, description="what the entries have that are meant; others stay alone"
    )
    records: Path | None = Field(None, description="where that answer has the list")
    empty: Empty = Field(
        (), description="what says that there are none beside []: a status such as 404, null, missing or {}"
    )
    paging: Paging | None = Field(None, description="how that list goes on; without, it must come at once")
    parent: Path | None = Field(None, description="where an entry that is created names its record by its id")
    id: Path = "id"
    read_only: tuple[Path, ...] = Field((), description="what is never sent back")
    untouched: Literal["whole", "id", "omitted"] = Field("whole", description="lines that stay as they are")
    remove: Mapping[str, Any] | None = Field(None, description="what marks a line to go; else it is left out")
    constants: Mapping[str, Any] = Field({}, description="what a new entry says always: path -> value")
    create: Call = Call(method="POST", path="{lines}")
    update: Call = Call(method="PATCH", path="{lines}/{line}")
    delete: Call = Call(method="DELETE", path="{lines}/{line}")

    @property
    def apart(self) -> bool:
        """Whether it is read behind a path of its own."""
        return self.path is None and not self.single

    @property
    def singly(self) -> bool:
        """Whether entries are written one by one, not within the record."""
        return self.url is not None and self.write is None

    def meant(self, row: Any) -> bool:
        """Whether an entry is of the kind that is synchronized."""
        return all(paths.text_of(paths.get(row, at)) == value for at, value in self.where.items())


class Shared(Model):
    """What may be said for all entities at once."""

    list: Listing = Listing()
    paging: Paging = OnePage(style="none")
    query: Mapping[str, Word] = Field({}, description="parameters of every list")
    records: Path | None = Field(None, description="where a list has its records; without, it is the list")
    element: Path | None = Field(None, description="where an entry of a list has the record")
    record: Path | None = Field(None, description="where the answer about one record has it")
    summaries: bool = Field(False, description="lists show less than the record itself")
    item: str = Field("{path}/{id}", description="path of one record")
    id: Path = "id"
    times: str = Field(
        "rfc3339", description="rfc3339, epoch, epoch_ms or a pattern such as %Y-%m-%d %H:%M:%S"
    )
    time_zone: ZoneName = Field("UTC", description="of times without an offset")
    modified: Path | tuple[Path, ...] | None = Field(
        None,
        description="modified time, of several places the first filled one; without one every snapshot is full",
    )
    version: Version | None = None
    updated_since: UpdatedSince | None = None
    deleted: Deleted | None = None
    latest: Latest | None = None
    compare_minutes: int | None = Field(
        None, ge=1, description="read everything this often: modified times do not tell all"
    )
    create: Calls = (Call(method="POST", path="{path}"),)
    update: Calls = (Call(method="PATCH", path="{item}"),)
    delete: Calls = (Call(method="DELETE", path="{item}"),)
    read_only: tuple[Path, ...] = Field((), description="what a whole record or object never sends back")
    bodies: Literal["json", "form"] = Field("json", description="how bodies are written")
    texts: Literal["plain", "html"] = Field("plain", description="html: in any text &amp; may stand for &")
    blank: Literal["null", "empty"] = Field("null", description="how a text that is gone is written")
    idempotency_header: str | None = None
    dry_run: DryRun | None = Field(None, description="what makes the shop check a write and not carry it out")
    error: ErrorShape = ErrorShape()

    @field_validator("times")
    @classmethod
    def _known_format(cls, text: str) -> str:
        if text not in ("rfc3339", "epoch", "epoch_ms") and not _is_pattern(text):
            raise ValueError("allowed: rfc3339, epoch, epoch_ms or a pattern such as %Y-%m-%d %H:%M:%S")
        return text

    @property
    def moments(self) -> Times:
        """How moments are written."""
        return Times(self.times, ZoneInfo(self.time_zone))

    @property
    def modified_at(self) -> tuple[Path, ...]:
        """Where a record may have its modified time."""
        return (self.modified,) if isinstance(self.modified, str) else self.modified or ()


class Entity(Shared, FieldSet):
    """One collection of the shop."""

    path: str
    children: Mapping[str, Lines] = {}
    parts: Annotated[Mapping[str, Elsewhere], BeforeValidator(_elsewhere)] = Field(
        {}, description="what else belongs to a record: name -> path where it is read, found at @name"
    )
    search: Mapping[str, str] = Field(
        {}, description="property -> query that finds a record by it, such as sku={value}"
    )


class Pace(Model):
    """What the shop allows one client."""

    requests: int = Field(6000, ge=1)
    seconds: float = Field(60, gt=0)
    in_flight: int = Field(8, ge=1)
    throttled: tuple[int, ...] = Field((), description="statuses beside 429 that say: slower")
    longest_seconds: float = Field(
        300, ge=0, description="how long a request may be at work at most, though nobody waits for its answer"
    )


class Description(Shared):
    """A shop's REST API."""

    name: str
    base_path: str = ""
    headers: Mapping[str, str] = {}
    auth: Auth = BearerAuth()
    limits: Pace = Pace()
    webhooks: Webhooks | None = None
    entities: Mapping[str, Entity]

    @property
    def every_request(self) -> Mapping[str, str]:
        """Headers of every request; unless told otherwise JSON is asked for."""
        named = {name.lower() for name in self.headers}
        return self.headers if "accept" in named else {"Accept": "application/json", **self.headers}

    @cached_property
    def collections(self) -> Mapping[str, Entity]:
        """The entities, each with what is said for all."""
        shared = {name: getattr(self, name) for name in Shared.model_fields if name in self.model_fields_set}
        return {
            name: entity.model_copy(
                update={key: value for key, value in shared.items() if key not in entity.model_fields_set}
            )
            for name, entity in self.entities.items()
        }

    def problems(self) -> Located:
        """What the models alone cannot see, as (key path, message)."""
        for name, entity in self.collections.items():
            at: tuple[str | int, ...] = ("entities", name)
            if entity.updated_since and not entity.modified:
                yield at, "updated_since needs modified: where a record has its modified time"
            for key, lines in entity.children.items():
                if lines.path is None and lines.url is None and not lines.single:
                    yield (*at, "children", key), "says path, url or both, or single"
                if lines.single and (lines.path or lines.url or not lines.remove):
                    hint = "leave path and url out, and say remove: what says that there is none"
                    yield (*at, "children", key, "single"), f"the record itself is the entry: {hint}"
                if lines.untouched == "omitted" and lines.remove is None and not lines.singly:
                    how = "say remove: what marks one to go, such as {quantity: 0}"
                    yield (*at, "children", key), f"untouched: omitted keeps what is left out: {how}"
                if isinstance(lines.write, str) and lines.path is not None:
                    yield (*at, "children", key, "write"), "is for a list read at url: leave path out"
                yield from _templates((*at, "children", key, "url"), lines.url, ("path", "item", "id"))
                for call in ("create", "update", "delete"):
                    where: tuple[str | int, ...] = (*at, "children", key, call, "path")
                    path: str | None = getattr(lines, call).path
                    yield from _templates(where, path, ("lines", "line", "item", "id"))
            for calls in ("create", "update", "delete"):
                for index, call in enumerate(getattr(entity, calls)):
                    yield from _templates(
                        (*at, calls, index, "path"), call.path, ("path", "item", "id", "record:")
                    )
            yield from _templates((*at, "item"), entity.item, ("path", "id"))
            yield from _templates((*at, "list", "path"), entity.list.path, ("path",))
            if entity.latest:
                yield from _templates((*at, "latest", "path"), entity.latest.path, ("path",))
            for prop, query in entity.search.items():
                if "{value}" not in query:
                    yield (*at, "search", prop), f"{query!r} does not say where the {{value}} stands"
            for key, part in entity.parts.items():
                yield from _templates((*at, "parts", key), part.path, ("path", "item", "id", "record:"))
        if self.webhooks:
            for event, name in self.webhooks.events.items():
                if name not in self.entities:
                    allowed = ", ".join(self.entities)
                    yield ("webhooks", "events", event), f"no entity {name!r}; allowed: {allowed}"


def _is_pattern(text: str) -> bool:
    """Whether a day written in this pattern can be read again."""
    day = datetime(2026, 1, 31, tzinfo=UTC)
    try:
        return datetime.strptime(day.strftime(text), text).date() == day.date()  # noqa: DTZ007 (days alone)
    except ValueError:
        return False


def _templates(at: tuple[str | int, ...], text: str | None, allowed: tuple[str, ...]) -> Located:
    """What stands in braces must be one of these names."""
    if unknown(text or "", allowed):
        names = ", ".join("{" + name + ("place" if name.endswith(":") else "") + "}" for name in allowed)
        yield at, f"{text!r} may name {names} only"
