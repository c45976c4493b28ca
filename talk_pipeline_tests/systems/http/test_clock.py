"""How far a server's clock is off, as far as its answers tell."""

import time
from email.utils import formatdate

import pytest

from talk_pipeline.systems.http import Http
from talk_pipeline_tests.systems.answering import Answering, Asked, Reply
from talk_pipeline_tests.systems.http.asking import using
from talk_pipeline_tests.systems.http.conftest import Opens

HOUR = 3600.0


def ahead(seconds: float, *, late: float = 0.0, dated_late: bool = False) -> Reply:
    """An answer that comes as late as told, its date written when it was begun or when it ended."""
    written = time.time() + seconds + (late if dated_late else 0)
    return Reply(headers={"Date": formatdate(written, usegmt=True)}, seconds=late)


def dated(server: Answering, *answers: tuple[float, float]) -> None:
    """One answer after the other, each with a clock that is so far ahead, and so late."""
    told = iter(answers)

    def answered(_: Asked) -> Reply:
        seconds, late = next(told)
        return ahead(seconds, late=late)

    server.answer(answered)


def skew_after(server: Answering, opens: Opens, *answers: tuple[float, float]) -> float:
    dated(server, *answers)

    async def asked(http: Http) -> float:
        for _ in answers:
            await http.read("/things")
        return http.skew_seconds

    return using(opens(), asked)


@pytest.mark.parametrize("seconds", [HOUR, -HOUR, 86_400.0, 10.0])
def test_a_clock_that_is_off_is_measured(server: Answering, opens: Opens, seconds: float) -> None:
    assert skew_after(server, opens, (seconds, 0)) == pytest.approx(seconds, abs=2)


@pytest.mark.parametrize("seconds", [0.0, 0.9, -0.9])
def test_what_the_date_cannot_tell_is_no_skew(server: Answering, opens: Opens, seconds: float) -> None:
    """It has whole seconds."""
    assert skew_after(server, opens, (seconds, 0)) == 0.0


@pytest.mark.parametrize("dated_late", [False, True], ids=["dated early", "dated late"])
def test_a_slow_answer_is_no_wrong_clock(server: Answering, opens: Opens, dated_late: bool) -> None:
    server.answer(lambda _: ahead(0, late=3, dated_late=dated_late))

    async def asked(http: Http) -> float:
        await http.read("/things")
        return http.skew_seconds

    assert using(opens(), asked) == 0.0


@pytest.mark.parametrize("answers", [[(10, 0), (10, 4)], [(10, 4), (10, 0)]], ids=["first", "last"])
def test_the_quickest_answer_counts(
    server: Answering, opens: Opens, answers: list[tuple[float, float]]
) -> None:
    assert skew_after(server, opens, *answers) == pytest.approx(10, abs=1)


def test_a_clock_that_is_set_is_measured_anew(server: Answering, opens: Opens) -> None:
    assert skew_after(server, opens, (HOUR, 0), (0, 0)) == 0.0
    assert skew_after(server, opens, (0, 0), (-HOUR, 1)) == pytest.approx(-HOUR, abs=3)


@pytest.mark.parametrize("date", ["", "yesterday", "2026-01-01", "99999999999"])
def test_a_date_that_is_none_tells_nothing(server: Answering, opens: Opens, date: str) -> None:
    server.on("/things", Reply(headers={"Date": date}), Reply())

    async def asked(http: Http) -> float:
        for _ in range(2):
            assert (await http.read("/things")).ok
        return http.skew_seconds

    assert using(opens(), asked) == 0.0
