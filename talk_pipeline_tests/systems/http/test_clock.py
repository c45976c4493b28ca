"""How far a server's clock is off, as far as its answers tell."""

import time
from email.utils import formatdate

import httpx
import pytest

from talk_pipeline.systems.http import Http
from talk_pipeline.systems.http.clock import ServerClock
from talk_pipeline_tests.systems.answering import Answering, Asked, Reply
from talk_pipeline_tests.systems.http.asking import using
from talk_pipeline_tests.systems.http.conftest import Opens

HOUR = 3600.0


def skew_after(server: Answering, opens: Opens, *ahead: float) -> float:
    """Over HTTP: one answer after the other, each by a clock that is so many seconds ahead."""
    clocks = iter(ahead)

    def answered(_: Asked) -> Reply:
        return Reply(headers={"Date": formatdate(time.time() + next(clocks), usegmt=True)})

    server.answer(answered)

    async def asked(http: Http) -> float:
        for _ in ahead:
            await http.read("/things")
        return http.skew_seconds

    return using(opens(), asked)


def skew_of(*answers: tuple[float, float], dated_late: bool = False) -> float:
    """Of answers by a clock that is so many seconds ahead, each so many seconds under way.

    Args:
        answers: seconds ahead, seconds under way.
        dated_late: the date is written when an answer ends; else when it is begun.
    """
    clock, sent = ServerClock(), 1_700_000_000.0
    for ahead, late in answers:
        date = formatdate(sent + ahead + (late if dated_late else 0), usegmt=True)
        clock.measure(httpx.Response(200, headers={"Date": date}), sent=sent, received=sent + late)
    return clock.skew_seconds


@pytest.mark.parametrize("seconds", [HOUR, -HOUR, 86_400.0, 10.0])
def test_a_clock_that_is_off_is_measured(server: Answering, opens: Opens, seconds: float) -> None:
    assert skew_after(server, opens, seconds) == pytest.approx(seconds, abs=2)


@pytest.mark.parametrize("seconds", [0.0, 0.9, -0.9])
def test_what_the_date_cannot_tell_is_no_skew(server: Answering, opens: Opens, seconds: float) -> None:
    """It has whole seconds."""
    assert skew_after(server, opens, seconds) == 0.0


@pytest.mark.parametrize("dated_late", [False, True], ids=["dated early", "dated late"])
def test_a_slow_answer_is_no_wrong_clock(dated_late: bool) -> None:
    assert skew_of((0, 3), dated_late=dated_late) == 0.0


@pytest.mark.parametrize("answers", [[(10, 0), (10, 4)], [(10, 4), (10, 0)]], ids=["first", "last"])
def test_the_quickest_answer_counts(answers: list[tuple[float, float]]) -> None:
    assert skew_of(*answers) == pytest.approx(10, abs=1)


def test_a_clock_that_is_set_is_measured_anew(server: Answering, opens: Opens) -> None:
    assert skew_after(server, opens, HOUR, 0) == 0.0
    assert skew_of((0, 0), (-HOUR, 1)) == pytest.approx(-HOUR, abs=3)


@pytest.mark.parametrize("date", ["", "yesterday", "2026-01-01", "99999999999"])
def test_a_date_that_is_none_tells_nothing(server: Answering, opens: Opens, date: str) -> None:
    server.on("/things", Reply(headers={"Date": date}), Reply())

    async def asked(http: Http) -> float:
        for _ in range(2):
            assert (await http.read("/things")).ok
        return http.skew_seconds

    assert using(opens(), asked) == 0.0
