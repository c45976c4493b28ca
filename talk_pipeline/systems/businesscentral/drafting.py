"""A description to start from, made of what `$metadata` says of an entity set."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from talk_pipeline.systems.businesscentral.beside import Beside
from talk_pipeline.systems.businesscentral.description import EntitySet, Lines, Records
from talk_pipeline.systems.businesscentral.metadata import EntityType, Metadata, Named
from talk_pipeline.systems.businesscentral.schema import FILE
from talk_pipeline.systems.businesscentral.values import Kind
from talk_pipeline.systems.errors import ConfigurationFault

_MODIFIED = ("lastModifiedDateTime", "systemModifiedAt")
"""What pages call the modified time, standard ones and those that show the system's own field."""
_SOUNDS_MODIFIED = re.compile("modif|chang|updat", re.IGNORECASE)
"""What else a modified time is called by, where a page has words of its own."""
_SYSTEM = frozenset(
    name.casefold() for name in (*_MODIFIED, "systemCreatedAt", "systemCreatedBy", "systemModifiedBy")
)
"""What Business Central keeps of every record by itself, in small letters."""
_ORDERS = ("sequence", "lineNo", "lineNumber")
"""What pages call the number by which lines are sorted."""
_KNOWN_BY = ("code", "number", "no")
"""What pages call what people know a record by; else it is the shortest text."""

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
    writes, keys = metadata.writes[name], kind.several
    if kind.joined and not (keys and writes):
        return _joined(metadata, name, kind, called=called)
    if (key := kind.key or (_key_of(kind) if keys else None)) is None:
        raise ConfigurationFault(f"{name} {kind.no_key}")
    members, left_out, children = {"": kind.members}, dict(kind.beside), dict[str, Lines]()
    for path, of in kind.below.items():
        below = metadata.types.get(of)
        if below is None or not (below.key or below.several):
            left_out[path] = f"a collection of {of}, whose records nothing tells apart that an address takes"
            continue
        children[path] = _lines(metadata, of, path=path)
        members[path] = below.members
    for way, of in kind.ways.items():
        if way not in kind.below and way not in kind.named:
            left_out[way] = (
                f"a record of {of}, and nothing says which property names it: it may be read by `beside`"
            )
    described = EntitySet(
        entity=called or name,
        set=name if called not in (None, name) else None,
        api=metadata.api,
        key=key,
        keys=keys,
        modified=None if name in metadata.unfiltered else _modified(kind),
        writes=writes,
        notices=notices and not keys,
        filters=name not in metadata.unfiltered,
        properties=_properties(kind, key, writable=bool({"create", "update"} & set(writes))),
        beside=dict(_beside(metadata, metadata.sets[name])),
        children=children,
    )
    return Draft(described, members, left_out)


def _joined(metadata: Metadata, name: str, kind: EntityType, *, called: str | None) -> Draft:
    """Of records that only several properties together tell apart: they are read alone."""
    key = _key_of(kind)
    described = EntitySet(
        entity=called or name,
        set=name if called not in (None, name) else None,
        api=metadata.api,
        key=key,
        modified=None,
        writes=(),
        notices=False,
        filters=name not in metadata.unfiltered,
        grouped_by=kind.joined,
        properties=_properties(kind, key, writable=False),
    )
    left_out = {path: "what lies below records of such a key" for path in kind.below}
    return Draft(described, {"": kind.members}, {**kind.beside, **left_out})


def _key_of(kind: EntityType) -> str:
    """What a key is called that is made of several."""
    return next(one for one in ("id", "joinedKey", "joinedKeys") if one not in kind.kinds)


def _modified(kind: EntityType) -> str | None:
    moments = [name for name, one in kind.kinds.items() if one.name == "datetime"]
    return kind.first(_MODIFIED, "datetime") or next(filter(_SOUNDS_MODIFIED.search, moments), None)


def _lines(metadata: Metadata, of: str, *, path: str) -> Lines:
    kind, listed = metadata.types[of], metadata.set_of(of)
    key = kind.key or _key_of(kind)
    return Lines(
        set=listed if listed != path else None,
        key=key,
        keys=kind.several,
        sorted_by=kind.first(_ORDERS, "int"),
        nested=listed is None,
        properties=_properties(kind, key, writable=True),
        beside=dict(_beside(metadata, of)),
    )


