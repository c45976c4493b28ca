"""``$metadata``: the sets, types and actions of the service as an EDMX document."""

from __future__ import annotations

from collections.abc import Mapping
from xml.sax.saxutils import quoteattr

from talk_pipeline.sandbox.businesscentral.company import ROOT_SETS
from talk_pipeline.sandbox.businesscentral.schema import DECIMALS, EntitySet, Navigation, Property, Schema

_SPACE = "Microsoft.NAV"
_CAPABILITIES = (
    ("ChangeTracking", "Supported", None),
    ("DeleteRestrictions", "Deletable", "delete"),
    ("InsertRestrictions", "Insertable", "create"),
    ("UpdateRestrictions", "Updatable", "update"),
)


def metadata_xml(schema: Schema, api: str) -> bytes:
    """The document of one API."""
    sets = schema.of(api)
    others = {
        entry.enum
        for one in schema.sets.values()
        if one.name not in sets
        for entry in one.properties.values()
    }
    of_types = {entry.enum for kind in schema.types.values() for entry in kind.properties.values()}
    own = {entry.enum for one in sets.values() for entry in one.properties.values()} | of_types
    lines = [
        '<?xml version="1.0" encoding="utf-8"?>',
        '<edmx:Edmx Version="4.0" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx">',
        "<edmx:DataServices>",
        f'<Schema Namespace="{_SPACE}" xmlns="http://docs.oasis-open.org/odata/ns/edm">',
    ]
    for name, members in schema.enums.items():
        if name in others - own:
            continue
        lines += [f'<EnumType Name="{name}">']
        lines += [f'<Member Name="{member}" Value="{value}" />' for member, value in members.items()]
        lines += ["</EnumType>"]
    for entity_set in sets.values():
        lines += _entity(entity_set.entity, entity_set.key, entity_set.properties)
        if entity_set.name == "companies":
            lines += [
                _navigation(other.name, other.entity, many=True)
                for other in sets.values()
                if other.name not in ROOT_SETS and other.listed
            ]
        lines += [_way(way, entity_set, schema) for way in entity_set.navigation.values()]
        lines += ["</EntityType>"]
    for kind in schema.types.values():
        lines += [*_entity(kind.entity, kind.key, kind.properties), "</EntityType>"]
    lines += [
        '<Action Name="shipAndInvoice" IsBound="true">',
        f'<Parameter Name="bindingParameter" Type="{_SPACE}.salesOrder" />',
        "</Action>",
        '<EntityContainer Name="NAV">',
    ]
    for entity_set in sets.values():
        lines += _container_entry(entity_set) if entity_set.listed else []
    lines += ["</EntityContainer>", "</Schema>", "</edmx:DataServices>", "</edmx:Edmx>"]
    return "\n".join(lines).encode()


def _entity(name: str, key: str, properties: Mapping[str, Property]) -> list[str]:
    head = [f'<EntityType Name="{name}">', f'<Key><PropertyRef Name="{key}" /></Key>']
    return head + [_property(entry, key=key) for entry in properties.values()]


def _property(entry: Property, *, key: str) -> str:
    facets = {"Name": entry.name, "Type": _edm(entry)}
    if not entry.nullable or entry.name == key:
        facets["Nullable"] = "false"
    if entry.length is not None and entry.announced:
        facets["MaxLength"] = str(entry.length)
    if entry.kind in DECIMALS:
        facets["Scale"] = "Variable"
    return f"<Property {' '.join(f'{name}={quoteattr(value)}' for name, value in facets.items())} />"


def _edm(entry: Property) -> str:
    if entry.kind == "Enum":
        return f"{_SPACE}.{entry.enum}"
    if entry.kind in DECIMALS:
        return "Edm.Decimal"
    return {"Code": "Edm.String", "Text": "Edm.String", "DateTime": "Edm.DateTimeOffset"}.get(
        entry.kind, f"Edm.{entry.kind}"
    )


def _way(way: Navigation, of: EntitySet, schema: Schema) -> str:
    ends = (of.key, way.by) if way.many else (way.by, schema.sets[way.set].key if way.set else None)
    return _navigation(way.name, way.entity, many=way.many, ends=ends)


def _navigation(
    name: str, entity: str, *, many: bool, ends: tuple[str | None, str | None] = (None, None)
) -> str:
    target = f"Collection({_SPACE}.{entity})" if many else f"{_SPACE}.{entity}"
    head = f'<NavigationProperty Name="{name}" Type="{target}" ContainsTarget="true"'
    if not all(ends):
        return f"{head} />"
    constraint = f'<ReferentialConstraint Property="{ends[0]}" ReferencedProperty="{ends[1]}" />'
    return f"{head}>{constraint}</NavigationProperty>"


def _container_entry(entity_set: EntitySet) -> list[str]:
    lines = [f'<EntitySet Name="{entity_set.name}" EntityType="{_SPACE}.{entity_set.entity}">']
    for term, name, operation in _CAPABILITIES:
        value = str(operation in entity_set.writes).lower()
        lines += [
            f'<Annotation Term="Org.OData.Capabilities.V1.{term}"><Record>'
            f'<PropertyValue Property="{name}" Bool="{value}" /></Record></Annotation>'
        ]
    if not entity_set.filters:
        lines += [
            '<Annotation Term="Org.OData.Capabilities.V1.FilterRestrictions"><Record>'
            '<PropertyValue Property="Filterable" Bool="false" /></Record></Annotation>'
        ]
    return [*lines, "</EntitySet>"]
