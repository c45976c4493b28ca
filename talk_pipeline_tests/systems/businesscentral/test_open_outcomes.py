"""What leaves the outcome of a write to Business Central open: an answer that is not its own word."""

import pytest

from talk_pipeline.engine.model import Operation, Result
from talk_pipeline.systems.businesscentral.writing import NOT_BEGUN
from talk_pipeline_tests.systems.answering import Answering, Reply
from talk_pipeline_tests.systems.businesscentral.speech import Opens, change
from talk_pipeline_tests.systems.businesscentral.test_writing import CUSTOMER, one

WRITES: tuple[Operation, ...] = ("create", "update", "delete")
NOBODYS = Reply(404, "<html>Not found</html>")


@pytest.mark.parametrize("status", [300, 304, 400, 404, 405, 410, 414, 418, 431, 501])
@pytest.mark.parametrize("operation", WRITES)
def test_without_its_own_error_code_nobody_knows_what_became_of_a_write(
    server: Answering, opens: Opens, operation: Operation, status: int
) -> None:
    """A gateway's page says nothing of what is behind it, least of all that a deletion was carried out."""
    server.answer(lambda _: Reply(status, "" if status == 304 else "<html>It was not I.</html>"))
    outcome = one(opens, change(None if operation == "create" else "1", operation))
    assert (outcome.result, outcome.ended) == (Result.UNKNOWN, False)


@pytest.mark.parametrize("status", [409, 412])
def test_what_had_no_condition_is_not_outdated(server: Answering, opens: Opens, status: int) -> None:
    server.answer(lambda _: Reply(status))
    assert one(opens, change(None, "create")).result is Result.UNKNOWN


@pytest.mark.parametrize("status", NOT_BEGUN)
@pytest.mark.parametrize("operation", WRITES)
def test_what_was_not_begun_is_no_refusal(
    server: Answering, opens: Opens, operation: Operation, status: int
) -> None:
    server.answer(lambda _: Reply(status, "<html></html>"))
    assert one(opens, change(None if operation == "create" else "1", operation)).result is Result.FAILED


@pytest.mark.parametrize("operation", WRITES)
def test_what_was_too_large_was_not_begun_and_will_not_be(
    server: Answering, opens: Opens, operation: Operation
) -> None:
    """Whoever says so: it would be looked up, not found, and sent once more without end."""
    server.answer(lambda _: Reply(413, "<html></html>"))
    assert one(opens, change(None if operation == "create" else "1", operation)).result is Result.REFUSED


@pytest.mark.parametrize("reply", [Reply(202), Reply(200, "ok"), Reply(200, {"error": {}}), NOBODYS])
def test_a_deletion_is_done_when_that_is_said(server: Answering, opens: Opens, reply: Reply) -> None:
    server.on(CUSTOMER, reply)
    assert one(opens, change("1", "delete")).result is Result.UNKNOWN
