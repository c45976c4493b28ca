"""Scenarios: lists of steps, made at random, kept in files and shortened by leaving steps out.

A step names records by aliases (`C1`, `P0`, `O3`), never by position; one whose records do not exist is left out
when it is played, so that every part of a scenario is a scenario too.
"""

import json
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from talk_pipeline_tests.invariants.fields import FIELDS

Step = dict[str, Any]

FLOWS = ("customer", "product", "order")
LETTER = {"customer": "C", "product": "P", "order": "O"}
KILLS = (
    "intend",
    "intended",
    "settle",
    "settled",
    "land",
    "landed",
    "plan",
    "planned",
    "match",
    "write",
    "written",
)
ANSWERS: dict[str, tuple[Any, ...]] = {
    "validation_order": ("body",),
    "deep_insert_answer": ("always", "never"),
    "discount_in_deep_insert": ("ignored", "refused"),
    "unchanged_write": ("moves",),
    "discount_redistribution": ("on_read",),
    "decimal_zeros": ("two_places",),
    "replica_lag": (0.3, 2.0),
}
PROFILES = ("woocommerce", "bare", "cents", "enveloped", "liar")
KEEPERS = ("shop", "bc", "database")
POLICIES: dict[str, tuple[str, ...]] = {
    "conflict": ("last_writer", "customwebshop", "businesscentral", "manual"),
    "initial": ("fill", "customwebshop", "businesscentral", "manual"),
    "master": ("customwebshop", "businesscentral"),
    "disappearance": ("flag", "unlink", "block", "delete"),
}
DISPENSABLE = {
    "customer": ("website", "address.line2"),
    "product": ("cost",),
}
MOMENTS = ("landed", "planned", "intend", "settled")
VERBS = ("release", "reopen", "review", "ship", "invoice")


def write(path: Path, steps: Sequence[Step], *, found: Sequence[str] = ()) -> None:
    """Keeps a scenario, a step a line, with what it found."""
    lines = ",\n ".join(json.dumps(step) for step in steps)
    path.write_text(f'{{"found": {json.dumps(list(found), indent=1)},\n"steps": [\n {lines}\n]}}\n')


def read(path: Path) -> list[Step]:
    """A scenario that was kept."""
    steps: list[Step] = json.loads(path.read_text())["steps"]
    return steps


