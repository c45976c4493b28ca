"""The three-way rule against an oracle that says the same thing in other words, and run to a fixed point."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from talk_pipeline.engine.plan.merge import Holding, Merged, Pair, merge
from talk_pipeline.engine.snapshot.columns import Company
from talk_pipeline.flows.properties import Property
from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.vocabulary import Flow
from talk_pipeline_tests.flow_files import flows_in

COMPANY = Company("DKK", ZoneInfo("UTC"))
NOON = datetime(2026, 1, 1, 12)  # noqa: DTZ001 (the state keeps UTC without an offset)
CUSTOMER = flows_in()["customer"]
PRODUCT = flows_in()["product"]

# few values, so that equal edits and returns to the base are common; two of them are the same in canonical form
WORDS = st.sampled_from([None, "Alpha", "alpha ", "Beta", "Gamma"])
TIMES = st.integers(0, 3).map(lambda hours: NOON + timedelta(hours=hours))


@dataclass
class Case:
    prop: Property
    shop: str | None
    bc: str | None
    base_shop: str | None
    base_bc: str | None
    has_base: bool
    shop_at: datetime
    bc_at: datetime

    def pair(self) -> Pair:
        return Pair(
            self.prop,
            shop=self._holding(Side.SHOP, self.shop, base=self.base_shop, at=self.shop_at),
            bc=self._holding(Side.BC, self.bc, base=self.base_bc, at=self.bc_at),
            has_base=self.has_base,
        )

    def _holding(self, side: Side, raw: str | None, *, base: str | None, at: datetime) -> Holding:
        canon = self.prop.canonical(side, value=raw, context=COMPANY.context({}))
        return Holding(raw=raw, canon=canon, problem=None, base=base, beside={}, edited_at=at)


def cases(direction: str) -> st.SearchStrategy[Case]:
    prop = Property(shop="website", dir=direction, bc="website", type="code(80)")
    return st.builds(Case, st.just(prop), WORDS, WORDS, WORDS, WORDS, st.booleans(), TIMES, TIMES)


def _same(one: str | None, other: str | None) -> bool:
    return (one or "").strip().upper() == (other or "").strip().upper()


def _oracle(flow: Flow, case: Case) -> tuple[str, bool]:
    """Who wins, and whether the other one's edit is lost: "shop", "bc", "agreed" or "nothing"."""
    if _same(case.shop, case.bc):
        return "agreed", False
    if not case.has_base:
        if case.shop is None:
            return "bc", False
        return "shop", case.bc is not None
    shop_edited, bc_edited = not _same(case.shop, case.base_shop), not _same(case.bc, case.base_bc)
    if shop_edited and bc_edited:
        newer_in_bc = case.bc_at > case.shop_at
        return ("bc" if newer_in_bc else "shop"), True
    if shop_edited:
        return "shop", False
    return ("bc", False) if bc_edited else ("nothing", False)


def _told(merged: Merged) -> tuple[str, bool]:
    if merged.agreed:
        return "agreed", False
    if merged.target is None:
        return "nothing", False
    return ("shop" if merged.target is Side.BC else "bc"), merged.conflict


@given(cases("<->"))
def test_a_two_way_property_follows_the_oracle(case: Case) -> None:
    assert _told(merge(CUSTOMER, case.pair(), company=COMPANY)) == _oracle(CUSTOMER, case)


@given(cases("<->"))
def test_a_plan_carried_out_leaves_nothing_to_do(case: Case) -> None:
    merged = merge(CUSTOMER, case.pair(), company=COMPANY)
    if merged.target is Side.BC:
        case.bc = case.base_bc = case.shop
        case.base_shop = case.shop
    elif merged.target is Side.SHOP:
        case.shop = case.base_shop = case.bc
        case.base_bc = case.bc
    else:
        return
    case.has_base = True
    assert _told(merge(CUSTOMER, case.pair(), company=COMPANY)) in (("agreed", False), ("nothing", False))


@given(cases("<-"))
def test_a_one_way_property_is_written_only_when_its_source_changed(case: Case) -> None:
    merged = merge(CUSTOMER, case.pair(), company=COMPANY)
    assert merged.target is not Side.BC
    assert not merged.conflict
    if case.has_base and _same(case.bc, case.base_bc):
        assert merged.target is None


