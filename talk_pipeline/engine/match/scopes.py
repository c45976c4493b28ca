"""Which shop records a flow is about, as SQL over table `record`: conditions by property, all of them together."""

from collections.abc import Mapping

from talk_pipeline.flows.properties import Property
from talk_pipeline.flows.tuning import Condition
from talk_pipeline.flows.vocabulary import Flow

Scope = Mapping[str, Condition]


def inside(flow: Flow, scope: Scope, alias: str) -> str:
    """Whether a record of the flow's own part lies within a scope.

    Args:
        flow: whose properties are meant.
        scope: the conditions by property.
        alias: what table `record` is called there.
    """
    named = flow.root.by_name
    return " and ".join(_holds(named[name], condition, alias) for name, condition in scope.items()) or "true"


def outside(flow: Flow, scope: Scope, alias: str, *, meaning: str) -> str:
    """The reason why a record lies outside a scope, null where it does not."""
    named = flow.root.by_name
    cases = "".join(
        f" when not ({_holds(named[name], condition, alias)}) then {_text(f'{name} is ')}"
        f" || coalesce({alias}.raw[{_text(name)}], 'blank') || {_text(f'; {meaning}: {condition}')}"
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


def _holds(prop: Property, condition: Condition, alias: str) -> str:
    raw, canon = f"{alias}.raw[{_text(prop.name)}]", f"{alias}.canon[{_text(prop.name)}]"
    parts: list[str] = []
    if condition.one_of:
        parts.append(f"coalesce({raw}, '') in ({', '.join(_text(word) for word in condition.one_of)})")
    if condition.none_of:
        parts.append(f"coalesce({raw}, '') not in ({', '.join(_text(word) for word in condition.none_of)})")
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
