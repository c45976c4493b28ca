"""Lists of a shop that never end: an error that names the address, for the pipeline and for the audit."""

import asyncio
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from talk_pipeline.audit import UnreachableError
from talk_pipeline.audit.wire import Connection
from talk_pipeline.systems.customwebshop.wire.client import Customwebshop
from talk_pipeline.systems.customwebshop.wire.fitting import load_description
from talk_pipeline.systems.errors import ConfigurationFault, UnavailableFault
from talk_pipeline.systems.http import Http, Limits
from talk_pipeline_tests.flow_files import flows_in
from talk_pipeline_tests.systems.answering import Answering, Asked, Reply, answering

CONNECTOR = """
name: Frank
auth: {type: none}
records: data
paging: PAGING
entities:
  customers: {path: /customers}
  products: {path: /products}
  orders: {path: /orders}
"""
STYLES: dict[str, dict[str, str]] = {
    "by a cursor": {"style": "cursor", "parameter": "at", "next": "next"},
    "by an address": {"style": "next_url", "next": "next"},
    "by a header": {"style": "link"},
}
RECORDS: dict[str, Callable[[int], tuple[int, list[dict[str, str]]]]] = {
    "in a circle": lambda at: (at % 3, [{"id": str(at), "number": f"C{at}"}]),
    "without records": lambda at: (at, []),
}


@pytest.fixture
def server() -> Iterator[Answering]:
    with answering() as running:
        yield running


@pytest.fixture(params=STYLES)
def paging(request: pytest.FixtureRequest, server: Answering) -> dict[str, str]:
    return STYLES[request.param]


@pytest.fixture(params=RECORDS)
def endless(request: pytest.FixtureRequest, server: Answering, paging: dict[str, str]) -> str:
    """How the list of the server has no end."""
    turn = count()

    def answered(asked: Asked) -> Reply:
        at, records = RECORDS[request.param](next(turn))
        following = at if paging["style"] == "cursor" else f"/customers?at={at}"
        links = {"Link": f'<{server.url}{following}>; rel="next"'} if paging["style"] == "link" else {}
        return Reply(200, {"data": records, "next": following}, links)

    server.answer(answered)
    return "again and again" if request.param == "in a circle" else "without a record"


def scanned(server: Answering, paging: dict[str, Any], folder: Path) -> list[str]:
    """The customers of a full scan."""
    file = folder / "frank.yaml"
    file.write_text(CONNECTOR.replace("PAGING", str(paging)))
    flows = flows_in()
    http = Http("Frank", server.url, limits=Limits(1000, 1, 4, folder / "limits"), longest_seconds=0)
    shop = Customwebshop(http, flows, description=load_description(file, flows=flows))

    async def read() -> list[str]:
        async with shop:
            return [one.id async for page in shop.scan("customer", since=None) for one in page]

    return asyncio.run(read())


def test_the_pipeline_names_it(
    server: Answering, paging: dict[str, Any], endless: str, tmp_path: Path
) -> None:
    with pytest.raises(UnavailableFault, match=f"comes to no end.*/customers.*at=.*{endless}|{endless}.*at="):
        scanned(server, paging, tmp_path)
    assert len(server.asked) < 110


def test_a_page_that_is_the_one_before_is_asked_for_once_more(server: Answering, tmp_path: Path) -> None:
    """A cache may take its address for another's."""
    pages = [
        Reply(200, {"data": [{"id": f"{at}", "number": f"C{at}"}], "next": following})
        for at, following in enumerate(["b", "c", None])
    ]
    server.on("/customers", pages[0], pages[0], *pages[1:])
    assert scanned(server, STYLES["by a cursor"], tmp_path) == ["0", "1", "2"]
    assert [one.query.get("at") for one in server.asked] == [None, "b", "b", "c"]
    server.on("/customers", pages[0])
    with pytest.raises(ConfigurationFault, match="every page alike: check `paging`"):
        scanned(server, STYLES["by a cursor"], tmp_path)


@pytest.mark.usefixtures("endless")
def test_the_audit_names_it(server: Answering, paging: dict[str, Any]) -> None:
    said = {"paging": paging, "records": "data"}
    limits = {"requests": "100000", "seconds": "1"}
    audited = Connection(server.url, {**said, "auth": {"type": "none"}, "limits": limits}, lambda name: name)
    with pytest.raises(UnreachableError, match="comes to no end at .*customers.*at"):
        list(audited.pages("/customers", said, {}))
    assert len(server.asked) < 110


def test_the_audit_believes_no_page_that_broke_off(server: Answering) -> None:
    server.answer(lambda _: Reply(200, {"value": [{"id": "1"}], "error": {"code": "Internal_ServerError"}}))
    audited = Connection(server.url, {"auth": {"type": "none"}}, lambda name: name)
    with pytest.raises(UnreachableError, match="broke off"):
        list(audited.pages("/customers", {"records": "value", "broken_off": "error"}, {}))
