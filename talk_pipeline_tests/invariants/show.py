"""The pipeline between the users: its runs, how they are killed or meet somebody at work, and what none may do."""

import contextlib
from collections.abc import Collection, Iterator, Mapping
from functools import partial
from typing import Any

from time_machine import Traveller

from talk_pipeline_tests.invariants.disasters import Disasters
from talk_pipeline_tests.invariants.fields import SETS
from talk_pipeline_tests.invariants.ledger import LINES, Place, Sight
from talk_pipeline_tests.invariants.scenario import Step
from talk_pipeline_tests.proof.killing import PLACES, cut, interrupted, is_cut
from talk_pipeline_tests.world import World


class Show(Disasters):
    """Users and the pipeline together."""

    def __init__(self, world: World, clock: Traveller) -> None:
        super().__init__(world, clock)
        self.wrong: list[str] = []
        self.expected: dict[Place, Mapping[str, Any] | None] = {}

    def _sync(self, step: Step) -> None:
        self.run(step)

    def _decide(self, _step: Step) -> None:
        """A person looks at what the pipeline takes for restored, and says that it was."""
        self.run({"do": "sync", "full": True})
        if side := self.suspected():
            self.run({"do": "sync", "restored": side})

    def run(self, step: Step) -> list[str]:
        """A run, perhaps killed, perhaps with somebody at work meanwhile; returns what stopped it."""
        before, comments = self.seen, self.comments
        self.ledger.before_run(before, self.links, at=self.at)
        self.runs += 1
        self.expected = dict(before)
        problems: list[str] = []
        whole: Collection[str] = step.get("flows", SETS)
        try:
            with self._trouble(step):
                problems = self.world.pass_over(
                    *step.get("flows", ()), full=bool(step.get("full")), restored=step.get("restored")
                )
        except BaseException as error:
            if not is_cut(error):
                raise
            whole = ()
        self.clock.shift(self.world.blurred_seconds())
        self.at += 1
        after = self.look()
        self.look_at_links()
        self._check(before, after, comments)
        self.ledger.after_run(before, after, self.links, at=self.at, whole=() if problems else whole)
        self.seen = after
        self.at_rest = (
            not problems and set(whole) == set(SETS) and "meanwhile" not in step and bool(step.get("full"))
        )
        return problems

    @contextlib.contextmanager
    def _trouble(self, step: Step) -> Iterator[None]:
        with contextlib.ExitStack() as stack:
            if "kill" in step:
                where, nth = step["kill"]
                stack.enter_context(interrupted(PLACES[where], nth, by=cut))
            if "meanwhile" in step:
                where, nth, does = step["meanwhile"]
                call = partial(self._act_meanwhile, does)
                stack.enter_context(interrupted(PLACES[where], nth, by=call))
            yield

    def _act_meanwhile(self, does: Step) -> None:
        """A user acts while a run goes on."""
        self.seen = was = self.look()
        self.play(does, interval=self.runs + 0.5)
        for place in was.keys() | self.seen.keys():
            if was.get(place) != self.seen.get(place):
                self.expected[place] = self.seen.get(place)

    def _check(self, before: Sight, after: Sight, comments: set[tuple[str, str]]) -> None:
        """What no run may do, whatever happens."""
        for place, row in self.expected.items():
            now = after.get(place)
            if place[1] == LINES or row is None:
                continue
            if now is None or now.get("deleted_at") != row.get("deleted_at"):
                if place[1] not in self.removes:
                    self.wrong.append(f"run {self.runs} deleted {place}")
                continue
            if row.get("type") == "Person" and now != row:
                self.wrong.append(f"run {self.runs} touched {place}, a person")
            for name in UNMAPPED.get(place[:2], ()):
                if now[name] != row[name]:
                    self.wrong.append(f"run {self.runs} changed {name} of {place}")
        lost = {one for one in comments - self.comments if ("bc", "order", one[0]) in after}
        if lost:
            self.wrong.append(f"run {self.runs} removed comments {lost}")
        for place in after.keys() - before.keys():
            if place[1] == LINES or place in self.ledger.made:
                continue
            key = after[place].get("externalDocumentNumber" if place[1] == "order" else "number")
            if place[0] == "shop":
                self.wrong.append(f"run {self.runs} created {place} in the shop")
            self.created.setdefault((place[1], str(key)), []).append(place[2])


UNMAPPED = {
    ("shop", "customer"): ("number", "vat_number", "note"),
    ("shop", "product"): ("sku", "tags"),
    ("shop", "order"): ("number", "reference"),
    ("bc", "customer"): ("number", "type", "creditLimit", "salespersonCode"),
    ("bc", "product"): ("number", "type", "displayName2", "inventory"),
    ("bc", "order"): ("number", "externalDocumentNumber"),
}
