"""The vocabulary of a shop description, as frozen models validated on load.

What is said at the top holds for every entity that does not say otherwise itself.
"""

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path as File
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BeforeValidator, Field, field_validator

from talk_pipeline.flows.properties import Model, Word
from talk_pipeline.systems.customwebshop.access import Auth, BearerAuth
from talk_pipeline.systems.customwebshop.fields import Field as Property
from talk_pipeline.systems.customwebshop.fields import Times, told
from talk_pipeline.systems.customwebshop.paging import OnePage, Paging
from talk_pipeline.systems.customwebshop.places import Path, Place
from talk_pipeline.systems.customwebshop.templates import unknown

REFERENCE = File(__file__).parent / "reference.yaml"


class Version(Model):
    """Where a record's version is, and the header that makes a write conditional on it."""

    at: Place = Field(description="a path in the record, or header:NAME")
    condition: str = "If-Match"
    stale: tuple[int, ...] = Field((412,), description="statuses that say the record has changed")
    stale_code: Word | None = Field(None, description="error code that says so where the status does not")


class UpdatedSince(Model):
    """The parameter that lists what changed at or after a moment."""

    parameter: str
    format: str | None = Field(None, description="where it differs from `times`")
    value: str = Field("{since}", pattern=r"\{since\}")
    query: Mapping[str, Word] = Field({}, description="further parameters that go along")


class DeletionList(Model):
    """A list of its own that tells what was deleted."""

    path: str
    records: Path | None = None
    id: Path = "id"
    updated_since: UpdatedSince | None = None


class Deleted(Model):
    """How deletions show: by a field of the record, in a list of their own, or, without this, not at all."""

    at: Path | None = Field(None, description="field that tells")
    values: tuple[Word, ...] = Field((), description="its values that mean deleted; any filled one without")
    query: Mapping[str, Word] = Field({}, description="parameters that make lists show deleted records")
    listed: DeletionList | None = None


class Latest(Model):
    """The cheap question of a sensor: the modified time of the record modified last."""

    path: str = "{path}"
    query: Mapping[str, Word] = {}
    at: Path = Field(description="where the answer has the modified time")


class ErrorShape(Model):
    """Where an error says what is wrong."""

    code: Path | None = None
    message: Path | None = None
    field: Path | None = None
    shown_by: Path | None = Field(
        None, description="path that is false or filled in a refusal with status 200"
    )


class Call(Model):
    """One request that writes."""

    method: Literal["POST", "PUT", "PATCH", "DELETE"] | None = None
    path: str | None = Field(None, description="may name {path}, {item} and {id}")
    of: tuple[str, ...] = Field((), description="properties it carries, such as address.*; else all others")
    whole: bool = Field(False, description="it carries the whole record, not only what changes")
    objects: Literal["merged", "whole"] = Field(
        "merged", description="whole: the shop replaces a nested object, so one that is touched is sent whole"
    )
    without: tuple[Path, ...] = Field((), description="parts of a whole record it leaves out")
    at: Path | None = Field(None, description="part of the record that is the body")
    envelope: Path | None = Field(None, description="what the body is wrapped in")
    constants: Mapping[str, Any] = Field({}, description="what the body says always: path -> value")
    query: Mapping[str, Word] = {}
    headers: Mapping[str, str] = {}
    id: Place | None = Field(None, description="where its answer has the id that the next call needs")
    empty: bool = Field(False, description="it has no body")

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


class Told(Model):
    """What the shop has of a flow's properties."""

    fields: Properties = {}
    lacks: tuple[str, ...] = Field((), description="properties and groups that the shop does not have")

    @property
    def properties(self) -> Mapping[str, Property | None]:
        """All that is said of properties."""
        return {**dict.fromkeys(self.lacks), **self.fields}

    def field(self, name: str) -> Property | None:
        """How a property is told; None when the shop has none."""
        return told(self.properties, name)


class Lines(Told):
    """A list within a record, such as the lines of an order: part of it, or behind a path of its own."""

    path: Path | None = Field(None, description="where the list is in the record")
    url: str | None = Field(
        None, description="else where it is read and added to; may name {path}, {item}, {id}"
    )
    records: Path | None = Field(None, description="where that answer has the list")
    paging: Paging | None = Field(None, description="how that list goes on; without, it must come at once")
    parent: Path | None = Field(None, description="where an entry that is created names its record by its id")
    id: Path = "id"
    read_only: tuple[Path, ...] = Field((), description="what is never sent back")
    untouched: Literal["whole", "id", "omitted"] = Field("whole", description="lines that stay as they are")
    remove: Mapping[str, Any] | None = Field(None, description="what marks a line to go; else it is left out")
    create: Call = Call(method="POST", path="{lines}")
    update: Call = Call(method="PATCH", path="{lines}/{line}")
    delete: Call = Call(method="DELETE", path="{lines}/{line}")


