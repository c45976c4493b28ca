"""Which records a flow is about, as SQL over table `record`: conditions by property, all of them together.

Of the shop what it says itself is asked; of Business Central what that means in the shop's words.
"""

from collections.abc import Iterable, Mapping

from talk_pipeline.flows.properties import Property
from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.tuning import Condition
from talk_pipeline.flows.values import Context
from talk_pipeline.flows.vocabulary import Flow

Scope = Mapping[str, Condition]


def inside(flow: Flow, scope: Scope, alias: str, *, side: Side = Side.SHOP) -> str:
    """Whether a record of the flow's own part lies within a scope.

    Args:
        flow: whose properties are meant.
        scope: the conditions by property.
        alias: what table `record` is called there.
        side: whose records are asked.
    """
    named = flow.root.by_name
    held = (_holds(named[name], condition, alias, side) for name, condition in scope.items())
    return " and ".join(held) or "true"


def outside(flow: Flow, scope: Scope, alias: str, *, meaning: str, side: Side = Side.SHOP) -> str:
    """The reason why a record lies outside a scope, null where it does not."""
    named = flow.root.by_name
    cases = "".join(
        f" when not ({_holds(named[name], condition, alias, side)}) then {_text(f'{name} is ')}"
        f" || coalesce({_said(named[name], alias, side)}, 'blank') || {_text(f'; {meaning}: {condition}')}"
        for name, condition in scope.items()
    )
    return f"case{cases} end" if cases else "cast(null as varchar)"


def ended(flow: Flow, alias: str) -> str:
    """Whether a shop record shows what ends its story, once Business Central's record is gone as well."""
    cases = [
        f"{alias}.raw[{_text(name)}] in ({', '.join(map(_text, words))})"
        for listed in flow.flags
        if listed.ends
        for name, words in listed.shop.items()
    ]
    return f"coalesce({' or '.join(cases)}, false)" if cases else "false"


def _said(prop: Property, alias: str, side: Side) -> str:
    return f"{alias}.{'raw' if side is Side.SHOP else 'canon'}[{_text(prop.name)}]"


def _words(prop: Property, words: Iterable[str], side: Side) -> str:
    """The words of a condition as that side's records are asked for them."""
    if side is Side.BC:
        words = (prop.canonical(Side.SHOP, value=word, context=Context()) or "" for word in words)
    return ", ".join(map(_text, words))


def _holds(prop: Property, condition: Condition, alias: str, side: Side) -> str:
    raw, canon = _said(prop, alias, side), f"{alias}.canon[{_text(prop.name)}]"
    parts: list[str] = []
    if condition.one_of:
        parts.append(f"coalesce({raw}, '') in ({_words(prop, condition.one_of, side)})")
    if condition.none_of:
        parts.append(f"coalesce({raw}, '') not in ({_words(prop, condition.none_of, side)})")
    if condition.filled is not None:
        parts.append(f"{raw} is {'not ' if condition.filled else ''}null")
    if condition.at_least is not None:
        parts.append(
            f"coalesce({_ordered(prop, canon)} >= {_ordered(prop, _text(condition.at_least))}, false)"
        )
    if condition.at_most is not None:
        parts.append(
            f"coalesce({_ordered(prop, canon)} <= {_ordered(prop, _text(condition.at_most))}, false)"
        )
    return " and ".join(parts) or "true"


def _ordered(prop: Property, value: str) -> str:
    """Dates compare as the text they are, numbers as numbers."""
    return f"try_cast({value} as decimal(38, 10))" if prop.is_number else value


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
