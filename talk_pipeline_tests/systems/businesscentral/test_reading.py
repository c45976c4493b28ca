"""Reading Business Central: pages, companies, look-ups, and answers that are not what was asked for."""

import json
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from talk_pipeline.engine.model import Record
from talk_pipeline.systems.businesscentral import lists, queries
from talk_pipeline.systems.businesscentral.client import Businesscentral
from talk_pipeline.systems.businesscentral.entities import load_entities
from talk_pipeline.systems.errors import ConfigurationFault, SystemFault, UnavailableFault
from talk_pipeline_tests.flow_files import flows_in
from talk_pipeline_tests.systems.answering import Answering, Asked, Reply
from talk_pipeline_tests.systems.businesscentral.speech import (
    BASE,
    COMPANY,
    COMPANY_ID,
    MODIFIED,
    Opens,
    Row,
    error,
    line,
    page,
    row,
    using,
)

CUSTOMERS = f"{COMPANY}/customers"
COMPANIES = [{"id": COMPANY_ID, "name": "Ours"}, {"id": "c2", "name": "Theirs"}]


async def scanned(bc: Businesscentral, since: datetime | None = None, flow: str = "customer") -> list[Record]:
    return [record async for found in bc.scan(flow, since=since) for record in found]


def scan(bc: Businesscentral, **told: Any) -> list[Record]:
    return using(bc, lambda opened: scanned(opened, **told))


# -- pages --


def test_pages_are_followed_by_the_links_that_are_given(server: Answering, opens: Opens) -> None:
    link = f"{server.url}{CUSTOMERS}?$skiptoken=a"
    server.on(CUSTOMERS, page(row("customer", "1"), **{"@odata.nextLink": link}), page(row("customer", "2")))
    first, second = scan(opens())
    assert (first.id, first.version, first.deleted, second.id) == ("1", 'W/"1"', False, "2")
    assert first.modified_at == datetime(2026, 3, 1, 10, 0, 0, 123000, UTC)
    assert server.asked[1].query == {"$skiptoken": "a"}


def test_only_what_the_flow_uses_is_asked_for(server: Answering, opens: Opens) -> None:
    server.on(f"{COMPANY}/salesOrders", page(row("order", "1", salesOrderLines=[line("l1")])))
    scan(opens(), flow="order")
    query = server.asked[0].query
    names = query["$select"].split(",")
    assert {"id", "lastModifiedDateTime", "externalDocumentNumber"} <= set(names)
    assert len(names) == len(set(names))
    assert query["$expand"].startswith("salesOrderLines($select=id,sequence,")
    assert "totalAmountExcludingTax" in names, "what is only compared too"
    assert len(names) < len(load_entities()["salesOrders"].properties)


@pytest.mark.parametrize("zone", [UTC, timezone(timedelta(hours=2))])
def test_changes_are_asked_for_in_utc_with_milliseconds(
    server: Answering, opens: Opens, zone: timezone
) -> None:
    server.on(CUSTOMERS, page())
    scan(opens(), since=datetime(2026, 3, 1, 12, 0, 0, 1999, UTC).astimezone(zone))
    assert server.asked[0].query["$filter"] == "lastModifiedDateTime ge 2026-03-01T12:00:00.001Z"
    assert "data-access-intent" not in server.asked[0].headers, "a replica may not have them yet"


def test_a_full_scan_may_be_served_by_a_replica(server: Answering, opens: Opens) -> None:
    for flow, declared in flows_in().items():
        name = declared.businesscentral.entity
        server.on(f"{COMPANY}/{name}", page())
        scan(opens(), flow=flow)
        asked = server.asked[-1]
        assert asked.headers.get("data-access-intent") == (
            "ReadOnly" if load_entities()[name].replica else None
        )


NO_PAGES = {
    "a page of a maintenance": Reply(200, "<html>Back soon</html>"),
    "cut off": Reply(200, '{"value": [{"id": "1"'),
    "no records": Reply(200, {"value": [1]}),
    "no text": Reply(200, b'{"value": [{"id": "\xe9"}]}'),
}
SHORT = [
    lambda bc: bc.find("customer", "number", values=["C1"]),
    lambda bc: bc.ended("order", "externalDocumentNumber", values=["O1"]),
    lambda bc: bc.latest("customer"),
    lambda bc: bc.local_currency(),
    scanned,
]


@pytest.mark.parametrize("reply", NO_PAGES.values(), ids=NO_PAGES)
@pytest.mark.parametrize("ask", SHORT, ids=["find", "ended", "latest", "currency", "scan"])
def test_a_broken_page_is_no_wrong_setting(
    server: Answering, opens: Opens, reply: Reply, ask: Callable[[Businesscentral], Awaitable[object]]
) -> None:
    server.answer(lambda _: reply)
    with pytest.raises(UnavailableFault):
        using(opens(), ask)


