"""Change notices: subscribed, validated, renewed, understood, and never more than a hint."""

import asyncio
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import duckdb
import httpx
import pytest
import uvicorn
from pydantic import SecretStr

from talk_pipeline.flows.sides import Side
from talk_pipeline.installation import Connections
from talk_pipeline.settings import Settings
from talk_pipeline.systems.businesscentral import notifications
from talk_pipeline.systems.errors import ConfigurationFault
from talk_pipeline.systems.http.way import trusted
from talk_pipeline.webhooks import receiver as listener
from talk_pipeline.webhooks.receiver import LARGEST_NOTICE, receiver, subscribe
from talk_pipeline.webhooks.wakeups import woken_after
from talk_pipeline_tests.pipeline.records import customer
from talk_pipeline_tests.world import World

SECRET = "a long random text"


def until(condition: Callable[[], bool], *, seconds: float = 10) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.05)
    return False


@pytest.fixture
def url(listening: str, world: World) -> str:
    """The same, once it has subscribed."""
    assert until(lambda: len(subscriptions(world)) == 3), "it subscribes as soon as it answers"
    assert not tells(world) or until(lambda: registered(world))
    return listening


@pytest.fixture
def listening(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A receiver that runs, as the two systems reach it."""
    monkeypatch.setenv("TALK_WEBHOOK_SECRET", SECRET)
    monkeypatch.setattr(listener, "RETRY_SECONDS", 0.2)
    world.bc.control("settings", {"webhook_delay": 0.1})
    connections = Connections(Settings.load())
    config = uvicorn.Config("", port=0, log_level="error")
    sock = config.bind_socket()
    address = f"http://127.0.0.1:{sock.getsockname()[1]}"
    config.app = receiver(connections, url=address)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [sock]})
    thread.start()
    yield address
    server.should_exit = True
    thread.join()
    sock.close()


def tells(_world: World) -> bool:
    """Whether the shop has notices."""
    return Connections(Settings.load()).description.webhooks is not None


def registered(world: World) -> bool:
    """Whether the shop was asked for its notices."""
    return any(call.startswith("POST") and "hooks" in call for call in world.shop.requests()["by_path"])


def subscriptions(world: World) -> list[dict[str, str]]:
    root = world.environment["BUSINESSCENTRAL_URL"]
    rows: list[dict[str, str]] = world.bc.read(world.bc.http.get(f"{root}/subscriptions"))["value"]
    return rows


def test_a_change_wakes_the_sensor_of_its_system(world: World, url: str) -> None:
    for side in Side if tells(world) else [Side.BC]:
        started = time.time()
        assert not woken_after(world.data, side, timestamp=started)
        if side is Side.SHOP:
            world.shop.post("customers", customer())
        else:
            world.bc.post("customers", {"displayName": "New"})
        assert until(partial(woken_after, world.data, side, timestamp=started))
    assert url


def test_a_handshake_is_answered_where_one_belongs(url: str) -> None:
    """Whoever asks elsewhere does not have their own text sent back."""
    answers = {
        place: httpx.post(f"{url}/{place}?validationToken=said", verify=trusted())
        for place in (*Side, "other")
    }
    assert (answers[Side.BC].status_code, answers[Side.BC].text) == (200, "said")
    for place in (Side.SHOP, "other"):
        assert (answers[place].status_code, answers[place].text) in ((401, ""), (404, ""))


def ends(world: World) -> dict[str, datetime]:
    """When each subscription ends; as text, .916 would come before .9."""
    return {
        row["subscriptionId"]: datetime.fromisoformat(row["expirationDateTime"])
        for row in subscriptions(world)
    }


def test_subscriptions_are_renewed_before_they_end(
    world: World, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    connections = Connections(Settings.load())
    for side in Side:
        assert asyncio.run(subscribe(connections, side, url=url, secret=SecretStr(SECRET))) == 0
    before = ends(world)
    monkeypatch.setattr(notifications, "RENEW_BEFORE", timedelta(days=3))
    assert asyncio.run(subscribe(connections, Side.BC, url=url, secret=SecretStr(SECRET))) == 3
    after = ends(world)
    assert set(after) == set(before)
    assert all(after[key] > before[key] for key in before)


@pytest.fixture
def _kept(world: World) -> Iterator[None]:
    """The state while a run has it."""
    world.data.mkdir()
    with duckdb.connect(str(world.data / "talk.duckdb")):
        yield


@pytest.mark.usefixtures("_kept")
def test_it_subscribes_while_a_run_has_the_state(url: str) -> None:
    assert url


@pytest.fixture
def _refused(world: World) -> None:
    world.shop.faults({"match": {"path": "hooks"}, "fault": {"status": 403}, "times": None})


@pytest.mark.usefixtures("_refused")
def test_a_system_that_refuses_keeps_the_other_from_nothing_and_is_asked_again(
    world: World, listening: str
) -> None:
    if not tells(world):
        pytest.skip("this shop has no notices to refuse")
    assert until(lambda: len(subscriptions(world)) == 3)
    world.shop.no_faults()
    world.forget_requests()
    assert until(lambda: registered(world))
    started = time.time()
    world.shop.post("customers", customer())
    assert until(partial(woken_after, world.data, Side.SHOP, timestamp=started))
    assert listening


@pytest.fixture
def in_the_way(world: World) -> Path:
    """A file where the folder is to be in which requests are counted: no fault of a system."""
    world.data.mkdir()
    (world.data / "limits").touch()
    return world.data / "limits"


def test_whatever_goes_wrong_it_is_tried_again(
    world: World, in_the_way: Path, listening: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert until(lambda: "businesscentral: subscribing is tried again" in caplog.text)
    in_the_way.unlink()
    assert until(lambda: len(subscriptions(world)) == 3)
    assert listening


def test_an_address_that_does_not_answer_is_refused(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TALK_WEBHOOK_SECRET", SECRET)
    connections = Connections(Settings.load())
    with pytest.raises(ConfigurationFault, match="refuses a subscription"):
        asyncio.run(subscribe(connections, Side.BC, url="http://127.0.0.1:9", secret=SecretStr(SECRET)))
    assert not subscriptions(world)


def test_a_forged_notice_wakes_nobody(world: World, url: str) -> None:
    notice = {
        "clientState": "guessed",
        "resource": "/api/v2.0/companies(x)/customers",
        "changeType": "updated",
    }
    for side in Side:
        answer = world.bc.http.post(f"{url}/{side}", json={"value": [notice]})
        assert answer.status_code == 401
        assert not woken_after(world.data, side, timestamp=0)
    assert world.bc.http.get(f"{url}/elsewhere").status_code == 404


def test_whatever_comes_as_a_notice_is_answered(
    world: World, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Turned away, and not by a mistake of ours."""
    states: list[object] = [None, 5, {"a": []}, "geheimni\u00df"]
    bodies = [json.dumps({"value": [{"clientState": one, "resource": one}]}).encode() for one in states]
    bodies += [b"", b"\xff", b"null", b'{"value": 7}', b"[" * 100_000, b"7" * 10_000]
    for side in Side:
        for body in bodies:
            headers = {b"X-Webhook-Signature": "sha256=\u00df".encode()}
            answer = httpx.post(f"{url}/{side}", content=body, headers=headers, verify=trusted())
            assert answer.status_code == 401, body[:60]
        large = httpx.post(f"{url}/{side}", content=b" " * (LARGEST_NOTICE + 1), verify=trusted())
        assert large.status_code == 413
        assert not woken_after(world.data, side, timestamp=0)
    assert "Traceback" not in caplog.text


def test_a_secret_that_was_changed_is_told_to_both_systems_once(world: World, url: str) -> None:
    """Neither shows the one it has; what is registered with the old one proves nothing any more."""
    asked = subscribe_with("another long random text", url)
    assert (asked[Side.SHOP] > 0, asked[Side.BC]) == (tells(world), 3)
    assert {row["clientState"] for row in subscriptions(world)} == {"another long random text"}
    assert subscribe_with("another long random text", url) == dict.fromkeys(Side, 0)
    kept = "".join(file.read_text() for file in (world.data / "registered").iterdir())
    assert SECRET not in kept
    assert "another" not in kept


def subscribe_with(secret: str, url: str) -> dict[Side, int]:
    """How many calls it takes with a secret."""
    connections = Connections(Settings.load())
    return {
        side: asyncio.run(subscribe(connections, side, url=url, secret=SecretStr(secret))) for side in Side
    }


def test_a_sender_that_hangs_up_in_the_middle_leaves_a_line(
    url: str, caplog: pytest.LogCaptureFixture
) -> None:
    host, _, port = url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port))) as sender:
        sender.sendall(b"POST /businesscentral HTTP/1.1\r\nHost: here\r\nContent-Length: 100\r\n\r\n{")
    assert until(lambda: "businesscentral: a notice broke off" in caplog.text)
    assert "Traceback" not in caplog.text


