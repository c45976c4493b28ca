"""What `$metadata` of one API says: its entity sets with their types, keys, capabilities and navigation.

It is the document that the service makes of itself (OData 4, EDMX). Those of live services tell neither which
property is read-only nor which text is stored in upper case; where an annotation says the former, it counts.
"""

import xml.etree.ElementTree as ET
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from talk_pipeline.systems.businesscentral.description import Operation
from talk_pipeline.systems.businesscentral.keyed import JOINED as IN_KEYS
from talk_pipeline.systems.businesscentral.keyed import KEYS
from talk_pipeline.systems.businesscentral.values import Kind, unescaped
from talk_pipeline.systems.errors import ConfigurationFault

_EDM = "{http://docs.oasis-open.org/odata/ns/edm}"
_ALIKE = 0.5

_KINDS: Mapping[str, str] = {
    "Edm.String": "text",
    "Edm.Guid": "guid",
    "Edm.Decimal": "decimal",
    "Edm.Double": "decimal",
    "Edm.Byte": "int",
    "Edm.Int16": "int",
    "Edm.Int32": "int",
    "Edm.Int64": "int",
    "Edm.Boolean": "bool",
    "Edm.Date": "date",
    "Edm.DateTimeOffset": "datetime",
    "Edm.Duration": "duration",
}
_CAPABILITIES: Mapping[str, Operation] = {
    "Insertable": "create",
    "Updatable": "update",
    "Deletable": "delete",
}
JOINED = ("text", "guid", "int", "date", "enum")
"""Types whose values stand in a filter as they are shown."""
_COMPUTED = "Org.OData.Core.V1.Computed"


@dataclass(frozen=True, slots=True)
class Named:
    """How a record names another one.

    Attributes:
        type: of the record that is named.
        by: the property that names it.
        key: the property of the other that says the same.
    """

    type: str
    by: str
    key: str


@dataclass(frozen=True, slots=True)
class EntityType:
    """A type of records.

    Attributes:
        keys: the properties that make up its key.
        kinds: property -> its type.
        members: property -> the members of its enumeration.
        beside: properties of types that no flow can carry, with the type.
        ways: navigation property -> type of what it leads to.
        below: of these, those that lead to many.
        named: navigation property -> the record that this one names, where one property does.
    """

    keys: tuple[str, ...]
    kinds: Mapping[str, Kind]
    members: Mapping[str, tuple[str, ...]]
    beside: Mapping[str, str]
    ways: Mapping[str, str]
    below: Mapping[str, str]
    named: Mapping[str, Named]

    @property
    def key(self) -> str | None:
        """The one property that tells one record from the next, if it is one that may do so alone."""
        alone = len(self.keys) == 1 and self._all_of(KEYS)
        return self.keys[0] if alone else None

    @property
    def several(self) -> tuple[str, ...]:
        """Properties that make up its key where none alone does, all of them such as an address takes."""
        return self.keys if self.key is None and self._all_of(IN_KEYS) else ()

    @property
    def joined(self) -> tuple[str, ...]:
        """Properties that tell its records apart where none alone does, by values that a filter takes as shown."""
        return self.keys if self.key is None and self._all_of(JOINED) else ()

    def _all_of(self, types: Collection[str]) -> bool:
        """Whether there is a key, of properties of these types."""
        return bool(self.keys) and all(
            name in self.kinds and self.kinds[name].name in types for name in self.keys
        )

    @property
    def no_key(self) -> str:
        """What is said of records that nothing alone tells apart."""
        alone = f"; or say grouped_by: [{', '.join(self.joined)}], to read them alone" if self.joined else ""
        alone = f"; or say keys: [{', '.join(self.several)}]" if self.several else alone
        return (
            f"has the key {', '.join(self.keys) or 'none'}: one property is needed, such as the record's SystemId;"
            f" whoever wrote the page can show it (ODataKeyFields){alone}"
        )

    def first(self, names: Iterable[str], kind: str) -> str | None:
        """The first of these properties that there is, in whichever letters, and that is of a type."""
        called = {one.casefold(): one for one, of in self.kinds.items() if of.name == kind}
        return next((called[one.casefold()] for one in names if one.casefold() in called), None)