def shortened(steps: Sequence[Step], fails: Callable[[Sequence[Step]], bool], *, tries: int) -> list[Step]:
    """The same scenario without whatever it fails without, within a number of tries."""
    kept, size = list(steps), max(1, len(steps) // 2)
    while tries > 0:
        at = 0
        while at < len(kept) and tries > 0:
            shorter = kept[:at] + kept[at + size :]
            tries -= 1
            if fails(shorter):
                kept = shorter
            else:
                at += size
        if size == 1:
            break
        size = max(1, size // 2)
    return kept


def generate(seed: int, *, length: int = 80) -> list[Step]:
    """A scenario of that many steps after a beginning in which some records are linked."""
    return _Generator(random.Random(seed)).scenario(length)


class _Generator:
    """Dumb on purpose: it knows which aliases exist and nothing else. Kinds are left out at random (swarm)."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.known: dict[str, list[str]] = {"customer": [], "product": [], "order": []}
        # most things happen to few records and few properties, so that they happen to the same ones
        self.hot = {part: rng.sample(fields, 3) for part, fields in FIELDS.items()}
        self.kinds: dict[Callable[[], Step], float] = {
            self._edit: 10,
            self._same: 1,
            self._clash: 5,
            self._lines: 6,
            self._clashing_lines: 2,
            self._create: 2,
            self._twin: 1,
            self._buyer: 1.5,
            self._verb: 1.5,
            self._delete: 0.7,
            self._person: 0.4,
            self._cancel: 0.4,
            self._comment: 0.5,
            self._stock: 0.4,
            self._fault: 3,
            self._calm: 1,
            self._hand: 0.8,
            self._sync: 5,
            self._time: 2,
        }
        if rng.random() < 0.5:
            self.kinds |= {
                self._clock: 1,
                self._backup: 2,
                self._restore: 2,
                self._lose: 0.6,
                self._settings_of: 1.5,
                self._mapping: 0.7,
            }
        for kind in list(self.kinds):
            if kind != self._sync and rng.random() < 0.3:
                del self.kinds[kind]

    def scenario(self, length: int) -> list[Step]:
        steps = [self._world()]
        steps += [] if self.rng.random() < 0.4 else [self._settings()]
        steps += [self._new(flow) for flow in FLOWS for _ in range(3)]
        steps.append({"do": "sync"})
        kinds, weights = list(self.kinds), list(self.kinds.values())
        for _ in range(length):
            step = self.rng.choices(kinds, weights)[0]()
            steps += step.get("steps", [step])
        return steps

    def _world(self) -> Step:
        """What is not answered may be at work for as long as the systems say, or not at all; shops differ."""
        world: Step = {"do": "world", "longest": self.rng.choice((0, 960))}
        return world if self.rng.random() < 0.6 else world | {"profile": self.rng.choice(PROFILES)}

    def _settings(self) -> Step:
        """Where the documentation leaves a question open, Business Central gives another answer."""
        name = self.rng.choice(list(ANSWERS))
        step: Step = {"do": "settings", "set": {name: self.rng.choice(ANSWERS[name])}}
        if self.rng.random() < 0.5:
            step["page_size"] = 3
        if self.rng.random() < 0.3:
            step["offset"] = self.rng.choice((-90, 90))
        return step

    def _any(self, flow: str) -> str:
        known = self.known[flow]
        return known[0] if self.rng.random() < 0.5 else self.rng.choice(known)

    def _other(self, flow: str) -> str:
        """None of those to which most things happen: for what ends a record's story, or interrupts it."""
        return self.rng.choice(self.known[flow][1:])

    def _side(self) -> str:
        return self.rng.choice(("shop", "bc"))

    def _flow(self) -> str:
        return self.rng.choices(FLOWS, (3, 2, 4))[0]

    def _values(self, part: str, *, most: int) -> dict[str, Any]:
        among = self.hot[part] if self.rng.random() < 0.6 else FIELDS[part]
        fields = self.rng.sample(among, min(len(among), self.rng.randint(1, most)))
        return {field.name: self._value(part, field.name) for field in fields}

    def _edit(self) -> Step:
        flow = self._flow()
        values = self._values(flow, most=self.rng.choice((1, 1, 2, 4)))
        return {"do": "edit", "side": self._side(), "flow": flow, "who": self._any(flow), "set": values}

    def _same(self) -> Step:
        flow = self._flow()
        values = self._values(flow, most=2)
        return {"do": "edit", "side": "both", "flow": flow, "who": self._any(flow), "set": values}

    def _clash(self) -> Step:
        """Two edits of the same properties on two sides."""
        first = self._edit()
        again = {name: self._value(first["flow"], name) for name in first["set"]}
        other = "bc" if first["side"] == "shop" else "shop"
        return {"steps": [first, first | {"side": other, "set": again}]}

    def _clashing_lines(self) -> Step:
        first, second = self._lines(), self._lines()
        other = "bc" if first["side"] == "shop" else "shop"
        return {"steps": [first, second | {"who": first["who"], "side": other, "at": first["at"]}]}

    def _value(self, part: str, name: str) -> Any:
        field = next(field for field in FIELDS[part] if field.name == name)
        return self.rng.choice((*field.pool, *field.extra))

    def _new(self, flow: str) -> Step:
        alias = f"{LETTER[flow]}{len(self.known[flow])}"
        step: Step = {"do": "create", "flow": flow, "who": alias}
        if self.rng.random() < 0.3 and self.known[flow]:
            step["set"] = self._values(flow, most=3)
        if flow == "order":
            step["buyer"] = self._any("customer")
            step["lines"] = [self._line() for _ in range(self.rng.randint(1, 4))]
        self.known[flow].append(alias)
        return step

    def _create(self) -> Step:
        return self._new(self._flow())

    def _line(self) -> Step:
        return {"product": self._any("product"), "set": self._values("order.lines", most=4)}

    def _twin(self) -> Step:
        """A record of Business Central that looks like one of the shop, there already or to come."""
        flow = self.rng.choice(FLOWS)
        like = self.rng.choice((self._any(flow), f"{LETTER[flow]}{len(self.known[flow])}"))
        by = self.rng.choice(("number", "second", "nothing"))
        step = {"do": "twin", "flow": flow, "like": like, "by": by, "buyer": self._any("customer")}
        return step | {"set": self._values(flow, most=3), "product": self._any("product")}

    def _lines(self) -> Step:
        what = self.rng.choice(
            ("add", "add", "change", "change", "change", "remove", "swap", "split", "order")
        )
        step: Step = {"do": "lines", "side": self._side(), "who": self._any("order"), "what": what}
        return step | {"at": self.rng.randrange(4), "line": self._line()}

    def _buyer(self) -> Step:
        step = {"do": "buyer", "side": self._side(), "who": self._any("order")}
        return step | {"buyer": self._any("customer")}

    def _verb(self) -> Step:
        return {"do": "verb", "who": self._other("order"), "verb": self.rng.choice(VERBS)}

    def _delete(self) -> Step:
        flow = self._flow()
        return {"do": "delete", "side": self._side(), "flow": flow, "who": self._other(flow)}

    def _person(self) -> Step:
        kind = self.rng.choice(("Person", "Company"))
        return {"do": "person", "who": self._other("customer"), "type": kind}

    def _cancel(self) -> Step:
        status = self.rng.choice(("cancelled", "open"))
        return {"do": "status", "who": self._any("order"), "status": status}

    def _comment(self) -> Step:
        return {"do": "comment", "who": self._any("order")}

    def _stock(self) -> Step:
        return {"do": "stock", "who": self._any("product"), "quantity": self.rng.choice(("3", "12"))}

    def _calm(self) -> Step:
        return {"do": "calm"}

    def _fault(self) -> Step:
        side, rng = self._side(), self.rng
        paths = ("customers", "items", "salesOrders", "salesOrderLines", "$batch", "")
        if side == "shop":
            paths = ("customers", "products", "orders", "", "", "")
        fault: Step = rng.choice(
            (
                {"drop": "after"},
                {"drop": "before"},
                {"status": 500, "when": "after"},
                {"status": 503, "when": "before"},
                {"status": 504, "when": "after"},
                {"status": 408, "when": "after"},
                {"status": 429},
                {"status": 409},
                {"status": 412},
                {"status": 403},
                {"truncate": True},
                {"delay": 0.2},
                {"stale_page": rng.choice(("same", "previous"))},
                {"expired_token": True},
            )
        )
        methods = ("GET",) if "stale_page" in fault else ("GET", "POST", "PATCH", "DELETE", "POST", "PATCH")
        match = {"method": rng.choice(methods), "path": rng.choice(paths), "nth": rng.randint(1, 4)}
        rule = {"match": match, "fault": fault, "times": rng.choice((1, 1, 1, 2, 6))}
        return {"do": "fault", "side": side, "rule": rule}

    def _hand(self) -> Step:
        flow = self._flow()
        what = self.rng.choice(("unlink", "recreate", "link", "retry", "link", "resolve", "resolve"))
        step: Step = {"do": "hand", "what": what, "flow": flow, "who": self._other(flow)}
        if what == "resolve":
            step |= {"who": self._any(flow), "take": self.rng.choice(("customwebshop", "businesscentral"))}
        return step

    def _time(self) -> Step:
        return {"do": "time", "minutes": self.rng.choice((1, 10, 60, 600))}

    def _clock(self) -> Step:
        return {"do": "clock", "side": self._side(), "offset": self.rng.choice((-3600, -90, 0, 90, 3600))}

    def _backup(self) -> Step:
        """Of all that a run has just seen."""
        return {"steps": [{"do": "sync", "full": True}, {"do": "backup", "of": self.rng.choice(KEEPERS)}]}

    def _restore(self) -> Step:
        """Perhaps somebody is at work before anybody has decided."""
        steps: list[Step] = [{"do": "restore", "of": self.rng.choice(KEEPERS)}]
        steps += [self._edit()] if self.rng.random() < 0.3 else []
        return {"steps": [*steps, {"do": "decide"}]}

    def _lose(self) -> Step:
        return {"do": "lose"}

    def _settings_of(self) -> Step:
        name, flow = self.rng.choice(list(POLICIES)), self._flow()
        value = self.rng.choice(POLICIES[name])
        if (flow, value) == ("order", "block"):
            value = "flag"  # nothing takes an order out of use
        return {"do": "settings_of", "flow": flow, "set": {name: value}}

    def _mapping(self) -> Step:
        flow = self.rng.choice(list(DISPENSABLE))
        return {"do": "mapping", "flow": flow, "property": self.rng.choice(DISPENSABLE[flow])}

    def _sync(self) -> Step:
        rng = self.rng
        step: Step = {"do": "sync"}
        if rng.random() < 0.3:
            step["full"] = True
        if rng.random() < 0.15:
            step["flows"] = [rng.choice(FLOWS)]
        if rng.random() < 0.25:
            step["kill"] = [rng.choice(KILLS), rng.randint(1, 4)]
        elif rng.random() < 0.3:
            does = rng.choice((self._edit, self._edit, self._lines, self._lines, self._verb, self._delete))()
            # a discount may be lost in the moment between the last look at an order and the write of a line
            where = "planned" if "discount_amount" in does.get("set", ()) else rng.choice(MOMENTS)
            step["meanwhile"] = [where, rng.randint(1, 4), does]
        return step
