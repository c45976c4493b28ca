"""Writing to Business Central: what each answer means for the write, alone or within a batch."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from talk_pipeline.engine.model import Child, ChildEdit, Operation, Outcome, Result, Write
from talk_pipeline.systems.businesscentral.pacing import FIRST_ROWS
from talk_pipeline.systems.businesscentral.writing import ABOUT_ANOTHER
from talk_pipeline.systems.errors import AccessFault, UnavailableFault
from talk_pipeline_tests.systems.answering import DROPPED, Answering, Asked, Reply
from talk_pipeline_tests.systems.businesscentral.speech import (
    BASE,
    COMPANY,
    COMPANY_ID,
    Opens,
    Row,
    change,
    error,
    line,
    row,
    using,
)

CUSTOMER = f"{COMPANY}/customers(1)"
BATCH = f"{BASE}/$batch"


def written(opens: Opens, *writes: Write, flow: str = "customer", **told: Any) -> Sequence[Outcome]:
    return using(opens(), lambda opened: opened.write(flow, writes, **told))


def one(opens: Opens, write: Write, flow: str = "customer") -> Outcome:
    (outcome,) = written(opens, write, flow=flow)
    return outcome


# -- one write by itself --

UPDATES: dict[str, tuple[Reply, Result, Mapping[str, bool]]] = {
    "another version": (error(409, "Request_EntityChanged"), Result.STALE, {}),
    "a conflict nobody explains": (Reply(409), Result.STALE, {}),
    "another conflict": (error(409, "Internal_RecordAlreadyExists"), Result.REFUSED, {"about_another": True}),
    "a key that is taken": (
        error(400, "Internal_EntityWithSameKeyExists"),
        Result.REFUSED,
        {"about_another": True},
    ),
    "a condition that failed": (Reply(412), Result.STALE, {}),
    "not there": (error(404, "BadRequest_ResourceNotFound"), Result.GONE, {}),
    "a mistake": (error(400, "BadRequest_InvalidRequestUrl"), Result.REFUSED, {}),
    "a rule": (error(400, "Application_DialogException"), Result.REFUSED, {"about_another": True}),
    "still too busy": (error(429, "Application_TooManyRequests"), Result.FAILED, {}),
    "cancelled there": (error(408, "Application_OperationCanceled"), Result.UNKNOWN, {"ended": True}),
    "failed there": (error(500, "Internal_ServerError"), Result.UNKNOWN, {"ended": True}),
    "never begun there": (error(503, "Application_ServiceUnavailable"), Result.UNKNOWN, {"ended": True}),
    "a gateway's time-out": (error(504, "GatewayTimeout"), Result.UNKNOWN, {}),
    "a gateway's line": (error(502, "BadGateway"), Result.UNKNOWN, {}),
    "a gateway's page": (Reply(503, "<html></html>"), Result.UNKNOWN, {}),
    "no answer": (DROPPED, Result.UNKNOWN, {}),
    "an error without a code": (Reply(400, {"error": {"code": None, "message": "No."}}), Result.UNKNOWN, {}),
    "another's error": (Reply(404, {"statusCode": 404, "message": "Resource not found"}), Result.UNKNOWN, {}),
    "no record": (Reply(200, "[]"), Result.UNKNOWN, {}),
    "no JSON": (Reply(200, "<html></html>"), Result.UNKNOWN, {}),
    "nothing": (Reply(204), Result.UNKNOWN, {}),
}


@pytest.mark.parametrize(("reply", "result", "told"), UPDATES.values(), ids=UPDATES)
def test_what_an_answer_means(
    server: Answering, opens: Opens, reply: Reply, result: Result, told: Mapping[str, bool]
) -> None:
    server.on(CUSTOMER, reply)
    outcome = one(opens, change("1"))
    assert outcome.result is result, outcome.reason
    assert {"about_another": outcome.about_another, "ended": outcome.ended} == {
        "about_another": False,
        "ended": False,
        **told,
    }
    assert outcome.reason
    assert "CorrelationId" not in outcome.reason


@pytest.mark.parametrize("code", ABOUT_ANOTHER)
def test_a_cause_that_may_lie_elsewhere_is_known_by_its_code(
    server: Answering, opens: Opens, code: str
) -> None:
    server.on(CUSTOMER, error(400, code, "Whatever it says."))
    assert one(opens, change("1")).about_another


GONE: list[tuple[Operation, Result]] = [
    ("update", Result.GONE),
    ("delete", Result.DONE),
    ("create", Result.REFUSED),
]


@pytest.mark.parametrize(("operation", "result"), GONE)
def test_what_is_not_there_any_more(
    server: Answering, opens: Opens, operation: Operation, result: Result
) -> None:
    server.answer(lambda _: error(404, "Internal_RecordNotFound"))
    assert one(opens, change(None if operation == "create" else "1", operation)).result is result


def test_an_update_names_its_version_and_asks_for_the_whole_record(server: Answering, opens: Opens) -> None:
    server.on(CUSTOMER, Reply(200, row("customer", "1", displayName="New")))
    outcome = one(opens, change("1"))
    assert outcome.result is Result.DONE
    assert outcome.record is not None
    assert (outcome.record.id, outcome.record.version) == ("1", 'W/"1"')
    (asked,) = server.asked
    assert (asked.method, asked.json(), asked.headers["if-match"]) == (
        "PATCH",
        {"displayName": "New"},
        'W/"seen"',
    )
    assert "displayName" in asked.query["$select"]


def test_a_deletion_has_no_body_and_its_version(server: Answering, opens: Opens) -> None:
    server.on(CUSTOMER, Reply(204))
    assert one(opens, change("1", "delete")) == Outcome(Result.DONE)
    (asked,) = server.asked
    assert (asked.method, asked.body, asked.headers["if-match"]) == ("DELETE", b"", 'W/"seen"')


def test_an_order_is_created_with_its_lines(server: Answering, opens: Opens) -> None:
    made = row("order", "o1", salesOrderLines=[line("l1", quantity=2)])
    server.on(f"{COMPANY}/salesOrders", Reply(201, made))
    lines = (ChildEdit("create", None, {"quantity": "2.50", "description": "Chair"}),)
    new = change(
        None,
        "create",
        entity="salesOrders",
        values={"externalDocumentNumber": "O1", "orderDate": None},
        children={"salesOrderLines": lines},
    )
    outcome = one(opens, new, "order")
    assert outcome.result is Result.DONE, outcome.reason
    (asked,) = server.asked
    assert "if-match" not in asked.headers
    assert asked.json() == {
        "externalDocumentNumber": "O1",
        "orderDate": "0001-01-01",
        "salesOrderLines": [{"quantity": 2.5, "description": "Chair"}],
    }
    assert b'"quantity":2.50' in asked.body, "with the digits it was told"
    assert "salesOrderLines(" in asked.query["$expand"]


def test_a_line_is_written_by_itself(server: Answering, opens: Opens) -> None:
    server.on(f"{COMPANY}/salesOrders(o1)/salesOrderLines", Reply(201, line("l9", quantity=3)))
    server.on(f"{COMPANY}/salesOrderLines(l9)", Reply(200, line("l9", quantity=4)))
    told: Row = {"entity": "salesOrders", "child": "salesOrderLines", "parent_id": "o1"}
    added = one(opens, change(None, "create", values={"quantity": "3"}, **told), "order")
    assert isinstance(added.child, Child), added.reason
    assert (added.child.id, added.child.version, added.child.values["quantity"]) == ("l9", 'W/"l9"', "3")
    changed = one(opens, change("l9", values={"quantity": "4"}, **told), "order")
    assert changed.child is not None
    assert changed.child.values["quantity"] == "4"
    assert "$expand" not in server.asked[-1].query


def test_a_line_that_is_not_told_whole_is_unknown(server: Answering, opens: Opens) -> None:
    told = {name: value for name, value in line("l9").items() if name != "unitPrice"}
    server.on(f"{COMPANY}/salesOrderLines(l9)", Reply(200, told))
    write = change(
        "l9", entity="salesOrders", child="salesOrderLines", parent_id="o1", values={"quantity": "4"}
    )
    outcome = one(opens, write, "order")
    assert (outcome.result, outcome.reason) == (Result.UNKNOWN, "an answer without unitPrice")


SHORT = {
    "read again": (Reply(200, row("customer", "1", displayName="New")), Result.DONE),
    "gone again": (error(404, "BadRequest_ResourceNotFound"), Result.UNKNOWN),
    "not read": (Reply(500), Result.UNKNOWN),
}


@pytest.mark.parametrize(("again", "result"), SHORT.values(), ids=SHORT)
def test_a_record_that_is_not_told_whole_is_read_once_more(
    server: Answering, opens: Opens, again: Reply, result: Result
) -> None:
    server.answer(lambda asked: Reply(200, {"id": "1"}) if asked.method == "PATCH" else again)
    outcome = one(opens, change("1"))
    assert outcome.result is result
    assert outcome.record is None or '"displayName": "New"' in outcome.record.payload


def test_refused_credentials_stop_more_than_this_write(server: Answering, opens: Opens) -> None:
    server.on(CUSTOMER, Reply(401))
    with pytest.raises(AccessFault):
        one(opens, change("1"))


# -- batches --


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
    assert bc.rows_at_once("customer") == 20
    assert bc.rows_at_once("order") == FIRST_ROWS, "of that flow alone"


@pytest.mark.parametrize("reply", [DROPPED, Reply(504), Reply(408)], ids=["none", "504", "408"])
def test_what_was_not_answered_makes_the_next_batch_smaller(
    server: Answering, opens: Opens, reply: Reply
) -> None:
    bc = opens()
    server.on(BATCH, reply)
    using(bc, lambda opened: opened.write("customer", [change(str(n)) for n in range(10)]))
    assert bc.rows_at_once("customer") == FIRST_ROWS // 4
