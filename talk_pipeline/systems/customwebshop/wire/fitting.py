"""Flows and a shop brought together: what the shop does not have is left out, what it cannot write is one-way.

The flow files stay as they are; what was changed is said by `Flow.shop_lacks`, for the checklist to show.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from talk_pipeline.flows.loading import FlowError, Flows, load_flows, mistake, read_yaml, validated
from talk_pipeline.flows.properties import Property
from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.vocabulary import Children, Flow, Guard
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
    collections = description.collections
    fits = {
        flow.name: _Fitting(flow, collections[flow.customwebshop.entity]).flow() for flow in flows.values()
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


class _Fitting:
    """A flow cut down to what a shop has of its entity.

    Attributes:
        lacks: what was left out or made one-way, by name, and why.
    """

    def __init__(self, flow: Flow, entity: Entity) -> None:
        self._declared, self._entity, self.lacks = flow, entity, dict[str, str]()

    def flow(self) -> Flow:
        """The flow as this shop can take part in it; the declared one where it can in all of it."""
        declared = self._declared
        root, children = self._root(), self._children()
        create, every = self._creates(), self._scanned_every()
        single = any(child.room for child in children.values())
        if not self.lacks and not single and every == declared.settings.full_scan_minutes:
            return declared
        root = tuple(
            prop.but(recreates=tuple(key for key in prop.recreates if key in children)) for prop in root
        )
        names = _names(root)
        return declared.but(
            properties=root,
            children={
                key: child.but(send_with=tuple(name for name in child.send_with if name in names))
                for key, child in children.items()
            },
            match=tuple(name for name in declared.match if name in names),
            flags=tuple(flag for flag in declared.flags if set(flag.shop) <= names),
            guard=self._guard(names, children),
            shop_lacks=self.lacks,
            settings=declared.settings.but(full_scan_minutes=every, create=create),
        )

    def _root(self) -> tuple[Property, ...]:
        settings = self._declared.settings
        flagged = {name for flag in self._declared.flags for name in flag.shop}
        fields = _Fields(self._entity, taken=bool(self._entity.update), lacks=self.lacks)
        return fields.fitting(
            self._declared.properties,
            scoping={*settings.scope, *settings.create_scope, *flagged},
            asked_there=settings.create_scope_businesscentral,
        )

    def _children(self) -> dict[str, Children]:
        """The lists that the shop has, or that no shop may be without."""
        there = {}
        for key, child in self._declared.children.items():
            described = self._entity.children.get(child.customwebshop)
            if described is None and child.optional:
                self.lacks[key] = NO_SUCH_LIST
                continue
            lines = described or Lines()
            taken = bool(self._entity.update) and lines.write is not False
            fields = _Fields(lines, taken=taken, lacks=self.lacks, prefix=f"{key}.")
            properties = fields.fitting(child.properties)
            there[key] = child.but(room=1 if lines.single else None, properties=properties)
        return there

    def _creates(self) -> str:
        """Where new records are made: not in a shop that takes none, or could not be told what they became."""
        settings, entity = self._declared.settings, self._entity
        if not settings.creates(Side.SHOP) or (entity.create and entity.update):
            return settings.create
        self.lacks[NEW] = NOTHING_MADE
        return "always" if settings.create == "both" else "never"

    def _scanned_every(self) -> int:
        """In minutes: a shop that keeps no times of changes is compared more often."""
        every = self._declared.settings.full_scan_minutes
        return min(every, self._entity.compare_minutes or every)

    def _guard(self, names: Collection[str], children: Mapping[str, Children]) -> Guard | None:
        guard = self._declared.guard
        if guard is None:
            return None
        lines = {name for child in children.values() for name in _names(child.properties)}
        return guard.but(
            withholds=tuple(name for name in guard.withholds if name in names),
            withholds_lines=tuple(name for name in guard.withholds_lines if name in lines),
        )


@dataclass(frozen=True, slots=True)
class _Fields:
    """What a shop says of a record, or of one of its lists.

    Attributes:
        said: its description.
        taken: whether it takes changes at all.
        lacks: where what it has not, or cannot write, is told by name.
        prefix: of these names.
    """

    said: FieldSet
    taken: bool
    lacks: dict[str, str]
    prefix: str = ""

    def fitting(
        self,
        properties: tuple[Property, ...],
        *,
        scoping: Collection[str] = (),
        asked_there: Collection[str] = (),
    ) -> tuple[Property, ...]:
        """The properties as far as the shop has them, without what they said of absent ones.

        Args:
            properties: of the flow.
            scoping: those that tell which records of the shop are in scope: they are read at least.
            asked_there: the same of records of Business Central.
        """
        fits = []
        for declared in properties:
            prop = self._in_one(declared, properties)
            fit = self._fitting(prop)
            if fit is None and self.lacks[self.prefix + prop.name] == READ_ONLY and prop.name in scoping:
                fit = Property(shop=prop.shop, name=prop.name, dir="-", type=prop.type)
            if prop.name in asked_there and (fit is None or not fit.bc):
                fit = (fit or prop.but(shop=None)).but(
                    dir="-", bc=prop.bc, values=prop.values, reads=prop.reads
                )
            if fit is not None:
                fits.append(fit)
        names = _names(fits)
        return tuple(
            prop.but(
                send_with=tuple(name for name in prop.send_with if name in names),
                country=prop.country if prop.country in names else None,
            )
            for prop in fits
        )

    def _in_one(self, prop: Property, properties: Sequence[Property]) -> Property:
        """The same, or what the shop has in one with another, such as both lines of an address."""
        first = next((one for one in properties if prop.name in one.split[1:]), None)
        if first is None or any(self.said.field(path) is not None for path in prop.shop_paths):
            return prop
        self._lacking(prop, f"this shop has it in one with {first.name}")
        return prop.but(shop=first.shop)

    def _fitting(self, prop: Property) -> Property | None:
        """A property as far as the shop has it, and takes it; None when it has not."""
        if prop.shop is None:
            return prop
        there = [path for path in prop.shop_paths if self.said.field(path) is not None]
        if not there:
            self._lacking(prop, ABSENT)
            return None
        update: dict[str, Any] = {"shop": " | ".join(there)} if len(there) < len(prop.shop_paths) else {}
        writable = self.taken and all((self.said.field(path) or AS_NAMED).writable for path in there)
        if not writable and prop.dir in ("<->", "<-"):
            self._lacking(prop, READ_ONLY)
            if prop.dir == "<-":
                return None
            update["dir"] = "->"
        return prop.but(**update) if update else prop

    def _lacking(self, prop: Property, why: str) -> None:
        self.lacks[self.prefix + prop.name] = why


def _names(properties: Sequence[Property]) -> set[str]:
    return {prop.name for prop in properties}


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
