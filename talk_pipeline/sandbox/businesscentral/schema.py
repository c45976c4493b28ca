"""The entity sets as read from ``entities/*.yaml``; nothing here holds a record.

The files say which properties there are; `values` says what their types mean.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from talk_pipeline.sandbox.documents import read_yaml

Kind = Literal[
    "Code",
    "Text",
    "Guid",
    "Boolean",
    "Int32",
    "Int64",
    "Date",
    "DateTime",
    "Amount",
    "Quantity",
    "UnitAmount",
    "Percent",
    "Enum",
]
Mode = Literal["writable", "read_only", "ignored", "fixed", "not_on_create", "series"]

DECIMALS: Mapping[str, int] = {"Amount": 2, "Quantity": 5, "UnitAmount": 5, "Percent": 5}
"""Decimal kinds and the places they are rounded to."""

V2 = "v2.0"
EVERYWHERE = ("companies", "subscriptions")
"""Sets that lie under no company, and are part of every API."""
_MODIFIED = "lastModifiedDateTime"

_FILES = Path(__file__).parent / "entities"
_TYPE = re.compile(r"(\w+)(?:\((\w+)\))?")


@dataclass(frozen=True, slots=True)
class Property:
    """One property of an entity; the attributes are those the YAML files explain."""

    name: str
    kind: Kind
    length: int | None = None
    announced: bool = True
    nullable: bool = True
    mode: Mode = "writable"
    required: bool = False
    ref: tuple[str, str] | None = None
    default: str | None = None
    guarded: bool = False
    min: int | None = None
    options: tuple[str, ...] = ()
    enum: str | None = None
    members: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Navigation:
    """A way from one entity to another, or to many: into a set we hold, or to a bare type."""

    name: str
    entity: str
    set: str | None = None
    many: bool = False
    by: str | None = None


@dataclass(frozen=True, slots=True)
class EntitySet:
    """A set, its capabilities and its properties.

    Attributes:
        api: the API that serves it.
        modified: the property that shows when a record was last modified, if any does.
        twins: code property -> id property, for the fields that are shown twice.
        table: the number that goes into its entity tags.
        deep: ways to records that a create takes along.
        unique: what no two records share; the first of them is indexed.
        listed: whether it is a set of its own; else it is reached from the records it belongs to.
        rows_of: the set whose records these are, where a page shows those of another one.
        filters: whether it takes filters; one that shows what it works out by itself does not.
    """

    name: str
    entity: str
    key: str
    table: int
    order: tuple[str, ...]
    writes: frozenset[str]
    webhook: bool
    etag: bool
    properties: Mapping[str, Property]
    navigation: Mapping[str, Navigation]
    twins: Mapping[str, str]
    api: str
    modified: str | None
    deep: tuple[str, ...] = ()
    unique: tuple[str, ...] = ()
    listed: bool = True
    rows_of: str | None = None
    filters: bool = True


@dataclass(frozen=True, slots=True)
class BareType:
    """An entity type that is only ever expanded."""

    entity: str
    key: str
    properties: Mapping[str, Property]


@dataclass(frozen=True, slots=True)
class Schema:
    """Everything ``$metadata`` tells."""

    enums: Mapping[str, Mapping[str, int]]
    sets: Mapping[str, EntitySet]
    types: Mapping[str, BareType]

    def of(self, api: str) -> dict[str, EntitySet]:
        """The sets that an API serves; companies and subscriptions are in each."""
        served = {one.api for one in self.sets.values()}
        return {
            name: one
            for name, one in self.sets.items()
            if api in served and (one.api == api or name in EVERYWHERE)
        }


@cache
def schema() -> Schema:
    """The sets of the service, read once."""
    documents = [read_yaml(path) for path in sorted(_FILES.glob("*.yaml"))]
    enums: dict[str, Mapping[str, int]] = {}
    for document in documents:
        enums.update(document.get("enums") or {})
    raw_sets = {name: raw for document in documents for name, raw in (document.get("sets") or {}).items()}
    raw_types = {name: raw for document in documents for name, raw in (document.get("types") or {}).items()}
    entities = {name: raw["entity"] for name, raw in raw_sets.items()}
    return Schema(
        enums=enums,
        sets={name: _set(name, raw, enums=enums, entities=entities) for name, raw in raw_sets.items()},
        types={
            name: BareType(entity=name, key=raw["key"], properties=_properties(raw, enums=enums))
            for name, raw in raw_types.items()
        },
    )


def _set(
    name: str, raw: Mapping[str, Any], *, enums: Mapping[str, Mapping[str, int]], entities: Mapping[str, str]
) -> EntitySet:
    properties = _properties(raw, enums=enums)
    return EntitySet(
        name=name,
        entity=raw["entity"],
        key=raw.get("key", "id"),
        table=raw["table"],
        order=tuple(raw["order"]),
        writes=frozenset(raw["writes"]),
        webhook=raw.get("webhook", False),
        etag=raw.get("etag", True),
        properties=properties,
        navigation={
            way: Navigation(
                name=way,
                entity=entities[entry["set"]] if "set" in entry else entry["entity"],
                set=entry.get("set"),
                many=entry.get("many", False),
                by=entry.get("by"),
            )
            for way, entry in (raw.get("navigation") or {}).items()
        },
        twins=_twins(properties),
        api=raw.get("api", V2),
        modified=raw.get("modified", _MODIFIED if _MODIFIED in properties else None),
        deep=tuple(raw.get("deep", ())),
        unique=tuple(raw.get("unique", ())),
        listed=raw.get("listed", True),
        rows_of=raw.get("rows_of"),
        filters=raw.get("filters", True),
    )


def _properties(raw: Mapping[str, Any], *, enums: Mapping[str, Mapping[str, int]]) -> dict[str, Property]:
    return {name: _property(name, dict(facts), enums=enums) for name, facts in raw["properties"].items()}


def _property(name: str, facts: dict[str, Any], *, enums: Mapping[str, Mapping[str, int]]) -> Property:
    match = _TYPE.fullmatch(facts.pop("type"))
    if match is None:
        raise ValueError(f"the type of {name} cannot be read")
    kind, argument = match.groups()
    if "ref" in facts:
        target, _, column = facts["ref"].partition(".")
        facts["ref"] = (target, column)
    if kind == "Enum":
        facts |= {"enum": argument, "members": tuple(enums[argument])}
    elif argument:
        facts["length"] = int(argument)
    facts["options"] = tuple(facts.get("options", ()))
    return Property(name=name, kind=kind, **facts)  # type: ignore[arg-type]


def _twins(properties: Mapping[str, Property]) -> dict[str, str]:
    """Codes that have an id beside them for the same thing."""
    twins = {}
    for name, entry in properties.items():
        if entry.ref is None or entry.ref[1] == "id":
            continue
        stem = name.removesuffix("Code").removesuffix("Number")
        partner = properties.get(f"{stem}Id")
        if partner is not None and partner.ref is not None and partner.ref[0] == entry.ref[0]:
            twins[name] = partner.name
    return twins
