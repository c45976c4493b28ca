"""How a description says that the shop's door is no API but the place where it keeps its records."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from talk_pipeline.flows.mistakes import Located
from talk_pipeline.flows.properties import Model
from talk_pipeline.systems.customwebshop.spec.access import EnvName
from talk_pipeline.systems.customwebshop.spec.files import Csv, Files, XmlFiles, mistaken
from talk_pipeline.systems.customwebshop.spec.ids import Id

if TYPE_CHECKING:  # it has these models itself
    from talk_pipeline.systems.customwebshop.spec.description import Description, Entity
    from talk_pipeline.systems.customwebshop.spec.lines import Lines

_OF_AN_API = (
    "auth base_path bodies dry_run element error headers idempotency_header included item latest list paging parts"
    " query read record records search summaries updated_since webhooks xml"
)
"""What is said of requests and answers."""
_OF_AN_API_LIST = "abandon after before create delete element empty paging read records untouched update url"
_OF_XML = {"records", "xml"}
_OF_A_DATABASE, _OF_ITS_LIST = ("select", "stamps"), ("table", "stamps")
_OF_FILES, _OF_THEIR_LIST = ("take", "may_be_empty", "columns"), ("file", "may_be_empty", "columns")

Stamp = Literal["now", "next"]
"""What a write sets beside its values: the time, or one more than was there."""


class Database(Model):
    """A SQL database, reached through SQLAlchemy."""

    url: EnvName = Field(
        "CUSTOMWEBSHOP_DATABASE",
        description="variable with its address, such as postgresql+psycopg://user:password@host/shop",
    )


def problems(shop: "Description") -> Located:
    """What does not go with the shop's door, as (key path, message)."""
    if shop.database and shop.files:
        yield ("files",), "a shop has one door: say `database` or `files`"
        return
    for name, entity in shop.entities.items():
        at = ("entities", name)
        if not shop.database:
            yield from _without("database", _own(at, entity, _OF_A_DATABASE, _OF_ITS_LIST))
        if not shop.files:
            yield from _without("files", _own(at, entity, _OF_FILES, _OF_THEIR_LIST))
        if shop.stored:
            yield from _stored(at, entity, shop)
    if shop.stored:
        yield from _said((), shop.model_fields_set & _foreign(_OF_AN_API, shop.files), shop.files)
    if shop.files:
        yield from (((("files", *within)), text) for within, text in shop.files.problems())


def _stored(at: tuple[str, ...], entity: "Entity", shop: "Description") -> Located:
    """What is said of an entity that no place has where a shop keeps its records."""
    files = shop.files
    yield from _said(at, entity.model_fields_set & _foreign(_OF_AN_API, files), files)
    for calls in ("create", "update", "delete"):
        if calls in entity.model_fields_set and getattr(entity, calls):
            what = "files" if files else "a database"
            yield (*at, calls), f"says calls of an API; of {what} it can say none alone"
    for key, lines in entity.children.items():
        where = (*at, "children", key)
        yield from _said(where, lines.model_fields_set & _foreign(_OF_AN_API_LIST, files), files)
        if (lines.table is not None or lines.file is not None) and lines.parent is None:
            yield (*where, "parent"), "must be there: the column in which a line names its record"
        yield from _whole(where, lines.id)
        if files and lines.file is not None:
            yield from _of_format(where, lines, files)
    yield from _whole(at, entity.id)
    if files:
        yield from _of_format(at, entity, files, records=shop.records)
        if wrong := mistaken(entity.path):
            yield (*at, "path"), wrong


def _of_format(
    at: tuple[str, ...], said: "Entity | Lines", files: Files, *, records: str | None = None
) -> Located:
    """What the format needs to be told of one kind of file."""
    nameless = isinstance(files.format, Csv) and not files.format.header
    if nameless and not said.columns:
        yield (*at, "columns"), "must be there: files without a header do not name their columns"
    if said.columns and not nameless:
        yield (*at, "columns"), "is for CSV without a header: leave it out"
    if isinstance(files.format, XmlFiles) and not (said.records or records):
        yield (*at, "records"), "must be there: where a document has its records, such as orders.order"


def _foreign(words: str, files: Files | None) -> set[str]:
    """Which of these words mean nothing to the door."""
    return set(words.split()) - (_OF_XML if files and isinstance(files.format, XmlFiles) else set())


def _said(at: tuple[str, ...], keys: set[str], files: Files | None) -> Located:
    what = "files have" if files else "a database has"
    for key in sorted(keys):
        yield (*at, key), f"{key} is about requests and answers, which {what} none of: leave it out"


def _without(door: str, keys: Iterator[tuple[str, ...]]) -> Located:
    what = "a database" if door == "database" else "files"
    yield from ((where, f"{where[-1]} is for {what}: say `{door}` too") for where in keys)


def _own(
    at: tuple[str, ...], entity: "Entity", words: tuple[str, ...], of_lists: tuple[str, ...]
) -> Iterator[tuple[str, ...]]:
    yield from ((*at, key) for key in words if key in entity.model_fields_set)
    for name, lines in entity.children.items():
        yield from ((*at, "children", name, key) for key in of_lists if key in lines.model_fields_set)


def _whole(at: tuple[str, ...], told: Id) -> Located:
    if told.template:
        yield (*at, "id"), "template is about addresses: a column holds the id as it is"
