"""The names both sides go by: which flow a section is about, and which property a name is.

A name is known when it is the same but for case, spaces and signs, and means one thing. On the shop's side it is
the name in the shop's own records, as the description says; a flow's name for it counts where the description says
nothing else. What is alike is proposed, never taken.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property

from talk_pipeline.documents.headings import plain
from talk_pipeline.documents.own import Own
from talk_pipeline.flows.properties import Property
from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.vocabulary import Flow, Part
from talk_pipeline.systems.businesscentral.description import Records
from talk_pipeline.systems.businesscentral.entities import Entities
from talk_pipeline.systems.customwebshop.spec.description import Description
from talk_pipeline.systems.customwebshop.spec.fields import field_for
from talk_pipeline.systems.customwebshop.spec.lines import FieldSet, Lines

_ALIKE = 0.6
_ALTERNATIVES = re.compile(r",? or |\|")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


@dataclass(frozen=True)
class Known:
    """One set of records that a flow keeps in step, with the names of its properties.

    Attributes:
        part: the flow's record, or its lines.
        described: what the shop's description says of its properties.
    """

    flow: Flow
    part: Part
    described: FieldSet | None
    entity: Records

    def unsaid_scope(self, bc: str) -> str | None:
        """What the flow asks of a record beyond what a document calls it, such as ``type Company``."""
        there = self.flow.businesscentral
        if self.part.parent or not there.scope or singular(bc) != singular(there.entity):
            return None
        return ", ".join(f"{name} {value}" for name, value in there.scope.items())

    @property
    def there(self) -> str:
        """What Business Central calls the records."""
        return self.part.paths.get(Side.BC) or self.flow.businesscentral.entity

    @property
    def records(self) -> str:
        """What the shop's description calls the records."""
        inner = self.part.paths.get(Side.SHOP)
        return f"{inner} of {self.flow.customwebshop.entity}" if inner else self.flow.customwebshop.entity

    def is_called(self, name: str) -> bool:
        """Whether these are lines that the shop, or the flow, calls so within their record."""
        inner = {self.part.paths.get(Side.SHOP)}
        if isinstance(self.described, Lines):
            inner.add(self.described.path)
        return plain(name) in {plain(one) for one in inner if one}

    @cached_property
    def _shop(self) -> Mapping[str, set[str]]:
        found: dict[str, set[str]] = {}
        for prop in self.part.properties:
            for path in prop.shop_paths:
                for name in self.shop_names(path):
                    found.setdefault(plain(name), set()).add(prop.name)
        return found

    def shop_names(self, path: str) -> tuple[str, ...]:
        """What the shop calls a property of the flow; none where it has no such property."""
        field = field_for(self.described.properties, path) if self.described else None
        if self.described and (field is None or field.const is not None):
            return ()
        if field is None:
            return (path,)
        return field.join or (field.path or path,)

    def shop_properties(self, name: str) -> list[Property]:
        """The properties of the flow that the shop calls so, or in either way where alternatives are named."""
        found = [self._shop.get(plain(one), set[str]()) for one in _ALTERNATIVES.split(name)]
        return [self.part.by_name[one] for one in sorted(set.intersection(*found))]

    def bc_name(self, name: str) -> str | None:
        """The property of Business Central that is called so."""
        return {plain(one): one for one in self.entity.kinds}.get(plain(name))

    def flow_property(self, bc: str) -> Property | None:
        """The property of the flow that lives there."""
        return next((prop for prop in self.part.properties if prop.bc == bc), None)

    def like_shop(self, name: str) -> str | None:
        """The shop's name that is most alike."""
        return _closest(name, (one for path in self._paths() for one in self.shop_names(path)))

    def like_bc(self, name: str) -> str | None:
        """The name in Business Central that is most alike."""
        return _closest(name, self.entity.kinds)

    def _paths(self) -> Iterator[str]:
        for prop in self.part.properties:
            yield from prop.shop_paths


def _closest(name: str, known: Iterable[str]) -> str | None:
    """The most alike; the last part of a path counts by itself too."""
    names: dict[str, str] = {}
    for one in known:
        names.setdefault(plain(one), one)
        names.setdefault(plain(one.rpartition(".")[2]), one)
    for text in (name, name.rpartition(".")[2]):
        if found := get_close_matches(plain(text), names, 1, _ALIKE):
            return names[found[0]]
    return None


class Names:
    """Everything that is known by name: of some flows and their own document, the shop, and Business Central."""

    def __init__(self, flows: Iterable[Flow], description: Description, entities: Entities, own: Own) -> None:
        self.own = own
        self.entities = entities
        self._known: dict[str, list[Known]] = {}
        for flow in flows:
            for part in flow.parts:
                known = _known(flow, part, description, entities)
                if known:
                    for name in _called(known):
                        self._known.setdefault(singular(name), []).append(known)

    def records(self, bc: str, shop: str = "") -> Known | None:
        """The flow's records that a document calls so on Business Central's side, such as "Customers company".

        Of several children that live in one collection there, those that the shop's side is called after.
        """
        found = self._known.get(singular(bc), [])
        named = (one for one in found if one.part.parent and _ends_with(shop, one.part.paths[Side.SHOP]))
        return next(named, found[0] if found else None)

    @property
    def synchronized(self) -> str:
        """What there are flows for, for a message."""
        kinds = {
            known[0].part.paths.get(Side.BC, known[0].flow.businesscentral.asset)
            for known in self._known.values()
        }
        return ", ".join(sorted(kinds))


def _ends_with(name: str, child: str) -> bool:
    return singular(name).endswith(singular(child))


def _known(flow: Flow, part: Part, description: Description, entities: Entities) -> Known | None:
    entity = entities.of(flow, part)
    described: FieldSet | None = description.collections.get(flow.customwebshop.entity)
    if part.parent is not None:
        collection = description.collections.get(flow.customwebshop.entity)
        described = collection.children.get(part.paths[Side.SHOP]) if collection else None
    return Known(flow, part, described, entity) if entity else None


def _called(known: Known) -> Iterator[str]:
    """The most special name first: a section that says no more than the entity is of whichever flow came first."""
    inner = known.part.paths.get(Side.BC)
    there = known.flow.businesscentral
    for name in (
        (inner,) if inner else (there.asset, " ".join((there.entity, *there.scope.values())), there.entity)
    ):
        yield name
        yield name.lower()


def singular(name: str) -> str:
    """The form in which names of records are compared: one and many are the same."""
    words = "".join(character if character.isalnum() else " " for character in _CAMEL.sub(" ", name)).split()
    return "".join(plain(word).removesuffix("s") for word in words)
