"""A company's state for tests of the engine: records land as if a system had told them; no system is asked.

Values are given by property, as the side holds them; children as lists of such values with an id, and what they are
`of` where it is not the flow's first collection.
"""

import copy
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from talk_pipeline.engine.apply import outcomes
from talk_pipeline.engine.apply.bases import recalculations
from talk_pipeline.engine.apply.changesets import Composer, pending_changesets, pending_roots
from talk_pipeline.engine.apply.intents import intended, intent_for
from talk_pipeline.engine.manual.decisions import Hand
from talk_pipeline.engine.match import links
from talk_pipeline.engine.model import Child, Contents, Intent, Outcome, Record, Result
from talk_pipeline.engine.plan import compare, status
from talk_pipeline.engine.snapshot.batch import Landing
from talk_pipeline.engine.snapshot.columns import Company
from talk_pipeline.engine.snapshot.landing import Landed, land
from talk_pipeline.engine.snapshot.projection import Projector
from talk_pipeline.engine.snapshot.spooling import spool
from talk_pipeline.engine.state import journal
from talk_pipeline.engine.state.connection import Connection
from talk_pipeline.engine.state.database import State
from talk_pipeline.flows.loading import Flows
from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.values import Value
from talk_pipeline.flows.vocabulary import Part
from talk_pipeline_tests.engine.namesakes import Namesakes
from talk_pipeline_tests.flow_files import flows_in

COMPANY = Company("DKK", ZoneInfo("UTC"))
START = datetime(2026, 1, 1, tzinfo=UTC)
Values = Mapping[str, Value]


