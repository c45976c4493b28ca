"""Canonical types of days and moments.

Each obeys the law of `types`, where they are named. Business Central has dates from 1753 on; its blank one is
0001-01-01.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator

from talk_pipeline.flows.texts import Text
from talk_pipeline.flows.values import Context, UnmappableError, Value, excerpt, tidy


def known_zone(name: str) -> str:
    """The name of a time zone; raises ValueError when there is none of that name."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError("no such time zone; write one such as Europe/Copenhagen") from error
    return name


ZoneName = Annotated[str, AfterValidator(known_zone)]

NO_DAY = "0001-01-01"
FIRST_DAY = date(1753, 1, 1)
LAST_YEAR = 9998
"""Of a moment that can be reckoned with: in any zone, and beyond what says that there is no end."""
MILLISECONDS = 3
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


class Day(Text):
    """A calendar date, ``YYYY-MM-DD``; of a moment, the day as it is written."""

    def canonical(self, value: Value, context: Context) -> Value:
        """The date; raises UnmappableError when it is none, or before Business Central's first."""
        text = _filled(value)
        if text is None:
            return None
        if not _DAY.fullmatch(text[: len(NO_DAY)]):
            raise UnmappableError(f"{excerpt(text)} is not a date (YYYY-MM-DD)")
        try:
            day = datetime.fromisoformat(text).date()
        except ValueError:
            raise UnmappableError(f"{excerpt(text)} is not a date (YYYY-MM-DD)") from None
        return _iso_day(day, text)

    def convert(self, value: Value, context: Context) -> Value:
        """The date on both sides."""
        return self.canonical(value, context)


class InstantDay(Text):
    """An instant in the shop that is a date in Business Central, in the company's time zone."""

    def canonical(self, value: Value, context: Context) -> Value:
        """The date in the company's time zone; raises UnmappableError when it is neither."""
        text = _filled(value)
        if text is None:
            return None
        if len(text) <= len(NO_DAY):
            return Day().canonical(text, context)
        return _iso_day(_local(text, context.zone).date(), text)

    def convert(self, value: Value, context: Context) -> Value:
        """To Business Central the date; to the shop that date at the time of day the shop already has."""
        day = self.canonical(value, context)
        if day is None or not context.toward_shop:
            return day
        current = _filled(context.current)
        known = current is not None and len(current) > len(NO_DAY)
        clock = _local(current, context.zone).time() if current and known else time(0)
        moment = _moment(date.fromisoformat(day), clock, context.zone)
        precision = "microseconds" if moment.microsecond % 1000 else "milliseconds"
        return moment.isoformat(timespec=precision).replace("+00:00", "Z")


@dataclass(frozen=True, slots=True)
class Moment(Text):
    """An instant on both sides, to so many digits of a second: ``moment(0)`` where the shop keeps none; else three.

    Attributes:
        places: digits; Business Central keeps three.
    """

    places: int = MILLISECONDS

    def canonical(self, value: Value, context: Context) -> Value:
        """The instant in UTC; raises UnmappableError when it is none, or before Business Central's first."""
        text = _filled(value)
        if text is None:
            return None
        moment = instant(text)
        _iso_day(moment.date(), text)
        digits = f".{moment.microsecond:06d}"[: self.places + 1] if self.places else ""
        return f"{moment:%Y-%m-%dT%H:%M:%S}{digits}Z"

    def convert(self, value: Value, context: Context) -> Value:
        """The same on both sides."""
        return self.canonical(value, context)


def can_be_of_a_record(moment: datetime) -> bool:
    """Whether a record can be of that moment; what is earlier or later says that there is none."""
    return FIRST_DAY.year <= moment.year <= LAST_YEAR


def instant(text: str) -> datetime:
    """An RFC 3339 instant as an aware datetime in UTC; without an offset it is taken as UTC.

    Raises:
        UnmappableError: not an instant, or outside the calendar.
    """
    try:
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise UnmappableError(f"{excerpt(text)} is not an instant (RFC 3339)") from None


def rfc3339(moment: datetime) -> str:
    """A moment in UTC, to the millisecond."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _filled(value: Value) -> Value:
    """Nothing where it is blank, or Business Central's empty date."""
    text = tidy(value)
    return None if text is None or text.startswith(NO_DAY) else text


def _iso_day(day: date, text: str) -> str:
    if day < FIRST_DAY:
        raise UnmappableError(f"{excerpt(text)} is before {FIRST_DAY}, Business Central's first date")
    return day.isoformat()


def _local(text: str, zone: ZoneInfo) -> datetime:
    try:
        return instant(text).astimezone(zone)
    except OverflowError:
        raise UnmappableError(f"{excerpt(text)} is outside the calendar of {zone}") from None


def _moment(day: date, clock: time, zone: ZoneInfo) -> datetime:
    """That day at that time of day; where clocks are put forward over it, as near as the day allows.

    A time that is skipped is read as if the clocks had not been put forward yet; late in the evening that would
    be the next day, and it is read as if they had been already.
    """
    for fold in (clock.fold, 1 - clock.fold):
        try:
            moment = datetime.combine(day, clock.replace(fold=fold), zone).astimezone(UTC)
            if moment.astimezone(zone).date() == day:
                return moment
        except OverflowError:
            break
    raise UnmappableError(f"{day} at {clock:%H:%M} does not exist in {zone}")
