"""What users said: every edit of a property, every child added or removed, with the moment it happened.

Both systems are looked at around everything a user does and around every run, so that an edit is the difference
between two looks and needs no knowledge of what the step meant to do. When two sides were last seen to agree is
kept too: saying again what was agreed is no edit.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from math import floor, inf
from typing import Any

from talk_pipeline_tests.invariants.fields import FIELDS, SETS, Row

Place = tuple[str, str, str]
"""Side, part and id; a child's id is `parent/own`."""
Sight = Mapping[Place, Row]
LINES = "order.lines"


@dataclass(slots=True)
class Edit:
    """Something a user said about one property.

    Attributes:
        at: number of the step; `interval` the number of runs before it.
        void: it said what both sides had agreed on before any run saw something else.
        doubtful: perhaps so: a run that ended early, or was of other flows, may have seen something else.
    """

    at: int
    interval: float
    value: Any
    void: bool = False
    doubtful: bool = False


@dataclass(frozen=True, slots=True)
class Agreement:
    """What a run left on both sides of a pair: number of the step, the value, and the pair's id over there."""

    at: int
    value: Any
    bc_id: str


@dataclass
class Ledger:
    """All that users said.

    Attributes:
        removed_in: the interval in which a user removed something, and `removed_rows` what it held then.
        agreed: all that was agreed on, by part, shop id and property.
        seen: what was agreed on after the last run that certainly saw it, and when.
        briefly: the last run that began where both sides held the same and ended where they did not: somebody said
            something meanwhile, and the run may have noted what they agreed on before.
        met: the run in which a record or child was linked last, by part and shop id.
        blurred: orders in Business Central of which a user had the lines made anew.
        remade: those of which a run had, and which run did so last.
    """

    edits: dict[tuple[Place, str], list[Edit]] = field(default_factory=dict)
    made: dict[Place, int] = field(default_factory=dict)
    removed: dict[Place, int] = field(default_factory=dict)
    removed_in: dict[Place, float] = field(default_factory=dict)
    removed_rows: dict[Place, Row] = field(default_factory=dict)
    links: dict[str, set[tuple[str, str]]] = field(default_factory=dict)
    agreed: dict[tuple[str, str, str], list[Agreement]] = field(default_factory=dict)
    seen: dict[tuple[str, str, str], tuple[Any, int]] = field(default_factory=dict)
    briefly: dict[tuple[str, str, str], int] = field(default_factory=dict)
    met: dict[tuple[str, str], int] = field(default_factory=dict)
    blurred: set[str] = field(default_factory=set)
    remade: dict[str, int] = field(default_factory=dict)
    _paired: frozenset[tuple[str, str, str]] = frozenset()

    def user(self, before: Sight, after: Sight, *, at: int, interval: float) -> None:
        """Notes the difference between two looks as a user's doing."""
        remade = set(_remade(before, after))
        self.blurred |= remade
        for place, row in after.items():
            if place[1] == LINES and place[2].split("/")[0] in remade:
                continue
            old = before.get(place)
            if old is None:
                self.made[place] = at
            for one in FIELDS[place[1]]:
                value = one.of(place[0], row)
                if value != (None if old is None else one.of(place[0], old)):
                    self.edits.setdefault((place, one.name), []).append(Edit(at, interval, value))
        for place in before.keys() - after.keys():
            if not (place[1] == LINES and place[2].split("/")[0] in remade):
                self.removed[place] = at
                self.removed_in[place] = interval
                self.removed_rows[place] = before[place]

    def restored(self, side: str, before: Sight, after: Sight, *, since: int) -> None:
        """A system is what it was: what nobody had carried over went with it, and what is gone has no past.

        Args:
            side: the one that was restored.
            before: what there was.
            after: what there is.
            since: the step of the backup.
        """
        gone = {place for place in before.keys() - after.keys() if place[0] == side}
        for place, name in list(self.edits):
            if place in gone:
                del self.edits[place, name]
        for (place, name), edits in self.edits.items():
            for edit in edits if place[0] == side else ():
                edit.void = edit.void or (edit.at > since and not self._carried(place, name, edit))
        for known in (self.made, self.removed, self.removed_in, self.removed_rows):
            for place in gone | (after.keys() - before.keys()):
                known.pop(place, None)
        lines = {place[2].split("/")[0] for place in before.keys() ^ after.keys() if place[1] == LINES}
        whose = 0 if side == "shop" else 1
        self.blurred |= {pair[1] for pair in self.links.get("order", ()) if pair[whose] in lines} | lines

    def _carried(self, place: Place, name: str, edit: Edit) -> bool:
        """Whether a run had told the other side."""
        side, part, key = place
        shop_ids = (
            {key} if side == "shop" else {mine for mine, there in self.links.get(part, ()) if there == key}
        )
        agreed = (one for mine in shop_ids for one in self.agreed.get((part, mine, name), ()))
        return any(one.at >= edit.at and one.value == edit.value for one in agreed)

    def before_run(self, sight: Sight, links: Mapping[str, set[tuple[str, str]]], *, at: int) -> None:
        """Whoever says again what was agreed has said nothing."""
        self._paired = frozenset(pairs(links))
        for part, shop_id, bc_id in pairs(links):
            for one in FIELDS[part]:
                key = (part, shop_id, one.name)
                if key not in self.agreed:
                    continue
                last = self.agreed[key][-1]
                for place in (("shop", part, shop_id), ("bc", part, bc_id)):
                    if (row := sight.get(place)) is None:
                        continue
                    value = one.of(place[0], row)
                    seen, seen_at = self.seen.get(key, (last.value, last.at))
                    for edit in self.edits.get((place, one.name), ()):
                        again = value == last.value and last.at < edit.at <= at
                        unsure = self.briefly.get(key, last.at) > last.at
                        edit.void = edit.void or (again and not unsure)
                        edit.doubtful |= (again and unsure) or (value == seen and seen_at < edit.at <= at)

    def after_run(
        self,
        before: Sight,
        sight: Sight,
        links: Mapping[str, set[tuple[str, str]]],
        *,
        at: int,
        whole: Collection[str] = SETS,
    ) -> None:
        """Notes what both sides agree on now, and in which orders lines have other ids.

        Args:
            before: what there was before the run.
            sight: what there is now.
            links: the pairs, by part.
            at: number of the step.
            whole: the flows that the run went through to the end.
        """
        self.remade.update(dict.fromkeys(_remade(before, sight), at))
        for part, shop_id, bc_id in pairs(links):
            self.links.setdefault(part, set()).add((shop_id, bc_id))
            if (part, shop_id, bc_id) not in self._paired:
                self.met[part, shop_id] = at
            shop, bc = sight.get(("shop", part, shop_id)), sight.get(("bc", part, bc_id))
            if shop is None or bc is None:
                continue
            old_shop, old_bc = before.get(("shop", part, shop_id)), before.get(("bc", part, bc_id))
            for one in FIELDS[part]:
                value, key = one.of("shop", shop), (part, shop_id, one.name)
                if value != one.of("bc", bc):
                    if old_shop and old_bc and one.of("shop", old_shop) == one.of("bc", old_bc):
                        self.briefly[key] = at
                else:
                    self.agreed.setdefault(key, []).append(Agreement(at, value, bc_id))
                    if part.split(".")[0] in whole:
                        self.seen[key] = value, at

    def last(self, side: str, part: str, ids: set[str], *, name: str, sure: bool = False) -> Edit | None:
        """The last thing said on a side about a property of a record, under whatever ids it had there.

        What somebody said of what they removed before a whole run had seen it went with it.
        """
        edits = [
            edit
            for place in ((side, part, one) for one in ids)
            for edit in self.edits.get((place, name), ())
            if _whole_runs(edit.interval, self.removed_in.get(place, inf))
        ]
        said = [e for e in edits if not (e.void or (sure and e.doubtful))]
        return max(said, key=lambda edit: edit.at, default=None)

    def names(self, part: str, shop_id: str, bc_id: str) -> tuple[set[str], set[str]]:
        """Whatever ids a pair had on both sides; a child that a run brought back has another than before."""
        ever = self.links.get(part, set())
        bc_ids = {there for mine, there in ever if mine == shop_id} | {bc_id}
        if part != LINES or ("shop", part, shop_id) in self.made:
            return {shop_id}, bc_ids
        return {mine for mine, there in ever if there in bc_ids} | {shop_id}, bc_ids

    def met_unseen(self, shop_id: str, bc_id: str) -> bool:
        """Whether a line first met one in Business Central that the same run had made anew.

        What was said of that one before is not known.
        """
        first = sum(1 for mine, _ in self.links.get(LINES, ()) if mine == shop_id) == 1
        return first and self.met.get((LINES, shop_id)) == self.remade.get(bc_id.split("/")[0], -1)

    def inherited(self, part: str, shop_id: str, bc_ids: set[str], *, name: str, edit: Edit) -> bool:
        """Whether a line that took the place of a removed one says what that one and its counterpart agreed on."""
        if edit.at != self.made.get(("shop", part, shop_id)):
            return False
        before = (self.agreed.get((part, one, name)) for one in self.replaced(part, shop_id, bc_ids))
        return any(agreed[-1].value == edit.value for agreed in before if agreed)

    def carried_over(self, side: str, part: str, pair: tuple[str, str], *, name: str, edit: Edit) -> bool:
        """Whether an edit had reached another counterpart, in whose place a user put that of this pair."""
        shop_id, bc_id = pair
        other = ("bc", part, bc_id) if side == "shop" else ("shop", part, shop_id)
        if other not in self.made:
            return False  # a run brought it back, with what was said of it
        if side == "shop":
            agreed = [one for one in self.agreed.get((part, shop_id, name), ()) if one.bc_id != bc_id]
            agreed = [one for one in agreed if ("bc", part, one.bc_id) in self.removed]
        else:
            gone = self.replaced(part, shop_id, {bc_id})
            agreed = [one for mine in gone for one in self.agreed.get((part, mine, name), ())]
        return any(one.at >= edit.at and one.value == edit.value for one in agreed)

    def replaced(self, part: str, shop_id: str, bc_ids: set[str]) -> set[str]:
        """Those of the shop that a user removed, and in whose place this one is."""
        before = {mine for mine, there in self.links.get(part, set()) if there in bc_ids} - {shop_id}
        return {one for one in before if ("shop", part, one) in self.removed}

    def together(self, part: str, shop_ids: set[str], *, name: str, edits: tuple[Edit, Edit]) -> bool:
        """Whether two edits were made before any run could carry one of them over."""
        first, second = sorted(edit.at for edit in edits)
        agreed = [said.at for one in shop_ids for said in self.agreed.get((part, one, name), ())]
        return edits[0].interval == edits[1].interval and not any(first <= at < second for at in agreed)

    def filled(self, part: str, shop_id: str, edit: Edit) -> bool:
        """Whether it is a blank of before the two met, and a blank never overwrites what is filled."""
        return edit.value is None and edit.at < self.met.get((part, shop_id), 0)


def pairs(links: Mapping[str, set[tuple[str, str]]]) -> Iterator[tuple[str, str, str]]:
    """Every linked pair, with its part."""
    for part, linked in links.items():
        for shop_id, bc_id in linked:
            yield part, shop_id, bc_id


def _whole_runs(since: float, until: float) -> bool:
    """Whether a run began and ended between two intervals; a half is in the middle of a run."""
    return until == inf or floor(until) - (until % 1 > 0) - floor(since) >= 1


def _remade(before: Sight, after: Sight) -> Iterator[str]:
    """The orders whose header was changed such that Business Central wrote their lines anew."""
    for place, row in after.items():
        if place[:2] == ("bc", "order") and place in before:
            old = before[place]
            if any(old[name] != row[name] for name in ("customerId", "currencyCode")):
                yield place[2]
