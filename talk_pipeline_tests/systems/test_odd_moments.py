"""Times of records that are none, or in no year that anything can be reckoned with."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from talk_pipeline.audit.reader import Entity, Row
from talk_pipeline.audit.wire import Connection
from talk_pipeline.systems.customwebshop.spec.times import Times
from talk_pipeline.systems.errors import UnavailableFault
from talk_pipeline_tests.systems.answering import Answering
from talk_pipeline_tests.systems.businesscentral.conftest import opens, server
from talk_pipeline_tests.systems.businesscentral.speech import Opens, page, row, using
from talk_pipeline_tests.systems.businesscentral.test_reading import CUSTOMERS, scan

__all__ = ["opens", "server"]

NONE = [
    "yesterday",
    "24:00",
    "2026-03-01T24:00:00Z",
    "2026-02-30T10:00:00Z",
    "2026-03-01T10:00:00+24:00",
    "0000-00-00T00:00:00Z",
    "0001-01-02T00:00:00+14:00",
    "1600-01-01T00:00:00Z",
    "9999-12-31T23:59:59Z",
    "9999-12-31T23:59:59-12:00",
    "10000-01-01T00:00:00Z",
]
SOME = {
    "0001-01-01": None,
    "0001-01-01T00:00:00+14:00": None,
    "": None,
    "2026-03-01T10:00:00": datetime(2026, 3, 1, 10, tzinfo=UTC),
    "2026-03-01T10:00:00+02:00": datetime(2026, 3, 1, 8, tzinfo=UTC),
}


@pytest.mark.parametrize("said", [*NONE, 5, {}])
def test_business_central_is_not_believed_with_an_odd_time(
    server: Answering, opens: Opens, said: Any
) -> None:
    server.on(CUSTOMERS, page(row("customer", "1", lastModifiedDateTime=said)))
    with pytest.raises(UnavailableFault, match="lastModifiedDateTime"):
        scan(opens())
    with pytest.raises(UnavailableFault, match="lastModifiedDateTime"):
        using(opens(), lambda opened: opened.latest("customer"))


@pytest.mark.parametrize(("said", "meant"), SOME.items())
def test_other_ways_to_write_one_are_understood(
    server: Answering, opens: Opens, said: str, meant: datetime | None
) -> None:
    server.on(CUSTOMERS, page(row("customer", "1", lastModifiedDateTime=said)))
    (record,) = scan(opens())
    assert record.modified_at == meant
    assert using(opens(), lambda opened: opened.latest("customer")) == meant


@pytest.mark.parametrize("said", NONE)
@pytest.mark.parametrize("zone", [UTC, ZoneInfo("Pacific/Kiritimati"), timezone(-timedelta(hours=12))])
def test_a_shop_says_none_with_an_odd_one(said: str, zone: Any) -> None:
    assert Times("rfc3339", zone).read(said) is None


@pytest.mark.parametrize(
    ("said", "until", "meant"),
    [
        ("2026-10-25T02:10:00", "2026-10-25T00:10:00", "2026-10-25T00:10:00"),
        ("2026-10-25T02:10:00", "2026-10-25T01:09:59", "2026-10-25T00:10:00"),
        ("2026-10-25T02:10:00", "2026-10-25T01:10:00", "2026-10-25T01:10:00"),
        ("2026-10-25T02:10:00+02:00", "2026-10-25T01:10:00", "2026-10-25T00:10:00"),
        ("2026-10-25T03:10:00", "2026-10-25T01:10:00", "2026-10-25T02:10:00"),
        ("2026-03-29T02:10:00", "2026-03-29T05:00:00", "2026-03-29T01:10:00"),
    ],
)
def test_of_an_hour_that_comes_twice_the_second_is_meant_once_it_has_passed(
    said: str, until: str, meant: str
) -> None:
    times = Times("rfc3339", ZoneInfo("Europe/Copenhagen"))
    expected = datetime.fromisoformat(meant).replace(tzinfo=UTC)
    assert times.read(said, until=lambda: datetime.fromisoformat(until).replace(tzinfo=UTC)) == expected


@pytest.mark.parametrize("said", [10**30, -(10**11), 10**12, "NaN", "Infinity"])
def test_nor_with_an_odd_number(said: Any) -> None:
    assert Times("epoch", UTC).read(said) is None


@pytest.mark.parametrize("said", NONE)
def test_the_audit_goes_on_without_it(server: Answering, said: str) -> None:
    there = Connection(server.url, {"auth": {"type": "none"}}, lambda name: name)
    known = Row(Entity(there, {"path": "/customers", "modified": "at"}), "1", {"at": said})
    assert all(one is None or one.year in (1, 1600, 9999) for one in known.modified)
