"""Whether a record still holds a value, and whether two records agree, however any of it is spelled."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation

from talk_pipeline.engine.snapshot.columns import Company
from talk_pipeline.flows.properties import Property
from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.values import UnmappableError, Value
from talk_pipeline.flows.vocabulary import Flow


def holds(
    prop: Property, value: Value, origin: Side, *, raw: Mapping[str, Value], canon: Value, company: Company
) -> bool:
    """Whether a record says the very same as a value that is known.

    Args:
        prop: the property.
        value: raw, in the words of a side.
        origin: whose words they are.
        raw: all that the record says, on which the meaning of a value may depend.
        canon: what the record says of the property, in canonical form.
        company: what the meaning of values depends on.
    """
    if prop.refers_to:
        return raw.get(prop.name) == value
    try:
        return prop.recanonical(origin, value=value, context=company.context(raw)) == canon
    except UnmappableError:
        return False


def took(
    prop: Property, value: Value, side: Side, *, raw: Mapping[str, Value], canon: Value, company: Company
) -> bool:
    """Whether a side holds what was sent to it, as far as it can hold it at all: rounded or cut is taken."""
    held = raw.get(prop.name)
    if prop.refers_to or held == value:  # to the letter, as nearly always
        return held == value
    try:
        sent = prop.recanonical(side, value=value, context=company.context(raw))
    except UnmappableError:
        return False
    return prop.equal(canon, sent) if side is Side.SHOP else prop.equal(sent, canon)


def agree(
    flow: Flow, prop: Property, *, shop: Value, bc: Value, shop_raw: Value, before: Value = None
) -> bool:
    """Whether the two records of a pair agree on a property.

    Args:
        flow: theirs; what is compared alone may differ by its tolerance.
        prop: the property.
        shop: what the shop's record says, in canonical form.
        bc: what Business Central's says; a reference as the shop's id of what it refers to.
        shop_raw: the shop's own words; some are kept whatever Business Central says, and a blank may say nothing.
        before: those when the two last agreed.
    """
    if prop.dir != "=":
        preserved = (shop_raw is None and prop.blank_keeps) or (
            shop_raw is not None and shop_raw in prop.keep
        )
        return preserved or prop.equal(shop, bc, before)
    try:
        difference = abs(Decimal(shop or 0) - Decimal(bc or 0))
    except InvalidOperation:
        return False
    return difference <= Decimal(str(flow.settings.tolerance))
