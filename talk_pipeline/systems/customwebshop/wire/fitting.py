"""Flows and a shop brought together: what the shop does not have is left out, what it cannot write is one-way.

The flow files stay as they are; what was changed is said by `Flow.shop_lacks`, for the checklist to show.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from talk_pipeline.flows.children import Children
from talk_pipeline.flows.loading import FlowError, Flows, mistake, read_yaml, validated
from talk_pipeline.flows.properties import Property
from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.vocabulary import Flow, Guard
from talk_pipeline.systems.customwebshop.spec.description import REFERENCE, Description, Entity
from talk_pipeline.systems.customwebshop.spec.fields import AS_NAMED
from talk_pipeline.systems.customwebshop.spec.lines import FieldSet, Lines
from talk_pipeline.systems.customwebshop.wire.disagreeing import mistakes

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
            there[key] = child.but(
                room=1 if lines.single else None,
                properties=fields.fitting(child.properties),
                # what the flow calls a charge is no product where the shop has no such charges either
                leaves=self._declared.part(f"{self._declared.name}.{key}").yields_to,
            )
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
