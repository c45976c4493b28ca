"""Questions are asked again as long as that may help, and no longer."""

import gzip
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from talk_pipeline.redaction import MASK, learn
from talk_pipeline.systems.errors import AccessFault, UnavailableFault, UnreachableFault
from talk_pipeline.systems.http import again, client, whole
from talk_pipeline_tests.systems.answering import DROPPED, Answering, Reply
from talk_pipeline_tests.systems.http.asking import nobody, read
from talk_pipeline_tests.systems.http.conftest import Opens

GOOD = Reply(200, b"good")


SAYS_NOTHING = [408, 409, 412, 416, 417, 421, 423, 424, 425, 428, 429, 500, 502, 503, 504, 507, 522]


@pytest.mark.parametrize("status", SAYS_NOTHING)
def test_what_passes_is_asked_again(server: Answering, opens: Opens, status: int) -> None:
    server.on("/things", Reply(status), Reply(status), GOOD)
    assert read(opens()).body == b"good"
    assert len(server.asked) == 3


def test_a_system_may_say_slower_in_its_own_way(server: Answering, opens: Opens) -> None:
    server.on("/things", Reply(418), GOOD)
    assert read(opens()).status == 418, "which is an answer like any other"
    server.on("/things", Reply(418), GOOD)
    assert read(opens(throttled=[418])).body == b"good"
    server.on("/things", Reply(418))
    with pytest.raises(UnavailableFault, match="418 again and again"):
        read(opens(throttled=[418]))


@pytest.mark.parametrize("status", SAYS_NOTHING)
def test_what_does_not_pass_is_left_to_the_next_run(server: Answering, opens: Opens, status: int) -> None:
    server.on("/things", Reply(status))
    with pytest.raises(UnavailableFault, match=f"{status} again and again"):
        read(opens())
    assert len(server.asked) == 1 + again.RETRIES


@pytest.mark.parametrize("status", [400, 402, 404, 405, 406, 410, 413, 414, 415, 422, 426, 451, 501, 505])
def test_what_will_not_pass_is_told_at_once(server: Answering, opens: Opens, status: int) -> None:
    server.on("/things", Reply(status, b"why"), GOOD)
    answer = read(opens())
    assert (answer.status, answer.ok, answer.body) == (status, False, b"why")
    assert len(server.asked) == 1


@pytest.mark.parametrize("status", [408, 409, 500, 504])
def test_what_whoever_asks_understands_is_an_answer(server: Answering, opens: Opens, status: int) -> None:
    """What took too long is asked for in smaller pieces, and a shop may say with any status that it has none."""
    server.on("/things", Reply(status, b"why"), GOOD)
    assert read(opens(), answers=[status, "null"]).body == b"why"
    assert len(server.asked) == 1
    server.on("/things", Reply(503), GOOD)
    assert read(opens(), answers=[status, "null"]).body == b"good", "which is not among them"


def test_who_is_turned_away_at_the_door_asks_once_more(server: Answering, opens: Opens) -> None:
    server.on("/things", Reply(503), Reply(401), Reply(503), GOOD)
    assert read(opens()).body == b"good"
    server.on("/things", Reply(401))
    with pytest.raises(AccessFault, match=r"refuses the credentials \(401\): check IT_TOKEN"):
        read(opens())
    assert len(server.asked) == 4 + 2


def test_who_may_not_see_it_is_told_at_once(server: Answering, opens: Opens) -> None:
    server.on("/things", Reply(403), GOOD)
    with pytest.raises(AccessFault, match=r"denies access \(403\) to GET /things: check"):
        read(opens())
    assert len(server.asked) == 1


def test_a_question_with_a_body_is_asked_again_too(server: Answering, opens: Opens) -> None:
    server.on("/things", Reply(503), DROPPED, GOOD)
    assert read(opens(), content=b'{"which": 1}', headers={"X-Own": "1"}).body == b"good"
    assert [(one.method, one.body, one.headers["x-own"]) for one in server.asked] == [
        ("POST", b'{"which": 1}', "1")
    ] * 3
    assert server.asked[0].headers["content-type"] == "application/json"


def test_a_line_that_breaks_is_no_answer(server: Answering, opens: Opens) -> None:
    server.on("/things", DROPPED, GOOD)
    assert read(opens()).body == b"good"
    server.on("/things", Reply(200, b"half of it", {"Content-Length": "1000", "Connection": "close"}))
    with pytest.raises(UnavailableFault, match="cannot be reached.*IT_URL"):
        read(opens())


def test_an_answer_that_does_not_come_is_waited_for_so_long(
    server: Answering, opens: Opens, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "READ_SECONDS", 0.3)
    server.on("/things", Reply(seconds=5), GOOD)
    assert read(opens()).body == b"good"
    server.on("/things", Reply(seconds=5))
    with pytest.raises(UnavailableFault, match="cannot be reached: ReadTimeout: check IT_URL"):
        read(opens())


