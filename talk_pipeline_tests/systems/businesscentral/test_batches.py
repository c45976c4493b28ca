"""Batches of writes to Business Central: what becomes of each part, and what leaves when."""

from collections.abc import Callable, Sequence

import pytest

from talk_pipeline.engine.model import Result
from talk_pipeline.systems.businesscentral.pacing import FIRST_ROWS
from talk_pipeline.systems.errors import UnavailableFault
from talk_pipeline_tests.systems.answering import DROPPED, Answering, Asked, Reply
from talk_pipeline_tests.systems.businesscentral.speech import (
    BASE,
    COMPANY_ID,
    Opens,
    Row,
    change,
    error,
    row,
    using,
    written,
)

BATCH = f"{BASE}/$batch"


def answers(judge: Callable[[Row], Row], *, status: int = 200) -> Callable[[Asked], Reply]:
    """A batch in which each part gets what it is told; parts of which nothing is told are left out."""

    def answered(asked: Asked) -> Reply:
        parts = [(part, judge(part)) for part in asked.json()["requests"]]
        return Reply(status, {"responses": [{"id": part["id"], **told} for part, told in parts if told]})

    return answered


def key_of(part: Row) -> str:
    return str(part["url"]).split("customers(")[1].split(")")[0]


def done(part: Row) -> Row:
    key = key_of(part)
    return {"status": 200, "body": row("customer", key, displayName=part["body"]["displayName"])}


def test_each_part_of_a_batch_has_its_outcome(server: Answering, opens: Opens) -> None:
    def judged(part: Row) -> Row:
        match key_of(part):
            case "2":
                return {"status": 400, "body": {"error": {"code": "BadRequest", "message": "No."}}}
            case "3":
                return {}
            case "4":
                return {"status": 412}
        return done(part)

    server.answer(answers(judged))
    outcomes = written(opens, *(change(str(n)) for n in range(1, 6)))
    assert [outcome.result for outcome in outcomes] == [
        Result.DONE,
        Result.REFUSED,
        Result.FAILED,
        Result.STALE,
        Result.DONE,
    ]
    assert outcomes[4].record is not None
    assert outcomes[4].record.id == "5"
    (asked,) = server.asked
    assert (asked.path, asked.headers["prefer"]) == (BATCH, "odata.continue-on-error")
    first = asked.json()["requests"][0]
    assert first["url"].startswith(f"companies({COMPANY_ID})/customers(1)?$select=")
    assert first["headers"] == {"Content-Type": "application/json", "If-Match": 'W/"seen"'}


def test_a_value_that_cannot_be_said_stops_nothing_but_its_write(server: Answering, opens: Opens) -> None:
    server.answer(answers(done))
    odd = change("2", values={"displayName": "New", "taxLiable": "perhaps"})
    outcomes = written(opens, change("1"), odd, change("3"))
    assert [outcome.result for outcome in outcomes] == [Result.DONE, Result.REFUSED, Result.DONE]
    assert outcomes[1].reason == "taxLiable of Business Central: 'perhaps' is no Boolean: true or false"
    assert [[key_of(part) for part in asked.json()["requests"]] for asked in server.asked] == [["1", "3"]]
    server.asked.clear()
    assert [outcome.result for outcome in written(opens, odd)] == [Result.REFUSED]
    assert not server.asked


def test_parts_may_be_answered_in_any_order(server: Answering, opens: Opens) -> None:
    inner = answers(done)

    def shuffled(asked: Asked) -> Reply:
        return Reply(200, {"responses": [*reversed(inner(asked).body["responses"]), {"status": 200}]})

    server.answer(shuffled)
    outcomes = written(opens, *(change(str(n)) for n in range(3)))
    assert [outcome.record.id for outcome in outcomes if outcome.record] == ["0", "1", "2"]


WHOLE: dict[str, tuple[Reply, Result, bool]] = {
    "too busy": (error(429, "Application_TooManyRequests"), Result.FAILED, False),
    "failed": (error(500, "Internal_ServerError"), Result.UNKNOWN, True),
    "cancelled": (error(408, "Application_OperationCanceled"), Result.UNKNOWN, True),
    "a version": (error(412, "Request_EntityChanged"), Result.UNKNOWN, True),
    "a conflict": (error(409, "Request_EntityChanged"), Result.UNKNOWN, True),
    "a gateway's": (Reply(504, "<html></html>"), Result.UNKNOWN, False),
    "a gateway's that does not know it": (Reply(404, "<html></html>"), Result.UNKNOWN, False),
    "locked": (Reply(423), Result.FAILED, False),
    "no answer": (DROPPED, Result.UNKNOWN, False),
    "cut off": (Reply(200, '{"responses": [{"id": "0", "status": 20'), Result.UNKNOWN, False),
    "no batch": (Reply(200, {"value": []}), Result.UNKNOWN, False),
}


