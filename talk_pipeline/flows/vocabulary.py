"""A flow as frozen models, validated on load.

What may be tuned is in `tuning`; what a mistake looks like to the person who made it is `loading`'s business.
"""

import hashlib
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from pydantic import Field

from talk_pipeline.flows.bounds import MOST
from talk_pipeline.flows.children import Children
from talk_pipeline.flows.compositions import composition_problems, left_out
from talk_pipeline.flows.endings import ArchivedIn, ClosedBy, ending_problems
from talk_pipeline.flows.mistakes import Located, Location
from talk_pipeline.flows.properties import ComesTo, Model, Policy, Property, Word
from talk_pipeline.flows.scoping import Words, narrower, overlaps, scope_problems
from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.splitting import split_problems
from talk_pipeline.flows.tuning import Settings


class Part(Model):
    """A set of properties that is linked, compared and written together: a flow's record, or its lines."""

    name: str
    parent: str | None = None
    paths: Mapping[Side, str] = Field({}, description="where a child collection lives in its parent")
    scope: Mapping[str, Word] = Field({}, description="Business Central values a record must have to belong")
    match: tuple[str, ...] = ()
    properties: tuple[Property, ...]
    send_with: tuple[str, ...] = ()
    there_by: str | None = Field(
        None, description="property that is neither blank nor zero of a child there is"
    )
    comes_to: ComesTo | None = None
    optional: bool = False
    room: int | None = Field(None, le=MOST, description="how many of them a record of the shop has room for")
    set_by: Mapping[str, str] = Field({}, description="scope path -> the constant that it is set by")
    yields_to: Mapping[str, Words] = Field(
        {}, description="whose the others are -> the narrower scope of these"
    )

    @property
    def key(self) -> str:
        """What the flow file calls a child collection; empty for the record itself."""
        return self.name.partition(".")[2]

    @cached_property
    def alternatives(self) -> Mapping[str, tuple[str, ...]]:
        """What each property of the scope may be; a child that is created gets the first."""
        return {path: tuple(one.strip() for one in word.split("|")) for path, word in self.scope.items()}

    @cached_property
    def splits(self) -> tuple[tuple[Property, ...], ...]:
        """The properties over which one text may go on, group by group."""
        return tuple(
            tuple(self.by_name[name] for name in prop.split) for prop in self.properties if prop.split
        )

    @property
    def unset(self) -> str | None:
        """The setting without which nothing of Business Central belongs here, where it is blank."""
        return next((name for path, name in self.set_by.items() if not self.scope[path].strip()), None)

    @cached_property
    def by_name(self) -> Mapping[str, Property]:
        """The properties by name, in file order."""
        return {prop.name: prop for prop in self.properties}

    @cached_property
    def references(self) -> tuple[Property, ...]:
        """The properties that point into other flows."""
        return tuple(prop for prop in self.properties if prop.refers_to)


class ShopEntity(Model):
    """The shop's side of a flow."""

    asset: str = Field(description="name of the snapshot asset in Dagster, under `customwebshop/`")
    entity: str = Field(description="the entity of the shop's description, such as `customers`")


class BcEntity(Model):
    """Business Central's side of a flow."""

    asset: str = Field(description="name of the snapshot asset in Dagster, under `businesscentral/`")
    entity: str = Field(description="the entity set as it is described, such as `customers`")
    scope: Mapping[str, Word] = Field(
        {},
        description="values a record must have to belong; others are never matched and never written; `a | b` are"
        " both, and `N-*` is whatever begins so",
    )
    several_shops: bool = Field(
        False, description="a record may belong to several shops at once, of companies that share the set"
    )
    closed_by: ClosedBy | None = Field(
        None, description="where a record that left was posted to: its link is closed, it was not deleted"
    )
    archived_in: ArchivedIn | None = Field(None, description="where one that was deleted may be archived")

    @property
    def scope_told(self) -> str:
        """The scope for a person; blank where there is none."""
        return ", ".join(f"{path} = {value}" for path, value in self.scope.items())

    @property
    def elsewhere(self) -> tuple[ClosedBy | ArchivedIn, ...]:
        """Where records are looked for that are not in the set any more."""
        return tuple(one for one in (self.closed_by, self.archived_in) if one)


class Guard(Model):
    """What is withheld from Business Central while a record there is not open for it."""

    bc: str = Field(description="the Business Central property that tells, such as `status`")
    open_while: tuple[Word, ...] = Field(description="its values while everything may be written")
    reason: str = Field(description="what a person reads of a change that is withheld")
    withholds: tuple[str, ...] = Field((), description="properties of the record that are withheld")
    withholds_lines: tuple[str, ...] = Field(
        (), description="properties of its children that are withheld; so are new and removed children"
    )


