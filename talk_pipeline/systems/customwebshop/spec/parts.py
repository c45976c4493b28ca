"""What of a record stands elsewhere: behind a path of its own, or beside it in the answer that has it."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from talk_pipeline.flows.properties import Model
from talk_pipeline.systems.customwebshop.spec.asking import Empty
from talk_pipeline.systems.customwebshop.spec.places import Path


class Included(Model):
    """Where an answer has, beside its records, what these refer to."""

    at: Path = Field(description="the list of all of it")
    by: tuple[Path, ...] = Field(
        ("id",), description="what a reference and what is meant by it have in common"
    )


class Elsewhere(Model):
    """What of a record stands elsewhere; it is found at the part's name with an @ before it."""

    path: str | None = Field(
        None, description="where it is asked for; may name {path}, {item}, {id} and {record:place}"
    )
    body: Mapping[str, Any] | None = Field(
        None, description="sent with POST, where it is asked for so; may name {id} and {record:place}"
    )
    refers: Path | None = Field(
        None,
        description="or what the record has instead: a reference, or a list of them, to what is `included`",
    )
    at: Path | None = Field(None, description="where the answer has it")
    empty: Empty = Field(
        (), description="what says that there is none: a status such as 404, null, missing or {}"
    )


def _elsewhere(value: object) -> object:
    if not isinstance(value, dict):
        return value
    return {name: {"path": one} if isinstance(one, str) else one for name, one in value.items()}


Parts = Annotated[Mapping[str, Elsewhere], BeforeValidator(_elsewhere)]
"""By name; a text alone is the path."""
