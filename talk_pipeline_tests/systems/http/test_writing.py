"""What changes something is sent once, unless it was certainly not carried out."""

import asyncio

import pytest

from talk_pipeline import stopping
from talk_pipeline.systems.errors import AccessFault, UnavailableFault
from talk_pipeline.systems.http import Http, OutcomeUnknownError, again, client
from talk_pipeline_tests.systems.answering import DROPPED, Answering, Reply
from talk_pipeline_tests.systems.http.asking import nobody, using, write
from talk_pipeline_tests.systems.http.conftest import Opens

METHODS = ("POST", "PATCH", "PUT", "DELETE")
DONE = Reply(201, b"done")


@pytest.mark.parametrize("method", METHODS)
def test_what_was_turned_away_for_the_pace_goes_again(server: Answering, opens: Opens, method: str) -> None:
    server.on("/things", Reply(429), Reply(429), DONE)
    assert write(opens(), method, headers={"If-Match": "1"}).body == b"done"
    assert [(one.method, one.body, one.headers["if-match"]) for one in server.asked] == [
        (method, b'{"name": "New"}', "1")
    ] * 3


def test_a_system_that_stays_too_busy_is_told(server: Answering, opens: Opens) -> None:
    server.on("/things", Reply(429))
    assert write(opens()).status == 429
    assert len(server.asked) == 1 + again.RETRIES


@pytest.mark.parametrize("status", [408, 413, 500, 502, 503, 504])
@pytest.mark.parametrize("method", METHODS)
def test_what_may_have_been_carried_out_is_sent_once(
    server: Answering, opens: Opens, method: str, status: int
) -> None:
    """Even where the server says when to come back: whether it did it is for the caller to find out."""
    server.on("/things", Reply(status, headers={"Retry-After": "0"}), DONE)
    assert write(opens(), method).status == status
    assert len(server.asked) == 1


@pytest.mark.parametrize("method", METHODS)
def test_without_an_answer_the_outcome_is_unknown(server: Answering, opens: Opens, method: str) -> None:
    server.on("/things", DROPPED, DONE)
    with pytest.raises(OutcomeUnknownError, match="no answer: "):
        write(opens(), method)
    assert len(server.asked) == 1


def test_half_an_answer_is_none(server: Answering, opens: Opens) -> None:
    server.on("/things", Reply(201, b"half", {"Content-Length": "1000", "Connection": "close"}), DONE)
    with pytest.raises(OutcomeUnknownError):
        write(opens())
    assert len(server.asked) == 1


@pytest.mark.parametrize("method", METHODS)
def test_a_page_is_no_answer_to_a_write(server: Answering, opens: Opens, method: str) -> None:
    """A gateway or a login shows one with success, and who deletes looks at nothing else."""
    server.on("/things", Reply(200, b"\n<!doctype html><title>Sign in</title>"), DONE)
    with pytest.raises(OutcomeUnknownError, match="a page instead of data"):
        write(opens(), method)
    assert len(server.asked) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_after_a_write_is_not_followed(
    server: Answering, stranger: Answering, opens: Opens, status: int
) -> None:
    """Some servers redirect after they have done it."""
    server.on("/things", Reply(status, headers={"Location": f"{stranger.url}/things"}))
    with pytest.raises(OutcomeUnknownError, match=f"answers {status} and redirects to {stranger.url}"):
        write(opens())
    assert len(server.asked) == 1
    assert not stranger.asked


@pytest.mark.parametrize("place", ["/elsewhere", "http://[::1", ""])
def test_nor_is_one_that_leads_nowhere_else(server: Answering, opens: Opens, place: str) -> None:
    server.on("/things", Reply(307, headers={"Location": place}))
    with pytest.raises(OutcomeUnknownError):
        write(opens())
    assert len(server.asked) == 1


@pytest.mark.parametrize("status", [300, 304])
def test_an_answer_to_questions_is_none_to_a_write(server: Answering, opens: Opens, status: int) -> None:
    server.on("/things", Reply(status))
    with pytest.raises(OutcomeUnknownError, match=f"answered {status}"):
        write(opens())
    assert len(server.asked) == 1


def test_what_never_left_is_tried_again_and_then_told_as_that(opens: Opens) -> None:
    tries: list[int] = []
    with pytest.raises(UnavailableFault, match="cannot be reached.*: check IT_URL"):
        write(opens(nobody()), leaving=lambda: tries.append(1))
    assert len(tries) == 1 + again.RETRIES


