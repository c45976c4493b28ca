"""Cities and postal codes that know each other, and the forms of registration numbers.

The tables are small on purpose: what is not in them is taken as it comes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from talk_pipeline.sandbox.businesscentral import errors
from talk_pipeline.sandbox.documents import read_yaml
from talk_pipeline.sandbox.store import Row

_FILE = Path(__file__).parent / "places.yaml"


@dataclass(frozen=True, slots=True)
class Names:
    """What one address of a record calls its parts."""

    city: str
    code: str
    state: str
    country: str


CUSTOMER = Names(city="city", code="postalCode", state="state", country="country")
SELL_TO = Names(city="sellToCity", code="sellToPostCode", state="sellToState", country="sellToCountry")
SHIP_TO = Names(city="shipToCity", code="shipToPostCode", state="shipToState", country="shipToCountry")


def complete(row: Row, sent: Mapping[str, Any], names: Names) -> None:
    """Fill in what a city or a postal code sent alone implies; parts sent together stay as they are."""
    if names.city in sent and names.code in sent:
        return
    by_city = names.city in sent
    given, other = (names.city, names.code) if by_city else (names.code, names.city)
    if given not in sent or not row[given]:
        return
    place = _only_place(str(row[given]).upper(), by_city=by_city, country=row[names.country])
    if place is None:
        return
    row[other] = place.code if by_city else place.city
    if names.country not in sent:
        row[names.country] = place.country
    if names.state not in sent:
        row[names.state] = place.state


def check_registration(number: str, country: str, *, home: str) -> None:
    """Refuse a registration number that has none of the forms its country uses."""
    forms = _tables().forms.get(country or home)
    if number and forms and not any(form.fullmatch(number.upper()) for form in forms):
        raise errors.dialog(f"The registration number {number} is not in the format of {country or home}.")


@dataclass(frozen=True, slots=True)
class _Place:
    city: str
    code: str
    state: str
    country: str


@dataclass(frozen=True, slots=True)
class _Tables:
    by_city: Mapping[str, tuple[_Place, ...]]
    by_code: Mapping[str, tuple[_Place, ...]]
    forms: Mapping[str, tuple[re.Pattern[str], ...]]


def _only_place(key: str, *, by_city: bool, country: str) -> _Place | None:
    """The place of that city or postal code, unless there are several."""
    tables = _tables()
    found = (tables.by_city if by_city else tables.by_code).get(key, ())
    matching = [place for place in found if not country or place.country == country]
    return matching[0] if len(matching) == 1 else None


@cache
def _tables() -> _Tables:
    raw = read_yaml(_FILE)
    places = [
        _Place(city=city, code=str(code), state=state, country=country)
        for country, entries in raw["places"].items()
        for code, city, state in ((*entry, "")[:3] for entry in entries)
    ]
    by_city: dict[str, list[_Place]] = {}
    by_code: dict[str, list[_Place]] = {}
    for place in places:
        by_city.setdefault(place.city.upper(), []).append(place)
        by_code.setdefault(place.code.upper(), []).append(place)
    return _Tables(
        by_city={key: tuple(found) for key, found in by_city.items()},
        by_code={key: tuple(found) for key, found in by_code.items()},
        forms={
            country: tuple(_form(form) for form in forms) for country, forms in raw["registration"].items()
        },
    )


def _form(text: str) -> re.Pattern[str]:
    """A format in which ``#`` stands for a digit and ``@`` for a letter."""
    symbols = {"#": r"\d", "@": "[A-Z]"}
    return re.compile("".join(symbols.get(char, re.escape(char)) for char in text))
