"""Conditions of a flow's settings held against its properties: names that are there, words that can be meant."""

from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Annotated

from pydantic import AfterValidator

from talk_pipeline.flows.mistakes import Located
from talk_pipeline.flows.properties import Property, Word
from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.tuning import Settings
from talk_pipeline.flows.values import Context, UnmappableError, Value

Words = Mapping[str, tuple[str, ...]]
"""What a scope asks for: a place in Business Central -> the words it may say; `N-*` is whatever begins so."""


def means(value: Value, word: str) -> bool:
    """Whether that is what a scope asks for; in another case a word is no other, as in Business Central's codes."""
    if value is None:
        return False
    said, wanted = value.upper(), word.upper()
    return said.startswith(wanted[:-1]) if wanted.endswith("*") else said == wanted


def lies_in(words: Words, values: Mapping[str, Value]) -> bool:
    """Whether what a record of Business Central says is what a scope asks for."""
    return all(any(means(values.get(path), word) for word in wanted) for path, wanted in words.items())


def apart(mine: Words, theirs: Words) -> bool:
    """Whether no record lies in both scopes: they have no word in common at some place that both ask."""
    return any(
        not any(means(one, other) or means(other, one) for one in mine[path] for other in theirs[path])
        for path in mine.keys() & theirs.keys()
    )


def narrower(mine: Words, theirs: Words) -> bool:
    """Whether all that lies in my scope lies in theirs as well, since I ask for something more.

    Fewer words at the same places are no more: what is new in theirs may be given one of mine.
    """
    return _covers(theirs, mine) and mine.keys() > theirs.keys()


def _covers(wide: Words, narrow: Words) -> bool:
    return all(
        path in narrow and all(any(means(one, word) for word in words) for one in narrow[path])
        for path, words in wide.items()
    )


def overlaps(scopes: Mapping[str, tuple[str, Words]]) -> Located:
    """Collections that would take the same children of Business Central, and neither asks for them more closely.

    Args:
        scopes: key of a collection -> where it lies in Business Central's record, and what it asks for there.
    """
    for (key, (path, mine)), (other, (beside, theirs)) in combinations(scopes.items(), 2):
        told_apart = apart(mine, theirs) or narrower(mine, theirs) or narrower(theirs, mine)
        if path == beside and not told_apart:
            text = f"takes the same children of Business Central as {key}: no value tells them apart"
            yield ("children", other, "scope"), text


def _whole(word: Word) -> Word:
    if word.endswith("*"):
        raise ValueError("is given to a new child, so that it is to be whole, not the beginning of a word")
    return word


WholeWord = Annotated[Word, AfterValidator(_whole)]


def scope_problems(settings: Settings, known: Mapping[str, Property]) -> Located:
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