@dataclass
class Book:
    """The state of one company and what both sides say in it."""

    state: State
    flows: Flows
    namesakes: Namesakes | None = None
    minutes: int = 0
    versions: int = 0
    said: dict[tuple[str, Side, str], dict[str, Any]] = field(default_factory=dict)

    @classmethod
    @contextmanager
    def opened(cls, folder: Path, flows: Flows | None = None, *, namesakes: bool = True) -> Iterator["Book"]:
        """A new one; without namesakes it is quicker."""
        state = State(folder, threads=1)
        with state.once():
            yield cls(state, flows or flows_in(), Namesakes(state.beside) if namesakes else None)

    @property
    def db(self) -> Connection:
        """The connection to it."""
        return self.state.beside

    def go_on_from(self, other: "Book") -> None:
        """Holds from now on what the other does, which is copied: its own plans would take ten times as long."""
        for book in (self, other):
            book.alone()
            book.state.release()
        shutil.copy(other.state.file, self.state.file)
        with self.state.open():
            self.minutes, self.versions, self.said = other.minutes, other.versions, copy.deepcopy(other.said)

    def crowded(self) -> None:
        """From now on with the namesakes of all that is there."""
        if self.namesakes:
            self.namesakes.put()

    def alone(self) -> None:
        """From now on without namesakes, which nobody may have changed."""
        if self.namesakes:
            self.namesakes.take()

    def rows(self, query: str, *parameters: object) -> list[tuple[Any, ...]]:
        """What a query finds, without namesakes."""
        self.alone()
        return self.db.execute(query, list(parameters)).fetchall()

    def projector(self, flow: str, side: Side) -> Projector:
        """How a side is read."""
        return Projector(self.flows[flow], side, COMPANY)

    def hand(self, flow: str) -> Hand:
        """A person at work on a flow."""
        return Hand(self.db, self.flows, self.flows[flow], "a person")

    def say(
        self,
        flow: str,
        side: Side,
        record_id: str,
        values: Values,
        *,
        children: Sequence[Values] | None = None,
    ) -> Landed:
        """A side tells a record with some values changed; what it said before of others stays."""
        return self.tell(flow, side, [self.record(flow, side, record_id, values, children=children)])

    def record(
        self,
        flow: str,
        side: Side,
        record_id: str,
        values: Values,
        *,
        children: Sequence[Values] | None = None,
    ) -> Record:
        """A record as the side tells it from now on, a minute after the last one."""
        known = self.said.setdefault((flow, side, record_id), {"values": {}, "children": []})
        known["values"] |= values
        if children is not None:
            known["children"] = [dict(child) for child in children]
        self.minutes, self.versions = self.minutes + 1, self.versions + 1
        modified = START + timedelta(minutes=self.minutes)
        return Record(record_id, f"v{self.versions}", modified, deleted=False, payload=json.dumps(known))

    def tell(self, flow: str, side: Side, records: Sequence[Record], **how: Any) -> Landed:
        """A fetch of these records."""
        self.alone()
        spool(self.db, records)
        landing = Landing(**({"fetched": True} | how))
        return land(self.db, self.projector(flow, side), self.decode(flow, side), landing=landing)

    def decode(self, flow: str, side: Side) -> Any:
        """What a payload of this book says, by path."""
        declared = self.flows[flow]

        def read(payload: str) -> Contents:
            document = json.loads(payload)
            below: dict[str, list[Child]] = {part.paths[side]: [] for part in declared.parts[1:]}
            for child in document["children"]:
                part = next(
                    one for one in declared.parts[1:] if child.get("of", declared.parts[1].key) == one.key
                )
                below[part.paths[side]].append(Child(str(child["id"]), None, _by_path(part, side, child)))
            children = {path: tuple(found) for path, found in below.items()}
            return Contents(_by_path(declared.root, side, document["values"]), children)

        return read

    def pair(self, flow: str, number: str, values: Values | None = None) -> tuple[str, str]:
        """Two records that say the same, linked and in step: shop id and Business Central id."""
        self.pairs(flow, [number], values)
        return f"s{number}", f"b{number}"

    def pairs(self, flow: str, numbers: Sequence[str], values: Values | None = None) -> None:
        """Several such pairs, planned at once."""
        for number in numbers:
            for side in Side:
                record = {"number": number, "company_name": "A", **(values or {})}
                self.say(flow, side, f"{side.short[0]}{number}", record)
        self.plan(flow)
        self.in_step(flow)

    def plan(self, flow: str, **how: Any) -> list[tuple[Any, ...]]:
        """Matches and plans; what is to be written: target, operation, shop id, property, value, hold."""
        self.crowded()
        links.match(self.db, self.flows[flow])
        compare.plan(self.db, self.flows, self.flows[flow], company=COMPANY, **how)
        return self.changes(flow)

    def changes(self, flow: str) -> list[tuple[Any, ...]]:
        """What the plan holds: target, operation, shop id, property, value, why not now."""
        return self.rows(
            "select target, operation, shop_id, property, after, hold_kind from change where flow = ? order by all",
            flow,
        )

    def in_step(self, flow: str) -> int:
        """The end of a run; returns how many records are still dirty."""
        self.crowded()
        left = status.clear_dirty(self.db, self.flows[flow])
        self.alone()
        return left

    def write(
        self,
        flow: str,
        side: Side,
        *,
        run_id: str = "run",
        answered: Values | None = None,
        children: Sequence[Values] | None = None,
    ) -> list[Intent]:
        """Carries the plan out towards a side, which takes all of it but for what it answers otherwise.

        With children, the new ones of the plan go in the same request, and the record is answered with these.
        """
        self.crowded()
        declared = self.flows[flow]
        composer = Composer(declared, side, COMPANY)
        done: list[tuple[Intent, Outcome]] = []
        for changeset in pending_changesets(
            self.db, declared, side, roots=pending_roots(self.db, declared, side)
        ):
            creates = changeset.root.operation == "create"
            body = composer.create(changeset.root) if creates else composer.update(changeset.root)
            key = declared.create_key
            natural = body.sent[key].sent if creates and key in body.sent else None
            new = [one for one in changeset.children if one.operation == "create"]
            along = tuple(intended(one, composer.create(one).sent) for one in new if children is not None)
            main = intended(changeset.root, body.sent)
            intent = intent_for(changeset, main, children=along, natural_key=natural)
            record_id = changeset.target_id or f"{'b' if side is Side.BC else 's'}{natural}"
            stored = {name: one.sent for name, one in body.sent.items()} | dict(answered or {})
            record = self.record(flow, side, record_id, stored, children=children)
            done.append((intent, Outcome(Result.DONE, record=record)))
        self._conclude(flow, side, done, run_id=run_id)
        return [intent for intent, _ in done]

    def conclude(
        self, flow: str, side: Side, done: Sequence[tuple[Intent, Outcome]], *, run_id: str = "run"
    ) -> None:
        """Puts requests and what came of them on disk."""
        self.crowded()
        self._conclude(flow, side, done, run_id=run_id)

    def _conclude(
        self, flow: str, side: Side, done: Sequence[tuple[Intent, Outcome]], *, run_id: str
    ) -> None:
        intents = [intent for intent, _ in done]
        recalculated = recalculations(self.db, self.flows[flow], intents)
        journal.intend(self.db, run_id, intents, recalculated=recalculated)
        outcomes.conclude(
            self.db, self.projector(flow, side), self.decode(flow, side), run_id=run_id, outcomes=done
        )
        self.alone()


def _by_path(part: Part, side: Side, values: Mapping[str, Value]) -> dict[str, Value]:
    found = {
        path: values[prop.name]
        for prop in part.properties
        if prop.name in values
        for path in prop.paths(side)[:1]
    }
    return found | (dict(part.scope) if side is Side.BC else {})
