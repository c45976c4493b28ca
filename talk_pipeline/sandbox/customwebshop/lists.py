"""Lists within a record, such as lines: written as a whole, entries matched by their id."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from talk_pipeline.sandbox.customwebshop.errors import invalid, no_field
from talk_pipeline.sandbox.customwebshop.fields import Field, accept
from talk_pipeline.sandbox.store import Row

Take = Callable[[str, Mapping[str, Any], Row | None], Row]


def whole_list(name: str, raw: Any, current: list[Row], take: Take) -> list[Row]:
    """The whole list anew: entries are matched by id, new ones have none, missing ones go."""
    if not isinstance(raw, list):
        raise invalid(name, f"{name} is a list.")
    known = {one["id"]: one for one in current}
    result: list[Row] = []
    for position, entry in enumerate(raw):
        where = f"{name}[{position}]"
        if not isinstance(entry, Mapping):
            raise invalid(where, f"{where} is an object.")
        key = entry.get("id")
        if key is not None and key not in known:
            raise invalid(f"{where}.id", f"The record has no {name[:-1]} {key}.")
        result.append(take(where, entry, known.pop(key, None) if key is not None else None))
    return result


def accepted(where: str, entry: Mapping[str, Any], fields: Mapping[str, Field], old: Row | None) -> Row:
    """An entry of a list with what a body says of it."""
    for name in entry:
        if name not in fields:
            raise no_field(f"{where}.{name}")
    row: Row = dict(old) if old is not None else {name: field.default for name, field in fields.items()}
    for name, raw in entry.items():
        if name != "id" and not fields[name].read_only:  # sku and total come back as read; the shop sets them
            row[name] = accept(f"{where}.{name}", fields[name], raw)
    return row