@pytest.mark.parametrize(("reply", "result", "ended"), WHOLE.values(), ids=WHOLE)
def test_what_the_answer_to_a_whole_batch_means(
    server: Answering, opens: Opens, reply: Reply, result: Result, ended: bool
) -> None:
    server.on(BATCH, reply)
    outcomes = written(opens, *(change(str(n)) for n in range(3)))
    assert [(outcome.result, outcome.ended) for outcome in outcomes] == [(result, ended)] * 3


@pytest.mark.parametrize("turned_away", [error(400, "BadRequest"), error(413, "BadRequest"), Reply(413)])
def test_a_batch_that_is_turned_away_for_one_of_it_is_sent_in_parts(
    server: Answering, opens: Opens, turned_away: Reply
) -> None:
    inner = answers(done)

    def answered(asked: Asked) -> Reply:
        if asked.path != BATCH:
            key = asked.path.split("(")[-1].rstrip(")")
            return error(400, "BadRequest") if key == "3" else Reply(200, row("customer", key))
        poisoned = any(key_of(part) == "3" for part in asked.json()["requests"])
        return turned_away if poisoned else inner(asked)

    server.answer(answered)
    outcomes = written(opens, *(change(str(n)) for n in range(8)))
    assert [outcome.result for outcome in outcomes] == [
        Result.REFUSED if n == 3 else Result.DONE for n in range(8)
    ]


@pytest.mark.parametrize("times", [1, 2])
def test_parts_that_are_turned_away_at_the_door_go_once_more(
    server: Answering, opens: Opens, times: int
) -> None:
    """A token may end while the parts before it are at work."""
    turned_away = {"2": times, "4": times}

    def judged(part: Row) -> Row:
        if turned_away.get(key_of(part)):
            turned_away[key_of(part)] -= 1
            return {"status": 401, "body": {"error": {"code": "Unauthorized", "message": "No."}}}
        return done(part)

    server.answer(answers(judged))
    outcomes = written(opens, *(change(str(n)) for n in range(1, 6)))
    late = Result.DONE if times == 1 else Result.FAILED
    assert [outcome.result for outcome in outcomes] == [Result.DONE, late, Result.DONE, late, Result.DONE]
    assert [[key_of(part) for part in asked.json()["requests"]] for asked in server.asked] == [
        ["1", "2", "3", "4", "5"],
        ["2", "4"],
    ]


@pytest.mark.parametrize("status", [401, 403])
def test_what_stops_the_rest_of_a_batch_says_nothing_of_what_was_done(
    server: Answering, opens: Opens, status: int
) -> None:
    """What was made would be made once more."""

    def answered(asked: Asked) -> Reply:
        if asked.path == BATCH:
            return error(413, "BadRequest")
        key = asked.path.split("(")[-1].rstrip(")")
        return Reply(status) if key == "2" else Reply(200, row("customer", key))

    server.answer(answered)
    outcomes = written(opens, change("1"), change("2"))
    assert [outcome.result for outcome in outcomes] == [Result.DONE, Result.FAILED]


def test_what_leaves_is_told_each_time_it_leaves(server: Answering, opens: Opens) -> None:
    told: list[Sequence[str]] = []
    server.on(BATCH, error(400, "BadRequest"))
    server.answer(lambda asked: Reply(200, row("customer", asked.path[-2])))
    written(opens, change("1"), change("2"), leaving=told.append)
    assert [list(keys) for keys in told] == [["key of 1", "key of 2"], ["key of 1"], ["key of 2"]]


def test_where_nothing_left_that_is_told(opens: Opens, server: Answering) -> None:
    bc = opens()
    server.close()
    with pytest.raises(UnavailableFault, match="cannot be reached"):
        using(bc, lambda opened: opened.write("customer", [change("1")]))


def test_the_next_batch_holds_what_was_answered_in_good_time(server: Answering, opens: Opens) -> None:
    bc = opens()
    assert bc.rows_at_once("customer") == FIRST_ROWS
    server.answer(answers(done))
    using(bc, lambda opened: opened.write("customer", [change(str(n)) for n in range(10)]))
    assert bc.rows_at_once("customer") >= 2 * FIRST_ROWS
    assert bc.rows_at_once("order") == FIRST_ROWS, "of that flow alone"


@pytest.mark.parametrize("reply", [DROPPED, Reply(504), Reply(408)], ids=["none", "504", "408"])
def test_what_was_not_answered_makes_the_next_batch_smaller(
    server: Answering, opens: Opens, reply: Reply
) -> None:
    bc = opens()
    server.on(BATCH, reply)
    using(bc, lambda opened: opened.write("customer", [change(str(n)) for n in range(10)]))
    assert bc.rows_at_once("customer") == FIRST_ROWS // 4