@dataclass(frozen=True, slots=True)
class Metadata:
    """One API.

    Attributes:
        types: the types of records, by name.
        sets: entity set -> its type.
        writes: entity set -> what may be done to its records.
        unfiltered: entity sets that take no filter.
    """

    api: str
    types: Mapping[str, EntityType]
    sets: Mapping[str, str]
    writes: Mapping[str, tuple[Operation, ...]]
    unfiltered: frozenset[str] = frozenset()

    def type_of(self, name: str) -> EntityType:
        """The type of the records of an entity set.

        Raises:
            ConfigurationFault: there is no such set; it names those that are called alike.
        """
        if name not in self.sets:
            raise ConfigurationFault(
                f"{self.api} of Business Central has no entity set {name!r}{self._like(name)}"
            )
        return self.types[self.sets[name]]

    def set_of(self, type_name: str) -> str | None:
        """The entity set whose records are of a type."""
        return next((one for one, of in self.sets.items() if of == type_name), None)

    def _like(self, name: str) -> str:
        known = {called.casefold(): one for one, of in self.sets.items() for called in (of, one)}
        near = dict.fromkeys(known[one] for one in get_close_matches(name.casefold(), known, 5, _ALIKE))
        if near:
            return f"; called alike: {', '.join(near)}"
        return f"; there are: {', '.join(sorted(self.sets))}" if self.sets else ""


def read_metadata(document: bytes, api: str) -> Metadata:
    """The document of one API.

    Raises:
        ConfigurationFault: it is none.
    """
    try:
        root = ET.fromstring(document)
    except ET.ParseError as error:
        raise ConfigurationFault(
            f"{api} of Business Central has no $metadata that can be read: {error}"
        ) from error
    enums = {_name(one): tuple(_members(one)) for one in root.iter(f"{_EDM}EnumType")}
    sets = list(root.iter(f"{_EDM}EntitySet"))
    return Metadata(
        api,
        {_name(one): _type(one, enums) for one in root.iter(f"{_EDM}EntityType")},
        {_name(one): _last(one.get("EntityType")) for one in sets},
        {_name(one): tuple(_writes(one)) for one in sets},
        frozenset(_name(one) for one in sets if _told(one).get("Filterable") == "false"),
    )


def _type(element: ET.Element, enums: Mapping[str, tuple[str, ...]]) -> EntityType:
    kinds: dict[str, Kind] = {}
    members: dict[str, tuple[str, ...]] = {}
    beside: dict[str, str] = {}
    for one in element.findall(f"{_EDM}Property"):
        name, of = _name(one), one.get("Type", "")
        if _last(of) in enums:
            kinds[name], members[name] = Kind("enum", None, _is_computed(one)), enums[_last(of)]
        elif kind := _KINDS.get(of):
            length = one.get("MaxLength", "") if kind == "text" else ""
            kinds[name] = Kind(kind, int(length) if length.isdigit() else None, _is_computed(one))
        else:
            beside[name] = of
    ways: dict[str, str] = {}
    below: dict[str, str] = {}
    named: dict[str, Named] = {}
    for one in element.findall(f"{_EDM}NavigationProperty"):
        of, pairs = one.get("Type", ""), one.findall(f"{_EDM}ReferentialConstraint")
        ways[_name(one)] = _last(of)
        if of.startswith("Collection("):
            below[_name(one)] = _last(of)
        elif len(pairs) == 1:
            by, key = (pairs[0].get(end, "") for end in ("Property", "ReferencedProperty"))
            named[_name(one)] = Named(_last(of), by, key)
    keys = tuple(_name(one) for one in element.findall(f"{_EDM}Key/{_EDM}PropertyRef"))
    return EntityType(keys, kinds, members, beside, ways, below, named)


def _is_computed(element: ET.Element) -> bool:
    return any(
        one.get("Term") == _COMPUTED and one.get("Bool", "true") == "true"
        for one in element.findall(f"{_EDM}Annotation")
    )


def _told(element: ET.Element) -> Mapping[str | None, str | None]:
    """What annotations say of an entity set."""
    return {one.get("Property"): one.get("Bool") for one in element.iter(f"{_EDM}PropertyValue")}


def _writes(element: ET.Element) -> Iterator[Operation]:
    """What is not forbidden."""
    told = _told(element)
    yield from (operation for name, operation in _CAPABILITIES.items() if told.get(name) != "false")


def _members(element: ET.Element) -> Iterator[str]:
    yield from (unescaped(_name(one)).strip() for one in element.findall(f"{_EDM}Member"))


def _name(element: ET.Element) -> str:
    return element.get("Name", "")


def _last(name: Any) -> str:
    """A name without its namespace, of one or of a collection."""
    return str(name or "").removeprefix("Collection(").removesuffix(")").rpartition(".")[2]
