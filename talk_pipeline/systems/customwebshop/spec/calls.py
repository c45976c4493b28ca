"""The requests that write, as a description says them."""

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from talk_pipeline.flows.mistakes import Located
from talk_pipeline.flows.properties import Model, Word
from talk_pipeline.flows.values import Value
from talk_pipeline.systems.customwebshop.spec.places import Path, Place
from talk_pipeline.systems.customwebshop.spec.refusals import ErrorShape
from talk_pipeline.systems.customwebshop.spec.templates import is_template, misnamed, texts_in


def _several(value: object) -> object:
    return [one if one is not None else "" for one in (value if isinstance(value, list) else [value])]


Said = Annotated[
    tuple[Word, ...],
    BeforeValidator(_several),
    WithJsonSchema(
        {"anyOf": [{"type": ["string", "number", "boolean", "null"]}, {"type": "array"}]}, mode="validation"
    ),
]
"""A value as the flow says it, or several; a blank is nothing."""


class Call(Model):
    """One request that writes."""

    method: Literal["POST", "PUT", "PATCH", "DELETE"] | None = None
    path: str | None = Field(None, description="may name {path}, {item}, {id} and {record:place}")
    of: tuple[str, ...] = Field((), description="properties it carries, such as address.*; else all others")
    when: Mapping[str, Said] = Field(
        {},
        description="property -> the flow's value, or values: it is made where they are written, and carries that",
    )
    whole: bool = Field(False, description="it carries the whole record, not only what changes")
    objects: Literal["merged", "whole"] = Field(
        "merged", description="whole: the shop replaces a nested object, so one that is touched is sent whole"
    )
    without: tuple[Path, ...] = Field(
        (), description="parts of a whole record, or of a whole line, that it leaves out"
    )
    at: Path | None = Field(None, description="part of the record that is the body")
    along: tuple[Path, ...] = Field(
        (), description="what goes along as the record has it; inside an object, with that object"
    )
    defaults: Mapping[Path, Any] = Field(
        {}, description="what is said where it would be blank; inside an object or entry, with that"
    )
    envelope: Path | None = Field(None, description="what the body is wrapped in; [0]: a list of one")
    constants: Mapping[str, Any] = Field(
        {}, description="what the body says always: path -> value; {id} in a text is that"
    )
    body: Mapping[str, Any] | None = Field(
        None,
        description="what is sent, with the record at `envelope`; {id} and {line} in its texts are those,"
        " {record:place} what the record that is sent says there, {begun:place} what the answer to `before` does",
    )
    otherwise: "Call | None" = Field(
        None,
        description="made instead, of the same, where the record lacks what `path` or `along` names: it is added",
    )
    error: ErrorShape | None = Field(None, description="where its answer says what is wrong, beside `error`")
    query: Mapping[str, Word] = Field({}, description="of its address, and may name what `path` may")
    headers: Mapping[str, str] = Field({}, description="of this call; may name what `path` may")
    status: Place | None = Field(
        None, description="where its answer has the status of this very write, as among those of 207"
    )
    id: Place | None = Field(None, description="where its answer has the id that the next call needs")
    empty: bool = Field(False, description="it has no body")
    partial: bool = Field(False, description="its answer lacks something: the record is read again")

    @property
    def speaks(self) -> bool:
        """Whether it says something of its own, so that a removal too has a body."""
        return self.body is not None or bool(self.constants)

    def problems(self, *, addressed: tuple[str, ...], said: tuple[str, ...]) -> Located:
        """Names in braces that stand for nothing, as (key path, message).

        Args:
            addressed: what its address may name.
            said: what its body may.
        """
        yield from misnamed(("path",), self.path, addressed)
        for key in ("query", "headers"):
            for name, text in getattr(self, key).items():
                yield from misnamed((key, name), text, addressed)
        for key in ("body", "constants"):
            for text in filter(is_template, texts_in(getattr(self, key))):
                yield from misnamed((key,), text, said)

    def where_named(self, name: str) -> str | None:
        """The key under which what it sends, or its address, names something in braces."""
        said = {key: getattr(self, key) for key in ("body", "constants", "query", "headers")}
        said["path"] = self.path
        return next(
            (key for key, one in said.items() if any(_names(text, name) for text in texts_in(one))), None
        )

    def carries(self, name: str) -> bool:
        """Whether a property is named."""
        return name in self.when or any(fnmatchcase(name, pattern) for pattern in self.of)

    def fits(self, values: Mapping[str, Value]) -> bool:
        """Whether it may be made where these values are written."""
        return all(name in values and (values[name] or "") in said for name, said in self.when.items())

    @property
    def carries_the_rest(self) -> bool:
        """Whether it carries what no other call names."""
        return not (self.of or self.when)


def _names(text: str, name: str) -> bool:
    return is_template(text) and (f"{{{name}}}" in text or f"{{+{name}}}" in text)


class DryRun(Model):
    """What makes the shop check a write and not carry it out."""

    query: Mapping[str, Word] = {}
    headers: Mapping[str, str] = {}


def _listed(value: object) -> object:
    if value == NONE:
        return []
    if isinstance(value, dict):
        return [value]
    if not value or not isinstance(value, list):
        raise ValueError("is a call, a list of calls, or none where the shop takes no such write")
    return value


NONE = "none"
Calls = Annotated[tuple[Call, ...], BeforeValidator(_listed)]
"""The requests of one kind of write; none where the shop takes no such write."""
