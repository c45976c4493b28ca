"""The three-way rule for one property of one pair: who changed it, and what follows.

Pure: no database. Bases are raw values; their canonical form is computed here, in today's context, so that a
new release or another country beside a phone number does not look like an edit.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from talk_pipeline.engine.snapshot.columns import Company
from talk_pipeline.engine.snapshot.holding import holds
from talk_pipeline.flows.properties import Property
from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.values import Value
from talk_pipeline.flows.vocabulary import Flow

INITIAL = "initial"
EDIT = "edit"
RECALCULATED = "recalculated"
MANUAL = "manual"


@dataclass(frozen=True, slots=True)
class Holding:
    """What one side holds of a property now, and held when the two last agreed.

    Attributes:
        beside: the raw values of the side's record that this one is read in, such as its country.
        edited_at: skew-corrected time of the snapshot in which the property first differed from its base.
    """

    raw: Value
    canon: Value
    problem: str | None
    base: Value
    beside: Mapping[str, Value]
    edited_at: datetime | None


@dataclass(frozen=True, slots=True)
class Pair:
    """One property of one linked pair.

    Attributes:
        resend: the side that recalculated the property because of another write of ours, or was not told it yet.
        unsure: that was in an earlier run: what that side holds may be what a user said since.
        begun: that side has not been told it since the record was made: what it holds as it was is nobody's word.
        taken: the side that a person took in an open conflict of these very values.
    """

    prop: Property
    shop: Holding
    bc: Holding
    has_base: bool
    resend: Side | None = None
    unsure: bool = False
    begun: bool = False
    taken: Side | None = None

    def holding(self, side: Side) -> Holding:
        """What a side holds."""
        return self.shop if side is Side.SHOP else self.bc


@dataclass(frozen=True, slots=True)
class Merged:
    """What follows for one property.

    Attributes:
        target: the side to be written; None when nothing is.
        agreed: the two say the same: this is the new base.
        conflict: both sides had something to say, and the target's value is lost.
        open: a person decides; nothing is written until then.
    """

    target: Side | None = None
    agreed: bool = False
    rule: str = EDIT
    conflict: bool = False
    open: bool = False


NOTHING = Merged()
AGREED = Merged(agreed=True)


def merge(flow: Flow, pair: Pair, *, company: Company) -> Merged:
    """What follows from a pair whose canonical values are not simply the same."""
    prop = pair.prop
    if not (pair.shop.problem or pair.bc.problem) and prop.equal(
        pair.shop.canon, pair.bc.canon, pair.shop.base
    ):
        return AGREED
    if prop.dir == "=":
        return NOTHING
    if prop.only:
        return _with_new(pair, company=company)
    again = pair.resend
    if again is not None and prop.goes_to(again) and not (again is Side.BC and _is_silent(pair)):
        if pair.begun and changed(pair, again, company=company):
            return dispute(flow, pair)
        return Merged(again, rule=RECALCULATED if pair.unsure else EDIT, conflict=pair.unsure)
    if not prop.two_way:
        return _one_way(pair, company=company)
    return _edited(flow, pair, company=company) if pair.has_base else _first_meeting(flow, pair)


def _with_new(pair: Pair, *, company: Company) -> Merged:
    """What comes with a new record alone is told to one that was begun, unless somebody said another word there."""
    begun = pair.resend if pair.begun else None
    if begun is None or not pair.prop.comes_with_new(begun) or changed(pair, begun, company=company):
        return NOTHING
    return Merged(begun)


def changed(pair: Pair, side: Side, *, company: Company) -> bool:
    """Whether a side says something else than when the two last agreed."""
    holding = pair.holding(side)
    if not pair.has_base:
        return True
    if holding.problem:
        return True  # even where the value itself stayed: what it depends on, such as a currency, made it another
    if holding.raw == holding.base:
        return False
    said = {**holding.beside, pair.prop.name: holding.raw}
    return not holds(pair.prop, holding.base, side, raw=said, canon=holding.canon, company=company)


def _one_way(pair: Pair, *, company: Company) -> Merged:
    """The source is written where it changed; drift on the target is never reverted."""
    target = Side.BC if pair.prop.dir == "->" else Side.SHOP
    source = pair.holding(target.other)
    if pair.holding(target).raw in pair.prop.keep:
        return NOTHING
    if not changed(pair, target.other, company=company) or (target is Side.BC and _is_silent(pair)):
        return NOTHING
    if not pair.has_base and _blank(pair, target.other) and source.problem is None:
        return NOTHING
    return Merged(target, rule=EDIT if pair.has_base else INITIAL)


def _edited(flow: Flow, pair: Pair, *, company: Company) -> Merged:
    shop, bc = (changed(pair, side, company=company) for side in Side)
    shop = shop and not _is_silent(pair)
    if shop and bc:
        return dispute(flow, pair)
    if shop or bc:
        return Merged(Side.BC if shop else Side.SHOP)
    return NOTHING


def dispute(flow: Flow, pair: Pair) -> Merged:
    """Both sides have something to say, and not the same: the policy of the property decides."""
    policy = flow.policy(pair.prop)
    if policy == MANUAL:
        return _by_hand(pair)
    winner = _last_writer(flow, pair) if policy == "last_writer" else Side(policy)
    return Merged(winner.other, rule=policy, conflict=True)


def _by_hand(pair: Pair) -> Merged:
    """Open until a person took a side."""
    if pair.taken is None:
        return Merged(rule=MANUAL, conflict=True, open=True)
    return Merged(pair.taken.other, rule=MANUAL, conflict=True)


def _last_writer(flow: Flow, pair: Pair) -> Side:
    """The later edit; the flow's master where the times are equal or one is unknown.

    A system that tells no fractions of a second is compared by the second.
    """
    shop, bc = pair.shop.edited_at, pair.bc.edited_at
    if shop is None or bc is None:
        return flow.settings.master
    if not (shop.microsecond and bc.microsecond):
        shop, bc = shop.replace(microsecond=0), bc.replace(microsecond=0)
    if shop == bc:
        return flow.settings.master
    return Side.SHOP if shop > bc else Side.BC


def _first_meeting(flow: Flow, pair: Pair) -> Merged:
    """Two records that both existed: an empty value never overwrites a filled one."""
    initial = flow.settings.initial
    if initial == MANUAL:
        return _by_hand(pair)
    for side in Side:
        if _blank(pair, side):
            return Merged(side, rule=INITIAL)
    winner = flow.settings.master if initial == "fill" else Side(initial)
    return Merged(winner.other, rule=INITIAL, conflict=True)


def _is_silent(pair: Pair) -> bool:
    """Whether the shop's blank says nothing, by the word of the flow: such as of a person who was erased there."""
    return pair.prop.blank_keeps and pair.shop.raw is None and pair.shop.problem is None


def _blank(pair: Pair, side: Side) -> bool:
    """Business Central has no blank numbers: there zero stands for nothing said."""
    holding = pair.holding(side)
    if holding.raw is None:
        return holding.canon is None or pair.prop.is_number
    return pair.prop.is_number and holding.canon == "0"