class ListedCase(Model):
    """A case the checklist lists, and of which the pipeline writes nothing."""

    shop: Mapping[str, tuple[Word, ...]] = Field(description="property -> the shop's values that are listed")
    reason: str = Field(description="what a person reads of it")
    ends: bool = Field(
        False, description="once Business Central's record is gone as well, the story of the pair has ended"
    )


class Flow(Model):
    """Everything one flow says about itself."""

    flow: str = Field(pattern=r"^[a-z][a-z0-9_]*$", description="the flow's name, and the file's")
    title: str = Field(description="what a person calls its records, such as `Customers`")
    description: str = Field("", description="a sentence for the checklist and the documents")
    customwebshop: ShopEntity = Field(description="the shop's side")
    businesscentral: BcEntity = Field(description="Business Central's side")
    match: tuple[str, ...] = Field(
        description="properties by which records are found to be the same, in order; a blank never matches"
    )
    create_key: str = Field(description="the property by which a create of unknown outcome is found again")
    label: str | None = Field(
        None, description="the property by which people know a record, beside its key: shown, and no more"
    )
    guard: Guard | None = Field(None, description="when its record takes only some edits; else as described")
    flags: tuple[ListedCase, ...] = Field((), description="cases the checklist lists; nothing acts on them")
    properties: tuple[Property, ...] = Field(description="the property table, a row each")
    children: Mapping[str, Children] = Field({}, description="name -> a child collection, such as `lines`")
    settings: Settings = Field(Settings(), description="what may be tuned without touching the mapping")
    shop_lacks: Mapping[str, str] = Field(
        {}, exclude=True, max_length=0, description="never written here: what the shop at hand cannot do"
    )

    @property
    def name(self) -> str:
        """The flow's name."""
        return self.flow

    @property
    def shown_by(self) -> str:
        """The property by which people know a record: its label, or else its key."""
        return self.label or self.create_key

    @property
    def found_by(self) -> tuple[str, ...]:
        """The properties by which a record is found, each once."""
        return tuple(dict.fromkeys((*self.match, self.create_key)))

    @cached_property
    def root(self) -> Part:
        """The flow's own record."""
        return Part(
            name=self.flow,
            scope=self.businesscentral.scope,
            match=self.match,
            properties=self.properties,
        )

    @cached_property
    def parts(self) -> tuple[Part, ...]:
        """The flow's record first, then its child collections."""
        below = [self._child(key, children) for key, children in self.children.items()]
        return (self.root, *(_yielding(part, below) for part in below))

    def _child(self, key: str, children: Children) -> Part:
        return Part(
            name=f"{self.flow}.{key}",
            parent=self.flow,
            paths={Side.SHOP: children.customwebshop, Side.BC: children.businesscentral},
            scope={path: self._said(word) for path, word in children.scope.items()},
            match=(children.match,) if children.match else (),
            properties=children.properties,
            send_with=children.send_with,
            there_by=children.there_by,
            comes_to=children.comes_to,
            optional=children.optional,
            room=children.room,
            yields_to=children.leaves,
            set_by={path: name for path, word in children.scope.items() if (name := _constant(word))},
        )

    def _said(self, word: Word) -> Word:
        """What a scope asks for, where a constant of the settings tells."""
        name = _constant(word)
        return self.settings.constants.get(name, "") if name else word

    def part(self, name: str) -> Part:
        """The part of that full name, such as ``order.lines``."""
        return next(part for part in self.parts if part.name == name)

    def listed(self, side: Side) -> Mapping[str, tuple[str, ...]]:
        """The child collections of a side, each with every path that its parts read; parts may share one."""
        found: dict[str, tuple[str, ...]] = {}
        for part in self.parts[1:]:
            path = part.paths[side]
            found[path] = tuple(dict.fromkeys((*found.get(path, ()), *self.fields(part, side))))
        return found

    def entity(self, side: Side) -> ShopEntity | BcEntity:
        """The flow's entity on a side."""
        return self.customwebshop if side is Side.SHOP else self.businesscentral

    def fields(self, part: Part, side: Side) -> tuple[str, ...]:
        """Every path of a side's record that the part reads, without repetition."""
        paths = [path for prop in part.properties for path in prop.paths(side)]
        if side is Side.SHOP:
            paths += [prop.in_currency for prop in part.properties if prop.in_currency]
            return tuple(dict.fromkeys(paths))
        paths += (path for words in (part.scope, *part.yields_to.values()) for path in words)
        if self.guard and part.parent is None:
            paths.append(self.guard.bc)
        for prop in self.properties:
            if prop.when_all and part.name == f"{self.name}.{prop.when_all.children}":
                paths += prop.when_all.equal
        return tuple(dict.fromkeys(paths))

    @property
    def refers_to(self) -> tuple[str, ...]:
        """The flows this one points into."""
        props = [prop for part in self.parts for prop in part.references]
        return tuple(
            dict.fromkeys(name for prop in props for name in (prop.refers_to, prop.otherwise) if name)
        )

    @cached_property
    def fingerprint(self) -> str:
        """Changes whenever the flow's definition does."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:16]

    def policy(self, prop: Property) -> Policy:
        """The conflict policy of one property."""
        return prop.conflict or self.settings.conflict

    def problems(self) -> Located:
        """What the models alone cannot see: names that point nowhere, as (key path, message)."""
        known = self.root.by_name
        adding = {key: one.comes_to for key, one in self.children.items()}
        for index, prop in enumerate(self.properties):
            yield from _unknown(("properties", index), prop, known)
            yield from _names(("properties", index, "recreates"), prop.recreates, self.children)
            yield from composition_problems(("properties", index), prop, known, adding)
            if prop.shop is None and prop.mapped and prop.name not in self.settings.constants:
                yield ("properties", index), f"has no shop path and settings.constants has no {prop.name!r}"
        yield from (*left_out(self.properties, adding), *self._children_problems())
        yield from _names(("match",), self.match, known)
        yield from _names(("create_key",), (self.create_key,), known)
        yield from _names(("label",), (self.label,) if self.label else (), known)
        if not self.settings.blocked_by and "block" in map(self.settings.disappearance_from, Side):
            yield ("settings", "disappearance"), "block needs blocked_by: what takes a record out of use"
        yield from _names(("settings", "shared_by"), self.settings.shared_by, dict.fromkeys(self.match))
        yield from scope_problems(self.settings, known)
        yield from ending_problems(self.businesscentral.closed_by, self.properties)
        for index, listed in enumerate(self.flags):
            yield from _names(("flags", index, "shop"), tuple(listed.shop), known)
        if self.guard:
            lines = {prop.name: prop for part in self.parts[1:] for prop in part.properties}
            yield from _names(("guard", "withholds"), self.guard.withholds, known)
            yield from _names(("guard", "withholds_lines"), self.guard.withholds_lines, lines)

    def _children_problems(self) -> Located:
        """The same of the child collections."""
        constants = self.settings.constants
        for key, children in self.children.items():
            at = ("children", key)
            names = {prop.name: prop for prop in children.properties}
            for index, prop in enumerate(children.properties):
                yield from _unknown((*at, "properties", index), prop, names)
                if prop.shop is None and prop.mapped and prop.name not in constants:
                    text = f"has no shop path and settings.constants has no {prop.name!r}"
                    yield (*at, "properties", index), text
            if made := children.comes_to:
                named = (*made.multiplied, *filter(None, (made.less_percent,)))
                yield from _names((*at, "comes_to"), named, names)
            for word in ("match", "there_by"):
                name: str | None = getattr(children, word)
                yield from _names((*at, word), (name,) if name else (), names)
            yield from _names((*at, "send_with"), children.send_with, self.root.by_name)
            for path, word in children.scope.items():
                if name := _constant(word):
                    yield from _names((*at, "scope", path), (name,), constants)
        asked = [part for part in self.parts[1:] if part.unset is None]
        yield from overlaps({part.key: (part.paths[Side.BC], part.alternatives) for part in asked})


def _constant(word: Word) -> str | None:
    """The constant of the settings that a scope names instead of a value."""
    return word[1:-1] if word.startswith("{") and word.endswith("}") else None


def _yielding(part: Part, below: list[Part]) -> Part:
    """A collection without what another one asks for more closely, as freight that is an item among items."""
    beside = {one.key: one.alternatives for one in below if one.paths[Side.BC] == part.paths[Side.BC]}
    closer = {key: words for key, words in beside.items() if narrower(words, part.alternatives)}
    return part.model_copy(update={"yields_to": {**part.yields_to, **closer}})


def _unknown(at: Location, prop: Property, known: Mapping[str, Property]) -> Located:
    if known.get(prop.name) is not prop:
        yield (*at, "name"), f"a second property is called {prop.name!r}"
    yield from _names((*at, "send_with"), prop.send_with, known)
    yield from split_problems(at, prop, known)
    if prop.country:
        yield from _names((*at, "country"), (prop.country,), known)
    if prop.of:
        yield from _names((*at, "of"), (prop.of,), known)


def _names(at: Location, names: tuple[str, ...], known: Mapping[str, Any]) -> Located:
    for name in names:
        if name not in known:
            yield at, f"nothing is called {name!r}; allowed: {', '.join(known)}"