@given(cases("->"))
def test_a_one_way_property_goes_there_whenever_its_source_changed(case: Case) -> None:
    merged = merge(CUSTOMER, case.pair(), company=COMPANY)
    edited = not _same(case.shop, case.base_shop) if case.has_base else case.shop is not None
    wanted = edited and not _same(case.shop, case.bc)
    assert merged.target is (Side.BC if wanted else None)


@given(cases("="))
def test_a_compared_property_is_never_written(case: Case) -> None:
    assert merge(CUSTOMER, case.pair(), company=COMPANY).target is None


@given(cases("<->"))
def test_the_policy_of_a_property_outranks_the_flows(case: Case) -> None:
    case.prop = case.prop.model_copy(update={"conflict": "businesscentral"})
    merged = merge(CUSTOMER, case.pair(), company=COMPANY)
    if merged.conflict and case.has_base:
        assert merged.target is Side.SHOP


@given(cases("<->"))
def test_a_manual_conflict_writes_nothing(case: Case) -> None:
    case.prop = case.prop.model_copy(update={"conflict": "manual"})
    merged = merge(CUSTOMER, case.pair(), company=COMPANY)
    if merged.conflict and case.has_base:
        assert merged.open
        assert merged.target is None


def test_equal_times_go_to_the_master() -> None:
    prop = Property(shop="website", dir="<->", bc="website", type="text(80)")
    case = Case(prop, "a", "b", "c", "c", has_base=True, shop_at=NOON, bc_at=NOON)
    assert merge(CUSTOMER, case.pair(), company=COMPANY).target is Side.BC


def test_an_amount_that_was_never_said_yields_to_one_that_was() -> None:
    prop = Property(shop="price", dir="<->", bc="unitPrice", type="decimal(2)")
    case = Case(prop, "12.50", "0", None, None, has_base=False, shop_at=NOON, bc_at=NOON)
    merged = merge(PRODUCT, case.pair(), company=COMPANY)
    assert merged.target is Side.BC
    assert not merged.conflict


def test_the_country_beside_a_phone_is_no_edit_of_the_phone() -> None:
    prop = Property(shop="phone", dir="<->", bc="phoneNumber", type="phone(30)", country="country")
    shop, bc = (
        Holding(
            raw=raw,
            canon=prop.canonical(side, value=raw, context=COMPANY.context({"country": country})),
            problem=None,
            base=raw,
            beside={"country": country},
            edited_at=NOON,
        )
        for side, raw, country in ((Side.SHOP, "33123456", "SE"), (Side.BC, "+45 33123456", "DK"))
    )
    assert merge(CUSTOMER, Pair(prop, shop=shop, bc=bc, has_base=True), company=COMPANY).target is None


@given(cases("<->"))
def test_a_blank_that_keeps_never_empties_the_other_side(case: Case) -> None:
    """Else it is as if the shop had said nothing new: all that Business Central edits still goes to the shop."""
    silent = case.shop is None
    expected = _oracle(CUSTOMER, case)
    if silent and case.has_base and not _same(case.shop, case.bc):
        expected = ("nothing" if _same(case.bc, case.base_bc) else "bc"), False
    case.prop = case.prop.model_copy(update={"blank_keeps": True})
    assert _told(merge(CUSTOMER, case.pair(), company=COMPANY)) == expected
    case.prop = case.prop.model_copy(update={"dir": "->"})
    merged = merge(CUSTOMER, case.pair(), company=COMPANY)
    assert merged.target is None or not silent


@pytest.mark.parametrize("target", Side)
def test_a_reference_that_was_blank_travels_once_it_is_filled(target: Side) -> None:
    """Its meaning is the id itself: no blank is the same, whatever stands beside it."""
    prop = Property(shop="owner_id", dir="<->", bc="ownerId", type="reference(owner)")
    filled = Holding(raw="there", canon="here", problem=None, base=None, beside={}, edited_at=NOON)
    blank = Holding(raw=None, canon=None, problem=None, base=None, beside={}, edited_at=None)
    shop, bc = (blank, filled) if target is Side.SHOP else (filled, blank)
    pair = Pair(prop, shop=shop, bc=bc, has_base=True)
    assert merge(CUSTOMER, pair, company=COMPANY) == Merged(target)


@given(cases("->"))
def test_a_side_to_which_a_property_never_goes_is_not_told_it_again(case: Case) -> None:
    """As where its direction was changed after a restored shop was to be told it."""
    pair = case.pair()
    again = merge(CUSTOMER, replace(pair, resend=Side.SHOP), company=COMPANY)
    assert again == merge(CUSTOMER, pair, company=COMPANY)