def _beside(metadata: Metadata, of: str) -> Iterator[tuple[str, Beside]]:
    """The records that those of a type name by an id, by what people know them by; not the one they lie below."""
    kind = metadata.types[of]
    for way, one in kind.named.items():
        set_name, other = metadata.set_of(one.type), metadata.types.get(one.type)
        if set_name is None or other is None or of in other.below.values() or way in kind.kinds:
            continue
        by = kind.kinds.get(one.by)
        shared = (
            sum(named.by == one.by for named in kind.named.values()) > 1
        )  # whose it is, another property tells
        known_by = _known_by(other)
        if by is None or by.name != "guid" or one.by in kind.keys or shared or known_by is None:
            continue
        yield (
            way,
            Beside(
                named_by=one.by,
                set=set_name,
                key=one.key,
                within=_within(metadata, kind, one),
                properties={known_by: other.kinds[known_by]},
            ),
        )


def _known_by(kind: EntityType) -> str | None:
    texts = [(one.size, name) for name, one in kind.kinds.items() if one.name == "text" and one.size]
    return kind.first(_KNOWN_BY, "text") or min(texts, default=(0, None))[1]


def _within(metadata: Metadata, kind: EntityType, meant: Named) -> dict[str, str]:
    """What the one that is meant lies below, where both name it: the very item of which it is a variant."""
    return {
        above.by: own.by
        for above in metadata.types[meant.type].named.values()
        for own in kind.named.values()
        if (own.type, own.key) == (above.type, above.key)
        and own is not meant
        and (of := metadata.types.get(above.type))
        and meant.type in of.below.values()
    }


def _properties(kind: EntityType, key: str, *, writable: bool) -> dict[str, Kind]:
    def told(name: str, one: Kind) -> Kind:
        own = name.casefold() in _SYSTEM or (name == key and one.name == "guid")
        return one._replace(read_only=one.read_only or own or not writable)

    made = {key: Kind("text", read_only=not writable)} if key not in kind.kinds else {}
    return made | {name: told(name, one) for name, one in kind.kinds.items()}


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
            f"key: {said.key}{' # made of these' if said.grouped_by or said.keys else ''}",
            *_keys(said, indent=0),
            *([f"grouped_by: [{', '.join(said.grouped_by)}]"] if said.grouped_by else []),
            f"modified: {_told(said.modified)}",
            f"writes: [{', '.join(said.writes)}]",
            f"notices: {'true' if said.notices else 'false # it tells of no change: the sensors look'}",
            *(
                []
                if said.filters
                else ["filters: false # it takes none: all is read where one is looked for"]
            ),
            *_named(said, indent=0),
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
        *_keys(said, indent=4),
        *([f"    sorted_by: {said.sorted_by}"] if said.sorted_by else []),
        *(["    nested: true # no set of its own"] if said.nested else []),
        *_named(said, indent=4),
        "    properties:",
        *_written(said, members, indent=6),
    ]


def _keys(said: Records, *, indent: int) -> Iterator[str]:
    if said.keys:
        yield f"{' ' * indent}keys: [{', '.join(said.keys)}]"


def _told(modified: str | None) -> str:
    if modified is None:
        return "~ # no property that is known to tell: every snapshot is a full one"
    known = modified.casefold() in (name.casefold() for name in _MODIFIED)
    return modified if known else f"{modified} # by its name: it must move with every change"


def _named(said: Records, *, indent: int) -> Iterator[str]:
    """What is beside a record, a line each."""
    if said.beside:
        yield f"{' ' * indent}beside: # what a record names by an id, and people by what stands here"
    for name, one in said.beside.items():
        told = {"named_by": one.named_by, "set": one.set}
        told |= {} if one.key == "id" else {"key": one.key}
        told |= {"within": _in_one_line(one.within)} if one.within else {}
        told["properties"] = _in_one_line(one.properties)
        yield f"{' ' * indent}  {name}: {_in_one_line(told)}"


def _in_one_line(said: Mapping[str, object]) -> str:
    return f"{{{', '.join(f'{name}: {value}' for name, value in said.items())}}}"


def _written(said: Records, members: _Members, *, indent: int) -> Iterator[str]:
    for name, kind in said.properties.items():
        known = f" # {', '.join(one or 'blank' for one in members[name])}" if name in members else ""
        yield f"{' ' * indent}{name}: {kind}{known}"