def test_nobody_there_is_told_with_the_setting(opens: Opens) -> None:
    with pytest.raises(UnavailableFault, match="cannot be reached.*: check IT_URL"):
        read(opens(nobody()))


@pytest.mark.parametrize("told", ["seconds", "a date"])
def test_who_says_when_to_come_back_is_asked_then(server: Answering, opens: Opens, told: str) -> None:
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=3), usegmt=True)
    server.on("/things", Reply(429, headers={"Retry-After": "1" if told == "seconds" else later}), GOOD)
    assert read(opens()).ok
    first, second = server.asked
    assert second.at - first.at >= 1


@pytest.mark.parametrize("told", ["soon", "-5", "Wed, 21 Oct 2015 07:28:00 GMT", "0"])
def test_who_says_it_oddly_is_asked_soon(server: Answering, opens: Opens, told: str) -> None:
    server.on("/things", Reply(503, headers={"Retry-After": told}), GOOD)
    assert read(opens()).ok
    first, second = server.asked
    assert second.at - first.at < 1


def test_an_answer_is_told_as_it_is(server: Answering, opens: Opens) -> None:
    links = '<https://it.example/2>; rel="next", </1>; rel=prev'
    server.on("/things", Reply(200, b"abc", {"Link": links, "X-Total": "5"}, seconds=0.2))
    answer = read(opens(headers={"X-Client": "us"}), "/things?a=1+%26+2", headers={"Accept": "text/csv"})
    assert (answer.body, answer.excerpt(2), answer.headers["x-total"]) == (b"abc", "ab", "5")
    assert answer.links == {"next": "https://it.example/2", "prev": "/1"}
    assert 0.2 <= answer.seconds < 5
    (asked,) = server.asked
    assert (asked.headers["x-client"], asked.headers["accept"]) == ("us", "text/csv")
    assert asked.query == {"a": "1 & 2"}


def test_an_error_is_told_without_secrets_of_ours(server: Answering, opens: Opens) -> None:
    learn("canary-1")
    server.on("/things", Reply(400, b"you sent canary-1"))
    assert read(opens()).body == f"you sent {MASK}".encode()


def test_an_answer_that_trickles_is_none(
    server: Answering, opens: Opens, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of its bytes comes in time, and all of them would take a minute."""
    monkeypatch.setattr(client, "READ_SECONDS", 0.2)
    server.on("/things", Reply(200, b"x" * 1000, trickle=0.06))
    with pytest.raises(UnavailableFault, match="comes too slowly"):
        read(opens())
    assert len(server.asked) == 1 + again.RETRIES
    server.on("/things", Reply(200, b"x" * 1000, trickle=0.06), GOOD)
    assert read(opens()).body == b"good"


def test_a_long_answer_may_take_its_time(
    server: Answering, opens: Opens, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "READ_SECONDS", 0.2)
    monkeypatch.setattr(whole, "SLOWEST", 20)
    server.on("/things", Reply(200, b"x" * 50, trickle=0.01))
    assert read(opens()).body == b"x" * 50
    assert len(server.asked) == 1


def test_what_is_small_on_the_line_and_fills_the_memory_is_not_unpacked(
    server: Answering, opens: Opens, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(whole, "LARGEST_ANSWER", 1_000_000)
    packed = {"Content-Encoding": "gzip"}
    server.on("/things", Reply(200, gzip.compress(b" " * 1_000_001), packed))
    with pytest.raises(UnavailableFault, match="more than 1,000,000 bytes"):
        read(opens())
    server.on("/things", Reply(200, gzip.compress(b" " * 1_000_000), packed))
    assert len(read(opens()).body) == 1_000_000


def test_what_cannot_be_unpacked_is_an_answer_all_the_same(server: Answering, opens: Opens) -> None:
    server.on("/things", Reply(200, b"no gzip", {"Content-Encoding": "gzip"}))
    with pytest.raises(UnavailableFault, match="answers /things with what cannot be unpacked") as caught:
        read(opens())
    assert not isinstance(caught.value, UnreachableFault)


@pytest.mark.parametrize("body", [b'{"name": "\xe9"}', b"\xff", '{"name": "é"}'.encode("utf-16")])
def test_what_is_no_text_is_no_answer(server: Answering, opens: Opens, body: bytes) -> None:
    server.on("/things", Reply(200, body))
    with pytest.raises(UnavailableFault, match="/things with what is no UTF-8: byte 0x[ef]"):
        read(opens())
    server.on("/things", Reply(404, body))
    assert read(opens()).body == body, "an error says so by its status"
