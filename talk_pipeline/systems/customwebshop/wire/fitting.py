"""Flows and a shop brought together: what the shop does not have is left out, what it cannot write is one-way.

The flow files stay as they are; what was changed is said by `Flow.shop_lacks`, for the checklist to show.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from talk_pipeline.flows.loading import FlowError, Flows, load_flows, mistake, read_yaml, validated
from talk_pipeline.flows.properties import Property
from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.vocabulary import Flow
from talk_pipeline.systems.customwebshop.spec.description import REFERENCE, Description, Entity
from talk_pipeline.systems.customwebshop.spec.fields import AS_NAMED
from talk_pipeline.systems.customwebshop.spec.lines import FieldSet, Lines

ABSENT = "this shop has no such property"
NO_SUCH_LIST = "this shop's description names none (`children`)"
READ_ONLY = "this shop cannot write it"
NEW = "new records"
NOTHING_MADE = "this shop takes none from outside: what is born in Business Central stays there"


def load_description(file: Path | None = None, *, flows: Flows) -> Description:
    """A description file, by default that of the reference API, proven to fit the flows.

    Raises:
        FlowError: with file, line, key and what is allowed, a line for each mistake.
    """
    file = file or REFERENCE
    data, tree = read_yaml(file)
    description = validated(Description, data, file=file, tree=tree)
    found = [*description.problems(), *mistakes(flows, description)]
    if found:
        raise FlowError("\n".join(mistake(file, tree, at=at, message=message) for at, message in found))
    return description


def fitted(flows: Flows, description: Description) -> Flows:
    """The flows this shop can take part in."""
    fits = {
        flow.name: _fit(flow, description.collections[flow.customwebshop.entity]) for flow in flows.values()
    }
    names = {name: frozenset(flow.root.by_name) for name, flow in fits.items()}
    return Flows(tuple(_referring(flow, names) for flow in fits.values()))


def mistakes(flows: Flows, description: Description) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """What the flows and a description do not agree on, as (key path in the description, message)."""
    for flow in flows.values():
        if flow.customwebshop.entity not in description.entities:
            allowed = ", ".join(description.entities)
            yield (
                ("entities",),
                f"flow {flow.name} asks for {flow.customwebshop.entity!r}; described are {allowed}",
            )
    for name, entity in description.collections.items():
        concerned = [flow for flow in flows.values() if flow.customwebshop.entity == name]
        if not concerned:
            continue
        # a property that was taken out of a flow may stay in the description
        concerned += [flow for flow in _packaged().values() if flow.customwebshop.entity == name]
        at = ("entities", name)
        lists = {part.paths[Side.SHOP] for flow in concerned for part in flow.parts[1:]}
        yield from _unread(at, entity, _read(concerned))
        yield from _named((*at, "children"), entity.children, tuple(sorted(lists)))
        for path in lists:
            lines = entity.children.get(path, Lines(path=path))
            yield from _unread((*at, "children", path), lines, _read(concerned, path))
        known = {prop.name for flow in concerned for prop in flow.root.properties}
        yield from _named((*at, "search"), entity.search, tuple(sorted(known)))
        for flow in flows.values():
            if flow.customwebshop.entity == name:
                yield from _impossible(at, flow, entity)


@cache
def _packaged() -> Flows:
    return load_flows()


def _read(flows: Sequence[Flow], path: str | None = None) -> tuple[str, ...]:
    """What the flows read of a record, or of one of its lists."""
    parts = [(flow, part) for flow in flows for part in flow.parts if part.paths.get(Side.SHOP) == path]
    return tuple(dict.fromkeys(name for flow, part in parts for name in flow.fields(part, Side.SHOP)))


def _unread(
    at: tuple[str | int, ...], described: FieldSet, read: tuple[str, ...]
) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """What is said of properties that no flow has; of a group nothing can be said but that there is none."""
    for name, field in described.fields.items():
        if field is not None and any(one.startswith(f"{name}.") for one in read):
            text = f"{name!r} is a group: name its properties, or say ~ if the shop has none of them"
            yield (*at, "fields", name), text
        elif not _known(name, read):
            yield (*at, "fields", name), f"no flow reads {name!r}; allowed: {', '.join(read)}"
    for key in ("lacks", "unwritten"):
        for index, name in enumerate(getattr(described, key)):
            if key == "lacks" and name in described.fields:
                yield (*at, key, index), f"{name!r} is told under fields: say one or the other"
            elif not _known(name, read):
                yield (*at, key, index), f"no flow reads {name!r}; allowed: {', '.join(read)}"


def _known(name: str, read: tuple[str, ...]) -> bool:
    return any(one == name or one.startswith(f"{name}.") for one in read)


def _named(
    at: tuple[str | int, ...], names: Mapping[str, Any], allowed: tuple[str, ...]
) -> Iterator[tuple[tuple[str | int, ...], str]]:
    for name in names:
        if name not in allowed:
            yield (*at, name), f"no flow reads {name!r}; allowed: {', '.join(allowed)}"


def _impossible(
    at: tuple[str | int, ...], flow: Flow, entity: Entity
) -> Iterator[tuple[tuple[str | int, ...], str]]:
    key = flow.root.by_name[flow.create_key]
    for prop in flow.root.properties:
        absent = prop.shop and all(entity.field(path) is None for path in prop.shop_paths)
        if absent and (prop.name == key.name or prop.required):
            why = f"it is required in flow {flow.name}"
            if prop.name == key.name:
                how = f"have create_key of a flow file of your own ({flow.name}.yaml) name another property"
                why = f"creates are found again by it in flow {flow.name}; if this shop has none, {how}"
            yield (*at, "fields", prop.shop_paths[0]), f"must be there: {why}"
        if prop.in_currency and not absent and entity.field(prop.in_currency) is None:
            where = (*at, "fields", prop.in_currency)
            yield where, f"{prop.name} needs it: say const: CODE if the shop knows one currency only"
    # without it the condition could not be asked, and what it keeps out would come in
    for setting, scope in (("scope", flow.settings.scope), ("create_scope", flow.settings.create_scope)):
        for name in scope:
            path = flow.root.by_name[name].shop_paths[0]
            if entity.field(path) is None:
                why = f"flow {flow.name} tells its records by it (settings.{setting})"
                hint = "say const: VALUE if it is the same for all of them"
                yield (*at, "fields", path), f"must be there: {why}; {hint}"
    left = flow.settings.disappearance_from(Side.BC)
    if (left == "delete" and not entity.delete) or (left == "block" and not entity.update):
        why = f"flow {flow.name} does so with what left Business Central (settings.disappearance: {left})"
        yield at, f"nothing is {'deleted' if left == 'delete' else 'written'} in this shop, but {why}"
    if not entity.update or not all(call.of for call in entity.update):
        return
    for name in flow.fields(flow.root, Side.SHOP):
        field = entity.field(name)
        if field and field.writable and not any(call.carries(name) for call in entity.update):
            yield (*at, "update"), f"no call carries {name!r}: name it in `of`, or say write: false of it"


def _fit(flow: Flow, entity: Entity) -> Flow:
    lacks: dict[str, str] = {}
    scoping = {
        *flow.settings.scope,
        *flow.settings.create_scope,
        *(name for flag in flow.flags for name in flag.shop),
    }
    properties = _properties(
        flow.properties,
        entity,
        "",
        lacks,
        taken=bool(entity.update),
        scoping=scoping,
        asked_there=flow.settings.create_scope_businesscentral,
    )
    absent = {
        key
        for key, child in flow.children.items()
        if child.optional and child.customwebshop not in entity.children
    }
    lacks |= dict.fromkeys(sorted(absent), NO_SUCH_LIST)
    children = {
        key: child.but(
            room=1 if entity.children.get(child.customwebshop, Lines()).single else None,
            properties=_properties(
                child.properties,
                entity.children.get(child.customwebshop, Lines()),
                f"{key}.",
                lacks,
                taken=bool(entity.update)
                and entity.children.get(child.customwebshop, Lines()).write is not False,
            ),
        )
        for key, child in flow.children.items()
        if key not in absent
    }
    create = flow.settings.create
    if flow.settings.creates(Side.SHOP) and not (entity.create and entity.update):
        create, lacks[NEW] = "always" if create == "both" else "never", NOTHING_MADE
    every = flow.settings.full_scan_minutes
    if entity.compare_minutes:
        every = min(every, entity.compare_minutes)
    single = any(child.room for child in children.values())
    if not lacks and not single and every == flow.settings.full_scan_minutes:
        return flow
    if absent:
        properties = tuple(
            prop.but(recreates=tuple(key for key in prop.recreates if key not in absent))
            for prop in properties
        )
    names = {prop.name for prop in properties}
    lines = {prop.name for child in children.values() for prop in child.properties}
    guard = flow.guard and flow.guard.but(
        withholds=tuple(name for name in flow.guard.withholds if name in names),
        withholds_lines=tuple(name for name in flow.guard.withholds_lines if name in lines),
    )
    return flow.but(
        properties=properties,
        children={
            key: child.but(send_with=tuple(name for name in child.send_with if name in names))
            for key, child in children.items()
        },
        match=tuple(name for name in flow.match if name in names),
        flags=tuple(flag for flag in flow.flags if set(flag.shop) <= names),
        guard=guard,
        shop_lacks=lacks,
        settings=flow.settings.but(full_scan_minutes=every, create=create),
    )


def _referring(flow: Flow, names: Mapping[str, frozenset[str]]) -> Flow:
    """A flow whose references ask no more of a record than the other flow has: what is absent holds up nothing."""
    return flow.but(
        properties=_asking(flow.properties, names),
        children={
            key: child.but(properties=_asking(child.properties, names))
            for key, child in flow.children.items()
        },
    )


def _asking(properties: tuple[Property, ...], names: Mapping[str, frozenset[str]]) -> tuple[Property, ...]:
    return tuple(
        prop.but(
            usable_while={key: one for key, one in prop.usable_while.items() if key in names[prop.refers_to]}
        )
        if prop.refers_to
        else prop
        for prop in properties
    )


def _properties(
    properties: tuple[Property, ...],
    said: FieldSet,
    prefix: str,
    lacks: dict[str, str],
    *,
    taken: bool = True,
    scoping: Collection[str] = (),
    asked_there: Collection[str] = (),
) -> tuple[Property, ...]:
    fits = []
    for prop in properties:
        first = next((one for one in properties if prop.name in one.split[1:]), None)
        if first and all(said.field(path) is None for path in prop.shop_paths):
            lacks[prefix + prop.name] = f"this shop has it in one with {first.name}"
            prop = prop.but(shop=first.shop)
        fit = _property(prop, said, prefix=prefix, lacks=lacks, taken=taken)
        if fit is None and lacks[prefix + prop.name] == READ_ONLY and prop.name in scoping:
            # never written, and still what tells which records are in scope
            fit = Property(shop=prop.shop, name=prop.name, dir="-", type=prop.type)
        if prop.name in asked_there and (fit is None or not fit.bc):
            # the same where records of Business Central are asked for it
            fit = (fit or prop.but(shop=None)).but(dir="-", bc=prop.bc, values=prop.values, reads=prop.reads)
        if fit is not None:
            fits.append(fit)
    names = {prop.name for prop in fits}
    return tuple(
        prop.but(
            send_with=tuple(name for name in prop.send_with if name in names),
            country=prop.country if prop.country in names else None,
        )
        for prop in fits
    )


def _property(
    prop: Property,
    said: FieldSet,
    *,
    prefix: str,
    lacks: dict[str, str],
    taken: bool,
) -> Property | None:
    """A property as far as the shop has it, and takes it; None when it has not."""
    if prop.shop is None:
        return prop
    there = [path for path in prop.shop_paths if said.field(path) is not None]
    if not there:
        lacks[prefix + prop.name] = ABSENT
        return None
    update: dict[str, Any] = {"shop": " | ".join(there)} if len(there) < len(prop.shop_paths) else {}
    writable = taken and all((said.field(path) or AS_NAMED).writable for path in there)
    if not writable and prop.dir in ("<->", "<-"):
        lacks[prefix + prop.name] = READ_ONLY
        if prop.dir == "<-":
            return None
        update["dir"] = "->"
    return prop.but(**update) if update else prop
