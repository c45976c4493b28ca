"""What the body of a create or change may hold, and what of it is left to be done.

Each value is checked against its property here; what the values mean together is up to `records`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from talk_pipeline.sandbox import wire
from talk_pipeline.sandbox.businesscentral import errors, values
from talk_pipeline.sandbox.businesscentral.schema import EntitySet, Property
from talk_pipeline.sandbox.exchange import Call
from talk_pipeline.sandbox.settings import Settings
from talk_pipeline.sandbox.store import Row


@dataclass(frozen=True, slots=True)
class Body:
    """The accepted content of a body.

    Attributes:
        values: property -> stored value, in the order of the body.
        lines: raw bodies of the records to create along with this one, by the list they are in.
        id: an id of the caller's own, where the server keeps it.
    """

    values: dict[str, Any] = field(default_factory=dict)
    lines: Mapping[str, list[Mapping[str, Any]]] = field(default_factory=dict)
    id: str | None = None


def document_of(call: Call, settings: Settings) -> dict[str, Any]:
    """The JSON object a call carries."""
    media = (call.header("content-type") or "").split(";")[0].strip().lower()
    if media and media != "application/json" or not media and call.body:
        error = errors.ApiError(415, "BadRequest", f"The content type '{media}' is not supported.")
        raise _Bodiless(error) if settings["unsupported_media_body"] == "empty" else error
    if not call.has_body():
        raise errors.bad_request("The request has no body.")
    try:
        document = call.json()
    except wire.MalformedJson as error:
        raise errors.bad_request("The body is not valid JSON.") from error
    if not isinstance(document, dict):
        raise errors.bad_request("The body is not a JSON object.")
    return document


def accept(
    document: Mapping[str, Any], entity_set: EntitySet, *, settings: Settings, current: Row | None
) -> Body:
    """Check each property of a body.

    Args:
        document: the decoded JSON object.
        entity_set: the set it is for.
        settings: the server's answers to open questions.
        current: the record as shown now, by property; None when one is created.
    """
    accepted: dict[str, Any] = {}
    lines: dict[str, list[Mapping[str, Any]]] = {}
    own_id: str | None = None
    for name, raw in document.items():
        if name.startswith("@") or "@odata." in name:
            continue
        if name in entity_set.deep:
            lines |= _lines(name, raw, creating=current is None, settings=settings)
            continue
        entry = entity_set.properties.get(name)
        if entry is None:
            raise errors.bad_request(f"The property '{name}' does not exist on type '{entity_set.entity}'.")
        if name == "id" and current is None:
            own_id = _own_id(entry, raw, settings)
            continue
        value = values.accept(entry, raw, settings)
        if _to_be_written(entry, value, settings=settings, current=current):
            accepted[name] = value
    return Body(values=accepted, lines=lines, id=own_id)


class _Bodiless(errors.ApiError):
    """A refusal without an envelope."""

    def __init__(self, error: errors.ApiError) -> None:
        super().__init__(error.status, error.code, error.message)


def is_bodiless(error: errors.ApiError) -> bool:
    """Whether the refusal goes out with an empty body."""
    return isinstance(error, _Bodiless)


def _lines(name: str, raw: Any, *, creating: bool, settings: Settings) -> dict[str, list[Mapping[str, Any]]]:
    if not creating:
        if settings["lines_in_header_patch"] == "ignored":
            return {}
        raise errors.bad_request(f"'{name}' cannot be changed through its header.")
    if not isinstance(raw, list) or not all(isinstance(line, Mapping) for line in raw):
        raise errors.bad_request(f"'{name}' is a list of objects.")
    return {name: raw}


def _own_id(entry: Property, raw: Any, settings: Settings) -> str | None:
    value = str(values.accept(entry, raw, settings))
    if settings["client_id_on_create"] == "refused" and value != values.NO_ID:
        raise errors.read_only("id")
    return value if settings["client_id_on_create"] == "kept" and value != values.NO_ID else None


def _to_be_written(entry: Property, value: Any, *, settings: Settings, current: Row | None) -> bool:
    """Whether the value goes on to the record; raises when the property does not take it."""
    creating = current is None
    current_value = values.default(entry) if current is None else current[entry.name]
    match entry.mode:
        case "ignored":
            return False
        case "not_on_create" if creating:
            raise errors.dialog(f"'{entry.name}' cannot be set when the record is created.")
        case "series" if creating:
            if value != current_value:
                raise errors.dialog(f"'{entry.name}' comes from a number series and cannot be set manually.")
            return False
        case "fixed" if not creating:
            if value != current_value:
                raise errors.dialog(f"'{entry.name}' cannot be changed.")
            return False
        case "read_only" | "series":
            rule = settings["read_only_write"]
            if rule == "refuse" or (rule == "refuse_differing" and value != current_value):
                raise errors.read_only(entry.name)
            return False
        case _:
            return True
