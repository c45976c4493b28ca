"""The vocabulary of a shop description, as frozen models validated on load.

What is said at the top holds for every entity that does not say otherwise itself.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path as File
from typing import TYPE_CHECKING, Any, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator

from talk_pipeline.flows.bounds import MOST, MOST_MINUTES, MOST_SECONDS
from talk_pipeline.flows.mistakes import Located, Location
from talk_pipeline.flows.moments import ZoneName
from talk_pipeline.flows.properties import Model, Word
from talk_pipeline.systems.customwebshop.spec import stores
from talk_pipeline.systems.customwebshop.spec.access import Auth, BearerAuth
from talk_pipeline.systems.customwebshop.spec.asking import (
    Deleted,
    Latest,
    Listing,
    Reading,
    UpdatedSince,
)
from talk_pipeline.systems.customwebshop.spec.calls import NONE, Call, Calls, DryRun
from talk_pipeline.systems.customwebshop.spec.files import Files, Take
from talk_pipeline.systems.customwebshop.spec.ids import AnyId, Id
from talk_pipeline.systems.customwebshop.spec.lines import FieldSet, Lines
from talk_pipeline.systems.customwebshop.spec.paging import OnePage, Paging
from talk_pipeline.systems.customwebshop.spec.parts import Included, Parts
from talk_pipeline.systems.customwebshop.spec.places import Path, Place
from talk_pipeline.systems.customwebshop.spec.refusals import ErrorShape
from talk_pipeline.systems.customwebshop.spec.stores import Database, Stamp
from talk_pipeline.systems.customwebshop.spec.templates import KEY, VERSION, misnamed
from talk_pipeline.systems.customwebshop.spec.times import Times
from talk_pipeline.systems.customwebshop.spec.webhooks import Webhooks
from talk_pipeline.systems.customwebshop.spec.xml import Xml

if TYPE_CHECKING:  # what speaks HTTP is loaded by whoever enters
    from talk_pipeline.systems.http import Limits

OF_A_RECORD = ("path", "item", "id", "record:")
"""What an address about a record may name."""
OF_A_WRITE = ("id", "record:", VERSION, KEY)
"""What is sent of a record may name."""
REFERENCE = File(__file__).parents[1] / "reference.yaml"


class Version(Model):
    """Where a record's version is, and the header that makes a write conditional on it."""

    at: Place = Field(description="a path in the record, or header:NAME")
    condition: str | None = Field(
        "If-Match", description="header that carries it; none where each call says {version} itself"
    )
    stale: tuple[int, ...] = Field((412,), description="statuses that say the record has changed")
    stale_code: Word | None = Field(None, description="error code that says so where the status does not")


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
    read: Reading = Reading()
    id: AnyId = Id()
    times: str = Field(
        "rfc3339", description="rfc3339, epoch, epoch_ms or a pattern such as %Y-%m-%d %H:%M:%S"
    )
    time_zone: ZoneName = Field("UTC", description="of times without an offset")
    modified: Path | tuple[Path, ...] | None = Field(
        None,
        description="modified time, of several places the first filled one; without one every snapshot is full",
    )
    created: Path | None = Field(
        None,
        description="when a record was made, if that never changes: another one under its id is known by it",
    )
    version: Version | None = None
    updated_since: UpdatedSince | None = None
    deleted: Deleted | None = None
    latest: Latest | None = None
    compare_minutes: int | None = Field(
        None, ge=1, le=MOST_MINUTES, description="read everything this often: modified times do not tell all"
    )
    writes: Literal["all", "none"] = Field("all", description="none: nothing is ever written to this shop")
    create: Calls = (Call(method="POST", path="{path}"),)
    update: Calls = (Call(method="PATCH", path="{item}"),)
    delete: Calls = (Call(method="DELETE", path="{item}"),)
    read_only: tuple[Path, ...] = Field((), description="what a whole record or object never sends back")
    bodies: Literal["json", "form"] = Field("json", description="how bodies are written")
    texts: Literal["plain", "html"] = Field("plain", description="html: in any text &amp; may stand for &")
    blank: Literal["null", "empty", False] = Field(
        "null", description="how a text that is gone is written; false: where nothing is, false stands"
    )
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
    take: Take = Field("all", description="of files: which of those that its pattern finds")
    may_be_empty: bool = Field(
        False, description="of files: that there is no record, or no file, is believed"
    )
    columns: tuple[str, ...] = Field((), description="of files without a header: their columns")
    select: str | None = Field(None, description="statement by which records are read, of a database")
    stamps: Mapping[str, Stamp] = Field(
        {}, description="columns that each write sets itself: now, or next for one more than was there"
    )
    children: Mapping[str, Lines] = {}
    included: Included | None = Field(None, description="what an answer has beside its records")
    parts: Parts = Field(
        {}, description="what else belongs to a record: name -> path where it is read, found at @name"
    )
    search: Mapping[str, str] = Field(
        {}, description="property -> query that finds a record by it, such as sku={value}"
    )

    @property
    def asks_for_parts(self) -> bool:
        """Whether a part is asked for by itself."""
        return any(part.path for part in self.parts.values())

    def at_home(self, address: str) -> Self:
        """The same with the shop's address where ids name it."""
        children = {name: lines.but(id=lines.id.at_home(address)) for name, lines in self.children.items()}
        return self.but(id=self.id.at_home(address), children=children)


