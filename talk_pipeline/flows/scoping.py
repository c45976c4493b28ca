"""Conditions of a flow's settings held against its properties: names that are there, words that can be meant."""

from collections.abc import Iterator, Mapping

from talk_pipeline.flows.properties import Property, Side
from talk_pipeline.flows.tuning import Settings
from talk_pipeline.flows.values import Context, UnmappableError


def scope_problems(
    settings: Settings, known: Mapping[str, Property]
) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """What is asked of a property that is not there, or cannot be asked, as (key path, message)."""
    for key, side in (
        ("scope", Side.SHOP),
        ("create_scope", Side.SHOP),
        ("create_scope_businesscentral", Side.BC),
        ("blocked_by", None),
    ):
        for name, condition in getattr(settings, key).items():
            at = ("settings", key, name)
            if name not in known:
                yield at, f"nothing is called {name!r}; allowed: {', '.join(known)}"
            elif side and not known[name].paths(side):
                yield at, f"{name} has no place in {side}, where it would be asked"
            elif side is Side.BC:
                for word in (*condition.one_of, *condition.none_of):
                    yield from ((at, f"{name}: {why}") for why in _unmeant(known[name], word))


def _unmeant(prop: Property, word: str) -> Iterator[str]:
    try:
        prop.canonical(Side.SHOP, value=word, context=Context())
    except UnmappableError as error:
        yield str(error)
