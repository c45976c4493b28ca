"""Alerts as they arrive: by a real web server, by a real mail server, and when neither is there."""

import json
import socket
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from aiosmtpd.controller import Controller

from talk_pipeline.dagster import alerts
from talk_pipeline.dagster.alerts import Memory, Message, send, tell
from talk_pipeline.dagster.build import build_defs
from talk_pipeline.dagster.instance import open_home
from talk_pipeline.delivery import DeliveryError
from talk_pipeline.settings import Settings
from talk_pipeline_tests.automation import Automation
from talk_pipeline_tests.cli.command_line import run as command
from talk_pipeline_tests.clocks import ahead
from talk_pipeline_tests.flow_files import flows_alone, flows_in
from talk_pipeline_tests.pipeline.records import customer
from talk_pipeline_tests.world import World, opened_world

# of Apprise, which looks for a module that Python 3.13 has no more
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")

AWAY = {"match": {"path": "customers"}, "fault": {"status": 503, "retry_after": 0}, "times": None}
TOKEN = "a-token-that-nobody-may-see"


class Receiver:
    """A web server that keeps what is posted to it, and answers with `status`."""

    def __init__(self) -> None:
        self.status = 200
        self.posted: list[dict[str, Any]] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:  # noqa: N802
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if receiver.status == 200:
                    receiver.posted.append(json.loads(body))
                self.send_response(receiver.status)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"json://127.0.0.1:{self.server.server_port}/{TOKEN}"

    def taken(self) -> list[dict[str, Any]]:
        """What came since it was last asked."""
        came, self.posted = self.posted, []
        return came


@contextmanager
def received() -> Iterator[Receiver]:
    receiver = Receiver()
    thread = threading.Thread(target=receiver.server.serve_forever, daemon=True)
    thread.start()
    yield receiver
    receiver.server.shutdown()
    receiver.server.server_close()
    thread.join()


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    with received() as receiver:
        monkeypatch.setenv("TALK_ALERTS", receiver.address)
        yield receiver


@pytest.fixture
def lonely(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, receiver: Receiver) -> Iterator[World]:
    """A world whose instance has no other runs, with customers alone."""
    with (
        open_home(tmp_path / "data") as instance,
        opened_world(tmp_path, instance=instance, patch=monkeypatch) as world,
    ):
        monkeypatch.setenv("TALK_FLOWS_DIR", str(flows_alone(tmp_path / "flows", "customer")))
        monkeypatch.setenv("TALK_ALERTS", receiver.address)
        yield world


def told(world: World) -> Message | None:
    settings = Settings.load()
    return tell(settings, flows_in(settings.talk_flows_dir), world.instance)


@contextmanager
def later(monkeypatch: pytest.MonkeyPatch, by: timedelta) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setattr(alerts, "datetime", ahead(by))
        yield


def test_a_run_that_broke_off_is_told_once_and_when_it_is_over(lonely: World, receiver: Receiver) -> None:
    lonely.sync()
    assert told(lonely) is None
    lonely.shop.faults(AWAY)
    run = lonely.sync(full=True)
    assert not run.success
    message = told(lonely)
    (came,) = receiver.taken()
    assert message == (came["title"], came["message"])
    assert run.problems[0] in came["message"]
    assert f"run {run.run_id[:8]} of customer broke off" in came["title"]
    lonely.sync(full=True)
    assert told(lonely) is None, "it is known"
    lonely.shop.no_faults()
    assert lonely.sync(full=True).success
    told(lonely)
    (came,) = receiver.taken()
    assert came["title"] == "talk_pipeline: over"
    assert "* over: run" in came["message"]
    assert told(lonely) is None


