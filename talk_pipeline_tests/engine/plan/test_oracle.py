"""The engine's plans against those of the oracle: records that are edited at random, by every policy.

Each round both sides edit some of what they hold, in any order; the real landing, matching and planning look at
all of it at once, and every row of the plan is compared. Some rounds the plan is carried out, others it is not.
"""

import os
import random
from collections.abc import Mapping
from pathlib import Path

import pytest

from talk_pipeline.engine.model import Record
from talk_pipeline.flows.loading import Flows
from talk_pipeline.flows.sides import Side
from talk_pipeline_tests.engine.book import Book
from talk_pipeline_tests.engine.plan.oracle import Planned, Policy, Said
from talk_pipeline_tests.flow_files import copied_flows, flows_in
from talk_pipeline_tests.proof.counts import COUNTS
from talk_pipeline_tests.variants import variants

RECORDS, ROUNDS = int(os.environ.get("ORACLE_RECORDS", "100")), 8
TEXTS = (None, "Alpha", "Beta", "Gamma")
NUMBERS = (None, "0", "10", "12.5", "7.25")
POLICIES = [
    Policy("last_writer", "fill", "customwebshop"),
    Policy("last_writer", "manual", "businesscentral"),
    Policy("customwebshop", "businesscentral", "customwebshop"),
    Policy("businesscentral", "customwebshop", "businesscentral"),
    Policy("manual", "fill", "businesscentral"),
    Policy("manual", "manual", "customwebshop"),
    Policy("last_writer", "customwebshop", "businesscentral"),
    Policy("businesscentral", "businesscentral", "customwebshop"),
]
PROPERTIES: Mapping[str, Mapping[str, Said]] = {
    "customer": {name: Said() for name in ("website", "address.line1", "address.line2", "address.region")},
    "product": {
        "name": Said(),
        "price": Said(number=True),
        "cost": Said(number=True, conflict="businesscentral"),
        "stock": Said(number=True, source="businesscentral"),
    },
}
ALWAYS: Mapping[tuple[str, Side], Mapping[str, str]] = {
    ("customer", Side.SHOP): {"company_name": "A"},
    ("customer", Side.BC): {"company_name": "A"},
    ("product", Side.SHOP): {"unit": "pcs", "active": "true"},
    ("product", Side.BC): {"unit": "PCS", "active": "false"},
}
KEYS = {"customer": "number", "product": "sku"}


def flows_of(folder: Path, policy: Policy, *names: str) -> Flows:
    """The flows of a folder, where those named, or all whose properties are compared here, decide so."""
    for flow in names or PROPERTIES:
        file = folder / f"{flow}.yaml"
        text = file.read_text()
        for key, value in (
            ("conflict", policy.conflict),
            ("initial", policy.initial),
            ("master", policy.master),
        ):
            lines = [
                f"  {key}: {value}" if line.startswith(f"  {key}: ") else line for line in text.splitlines()
            ]
            text = "\n".join(lines) + "\n"
        file.write_text(text)
    return flows_in(folder)


class Compared:
    """One flow's records in a state, and what the oracle knows of them."""

    def __init__(self, book: Book, flow: str, policy: Policy, chance: random.Random) -> None:
        self.book, self.flow, self.policy, self.chance = book, flow, policy, chance
        self.said = {
            number: {
                name: Said(number=one.number, source=one.source, conflict=one.conflict)
                for name, one in PROPERTIES[flow].items()
            }
            for number in range(RECORDS)
        }

    def edit(self, *, first: bool) -> None:
        """Some records of each side are told anew, in any order; every record when they meet."""
        both = [
            (side, number) for side in Side for number in self.said if first or self.chance.random() < 0.6
        ]
        self.chance.shuffle(both)
        told: dict[Side, list[Record]] = {side: [] for side in Side}
        for side, number in both:
            values: dict[str, str | None] = {}
            if first:
                values = {KEYS[self.flow]: f"N{number}", **ALWAYS[self.flow, side]}
            for name, one in self.said[number].items():
                if first or self.chance.random() < 0.5:
                    values[name] = self.chance.choice(NUMBERS if one.number else TEXTS)
            record = self.book.record(self.flow, side, f"{side[0]}{number}", values)
            told[side].append(record)
            for name, one in self.said[number].items():
                one.tell(side, values.get(name, one.now[side]), at=self.book.minutes)
        for side, records in told.items():
            self.book.tell(self.flow, side, records)

    def check(self) -> int:
        """Compares every row; returns how many there were."""
        self.book.plan(self.flow)
        rows = self.book.rows(
            "select shop_id, property, target, after, conflict, hold_kind is not null from change"
            " where flow = ? and operation = 'update'",
            self.flow,
        )
        planned = {(shop_id, name): Planned(*how) for shop_id, name, *how in rows}
        wanted = {
            (f"c{number}", name): one.planned(self.policy)
            for number, properties in self.said.items()
            for name, one in properties.items()
        }
        wrong = {
            place: (planned.get(place), what, self.said[int(place[0][1:])][place[1]])
            for place, what in wanted.items()
            if planned.get(place) != what
        }
        with COUNTS.proving("plans", len(wanted)):
            assert not wrong, str(next(iter(wrong.items())))
            assert not set(planned) - set(wanted)
        return len(rows)

    def carry_out(self) -> None:
        """What may be written is, and both sides hold it."""
        for properties in self.said.values():
            for one in properties.values():
                what = one.planned(self.policy)
                if what and not what.waits:
                    one.written(what.target)
        for side in (Side.BC, Side.SHOP):
            self.book.write(self.flow, side)


@variants("policy", POLICIES, ids=str)
@pytest.mark.optimized
@pytest.mark.parametrize("flow", PROPERTIES)
def test_every_row_of_a_plan_is_what_the_oracle_says(tmp_path: Path, flow: str, policy: Policy) -> None:
    chance = random.Random(f"{flow} {policy}")  # noqa: S311 (a test's edits)
    folder = copied_flows(tmp_path / "flows")
    with Book.opened(tmp_path / "state", flows_of(folder, policy)) as book:
        compared = Compared(book, flow, policy, chance)
        rows = 0
        for at in range(ROUNDS):
            compared.edit(first=at == 0)
            rows += compared.check()
            if chance.random() < 0.6:
                compared.carry_out()
                compared.check()
        assert rows > RECORDS, "next to nothing was compared"
