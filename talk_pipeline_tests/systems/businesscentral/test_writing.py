"""Writing to Business Central: what each answer means for the write, of one by itself."""

from collections.abc import Mapping

import pytest

from talk_pipeline.engine.model import Child, ChildEdit, Operation, Outcome, Result, Write
from talk_pipeline.systems.businesscentral.writing import ABOUT_ANOTHER
from talk_pipeline.systems.errors import AccessFault
from talk_pipeline_tests.systems.answering import DROPPED, Answering, Reply
from talk_pipeline_tests.systems.businesscentral.speech import (
    COMPANY,
    Opens,
    Row,
    change,
    error,
    line,
    row,
    written,
)

CUSTOMER = f"{COMPANY}/customers(1)"


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
    "too large, as a gateway says": (Reply(413, "<html></html>"), Result.REFUSED, {}),
    "too large": (error(413, "RequestEntityTooLarge"), Result.REFUSED, {}),
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
