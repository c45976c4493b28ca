"""What a system allows an application it allows each: more of them may do more, and none is asked for too much."""

import asyncio
import time
from collections import Counter
from pathlib import Path

import pytest
from pydantic import SecretStr

from talk_pipeline.systems.errors import AccessFault
from talk_pipeline.systems.http import Application, Bearer, Http, Limits
from talk_pipeline_tests.systems.answering import Answering, Asked, Reply
from talk_pipeline_tests.systems.http.asking import at_once, read, using
from talk_pipeline_tests.systems.http.conftest import Opens

WINDOW = 2.0


def applications(count: int) -> list[Application]:
    return [
        Application(Bearer(SecretStr(f"token-of-{n}-which-is-long")), (f"IT_TOKEN_{n}",), name=f"it-{n}")
        for n in range(count)
    ]


def asked_by(server: Answering) -> Counter[str]:
    return Counter(one.headers["authorization"].removeprefix("Bearer token-of-")[0] for one in server.asked)


def test_requests_one_after_another_go_round(server: Answering, opens: Opens) -> None:
    server.on("/things", Reply())

    async def one_by_one(http: Http) -> None:
        for _ in range(6):
            await http.read("/things")

    using(opens(applications=applications(3)), one_by_one)
    assert asked_by(server) == {"0": 2, "1": 2, "2": 2}


def test_what_weighs_more_counts_for_more(server: Answering, opens: Opens) -> None:
    """A batch of fifty leaves its application behind the others for fifty requests."""
    server.on("/things", Reply())

    async def writes_and_reads(http: Http) -> None:
        await http.write("POST", "/things", content=b"{}", headers={}, weight=50)
        for _ in range(10):
            await http.read("/things")

    using(opens(applications=applications(2)), writes_and_reads)
    assert sorted(asked_by(server).values()) == [1, 10]


def test_each_may_do_what_one_may(server: Answering, opens: Opens, tmp_path: Path) -> None:
    """Three times as many in one window, and three times as many at once; of each no more than its own."""
    server.on("/things", Reply(seconds=0.1))
    limits = Limits(4, WINDOW, 2, tmp_path)
    started = time.monotonic()
    at_once(opens(limits=limits, applications=applications(3)), ["/things"] * 12)
    assert time.monotonic() - started < WINDOW, "they waited for a window"
    assert asked_by(server) == {"0": 4, "1": 4, "2": 4}
    assert 2 < server.most_at_once <= 6


def test_one_that_has_to_wait_is_passed_over(server: Answering, opens: Opens, tmp_path: Path) -> None:
    """Of two workers one waits for the window that is full; the other goes on with whoever has room."""
    server.on("/things", Reply())
    limits, both = Limits(3, 60, 5, tmp_path), applications(2)
    at_once(opens(limits=limits, applications=both[:1]), ["/things"] * 3)

    async def worked(http: Http) -> None:
        async def worker() -> None:
            while True:
                await http.read("/things")

        workers = [asyncio.ensure_future(worker()) for _ in range(2)]
        deadline = time.monotonic() + 30
        while asked_by(server)["1"] < 3 and time.monotonic() < deadline:
            await asyncio.sleep(0.02)
        for one in workers:
            one.cancel()

    using(opens(limits=limits, applications=both), worked)
    assert asked_by(server) == {"0": 3, "1": 3}


def test_windows_are_counted_over_every_process(server: Answering, opens: Opens, tmp_path: Path) -> None:
    """Each application's own window, whoever asks and in whatever order they are named."""
    server.on("/things", Reply())
    limits = Limits(2, WINDOW, 5, tmp_path)
    both = applications(2)
    at_once(opens(limits=limits, applications=both), ["/things"] * 4)
    at_once(opens(limits=limits, applications=both[::-1]), ["/things"] * 4)
    for name in "01":
        times = [one.at for one in server.asked if f"token-of-{name}" in one.headers["authorization"]]
        assert len(times) == 4
        assert max(sum(start <= at < start + WINDOW for at in times) for start in times) <= 2


@pytest.mark.parametrize("status", [401, 403])
def test_the_one_that_is_refused_is_named(server: Answering, opens: Opens, status: int) -> None:
    def answers(asked: Asked) -> Reply:
        return Reply(status if "token-of-1" in asked.headers["authorization"] else 200)

    server.answer(answers)
    http = opens(applications=applications(2))

    async def twice(opened: Http) -> None:
        await opened.read("/things")
        with pytest.raises(AccessFault, match="IT_TOKEN_1"):
            await opened.read("/things")

    using(http, twice)


def test_a_single_one_is_counted_as_it_always_was(server: Answering, opens: Opens, tmp_path: Path) -> None:
    server.on("/things", Reply())
    read(opens(limits=Limits(3, 60, 5, tmp_path / "limits")))
    assert (tmp_path / "limits" / "requests.sqlite").exists()
