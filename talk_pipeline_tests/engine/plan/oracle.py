"""The three-way rule once more, in plain words and without a database: what a plan must hold, to the letter.

Nothing of the engine is used here. A statement of a side is a text or None; numbers are compared as numbers, and of
those Business Central has no blank: zero stands for nothing said.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

SHOP, BC = "customwebshop", "businesscentral"
OTHER = {SHOP: BC, BC: SHOP}


@dataclass(frozen=True)
class Policy:
    """What decides in a flow: `conflict`, `initial` and its master."""

    conflict: str
    initial: str
    master: str


@dataclass(frozen=True)
class Planned:
    """One row of the plan."""

    target: str
    value: str | None
    conflict: bool = False
    waits: bool = False


@dataclass
class Said:
    """What both sides say of one property of one pair, and said when they last agreed.

    Attributes:
        source: the side that alone has a say, where it is one.
        conflict: what decides of this property, whatever the flow says.
        since: when each side was first seen to say something else than then.
        decided: the side that a person took, and what both said when it was.
    """

    number: bool = False
    source: str | None = None
    conflict: str | None = None
    now: dict[str, str | None] = field(default_factory=lambda: {SHOP: None, BC: None})
    base: dict[str, str | None] | None = None
    since: dict[str, int] = field(default_factory=dict)
    decided: tuple[str, dict[str, str | None]] | None = None

    def tell(self, side: str, value: str | None, *, at: int) -> None:
        """A side is seen to say this."""
        self.now[side] = value
        if self.base is not None and self._same(value, self.base[side]):
            self.since.pop(side, None)
        else:
            self.since.setdefault(side, at)

    def planned(self, policy: Policy) -> Planned | None:
        """What has to be written; agreement is noted at once."""
        if self._same(*self.now.values()):
            self.agree()
            return None
        if self.source:
            return self._one_way(self.source)
        return self._edited(policy) if self.base is not None else self._met(policy)

    def disputes(self, left: str, policy: Policy, *, edited: Mapping[str, int]) -> Planned | None:
        """What follows where this was edited on the side that is left, and the other side has given it up."""
        if self.base is None or self._same(self.now[left], self.base[left]):
            return None
        by = self.conflict or policy.conflict
        if by == "manual":
            if self.decided is None or self.decided[1][left] != self.now[left]:
                return Planned(left, None, conflict=True, waits=True)
            by = self.decided[0]
        winner = max((SHOP, BC), key=lambda side: edited[side]) if by == "last_writer" else by
        return Planned(OTHER[winner], None, conflict=True)

    def written(self, target: str) -> None:
        """The target took what it was told."""
        self.now[target] = self.now[OTHER[target]]
        self.agree()

    def agree(self) -> None:
        """Both say the same: what they say from here on is told from this."""
        self.base, self.since, self.decided = dict(self.now), {}, None

    def decide(self, side: str) -> None:
        """A person takes what a side says, as long as both say what they say now."""
        self.decided = (side, dict(self.now))

    def _one_way(self, source: str) -> Planned | None:
        says = self.now[source]
        if self.base is None:
            return None if self._blank(says) else Planned(OTHER[source], says)
        return None if self._same(says, self.base[source]) else Planned(OTHER[source], says)

    def _edited(self, policy: Policy) -> Planned | None:
        assert self.base is not None
        edited = [side for side in (SHOP, BC) if not self._same(self.now[side], self.base[side])]
        if not edited:
            return None
        if len(edited) == 1:
            return Planned(OTHER[edited[0]], self.now[edited[0]])
        return self._decided(self.conflict or policy.conflict, policy)

    def _met(self, policy: Policy) -> Planned:
        if policy.initial != "manual":
            for side in (SHOP, BC):
                if self._blank(self.now[side]):
                    return Planned(side, self.now[OTHER[side]])
        return self._decided(policy.master if policy.initial == "fill" else policy.initial, policy)

    def _decided(self, by: str, policy: Policy) -> Planned:
        if by == "manual":
            if self.decided is None or self.decided[1] != self.now:
                return Planned(policy.master, self.now[OTHER[policy.master]], conflict=True, waits=True)
            by = self.decided[0]
        winner = max((SHOP, BC), key=lambda side: self.since[side]) if by == "last_writer" else by
        return Planned(OTHER[winner], self.now[winner], conflict=True)

    def _same(self, one: str | None, other: str | None) -> bool:
        if not self.number:
            return one == other
        return Decimal(one or 0) == Decimal(other or 0)

    def _blank(self, value: str | None) -> bool:
        return not Decimal(value or 0) if self.number else value is None


@dataclass
class Child:
    """What both sides say of one child of a linked pair.

    Attributes:
        of: the collection it is in.
        there: the sides that have it.
        met: both sides had it once.
    """

    of: str
    number: int
    said: dict[str, Said]
    there: dict[str, bool] = field(default_factory=dict)
    met: bool = False

    def planned(self, policy: Policy, *, edited: Mapping[str, int]) -> tuple[str, dict[str, Planned]]:
        """The operation, and what has to be written by property.

        Args:
            policy: what decides.
            edited: when each side last changed anything of the record that it belongs to.
        """
        sides = [side for side in (SHOP, BC) if self.there[side]]
        if len(sides) == 2:
            self.met = True
            found = {name: one.planned(policy) for name, one in self.said.items()}
            return "update", {name: what for name, what in found.items() if what}
        if not sides:
            return "delete", {}
        if not self.met:
            return "create", self._all(OTHER[sides[0]], sides[0])
        return self._removed(sides[0], policy, edited=edited)

    def carried_out(self, policy: Policy, *, edited: Mapping[str, int]) -> None:
        """Both sides come to hold what is planned, unless it waits."""
        operation, found = self.planned(policy, edited=edited)
        for name, what in found.items():
            if what.waits:
                continue
            self.there[what.target] = operation != "delete"
            self.said[name].written(what.target)

    def _removed(
        self, left: str, policy: Policy, *, edited: Mapping[str, int]
    ) -> tuple[str, dict[str, Planned]]:
        """The other side has removed it: an edit like any other, so that each property's policy decides."""
        disputed = {name: one.disputes(left, policy, edited=edited) for name, one in self.said.items()}
        rows = {name: what for name, what in disputed.items() if what}
        waits = any(what.waits for what in rows.values())
        stands = not waits and any(what.target != left for what in rows.values())
        target = OTHER[left] if stands else left
        found = self._all(target, left)
        return "create" if stands else "delete", {
            name: Planned(target, what.value, conflict=name in rows, waits=waits)
            for name, what in found.items()
        }

    def _all(self, target: str, source: str) -> dict[str, Planned]:
        return {name: Planned(target, one.now[source]) for name, one in self.said.items()}
