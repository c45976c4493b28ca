"""Lists of Business Central that never end, and pages that broke off: an error that names the address."""

from collections.abc import Awaitable, Callable
from itertools import count
from typing import Any

import pytest

from talk_pipeline.engine.model import Result
from talk_pipeline.systems.businesscentral.client import Businesscentral
from talk_pipeline.systems.errors import UnavailableFault
from talk_pipeline.systems.http.trail import MOST_EMPTY, MOST_TIMES
from talk_pipeline_tests.systems.answering import Answering, Asked, Reply
from talk_pipeline_tests.systems.businesscentral.speech import (
    COMPANY,
    Opens,
    change,
    error,
    line,
    page,
    row,
    using,
)
from talk_pipeline_tests.systems.businesscentral.test_reading import CUSTOMERS, scan, scanned

Work = Callable[[Businesscentral], Awaitable[Any]]
READERS: dict[str, Work] = {
    "a scan": scanned,
    "the companies": lambda opened: opened.identify(),
    "a search": lambda opened: opened.find("customer", "number", values=["C1"]),
}


def linked(asked: Asked, to: object, *rows: Any) -> Reply:
    return page(*rows, **{"@odata.nextLink": f"{asked.path}?$skiptoken={to}"})


@pytest.mark.parametrize("work", READERS.values(), ids=READERS)
@pytest.mark.parametrize("length", [1, 2, 3])
def test_a_list_in_a_circle_is_no_list(server: Answering, opens: Opens, work: Work, length: int) -> None:
    turn = count()
    server.answer(lambda asked: linked(asked, next(turn) % length, row("customer", "1")))
    with pytest.raises(UnavailableFault, match=r"comes to no end: it leads to .*skiptoken=\d again"):
        using(opens(), work)
    assert len(server.asked) <= MOST_TIMES * (length + 1)


@pytest.mark.parametrize("work", READERS.values(), ids=READERS)
def test_nor_is_one_of_pages_without_a_record(server: Answering, opens: Opens, work: Work) -> None:
    turn = count()
    server.answer(lambda asked: linked(asked, next(turn)))
    with pytest.raises(UnavailableFault, match=r"pages without a record, up to .*skiptoken="):
        using(opens(), work)
    assert len(server.asked) == MOST_EMPTY + 1


def test_pages_whose_records_are_left_out_are_passed(server: Answering, opens: Opens) -> None:
    turn = count(1)

    def answered(asked: Asked) -> Reply:
        at = next(turn)
        return linked(asked, at) if at % MOST_EMPTY else page(row("customer", "1"))

    server.answer(answered)
    assert [one.id for one in scan(opens())] == ["1"]


BROKEN_OFF = {"code": "Internal_ServerError", "message": "It stopped."}


def test_a_page_with_an_error_behind_its_rows_is_none(server: Answering, opens: Opens) -> None:
    server.on(CUSTOMERS, page(row("customer", "1"), error=BROKEN_OFF))
    with pytest.raises(UnavailableFault, match="a page that broke off: Internal_ServerError"):
        scan(opens())


def test_nor_is_a_record(server: Answering, opens: Opens) -> None:
    server.on(f"{CUSTOMERS}(1)", Reply(200, {**row("customer", "1"), "error": BROKEN_OFF}))
    with pytest.raises(UnavailableFault, match=r"\$.error"):
        using(opens(), lambda opened: opened.get("customer", "1"))


def test_nor_does_it_say_what_became_of_a_write(server: Answering, opens: Opens) -> None:
    server.on(f"{CUSTOMERS}(1)", Reply(200, {**row("customer", "1"), "error": BROKEN_OFF}))
    (outcome,) = using(opens(), lambda opened: opened.write("customer", [change("1")]))
    assert outcome.result is Result.UNKNOWN


def test_lines_that_go_on_elsewhere_are_not_all(server: Answering, opens: Opens) -> None:
    """Taken for all, those that follow would be removed from the shop."""
    more = {"salesOrderLines@odata.nextLink": f"{COMPANY}/salesOrders(1)/salesOrderLines?$skiptoken=1"}
    server.on(f"{COMPANY}/salesOrders", page({**row("order", "1", salesOrderLines=[line("l1")]), **more}))
    with pytest.raises(UnavailableFault, match="lack what was asked for"):
        scan(opens(), flow="order")


def test_an_error_without_a_page_is_told_by_its_code(server: Answering, opens: Opens) -> None:
    server.on(CUSTOMERS, error(200, "Internal_ServerError"))
    with pytest.raises(UnavailableFault, match="Internal_ServerError"):
        scan(opens())
