"""Alerts of what is no company's own: a company that cannot be acted for, and the job that prunes all."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from talk_pipeline.dagster.build import build_all
from talk_pipeline.dagster.instance import open_home
from talk_pipeline.settings import Settings
from talk_pipeline_tests.cli.command_line import run
from talk_pipeline_tests.dagster.test_alerts import Receiver, received
from talk_pipeline_tests.several import Companies, opened_companies

# of Apprise, which looks for a module that Python 3.13 has no more
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")

WRONG = {"oslo": {"settings": {"TALK_POLL_SECONDS": "often"}}}


class Told:
    """The sensor that tells, and who is told by the installation; berlin and oslo tell nobody of their own."""

    def __init__(self, instance: dg.DagsterInstance, receiver: Receiver) -> None:
        self.instance, self._receiver = instance, receiver
        self.defs = build_all(Settings.load())

    def tick(self) -> list[str]:
        """What one tick sends."""
        sensor = self.defs.resolve_sensor_def("alerts")
        with dg.build_sensor_context(instance=self.instance, definitions=self.defs) as context:
            sensor.evaluate_tick(context)
        return self.taken()

    def taken(self) -> list[str]:
        """What was sent since it was asked last."""
        return [one["message"] for one in self._receiver.taken()]


@pytest.fixture
def companies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, instance: dg.DagsterInstance
) -> Iterator[Companies]:
    with opened_companies(tmp_path, "berlin", "oslo", instance=instance, patch=monkeypatch) as opened:
        yield opened


@pytest.fixture
def told(companies: Companies, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Told]:
    with received() as receiver, open_home(tmp_path / "data", several=True) as home:
        monkeypatch.setenv("TALK_ALERTS", receiver.address)
        yield Told(home, receiver)


def test_a_company_that_cannot_be_acted_for_is_told_once_and_when_it_is_over(
    companies: Companies, told: Told
) -> None:
    assert told.tick() == []
    companies.write(**WRONG)
    (message,) = told.tick()
    assert "company oslo: TALK_POLL_SECONDS" in message
    assert told.tick() == []
    right = companies.file.read_text(encoding="utf-8")
    companies.file.write_text("companies: [", encoding="utf-8")
    (message,) = told.tick()
    assert str(companies.file) in message
    assert "oslo" not in message
    companies.file.write_text(right, encoding="utf-8")
    (message,) = told.tick()
    assert "over: " in message
    assert "oslo" not in message
    companies.write()
    (message,) = told.tick()
    assert "over: oslo: " in message
    assert told.tick() == []


def test_that_all_could_not_be_pruned_is_told(companies: Companies, told: Told) -> None:
    prune = told.defs.resolve_job_def("prune")
    companies.write(**WRONG)
    assert len(told.tick()) == 1
    done = prune.execute_in_process(instance=told.instance, raise_on_error=False)
    assert not done.success
    (message,) = told.tick()
    assert f"run {done.run_id[:8]} of prune broke off: " in message
    assert told.tick() == []
    companies.write()
    assert prune.execute_in_process(instance=told.instance).success
    (message,) = told.tick()
    assert f"over: run {done.run_id[:8]} of prune" in message


def test_the_command_tells_of_all_what_the_sensor_would(
    companies: Companies, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From a timer, as where there is one company; of one of them alone only if it is named."""
    alone = run("alerts", "--company", "berlin")
    assert (alone.returncode, alone.stdout) == (0, "nothing new to tell\n")
    companies.write(**WRONG)
    done = run("alerts")
    assert done.returncode == 0, done.stderr
    assert "oslo: TALK_POLL_SECONDS" in done.stdout
    (message,) = told.taken()
    assert "company oslo: TALK_POLL_SECONDS" in message
    assert told.tick() == [], "whoever tells first has told"
    assert run("alerts", "--test").stdout == "sent to 1\n"
    assert told.taken() == ["Alerts of talk_pipeline arrive here."]
    monkeypatch.delenv("TALK_ALERTS")
    nobody = run("alerts")
    assert (nobody.returncode, "not set: TALK_ALERTS" in nobody.stderr) == (2, True)
