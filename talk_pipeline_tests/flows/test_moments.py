"""Days and moments: time zones, clocks put forward and back, the ends of the calendar."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from talk_pipeline.flows.properties import Property
from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.types import parse_type
from talk_pipeline.flows.values import Context, UnmappableError

ORDERED_AT = Property(shop="ordered_at", dir="<->", bc="orderDate", type="instant_date")


def day_of(instant: str, zone: str) -> str | None:
    return ORDERED_AT.canonical(Side.SHOP, value=instant, context=Context(zone=ZoneInfo(zone)))


def back(day: str, zone: str, current: str | None) -> str:
    context = Context(zone=ZoneInfo(zone), current=current, toward_shop=True)
    return str(ORDERED_AT.convert(Side.SHOP, value=day, context=context))


DAYS = [
    # Copenhagen puts its clocks forward on 29 March 2026 at 01:00 UTC, and back on 25 October at 01:00 UTC
    ("Europe/Copenhagen", "2026-03-28T22:59:59Z", "2026-03-28"),
    ("Europe/Copenhagen", "2026-03-28T23:00:00Z", "2026-03-29"),
    ("Europe/Copenhagen", "2026-03-29T21:59:59Z", "2026-03-29"),
    ("Europe/Copenhagen", "2026-03-29T22:00:00Z", "2026-03-30"),
    ("Europe/Copenhagen", "2026-10-24T22:00:00Z", "2026-10-25"),
    ("Europe/Copenhagen", "2026-10-25T22:59:59Z", "2026-10-25"),
    ("Europe/Copenhagen", "2026-10-25T23:00:00Z", "2026-10-26"),
    # New York on 8 March and 1 November
    ("America/New_York", "2026-03-08T04:59:59Z", "2026-03-07"),
    ("America/New_York", "2026-03-09T03:59:59Z", "2026-03-08"),
    ("America/New_York", "2026-11-01T03:59:59Z", "2026-10-31"),
    ("America/New_York", "2026-11-02T04:59:59Z", "2026-11-01"),
    # half an hour, and no summer time
    ("Asia/Kolkata", "2026-03-29T18:29:59Z", "2026-03-29"),
    ("Asia/Kolkata", "2026-03-29T18:30:00Z", "2026-03-30"),
    # the other half of the year
    ("Pacific/Auckland", "2026-04-04T10:59:59Z", "2026-04-04"),
    ("Pacific/Auckland", "2026-04-05T11:59:59Z", "2026-04-05"),
    ("Pacific/Auckland", "2026-09-26T12:00:00Z", "2026-09-27"),
    ("Pacific/Auckland", "2026-09-27T11:00:00Z", "2026-09-28"),
    # written with an offset, or without one
    ("Europe/Copenhagen", "2026-03-29T23:30:00+02:00", "2026-03-29"),
    ("Europe/Copenhagen", "2026-03-29T23:30:00-05:00", "2026-03-30"),
    ("Europe/Copenhagen", "2026-03-29 22:30:00", "2026-03-30"),
    ("Europe/Copenhagen", "1753-01-01T12:00:00Z", "1753-01-01"),
    ("Europe/Copenhagen", "1899-12-31T23:30:00Z", "1900-01-01"),
    ("UTC", "9999-12-31T23:59:59Z", "9999-12-31"),
]


@pytest.mark.parametrize(("zone", "instant", "day"), DAYS)
def test_an_instant_is_a_day_in_the_companys_time_zone(zone: str, instant: str, day: str) -> None:
    assert day_of(instant, zone) == day
    again = back(day, zone, instant)
    assert datetime.fromisoformat(again) == datetime.fromisoformat(
        instant if instant[10] == "T" else f"{instant}Z"
    )


CLOCKS = [
    ("Europe/Copenhagen", "2026-03-28T10:15:30Z", "2026-03-30", "2026-03-30T09:15:30.000Z"),
    ("Europe/Copenhagen", "2026-10-24T10:15:30.123456Z", "2026-10-26", "2026-10-26T11:15:30.123456Z"),
    ("America/New_York", "2026-03-07T15:00:00Z", "2026-03-09", "2026-03-09T14:00:00.000Z"),
    ("Asia/Kolkata", "2026-03-28T20:00:00Z", "2026-03-30", "2026-03-29T20:00:00.000Z"),
    ("Pacific/Auckland", "2026-04-04T01:00:00Z", "2026-04-06", "2026-04-06T02:00:00.000Z"),
    # a time of day that the clocks skip, and one that they show twice
    ("Europe/Copenhagen", "2026-03-28T01:30:00Z", "2026-03-29", "2026-03-29T01:30:00.000Z"),
    ("Europe/Copenhagen", "2026-10-25T01:30:00Z", "2026-10-25", "2026-10-25T01:30:00.000Z"),
    ("Europe/Copenhagen", "2026-10-25T00:30:00Z", "2026-10-25", "2026-10-25T00:30:00.000Z"),
    # clocks put forward over midnight: 22:30 is as near to 23:30 as that day comes
    ("America/Scoresbysund", "2026-03-28T01:30:00Z", "2026-03-28", "2026-03-29T00:30:00.000Z"),
    ("Europe/Copenhagen", None, "2026-03-30", "2026-03-29T22:00:00.000Z"),
    ("Europe/Copenhagen", "2026-03-28", "2026-03-30", "2026-03-29T22:00:00.000Z"),
]


@pytest.mark.parametrize(("zone", "current", "day", "instant"), CLOCKS)
def test_another_day_keeps_the_time_of_day(zone: str, current: str | None, day: str, instant: str) -> None:
    assert back(day, zone, current) == instant
    assert day_of(instant, zone) == day


ZONES = ("Europe/Copenhagen", "America/New_York", "Asia/Kolkata", "Pacific/Auckland", "America/Scoresbysund")


@given(
    zone=st.sampled_from((*ZONES, "America/Havana", "Australia/Lord_Howe", "Africa/Casablanca")),
    current=st.datetimes(min_value=datetime(1990, 1, 1), max_value=datetime(2037, 1, 1)),  # noqa: DTZ001
    day=st.dates(min_value=date(1990, 1, 1), max_value=date(2037, 1, 1)),
)
def test_a_day_written_back_reads_as_that_day(zone: str, current: datetime, day: date) -> None:
    assert day_of(back(day.isoformat(), zone, f"{current.isoformat()}Z"), zone) == day.isoformat()


@pytest.mark.parametrize("kind", ["date", "instant_date"])
@pytest.mark.parametrize("zone", ["Europe/Copenhagen", "America/New_York"])
@pytest.mark.parametrize(
    "blank", ["0001-01-01", "0001-01-01T00:00:00Z", "0001-01-01T00:00:00+02:00", "", None]
)
def test_the_empty_date_is_blank(kind: str, zone: str, blank: str | None) -> None:
    context = Context(zone=ZoneInfo(zone))
    assert parse_type(kind).canonical(blank, context) is None
    assert parse_type(kind).convert(blank, context) is None


REFUSED = [
    ("date", "2026-03-01garbage", "not a date"),
    ("date", "2026-03-012", "not a date"),
    ("date", "2026-02-29", "not a date"),
    ("date", "20260301", "not a date"),
    ("date", "٢٠٢٦-٠٣-٠١", "not a date"),
    ("date", "1752-12-31", "before 1753-01-01"),
    ("instant_date", "1752-12-31T12:00:00Z", "before 1753-01-01"),
    ("instant_date", "2026-02-29T12:00:00Z", "not an instant"),
    ("instant_date", "9999-12-31T23:30:00-05:00", "not an instant"),
    ("instant_date", "9999-12-31T23:30:00Z", "outside the calendar"),
    ("instant_date", "2026-03-01T25:00:00Z", "not an instant"),
]


@pytest.mark.parametrize(("kind", "value", "why"), REFUSED)
def test_what_is_no_day_is_refused_with_the_value(kind: str, value: str, why: str) -> None:
    with pytest.raises(UnmappableError, match=why) as caught:
        parse_type(kind).canonical(value, Context(zone=ZoneInfo("Europe/Copenhagen")))
    assert value in str(caught.value)


def test_a_day_that_a_time_zone_left_out_is_named() -> None:
    with pytest.raises(UnmappableError, match="2011-12-30 at 00:00 does not exist in Pacific/Apia"):
        back("2011-12-30", "Pacific/Apia", None)


def test_a_date_may_come_with_a_time() -> None:
    assert parse_type("date").canonical("2026-03-01T23:30:00Z", Context()) == "2026-03-01"
