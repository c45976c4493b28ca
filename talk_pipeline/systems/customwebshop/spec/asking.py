"""How a description says what a list is asked, and how changes and deletions show in it."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema, field_validator

from talk_pipeline.flows.properties import Model, Word
from talk_pipeline.systems.customwebshop.spec.ids import AnyId, Id
from talk_pipeline.systems.customwebshop.spec.places import Path


def _emptiness(value: object) -> object:
    """YAML reads null and {} as what they are; here they are words."""
    return "null" if value is None else "{}" if value == {} else value


Emptiness = int | Literal["null", "missing", "{}"]
"""What may say that there is none: a status, or what stands where something is to be."""

Empty = tuple[
    Annotated[
        Emptiness,
        BeforeValidator(_emptiness),
        WithJsonSchema(
            {"anyOf": [{"type": "integer"}, {"enum": [None, "null", "missing", "{}", {}]}]}, mode="validation"
        ),
    ],
    ...,
]


class Listing(Model):
    """How a list is asked for: by GET, or by POST where it has a body."""

    path: str = Field("{path}", description="where it is; may name {path}")
    body: Mapping[str, Any] | None = Field(
        None, description="sent with POST; parameters such as that of `paging` are paths in it"
    )
    empty: Empty = Field(
        (), description="what says that it has no records beside [] and 204: a status, null, missing or {}"
    )


class Asked(Model):
    """How something of a record is asked for: by GET of its address, or by POST where it has a body."""

    body: Mapping[str, Any] | None = Field(
        None, description='sent with POST; a text in it that is "{id}" alone is the id as the shop says it'
    )


class Reading(Asked):
    """How one record is asked for."""

    empty: Empty = Field(
        (), description="what says that there is no such record, beside 404: null, missing or {}"
    )


class UpdatedSince(Model):
    """The parameter that lists what changed at or after a moment."""

    parameter: str
    format: str | None = Field(None, description="where it differs from `times`")
    value: Any = Field("{since}", description="text around {since}; in a body, anything that says it")
    query: Mapping[str, Word] = Field({}, description="further parameters that go along")

    @field_validator("value")
    @classmethod
    def _says_when(cls, value: object) -> object:
        if "{since}" not in str(value):
            raise ValueError("says {since}, where the moment stands")
        return value


class DeletionList(Model):
    """A list of its own that tells what was deleted."""

    path: str
    records: Path | None = None
    id: AnyId = Id()
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
    body: Mapping[str, Any] | None = Field(None, description="asked by POST with it, where it is said")
    at: Path = Field(description="where the answer has the modified time")