class WaitHeader(Model):
    """A header in which the shop says how long to wait before the next request."""

    header: str
    unit: Literal["seconds", "milliseconds"] = "seconds"


class Pace(Model):
    """What the shop allows one client."""

    requests: int = Field(6000, ge=1, le=MOST)
    seconds: float = Field(60, gt=0, le=MOST_SECONDS)
    in_flight: int = Field(8, ge=1, le=MOST)
    throttled: tuple[int, ...] = Field((), description="statuses beside 429 that say: slower")
    wait: WaitHeader | None = Field(
        None, description="the header that then says how long, if not Retry-After"
    )
    longest_seconds: float = Field(
        300,
        ge=0,
        le=MOST_SECONDS,
        description="how long a request may be at work at most, though nobody waits for its answer",
    )

    def limits(self, **counted: Any) -> "Limits":
        """The same for whoever asks; `counted` says where all who do are counted."""
        from talk_pipeline.systems.http.limits import Limits, Wait

        per_second = 1000 if self.wait and self.wait.unit == "milliseconds" else 1
        wait = Wait(self.wait.header, per_second, (429, *self.throttled)) if self.wait else None
        return Limits(self.requests, self.seconds, self.in_flight, wait=wait, **counted)


class Description(Shared):
    """A shop's REST API, its database, or its folder of files."""

    name: str
    database: Database | None = Field(None, description="where the shop's door is its database, and no API")
    files: Files | None = Field(None, description="where the shop's door is a folder of files, and no API")
    base_path: str = ""
    xml: Xml | None = Field(None, description="the shop speaks XML, where this is said; {} is enough")
    headers: Mapping[str, str] = {}
    auth: Auth = BearerAuth()
    limits: Pace = Pace()
    webhooks: Webhooks | None = None
    entities: Mapping[str, Entity]

    @property
    def every_request(self) -> Mapping[str, str]:
        """Headers of every request; unless told otherwise what the shop speaks is asked for."""
        named = {name.lower() for name in self.headers}
        asked = self.xml.content_type if self.xml else "application/json"
        return self.headers if "accept" in named else {"Accept": asked, **self.headers}

    @cached_property
    def collections(self) -> Mapping[str, Entity]:
        """The entities, each with what is said for all."""
        shared = {name: getattr(self, name) for name in Shared.model_fields if name in self.model_fields_set}
        return {
            name: self._unwritten(
                _gathered(
                    entity.model_copy(
                        update={
                            key: value for key, value in shared.items() if key not in entity.model_fields_set
                        }
                    )
                )
            )
            for name, entity in self.entities.items()
        }

    def _unwritten(self, entity: Entity) -> Entity:
        """An entity that nothing is written to has no calls to write it."""
        if entity.writes == NONE or (self.files and self.files.put is None):
            return entity.but(create=(), update=(), delete=())
        if self.files and self.files.put and not self.files.put.deletes:
            return entity.but(delete=())
        return entity

    @property
    def stored(self) -> bool:
        """Whether its door is the place where it keeps its records."""
        return self.database is not None or self.files is not None

    @property
    def has_address(self) -> bool:
        """Whether it is reached at CUSTOMWEBSHOP_URL."""
        return not self.stored

    @property
    def variables(self) -> tuple[str, ...]:
        """The environment variables that its door needs."""
        if self.database:
            return (self.database.url,)
        return self.files.variables if self.files else self.auth.variables

    def problems(self) -> Located:
        """What the models alone cannot see, as (key path, message)."""
        yield from stores.problems(self)
        yield from self._joined_to_what_is_before()
        for name, entity in self.collections.items():
            at: Location = ("entities", name)
            if entity.updated_since and not entity.modified:
                yield at, "updated_since needs modified: where a record has its modified time"
            for key, lines in entity.children.items():
                found = lines.problems(written=bool(entity.update))
                yield from (((*at, "children", key, *within), text) for within, text in found)
            yield from (((*at, *within), text) for within, text in _of_calls(entity))
            yield from misnamed((*at, "item"), entity.item, ("path", "id"))
            yield from misnamed((*at, "list", "path"), entity.list.path, ("path",))
            if entity.latest:
                yield from misnamed((*at, "latest", "path"), entity.latest.path, ("path",))
            for prop, query in entity.search.items():
                if "{value}" not in query:
                    yield (*at, "search", prop), f"{query!r} does not say where the {{value}} stands"
            for key, part in entity.parts.items():
                yield from misnamed((*at, "parts", key), part.path, OF_A_RECORD)
                if (part.path is None) == (part.refers is None):
                    yield (*at, "parts", key), "says path, or refers"
                elif part.refers and not entity.included:
                    yield (
                        (*at, "parts", key, "refers"),
                        "needs included: where an answer has what is referred to",
                    )
        if self.webhooks:
            for event, name in self.webhooks.events.items():
                if name not in self.entities:
                    allowed = ", ".join(self.entities)
                    yield ("webhooks", "events", event), f"no entity {name!r}; allowed: {allowed}"

    def _joined_to_what_is_before(self) -> Located:
        """Paths that would run into the address before them: `/shop` and `gear` are `/shopgear`."""
        paths: dict[tuple[str, ...], str] = {("base_path",): self.base_path}
        paths |= {("entities", name, "path"): one.path for name, one in self.entities.items()}
        for at, path in paths.items() if self.has_address else ():
            if path and not path.startswith(("/", "{", "?", "http://", "https://")):
                yield at, f"{path!r} would run into what stands before it: write /{path}"