def test_a_write_that_is_turned_away_at_the_door_goes_once_more(server: Answering, opens: Opens) -> None:
    """Its credentials are what they were: nothing was carried out, and who is at the door errs now and then."""
    server.on("/things", Reply(401), DONE)
    assert write(opens()).ok
    assert len(server.asked) == 2


@pytest.mark.parametrize(
    ("status", "times", "told"),
    [(401, 2, "refuses the credentials"), (403, 1, r"denies access \(403\) to POST /things: check")],
)
def test_a_refused_write_is_a_matter_of_access(
    server: Answering, opens: Opens, status: int, times: int, told: str
) -> None:
    server.on("/things", *[Reply(status)] * times, DONE)
    with pytest.raises(AccessFault, match=told):
        write(opens())
    assert len(server.asked) == times


def test_whoever_asked_to_is_told_before_each_attempt_leaves(server: Answering, opens: Opens) -> None:
    arrived_before: list[int] = []
    server.on("/things", Reply(429), DONE)
    write(opens(), leaving=lambda: arrived_before.append(len(server.asked)))
    assert arrived_before == [0, 1]


def test_where_that_fails_nothing_leaves(server: Answering, opens: Opens) -> None:
    class DiskFullError(Exception):
        pass

    def fail() -> None:
        raise DiskFullError

    server.on("/things", DONE)
    with pytest.raises(DiskFullError):
        write(opens(), leaving=fail)
    assert not server.asked


PATIENCE = {
    "as long as an answer to a question": (0.0, 0.6, 5.0, 0.3, True),
    "longer where the system may take longer": (3.0, 0.2, 5.0, 0.6, True),
    "but no longer than a gateway waits": (9.0, 0.2, 0.4, 3.0, False),
    "and not for ever": (0.0, 0.2, 5.0, 3.0, False),
}


@pytest.mark.parametrize(
    ("longest", "reads", "writes", "takes", "answered"), PATIENCE.values(), ids=list(PATIENCE)
)
def test_how_long_an_answer_to_a_write_is_waited_for(
    server: Answering,
    opens: Opens,
    monkeypatch: pytest.MonkeyPatch,
    longest: float,
    reads: float,
    writes: float,
    takes: float,
    answered: bool,
) -> None:
    monkeypatch.setattr(client, "READ_SECONDS", reads)
    monkeypatch.setattr(client, "WRITE_SECONDS", writes)
    server.on("/things", Reply(201, seconds=takes))
    http = opens(longest_seconds=longest)
    if answered:
        assert write(http).ok
    else:
        with pytest.raises(OutcomeUnknownError, match="ReadTimeout"):
            write(http)
    assert len(server.asked) == 1


def test_a_stop_while_a_write_is_under_way_leaves_its_outcome_unknown(
    server: Answering, opens: Opens, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stopping, "_requested_at", [])
    monkeypatch.setattr(stopping, "GRACE_SECONDS", 0.0)
    server.on("/things", Reply(201, seconds=5))

    async def stopped(http: Http) -> None:
        writing = asyncio.ensure_future(http.write("POST", "/things", content=b"", headers={}))
        while not server.asked:
            await asyncio.sleep(0.01)
        stopping._keep(15, None)
        await writing

    with pytest.raises(OutcomeUnknownError, match="before the run was stopped"):
        using(opens(), stopped)


def test_a_stop_before_anything_left_is_told_as_that(
    server: Answering, opens: Opens, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pause between two attempts is not waited for either."""
    monkeypatch.setattr(stopping, "_requested_at", [])
    monkeypatch.setattr(stopping, "GRACE_SECONDS", 0.0)
    server.on("/things", Reply(429, headers={"Retry-After": "60"}))

    async def stopped(http: Http) -> None:
        writing = asyncio.ensure_future(http.write("POST", "/things", content=b"", headers={}))
        while not server.asked:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)  # until it has the answer
        stopping._keep(15, None)
        await writing

    with pytest.raises(UnavailableFault, match="It was not asked: stopped"):
        using(opens(), stopped)


def test_a_client_goes_on_after_a_lost_answer(server: Answering, opens: Opens) -> None:
    server.on("/things", DROPPED, Reply(200, b"good"))

    async def lost_and_asked(http: Http) -> bytes:
        with pytest.raises(OutcomeUnknownError):
            await http.write("POST", "/things", content=b"", headers={})
        return (await http.read("/things")).body

    assert using(opens(), lost_and_asked) == b"good"
