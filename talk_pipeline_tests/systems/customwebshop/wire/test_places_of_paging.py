"""A place that is to tell whether a list goes on, and is not in an answer, does not say that the list ended."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from talk_pipeline.audit.wire import Connection
from talk_pipeline.systems.customwebshop.wire.answers import UnexpectedShapeFault
from talk_pipeline.systems.customwebshop.wire.client import Customwebshop
from talk_pipeline.systems.customwebshop.wire.evidence import Probe
from talk_pipeline.systems.customwebshop.wire.fitting import load_description
from talk_pipeline.systems.customwebshop.wire.probing import probe
from talk_pipeline.systems.http import Http, Limits
from talk_pipeline_tests.flow_files import flows_in
from talk_pipeline_tests.systems.answering import Answering, Asked, Reply, answering

CONNECTOR = """
name: Paged
auth: {type: none}
records: data
paging: PAGING
entities:
  customers: {path: /customers}
  products: {path: /products}
  orders: {path: /orders, children: {lines: LINES}}
"""
NUMBER = 5
PAGE = 2


@pytest.fixture
def server() -> Iterator[Answering]:
    with answering() as running:
        yield running


def opened(server: Answering, folder: Path, paging: str, lines: str = "{path: lines}") -> Customwebshop:
    file = folder / "paged.yaml"
    file.write_text(CONNECTOR.replace("PAGING", paging).replace("LINES", lines), encoding="utf-8")
    flows = flows_in()
    http = Http("Paged", server.url, limits=Limits(1000, 1, 4, folder / "limits"), longest_seconds=0)
    return Customwebshop(http, flows, description=load_description(file, flows=flows))


def scanned(shop: Customwebshop, flow: str = "customer") -> list[str]:
    async def read() -> list[str]:
        async with shop:
            return [one.id async for page in shop.scan(flow, since=None) for one in page]

    return asyncio.run(read())


def customers(server: Answering, *, number: int = NUMBER, **said: Any) -> None:
    """Answers pages of two; what else an answer says is told by how many follow."""

    def answered(asked: Asked) -> Reply:
        page = int(asked.query.get("page", 1))
        at = int(asked.query.get("after", asked.query.get("offset", (page - 1) * PAGE)))
        rows = [{"id": str(n), "number": f"C{n}"} for n in range(at, min(at + PAGE, number))]
        follow = max(0, number - at - PAGE)
        more = {name: one(at + len(rows), follow) if callable(one) else one for name, one in said.items()}
        return Reply(200, {"data": rows, **{name: one for name, one in more.items() if one != "out"}})

    server.answer(answered)


COUNTED = ("{style: page, more: has_more, size: 2}", "{style: offset, more: has_more, size: 2}")


@pytest.mark.parametrize("paging", [*COUNTED, "{style: page, more: has_more}"])
def test_a_list_goes_on_whose_answers_have_no_such_place(
    server: Answering, tmp_path: Path, paging: str
) -> None:
    customers(server, goes_on=lambda _at, follow: bool(follow))
    assert scanned(opened(server, tmp_path, paging)) == ["0", "1", "2", "3", "4"]


@pytest.mark.parametrize("paging", COUNTED)
def test_a_shop_that_leaves_it_out_on_its_last_page_is_not_asked_for_another(
    server: Answering, tmp_path: Path, paging: str
) -> None:
    customers(server, has_more=lambda _at, follow: True if follow else "out")
    assert len(scanned(opened(server, tmp_path, paging))) == NUMBER
    assert len(server.asked) == 3
    customers(server, number=4, has_more=lambda _at, follow: follow if follow else None)
    assert len(scanned(opened(server, tmp_path, paging))) == 4
    assert len(server.asked) == 5, "and where it says that nothing follows, that counts of a full page, too"


def test_a_count_that_is_there_counts_though_the_other_place_is_not(
    server: Answering, tmp_path: Path
) -> None:
    customers(server, pages=3, total=NUMBER)
    for counted in ("pages: pages", "total: total"):
        paging = f"{{style: page, more: has_more, size: 50, size_parameter: size, {counted}}}"
        before = len(server.asked)
        assert len(scanned(opened(server, tmp_path, paging))) == NUMBER
        assert len(server.asked) - before == 3


def test_a_cursor_leads_on_where_the_place_beside_it_is_not_there(server: Answering, tmp_path: Path) -> None:
    customers(server, end=lambda at, _follow: str(at), hasNextPage=lambda _at, follow: bool(follow))
    paging = "{style: cursor, parameter: after, next: end, more: hasNext}"
    assert len(scanned(opened(server, tmp_path, paging))) == NUMBER
    assert len(server.asked) == 4


@pytest.mark.parametrize("style", ["page", "offset", "cursor"])
def test_the_audit_reads_such_lists_to_their_end_too(server: Answering, style: str) -> None:
    customers(server, end=lambda at, follow: str(at) if follow else None)
    paging = {"style": style, "more": "has_more", "size": "2"}
    paging |= {"parameter": "after", "next": "end"} if style == "cursor" else {}
    said = {"paging": paging, "records": "data"}
    limits = {"requests": "100000", "seconds": "1"}
    audited = Connection(server.url, {**said, "auth": {"type": "none"}, "limits": limits}, lambda name: name)
    rows = [row["id"] for row in audited.pages("/customers", said, {})]
    assert rows == ["0", "1", "2", "3", "4"]
    assert len(server.asked) == 3


SHORT: dict[str, tuple[str, dict[str, Any]]] = {
    "a word": ("{style: page, more: more_pages, size: 50}", {"hasMore": lambda _at, follow: bool(follow)}),
    "an address": ("{style: next_url, next: next_link}", {"next": "/customers?page=2"}),
    "a cursor": (
        "{style: cursor, parameter: after, next: cursor}",
        {"paging": {"next_cursor": "abc"}},
    ),
    "in a body": ("{style: link}", {"links": {"next": "/customers?page=2"}}),
}


@pytest.mark.parametrize("how", SHORT)
def test_a_list_that_says_elsewhere_that_it_goes_on_is_refused_and_not_cut(
    server: Answering, tmp_path: Path, how: str
) -> None:
    paging, said = SHORT[how]
    customers(server, **said)
    with pytest.raises(UnexpectedShapeFault, match="the list goes on, since .*, and there is no ") as fault:
        scanned(opened(server, tmp_path, paging))
    assert fault.value.key == "paging"


def test_what_leads_back_and_what_a_page_is_called_by_are_no_sign_of_more(
    server: Answering, tmp_path: Path
) -> None:
    customers(server, number=1, prev_cursor="a", links={"self": "/customers", "cursor": "b", "next": None})
    assert scanned(opened(server, tmp_path, "{style: cursor, next: next_cursor}")) == ["0"]


@pytest.mark.parametrize("number", [0, 1, NUMBER])
def test_a_cursor_that_is_always_there_does_not_make_an_empty_page_a_cut_list(
    server: Answering, tmp_path: Path, number: int
) -> None:
    customers(
        server,
        number=number,
        nextCursor=lambda at, _follow: str(at),
        hasMore=lambda _at, follow: True if follow else "out",
    )
    paging = "{style: cursor, parameter: after, next: nextCursor, more: hasMore}"
    assert len(scanned(opened(server, tmp_path, paging))) == number


def test_a_number_that_was_reached_needs_no_other_place(server: Answering, tmp_path: Path) -> None:
    customers(server, number=2, total=2, pages=1, next_page="/customers?page=2")
    for counted in ("total: total", "pages: pages"):
        paging = f"{{style: page, more: has_more, {counted}}}"
        assert scanned(opened(server, tmp_path, paging)) == ["0", "1"]


UNTOLD = {
    "page": "{style: page, more: has_more}",
    "nextCursor": "{style: cursor, parameter: after, next: nextCursor, more: has_more}",
}


@pytest.mark.parametrize("status", [404, 410])
@pytest.mark.parametrize("told_by", UNTOLD)
def test_a_page_that_is_not_there_ends_a_list_that_nothing_else_ended(
    server: Answering, tmp_path: Path, told_by: str, status: int
) -> None:
    past = Reply(status, b"<p>Gone</p>", {"Content-Type": "text/html"})
    pages(server, past=past, cursor=told_by)
    assert scanned(opened(server, tmp_path, UNTOLD[told_by])) == ["0", "1", "2", "3", "4"]
    pages(server, past=past)
    assert len(scanned(opened(server, tmp_path, "{style: page}"))) == NUMBER
    before = len(server.asked)
    sized = UNTOLD["page"].replace("}", ", size: 2}")
    assert len(scanned(opened(server, tmp_path, sized))) == NUMBER
    assert len(server.asked) - before == 3, "who says a size does without that request"


def test_one_that_is_not_there_though_the_list_goes_on_is_refused(server: Answering, tmp_path: Path) -> None:
    pages(server, past=Reply(404, {}), hasMore=True)
    for paging in (UNTOLD["page"], "{style: page}"):
        with pytest.raises(UnexpectedShapeFault, match="404"):
            scanned(opened(server, tmp_path, paging))
    pages(server, past=Reply(404, {}), total=NUMBER + 1)
    with pytest.raises(UnexpectedShapeFault, match="404"):
        scanned(opened(server, tmp_path, UNTOLD["page"].replace("}", ", total: total}")))
    server.answer(lambda _asked: Reply(404, {}))
    with pytest.raises(UnexpectedShapeFault, match="404"):
        scanned(opened(server, tmp_path, UNTOLD["page"]))


def pages(server: Answering, *, past: Reply, cursor: str = "page", **said: Any) -> None:
    """Answers so for a page past the end; every other has a cursor, and all but the last say that more follows."""

    def answered(asked: Asked) -> Reply:
        at = int(asked.query.get("after", (int(asked.query.get("page", 1)) - 1) * PAGE))
        rows = [{"id": str(n), "number": f"C{n}"} for n in range(at, min(at + PAGE, NUMBER))]
        more = {"has_more": True} if at + PAGE < NUMBER else {}
        return Reply(200, {"data": rows, cursor: str(at + PAGE), **more, **said}) if rows else past

    server.answer(answered)


def lines_of(server: Answering, tmp_path: Path, lines: str) -> int:
    shop = opened(server, tmp_path, "{style: none}", lines)

    async def read() -> int:
        async with shop:
            (record,) = [one async for page in shop.scan("order", since=None) for one in page]
            return len(shop.decode("order", record.payload).children["lines"])

    return asyncio.run(read())


ROWS = [{"id": str(n), "product_id": "1"} for n in range(4)]


def test_lines_apart_and_within_are_read_to_their_end_too(server: Answering, tmp_path: Path) -> None:
    def answered(asked: Asked) -> Reply:
        page = int(asked.query.get("page", 1))
        rows = ROWS[(page - 1) * PAGE : page * PAGE]
        order = {"id": "1", "number": "O1", "lines": {"nodes": rows, "hasMore": page < 2}}
        if asked.path == "/orders":
            return Reply(200, {"data": [order]})
        return Reply(200, order if asked.path == "/orders/1" else {"data": rows, "hasMore": page < 2})

    server.answer(answered)
    apart = 'url: "{item}/lines", records: data, paging: {style: page, more: has_more'
    assert lines_of(server, tmp_path, f"{{{apart}, size: 2}}}}") == 4
    within = "path: lines.nodes, paging: {style: page, more: lines.has_more"
    assert lines_of(server, tmp_path, f"{{{within}, size: 2}}}}") == 4
    for said in (apart, within):
        with pytest.raises(UnexpectedShapeFault, match="the list goes on, since .*hasMore is true") as fault:
            lines_of(server, tmp_path, f"{{{said}, size: 50}}}}")
        assert fault.value.key == "children.lines"


def probed(shop: Customwebshop, folder: Path) -> list[Probe]:
    flow = flows_in()["customer"]
    description = load_description(folder / "paged.yaml", flows=flows_in())

    async def ask() -> list[Probe]:
        async with shop:
            return [one async for one in probe(shop, flow, description)]

    return [one for one in asyncio.run(ask()) if one.at[-1] == "paging"]


def test_check_config_does_not_take_one_full_page_for_all(server: Answering, tmp_path: Path) -> None:
    customers(server, after=lambda at, _follow: str(at))
    shop = opened(server, tmp_path, "{style: cursor, parameter: after, next: following, size: 2}")
    (found,) = probed(shop, tmp_path)
    assert found.level == "problem"
    assert "the list ends after one page, which is full, and there is no following" in found.message
    customers(server, number=1)
    (found,) = probed(
        opened(server, tmp_path, "{style: cursor, parameter: after, next: following, size: 2}"), tmp_path
    )
    assert (found.level, found.message) == ("ok", "customers: one page is all")