class Shared(Model):
    """What may be said for all entities at once."""

    paging: Paging = OnePage(style="none")
    query: Mapping[str, Word] = Field({}, description="parameters of every list")
    records: Path | None = Field(None, description="where a list has its records; without, it is the list")
    element: Path | None = Field(None, description="where an entry of a list has the record")
    record: Path | None = Field(None, description="where the answer about one record has it")
    summaries: bool = Field(False, description="lists show less than the record itself")
    item: str = Field("{path}/{id}", description="path of one record")
    id: Path = "id"
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
    blank: Literal["null", "empty"] = Field("null", description="how a text that is gone is written")
    idempotency_header: str | None = None
    dry_run: DryRun | None = Field(None, description="what makes the shop check a write and not carry it out")
    error: ErrorShape = ErrorShape()

    @property
    def modified_at(self) -> tuple[Path, ...]:
        """Where a record may have its modified time."""
        return (self.modified,) if isinstance(self.modified, str) else self.modified or ()


class Entity(Shared, Told):
    """One collection of the shop."""

    path: str
    children: Mapping[str, Lines] = {}
    search: Mapping[str, str] = Field(
        {}, description="property -> query that finds a record by it, such as sku={value}"
    )


class Signature(Model):
    """HMAC-SHA256 of a delivery's body."""

    header: str
    prefix: str = ""
    encoding: Literal["hex", "base64"] = "hex"


class Webhooks(Model):
    """Where webhooks are registered, which event tells about which entity, and how deliveries are signed."""

    path: str
    records: Path | None = None
    url: Path = "url"
    body: Mapping[str, Any] = Field(
        description="what is registered; may say {url}, {secret}, {event}, {events}"
    )
    one_each: bool = Field(False, description="each event is registered by itself, told apart by {event}")
    event: Place = Field(description="where a delivery names its event: a path in it, or header:NAME")
    events: Mapping[str, str] = Field(description="event -> entity")
    signature: Signature


class Pace(Model):
    """What the shop allows one client."""

    requests: int = Field(6000, ge=1)
    seconds: float = Field(60, gt=0)
    in_flight: int = Field(8, ge=1)
    throttled: tuple[int, ...] = Field((), description="statuses beside 429 that say: slower")


class Description(Shared):
    """A shop's REST API."""

    name: str
    base_path: str = ""
    headers: Mapping[str, str] = {}
    auth: Auth = BearerAuth()
    times: str = Field(
        "rfc3339", description="rfc3339, epoch, epoch_ms or a pattern such as %Y-%m-%d %H:%M:%S"
    )
    time_zone: str = Field("UTC", description="of times without an offset")
    limits: Pace = Pace()
    webhooks: Webhooks | None = None
    entities: Mapping[str, Entity]

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError("no such time zone; write one such as Europe/Copenhagen") from error
        return name

    @field_validator("times")
    @classmethod
    def _known_format(cls, text: str) -> str:
        if text not in ("rfc3339", "epoch", "epoch_ms") and "%" not in text:
            raise ValueError("allowed: rfc3339, epoch, epoch_ms or a pattern such as %Y-%m-%d %H:%M:%S")
        return text

    @cached_property
    def collections(self) -> Mapping[str, Entity]:
        """The entities, each with what is said for all."""
        said = {name: getattr(self, name) for name in Shared.model_fields if name in self.model_fields_set}
        return {
            name: entity.model_copy(
                update={key: value for key, value in said.items() if key not in entity.model_fields_set}
            )
            for name, entity in self.entities.items()
        }

    @cached_property
    def moments(self) -> Times:
        """How the shop writes moments."""
        return Times(self.times, ZoneInfo(self.time_zone))

    def problems(self) -> Iterator[tuple[tuple[str | int, ...], str]]:
        """What the models alone cannot see, as (key path, message)."""
        for name, entity in self.collections.items():
            at: tuple[str | int, ...] = ("entities", name)
            if entity.updated_since and not entity.modified:
                yield at, "updated_since needs modified: where a record has its modified time"
            for key, lines in entity.children.items():
                if (lines.path is None) == (lines.url is None):
                    yield (*at, "children", key), "says either path or url"
                yield from _templates((*at, "children", key, "url"), lines.url, ("path", "item", "id"))
                for call in ("create", "update", "delete"):
                    where: tuple[str | int, ...] = (*at, "children", key, call, "path")
                    path: str | None = getattr(lines, call).path
                    yield from _templates(where, path, ("lines", "line", "item", "id"))
            for calls in ("create", "update", "delete"):
                for index, call in enumerate(getattr(entity, calls)):
                    yield from _templates((*at, calls, index, "path"), call.path, ("path", "item", "id"))
            yield from _templates((*at, "item"), entity.item, ("path", "id"))
        if self.webhooks:
            for event, name in self.webhooks.events.items():
                if name not in self.entities:
                    allowed = ", ".join(self.entities)
                    yield ("webhooks", "events", event), f"no entity {name!r}; allowed: {allowed}"


def _templates(
    at: tuple[str | int, ...], text: str | None, allowed: tuple[str, ...]
) -> Iterator[tuple[tuple[str | int, ...], str]]:
    if unknown(text or "", allowed):
        yield at, f"{text!r} may name {', '.join('{' + name + '}' for name in allowed)} only"
