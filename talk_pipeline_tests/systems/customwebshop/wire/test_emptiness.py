"""That there is none is for the description to say: any other answer that is not as described is a fault."""

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from talk_pipeline.systems.customwebshop.wire.answers import UnexpectedShapeFault
from talk_pipeline.systems.customwebshop.wire.client import Customwebshop
from talk_pipeline.systems.customwebshop.wire.fitting import load_description
from talk_pipeline.systems.customwebshop.wire.joining import together
from talk_pipeline.systems.errors import SystemFault
from talk_pipeline.systems.http import Http, Limits
from talk_pipeline_tests.flow_files import flows_in

CONNECTOR = """
name: Scattered
auth: {type: none}
entities:
  customers:
    path: /customers
    parts: {address: {path: "{item}/address"PART}}
    fields: {address: {line1: "@address.street"}}
  products: {path: /products, latest: {path: /latest, at: "[0].changed"}}
  orders: {path: /orders, children: {lines: {LINES}}}
"""
ORDER = {"id": "1", "number": "O1"}
APART, WITHIN = 'url: "{item}/rows"', "path: rows"
ROWS = [{"id": "1", "product_id": "1"}]

Answered = tuple[int, Any]
Shop = Callable[[], Customwebshop]
Opened = Callable[..., tuple[Shop, dict[str, Answered]]]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Opened]:
    """Opens a shop that answers by path, and tells how to make a client of a description of it."""
    answers: dict[str, Answered] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, document = answers.get(self.path.partition("?")[0], (404, {"error": "not here"}))
            body = document.encode() if isinstance(document, str) else json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing is told."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()

    def open_shop(*, lines: str = APART, part: str = "") -> tuple[Shop, dict[str, Answered]]:
        file = tmp_path / "scattered.yaml"
        file.write_text(CONNECTOR.replace("LINES", lines).replace("PART", part))
        flows = flows_in()
        limits = Limits(1000, 1, 4, tmp_path / "limits")
        description = load_description(file, flows=flows)
        answers.update({"/orders": (200, [ORDER]), "/orders/1": (200, ORDER)})
        answers.update({"/customers": (200, [{"id": "1"}]), "/customers/1": (200, {"id": "1"})})

        def client() -> Customwebshop:
            url = f"http://127.0.0.1:{server.server_port}"
            http = Http("Scattered", url, limits=limits, longest_seconds=0)
            return Customwebshop(http, flows, description=description)

        return client, answers

    yield open_shop
    server.shutdown()
    thread.join()
    server.server_close()


def scanned(shop: Shop, flow: str) -> list[str]:
    """The payloads of a full scan."""

    async def scan() -> list[str]:
        async with shop() as client:
            return [one.payload async for page in client.scan(flow, since=None) for one in page]

    return asyncio.run(scan())


def lines_of(shop: Shop) -> int:
    (payload,) = scanned(shop, "order")
    return len(shop().decode("order", payload).children["lines"])


STRANGE: list[Answered] = [
    (404, {"error": "not here"}),
    (410, ""),
    (500, "broken"),
    (200, ""),
    (200, None),
    (200, {}),
    (200, {"rows": ROWS}),
    (200, {"error": {"code": "busy"}}),
    (200, "<html>Please log in</html>"),
    (200, "no rows"),
    (200, [None]),
    (200, 3),
]


@pytest.mark.parametrize("answer", STRANGE, ids=str)
def test_a_list_of_lines_that_is_none_is_no_order_without_lines(opened: Opened, answer: Answered) -> None:
    shop, answers = opened()
    answers["/orders/1/rows"] = (200, ROWS)
    assert lines_of(shop) == 1
    answers["/orders/1/rows"] = (200, [])
    assert lines_of(shop) == 0
    answers["/orders/1/rows"] = answer
    with pytest.raises(SystemFault):
        scanned(shop, "order")


@pytest.mark.parametrize(
    "held", ["missing", None, {}, {"a": 1}, "rows", 3, [None], {"error": {"code": "busy"}}], ids=str
)
def test_nor_is_a_record_that_shows_no_list(opened: Opened, held: Any) -> None:
    shop, answers = opened(lines=WITHIN)
    answers["/orders"] = (200, [ORDER | {"rows": ROWS}])
    assert lines_of(shop) == 1
    answers["/orders"] = (200, [ORDER if held == "missing" else ORDER | {"rows": held}])
    with pytest.raises(UnexpectedShapeFault, match="/orders") as fault:
        scanned(shop, "order")
    assert fault.value.key == "children.lines"


