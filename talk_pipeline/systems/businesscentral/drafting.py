"""A description to start from, made of what `$metadata` says of an entity set."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from talk_pipeline.systems.businesscentral.description import EntitySet, Lines, Records
from talk_pipeline.systems.businesscentral.metadata import EntityType, Metadata
from talk_pipeline.systems.businesscentral.schema import FILE
from talk_pipeline.systems.businesscentral.values import Kind
from talk_pipeline.systems.errors import ConfigurationFault

_MODIFIED = ("lastModifiedDateTime", "systemModifiedAt")
"""What pages call the modified time, standard ones and those that show the system's own field."""
_SYSTEM = (*_MODIFIED, "systemCreatedAt", "systemCreatedBy", "systemModifiedBy")
"""What Business Central keeps of every record by itself."""
_ORDERS = ("sequence", "lineNo", "lineNumber")
"""What pages call the number by which lines are sorted."""

_Members = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Draft:
    """A description with what a person should know who goes on from there.

    Attributes:
        set: what it says.
        members: property -> the members of its enumeration, by collection below; of the record itself under "".
        left_out: what cannot be in it -> the reason.
    """

    set: EntitySet
    members: Mapping[str, _Members]
    left_out: Mapping[str, str]


def draft_of(metadata: Metadata, name: str, *, called: str | None = None, notices: bool = True) -> Draft:
    """What a description of an entity set says.

    Args:
        metadata: of the API it is in.
        name: of the set.
        called: what flows are to call it, by default the same.
        notices: whether Business Central tells of its changes.

    Raises:
        ConfigurationFault: there is no such set, or its records have no key that can be used.
    """
    kind = metadata.type_of(name)
    if (key := kind.key) is None:
        raise ConfigurationFault(
            f"{name} has the key {', '.join(kind.keys) or 'none'}: one property is needed, such as the record's"
            " SystemId; whoever wrote the page can show it (ODataKeyFields)"
        )
    writes = metadata.writes[name]
    members, left_out, children = {"": kind.members}, dict(kind.beside), dict[str, Lines]()
    for path, of in kind.below.items():
        below = metadata.types.get(of)
        if below is None or below.key is None:
            left_out[path] = f"a collection of {of}, which has no key of one property"
            continue
        children[path] = _lines(below, below.key, path=path, listed=metadata.set_of(of))
        members[path] = below.members
    described = EntitySet(
        entity=called or name,
        set=name if called not in (None, name) else None,
        api=metadata.api,
        key=key,
        modified=kind.first(_MODIFIED, "datetime"),
        writes=writes,
        notices=notices,
        properties=_properties(kind, key, writable=bool({"create", "update"} & set(writes))),
        children=children,
    )
    return Draft(described, members, left_out)


def _lines(kind: EntityType, key: str, *, path: str, listed: str | None) -> Lines:
    return Lines(
        set=listed if listed != path else None,
        key=key,
        sorted_by=kind.first(_ORDERS, "int"),
        properties=_properties(kind, key, writable=True),
    )


def _properties(kind: EntityType, key: str, *, writable: bool) -> dict[str, Kind]:
    def told(name: str, one: Kind) -> Kind:
        own = name in _SYSTEM or (name == key and one.name == "guid")
        return one._replace(read_only=one.read_only or own or not writable)

    return {name: told(name, one) for name, one in kind.kinds.items()}


def text_of(draft: Draft) -> str:
    """A description as its file is written."""
    said = draft.set
    return "\n".join(
        [
            f"# yaml-language-server: $schema={FILE}",
            f"# {said.name}, as $metadata of {said.api} declares it. That says neither which property is",
            "# read-only nor which text is stored in upper case: write `read` behind the type of what Business",
            "# Central works out by itself, and code(20) for text(20). What no flow needs may be deleted.",
            f"entity: {said.entity}",
            *([f"set: {said.set}"] if said.set else []),
            f"api: {said.api}",
            f"key: {said.key}",
            f"modified: {said.modified or '~ # no property that is known to tell: every snapshot is a full one'}",
            f"writes: [{', '.join(said.writes)}]",
            f"notices: {'true' if said.notices else 'false # it tells of no change: the sensors look'}",
            "properties:",
            *_written(said, draft.members[""], indent=2),
            *(["", "children:"] if said.children else []),
            *(
                line
                for path, below in said.children.items()
                for line in _below(path, below, draft.members[path])
            ),
            *(f"# left out: {name}: {why}" for name, why in draft.left_out.items()),
            "",
        ]
    )


def _below(path: str, said: Lines, members: _Members) -> Sequence[str]:
    return [
        f"  {path}:",
        *([f"    set: {said.set}"] if said.set else []),
        *([f"    key: {said.key}"] if said.key != "id" else []),
        *([f"    sorted_by: {said.sorted_by}"] if said.sorted_by else []),
        "    properties:",
        *_written(said, members, indent=6),
    ]


def _written(said: Records, members: _Members, *, indent: int) -> Iterator[str]:
    for name, kind in said.properties.items():
        known = f" # {', '.join(one or 'blank' for one in members[name])}" if name in members else ""
        yield f"{' ' * indent}{name}: {kind}{known}"
