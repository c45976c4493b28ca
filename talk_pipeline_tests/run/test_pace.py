"""A long run tells how many records had their turn, how fast that goes, and how long the rest will take."""

import logging

import pytest

from talk_pipeline.run import pace
from talk_pipeline.run.pace import Pace
from talk_pipeline_tests.pipeline.records import customer
from talk_pipeline_tests.world import World


def test_what_is_told_is_what_was_done(
    world: World, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace, "TELL_SECONDS", 0.0)
    for at in range(6):
        world.shop.post("customers", customer(f"C{at}"))
    world.shop.post("customers", customer("C6", company_name="x" * 2000))  # that one is not sent
    caplog.set_level(logging.INFO, logger=pace.__name__)
    world.step("customer")
    words = [record.getMessage() for record in caplog.records if record.name == pace.__name__]
    assert [word.split(" sent to ")[0] for word in words if " sent to businesscentral" in word] == [
        f"customer: {done} of 6 records" for done in range(1, 7)
    ]
    read = [word.split(",")[0] for word in words if " read from " in word]
    assert sorted(read) == [
        "customer: 0 records read from businesscentral",
        "customer: 7 records read from customwebshop",
    ]
    assert len(world.bc.all("customers")) == 6


def test_a_rate_is_that_of_the_last_minutes(caplog: pytest.LogCaptureFixture) -> None:
    """A server that allows a window's worth at once, and then two a second."""
    caplog.set_level(logging.INFO, logger=pace.__name__)
    now = 0.0
    told = Pace("order", "sent to businesscentral", records=10_000, clock=lambda: now)
    for at in range(4_000):
        now += 1 / 64 if at < 2_560 else 0.5
        told.note()
    first, last = caplog.records[0].getMessage(), caplog.records[-1].getMessage()
    assert first == (
        "order: 640 of 10000 records sent to businesscentral, 64.0 a second, about 2 minutes left"
    )
    assert last == (
        "order: 4000 of 10000 records sent to businesscentral, 2.0 a second, about 50 minutes left"
    )


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (1, "a second or two"),
        (2, "about 2 seconds"),
        (119, "about 119 seconds"),
        (120, "about 2 minutes"),
        (7_199, "about 120 minutes"),
        (9_000, "about 2 hours"),
        (100_000, "about 28 hours"),
    ],
)
def test_time_left_is_told_in_a_unit_to_think_in(
    seconds: int, words: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger=pace.__name__)
    now = 0.0
    told = Pace("customer", "sent to customwebshop", records=10 + seconds, clock=lambda: now)
    for _ in range(10):
        now += 1
        told.note()
    assert caplog.records[-1].getMessage().endswith(f"1.0 a second, {words} left")
