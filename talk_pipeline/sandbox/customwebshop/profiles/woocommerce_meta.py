"""``meta_data``: keys with values and ids, some of which are fields of the record and the others just kept.

An entry with an id changes the value under that id, one without adds or replaces its key, a null removes; what a
document does not name stays. The ids follow from the record's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from talk_pipeline.sandbox.customwebshop.errors import invalid
from talk_pipeline.sandbox.customwebshop.profiles.shapes import Plain, look
from talk_pipeline.sandbox.store import Row

EXTRA = "_meta"
"""Where `Meta.read` leaves the keys that are no fields, for whoever writes the record."""
_IDS = 100
_OWN = 50


class Meta:
    """The entry of a shape.

    Args:
        fields: the keys that are fields of the record.
    """

    wires = ("meta_data",)

    def __init__(self, *fields: Plain) -> None:
        self._fields = {field.wire: field for field in fields}

    def show(self, row: Row, about: Row, document: Row) -> None:
        """Fields that have a value, then the others."""
        base = int(row["id"]) * _IDS
        wire_values = {key: field.wire_value(row, about) for key, field in self._fields.items()}
        document["meta_data"] = [
            {"id": base + number, "key": key, "value": value}
            for number, (key, value) in enumerate(wire_values.items(), 1)
            if value not in (None, "")
        ] + [{**entry, "id": base + entry["id"]} for entry in row.get("extra") or ()]

    def read(
        self, document: Mapping[str, Any], current: Row, about: Row, values: Row, *, whole: bool
    ) -> None:
        """Take over what is named."""
        named, raw = look(document, "meta_data")
        if not named:
            return
        if not isinstance(raw, list) or not all(isinstance(entry, Mapping) for entry in raw):
            raise invalid("meta_data", "meta_data is a list of objects.")
        others = {entry["key"]: entry for entry in current.get("extra") or ()}
        keys = self._keys(current, others)
        for entry in raw:
            key, value = keys.get(entry.get("id"), entry.get("key")), entry.get("value")
            if not isinstance(key, str):
                raise invalid("meta_data", "An entry has a key.")
            if key in self._fields:
                self._fields[key].read({key: value}, current, about, values, whole=False)
            elif value is None:
                others.pop(key, None)
            else:
                number = 1 + max((e["id"] for e in others.values()), default=_OWN)
                others[key] = {
                    "id": others[key]["id"] if key in others else number,
                    "key": key,
                    "value": value,
                }
        if [*others.values()] != (current.get("extra") or []):
            values[EXTRA] = [*others.values()]

    def named(self, field: str) -> str | None:
        """The key, if the field is one."""
        return next((f"meta_data.{p.wire}" for p in self._fields.values() if p.field == field), None)

    def _keys(self, current: Row, others: Mapping[str, Row]) -> dict[Any, str]:
        """Key by id."""
        if not current:
            return {}
        base = int(current["id"]) * _IDS
        own = {base + number: key for number, key in enumerate(self._fields, 1)}
        return own | {base + entry["id"]: key for key, entry in others.items()}
