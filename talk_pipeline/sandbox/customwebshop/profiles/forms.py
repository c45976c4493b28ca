"""Forms of one value: what the shop holds on one side, what a profile shows on the wire on the other.

A form never sees an absent value; `shapes` puts its `blank` on the wire. ``read`` raises `ValueError` or
`TypeError` for what it does not take.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from zoneinfo import ZoneInfo

from talk_pipeline.sandbox.clock import from_datetime, to_datetime
from talk_pipeline.sandbox.customwebshop.fields import read_instant, show_instant
from talk_pipeline.sandbox.store import Row

HOME = ZoneInfo("Europe/Copenhagen")
"""The time zone of shops that tell local times."""


@dataclass(frozen=True, slots=True)
class Form:
    """A pair of conversions.

    Attributes:
        show: value held and the record it stands in -> value on the wire.
        read: the way back.
        blank: what stands on the wire for no value.
    """

    show: Callable[[Any, Row], Any]
    read: Callable[[Any, Row], Any]
    blank: Any = None


def _as_it_is(value: Any, _about: Row) -> Any:
    return value


def chosen(values: Mapping[Any, Any]) -> Form:
    """Each value has a name of its own on the wire."""
    back = {name: value for value, name in values.items()}

    def read(raw: Any, _about: Row) -> Any:
        if isinstance(raw, bool) or raw not in back:
            raise ValueError(f"It is one of {', '.join(map(str, back))}.")
        return back[raw]

    return Form(lambda value, _: values[value], read)


def minor_units(decimals: Callable[[Row], int]) -> Form:
    """An amount as a whole number of the smallest coin; `decimals` tells its size from the record."""

    def show(value: Any, about: Row) -> int:
        return int((Decimal(value) * 10 ** decimals(about)).quantize(Decimal(1), ROUND_HALF_UP))

    def read(raw: Any, about: Row) -> str:
        return format(Decimal(_whole(raw)).scaleb(-decimals(about)), "f")

    return Form(show, read)


def local_time(moment: int) -> str:
    """The moment in the shop's own time zone, without saying which."""
    return to_datetime(moment).astimezone(HOME).strftime("%Y-%m-%d %H:%M:%S")


def read_local_time(text: Any) -> int:
    """The moment of a local time; an hour that comes twice is its first."""
    value = dt.datetime.strptime(text, "%Y-%m-%d %H:%M:%S")  # noqa: DTZ007, the wire names no zone
    return from_datetime(value.replace(tzinfo=HOME))


def read_gmt(text: Any) -> int:
    """The moment of an ISO time that says no zone and means GMT."""
    value = dt.datetime.fromisoformat(text)
    return from_datetime(value if value.tzinfo is not None else value.replace(tzinfo=dt.UTC))


def moment_of(instant: str) -> int:
    """Milliseconds of an instant as records hold it."""
    return read_instant(instant) or 0


def _number(raw: Any) -> Decimal:
    if isinstance(raw, bool) or not isinstance(raw, int | Decimal):
        raise TypeError("It is a number.")
    return Decimal(raw)


def _whole(raw: Any) -> int:
    if isinstance(raw, bool) or not isinstance(raw, int):
        raise TypeError("It is a whole number.")
    return raw


def _text(raw: Any) -> str:
    if not isinstance(raw, str):
        raise TypeError("It is text.")
    return raw


SAME = Form(_as_it_is, _as_it_is)
TEXT = Form(_as_it_is, _as_it_is, blank="")
NUMBER = Form(lambda value, _: Decimal(value), lambda raw, _: format(_number(raw), "f"))
ID = Form(lambda value, _: int(value), lambda raw, _: str(_whole(raw)))
BIT = chosen({True: 1, False: 0})
YES_NO = chosen({True: "Y", False: "N"})
LOWER = Form(lambda value, _: value.lower(), lambda raw, _: _text(raw).upper())
EPOCH = Form(
    lambda value, _: moment_of(value) // 1000,
    lambda raw, _: show_instant(_whole(raw) * 1000),
)
LOCAL = Form(
    lambda value, _: local_time(moment_of(value)),
    lambda raw, _: show_instant(read_local_time(raw)),
)
GMT = Form(lambda value, _: value[:19], lambda raw, _: show_instant(read_gmt(raw)))