def _of_calls(entity: Entity) -> Located:
    """What is wrong with the calls that write records."""
    unconditional = entity.version is not None and entity.version.condition is None
    for kind in ("create", "update", "delete"):
        for index, call in enumerate(getattr(entity, kind)):
            first = kind == "create" and not index
            if call.when and (first or kind == "delete"):
                yield (kind, index, "when"), "is for changes: this call is made in any case"
            for way, one in (((kind, index), call), ((kind, index, "otherwise"), call.otherwise)):
                if one is None:
                    continue
                found = one.problems(addressed=(*OF_A_RECORD, VERSION, KEY), said=OF_A_WRITE)
                yield from (((*way, *within), text) for within, text in found)
                for name in ("id", VERSION) if first else ():
                    if key := one.where_named(name):
                        yield (*way, key), f"the first call makes the record: there is no {{{name}}} yet"
                if kind != "create" and unconditional and not one.where_named(VERSION):
                    yield way, "says no {version}, and no header does: edits in between would be overwritten"


def _gathered(entity: Entity) -> Entity:
    """An entity whose records hold their lists, wherever those are kept."""
    lists = {
        name: lines.but(path=f"['{name}']") if lines.kept_apart and not lines.path else lines
        for name, lines in entity.children.items()
    }
    return entity.but(children=lists) if lists else entity


def _is_pattern(text: str) -> bool:
    """Whether a day written in this pattern can be read again."""
    day = datetime(2026, 1, 31, tzinfo=UTC)
    try:
        return datetime.strptime(day.strftime(text), text).date() == day.date()  # noqa: DTZ007 (days alone)
    except ValueError:
        return False
