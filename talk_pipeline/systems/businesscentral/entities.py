"""The entity sets of API v2.0 and how their values look on the wire.

Business Central never says null: every type has its own blank, enum members are escaped, numbers must keep their
digits. All of that is translated to and from text values here, and nowhere else.

What is said of values is from the service's `$metadata` and from recorded answers of live services. The samples on
the API pages print a blank enum member as a space; it is read as a blank too, and never written so.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import yaml

from talk_pipeline.flows.values import Value, length

ZERO_GUID = "00000000-0000-0000-0000-000000000000"
BLANK_ENUM = "_x0020_"

_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
_TO_ESCAPE = re.compile(r"[^0-9A-Za-z_]")

# what a type says when nothing was said
_BLANKS: Mapping[str, object] = {
    "text": "",
    "code": "",
    "guid": ZERO_GUID,
    "decimal": Decimal(0),
    "int": 0,
    "bool": False,
    "date": "0001-01-01",
    "datetime": "0001-01-01T00:00:00Z",
    "enum": BLANK_ENUM,
}
_READ_AS_BLANK = {
    "guid": (ZERO_GUID,),
    "date": ("0001-01-01",),
    "datetime": ("0001-01-01T00:00:00Z",),
    "enum": (BLANK_ENUM, " "),
}

_CALLED: Mapping[str, str] = {
    "text": "String",
    "code": "String",
    "guid": "Guid",
    "decimal": "Decimal",
    "int": "Int32",
    "bool": "Boolean",
    "date": "Date",
    "datetime": "DateTimeOffset",
    "enum": "Enum",
}

_encoder = msgspec.json.Encoder(decimal_format="number")


Decoder = Callable[[Mapping[str, Any]], dict[str, Value]]


class Kind(NamedTuple):
    """A property's type on the wire."""

    name: str
    size: int | None
    read_only: bool

    @property
    def described(self) -> str:
        """The type as people and the service's `$metadata` call it, such as ``String(20), code``."""
        size = f"({self.size})" if self.size is not None else ""
        notes = [
            note for note, holds in (("code", self.name == "code"), ("read-only", self.read_only)) if holds
        ]
        return ", ".join([f"{_CALLED[self.name]}{size}", *notes])


class EntitySet(NamedTuple):
    """One entity set: its properties, its children, the set it lies within, whether a replica may serve it."""

    name: str
    properties: Mapping[str, Kind]
    children: tuple[str, ...] = ()
    within: str | None = None
    replica: bool = False

    def decoder(self, paths: Sequence[str]) -> Decoder:
        """What reads the wire values of these properties as text values."""
        kinds = [(path, self.properties[path].name) for path in paths]
        readings = [(path, _READ_AS_BLANK.get(kind, ()), kind == "enum") for path, kind in kinds]

        def decode(values: Mapping[str, Any]) -> dict[str, Value]:
            return {path: _text(values.get(path), blanks, is_enum) for path, blanks, is_enum in readings}

        return decode

    def encode(self, values: Mapping[str, Value]) -> dict[str, object]:
        """Text values as wire values, in the order given."""
        return {path: self._written(path, value) for path, value in values.items()}

    def _written(self, path: str, value: Value) -> object:
        kind = self.properties[path].name
        if not value:
            return _BLANKS[kind]
        if kind == "decimal":
            return Decimal(value)
        if kind == "int":
            return int(value)
        if kind == "bool":
            return value == "true"
        if kind == "enum":
            return _TO_ESCAPE.sub(lambda match: f"_x{ord(match[0]):04X}_", value)
        return value

    def literal(self, path: str, value: str) -> str | None:
        """A value as a filter literal; None where it is too long for the field.

        Business Central does not find such a value, it refuses the filter: 400 `Application_FilterErrorException`
        (page `dynamics-error-codes`).
        """
        kind = self.properties[path]
        if kind.size is not None and length(value) > kind.size:
            return None
        if kind.name in ("text", "code"):
            return "'" + value.replace("'", "''") + "'"
        return value


def _text(value: Any, blanks: Sequence[str], is_enum: bool) -> Value:
    if value is None or value == "" or value in blanks:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    return _ESCAPED.sub(lambda match: chr(int(match[1], 16)), str(value)) if is_enum else str(value)


@cache
def entity_sets() -> Mapping[str, EntitySet]:
    """Every entity set the connector knows, by name."""
    text = (Path(__file__).parent / "entities.yaml").read_text(encoding="utf-8")
    return {
        name: EntitySet(
            name,
            {prop: _kind(written) for prop, written in facts["properties"].items()},
            tuple(facts.get("children", ())),
            facts.get("within"),
            facts.get("replica", False),
        )
        for name, facts in yaml.safe_load(text).items()
    }


def _kind(written: str) -> Kind:
    match = re.fullmatch(r"(\w+)(?:\((\d+)\))?( read)?", written)
    assert match is not None, written
    return Kind(match[1], int(match[2]) if match[2] else None, bool(match[3]))


def moment(text: object) -> datetime | None:
    """A wire instant as an aware datetime; the blank one as None."""
    if not text or str(text).startswith("0001-01-01"):
        return None
    return datetime.fromisoformat(str(text)).astimezone(UTC)


def parse(payload: str | bytes) -> Any:
    """JSON with every number as its exact text."""
    return json.loads(payload, parse_float=str, parse_int=str)


def dump(value: object) -> bytes:
    """JSON with every decimal as a number of exactly its digits."""
    return _encoder.encode(value)
