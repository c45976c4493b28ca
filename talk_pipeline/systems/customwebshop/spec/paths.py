"""Paths into JSON: `a.b`, `list[0].a`, `list[kind=mail].value`, `['a.b']`.

Reading a place that is not there gives MISSING. Writing makes what is missing on the way; a list entry chosen by a
field is found, or added with that field.
"""

import json
import re
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from functools import cache
from typing import Any, Final, Literal, TypeAlias

import msgspec

Json: TypeAlias = "None | bool | int | float | Decimal | str | list[Json] | dict[str, Json]"
"""A value of a document; its fractions are decimals, as they were written."""

_STEP = re.compile(
    r"\.?(?:(?P<name>[^.\[\]]+)|\['(?P<quoted>[^']+)'\]|\[(?P<at>-?\d+)\]|\[(?P<key>[^=\]]+)=(?P<value>[^\]]*)\])"
)


class PathError(ValueError):
    """A text that is no path."""


class Missing(Enum):
    """There is no such place."""

    MISSING = "missing"

    def __repr__(self) -> str:
        return "MISSING"

    __str__ = __repr__

    def __bool__(self) -> Literal[False]:
        return False


MISSING: Final = Missing.MISSING

JsonOrMissing: TypeAlias = "Json | Missing"
"""What reading a place gives."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """The entry of a list in which a field has a value."""

    key: str
    value: str

    def fits(self, entry: Json) -> bool:
        """Whether an entry is the one."""
        found = get(entry, self.key)
        return found is not MISSING and text_of(found) == self.value

    def started(self) -> dict[str, Json]:
        """A new entry."""
        value: Json = {"true": True, "false": False}.get(self.value, self.value)
        entry: dict[str, Json] = {}
        put(entry, self.key, value)
        return entry


Step = str | int | Chosen


@cache
def steps(path: str) -> tuple[Step, ...]:
    """The steps of a path.

    Raises:
        PathError: it is none.
    """
    found: list[Step] = []
    at = 0
    while at < len(path):
        match = _STEP.match(path, at)
        if match is None or (at == 0 and path.startswith(".")):
            raise PathError(f"{path!r} is no path; write a.b, list[0].a, list[kind=mail].value or ['a.b']")
        part = match.groupdict()
        if part["at"] is not None:
            found.append(int(part["at"]))
        elif part["key"] is not None:
            found.append(Chosen(part["key"], part["value"].strip("'\"")))
        else:
            found.append(part["name"] or part["quoted"])
        at = match.end()
    if not found:
        raise PathError("a path is not blank")
    return tuple(found)


def get(data: JsonOrMissing, path: str) -> JsonOrMissing:
    """What is at a path, or MISSING."""
    for step in steps(path):
        data = data.get(step, MISSING) if type(data) is dict and type(step) is str else _step(data, step)
        if data is MISSING:
            return MISSING
    return data


def put(data: Json, path: str, value: Json, *, adding: bool = False) -> None:
    """Sets what is at a path; a blank value adds no entry to a list, unless told to."""
    inner: Any = data  # a path is made for what stands on its way
    way = steps(path)
    for step, following in zip(way[:-1], way[1:], strict=True):
        found = _step(inner, step)
        if found is MISSING or found is None:
            if value is None and isinstance(step, Chosen | int) and not (adding and isinstance(step, Chosen)):
                return
            found = [] if isinstance(following, int | Chosen) else {}
            found = _place(inner, step, found)
        inner = found
    if value is None and isinstance(way[-1], int):
        _clear(inner, way[-1])
    else:
        _place(inner, way[-1], value)


def beside(data: JsonOrMissing, path: str) -> bool:
    """Whether there is an object for what a path names."""
    for step in steps(path)[:-1]:
        data = _step(data, step)
    return isinstance(data, dict)


def ways(path: str) -> tuple[str, ...]:
    """The paths that lead to a path, the longest first."""
    ends = [match.start() for match in _STEP.finditer(path)]
    return tuple(path[:end] for end in reversed(ends) if end)


def drop(data: JsonOrMissing, path: str) -> None:
    """Removes what is at a path, if it is there."""
    *way, last = steps(path)
    for step in way:
        data = _step(data, step)
    if isinstance(data, dict) and isinstance(last, str):
        data.pop(last, None)


def lists_on(path: str) -> tuple[str, ...]:
    """The names on the way to the first list a path goes into, or nothing."""
    names: list[str] = []
    for step in steps(path):
        if not isinstance(step, str):
            return tuple(names)
        names.append(step)
    return ()


_encoder = msgspec.json.Encoder(decimal_format="number")


def encoded(data: object) -> bytes:
    """JSON as it is sent, every fraction as it was written."""
    return _encoder.encode(data)


def text_of(value: JsonOrMissing) -> str | None:
    """A JSON value as text; numbers as they were written, a blank as nothing."""
    if isinstance(value, str):
        return value or None
    if value is None or value is MISSING:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value, default=str) if isinstance(value, dict | list) else str(value)


def _step(data: JsonOrMissing, step: Step) -> JsonOrMissing:
    if isinstance(step, str):
        return data.get(step, MISSING) if isinstance(data, dict) else MISSING
    if not isinstance(data, list):
        return MISSING
    if isinstance(step, int):
        return data[step] if -len(data) <= step < len(data) else MISSING
    return next((entry for entry in data if step.fits(entry)), MISSING)


def _clear(data: list[Json], at: int) -> None:
    """Takes the last value off a list; one further in front leaves its place to nothing."""
    if at == len(data) - 1:
        data.pop()
    elif at < len(data):
        data[at] = None


def _place(data: Any, step: Step, value: Json) -> Json:
    if isinstance(step, str):
        data[step] = value
        return value
    if isinstance(step, Chosen):
        entry = step.started()
        data.append(entry)
        return entry
    while len(data) <= step:
        data.append({})
    data[step] = value
    return value
