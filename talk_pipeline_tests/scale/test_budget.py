"""Several machines that enter a system as one application ask no more than it allows, counted in one Redis."""

import asyncio
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from pydantic import SecretStr

from talk_pipeline.systems.errors import UnavailableFault
from talk_pipeline.systems.http import Application, Bearer, Limits
from talk_pipeline.systems.http.usage import requests_in_window
from talk_pipeline_tests.scale.servers import Redis
from talk_pipeline_tests.systems.answering import Answering, Reply
from talk_pipeline_tests.systems.http.asking import at_once, read
from talk_pipeline_tests.systems.http.conftest import Opens
from talk_pipeline_tests.systems.http.test_limits import WINDOW, in_a_window

MACHINE = """
import asyncio, sys
from pathlib import Path
from talk_pipeline.systems.http import Http, Limits

async def ask():
    limits = Limits(3, float(sys.argv[3]), 2, Path(sys.argv[4]), redis=sys.argv[2])
    async with Http("It", sys.argv[1], limits=limits, longest_seconds=0) as http:
        await asyncio.gather(*(http.read("/things") for _ in range(4)))

asyncio.run(ask())
"""


def test_two_machines_share_one_budget(server: Answering, redis: Redis, tmp_path: Path) -> None:
    """Each has a folder of its own, in which nothing is counted."""
    server.on("/things", Reply(seconds=0.05))
    machines = [
        subprocess.Popen(
            [sys.executable, "-c", MACHINE, server.url, redis.url, str(WINDOW), str(tmp_path / name)],
            env=os.environ,
        )
        for name in ("one", "other")
    ]
    assert [machine.wait(60) for machine in machines] == [0, 0]
    assert len(server.asked) == 8
    assert in_a_window(server) <= 3
    assert server.most_at_once <= 2


def test_each_application_has_its_own(server: Answering, redis: Redis, opens: Opens, tmp_path: Path) -> None:
    server.on("/things", Reply())
    began = time.monotonic()
    for token in ("one", "other"):
        limits = Limits(2, 60, 5, tmp_path / "same", redis=redis.url)
        at_once(
            opens(limits=limits, applications=[Application(Bearer(SecretStr(token)))]),
            ["/things"] * 2,
        )
    assert time.monotonic() - began < 30


def test_a_redis_that_is_restarted_is_waited_for(
    server: Answering, redis: Redis, opens: Opens, tmp_path: Path
) -> None:
    server.on("/things", Reply())
    limits = Limits(100, WINDOW, 5, tmp_path / "limits", redis=redis.url)
    http = opens(limits=limits)

    async def asked_across() -> None:
        async with http:
            await http.read("/things")
            redis.stop()
            back = threading.Timer(1.5, redis.start)
            back.start()
            await http.read("/things")
            back.join()

    asyncio.run(asked_across())
    assert len(server.asked) == 2


def test_without_it_nothing_is_sent(
    server: Answering, redis: Redis, opens: Opens, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("talk_pipeline.systems.http.shared.RETRIES", 2)
    redis.stop()
    limits = Limits(100, WINDOW, 5, tmp_path / "limits", redis=redis.url)
    with pytest.raises(UnavailableFault, match="TALK_LIMITS_URL"):
        read(opens(limits=limits))
    assert not server.asked


def test_what_is_used_is_told_while_the_redis_answers(
    server: Answering, redis: Redis, opens: Opens, tmp_path: Path
) -> None:
    server.on("/things", Reply())
    folder = tmp_path / "limits"
    at_once(opens(limits=Limits(100, 60, 5, folder, redis=redis.url)), ["/things"] * 3)
    assert list(requests_in_window(folder, window_seconds=60, redis=redis.url)) == [("", len(server.asked))]
    redis.stop()
    assert list(requests_in_window(folder, window_seconds=60, redis=redis.url)) == [("", None)]
