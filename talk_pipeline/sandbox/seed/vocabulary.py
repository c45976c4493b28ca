"""The words and places records are made of, and numbers with their check digits.

Names follow from a position, so that no two companies and no two products share one, whatever the size.
"""

from __future__ import annotations

import random
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from talk_pipeline.sandbox.documents import read_yaml

_FILE = Path(__file__).parent / "vocabulary.yaml"
_LETTERS = str.maketrans({"æ": "ae", "ø": "oe", "å": "aa", "ß": "ss", "Æ": "ae", "Ø": "oe", "Å": "aa"})


@cache
def words() -> Any:
    """The vocabulary as read."""
    return read_yaml(_FILE)


def company_name(position: int, country: str) -> str:
    """The name of the company at that position."""
    bases: list[str] = words()["bases"]
    trades: list[str] = words()["trades"]
    spread = position * 7919  # a prime, so that neighbours do not look alike
    first = bases[spread % len(bases)]
    rest = position // len(bases)
    trade = trades[(spread // 7 + rest) % len(trades)]
    forms: list[str] = words()["countries"][country]["forms"]
    if rest:
        second = bases[(spread + 1 + rest) % len(bases)]
        lot = rest // (len(bases) - 1)
        return f"{first} & {second} {trade}{f' {lot + 1}' if lot else ''} {forms[position % len(forms)]}"
    return f"{first} {trade} {forms[position % len(forms)]}"


def person_name(rng: random.Random) -> str:
    """Someone's name."""
    return f"{rng.choice(words()['first_names'])} {rng.choice(words()['last_names'])}"


def slug(text: str) -> str:
    """The text as a part of a host name."""
    plain = unicodedata.normalize("NFKD", text.translate(_LETTERS)).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")


def pick_country(rng: random.Random) -> str:
    """A country, the near ones more often."""
    countries = words()["countries"]
    return str(rng.choices(list(countries), [facts["weight"] for facts in countries.values()])[0])


def phone(rng: random.Random, country: str) -> tuple[str, str]:
    """One number in national and in international notation."""
    national, international = words()["countries"][country]["phone"]
    digits = [str(rng.randrange(10)) for _ in range(national.count("#"))]
    return _filled(national, digits), _filled(international, digits)


def _filled(pattern: str, digits: Sequence[str]) -> str:
    rest = iter(digits)
    return "".join(next(rest) if char == "#" else char for char in pattern)


# -- numbers with check digits ----------------------------------------------------------------------------------


def series(letter: str, block: int, at: int) -> str:
    """The number at a place of a series; the first digit names the block, so that no two series ever meet."""
    return f"{letter}{block}{at + 1:04d}"


def untaken(make: Callable[[random.Random], str], rng: random.Random, *, taken: set[str]) -> str:
    """A random number that nothing holds yet, and that is held from now on.

    Another draw comes from elsewhere, so that whatever is drawn afterwards stays what it was.
    """
    number = make(rng)
    other = random.Random(f"instead of {number}")
    while number.replace("-", "") in taken:  # written without hyphens, one country's may be another's
        number = make(other)
    taken.add(number.replace("-", ""))
    return number


def gtin(rng: random.Random, length: int) -> str:
    """A GTIN of 8, 12, 13 or 14 digits that checks, from the range kept for use inside a company."""
    body = "2" + "".join(str(rng.randrange(10)) for _ in range(length - 2))
    return body + str(gtin_digit(body))


def gtin_digit(body: str) -> int:
    """The last digit of a GTIN."""
    total = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(body)))
    return -total % 10


def registration(rng: random.Random, country: str) -> str:
    """A registration number that checks, as the country's authorities write it."""
    make = _REGISTRATIONS.get(country, _plain_eight)
    while True:
        number = make(rng)
        if number is not None:
            return number


def _digits(rng: random.Random, count: int, *, first: str = "1") -> str:
    return first + "".join(str(rng.randrange(10)) for _ in range(count - len(first)))


def _weighted(text: str, weights: Sequence[int]) -> int:
    return sum(int(digit) * weight for digit, weight in zip(text, weights, strict=True))


def _luhn(body: str) -> int:
    total = 0
    for place, char in enumerate(reversed(body)):
        value = int(char) * (2 if place % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return -total % 10


def _denmark(rng: random.Random) -> str | None:
    body = _digits(rng, 7, first=rng.choice("23"))
    digit = -_weighted(body, (2, 7, 6, 5, 4, 3, 2)) % 11
    return f"{body}{digit}" if digit < 10 else None


def _sweden(rng: random.Random) -> str:
    body = _digits(rng, 9, first="5590")
    return f"{body[:6]}-{body[6:]}{_luhn(body)}"


def _norway(rng: random.Random) -> str | None:
    body = _digits(rng, 8, first="99")
    digit = -_weighted(body, (3, 2, 7, 6, 5, 4, 3, 2)) % 11
    return f"{body}{digit}" if digit < 10 else None


def _finland(rng: random.Random) -> str | None:
    body = _digits(rng, 7, first="2")
    digit = -_weighted(body, (7, 9, 10, 5, 8, 4, 2)) % 11
    return f"{body}-{digit}" if digit < 10 else None


def _germany(rng: random.Random) -> str:
    body = _digits(rng, 8, first="2")
    product = 10
    for char in body:
        total = (int(char) + product) % 10 or 10
        product = total * 2 % 11
    return f"{body}{(11 - product) % 10}"


def _france(rng: random.Random) -> str:
    body = _digits(rng, 8, first="8")
    return f"{body}{_luhn(body)}"


def _poland(rng: random.Random) -> str | None:
    body = _digits(rng, 9, first="52")
    digit = _weighted(body, (6, 5, 7, 2, 3, 4, 5, 6, 7)) % 11
    return f"{body}{digit}" if digit < 10 else None


def _plain_eight(rng: random.Random) -> str:
    return _digits(rng, 8, first="6")


_REGISTRATIONS: Mapping[str, Callable[[random.Random], str | None]] = {
    "DK": _denmark,
    "SE": _sweden,
    "NO": _norway,
    "FI": _finland,
    "DE": _germany,
    "FR": _france,
    "PL": _poland,
}
