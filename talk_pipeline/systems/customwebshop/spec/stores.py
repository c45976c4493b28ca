"""How a description says that the shop's door is no API but the place where it keeps its records."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from talk_pipeline.flows.properties import Model
from talk_pipeline.systems.customwebshop.spec.access import EnvName
from talk_pipeline.systems.customwebshop.spec.ids import Id
from talk_pipeline.systems.customwebshop.spec.templates import Located

if TYPE_CHECKING:  # it has these models itself
    from talk_pipeline.systems.customwebshop.spec.description import Description, Entity
    from talk_pipeline.systems.customwebshop.spec.lines import Lines

_OF_AN_API = (
    "auth base_path bodies dry_run element error headers idempotency_header item latest list paging parts query"
    " read record records search summaries updated_since webhooks xml"
)
"""What is said of requests and answers."""
_OF_AN_API_LIST = "abandon after before create delete empty paging records untouched update url"

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
    stored = shop.database is not None
    for name, entity in shop.entities.items():
        at = ("entities", name)
        if not stored:
            yield from (
                (where, f"{where[-1]} is for a database: say `database` too") for where in _own(at, entity)
            )
            continue
        yield from _said(at, entity.model_fields_set & set(_OF_AN_API.split()))
        for calls in ("create", "update", "delete"):
            if calls in entity.model_fields_set and getattr(entity, calls):
                yield (*at, calls), "says calls of an API; of a database it can say none alone"
        for key, lines in entity.children.items():
            where = (*at, "children", key)
            yield from _said(where, lines.model_fields_set & set(_OF_AN_API_LIST.split()))
            yield from _unfound(where, lines)
            yield from _whole(where, lines.id)
        yield from _whole(at, entity.id)
    if stored:
        yield from _said((), shop.model_fields_set & set(_OF_AN_API.split()))


def _said(at: tuple[str, ...], keys: set[str]) -> Located:
    for key in sorted(keys):
        yield (*at, key), f"{key} is about requests and answers, which a database has none of: leave it out"


def _own(at: tuple[str, ...], entity: "Entity") -> Iterator[tuple[str, ...]]:
    yield from ((*at, key) for key in ("select", "stamps") if key in entity.model_fields_set)
    for name, lines in entity.children.items():
        if lines.table is not None:
            yield (*at, "children", name, "table")


def _whole(at: tuple[str, ...], told: Id) -> Located:
    if told.template:
        yield (*at, "id"), "template is about addresses: a column holds the id as it is"


def _unfound(at: tuple[str, ...], lines: "Lines") -> Located:
    if lines.table is not None and lines.parent is None:
        yield (*at, "parent"), "must be there: the column in which a line names its record"