def test_a_notice_that_does_not_arrive_is_given_up(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener, "NOTICE_SECONDS", 0.3)
    at = httpx.URL(url)
    with socket.create_connection((at.host, at.port or 80), timeout=5) as held:
        held.sendall(f"POST /{Side.SHOP} HTTP/1.1\r\nHost: here\r\nContent-Length: 100\r\n\r\nabc".encode())
        assert held.recv(100).startswith(b"HTTP/1.1 408 ")


def test_a_request_that_is_held_open_keeps_no_receiver_from_ending(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TALK_WEBHOOK_SECRET", SECRET)
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "talk_pipeline", "webhooks", "--url", f"http://127.0.0.1:{port}"]
    with subprocess.Popen([*command, "--port", str(port)], stderr=subprocess.DEVNULL) as receiving:
        try:
            assert until(lambda: len(subscriptions(world)) == 3, seconds=30)
            with socket.create_connection(("127.0.0.1", port), timeout=5) as held:
                held.sendall(
                    f"POST /{Side.SHOP} HTTP/1.1\r\nHost: here\r\nContent-Length: 9\r\n\r\na".encode()
                )
                time.sleep(0.2)  # it has begun to read
                receiving.terminate()
                assert receiving.wait(timeout=listener.END_SECONDS + 3) is not None
        finally:
            receiving.kill()
