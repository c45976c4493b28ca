"""What a page of an extension is: its properties, what it stores and refuses, and what `$metadata` says of it."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from talk_pipeline_tests.systems.answering import Reply

Row = dict[str, Any]
BLANKS: Mapping[str, Any] = {
    "String": "",
    "Guid": "00000000-0000-0000-0000-000000000000",
    "Decimal": 0,
    "Int32": 0,
    "Boolean": False,
    "Date": "0001-01-01",
    "DateTimeOffset": "0001-01-01T00:00:00Z",
    "Duration": "PT0S",
    "Int64": 0,
    "Double": 0,
    "Stream": None,
}


_CAPABLE = (("Delete", "Deletable"), ("Insert", "Insertable"), ("Update", "Updatable"))
_UNFILTERED = (
    '<Annotation Term="Org.OData.Capabilities.V1.FilterRestrictions"><Record>'
    '<PropertyValue Property="Filterable" Bool="false" /></Record></Annotation>'
)


class Refused(Exception):
    """An error as the service tells it."""

    def __init__(self, status: int, code: str, text: str) -> None:
        said = f"{text}  CorrelationId:  {uuid.uuid4()}."
        self.reply = Reply(status, {"error": {"code": code, "message": said}})


@dataclass(frozen=True)
class Field:
    """A property: `String(20) code read`, an enumeration's or a complex type's name."""

    type: str
    size: int | None = None
    code: bool = False
    read: bool = False

    @classmethod
    def of(cls, text: str) -> "Field":
        of, *notes = text.split()
        name, _, size = of.partition("(")
        return cls(name, int(size[:-1]) if size else None, "code" in notes, "read" in notes)


@dataclass
class OwnPage:
    """An entity set of one API.

    Attributes:
        single: the name of its type.
        keys: the properties that make up its key.
        said: property -> `Field` as text.
        below: navigation property -> page, and the property there -> the one here that says the same.
        enums: enumeration -> members as they stand on the wire.
        complex: complex type -> its properties.
        selects: whether it takes `$select` and `$expand`.
        filters: whether it takes `$filter`.
        modified: the property that the service keeps the modified time in.
        etag: whether it shows versions.
        forbids: what may not be done, as `$metadata` calls it, such as Updatable.
    """

    single: str
    keys: tuple[str, ...]
    said: Mapping[str, str]
    below: Mapping[str, tuple[str, Mapping[str, str]]] = field(default_factory=dict)
    enums: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    complex: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    selects: bool = True
    filters: bool = True
    modified: str = "lastModifiedDateTime"
    etag: bool = True
    forbids: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self.fields = {name: Field.of(text) for name, text in self.said.items()}

    def blank(self, name: str) -> Any:
        """What a property says where there is nothing."""
        of = self.fields[name].type
        if of in self.complex:
            return {one: BLANKS[Field.of(text).type] for one, text in self.complex[of].items()}
        return self.enums[of][0] if of in self.enums else BLANKS[of]

    def taken(self, name: str, value: Any) -> Any:
        """A value as it is stored."""
        if name not in self.fields:
            text = f"The property '{name}' does not exist on type 'Microsoft.NAV.{self.single}'."
            raise Refused(400, "BadRequest", text)
        said = self.fields[name]
        if said.read:
            raise Refused(400, "Internal_InvalidData", f"The control '{name}' is read-only.")
        if said.type in self.complex:  # members that are not said are emptied
            own = {one: Field.of(text) for one, text in self.complex[said.type].items()}
            if not isinstance(value, dict) or value.keys() - own.keys():
                raise Refused(400, "BadRequest", f"{name} is no {said.type}")
            return {one: _stored(of, value.get(one, BLANKS[of.type]), one) for one, of in own.items()}
        if said.type in self.enums:
            if value not in self.enums[said.type]:
                raise Refused(400, "BadRequest", f"Cannot convert '{value}' to the type {said.type}.")
            return value
        return _stored(said, value, name)


def metadata_of(pages: Mapping[str, OwnPage]) -> str:
    """The document that an API makes of itself."""
    told, sets = list[str](), list[str]()
    for name, page in pages.items():
        told += [_enum(one, members) for one, members in page.enums.items()]
        for one, inner in page.complex.items():
            of = "".join(_property(a, Field.of(b)) for a, b in inner.items())
            told.append(f'<ComplexType Name="{one}">{of}</ComplexType>')
        keys = "".join(f'<PropertyRef Name="{one}" />' for one in page.keys)
        own = "".join(_property(one, of) for one, of in page.fields.items())
        ways = "".join(_way(way, pages[of].single, ties) for way, (of, ties) in page.below.items())
        told.append(f'<EntityType Name="{page.single}"><Key>{keys}</Key>{own}{ways}</EntityType>')
        of = f'EntityType="Microsoft.NAV.{page.single}"'
        sets.append(f'<EntitySet Name="{name}" {of}>{_capable(page)}</EntitySet>')
    return (
        '<?xml version="1.0" encoding="utf-8"?>'
        '<edmx:Edmx Version="4.0" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx"><edmx:DataServices>'
        '<Schema Namespace="Microsoft.NAV" xmlns="http://docs.oasis-open.org/odata/ns/edm">'
        f'{"".join(told)}<EntityContainer Name="NAV">{"".join(sets)}</EntityContainer>'
        "</Schema></edmx:DataServices></edmx:Edmx>"
    )


def _way(name: str, single: str, ties: Mapping[str, str]) -> str:
    told = "".join(
        f'<ReferentialConstraint Property="{up}" ReferencedProperty="{mine}" />' for mine, up in ties.items()
    )
    of = f'Type="Collection(Microsoft.NAV.{single})" ContainsTarget="true"'
    return f'<NavigationProperty Name="{name}" {of}>{told}</NavigationProperty>'


def _capable(page: OwnPage) -> str:
    return "".join(
        f'<Annotation Term="Org.OData.Capabilities.V1.{of}Restrictions"><Record>'
        f'<PropertyValue Property="{one}" Bool="{"false" if one in page.forbids else "true"}" />'
        "</Record></Annotation>"
        for of, one in _CAPABLE
    ) + ("" if page.filters else _UNFILTERED)


def _enum(name: str, members: Sequence[str]) -> str:
    told = "".join(f'<Member Name="{one}" Value="{at}" />' for at, one in enumerate(members))
    return f'<EnumType Name="{name}">{told}</EnumType>'


def _property(name: str, said: Field) -> str:
    of = f"Edm.{said.type}" if said.type in BLANKS else f"Microsoft.NAV.{said.type}"
    length = f' MaxLength="{said.size}"' if said.size else ""
    scale = ' Scale="Variable"' if said.type == "Decimal" else ""
    return f'<Property Name="{name}" Type="{of}"{length}{scale} />'


def _stored(said: Field, value: Any, name: str) -> Any:
    if said.size and len(str(value)) > said.size:
        text = (
            f"The length is {len(str(value))}, but it must be less than or equal to {said.size} characters."
        )
        raise Refused(400, "Application_StringExceededLength", f"{name}: {text}")
    if type(value) is bool and said.type != "Boolean" or value is None:
        raise Refused(400, "BadRequest", f"Cannot convert {value} to the type Edm.{said.type}")
    return value.strip().upper() if said.code else value
