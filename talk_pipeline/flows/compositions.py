"""What a record that is not there yet will come to, reckoned as Business Central does.

Quantity times price is rounded, the percentage of that is rounded and taken off, and what the whole record gets off
goes down to nothing at most. That is its documented arithmetic for the sum of all children; how it spreads that sum
over them, and what tax it puts on it, is its own business and not repeated here. Halves go away from zero.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, localcontext

from talk_pipeline.flows.mistakes import Located, Location
from talk_pipeline.flows.properties import ComesTo, Composition, Property
from talk_pipeline.flows.texts import minor_digits
from talk_pipeline.flows.values import Value

Canonical = Mapping[str, Value]
"""The values of a record or child by property, in canonical form."""

PLACES = 2
_DIGITS = 60  # a product of two numbers as long as Business Central takes them
_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Term:
    """What one child adds, or what the record gets off.

    Attributes:
        name: the child, as it is called, or the property that is taken off.
        reckoned: how, such as `2 x 100 - 5 %`; empty where a number stands for itself.
        comes_to: rounded.
    """

    name: str
    reckoned: str
    comes_to: Decimal

    def __str__(self) -> str:
        return (
            f"{self.name} {self.reckoned} = {self.comes_to}"
            if self.reckoned
            else f"{self.name} {self.comes_to}"
        )


@dataclass(frozen=True, slots=True)
class Sum:
    """The terms, in the order of the flow's collections, and what they come to."""

    terms: tuple[Term, ...]
    total: Decimal


def composed(
    made: Composition,
    *,
    record: Canonical,
    children: Mapping[str, Sequence[tuple[str, Canonical]]],
    comes_to: Mapping[str, ComesTo | None],
) -> Sum | None:
    """What a record will come to; None where that cannot be known before it is there.

    Args:
        made: what the number is made of.
        record: its values.
        children: its children by collection, each with what it is called; one that the shop has not may be missing.
        comes_to: what a child of a collection adds.
    """
    if any(record.get(name) != wanted for name, wanted in made.known_while.items()):
        return None
    currency = record.get(made.rounded_in) if made.rounded_in else None
    places = minor_digits(currency) if currency else PLACES
    with localcontext() as context:
        context.prec = _DIGITS
        terms: list[Term] = []
        sums: dict[str, Decimal] = {}
        for key in made.children:
            added = [_term(name, one, comes_to.get(key), places) for name, one in children.get(key, ())]
            known = [term for term in added if term is not None]
            if len(known) < len(added):
                return None
            terms += known
            sums[key] = sum((term.comes_to for term in known), _ZERO)
        for name, bearing in made.less.items():
            off = Decimal(record.get(name) or 0)
            borne = min(off, max(sum((sums.get(key, _ZERO) for key in bearing), _ZERO), _ZERO))
            if borne:
                terms.append(Term(name, "", -_rounded(borne, places)))
        total = _rounded(sum((term.comes_to for term in terms), _ZERO), places)
    return Sum(tuple(terms), total)


def _term(name: str, child: Canonical, made: ComesTo | None, places: int) -> Term | None:
    """What a child adds; None where a number it is made of is not the shop's to say."""
    factors = [child.get(one) for one in made.multiplied] if made else [None]
    if made is None or None in factors:
        return None
    product = Decimal(1)
    for factor in factors:
        product *= Decimal(factor or 0)
    amount = _rounded(product, places)
    percent = Decimal(child.get(made.less_percent) or 0) if made.less_percent else _ZERO
    amount -= _rounded(amount * percent / 100, places)
    reckoned = " x ".join(factor or "" for factor in factors) + (f" - {percent} %" if percent else "")
    return Term(name, reckoned, amount)


def _rounded(value: Decimal, places: int) -> Decimal:
    return value.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)


def composition_problems(
    at: Location,
    prop: Property,
    known: Mapping[str, Property],
    comes_to: Mapping[str, ComesTo | None],
) -> Located:
    """Names that point nowhere, and collections that say not what a child adds, as (key path, message)."""
    made = prop.composed_of
    if made is None:
        return
    bearing = {key: names for names in made.less.values() for key in names}
    adding = [key for key, one in comes_to.items() if one]
    for word, names in (("children", made.children), ("less", tuple(bearing))):
        for key in names:
            if key not in adding:
                text = (
                    f"no child collection {key!r} says comes_to; those that do: {', '.join(adding) or 'none'}"
                )
                yield (*at, "composed_of", word), text
    for word, named in (
        ("less", tuple(made.less)),
        ("rounded_in", (made.rounded_in,) if made.rounded_in else ()),
        ("known_while", tuple(made.known_while)),
    ):
        for name in named:
            if name not in known:
                text = f"nothing is called {name!r}; allowed: {', '.join(known)}"
                yield (*at, "composed_of", word), text


def left_out(properties: Iterable[Property], comes_to: Mapping[str, ComesTo | None]) -> Located:
    """Collections that no sum names though others are summed: each of their records would be told as differing."""
    summed = {key for prop in properties if prop.composed_of for key in prop.composed_of.children}
    for key, one in comes_to.items():
        if one and summed and key not in summed:
            text = (
                f"no composed_of names it: add {key} to children there, beside {', '.join(sorted(summed))};"
                " a file that adds it says counted_in"
            )
            yield ("children", key, "comes_to"), text
