"""A system is asked no more than it allows, counted over all clients of this installation."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from pydantic import SecretStr

from talk_pipeline.systems.http import Application, Bearer, Http, Limits, OutcomeUnknownError
from talk_pipeline.systems.http.limits import COUNTED_IN
from talk_pipeline.systems.http.usage import requests_in_window
from talk_pipeline_tests.systems.answering import DROPPED, Answering, Reply
from talk_pipeline_tests.systems.http.asking import at_once, using, write
from talk_pipeline_tests.systems.http.conftest import Opens

WINDOW = 0.5


def in_a_window(server: Answering) -> int:
    """How many requests arrived within one window of the server, at most."""
    times = [one.at for one in server.asked]
    return max(sum(start <= at < start + WINDOW for at in times) for start in times)


def test_a_window_holds_no_more_requests_than_allowed(
    server: Answering, opens: Opens, tmp_path: Path
) -> None:
    server.on("/things", Reply())
    limits = Limits(3, WINDOW, 5, tmp_path)
    at_once(opens(limits=limits), ["/things"] * 3)
    at_once(opens(limits=limits), ["/things"] * 2)
    assert len(server.asked) == 5
    assert in_a_window(server) <= 3


def test_what_weighs_more_leaves_less_room(server: Answering, opens: Opens, tmp_path: Path) -> None:
    """A batch counts as what is in it."""
    server.on("/things", Reply())
    limits = Limits(4, WINDOW, 5, tmp_path)
    for _ in range(2):
        write(opens(limits=limits), weight=3)
    first, second = server.asked
    # theirs may begin later than ours, when the first request arrived
    assert second.at - first.at >= WINDOW + 0.5


def test_each_attempt_counts(server: Answering, opens: Opens, tmp_path: Path) -> None:
    server.on("/things", Reply(503), Reply(503), Reply())
    at_once(opens(limits=Limits(2, WINDOW, 5, tmp_path)), ["/things"])
    assert len(server.asked) == 3
    assert in_a_window(server) <= 2


def test_no_more_are_under_way_than_allowed(server: Answering, opens: Opens, tmp_path: Path) -> None:
    server.on("/things", Reply(seconds=0.05))
    limits = Limits(100, WINDOW, 2, tmp_path)

    async def both() -> None:
        async with opens(limits=limits) as one, opens(limits=limits) as other:
            await asyncio.gather(*(http.read("/things") for http in (one, other) for _ in range(6)))

    asyncio.run(both())
    assert len(server.asked) == 12
    assert server.most_at_once == 2


def test_limits_are_those_of_one_system(server: Answering, opens: Opens, tmp_path: Path) -> None:
    server.on("/things", Reply())
    started = time.monotonic()
    for name in ("one", "other"):
        at_once(opens(limits=Limits(2, 60, 5, tmp_path / name)), ["/things"] * 2)
    assert time.monotonic() - started < 30


def test_companies_that_enter_as_one_application_are_limited_as_one(
    server: Answering, opens: Opens, tmp_path: Path
) -> None:
    """Each has a folder of its own, in which what the two have used together is found."""
    server.on("/things", Reply())
    apps = {name: [Application(Bearer(SecretStr(name)))] for name in ("same", "other")}
    for company, application in (("north", "same"), ("south", "same"), ("west", "other")):
        limits = Limits(3, WINDOW, 5, tmp_path / company, together=tmp_path / "limits")
        at_once(opens(limits=limits, applications=apps[application]), ["/things"] * 2)
    first, second, third, fourth, *others = (one.at for one in server.asked)
    assert fourth - first >= WINDOW, "no more than three in a window"
    assert third - second < WINDOW
    assert max(others) - fourth < WINDOW / 2, "another application waits for nobody"

    def used(company: str) -> list[tuple[str, int | None]]:
        folder = tmp_path / company
        return list(requests_in_window(folder, window_seconds=60, together=tmp_path / "limits"))

    assert (used("north"), used("south"), used("west")) == ([("", 4)], [("", 4)], [("", 2)])
    for file in tmp_path.glob(f"limits/*/{COUNTED_IN}"):
        file.write_bytes(b"this is a note, and no database")
    assert used("north") == [("", None)]


def test_a_failed_request_leaves_its_place_to_the_next(
    server: Answering, opens: Opens, tmp_path: Path
) -> None:
    server.on("/things", DROPPED)

    async def lost(http: Http) -> None:
        for _ in range(3):
            with pytest.raises(OutcomeUnknownError):
                await http.write("POST", "/things", content=b"", headers={})

    using(opens(limits=Limits(100, WINDOW, 1, tmp_path)), lost)
    assert len(server.asked) == 3


HOLD = """
import asyncio, sys
from pathlib import Path
from talk_pipeline.systems.http import Http, Limits

async def hold():
    limits = Limits(100, 1, 1, Path(sys.argv[2]))
    async with Http("It", sys.argv[1], limits=limits, longest_seconds=0) as http:
        await http.read("/slow")

asyncio.run(hold())
"""


def test_another_process_is_waited_for_and_a_killed_one_is_not(
    server: Answering, opens: Opens, tmp_path: Path
) -> None:
    server.on("/slow", Reply(seconds=60))
    server.on("/things", Reply())
    with subprocess.Popen([sys.executable, "-c", HOLD, server.url, str(tmp_path)], env=os.environ) as holder:
        deadline = time.monotonic() + 60
        while not server.asked and time.monotonic() < deadline:
            time.sleep(0.02)

        async def waits(http: Http) -> None:
            asked = asyncio.ensure_future(http.read("/things"))
            await asyncio.sleep(0.5)
            assert not server.asked_at("/things"), "the only place is taken"
            holder.send_signal(signal.SIGKILL)
            assert (await asked).ok

        using(opens(limits=Limits(100, 1, 1, tmp_path)), waits)