@pytest.mark.slow
def test_what_lasts_is_told_again_a_day_later(
    lonely: World, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    lonely.shop.faults(AWAY)
    first = lonely.sync(full=True)
    told(lonely)
    lonely.sync(full=True)
    with later(monkeypatch, timedelta(hours=25)):
        told(lonely)
    once, again = receiver.taken()
    assert first.run_id[:8] in once["message"]
    assert "(since 20" in again["message"]


@pytest.mark.slow
def test_a_failed_check_is_told_in_its_words(lonely: World, receiver: Receiver) -> None:
    buyers = [lonely.shop.post("customers", customer(f"C{n}"))["id"] for n in range(30)]
    lonely.sync()
    for buyer in buyers:
        lonely.shop.patch("customers", buyer, {"website": "www.wrong.example"})
    run = lonely.sync()
    told(lonely)
    (came,) = receiver.taken()
    finding = run.finding("customer", "change_volume_safe")
    assert f"diffs/customer: change volume safe: {finding.summary}" in came["message"]
    assert "a check stopped it" in came["message"]
    assert lonely.sync(dry_run=True, approve=True).success
    assert told(lonely) is None, "a dry run is somebody's question, and settles nothing"
    lonely.shop.faults(AWAY)
    assert not lonely.sync(full=True).success
    assert told(lonely) is None, "a check that did not run finds nothing to be well"
    lonely.shop.no_faults()
    assert lonely.sync(approve=True).success
    told(lonely)
    (came,) = receiver.taken()
    assert "over: diffs/customer: change volume safe" in came["message"]


@pytest.mark.slow
def test_a_growing_list_is_told_as_it_grows(lonely: World, receiver: Receiver) -> None:
    lonely.shop.post("customers", customer("Q1", currency="DKR"))
    lonely.sync()
    told(lonely)
    (came,) = receiver.taken()
    assert "customer: 1 waits for a person; see" in came["message"]
    lonely.sync()
    assert told(lonely) is None
    for number in ("Q2", "Q3"):
        lonely.shop.post("customers", customer(number, currency="DKR"))
    lonely.sync()
    told(lonely)
    (came,) = receiver.taken()
    ((held,),) = lonely.sql("select count(*) from status where state = 'quarantined'")
    assert f"customer: {held} wait for a person, 2 more than before" in came["message"]
    for row in lonely.shop.all("customers").values():
        lonely.shop.patch("customers", row["id"], {"currency": "DKK"})
    lonely.sync()
    assert told(lonely) is None, "that it shrinks is no alert"
    lonely.shop.post("customers", customer("Q4", currency="DKR"))
    lonely.sync()
    assert told(lonely)


def test_what_cannot_be_delivered_fails_nothing_and_goes_with_the_next_look(
    lonely: World, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    lonely.shop.post("customers", customer("Q1", currency="DKR"))
    receiver.status = 500
    assert lonely.sync().success
    defs = build_defs(flows_in(Settings.load().talk_flows_dir), settings=Settings.load())
    with (
        dg.build_sensor_context(instance=lonely.instance, definitions=defs) as context,
        pytest.raises(Exception, match=r"TALK_ALERTS: address 1 \(JSON\): .*500") as failed,
    ):
        defs.resolve_sensor_def("alerts").evaluate_tick(context)
    assert TOKEN not in str(failed.value) + caplog.text
    receiver.status = 200
    with dg.build_sensor_context(instance=lonely.instance, definitions=defs) as context:
        tick = defs.resolve_sensor_def("alerts").evaluate_tick(context)
    (came,) = receiver.taken()
    assert "1 waits for a person" in came["message"]
    assert tick.skip_message == f"told: {came['title']}"
    assert not tick.run_requests


def test_who_has_it_is_not_told_again_since_another_cannot_be_reached(
    lonely: World, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    with received() as other:
        monkeypatch.setenv("TALK_ALERTS", f"{other.address} {receiver.address}")
        other.status = 500
        lonely.shop.post("customers", customer("Q1", currency="DKR"))
        lonely.sync()
        for _ in range(3):
            pytest.raises(DeliveryError, told, lonely).match("address 1")
        assert len(receiver.taken()) == 1
        lonely.shop.post("customers", customer("Q2", currency="DKR"))
        lonely.sync()
        pytest.raises(DeliveryError, told, lonely)
        (came,) = receiver.taken()
        assert "2 wait for a person" in came["message"]
        other.status = 200
        assert told(lonely)
        assert [one["message"] for one in other.taken()] == [came["message"]]
        assert receiver.taken() == []
        assert told(lonely) is None
        kept = (lonely.data / "alerts.json").read_text(encoding="utf-8")
        assert TOKEN not in kept


@pytest.mark.parametrize("set_back", [timedelta(), timedelta(hours=1)], ids=["late", "set back"])
def test_a_run_whose_end_was_written_late_is_looked_at(
    lonely: World, receiver: Receiver, set_back: timedelta
) -> None:
    """Its time is that of its last event, and not when that was on disk; a clock may be set back, too."""
    flows, now = flows_in(Settings.load().talk_flows_dir), datetime.now(UTC)
    run = lonely.sync()
    _, memory = alerts.look(lonely.instance, flows, Memory(now - timedelta(days=1)), now=now)
    assert run.run_id in memory.seen
    ended = now - set_back - timedelta(seconds=40)
    late = dg.DagsterRun(
        job_name="sync_customer", run_id=str(uuid.uuid4()), status=dg.DagsterRunStatus.STARTED
    )
    lonely.instance.add_run(late)
    lonely.instance.report_run_failed(late, "no room")
    lonely.instance.run_storage.handle_run_event(
        late.run_id,
        dg.DagsterEvent(dg.DagsterEventType.RUN_FAILURE.value, late.job_name),
        update_timestamp=ended,
    )
    message, after = alerts.look(lonely.instance, flows, memory, now=now - set_back)
    assert message
    assert late.run_id[:8] in message.body
    assert alerts.look(lonely.instance, flows, after, now=now - set_back)[0] is None
    assert receiver.taken() == []


def test_it_is_off_unless_somebody_is_named(world: World) -> None:
    flows = flows_in()
    sensors = {sensor.name for sensor in build_defs(flows, settings=Settings.load()).sensors or ()}
    assert sensors == {"customwebshop_changes", "businesscentral_changes"}
    done = command("alerts")
    assert (done.returncode, done.stdout) == (2, "")
    assert "TALK_ALERTS" in done.stderr


def test_it_arrives_by_e_mail(monkeypatch: pytest.MonkeyPatch) -> None:
    class Kept:
        def __init__(self) -> None:
            self.mails: list[Any] = []

        async def handle_DATA(self, _server: object, _session: object, envelope: Any) -> str:  # noqa: N802
            self.mails.append(envelope)
            return "250 kept"

    kept = Kept()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = Controller(kept, hostname="127.0.0.1", port=port)
    server.start()
    try:
        monkeypatch.setenv(
            "TALK_ALERTS",
            f"mailto://127.0.0.1:{port}?from=talk@shop.example&to=books@shop.example&mode=insecure",
        )
        send(Settings.load().alert_addresses, Message("A title", "* one\n* another"))
    finally:
        server.stop()
    (mail,) = kept.mails
    assert mail.rcpt_tos == ["books@shop.example"]
    read = message_from_bytes(mail.content, policy=policy.default)
    assert read["Subject"] == "A title"
    assert "* one" in "".join(part.get_content() for part in read.walk() if not part.is_multipart())


def test_an_address_that_is_none_is_told_by_its_place(
    monkeypatch: pytest.MonkeyPatch, receiver: Receiver
) -> None:
    monkeypatch.setenv("TALK_ALERTS", f"{receiver.address} nothing://user:{TOKEN}@nowhere")
    with pytest.raises(DeliveryError, match="address 2 is none") as failed:
        send(Settings.load().alert_addresses, Message("A title", "text"))
    assert TOKEN not in str(failed.value)
    assert len(receiver.taken()) == 1, "whoever can be reached is told"


@pytest.mark.slow
def test_the_command_tells_what_the_sensor_would(world: World, receiver: Receiver) -> None:
    tried = command("alerts", "--test")
    assert (tried.returncode, tried.stdout) == (0, "sent to 1\n")
    assert receiver.taken()[0]["title"] == "talk_pipeline: a test"
    world.shop.post("customers", customer("Q1", currency="DKR"))
    assert command("sync", "--flow", "customer").returncode == 0
    done = command("alerts")
    assert done.returncode == 0
    assert "1 waits for a person" in done.stdout
    assert receiver.taken()[0]["message"].strip() == done.stdout.strip()
    assert command("alerts").stdout == "nothing new to tell\n"
    receiver.status = 500
    failed = command("alerts", "--test")
    assert (failed.returncode, failed.stdout) == (3, "")


@pytest.mark.long
@pytest.mark.slow
def test_a_dead_sensor_is_told(world: World, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    automation = Automation(world)
    with automation.daemon():
        automation.wait("the sensors look", lambda: len(automation.instance.all_instigator_state()) >= 3)
        automation.wait("an edit arrives", lambda: automation.arrived("www.c1.example"))
    settings, flows = Settings.load(), flows_in()
    tell(settings, flows, automation.instance)
    receiver.taken()
    with later(monkeypatch, timedelta(minutes=5)):
        assert tell(settings, flows, automation.instance) is None
    with later(monkeypatch, timedelta(minutes=11)):
        tell(settings, flows, automation.instance)
    (came,) = receiver.taken()
    for name in ("customwebshop_changes", "businesscentral_changes"):
        assert f"sensor {name} has not looked since" in came["message"]
