"""What a sensor learns of the latest change, though a wrong clock stamped one."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from talk_pipeline.run.latest import HIDDEN, latest_change
from talk_pipeline.systems.businesscentral.client import Businesscentral
from talk_pipeline.systems.businesscentral.entities import load_entities
from talk_pipeline.systems.http import Http, Limits
from talk_pipeline_tests.flow_files import flows_in
from talk_pipeline_tests.systems.answering import Answering, Asked, Reply, answering
from talk_pipeline_tests.systems.businesscentral.speech import BASE, COMPANY_ID, page, row, using

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


@pytest.fixture
def server() -> Iterator[Answering]:
    with answering() as running:
        yield running


@pytest.fixture
def bc(server: Answering, tmp_path: Path) -> Businesscentral:
    limits = Limits(1000, 1, 5, tmp_path / "limits")
    http = Http("It", f"{server.url}{BASE}", limits=limits, longest_seconds=0)
    return Businesscentral(http, flows_in(), load_entities(), company_id=COMPANY_ID, company_name=None)


def holds(server: Answering, *ages: timedelta) -> list[datetime]:
    """Customers that were modified so long ago, or will be; a list since a moment has those after it."""
    now = datetime.now(UTC).replace(microsecond=0)
    times = [now - age for age in ages]

    def answered(asked: Asked) -> Reply:
        since = asked.query.get("$filter", "").removeprefix("lastModifiedDateTime ge ")
        listed = [at for at in times if not since or at >= datetime.fromisoformat(since)]
        listed = [max(listed)] if "$top" in asked.query and listed else listed
        return page(*(row("customer", str(at), lastModifiedDateTime=at.isoformat()) for at in listed))

    server.answer(answered)
    return times


def latest(bc: Businesscentral) -> datetime | None:
    return using(bc, lambda opened: latest_change(opened, "customer"))


def test_a_change_of_the_past_is_the_latest_and_one_question_tells_it(
    server: Answering, bc: Businesscentral
) -> None:
    _, newer = holds(server, HOUR, MINUTE)
    assert latest(bc) == newer
    assert len(server.asked) == 1


def test_without_records_there_is_none(server: Answering, bc: Businesscentral) -> None:
    holds(server)
    assert latest(bc) is None


def test_behind_a_change_from_the_future_the_one_before_counts(
    server: Answering, bc: Businesscentral
) -> None:
    _, just_now, _, _ = holds(server, 2 * MINUTE, MINUTE, -HOUR, -2 * HOUR)
    assert latest(bc) == just_now


def test_if_it_was_just_now(server: Answering, bc: Businesscentral) -> None:
    """What is older was seen before; all of it is never read for a question that is asked every minute."""
    holds(server, HIDDEN + MINUTE, -HOUR)
    assert latest(bc) is None