@pytest.mark.parametrize("status", [408, 413, 504])
def test_pages_that_take_too_long_are_made_smaller(server: Answering, opens: Opens, status: int) -> None:
    def size(asked: Asked) -> int:
        return int(asked.headers["prefer"].removeprefix("odata.maxpagesize="))

    server.answer(lambda asked: page(row("customer", "1")) if size(asked) <= 2000 else Reply(status))
    bc = opens()

    async def twice(opened: Businesscentral) -> list[Record]:
        return [*await scanned(opened), *await scanned(opened)]

    assert len(using(bc, twice)) == 2
    assert [size(asked) for asked in server.asked] == [20_000, 5_000, 1_250, 1_250]


def test_where_even_small_pages_take_too_long_that_is_told(server: Answering, opens: Opens) -> None:
    server.on(CUSTOMERS, Reply(504))
    with pytest.raises(UnavailableFault, match="504 even to small pages"):
        scan(opens())
    sizes = [asked.headers["prefer"] for asked in server.asked]
    assert sizes[-1] == f"odata.maxpagesize={lists.SMALLEST_PAGE}"
    assert len(sizes) == len(set(sizes))


BROKEN: dict[str, Reply] = {
    "no JSON": Reply(200, "<html>Sign in</html>"),
    "cut off": Reply(200, '{"value": [{"id": "1"'),
    "no page": Reply(200, {"values": []}),
    "no list": Reply(200, {"value": "none"}),
    "without the id": page({k: v for k, v in row("customer", "1").items() if k != "id"}),
    "without a value": page({k: v for k, v in row("customer", "1").items() if k != "displayName"}),
    "no record": page("1"),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("reply", BROKEN.values(), ids=BROKEN)
def test_what_is_no_page_of_whole_records_is_no_answer(server: Answering, opens: Opens, reply: Reply) -> None:
    """Taken for one, records would be missing, or their values blank."""
    server.on(CUSTOMERS, reply)
    with pytest.raises(UnavailableFault, match="Business Central answers with"):
        scan(opens())


@pytest.mark.parametrize("lines", [None, "", {}, [{"id": "l1"}]], ids=str)
def test_nor_is_an_order_without_its_lines(server: Answering, opens: Opens, lines: Any) -> None:
    server.on(f"{COMPANY}/salesOrders", page(row("order", "1", salesOrderLines=lines)))
    with pytest.raises(UnavailableFault, match="lack what was asked for"):
        scan(opens(), flow="order")


def test_lines_are_told_in_their_order(opens: Opens) -> None:
    rows = [line("l2", sequence=20000), line("l10", sequence=100000), line("l1", sequence=10000)]
    contents = opens().decode("order", json.dumps(row("order", "1", salesOrderLines=rows)))
    assert [child.id for child in contents.children["salesOrderLines"]] == ["l1", "l2", "l10"]


# -- the company --


@pytest.mark.parametrize("by", ["id", "name"])
def test_the_company_is_found_by_id_or_name(server: Answering, opens: Opens, by: str) -> None:
    server.on(f"{BASE}/companies", page(*reversed(COMPANIES)))
    bc = opens(query="?tenant=t1") if by == "id" else opens(company_id=None, name="Ours", query="?tenant=t1")
    identity = using(bc, lambda opened: opened.identify())
    assert identity.key == COMPANY_ID
    assert identity.name == f"127.0.0.1{BASE} (tenant=t1) company {COMPANY_ID}"
    assert all(asked.query["tenant"] == "t1" for asked in server.asked)


@pytest.mark.parametrize(("told", "known"), [("DKK", "DKK"), ("", None)])
def test_a_currency_that_is_not_told_is_left_open(
    server: Answering, opens: Opens, told: str, known: str | None
) -> None:
    server.on(f"{COMPANY}/companyInformation", page({"currencyCode": told}))
    assert using(opens(), lambda opened: opened.local_currency()) == known


def test_an_id_and_a_name_of_two_companies_are_told(server: Answering, opens: Opens) -> None:
    server.on(f"{BASE}/companies", page(*COMPANIES))
    assert using(opens(name="Ours"), lambda opened: opened.identify()).key == COMPANY_ID
    with pytest.raises(ConfigurationFault, match=rf"{COMPANY_ID} is 'Ours', but .* says 'Theirs'; set one"):
        using(opens(name="Theirs"), lambda opened: opened.identify())


def test_a_company_that_is_not_there_is_told_with_those_that_are(server: Answering, opens: Opens) -> None:
    server.on(f"{BASE}/companies", page(*COMPANIES))
    with pytest.raises(
        ConfigurationFault, match=r"no company 'Other'; there are: Ours \(c0.*, Theirs \(c2\)"
    ):
        using(opens(company_id=None, name="Other"), lambda opened: opened.identify())


@pytest.mark.parametrize("body", ["<html></html>", [], {"companies": []}, {"value": 5}], ids=str)
def test_another_api_is_told_with_the_setting(server: Answering, opens: Opens, body: Any) -> None:
    server.on(f"{BASE}/companies", Reply(200, body))
    with pytest.raises(ConfigurationFault, match=r"BUSINESSCENTRAL_URL goes up to and including /api/v2\.0"):
        using(opens(), lambda opened: opened.identify())


FAULTS: list[tuple[Reply, type[SystemFault], str]] = [
    (error(404, "BadRequest_ResourceNotFound"), ConfigurationFault, r"404 \(BadRequest_ResourceNotFound\)"),
    (Reply(404, "<html></html>"), ConfigurationFault, "404 .no Business Central error"),
    (error(400, "BadRequest"), UnavailableFault, r"400 \(BadRequest\)"),
    (Reply(418, "?"), UnavailableFault, "418"),
]


@pytest.mark.parametrize(("reply", "fault", "says"), FAULTS, ids=lambda one: str(getattr(one, "status", "")))
def test_a_refused_question_is_told_by_what_to_do(
    server: Answering, opens: Opens, reply: Reply, fault: type[SystemFault], says: str
) -> None:
    server.on(CUSTOMERS, reply)
    with pytest.raises(fault, match=says):
        scan(opens())


# -- single records --


def test_a_record_that_is_not_there_is_none(server: Answering, opens: Opens) -> None:
    server.on(f"{CUSTOMERS}(1)", Reply(200, row("customer", "1")))
    server.on(f"{CUSTOMERS}(2)", error(404, "BadRequest_ResourceNotFound"))
    found = using(opens(), lambda opened: opened.get("customer", "1"))
    assert found is not None
    assert (found.id, found.version) == ("1", 'W/"1"')
    assert using(opens(), lambda opened: opened.get("customer", "2")) is None


def test_a_gateway_does_not_say_that_a_record_is_gone(server: Answering, opens: Opens) -> None:
    server.on(f"{CUSTOMERS}(1)", Reply(404, "<html>Not found</html>"))
    with pytest.raises(ConfigurationFault, match="check BUSINESSCENTRAL_URL"):
        using(opens(), lambda opened: opened.get("customer", "1"))


@pytest.mark.parametrize(
    ("rows", "latest"),
    [
        ([{"id": "1", "lastModifiedDateTime": MODIFIED}], datetime(2026, 3, 1, 10, 0, 0, 123000, UTC)),
        ([], None),
    ],
    ids=["some", "none"],
)
def test_the_latest_change_is_asked_for_alone(
    server: Answering, opens: Opens, rows: list[Row], latest: datetime | None
) -> None:
    server.on(CUSTOMERS, page(*rows))
    assert using(opens(), lambda opened: opened.latest("customer")) == latest
    assert server.asked[0].query["$top"] == "1"
    assert server.asked[0].query["$orderby"] == "lastModifiedDateTime desc"


def test_a_latest_change_without_its_time_is_no_answer(server: Answering, opens: Opens) -> None:
    server.on(CUSTOMERS, page({"id": "1"}))
    with pytest.raises(UnavailableFault, match="without lastModifiedDateTime"):
        using(opens(), lambda opened: opened.latest("customer"))


# -- look-ups --


def found(server: Answering, opens: Opens, values: Sequence[str], *rows: Row) -> Any:
    server.on(CUSTOMERS, page(*rows))
    return using(opens(), lambda opened: opened.find("customer", "number", values=values))


def test_what_comes_back_is_compared_here(server: Answering, opens: Opens) -> None:
    """Their collation finds more than what is equal, and their codes are upper case."""
    rows = [{"id": at, "number": number} for at, number in enumerate(["C1", "C10", "C2 ", "C2", ""])]
    assert found(server, opens, ["c1", "C2", "C3"], *rows) == {"c1": ["0"], "C2": ["2", "3"]}


def test_many_values_are_asked_for_in_several_questions(server: Answering, opens: Opens) -> None:
    values = [f"CUSTOMER-{at:06}" for at in range(200)]
    found(server, opens, values)
    filters = [asked.query["$filter"] for asked in server.asked]
    assert len(filters) > 1
    assert all(len(asked.target) < 3000 for asked in server.asked)
    assert max(map(len, filters)) <= queries.FILTER_CHARACTERS + len(" or ") * 200
    terms = [term for one in filters for term in one.split(" or ")]
    assert terms == [f"number eq '{value}'" for value in values]


def test_quotes_are_doubled_and_what_cannot_be_there_is_not_asked_for(
    server: Answering, opens: Opens
) -> None:
    found(server, opens, ["O'B & C#1", "x" * 500])
    (asked,) = server.asked
    assert asked.query["$filter"] == "number eq 'O''B & C#1'"
    assert found(server, opens, ["x" * 500]) == {}
    assert len(server.asked) == 1


@pytest.mark.parametrize("held", [{"id": "1"}, {"number": "C1"}], ids=["number", "id"])
def test_a_hit_without_what_was_asked_for_is_no_answer(server: Answering, opens: Opens, held: Row) -> None:
    with pytest.raises(UnavailableFault, match="without id and number"):
        found(server, opens, ["C1"], held)
