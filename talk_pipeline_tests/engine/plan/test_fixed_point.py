"""Plan, write and look again, for every two-way property there is, towards systems that store what they like.

Whatever was held, edited and stored, it ends: both sides say the same, or the property is given up on as what it
is. What the tables do with this is the subject of `invariants`; here nothing but the rule and the types work.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from talk_pipeline.engine.plan.compare import MISMATCHES
from talk_pipeline.engine.plan.merge import Holding, Pair, merge
from talk_pipeline.engine.snapshot.columns import Company
from talk_pipeline.flows.properties import Property
from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.values import UnmappableError, Value, tidy
from talk_pipeline.flows.vocabulary import Flow
from talk_pipeline_tests.flow_files import flows_in

Store = Callable[[Value, Value], Value]
COMPANY = Company("DKK", ZoneInfo("Europe/Copenhagen"))
NOON = datetime(2026, 1, 1, 12)  # noqa: DTZ001 (the state keeps UTC without an offset)
ROUNDS = 12
PROPERTIES = [
    (flow, prop)
    for flow in flows_in().values()
    for part in flow.parts
    for prop in part.properties
    if prop.two_way and not prop.refers_to
]
WORDS = (
    *(
        None,
        "Alpha",
        "alpha",
        " Alpha ",
        "Beta",
        "x" * 300,
        "DK",
        "dk",
        "EUR",
        "true",
        "false",
        "All",
        "Ship",
        "PCS",
    ),
    *(
        "0",
        "0.00",
        "12.5",
        "12.50",
        "12.345",
        "0.004",
        "-3",
        "1e3",
        "a@b.example",
        "A@B.example",
        "+45 33 12 34 56",
    ),
    *("33123456", "12345678", "DK12345678", "5701234567899", "036000291452", "2026-03-01", "0001-01-01"),
    "2026-03-01T23:30:00Z",
)


def exact(value: Value, _held: Value) -> Value:
    """As it was sent."""
    return value


def shouting(value: Value, _held: Value) -> Value:
    """In upper case, as codes are."""
    return value and value.upper()


def coarse(value: Value, _held: Value) -> Value:
    """Numbers rounded to one place."""
    try:
        return str(round(Decimal(value or ""), 1))
    except InvalidOperation:
        return value


def stubborn(_value: Value, held: Value) -> Value:
    """Says yes and keeps what it had."""
    return held


def cutting(value: Value, _held: Value) -> Value:
    """The beginning."""
    return value and value[:3]


STORES: tuple[Store, ...] = (exact, shouting, coarse, stubborn, cutting)


@dataclass
class Table:
    """One property of one pair, with the bases as outcomes move them."""

    flow: Flow
    prop: Property
    held: dict[Side, Value]
    base: dict[Side, Value] = field(default_factory=dict)
    mismatches: int = 0
    writes: int = 0

    def holding(self, side: Side, at: int) -> Holding:
        raw, canon, problem = tidy(self.held[side]), None, None
        try:
            canon = self.prop.canonical(side, value=raw, context=COMPANY.context({}))
        except UnmappableError as error:
            problem = str(error)
        base = self.base.get(side)
        return Holding(raw, canon, problem, base, beside={}, edited_at=NOON + timedelta(hours=at))

    def settle(self, stores: Mapping[Side, Store], *, later: Side) -> str:
        """Rounds of plan and write until nothing is left to do; says how it ended."""
        for _ in range(ROUNDS):
            shop, bc = (self.holding(side, int(side is later)) for side in Side)
            pair = Pair(self.prop, shop=shop, bc=bc, has_base=bool(self.base))
            merged = merge(self.flow, pair, company=COMPANY)
            if merged.agreed:
                self.base, self.mismatches = {Side.SHOP: shop.raw, Side.BC: bc.raw}, 0
                return "agreed"
            if merged.target is None:
                return "open" if merged.open else "nothing"
            if self.mismatches >= MISMATCHES:
                return "oscillating"
            if not self._write(merged.target, pair, stores[merged.target]):
                return "quarantined"
        return "endless"

    def _write(self, target: Side, pair: Pair, store: Store) -> bool:
        source = pair.holding(target.other)
        if source.problem:
            return False
        try:
            sent = self.prop.convert(target, value=source.raw, context=COMPANY.context({}))
        except UnmappableError:
            return False
        self.writes += 1
        self.held[target] = store(sent, self.held[target])
        self.base = {target: sent, target.other: source.raw}
        self.mismatches = self.mismatches + 1 if self._differs(target, sent) else 0
        return True

    def _differs(self, target: Side, sent: Value) -> bool:
        """Whether what was stored is something else than what was sent, or nothing that can be read."""
        stored = self.holding(target, 0)
        try:
            expected = self.prop.recanonical(target, value=sent, context=COMPANY.context({}))
        except UnmappableError:
            return True
        return expected != stored.canon or stored.problem is not None


values = st.sampled_from(WORDS)
edits = st.lists(st.tuples(st.sampled_from(list(Side)), values), max_size=4)


@settings(max_examples=400, deadline=None)
@given(
    st.sampled_from(PROPERTIES), values, values, st.sampled_from(STORES), st.sampled_from(STORES), st.data()
)
def test_it_ends_whatever_the_systems_store(
    declared: tuple[Flow, Property],
    shop: Value,
    bc: Value,
    in_shop: Store,
    in_bc: Store,
    data: st.DataObject,
) -> None:
    flow, prop = declared
    table = Table(flow, prop, {Side.SHOP: shop, Side.BC: bc})
    stores = {Side.SHOP: in_shop, Side.BC: in_bc}
    for side, value in [(Side.SHOP, shop), *data.draw(edits)]:
        table.held[side] = value
        table.writes = 0
        ended = table.settle(stores, later=side)
        assert ended != "endless"
        assert table.writes <= MISMATCHES + 1
        if ended == "nothing":
            holdings = [table.holding(one, 0) for one in Side]
            # by the word of the flow, a shop that keeps its blank says nothing
            silent = prop.blank_keeps and holdings[0].raw is None
            understood = not any(one.problem for one in holdings)
            assert silent or not understood or prop.equal(*(one.canon for one in holdings)), (
                "a disagreement that nobody settles"
            )


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(PROPERTIES), values, values, edits)
def test_one_write_is_enough_where_systems_store_what_they_are_sent(
    declared: tuple[Flow, Property], shop: Value, bc: Value, edited: list[tuple[Side, Value]]
) -> None:
    flow, prop = declared
    table = Table(flow, prop, {Side.SHOP: shop, Side.BC: bc})
    stores = dict.fromkeys(Side, exact)
    for side, value in [(Side.SHOP, shop), *edited]:
        table.held[side] = value
        table.writes = 0
        ended = table.settle(stores, later=side)
        assert ended in ("agreed", "quarantined", "nothing")
        assert table.writes <= 1
