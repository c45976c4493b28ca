"""What flows and a description do not agree on, found before anything is asked of the shop."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from talk_pipeline.flows.loading import Flows, load_flows
from talk_pipeline.flows.mistakes import Located, Location
from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.vocabulary import Flow
from talk_pipeline.systems.customwebshop.spec.calls import Call
from talk_pipeline.systems.customwebshop.spec.description import Description, Entity
from talk_pipeline.systems.customwebshop.spec.fields import AS_NAMED
from talk_pipeline.systems.customwebshop.spec.lines import FieldSet, Lines
from talk_pipeline.systems.customwebshop.wire.choosing import Choice


def mistakes(flows: Flows, description: Description) -> Located:
    """What the flows and a description do not agree on, as (key path in the description, message)."""
    for flow in flows.values():
        if flow.customwebshop.entity not in description.entities:
            allowed = ", ".join(description.entities)
            yield (
                ("entities",),
                f"flow {flow.name} asks for {flow.customwebshop.entity!r}; described are {allowed}",
            )
    for name, entity in description.collections.items():
        own = [flow for flow in flows.values() if flow.customwebshop.entity == name]
        if not own:
            continue
        # a property that was taken out of a flow may stay in the description
        concerned = own + [flow for flow in _packaged().values() if flow.customwebshop.entity == name]
        at = ("entities", name)
        lists = {part.paths[Side.SHOP] for flow in concerned for part in flow.parts[1:]}
        yield from _unread(at, entity, _read(concerned))
        yield from _named((*at, "children"), entity.children, tuple(sorted(lists)))
        for path in lists:
            lines = entity.children.get(path, Lines(path=path))
            where, names = (*at, "children", path), _read(concerned, path)
            yield from _unread(where, lines, names)
            yield from _of_entries(at, entity, path, lines)
            if lines.singly:
                yield from _valued(where, lines, names)
                yield from _uncarried(where, lines, _read(own, path))
                yield from _left_out(where, lines, _written(own, path))
            if lines.made_in_steps and _written(own, path):
                yield from _alike(where, lines, own, path)
        known = {prop.name for flow in concerned for prop in flow.root.properties}
        yield from _named((*at, "search"), entity.search, tuple(sorted(known)))
        yield from _valued(at, entity, _read(concerned))
        yield from _uncarried(at, entity, _read(own))
        yield from _left_out(at, entity, _written(own))
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


def _written(flows: Sequence[Flow], path: str | None = None) -> tuple[str, ...]:
    """What the flows write of a record that is there, or of an entry of one of its lists."""
    parts = [part for flow in flows for part in flow.parts if part.paths.get(Side.SHOP) == path]
    sent = [prop for part in parts for prop in part.properties if prop.goes_to(Side.SHOP) and prop.dir != "="]
    return tuple(dict.fromkeys(name for prop in sent for name in prop.shop_paths))


def _unread(at: Location, described: FieldSet, read: tuple[str, ...]) -> Located:
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


def _named(at: Location, names: Mapping[str, Any], allowed: tuple[str, ...]) -> Located:
    for name in names:
        if name not in allowed:
            yield (*at, name), f"no flow reads {name!r}; allowed: {', '.join(allowed)}"


def _valued(at: Location, described: Entity | Lines, read: tuple[str, ...]) -> Located:
    """Calls that depend on values: of properties that there are, and as the flow says them."""
    for kind in ("create", "update"):
        for index, call in enumerate(getattr(described, kind)):
            where = (*at, kind, index, "when")
            yield from _named(where, call.when, read)
            for name, words in call.when.items():
                values = (described.field(name) or AS_NAMED).values
                for word in words:
                    if word in values and word not in values.values():
                        hint = f"here stands what the flow says, {values[word]!r}"
                        yield (*where, name), f"{word!r} is what the shop says: {hint}"


def _impossible(at: Location, flow: Flow, entity: Entity) -> Located:
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


def _uncarried(at: Location, described: Entity | Lines, read: tuple[str, ...]) -> Located:
    """Properties that may be written, and that no call writes."""
    calls = described.update
    if calls and isinstance(described, Lines):
        calls += described.create  # of an entry some may be said when it is made, and never after
    if not calls or any(call.carries_the_rest for call in calls):
        return
    for name in read:
        field = described.field(name)
        if field and field.writable and not any(call.carries(name) for call in calls):
            how = f"no call carries {name!r}: name it in `of` or `when`, or say write: false of it"
            yield (*at, "update"), how


def _left_out(at: Location, described: Entity | Lines, written: tuple[str, ...]) -> Located:
    """Properties that a call carries and that do not lie in the part of the record that is its body."""
    for kind in ("create", "update"):
        calls: Sequence[Call] = getattr(described, kind)
        for index, call in enumerate(calls):
            others = [one for one in calls if one is not call]
            carried = [name for name in written if name not in call.when and _carries(call, name, others)]
            for key, body in ((("at",), call), (("otherwise", "at"), call.otherwise)):
                if place := body and body.at and _outside(described, body.at, carried):
                    name, where = place
                    how = f"name in `of` what does, and give {name!r} a call of its own"
                    yield (*at, kind, index, *key), f"{where!r} does not lie in {body.at!r}: {how}"


def _carries(call: Call, name: str, others: Sequence[Call]) -> bool:
    return call.carries(name) or (call.carries_the_rest and not any(one.carries(name) for one in others))


def _outside(described: Entity | Lines, part: str, names: Sequence[str]) -> tuple[str, str] | None:
    """A property that is written elsewhere than in a part of the record, and where."""
    for name in names:
        field = described.field(name)
        if field and field.writable:
            for place in field.join or field.targets(name):
                if not _lies_in(place, part):
                    return name, place
    return None


def _of_entries(at: Location, entity: Entity, name: str, lines: Lines) -> Located:
    """Places in the entries of a list that has a part of its own: each entry is written by what that part says."""
    for index, place in enumerate(entity.read_only):
        if not lines.single and lines.path not in (None, place) and _lies_in(place, str(lines.path)):
            how = f"say so under children.{name}, where places begin at an entry"
            yield (*at, "read_only", index), f"{place!r} is of the entries of {lines.path!r}: {how}"


def _alike(at: Location, lines: Lines, flows: Sequence[Flow], path: str) -> Located:
    """New entries that take several calls, of which nothing would tell one that was only begun from others."""
    said = Choice(lines.create, operation="create", values={}, writable=())
    for flow in flows:
        for part in (one for one in flow.parts[1:] if one.paths[Side.SHOP] == path):
            names = [name for key in part.match for name in part.by_name[key].shop_paths]
            if not names:
                how = f"say match under children.{part.key} in a flow file of your own ({flow.name}.yaml)"
                text = f"a new entry that was only begun is told from others by nothing: {how}, or make it in one"
                yield (*at, "create"), text
            for name in names:
                field = lines.field(name)
                if not (field and field.writable and said.carrier(name) is lines.create[0]):
                    why = f"an entry that was only begun is told from others by it ({part.name}, match)"
                    yield (*at, "create", 0, "of"), f"the first of several calls must say {name!r}: {why}"


def _lies_in(place: str, part: str) -> bool:
    return place == part or place.startswith((f"{part}.", f"{part}["))