def test_a_record_with_a_link_where_its_lines_are_to_be_is_read_without_path(opened: Opened) -> None:
    shop, answers = opened(lines=f"{WITHIN}, {APART}")
    answers["/orders"] = (200, [ORDER | {"rows": "/orders/1/rows"}])
    answers["/orders/1/rows"] = (200, ROWS)
    with pytest.raises(UnexpectedShapeFault, match="read at `url` alone, leave `path` out"):
        scanned(shop, "order")
    shop, _ = opened()
    answers["/orders"] = (200, [ORDER | {"rows": "/orders/1/rows"}])
    assert lines_of(shop) == 1


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ("404", (404, "")),
        ("410, 404", (404, "")),
        ("409", (409, "")),
        ("null", (200, None)),
        ("'{}'", (200, {})),
        ("{}", (200, {})),
    ],
    ids=str,
)
def test_what_the_description_calls_empty_is_empty(opened: Opened, said: str, answer: Answered) -> None:
    shop, answers = opened(lines=f"{APART}, empty: [{said}]")
    answers["/orders/1/rows"] = answer
    assert lines_of(shop) == 0
    answers["/orders/1/rows"] = (403, "")
    with pytest.raises(SystemFault):
        scanned(shop, "order")


def test_a_list_within_a_record_may_be_called_empty_too(opened: Opened) -> None:
    shop, answers = opened(lines=f"{WITHIN}, empty: [missing, null]")
    for held in (ORDER, ORDER | {"rows": None}):
        answers["/orders"] = (200, [held])
        assert lines_of(shop) == 0


def test_an_order_that_goes_while_it_is_read_is_left_out(opened: Opened) -> None:
    shop, answers = opened()
    answers["/orders/1"] = (404, "")
    assert scanned(shop, "order") == []


@pytest.mark.parametrize("answer", [(404, ""), (200, ""), (200, None), (200, {}), (200, "<html/>")], ids=str)
def test_a_part_that_is_not_there_is_a_fault_and_no_blank(opened: Opened, answer: Answered) -> None:
    shop, answers = opened()
    answers["/customers/1/address"] = (200, {"street": "Main Street 1"})
    (payload,) = scanned(shop, "customer")
    assert shop().decode("customer", payload).values["address.line1"] == "Main Street 1"
    answers["/customers/1/address"] = answer
    with pytest.raises(UnexpectedShapeFault, match="/customers/1/address") as fault:
        scanned(shop, "customer")
    assert fault.value.key == "parts.address"


@pytest.mark.parametrize("status", [404, 409])
def test_a_part_may_be_called_missing(opened: Opened, status: int) -> None:
    shop, answers = opened(part=f", empty: [{status}]")
    answers["/customers/1/address"] = (status, "")
    (payload,) = scanned(shop, "customer")
    assert shop().decode("customer", payload).values["address.line1"] is None


def test_the_latest_change_is_a_moment_or_there_are_no_records(opened: Opened) -> None:
    shop, answers = opened()

    def latest() -> Any:
        async def ask() -> Any:
            async with shop() as client:
                return await client.latest("product")

        return asyncio.run(ask())

    for none in ([], [{"changed": None}]):
        answers["/latest"] = (200, none)
        assert latest() is None
    strange: Any
    for strange in ([{}], {}, [{"changed": "soon"}], "<html/>"):
        answers["/latest"] = (200, strange)
        with pytest.raises(UnexpectedShapeFault):
            latest()


def test_where_one_question_fails_the_others_are_given_up_before_it_is_told() -> None:
    """Else they would go on over connections that nobody closes."""
    ended: list[str] = []

    async def slow() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.append("slow")

    async def wrong() -> None:
        await asyncio.sleep(0)
        raise ValueError("wrong")

    async def ask() -> None:
        with pytest.raises(ValueError, match="wrong"):
            await together([slow(), wrong(), slow()])
        assert ended == ["slow", "slow"]

    asyncio.run(ask())


def test_a_page_for_people_is_no_empty_list_where_one_that_is_missing_is(opened: Opened) -> None:
    shop, answers = opened(
        lines='url: "{item}/rows", records: rows, empty: [missing], paging: {style: next_url, next: next}'
    )
    answers["/orders/1/rows"] = (200, {"count": 0})
    assert lines_of(shop) == 0
    answers["/orders/1/rows"] = (200, "<html>Please log in</html>")
    with pytest.raises(UnexpectedShapeFault, match="what is no JSON: <html>"):
        lines_of(shop)
